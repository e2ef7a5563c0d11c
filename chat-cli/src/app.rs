//! From the arguments to the exit code.

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};

use clap::Parser as _;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Cli, TopCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::complain;
use crate::{command, script};

/// Does what the arguments say.
pub(crate) fn main(arguments: impl Iterator<Item = OsString>) -> Exit {
    or_bug(|| match Cli::try_parse_from(arguments) {
        Ok(cli) => run(&cli),
        Err(error) => {
            // Help and version are no errors, and clap knows where to print what.
            let _ = error.print();
            if error.use_stderr() { Exit::Usage } else { Exit::Done }
        }
    })
}

/// A panic is a bug of ours: the hook has printed where, and the exit code says so.
fn or_bug(act: impl FnOnce() -> Exit) -> Exit {
    panic::catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        complain("chat-cli: this is a bug of chat-cli; what it was doing may have been applied\n");
        Exit::Bug
    })
}

fn run(cli: &Cli) -> Exit {
    let runtime = Builder::new_current_thread().enable_all().build();
    let outcome = runtime.map_err(|error| Failure::local("could not start", error)).and_then(|runtime| {
        // Connections are opened in the runtime, so the context is made inside.
        runtime.block_on(async { Ok(until_signalled(cli, Context::new(&cli.settings)?).await) })
    });
    outcome.unwrap_or_else(|failure| {
        complain(&format!("chat-cli: {failure}\n"));
        failure.exit()
    })
}

async fn until_signalled(cli: &Cli, mut context: Context) -> Exit {
    tokio::select! {
        // The command comes first: until it waits for the network, Ctrl-C at one of its prompts just ends the process.
        biased;
        exit = carry_out(cli, &mut context) => exit,
        exit = signalled() => {
            let undecided = match &cli.command {
                TopCommand::One(command) => command.is_write(),
                TopCommand::Run { .. } => true,
            };
            let word = if exit == Exit::Interrupted { "interrupted" } else { "terminated" };
            let more = if undecided { ": what was under way may have been applied" } else { "" };
            complain(&format!("chat-cli: {word}{more}\n"));
            exit
        }
    }
}

async fn carry_out(cli: &Cli, context: &mut Context) -> Exit {
    match &cli.command {
        TopCommand::One(command) => command::execute(command, context).await,
        TopCommand::Run { script } => script::run(script, context).await,
    }
}

/// Waits for a signal that asks to end.
async fn signalled() -> Exit {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Then the signals end the process in their own way.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}

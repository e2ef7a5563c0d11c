//! The commands, one file for each noun.

mod account;
mod cluster;
mod message;
mod session;
mod topic;
mod watch;

use crate::cli::Command;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Carries out `command`, and tells when it fails.
pub(crate) async fn execute(command: &Command, context: &mut Context) -> Exit {
    match dispatch(command, context).await {
        Ok(()) => Exit::Done,
        Err(failure) => {
            context.output.failure(&failure);
            failure.exit()
        }
    }
}

async fn dispatch(command: &Command, context: &mut Context) -> Result<(), Failure> {
    match command {
        Command::Account(command) => account::execute(command, context).await,
        Command::Login { name, password, print_token } => {
            session::login(name, *password, *print_token, context).await
        }
        Command::Logout { everywhere } => session::logout(*everywhere, context).await,
        Command::Send { to, text } => message::send(to, text, context).await,
        Command::Read(read) => message::read(read, context).await,
        Command::Topic(command) => topic::execute(command, context).await,
        Command::Watch(watch) => watch::execute(watch, context).await,
        Command::Cluster(command) => cluster::execute(command, context).await,
    }
}

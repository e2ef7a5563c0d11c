//! The command line.
//!
//! `main` calls [`main`], which becomes a node when it is asked to, and otherwise runs one of the commands on the main
//! thread: nodes must be spawned from it.

mod batch;
mod check;
mod doctor;
mod machine;
mod mutants;
mod plan;
mod player;
mod replay;
mod shrink;
mod suite;
mod up;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::exit::{EXIT_CODES, Exit};
use crate::kernel::{self, probe::PROBE_SUBCOMMAND};
use crate::process::NODE_SUBCOMMAND;
use crate::run::stop::{Stop, stop};
use player::PlayArgs;
use replay::ReplayArgs;
use shrink::ShrinkArgs;

/// Starts a cluster of real processes, breaks it as a scenario says, and lets the checker judge what clients saw.
#[derive(Debug, Parser)]
#[command(name = "supervisor", version = version(), after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios and judge them.
    Run(RunArgs),
    /// Run all scenarios of directories, for CI: a recap of what failed, JUnit, annotations.
    Suite(suite::SuiteArgs),
    /// Carry out the plan of an earlier run again.
    ///
    /// Everything that the plan says is the same: the cluster, the operations, the faults and their times. What may
    /// differ is timing: who leads when a fault strikes, and how operations interleave. A failure that depends on it may
    /// need --repeat or --until-fail.
    Replay(ReplayArgs),
    /// Look for a smaller plan that fails as a run has failed.
    ///
    /// Fewer faults, a shorter load, fewer clients, keys and nodes, as long as a failure of the same kind is seen. Each
    /// step is a line on standard error. Ends with 0 if any plan failed in that way, with 3 if not even the whole plan
    /// of the run did.
    Shrink(ShrinkArgs),
    /// Draw what a scenario would do, without starting anything.
    Plan(PlanArgs),
    /// Judge a run or a history again.
    Check(CheckArgs),
    /// Say what is wrong with scenario files.
    Validate {
        /// Scenario files, and directories of them.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Plant bugs in the nodes, and say which of them the scenarios catch.
    ///
    /// Needs a build with bugs: `cargo run --release --features bugs -- mutants`. Ends with 1 if a bug's own scenario does
    /// not catch it, or if one without a bug fails. What was run is kept in mutants.json in --out, and not run again.
    Mutants(mutants::MutantsArgs),
    /// Say what this machine can and cannot do, and what a killed run left on it.
    Doctor(doctor::DoctorArgs),
    /// Start a cluster for people and keep it up until Ctrl-C.
    Up(UpArgs),
}

/// Which scenario, and how it is changed.
#[derive(Debug, Default, Args)]
struct Choice {
    /// The seed of everything that is drawn; without it, the scenario's own, or a new one.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Changes a field of the scenario: `--set run.duration=10s`; `null` takes it away. May be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Judges the run while it goes on: `tell` tells the first violation at once, `stop` ends the load, too. It is short
    /// for `--set run.live-check=…`.
    #[arg(long, value_name = "off|tell|stop")]
    live_check: Option<String>,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Scenario files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    choice: Choice,
    /// How many runs of each scenario, each with the next seed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Goes on, with the next seed each time, until a run does not end as expected; at most --repeat runs if given.
    #[arg(long)]
    until_fail: bool,
    #[command(flatten)]
    play: PlayArgs,
    /// The process of the suite that this run is a part of, with which it ends.
    #[arg(long, value_name = "PID", hide = true)]
    end_with: Option<i32>,
}

#[derive(Debug, Args)]
struct PlanArgs {
    /// A scenario file.
    file: PathBuf,
    #[command(flatten)]
    choice: Choice,
    /// How the plan is printed.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: PlanOutput,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// A run directory, or whatever else `checker` accepts.
    path: PathBuf,
    /// How the outcome is printed, on standard output.
    #[arg(short, long, value_name = "FORM", value_enum, default_value_t)]
    output: Output,
    /// Options of `checker`, behind a `--`, for a history that is not a run directory.
    #[arg(last = true, value_name = "OPTION")]
    checker: Vec<OsString>,
}

#[derive(Debug, Args)]
struct UpArgs {
    /// How many nodes.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: u8,
    /// The port for clients of the first node; the others follow.
    #[arg(long, default_value_t = 50051)]
    port: u16,
    /// Where the nodes keep their data; a cluster that is there goes on.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Leaves a node that died dead, instead of starting it again.
    #[arg(long)]
    no_restart: bool,
    /// The program that is each node, in place of the one that is built in.
    #[arg(long, value_name = "PATH")]
    node_binary: Option<PathBuf>,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum Output {
    /// For a person.
    #[default]
    Text,
    /// One object per run, as in `verdict.json`.
    Json,
}

/// The form of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum PlanOutput {
    /// A drawing.
    #[default]
    Text,
    /// `plan.yaml`.
    Yaml,
}

/// Runs the command line and tells how the process ends.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|first| first == NODE_SUBCOMMAND) {
        return node(&arguments[2..]);
    }
    if arguments.get(1).is_some_and(|first| first == PROBE_SUBCOMMAND) {
        say(&format!("{}\n", kernel::probe::answer()));
        return Exit::Expected.into();
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results and succeed; everything else is wrong usage. Neither can be reported
            // anywhere if printing fails.
            drop(error.print());
            return if error.use_stderr() { Exit::Usage } else { Exit::Expected }.into();
        }
    };
    // The panic has printed its message already.
    std::panic::catch_unwind(|| dispatch(cli)).unwrap_or(Exit::Bug).into()
}

fn dispatch(cli: Cli) -> Exit {
    match cli.command {
        Command::Run(args) => in_runtime(|interrupt| batch::run_all(args, interrupt)),
        Command::Suite(args) => in_runtime(|interrupt| suite::run_suite(args, interrupt)),
        Command::Mutants(args) => in_runtime(|interrupt| mutants::run_mutants(args, interrupt)),
        Command::Replay(args) => in_runtime(|interrupt| replay::replay(args, interrupt)),
        Command::Shrink(args) => in_runtime(|interrupt| shrink::shrink(args, interrupt)),
        Command::Plan(args) => plan::draw(&args),
        Command::Check(args) => check::check(&args),
        Command::Validate { files } => plan::validate(&files),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Up(args) => in_runtime(|interrupt| up::up(args, interrupt)),
    }
}

/// Runs a command on the main thread, with a runtime that has no other, and a signal that tells of Ctrl-C and SIGTERM.
fn in_runtime<F: Future<Output = Exit>>(command: impl FnOnce(Interrupt) -> F) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("could not start the runtime: {error}"), Exit::Harness),
    };
    tokio::task::LocalSet::new().block_on(&runtime, async move {
        match Interrupt::listen() {
            Ok(interrupt) => command(interrupt).await,
            Err(error) => fail(&format!("could not listen for signals: {error}"), Exit::Harness),
        }
    })
}

/// Ctrl-C or SIGTERM, as something that can be waited for.
#[derive(Debug, Clone)]
struct Interrupt {
    stop: Stop,
    terminated: std::rc::Rc<std::cell::Cell<bool>>,
}

impl Interrupt {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let (stopper, stop) = stop();
        let interrupt = Self { stop, terminated: std::rc::Rc::default() };
        let terminated = std::rc::Rc::clone(&interrupt.terminated);
        tokio::task::spawn_local(async move {
            let mut seen = 0;
            loop {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    _ = terminations.recv() => terminated.set(true),
                }
                stopper.stop();
                seen += 1;
                if seen == 2 {
                    // Whoever asks twice does not want to wait for the heal. The nodes die with us.
                    let exit = if terminated.get() { Exit::Terminated } else { Exit::Interrupted };
                    std::process::exit(i32::from(exit.code()));
                }
            }
        });
        Ok(interrupt)
    }

    /// The exit that an interrupt asks for, if there was one.
    fn exit(&self) -> Option<Exit> {
        let exit = if self.terminated.get() { Exit::Terminated } else { Exit::Interrupted };
        self.stop.is_stopped().then_some(exit)
    }
}

/// Prints a result. Whoever does not want to read it has it all the same in the run directory; a device that cannot take
/// it is told of on standard error.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            note(&format!("could not write to standard output: {error}"));
        }
        _ => {}
    }
}

/// Prints an error, and gives the exit that goes with it.
#[expect(clippy::print_stderr, reason = "errors go to standard error, and from here only")]
fn fail(why: &str, exit: Exit) -> Exit {
    eprintln!("supervisor: {why}");
    exit
}

/// Prints errors, and gives the exit that goes with them.
fn fail_all(errors: &[String], exit: Exit) -> Exit {
    errors.iter().fold(exit, |exit, error| fail(error, exit))
}

/// Prints something that is worth knowing and is neither a result nor an error.
#[expect(clippy::print_stderr, reason = "what is not a result goes to standard error, and from here only")]
fn note(text: &str) {
    eprintln!("supervisor: {text}");
}

#[cfg(feature = "chat")]
fn node(arguments: &[OsString]) -> ExitCode {
    let program = std::iter::once(OsString::from("chat-node"));
    chat_node::cli::main(program.chain(arguments.iter().cloned()))
}

#[cfg(not(feature = "chat"))]
fn node(_arguments: &[OsString]) -> ExitCode {
    fail("this build has no node of its own; give one with --node-binary", Exit::Usage).into()
}

/// The version; a build that can plant bugs says so.
fn version() -> &'static str {
    if cfg!(feature = "bugs") {
        concat!(env!("CARGO_PKG_VERSION"), " (WITH PLANTED BUGS: for testing the testbed only)")
    } else {
        env!("CARGO_PKG_VERSION")
    }
}

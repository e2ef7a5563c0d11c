//! The command line of `checker`: a history or a run directory in, a verdict out.
//!
//! Results go to stdout, everything else to stderr. Here is the clock that the library does not have.

mod certificate;
mod exit;
mod size;
mod switches;
mod terminal;
#[cfg(test)]
mod tests;
mod text;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, ValueEnum};
pub use exit::Exit;
use serde::Serialize;
use switches::Switches;

use crate::check::{self, CheckName, Options};
use crate::evidence::Evidence;
use crate::evidence::trace::TraceEvent;
use crate::fitting::{self, Choice};
use crate::history::{Input, format};
use crate::limits::Limits;
use crate::rundir::{self, Loaded};
use crate::verdict::{CheckResult, Verdict};

/// Judges a recorded history: was it linearizable, and was anything lost?
///
/// A history is what clients asked of a replicated system and what it answered: one JSON object a line, first the
/// header {"format":"hearsay-history","version":1}; or operation maps in EDN, as Jepsen's history.edn; or Jepsen's console
/// log. A run directory, as `supervisor run` leaves one, has it as
/// history.jsonl, beside the Raft traces of the nodes and the digests of their states, which are judged too.
#[derive(Debug, Parser)]
#[command(name = "checker", version, after_help = exit::table())]
struct Arguments {
    /// A history, a run directory, or `-` for a history on standard input
    #[arg(value_name = "FILE|DIRECTORY|-")]
    file: PathBuf,

    /// How the history is written
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,

    #[command(flatten)]
    switches: Switches,

    /// Check only this; may be repeated [default: all that there is evidence for]
    #[arg(long = "check", value_name = "NAME", value_parser = check_names())]
    checks: Vec<CheckName>,

    /// Give up a check after this time, such as `30s`: unless it found a violation, its verdict is `unknown`
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,

    /// Give up a check that needs more memory beside the history, such as `2GiB`
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    memory: Option<u64>,

    /// Write the order that was found into this file, if the history is linearizable; `checker verify HISTORY FILE`
    /// follows it
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,

    /// How the verdict is written
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,

    /// The most columns of the text [default: those of the terminal, at most 140, or 100 elsewhere]
    #[arg(long, value_name = "COLUMNS")]
    width: Option<usize>,

    /// Draw with ASCII alone
    #[arg(long)]
    ascii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// By its content
    Auto,
    /// history.jsonl, version 1
    Jsonl,
    /// Jepsen's history.edn, or other operation maps in EDN
    Edn,
    /// Jepsen's console log, or history.txt
    JepsenLog,
    /// Porcupine's key-value text: EDN maps with :key
    PorcupineKv,
}

impl Format {
    fn given(self) -> Option<format::Format> {
        match self {
            Format::Auto => None,
            Format::Jsonl => Some(format::Format::Jsonl),
            Format::Edn => Some(format::Format::Edn),
            Format::JepsenLog => Some(format::Format::JepsenLog),
            Format::PorcupineKv => Some(format::Format::PorcupineKv),
        }
    }
}

/// The names of the checks, which the help lists.
fn check_names() -> impl TypedValueParser<Value = CheckName> {
    PossibleValuesParser::new(CheckName::ALL.map(CheckName::name))
        .map(|name| name.parse().expect("a possible value is the name of a check"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// One JSON object
    Json,
}

/// Everything that was found, as `-o json` writes it.
#[derive(Debug, Serialize)]
struct Judgement {
    verdict: Verdict,
    checks: Vec<CheckResult>,
    notes: Vec<String>,
}

/// Runs the command line and returns its exit code.
pub fn main(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    if arguments.get(1).is_some_and(|first| first == "verify") {
        return certificate::main(&arguments[1..]);
    }
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are results, the rest is a complaint; clap knows the stream.
            let complaint = error.use_stderr();
            return if error.print().is_err() || complaint { Exit::Usage } else { Exit::Expected };
        }
    };
    match judge(&arguments) {
        Ok(judgement) => match write(&arguments, &judgement) {
            // Nobody reads on: the verdict is still the verdict.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                complain(&format!("could not write the verdict: {error}"));
                Exit::Environment
            }
            Ok(()) | Err(_) => judgement.verdict.into(),
        },
        Err(complaint) => {
            complain(&complaint);
            Exit::Usage
        }
    }
}

fn complain(message: &str) {
    // If stderr is closed too, the exit code has to say it alone.
    let _ = writeln!(io::stderr(), "checker: {message}");
}

fn judge(arguments: &Arguments) -> Result<Judgement, String> {
    let Loaded { mut evidence, mut notes } =
        load(&arguments.file, arguments.format).map_err(|error| chain(&error))?;
    let options = arguments.switches.options(&mut evidence.history)?;
    let choice = fitting::choose(&evidence.history, options.model).map_err(|misfit| misfit.to_string())?;
    notes.extend(guessed(&choice));
    let names = match arguments.checks.is_empty() {
        true => default_checks(&evidence, &mut notes),
        false => arguments.checks.clone(),
    };
    let checks: Vec<CheckResult> =
        names.into_iter().map(|name| timed(&evidence, name, &options, arguments)).collect();
    if let Some(path) = &arguments.certificate {
        notes.push(certificate::emit(&evidence.history, &checks, path, &Limits::none())?);
    }
    Ok(Judgement { verdict: Verdict::of(&checks), checks, notes })
}

/// Which model was guessed, and why.
fn guessed(choice: &Choice) -> Option<String> {
    let (model, why) = (choice.model?, choice.why.as_ref()?);
    Some(format!("judged as {model}, because {why}; `--model` may name another"))
}

fn load(path: &Path, format: Format) -> Result<Loaded, rundir::RunDirError> {
    if is_stdin(path) {
        return rundir::read_history(Path::new(STDIN), io::stdin().lock(), format.given());
    }
    rundir::read_as(path, format.given())
}

/// What standard input is called.
const STDIN: &str = "standard input";

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message.push_str(&format!(": {error}"));
        cause = error.source();
    }
    message
}

/// The checks for which there is evidence; what is left out is noted.
fn default_checks(evidence: &Evidence, notes: &mut Vec<String>) -> Vec<CheckName> {
    let operations = evidence.history.operations();
    let has = |wanted: fn(&Input) -> bool| operations.iter().any(|operation| wanted(&operation.input));
    let final_reads = has(|input| matches!(input, Input::Read { last: true, .. }));
    let polls = has(|input| matches!(input, Input::Poll { .. }));
    let sends = has(|input| matches!(input, Input::Send { .. }));
    let stale_reads = has(|input| matches!(input, Input::StaleRead { .. }));
    let mut events = evidence.traces.iter().flat_map(|trace| &trace.events);
    let logs = events.any(|event| matches!(event, TraceEvent::Recovered { .. }));
    let mut names = vec![CheckName::Linearizable];
    for (name, there, missing) in [
        (CheckName::Durable, final_reads, "the history has no final reads"),
        (CheckName::OneLeaderPerTerm, !evidence.traces.is_empty(), "there are no traces"),
        (CheckName::RaftLog, logs, ""),
        (CheckName::Convergence, !evidence.digests.is_empty(), "there are no digests"),
        (CheckName::Delivery, polls, ""),
        (CheckName::Sessions, sends, ""),
        (CheckName::StaleReads, stale_reads, ""),
    ] {
        if there {
            names.push(name);
        } else if !missing.is_empty() {
            // Most systems have no subscriptions, and no reads that may be late: nobody misses their checks.
            notes.push(format!("{name} was not checked: {missing}"));
        }
    }
    names
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the clock is")]
fn timed(evidence: &Evidence, name: CheckName, options: &Options, arguments: &Arguments) -> CheckResult {
    let started = Instant::now();
    let expired = || arguments.timeout.is_some_and(|timeout| started.elapsed() >= timeout);
    let limits = Limits { memory: arguments.memory.unwrap_or(u64::MAX), expired: &expired, ..Limits::none() };
    let result = check::check_with(evidence, name, options, &limits);
    CheckResult { ms: u64::try_from(started.elapsed().as_millis()).ok(), ..result }
}

fn write(arguments: &Arguments, judgement: &Judgement) -> io::Result<()> {
    let mut output = io::stdout().lock();
    match arguments.output {
        Output::Text => {
            let file =
                if is_stdin(&arguments.file) { STDIN.into() } else { arguments.file.to_string_lossy() };
            let style = terminal::style(arguments.width, arguments.ascii);
            output.write_all(text::judgement(style, judgement, &file).as_bytes())?;
        }
        Output::Json => {
            serde_json::to_writer(&mut output, judgement)?;
            output.write_all(b"\n")?;
        }
    }
    output.flush()
}

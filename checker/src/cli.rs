//! The command line of `checker`: a history or a run directory in, a verdict out.
//!
//! Results go to stdout, everything else to stderr. Here is the clock that the library does not have.

mod certificate;
mod convert;
mod exit;
mod limits;
mod size;
mod switches;
mod terminal;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use certificate::NotWritten;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, ValueEnum};
pub use exit::Exit;
use limits::{LimitArguments, Meter};
use serde::Serialize;
use switches::Switches;

use crate::check::{self, CheckName, Options};
use crate::evidence::Evidence;
use crate::evidence::trace::TraceEvent;
use crate::fitting::{self, Choice, Misfit};
use crate::history::{Input, format};
use crate::limits::{Exceeded, Limited, Limits};
use crate::rundir::{self, Loaded};
use crate::verdict::{CheckResult, Verdict};

/// Judges a recorded history: was it linearizable, and was anything lost?
///
/// A history is what clients asked of a replicated system and what it answered: one JSON object a line, first the
/// header {"format":"hearsay-history","version":1}; or the same in a few bytes an event; or operation maps in EDN, as Jepsen's
/// history.edn; or Jepsen's console log. A run directory, as `supervisor run` leaves one, has it as
/// history.jsonl or history.bin, beside the Raft traces of the nodes and the digests of their states, which are judged too.
///
/// `checker convert` writes a history in another of these forms, `checker verify` follows a certificate; each has a `--help`.
#[derive(Debug, Clone, Parser)]
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

    #[command(flatten)]
    limits: LimitArguments,

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
    /// history.bin, version 1
    Binary,
}

impl Format {
    fn given(self) -> Option<format::Format> {
        match self {
            Format::Auto => None,
            Format::Jsonl => Some(format::Format::Jsonl),
            Format::Edn => Some(format::Format::Edn),
            Format::JepsenLog => Some(format::Format::JepsenLog),
            Format::PorcupineKv => Some(format::Format::PorcupineKv),
            Format::Binary => Some(format::Format::Binary),
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
    /// Why there is no certificate although there should be one: told after the verdict.
    #[serde(skip)]
    not_written: Option<NotWritten>,
}

impl Judgement {
    /// How the program ends. A violation is one, whatever became of the certificate.
    fn exit(&self) -> Exit {
        let without = self.not_written.as_ref().map(|why| {
            let (NotWritten::File(complaint) | NotWritten::Bug(complaint)) = why;
            complain(complaint);
            if matches!(why, NotWritten::Bug(_)) { Exit::Bug } else { Exit::Environment }
        });
        match self.verdict {
            Verdict::Invalid => Exit::Violated,
            verdict => without.unwrap_or(verdict.into()),
        }
    }
}

/// Runs the command line and returns its exit code.
pub fn main(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    match arguments.get(1).and_then(|first| first.to_str()) {
        Some("verify") => return certificate::main(&arguments[1..]),
        Some("convert") => return convert::main(&arguments[1..]),
        _ => {}
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
            Ok(()) | Err(_) => judgement.exit(),
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
    let meter = Meter::start(&arguments.limits);
    let expired = || meter.expired();
    let limits = meter.limits(&expired);
    let Loaded { mut evidence, mut notes } = match load_in_time(arguments, &meter, &limits) {
        Ok(loaded) => loaded,
        // What cannot be read in time is no wrong history.
        Err(error) => match meter.hit() {
            None => return Err(chain(&error)),
            Some(exceeded) => return Ok(unread(arguments, &meter, exceeded, &chain(&error))),
        },
    };
    meter.loaded();
    let options = arguments.switches.options(&mut evidence.history)?;
    let choice = fitting::choose(&evidence.history, options.model, &limits)
        .map_err(|misfit| placed(arguments, &misfit, &limits))?;
    notes.extend(guessed(&choice));
    let names = match arguments.checks.is_empty() {
        true => default_checks(&evidence, &mut notes),
        false => arguments.checks.clone(),
    };
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(arguments.limits.threads.map_or(0, NonZeroUsize::get))
        .build()
        .map_err(|error| format!("could not start the threads: {error}"))?;
    let checks = threads.install(|| run_checks(&evidence, &names, &options, &limits, &meter));
    notes.extend(meter.hit().map(|exceeded| format!("{exceeded}; {}", meter.advice(exceeded))));
    let mut not_written = None;
    if let Some(path) = &arguments.certificate {
        match certificate::emit(&evidence.history, &options, &checks, path, &limits) {
            Ok(note) => notes.push(note),
            Err(why) => not_written = Some(why),
        }
    }
    // To give back what ten million operations own, piece by piece, takes longer than to end.
    std::mem::forget(evidence);
    Ok(Judgement { verdict: Verdict::of(&checks), checks, notes, not_written })
}

/// What does not fit, and where it stands: the file is read again up to there, if there is time.
fn placed(arguments: &Arguments, misfit: &Misfit, limits: &Limits<'_>) -> String {
    let place = rundir::place_of(&arguments.file, arguments.format.given(), misfit.index, limits);
    match place {
        Some(place) => format!("{place}: {}", misfit.sentence()),
        None => format!("{}: {misfit}", file_name(arguments)),
    }
}

/// Which model was guessed, and why.
fn guessed(choice: &Choice) -> Option<String> {
    let (model, why) = (choice.model?, choice.why.as_ref()?);
    Some(format!("judged as {model}, because {why}; `--model` may name another"))
}

/// A limit was hit before everything was read.
fn unread(arguments: &Arguments, meter: &Meter, exceeded: Exceeded, error: &str) -> Judgement {
    let names = if arguments.checks.is_empty() { &[CheckName::Linearizable] } else { &arguments.checks[..] };
    let reason = format!("{exceeded} while the history was read");
    let checks = names.iter().map(|name| CheckResult::unknown(*name, &*reason, 0, 0)).collect();
    let notes = vec![error.to_owned(), meter.advice(exceeded)];
    Judgement { verdict: Verdict::Unknown, checks, notes, not_written: None }
}

/// Reads what is to be judged; if nothing comes, the verdict is written here and the program ends.
fn load_in_time(
    arguments: &Arguments,
    meter: &Meter,
    limits: &Limits<'_>,
) -> Result<Loaded, rundir::RunDirError> {
    let (late, error) = (arguments.clone(), format!("{}: nothing came for too long", file_name(arguments)));
    let unread = unread(arguments, meter, Exceeded::Time, &error);
    // Who opens a pipe that nobody writes to, or reads from a terminal, waits for ever.
    let watch = meter.watch(move || {
        let _ = write(&late, &unread);
        std::process::exit(Exit::Inconclusive.code().into());
    });
    let loaded = load(&arguments.file, arguments.format, limits);
    watch.end();
    loaded
}

fn load(path: &Path, format: Format, limits: &Limits<'_>) -> Result<Loaded, rundir::RunDirError> {
    if is_stdin(path) {
        let input = Limited::new(io::stdin().lock(), limits);
        return rundir::read_history(Path::new(STDIN), input, format.given());
    }
    rundir::read_as(path, format.given(), limits)
}

/// Judges by each of the checks. The search, which alone may take for ever, comes last, so that the others have their
/// time; the results are in the order of the names.
fn run_checks(
    evidence: &Evidence,
    names: &[CheckName],
    options: &Options,
    limits: &Limits<'_>,
    meter: &Meter,
) -> Vec<CheckResult> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|place| names[*place] == CheckName::Linearizable);
    let timed = |place: usize| {
        let began = meter.elapsed();
        let result = check::check_with(evidence, names[place], options, limits);
        let took = meter.elapsed() - began;
        (place, CheckResult { ms: u64::try_from(took.as_millis()).ok(), ..result })
    };
    let mut results: Vec<(usize, CheckResult)> = order.into_iter().map(timed).collect();
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

/// What the history is called.
fn file_name(arguments: &Arguments) -> Cow<'_, str> {
    file_name_of(&arguments.file)
}

fn file_name_of(path: &Path) -> Cow<'_, str> {
    if is_stdin(path) { STDIN.into() } else { path.to_string_lossy() }
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

fn write(arguments: &Arguments, judgement: &Judgement) -> io::Result<()> {
    let mut output = io::stdout().lock();
    match arguments.output {
        Output::Text => {
            let style = terminal::style(arguments.width, arguments.ascii);
            let text = text::judgement(style, judgement, &file_name(arguments));
            output.write_all(text.as_bytes())?;
        }
        Output::Json => {
            serde_json::to_writer(&mut output, judgement)?;
            output.write_all(b"\n")?;
        }
    }
    output.flush()
}

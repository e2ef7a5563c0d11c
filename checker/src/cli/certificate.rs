//! `--certificate` and `checker verify`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use serde::Serialize;

use super::limits::{LimitArguments, Meter};
use super::{Exit, Format, Output, chain, complain, load};
use crate::certificate::{self, NotAccepted, Refused, Replayed};
use crate::check::{CheckName, Options};
use crate::history::History;
use crate::limits::Limits;
use crate::report::{count, many};
use crate::verdict::{CheckResult, Verdict};

/// Follows a certificate: is it an order of the operations that explains every answer and agrees with real time?
///
/// A certificate is what `checker HISTORY --certificate FILE` writes when the history is linearizable. It is followed
/// operation by operation, with the sequential objects alone: nothing is searched, and nothing of what gave the verdict is
/// asked. Refused, it is no proof that the history is wrong: another order may explain it.
#[derive(Debug, Parser)]
#[command(name = "checker verify", version, after_help = AFTER)]
struct Arguments {
    /// A history, a run directory, or `-` for a history on standard input
    #[arg(value_name = "HISTORY")]
    history: PathBuf,

    /// The certificate
    #[arg(value_name = "CERTIFICATE")]
    certificate: PathBuf,

    /// How the history is written
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,

    #[command(flatten)]
    limits: LimitArguments,

    /// How the answer is written
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

const AFTER: &str = "Exit codes:\n   0  accepted: the history is linearizable\n   1  refused: the first operation that \
                     does not fit is named\n   2  wrong command line, or a file that cannot be read\n   3  unknown: a \
                     limit was hit\n   4  the answer could not be written";

/// The answer, as `-o json` writes it.
#[derive(Debug, Default, Serialize)]
struct Answer {
    accepted: bool,
    /// The line of the certificate that does not fit.
    line: Option<usize>,
    /// The event of the history that invoked the operation which does not fit.
    index: Option<u32>,
    /// What does not fit.
    reason: Option<String>,
    objects: u64,
    ordered: u64,
    left_out: u64,
    /// How the history was read where it was not read in the usual way: `nil any`.
    reading: Vec<String>,
}

/// Runs `checker verify`; `arguments` begin with `verify`.
pub(super) fn main(arguments: &[OsString]) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let complaint = error.use_stderr();
            return if error.print().is_err() || complaint { Exit::Usage } else { Exit::Expected };
        }
    };
    let meter = Meter::start(&arguments.limits);
    let answer = match verify(&arguments, &meter) {
        Ok(answer) => answer,
        Err(complaint) => {
            complain(&complaint);
            return if meter.hit().is_some() { Exit::Inconclusive } else { Exit::Usage };
        }
    };
    match write(&arguments, &answer) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("could not write the answer: {error}"));
            Exit::Environment
        }
        Ok(()) | Err(_) if answer.accepted => Exit::Expected,
        Ok(()) | Err(_) => Exit::Violated,
    }
}

fn verify(arguments: &Arguments, meter: &Meter) -> Result<Answer, String> {
    let expired = || meter.expired();
    let limits = meter.limits(&expired);
    let loaded = load(&arguments.history, arguments.format, &limits).map_err(|error| chain(&error))?;
    meter.loaded();
    let mut history = loaded.evidence.history;
    let file = arguments.certificate.display();
    #[expect(clippy::disallowed_methods, reason = "the command line reads files")]
    let opened =
        File::open(&arguments.certificate).map_err(|error| format!("could not read {file}: {error}"))?;
    let certificate =
        certificate::read(BufReader::new(opened)).map_err(|error| format!("{file}:{}", chain(&error)))?;
    let semantics = certificate.reading.semantics(&mut history).map_err(|why| format!("{file}: {why}"))?;
    let reading = certificate.reading.lines();
    match certificate::replay(&history, &certificate, semantics, &limits) {
        Ok(Replayed { objects, ordered, left_out }) => {
            Ok(Answer { accepted: true, reading, objects, ordered, left_out, ..Answer::default() })
        }
        Err(NotAccepted::Refused(Refused { line, index, message })) => {
            Ok(Answer { reading, line, index, reason: Some(message), ..Answer::default() })
        }
        Err(NotAccepted::Exceeded(exceeded)) => {
            let advice = meter.advice(exceeded);
            Err(format!("{exceeded} before {file} was followed to its end; {advice}"))
        }
    }
}

fn write(arguments: &Arguments, answer: &Answer) -> io::Result<()> {
    let mut output = io::stdout().lock();
    match (arguments.output, &answer.reason) {
        (Output::Json, _) => {
            serde_json::to_writer(&mut output, answer)?;
            writeln!(output)?;
        }
        (Output::Text, Some(reason)) => {
            writeln!(output, "REFUSED  {}: {reason}", arguments.certificate.display())?;
        }
        (Output::Text, None) => {
            let reading = match &answer.reading[..] {
                [] => String::new(),
                lines => format!("; the history was read with {}", lines.join(", ")),
            };
            writeln!(
                output,
                "ACCEPTED  {}: an order of {} on {}, {} left out{reading}",
                arguments.certificate.display(),
                many(answer.ordered, "operation", "operations"),
                many(answer.objects, "object", "objects"),
                count(answer.left_out)
            )?;
        }
    }
    output.flush()
}

/// Why a certificate that could be had was not written.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// The file could not be written.
    File(String),
    /// It is refused. That must not be.
    Bug(String),
}

/// Writes the certificate of a history that was found linearizable; says what became of it.
///
/// # Errors
/// What a person should know if it could not be written.
pub(super) fn emit(
    history: &History,
    options: &Options,
    checks: &[CheckResult],
    path: &Path,
    limits: &Limits<'_>,
) -> Result<String, NotWritten> {
    let file = path.display();
    let is_valid =
        |check: &CheckResult| check.name == CheckName::Linearizable && check.verdict == Verdict::Valid;
    if !checks.iter().any(is_valid) {
        return Ok(format!("{file} was not written: only a history that is linearizable has a certificate"));
    }
    let certificate = match certificate::issue(history, options, limits) {
        Ok(certificate) => certificate,
        Err(why) => return Ok(format!("{file} was not written: {why}")),
    };
    let replayed = match certificate::replay(history, &certificate, options.semantics, limits) {
        Ok(replayed) => replayed,
        Err(NotAccepted::Exceeded(exceeded)) => return Ok(format!("{file} was not written: {exceeded}")),
        Err(NotAccepted::Refused(refused)) => {
            let bug = format!("a bug of this program: its own certificate is refused: {refused}");
            return Err(NotWritten::Bug(bug));
        }
    };
    #[expect(clippy::disallowed_methods, reason = "the command line writes files")]
    let written = File::create(path).and_then(|file| {
        let mut out = BufWriter::new(file);
        certificate::write(&certificate, &mut out)?;
        out.flush()
    });
    written.map_err(|error| NotWritten::File(format!("could not write {file}: {error}")))?;
    Ok(format!(
        "{file} has an order of {} on {}; `checker verify` follows it",
        many(replayed.ordered, "operation", "operations"),
        many(replayed.objects, "object", "objects")
    ))
}

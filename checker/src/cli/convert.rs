//! `checker convert`: the same history in another form.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

use super::{Exit, Format, chain, complain, file_name_of, is_stdin, load};
use crate::history::format::{self, Loss};
use crate::limits::Limits;
use crate::report::many;

/// Writes a history in another form.
///
/// What the form cannot say of the history (a keyword of EDN in JSON, say) is named, and nothing is written, unless --lossy
/// allows it. What the reader passes over, such as fields that it does not know, or a value beside an error, is no part of a
/// history and not written.
#[derive(Debug, Parser)]
#[command(name = "checker convert", version, after_help = AFTER)]
struct Arguments {
    /// A history, a run directory of which only the history is converted, or `-` for a history on standard input
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// The file to write, or `-` for standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,

    /// The form to write [default: by the extension of OUT: .jsonl, .edn or .bin]
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Option<Target>,

    /// How IN is written
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    format: Format,

    /// Write OUT even if it is there already
    #[arg(long)]
    force: bool,

    /// Write OUT even if the form cannot say everything
    #[arg(long)]
    lossy: bool,
}

const AFTER: &str = "Exit codes:\n   0  written\n   2  wrong command line, a history that cannot be read, or one of which \
                     the form cannot say everything\n   4  OUT could not be written";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// history.jsonl, version 1
    Jsonl,
    /// Operation maps in EDN, as Jepsen's history.edn
    Edn,
    /// history.bin, version 1
    Binary,
}

impl Target {
    /// The form that the extension of a file stands for.
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "jsonl" => Some(Target::Jsonl),
            "edn" => Some(Target::Edn),
            "bin" => Some(Target::Binary),
            _ => None,
        }
    }

    fn format(self) -> format::Format {
        match self {
            Target::Jsonl => format::Format::Jsonl,
            Target::Edn => format::Format::Edn,
            Target::Binary => format::Format::Binary,
        }
    }
}

/// Runs `checker convert`; `arguments` begin with `convert`.
pub(super) fn main(arguments: &[OsString]) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let complaint = error.use_stderr();
            return if error.print().is_err() || complaint { Exit::Usage } else { Exit::Expected };
        }
    };
    match convert(&arguments) {
        Ok(()) => Exit::Expected,
        Err((complaint, exit)) => {
            complain(&complaint);
            exit
        }
    }
}

fn convert(arguments: &Arguments) -> Result<(), (String, Exit)> {
    let usage = |complaint: String| (complaint, Exit::Usage);
    let Arguments { input, output, to, format, force, lossy } = arguments;
    let target = to.or_else(|| Target::of(output)).ok_or_else(|| {
        let names = "jsonl, edn or binary";
        usage(format!("{}: its extension is no format's; say `--to` {names}", output.display()))
    })?;
    // Nothing is read for a file that must not be written.
    if !force && !is_stdin(output) && output.exists() {
        return Err(usage(format!("{} is there already; `--force` writes over it", output.display())));
    }
    let target = target.format();
    let loaded = load(input, *format, &Limits::none()).map_err(|error| usage(chain(&error)))?;
    let history = &loaded.evidence.history;
    for note in &loaded.notes {
        complain(note);
    }
    if let Some(loss) = format::loss(history, target) {
        let lost = lost(&loss, &file_name_of(input), target);
        if !lossy {
            return Err(usage(format!("{lost}; `--lossy` writes it all the same")));
        }
        complain(&lost);
    }
    let written = match is_stdin(output) {
        true => format::write(history, io::stdout().lock(), target),
        false => create(output, *force).and_then(|file| {
            let mut out = BufWriter::new(file);
            format::write(history, &mut out, target)?;
            out.flush()
        }),
    };
    written.map_err(|error| (format!("could not write {}: {error}", output.display()), Exit::Environment))
}

/// What could not be said, in one sentence.
fn lost(loss: &Loss, file: &str, target: format::Format) -> String {
    let Loss { index, what, events } = loss;
    let rest = match events - 1 {
        0 => String::new(),
        rest => format!(" (and so of {} more)", many(rest.into(), "event", "events")),
    };
    format!("{file}: of the event {index}{rest}, {target} cannot say {what}")
}

#[expect(clippy::disallowed_methods, reason = "the command line writes files")]
fn create(path: &Path, force: bool) -> io::Result<File> {
    if force { File::create(path) } else { File::create_new(path) }
}

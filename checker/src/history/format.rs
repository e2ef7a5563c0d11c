//! The ways in which a history may be written down, and how they are told apart.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::str::FromStr;

use thiserror::Error;

use super::jsonl::{JsonlError, Torn};
use super::{History, edn, jepsen_log, jsonl};

/// How a history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Our own `history.jsonl`: see [`jsonl`].
    Jsonl,
    /// Operation maps in EDN, as Jepsen's `history.edn`: see [`edn`].
    Edn,
    /// Jepsen's console log or `history.txt`: see [`jepsen_log`].
    JepsenLog,
    /// Porcupine's key-value text: EDN maps with `:key`, one a line.
    PorcupineKv,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 4] = [Format::Jsonl, Format::Edn, Format::JepsenLog, Format::PorcupineKv];

    /// The name on command lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Edn => "edn",
            Format::JepsenLog => "jepsen-log",
            Format::PorcupineKv => "porcupine-kv",
        }
    }

    /// The format of a history that begins with these bytes, by what stands there. Porcupine's text is EDN.
    #[must_use]
    pub fn detect(begin: &[u8]) -> Option<Format> {
        let text = begin.trim_ascii_start();
        // An object begins with a key in quotes, a map with a keyword; a log's line may begin with a time in brackets.
        let bracket = |text: &[u8]| matches!(text.first(), Some(b'{' | b'(' | b';' | b'#' | b'^'));
        match text.split_first() {
            // Nothing is nothing in every format; ours says so best.
            None => Some(Format::Jsonl),
            Some((b'{', rest)) if rest.trim_ascii_start().starts_with(b"\"") => Some(Format::Jsonl),
            Some((b'[', rest))
                if bracket(rest.trim_ascii_start()) || rest.trim_ascii_start().starts_with(b"]") =>
            {
                Some(Format::Edn)
            }
            Some(_) if bracket(text) => Some(Format::Edn),
            Some(_) => {
                begin.split(|byte| *byte == b'\n').any(jepsen_log::is_event).then_some(Format::JepsenLog)
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no format's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown format `{0}`; there are jsonl, edn, jepsen-log and porcupine-kv")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Format::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Why a history cannot be read, and where. Lines and columns count from 1, columns in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ReadError {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl ReadError {
    pub(super) fn at((line, column): (u64, usize), message: String) -> Self {
        ReadError { line, column, message }
    }

    pub(super) fn unreadable(place: (u64, usize), error: &io::Error) -> Self {
        Self::at(place, format!("could not be read: {error}"))
    }
}

impl From<JsonlError> for ReadError {
    fn from(JsonlError { line, column, problem }: JsonlError) -> Self {
        ReadError { line, column, message: problem.to_string() }
    }
}

/// By how much of a history its format is told. A console log may begin with many lines about something else.
const BEGIN_BYTES: u64 = 1 << 20;

/// Reads a history of a format, or of the one that it seems to have.
///
/// # Errors
/// [`ReadError`] for the first line that cannot be used, an unfinished last one excepted.
pub fn read(mut input: impl BufRead, format: Option<Format>) -> Result<(History, Option<Torn>), ReadError> {
    let mut begin = Vec::new();
    let format = match format {
        Some(format) => format,
        None => {
            let cause = input.by_ref().take(BEGIN_BYTES).read_to_end(&mut begin);
            cause.map_err(|error| ReadError::unreadable((1, 1), &error))?;
            Format::detect(&begin).ok_or_else(|| {
                let message = "not a history: it is no JSON, no EDN, and no line is one of a Jepsen log; if it is \
                               one, say its format";
                ReadError::at((1, 1), message.to_owned())
            })?
        }
    };
    let input = io::Cursor::new(begin).chain(input);
    match format {
        Format::Jsonl => Ok(jsonl::read(input)?),
        Format::Edn | Format::PorcupineKv => edn::read(input),
        Format::JepsenLog => jepsen_log::read(input),
    }
}

//! The ways in which a history may be written down, and how they are told apart.
//!
//! A [`History`] has invariants that other recorders do not keep. What is different in a history of theirs is made right
//! where that cannot change a verdict, and refused where it could:
//!
//! | in the file | here |
//! |---|---|
//! | indexes with gaps, or none | events are numbered anew, in the order of the file; an index that goes back is refused |
//! | no times, or times that go back | the time of the event before: only the order counts |
//! | a process goes on after `:info` | its operation stays open for ever, and it goes on as a new process |
//! | a process invokes while it has something open | refused: a completion is missing, and it is not known which |
//! | a completion of nothing | refused |
//! | a completion of something else than what was invoked | refused |
//! | a process that is no number | the nemesis: each of its lines is one end of a fault of its name |
//! | `:fail` or `:info` with a keyword as value | the keyword is the error |
//! | a value `[key value]` on every operation | the key of an independent object |
//!
//! Keys are texts: `1` and `"1"`, or `:a` and `"a"`, are one key.
//!
//! Jepsen writes a key and its value as `[key value]`, which looks as any vector of two. The first invocations decide
//! which it is: a value of another shape says that the history has one object; `[key nil]`, a cas of `[key [from to]]` and a
//! transaction of `[key [...]]` say for certain that it has many. Before one of these comes, each `[key value]` is taken for a
//! key and its value; if an invocation of another shape comes first, that is taken back.

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
        let edn = |text: &[u8]| match text {
            [b'{' | b'(' | b';' | b'^', ..] => true,
            [b'#', next, ..] => next.is_ascii_alphabetic() || b"_:^".contains(next),
            _ => false,
        };
        match text.split_first() {
            // Nothing is nothing in every format; ours says so best.
            None => Some(Format::Jsonl),
            Some((b'{', rest)) if rest.trim_ascii_start().starts_with(b"\"") => Some(Format::Jsonl),
            Some((b'[', rest)) if edn(rest.trim_ascii_start()) => Some(Format::Edn),
            Some((b'[', rest)) if rest.trim_ascii_start().starts_with(b"]") => Some(Format::Edn),
            Some(_) if edn(text) => Some(Format::Edn),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_content() {
        let detect = |text: &str| Format::detect(text.as_bytes());
        for text in ["", "\n", "{\"format\":", " { \"a\""] {
            assert_eq!(detect(text), Some(Format::Jsonl), "{text}");
        }
        for text in [
            "{:a", "{ :a", "[{", "[\n#a.B{", "[]", "({", "; a", "#_ a", "#a.B{", "#:a{", "[ ; a", "^:a [",
            "{}",
        ] {
            assert_eq!(detect(text), Some(Format::Edn), "{text}");
        }
        for text in ["a\n3 :ok :read 4", "[2024-01-01] 3\t:ok\t:read\t4", "INFO - :nemesis :info :start nil"]
        {
            assert_eq!(detect(text), Some(Format::JepsenLog), "{text}");
        }
        for text in ["# Title", "<html>", "3 :ok", "3 ok :read", "x3 :ok :read", "[1, 2]"] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_history_says_so() {
        let error = read(&b"# Title"[..], None).unwrap_err().to_string();
        assert!(error.starts_with("line 1, column 1: not a history: "), "{error}");
        let error = read(&b"# Title"[..], Some(Format::Jsonl)).unwrap_err().to_string();
        assert!(error.starts_with("line 1, column 1: not a history: "), "{error}");
        let (history, torn) = read(&b"# Title"[..], Some(Format::JepsenLog)).unwrap();
        assert_eq!((history.next_index(), torn), (0, None));
    }

    #[test]
    fn names_are_what_they_are_parsed_from() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!("json".parse::<Format>(), Err(UnknownFormat("json".to_owned())));
    }

    #[test]
    fn a_text_is_read_in_the_format_that_it_has() {
        let jsonl = [
            r#"{"format":"hearsay-history","version":1}"#,
            r#"{"index":0,"time":0,"process":1,"type":"invoke","f":"read"}"#,
        ];
        for text in [
            &jsonl.join("\n"),
            "[{:process 1, :type :invoke, :f :read, :value nil}]",
            "noise\nINFO - 1 :invoke :read nil\n",
        ] {
            let (history, torn) = read(text.as_bytes(), None).unwrap();
            assert_eq!((history.next_index(), torn), (1, None), "{text}");
        }
    }
}

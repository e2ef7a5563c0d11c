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
//!
//! [`write()`] writes a history in one of our own ways, or in EDN; [`loss`] says what such a format cannot say of it.

mod loss;

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::str::FromStr;

pub use loss::{Loss, loss};
use thiserror::Error;

use super::binary::{self, BinaryError};
use super::jsonl::{self, JsonlError};
use super::{History, HistoryError, edn, jepsen_log};

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
    /// Our own `history.bin`: see [`binary`].
    Binary,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 5] =
        [Format::Jsonl, Format::Edn, Format::JepsenLog, Format::PorcupineKv, Format::Binary];

    /// The name on command lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Edn => "edn",
            Format::JepsenLog => "jepsen-log",
            Format::PorcupineKv => "porcupine-kv",
            Format::Binary => "binary",
        }
    }

    /// The format of a history that begins with these bytes, by what stands there. Porcupine's text is EDN.
    #[must_use]
    pub fn detect(begin: &[u8]) -> Option<Format> {
        if binary::is_binary(begin) {
            return Some(Format::Binary);
        }
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
#[error("unknown format `{0}`; there are jsonl, edn, jepsen-log, porcupine-kv and binary")]
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

/// Where something is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a text. Lines and columns count from 1, columns in bytes.
    Line {
        /// The line.
        line: u64,
        /// The column.
        column: usize,
    },
    /// In a binary file, in bytes from 0.
    Byte(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line { line, column } => write!(f, "line {line}, column {column}"),
            Place::Byte(offset) => write!(f, "byte {offset}"),
        }
    }
}

/// Why a history cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {message}")]
pub struct ReadError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

impl ReadError {
    pub(super) fn at((line, column): (u64, usize), message: String) -> Self {
        ReadError { place: Place::Line { line, column }, message }
    }

    pub(super) fn unreadable(place: (u64, usize), error: &io::Error) -> Self {
        Self::at(place, format!("could not be read: {error}"))
    }
}

impl From<JsonlError> for ReadError {
    fn from(JsonlError { line, column, problem }: JsonlError) -> Self {
        Self::at((line, column), problem.to_string())
    }
}

impl From<BinaryError> for ReadError {
    fn from(BinaryError { offset, problem }: BinaryError) -> Self {
        ReadError { place: Place::Byte(offset), message: problem.to_string() }
    }
}

/// What a killed writer left at the end, unfinished; it was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Torn {
    /// A line, or an operation that begins in it, from 1.
    Line(u64),
    /// The block of a binary file that begins at this byte, from 0.
    Block(u64),
}

impl From<jsonl::Torn> for Torn {
    fn from(torn: jsonl::Torn) -> Self {
        Torn::Line(torn.line)
    }
}

impl From<binary::Torn> for Torn {
    fn from(torn: binary::Torn) -> Self {
        Torn::Block(torn.offset)
    }
}

/// By how much of a history its format is told. A console log may begin with many lines about something else.
const BEGIN_BYTES: u64 = 1 << 20;

/// Reads a history of a format, or of the one that it seems to have.
///
/// # Errors
/// [`ReadError`] for the first line or record that cannot be used, an unfinished end excepted.
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
    read_into(History::new(), io::Cursor::new(begin).chain(input), format)
}

fn read_into(
    history: History,
    input: impl BufRead,
    format: Format,
) -> Result<(History, Option<Torn>), ReadError> {
    let (history, torn) = match format {
        Format::Jsonl => jsonl::read_into(history, input)?,
        Format::Edn | Format::PorcupineKv => edn::read_into(history, input)?,
        Format::JepsenLog => jepsen_log::read_into(history, input)?,
        Format::Binary => {
            let (history, torn) = binary::read_into(history, input)?;
            return Ok((history, torn.map(Torn::from)));
        }
    };
    Ok((history, torn.map(Torn::from)))
}

/// Where an event of a history stands that was read before. The text is read again, up to there.
///
/// Nothing is said if there is no such event, or if the text cannot be read any more.
pub fn place_of(mut input: impl BufRead, format: Option<Format>, index: u32) -> Option<Place> {
    let mut begin = Vec::new();
    let format = match format {
        Some(format) => format,
        None => {
            input.by_ref().take(BEGIN_BYTES).read_to_end(&mut begin).ok()?;
            Format::detect(&begin)?
        }
    };
    let input = io::Cursor::new(begin).chain(input);
    let refusal = read_into(History::up_to(index), input, format).err()?;
    let expected = HistoryError::Full(index).to_string();
    (refusal.message == expected).then_some(refusal.place)
}

/// Writes a whole history.
///
/// # Errors
/// Those of the output; and [`io::ErrorKind::Unsupported`] for Jepsen's log and Porcupine's text, which are only read.
pub fn write(history: &History, output: impl Write, format: Format) -> io::Result<()> {
    match format {
        Format::Jsonl => jsonl::write(history, output),
        Format::Edn => edn::write(history, output),
        Format::Binary => binary::write(history, output),
        Format::JepsenLog | Format::PorcupineKv => {
            let message = format!("{format} is read and not written");
            Err(io::Error::new(io::ErrorKind::Unsupported, message))
        }
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
        assert_eq!(Format::detect(b"\x89HSYH\r\n\x1a{}"), Some(Format::Binary));
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
    fn an_event_is_found_again() {
        let line = |index: u32, process: u32| {
            format!(r#"{{"index":{index},"time":0,"process":{process},"type":"invoke","f":"read"}}"#)
        };
        let jsonl =
            [r#"{"format":"hearsay-history","version":1}"#.to_owned(), line(0, 1), line(1, 2)].join("\n");
        let edn =
            "; c\n[{:process 1 :type :invoke :f :read}\n\n   #a.B{:process 2\n :type :invoke :f :read}]";
        let log = "noise\n1 :invoke :read nil\nnoise\nINFO 2 :invoke :read nil";
        let line = |line, column| Some(Place::Line { line, column });
        for (text, places) in [
            (jsonl.as_str(), [line(2, 1), line(3, 1), None]),
            (edn, [line(2, 2), line(4, 4), None]),
            (log, [line(2, 3), line(4, 8), None]),
        ] {
            let found = [0, 1, 2].map(|index| place_of(text.as_bytes(), None, index));
            assert_eq!(found, places, "{text}");
        }
        let (history, _) = read(edn.as_bytes(), None).unwrap();
        let mut bytes = Vec::new();
        write(&history, &mut bytes, Format::Binary).unwrap();
        let found = [0, 1, 2].map(|index| place_of(&*bytes, None, index));
        let [Some(Place::Byte(first)), Some(Place::Byte(second)), None] = found else { panic!("{found:?}") };
        assert!(first < second && second < bytes.len() as u64, "{found:?}");
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
            let mut bytes = Vec::new();
            write(&history, &mut bytes, Format::Binary).unwrap();
            for format in [None, Some(Format::Binary)] {
                let (again, torn) = read(&*bytes, format).unwrap();
                assert_eq!((again.next_index(), torn), (1, None), "{text}");
            }
            bytes.pop();
            let begins = bytes.len() as u64 - 14;
            let (again, torn) = read(&*bytes, None).unwrap();
            assert_eq!(again.next_index(), 0);
            assert!(matches!(torn, Some(Torn::Block(offset)) if offset < begins), "{torn:?}");
            let error = read(&bytes[..11], None).unwrap_err().to_string();
            assert_eq!(error, "byte 8: the file ends before its header does");
        }
    }
}

//! `history.jsonl`: a header line, then one event a line, in real-time order.
//!
//! ```text
//! {"format":"hearsay-history","version":1,"started_unix_ns":1794992400000000000}
//! {"index":0,"time":41203456,"process":3,"type":"invoke","f":"send","key":"alice:bob","value":{"id":"c3-17"},"node":"n2"}
//! {"index":1,"time":43100200,"process":3,"type":"ok","f":"send","key":"alice:bob","value":{"id":"c3-17","seq":9},"node":"n2"}
//! ```
//!
//! The fields are Jepsen's. A recorder writes each line before it goes on ([`Writer::append`]), so that a process
//! killed in the middle leaves a readable file: an unfinished last line is passed over and reported as [`Torn`].
//! Everything else that does not parse, or that [`History`] refuses, is an error with its line and, where the
//! parser knows it, its column.
//!
//! The header may also say `"initially":"empty"`: of the accounts that the history speaks of, none existed when the run
//! started. Otherwise any may have existed.
//!
//! The `value` of each operation is described at [`Input`] and [`Output`]; a line of the nemesis has any value, of
//! which `{"nodes":["n1"]}` is understood.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use thiserror::Error;

use super::value::ValueError;
use super::{
    Datum, Event as Recorded, Fault, FaultLine, History, HistoryError, Input, Moment, Outcome, Output,
    Symbol, general,
};

/// What the header's `format` says.
pub const FORMAT: &str = "hearsay-history";

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// The first line. Fields that a later writer may add are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`VERSION`].
    pub version: u32,
    /// When the run started, in ns of the Unix epoch: the zero of every `time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_unix_ns: Option<u64>,
    /// What there was at the start, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initially: Option<Initially>,
}

/// What there was when a history began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initially {
    /// None of the accounts that the history speaks of. (Conversations and registers are always new.)
    Empty,
}

impl Header {
    /// The header of a history that starts at a time, if it is known, in ns of the Unix epoch.
    #[must_use]
    pub fn new(started_unix_ns: Option<u64>) -> Self {
        Header { format: FORMAT.to_owned(), version: VERSION, started_unix_ns, initially: None }
    }

    /// The same header, which says that there was no account when the history began.
    #[must_use]
    pub fn initially_empty(self) -> Self {
        Header { initially: Some(Initially::Empty), ..self }
    }

    /// The header of a history that is already there.
    pub(super) fn of(history: &History) -> Self {
        let header = Header::new(history.started_unix_ns());
        if history.is_initially_empty() { header.initially_empty() } else { header }
    }

    /// Tells a history what its header says.
    pub(super) fn describe(&self, history: &mut History) {
        if let Some(started) = self.started_unix_ns {
            history.set_started_unix_ns(started);
        }
        if self.initially == Some(Initially::Empty) {
            history.set_initially_empty();
        }
    }
}

/// Who does something: a number, or the text `nemesis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Process {
    /// A logical client.
    Client(u64),
    /// The one who makes things go wrong.
    Nemesis,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Process::Client(number) => write!(f, "{number}"),
            Process::Nemesis => f.write_str("nemesis"),
        }
    }
}

impl Serialize for Process {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Process::Client(number) => serializer.serialize_u64(*number),
            Process::Nemesis => serializer.serialize_str("nemesis"),
        }
    }
}

impl<'de> Deserialize<'de> for Process {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Process;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a process number or \"nemesis\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Process, E> {
                Ok(Process::Client(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Process, E> {
                if text == "nemesis" {
                    Ok(Process::Nemesis)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(text), &self))
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// What kind of event a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// An operation begins. Recorded before the request leaves.
    Invoke,
    /// It succeeded. Recorded after the answer came, as are the next two.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// Nobody knows. The process must not be used again.
    Info,
}

/// One line, as a recorder writes it: fields in this order, those without a value left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The number of the line, dense from 0.
    pub index: u32,
    /// Nanoseconds since the start of the run; never less than the line before.
    pub time: u64,
    /// Who.
    pub process: Process,
    /// What kind of event.
    pub r#type: Type,
    /// The operation's name.
    pub f: String,
    /// The object; for the nemesis, the name of the strike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The operation's argument or answer.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// The node concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Why it failed, or why nobody knows: a code such as `already-exists`, a `:` and more where there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A line as it is read: the value stays text until its operation is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    index: u32,
    time: u64,
    process: Process,
    r#type: Type,
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(borrow)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    node: Option<Cow<'a, str>>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
}

/// Why a history cannot be read, and where. Lines and columns count from 1; what is wrong with a line as a whole is at
/// its column 1.
#[derive(Debug, Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct JsonlError {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Debug, Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("could not be read: {0}")]
    Read(io::Error),
    /// There is not even a header.
    #[error("the file is empty; a history begins with {{\"format\":\"{FORMAT}\",\"version\":{VERSION}}}")]
    Empty,
    /// The first line is no header of a history.
    #[error("not a history: {0}; the first line must be {{\"format\":\"{FORMAT}\",\"version\":{VERSION}}}")]
    NotAHistory(String),
    /// The history is of a version that this program does not know.
    #[error("version {0} of the history format is unknown; this program reads version {VERSION}")]
    Version(u32),
    /// A line is not JSON.
    #[error("{0}")]
    Syntax(String),
    /// A line is not an event, or its value does not fit its operation.
    #[error("{0}")]
    Event(String),
    /// A line is an event that the history refuses.
    #[error("{0}")]
    Refused(HistoryError),
}

impl Problem {
    fn at(self, line: u64, column: usize) -> JsonlError {
        // The end of an empty line is its column 0.
        JsonlError { line, column: column.max(1), problem: self }
    }
}

/// An unfinished line, as a killed writer leaves it; it was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// The line, from 1.
    pub line: u64,
}

/// Takes a history line by line, for whoever has the lines as they are written.
#[derive(Debug, Default)]
pub struct Reader {
    pub(crate) history: History,
    lines: u64,
}

impl Reader {
    /// Takes the next line; whether it ends with a line feed does not matter.
    ///
    /// # Errors
    /// [`JsonlError`] if it cannot be used. The history is unchanged then.
    pub fn line(&mut self, text: &[u8]) -> Result<(), JsonlError> {
        self.lines += 1;
        let line = self.lines;
        if line == 1 {
            header(text)?.describe(&mut self.history);
            return Ok(());
        }
        let event: Line<'_> = serde_json::from_slice(text).map_err(|error| {
            let (message, column) = (crate::json::message(&error), error.column());
            let problem = if error.is_data() { Problem::Event(message) } else { Problem::Syntax(message) };
            problem.at(line, column)
        })?;
        push(&mut self.history, &event, text).map_err(|refusal| refusal.problem.at(line, refusal.column))
    }

    /// What was taken so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The history, when there is nothing more to come.
    #[must_use]
    pub fn into_history(self) -> History {
        self.history
    }
}

/// Reads a history.
///
/// # Errors
/// [`JsonlError`] for the first line that cannot be used, an unfinished last one excepted.
pub fn read(mut input: impl BufRead) -> Result<(History, Option<Torn>), JsonlError> {
    let mut text = Vec::new();
    let mut reader = Reader::default();
    for line in 1.. {
        text.clear();
        let length = input.read_until(b'\n', &mut text).map_err(|error| Problem::Read(error).at(line, 1))?;
        if line > 1 && length == 0 {
            break;
        }
        match reader.line(&text) {
            Ok(()) => {}
            // Only the writer's death can end a file in the middle of a line. Whole JSON of a wrong shape is not torn.
            Err(JsonlError { problem: Problem::Syntax(_), .. }) if text.last() != Some(&b'\n') => {
                return Ok((reader.into_history(), Some(Torn { line })));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((reader.into_history(), None))
}

fn header(text: &[u8]) -> Result<Header, JsonlError> {
    if text.is_empty() {
        return Err(Problem::Empty.at(1, 1));
    }
    let header: Header = serde_json::from_slice(text)
        .map_err(|error| Problem::NotAHistory(crate::json::message(&error)).at(1, error.column()))?;
    if header.format != FORMAT {
        return Err(Problem::NotAHistory(format!("its format is `{}`", header.format)).at(1, 1));
    }
    if header.version != VERSION {
        return Err(Problem::Version(header.version).at(1, 1));
    }
    Ok(header)
}

/// A problem of which the line is not known yet.
struct Refusal {
    column: usize,
    problem: Problem,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Refusal { column: 1, problem: Problem::Event(message) }
    }
}

impl From<HistoryError> for Refusal {
    fn from(error: HistoryError) -> Self {
        Refusal { column: 1, problem: Problem::Refused(error) }
    }
}

/// Adds the event of a line. `text` is the line, to find the column of what is wrong in its value.
fn push(history: &mut History, line: &Line<'_>, text: &[u8]) -> Result<(), Refusal> {
    let at = Moment { index: line.index, time: line.time };
    let value = line.value.map_or("null", RawValue::get);
    let misfit = |error| match error {
        ValueError::Meaning(message) => format!("value of `{}`: {message}", line.f).into(),
        ValueError::Json(error) => Refusal {
            // The value is a slice of the line, so its address says where it begins. A missing one has no place.
            column: line
                .value
                .map_or(1, |value| value.get().as_ptr() as usize - text.as_ptr() as usize + error.column()),
            problem: Problem::Event(format!("value of `{}`: {}", line.f, crate::json::message(&error))),
        },
    };
    let Process::Client(process) = line.process else {
        let fault = fault_line(history, line, value).map_err(misfit)?;
        return Ok(history.nemesis(at, fault)?);
    };
    let f = general::canonical(&line.f);
    let error = |history: &mut History| line.error.as_deref().map(|error| history.symbols.intern(error));
    let outcome = match line.r#type {
        Type::Invoke => {
            let input = Input::parse(&line.f, value, &mut history.symbols).map_err(misfit)?;
            let node = line.node.as_deref().map(|node| history.symbols.intern(node));
            let key = line.key.as_deref().map(|key| history.symbols.intern(key));
            history.invoke(at, process, node, key, input)?;
            return Ok(());
        }
        Type::Ok => match history.open(process).map(|id| history.operation(id).input) {
            // The answer's shape depends on the question; without the right one the history refuses it below.
            Some(input) if input.f(&history.symbols) == f => {
                Outcome::Ok(Output::parse(&input, value, &mut history.symbols).map_err(misfit)?)
            }
            Some(_) | None => Outcome::Ok(Output::Done),
        },
        Type::Fail => Outcome::Fail(error(history)),
        Type::Info => Outcome::Info(error(history)),
    };
    let asked = history.open(process).and_then(|id| history.operation(id).key);
    if let (Some(key), Some(asked)) = (line.key.as_deref(), asked.map(|asked| history.text(asked)))
        && key != asked
    {
        let message =
            format!("process {process} completes `{}` of `{key}` but asked it of `{asked}`", line.f);
        return Err(message.into());
    }
    history.complete(at, process, f, outcome)?;
    Ok(())
}

/// The nodes of a nemesis line, if its value says them.
#[derive(Default, Deserialize)]
struct Nodes {
    nodes: Option<Vec<String>>,
}

fn fault_line(history: &mut History, line: &Line<'_>, value: &str) -> Result<FaultLine, ValueError> {
    if line.r#type != Type::Info {
        return Err(ValueError::Meaning("a line of the nemesis has the type `info`".to_owned()));
    }
    // The value is free; only where it is an object with a list of names does it say the nodes.
    let nodes = serde_json::from_str::<Nodes>(value).unwrap_or_default().nodes.unwrap_or_default();
    let symbols = &mut history.symbols;
    let nodes: Vec<&str> = match nodes.is_empty() {
        true => line.node.as_deref().into_iter().collect(),
        false => nodes.iter().map(String::as_str).collect(),
    };
    Ok(FaultLine {
        nodes: nodes.iter().map(|node| symbols.intern(node)).collect(),
        f: symbols.intern(&line.f),
        key: line.key.as_deref().map(|key| symbols.intern(key)),
        value: Datum::from_json(value, symbols)?,
    })
}

/// Writes a history line by line.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    line: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a history.
    ///
    /// # Errors
    /// Those of the output.
    pub fn new(output: W, header: &Header) -> io::Result<Self> {
        let mut writer = Writer { output, line: Vec::new() };
        writer.put(header)?;
        Ok(writer)
    }

    /// Appends one event, whole: the output gets the line in one call.
    ///
    /// # Errors
    /// Those of the output.
    pub fn append(&mut self, event: &Event) -> io::Result<()> {
        self.put(event)
    }

    /// Passes on what the output may have buffered.
    ///
    /// # Errors
    /// Those of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn put(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        self.output.write_all(&self.line)
    }
}

/// Writes a whole history.
///
/// # Errors
/// Those of the output.
pub fn write(history: &History, output: impl Write) -> io::Result<()> {
    let mut writer = Writer::new(output, &Header::of(history))?;
    for event in events(history) {
        writer.append(&event)?;
    }
    writer.flush()
}

/// The lines of a history.
pub fn events(history: &History) -> impl Iterator<Item = Event> {
    history.events.iter().map(|event| line_of(history, *event))
}

fn line_of(history: &History, event: Recorded) -> Event {
    let text = |symbol: Option<Symbol>| symbol.map(|symbol| history.text(symbol).to_owned());
    match event {
        Recorded::FaultBegan(number) => {
            let fault = &history.faults[number as usize];
            fault_event(history, fault, fault.began, fault.value)
        }
        Recorded::FaultEnded(number) => {
            let fault = &history.faults[number as usize];
            fault_event(history, fault, fault.ended.expect("a fault that ended says when"), fault.effect)
        }
        Recorded::Invoked(id) | Recorded::Completed(id) => {
            let operation = history.operation(id);
            let (at, r#type, value, error) = match (event, &operation.outcome) {
                (Recorded::Completed(_), Outcome::Ok(output)) => {
                    (operation.completed, Type::Ok, output.to_json(&operation.input, &history.symbols), None)
                }
                (Recorded::Completed(_), Outcome::Fail(error)) => {
                    (operation.completed, Type::Fail, Value::Null, *error)
                }
                (Recorded::Completed(_), Outcome::Info(error)) => {
                    (operation.completed, Type::Info, Value::Null, *error)
                }
                _ => (Some(operation.invoked), Type::Invoke, operation.input.to_json(&history.symbols), None),
            };
            let at = at.expect("a completed operation says when");
            Event {
                index: at.index,
                time: at.time,
                process: Process::Client(operation.process),
                r#type,
                f: history.f(operation).to_owned(),
                key: text(operation.key),
                value,
                node: text(operation.node),
                error: text(error),
            }
        }
    }
}

/// A line of the nemesis. Unless the value says the nodes, one goes into `node`, and several into the value.
fn fault_event(history: &History, fault: &Fault, at: Moment, value: Datum) -> Event {
    let text = |symbol: Symbol| history.text(symbol).to_owned();
    let value = match (value, &*fault.nodes) {
        (Datum::Nil, nodes @ [_, _, ..]) => {
            json!({ "nodes": nodes.iter().copied().map(text).collect::<Vec<_>>() })
        }
        (value, _) => value.to_json(&history.symbols),
    };
    let node = match *fault.nodes {
        [node] if value.get("nodes").is_none() => Some(text(node)),
        _ => None,
    };
    Event {
        index: at.index,
        time: at.time,
        process: Process::Nemesis,
        r#type: Type::Info,
        f: text(fault.f),
        key: fault.key.map(text),
        value,
        node,
        error: None,
    }
}

#[cfg(test)]
mod tests;

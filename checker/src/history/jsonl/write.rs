//! Lines out of events.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::event::{Event, Process, Type};
use super::header::Header;
use crate::history::{Datum, Event as Recorded, Fault, History, Moment, Outcome, Symbol};

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

//! Events into a file.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::Value;

use super::blocks::Blocks;
use super::record::{Asked, Event, Learned, Page, What};
use crate::history::jsonl::{EventRef, Header, Process, Type};
use crate::history::value::ValueError;
use crate::history::{Entry, Event as Recorded, History, Input, Outcome, Output, Symbol, Symbols};

/// Writes events as a recorder has them.
///
/// They reach the output in blocks of about 64 KiB, or when [`flush`](Writer::flush) is called: a recorder that wants to
/// lose nothing when it is killed calls it after each event, for twelve bytes more.
#[derive(Debug)]
pub struct Writer<W: Write> {
    encoder: Encoder<W>,
    symbols: Symbols,
    /// What each process has asked and not learned.
    open: HashMap<u64, Input>,
}

impl<W: Write> Writer<W> {
    /// Begins a history.
    ///
    /// # Errors
    /// Those of the output.
    pub fn new(output: W, header: &Header) -> io::Result<Self> {
        let encoder = Encoder::new(output, header)?;
        Ok(Writer { encoder, symbols: Symbols::default(), open: HashMap::new() })
    }

    /// Appends one event. Its index is not looked at: it is its place.
    ///
    /// # Errors
    /// Those of the output, and for what is no event of a history: a value that does not fit its operation, a
    /// completion of nothing, a time that goes back.
    pub fn append(&mut self, event: &EventRef<'_>) -> io::Result<()> {
        let Writer { encoder, symbols, open } = self;
        let mut name = |text: Option<&str>| text.map(|text| symbols.intern(text));
        let (key, node, error) = (name(event.key), name(event.node), name(event.error));
        let Process::Client(process) = event.process else {
            let nodes = nodes(event).into_iter().map(|node| symbols.intern(node)).collect::<Vec<_>>();
            let f = symbols.intern(event.f);
            return encoder.fault(symbols, event.time, (f, key), &nodes, &event.value.to_string());
        };
        let value = event.value.to_string();
        let outcome = match event.r#type {
            Type::Invoke => {
                let input =
                    Input::parse(event.f, &value, symbols).map_err(|error| misfit(event.f, &error))?;
                encoder.invoke(symbols, (event.time, process), (key, node), &input)?;
                open.insert(process, input);
                return Ok(());
            }
            Type::Fail => Outcome::Fail(error),
            Type::Info => Outcome::Info(error),
            Type::Ok => {
                let input = open.get(&process).ok_or_else(|| nothing_open(process))?;
                let output = Output::parse(input, &value, symbols);
                Outcome::Ok(output.map_err(|error| misfit(event.f, &error))?)
            }
        };
        let input = open.remove(&process).ok_or_else(|| nothing_open(process))?;
        encoder.complete(symbols, (event.time, process), &input, &outcome)
    }

    /// Ends the block, so that everything so far is in the output.
    ///
    /// # Errors
    /// Those of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.encoder.blocks.flush()
    }
}

fn misfit(f: &str, error: &ValueError) -> io::Error {
    let message = match error {
        ValueError::Json(error) => error.to_string(),
        ValueError::Meaning(message) => message.clone(),
    };
    io::Error::new(io::ErrorKind::InvalidInput, format!("value of `{f}`: {message}"))
}

fn nothing_open(process: u64) -> io::Error {
    let message = format!("process {process} completes something but has nothing open");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// The nodes of an event of the nemesis.
fn nodes<'a>(event: &EventRef<'a>) -> Vec<&'a str> {
    let listed = event.value.get("nodes").and_then(Value::as_array);
    let listed: Option<Vec<&str>> = listed.and_then(|nodes| nodes.iter().map(Value::as_str).collect());
    match listed {
        Some(nodes) if !nodes.is_empty() => nodes,
        _ => event.node.into_iter().collect(),
    }
}

/// Writes a whole history.
///
/// # Errors
/// Those of the output.
pub fn write(history: &History, output: impl Write) -> io::Result<()> {
    let mut encoder = Encoder::new(output, &Header::of(history))?;
    let symbols = &history.symbols;
    for event in &history.events {
        match *event {
            Recorded::Invoked(id) => {
                let operation = history.operation(id);
                let (at, names) =
                    ((operation.invoked.time, operation.process), (operation.key, operation.node));
                encoder.invoke(symbols, at, names, &operation.input)?;
            }
            Recorded::Completed(id) => {
                let operation = history.operation(id);
                let completed = operation.completed.expect("a completed operation says when");
                let at = (completed.time, operation.process);
                encoder.complete(symbols, at, &operation.input, &operation.outcome)?;
            }
            Recorded::FaultBegan(number) | Recorded::FaultEnded(number) => {
                let fault = &history.faults[number as usize];
                let (at, value) = match (event, fault.ended) {
                    (Recorded::FaultEnded(_), Some(ended)) => (ended, fault.effect),
                    _ => (fault.began, fault.value),
                };
                let value = value.text(symbols);
                encoder.fault(symbols, at.time, (fault.f, fault.key), &fault.nodes, &value)?;
            }
        }
    }
    encoder.blocks.flush()
}

/// The symbols of a history as names of a file.
#[derive(Debug)]
struct Encoder<W> {
    blocks: Blocks<W>,
    /// The number in the file of each symbol, by its index; [`UNNAMED`] if it has none yet.
    numbers: Vec<u32>,
}

const UNNAMED: u32 = u32::MAX;

impl<W: Write> Encoder<W> {
    fn new(output: W, header: &Header) -> io::Result<Self> {
        Ok(Encoder { blocks: Blocks::new(output, header)?, numbers: Vec::new() })
    }

    /// The number of a name, which is written if it has none.
    fn name(&mut self, symbols: &Symbols, symbol: Symbol) -> u32 {
        if self.numbers.len() <= symbol.index() {
            self.numbers.resize(symbol.index() + 1, UNNAMED);
        }
        let number = &mut self.numbers[symbol.index()];
        if *number == UNNAMED {
            *number = self.blocks.name(symbols.text(symbol));
        }
        *number
    }

    fn invoke(
        &mut self,
        symbols: &Symbols,
        (time, process): (u64, u64),
        (key, node): (Option<Symbol>, Option<Symbol>),
        input: &Input,
    ) -> io::Result<()> {
        let key = key.map(|key| self.name(symbols, key));
        let node = node.map(|node| self.name(symbols, node));
        let value;
        let asked = match input {
            Input::Send { id } => Asked::Send { id: self.name(symbols, *id) },
            Input::Read { range, last } => Asked::Read { range: *range, last: *last },
            Input::Delete { seq } => Asked::Delete { seq: *seq },
            other => {
                value = other.to_json(symbols).to_string();
                Asked::Other { f: other.f(symbols), value: &value }
            }
        };
        self.blocks.put(&Event { time, process, what: What::Invoked { key, node, asked } })
    }

    fn complete(
        &mut self,
        symbols: &Symbols,
        (time, process): (u64, u64),
        input: &Input,
        outcome: &Outcome,
    ) -> io::Result<()> {
        let (value, ids, seqs, tombstones);
        let learned = match outcome {
            Outcome::Ok(Output::Sent { seq }) => Learned::Sent { seq: *seq },
            Outcome::Ok(Output::Page { entries, head }) => {
                ids = entries.iter().map(|entry| self.name(symbols, entry.id)).collect::<Vec<_>>();
                tombstones = tombstones_of(entries);
                seqs = irregular(entries);
                let first = entries.first().map_or(0, |entry| entry.seq);
                Learned::Page(Page { head: *head, ids: &ids, first, seqs: &seqs, tombstones: &tombstones })
            }
            Outcome::Ok(Output::Done) => Learned::Done,
            Outcome::Ok(output) => {
                value = output.to_json(input, symbols).to_string();
                Learned::Other { value: &value }
            }
            Outcome::Fail(error) => Learned::Failed { error: error.map(|error| self.name(symbols, error)) },
            Outcome::Info(error) => Learned::Unknown { error: error.map(|error| self.name(symbols, error)) },
        };
        self.blocks.put(&Event { time, process, what: What::Completed(learned) })
    }

    fn fault(
        &mut self,
        symbols: &Symbols,
        time: u64,
        (f, key): (Symbol, Option<Symbol>),
        nodes: &[Symbol],
        value: &str,
    ) -> io::Result<()> {
        let (f, key) = (self.name(symbols, f), key.map(|key| self.name(symbols, key)));
        let nodes: Vec<u32> = nodes.iter().map(|node| self.name(symbols, *node)).collect();
        self.blocks.put(&Event { time, process: 0, what: What::Fault { f, key, nodes: &nodes, value } })
    }
}

/// The positions of the tombstones.
fn tombstones_of(entries: &[Entry]) -> Vec<u32> {
    (0..).zip(entries).filter(|(_, entry)| entry.deleted).map(|(place, _)| place).collect()
}

/// The numbers of a page, if they do not ascend from the first one without gaps.
fn irregular(entries: &[Entry]) -> Vec<u64> {
    let regular = entries.windows(2).all(|pair| pair[0].seq.checked_add(1) == Some(pair[1].seq));
    if regular { Vec::new() } else { entries.iter().map(|entry| entry.seq).collect() }
}

//! What was asked of a system, what it answered, and what was done to it meanwhile.
//!
//! A [`History`] is a list of events in real-time order: a client invokes an operation, an operation completes,
//! a fault begins or ends. It is built event by event through [`History::invoke`], [`History::complete`] and
//! [`History::nemesis`], which refuse what no honest recorder can have seen, and is read through
//! [`History::operations`] (by invocation) or [`History::steps`] (as it happened, for deciders that go along).
//!
//! [`format`](mod@format) reads a history in any of the ways it may be written: [`jsonl`], our own; [`edn`] and
//! [`jepsen_log`], those of Jepsen and its kin. The first two are written too; [`timeline`] reads and draws the small
//! pictures that the tests are made of. [`binary`] is our own again, in a few bytes an event.
//!
//! Names are interned ([`Symbol`]), as are lists ([`List`]), values are small ([`Datum`]) and operations typed, so that
//! ten million of them fit into memory. What this
//! module does not do is judge: an impossible *answer* is evidence, not an error.

pub mod binary;
mod blocks;
mod datum;
pub mod edn;
mod fault;
mod foreign;
pub mod format;
mod general;
mod input;
mod interner;
pub mod jepsen_log;
pub mod jsonl;
mod operation;
mod processes;
mod symbol;
#[cfg(test)]
mod tests;
pub mod timeline;
pub(crate) mod transaction;
mod value;

use std::collections::HashMap;

pub use datum::Datum;
pub use fault::{Fault, FaultLine};
pub use input::{Input, Object, PageRange};
pub use operation::{Delivery, Entry, Moment, Operation, OperationId, Outcome, Output};
use processes::{Process, Processes};
pub use symbol::{List, Symbol, Symbols};
use thiserror::Error;

/// Everything that was recorded of one run, in real-time order.
///
/// A history has these invariants, and each is enforced where an event is added:
/// - the indexes of the events are dense from 0;
/// - the times of the events never decrease;
/// - a process has at most one open operation;
/// - a process that got `info` never invokes again;
/// - a completion belongs to an open operation of its process, has its `f`, and an answer that fits it.
#[derive(Debug, Clone, Default)]
pub struct History {
    operations: Vec<Operation>,
    faults: Vec<Fault>,
    events: Vec<Event>,
    processes: Processes,
    open_faults: HashMap<(Symbol, Option<Symbol>), u32>,
    last_time: u64,
    started_unix_ns: Option<u64>,
    initially_empty: bool,
    /// How many events it takes, if fewer than can be counted.
    events_max: Option<u32>,
    /// The names that the operations refer to. Intern here what goes into an event.
    pub symbols: Symbols,
}

/// One event, by what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Invoked(OperationId),
    Completed(OperationId),
    FaultBegan(u32),
    FaultEnded(u32),
}

/// One thing that clients did, as it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The operation was invoked.
    Invoked(OperationId),
    /// The operation completed; [`Operation::outcome`] says how.
    Completed(OperationId),
}

/// Why an event cannot be part of a history.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HistoryError {
    /// The indexes have a gap or go back.
    #[error("index {found} where {expected} was expected: indexes are dense from 0")]
    Index {
        /// The index of the event.
        found: u32,
        /// The number of events before it.
        expected: u32,
    },
    /// An event is earlier than the one before it.
    #[error("time {time} ns is before the previous event's {previous} ns")]
    Time {
        /// The time of the event.
        time: u64,
        /// The time of the event before.
        previous: u64,
    },
    /// A process does two things at once.
    #[error("process {process} invokes `{f}` while its `{open}` of index {open_index} is still open")]
    AlreadyOpen {
        /// The process.
        process: u64,
        /// What it invokes.
        f: String,
        /// What it has not finished.
        open: String,
        /// The index of that invocation.
        open_index: u32,
    },
    /// A process goes on after an indefinite outcome.
    #[error("process {process} invokes `{f}` after an `info`: its successor needs a number of its own")]
    Dead {
        /// The process.
        process: u64,
        /// What it invokes.
        f: String,
    },
    /// A completion without an invocation.
    #[error("process {process} completes `{f}` but has nothing open")]
    NothingOpen {
        /// The process.
        process: u64,
        /// What it completes.
        f: String,
    },
    /// A completion of something else than what was invoked.
    #[error("process {process} completes `{f}` but its open operation of index {open_index} is `{open}`")]
    OtherOperation {
        /// The process.
        process: u64,
        /// What it completes.
        f: String,
        /// What it had invoked.
        open: String,
        /// The index of that invocation.
        open_index: u32,
    },
    /// An answer of the wrong kind.
    #[error("process {process} got an answer that `{f}` cannot have")]
    Answer {
        /// The process.
        process: u64,
        /// What it completes.
        f: String,
    },
    /// More events than an index can count, or than are wanted.
    #[error("a history has at most {0} events")]
    Full(u32),
}

impl History {
    /// A history without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A history that refuses the event with this index: so a reader tells where it stands.
    fn up_to(index: u32) -> Self {
        History { events_max: Some(index), ..Self::default() }
    }

    /// When the run started, in ns of the Unix epoch: the zero of [`Moment::time`], if it is known.
    #[must_use]
    pub fn started_unix_ns(&self) -> Option<u64> {
        self.started_unix_ns
    }

    /// Says when the run started, in ns of the Unix epoch.
    pub fn set_started_unix_ns(&mut self, started: u64) {
        self.started_unix_ns = Some(started);
    }

    /// Whether it is known that there was no account when the history began.
    #[must_use]
    pub fn is_initially_empty(&self) -> bool {
        self.initially_empty
    }

    /// Says that there was no account when the history began.
    pub fn set_initially_empty(&mut self) {
        self.initially_empty = true;
    }

    /// The operations in the order of their invocation.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The numbers of the operations, in the same order.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = OperationId> + use<> {
        (0..u32::try_from(self.operations.len()).expect("there are fewer operations than events"))
            .map(OperationId)
    }

    /// One operation.
    ///
    /// # Panics
    /// If the number is of another history and out of range here.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.index()]
    }

    /// The faults in the order of their beginning.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What the clients did, in real-time order.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        self.events.iter().filter_map(|event| match *event {
            Event::Invoked(id) => Some(Step::Invoked(id)),
            Event::Completed(id) => Some(Step::Completed(id)),
            Event::FaultBegan(_) | Event::FaultEnded(_) => None,
        })
    }

    /// What the clients did last, if that was the last event.
    #[must_use]
    pub fn last_step(&self) -> Option<Step> {
        match *self.events.last()? {
            Event::Invoked(id) => Some(Step::Invoked(id)),
            Event::Completed(id) => Some(Step::Completed(id)),
            Event::FaultBegan(_) | Event::FaultEnded(_) => None,
        }
    }

    /// The number of events, which is the index of the next one.
    ///
    /// # Panics
    /// Never: an event beyond 2^32 is refused when it is added.
    #[must_use]
    pub fn next_index(&self) -> u32 {
        u32::try_from(self.events.len()).expect("events are counted in a u32")
    }

    /// The text of a symbol.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.symbols.text(symbol)
    }

    /// The name of an operation as histories spell it.
    #[must_use]
    pub fn f(&self, operation: &Operation) -> &str {
        operation.input.f(&self.symbols)
    }

    /// Adds an invocation.
    ///
    /// # Errors
    /// [`HistoryError`] if an invariant would break; the history is unchanged then.
    pub fn invoke(
        &mut self,
        at: Moment,
        process: u64,
        node: Option<Symbol>,
        key: Option<Symbol>,
        input: Input,
    ) -> Result<OperationId, HistoryError> {
        self.accept(at)?;
        match self.processes.get(process) {
            Process::Idle => {}
            Process::Dead => {
                return Err(HistoryError::Dead { process, f: input.f(&self.symbols).to_owned() });
            }
            Process::Open(open) => {
                let open = self.operation(open);
                return Err(HistoryError::AlreadyOpen {
                    process,
                    f: input.f(&self.symbols).to_owned(),
                    open: self.f(open).to_owned(),
                    open_index: open.invoked.index,
                });
            }
        }
        let id = OperationId(u32::try_from(self.operations.len()).map_err(|_| HistoryError::Full(u32::MAX))?);
        let outcome = Outcome::Info(None);
        self.operations.push(Operation { process, node, key, input, invoked: at, outcome, completed: None });
        self.processes.set(process, Process::Open(id));
        self.record(at, Event::Invoked(id));
        Ok(id)
    }

    /// Adds the completion of what `process` has open. `f` is the operation's name as the recorder has it.
    ///
    /// # Errors
    /// [`HistoryError`] if an invariant would break; the history is unchanged then.
    pub fn complete(
        &mut self,
        at: Moment,
        process: u64,
        f: &str,
        outcome: Outcome,
    ) -> Result<OperationId, HistoryError> {
        self.accept(at)?;
        let Some(id) = self.open(process) else {
            return Err(HistoryError::NothingOpen { process, f: f.to_owned() });
        };
        let operation = self.operation(id);
        let open = self.f(operation);
        if open != f {
            let (open, open_index) = (open.to_owned(), operation.invoked.index);
            return Err(HistoryError::OtherOperation { process, f: f.to_owned(), open, open_index });
        }
        let next = match &outcome {
            Outcome::Ok(output) if !operation.input.accepts(output) => {
                return Err(HistoryError::Answer { process, f: f.to_owned() });
            }
            Outcome::Ok(_) | Outcome::Fail(_) => Process::Idle,
            Outcome::Info(_) => Process::Dead,
        };
        let operation = &mut self.operations[id.index()];
        operation.outcome = outcome;
        operation.completed = Some(at);
        self.processes.set(process, next);
        self.record(at, Event::Completed(id));
        Ok(id)
    }

    /// Adds a line of the nemesis: the end of the open fault with the same `f` and `key`, else a beginning.
    ///
    /// # Errors
    /// [`HistoryError`] if the index or the time is wrong.
    ///
    /// # Panics
    /// Never: there are fewer faults than events.
    pub fn nemesis(&mut self, at: Moment, line: FaultLine) -> Result<(), HistoryError> {
        self.accept(at)?;
        let FaultLine { f, key, nodes, value } = line;
        if let Some(number) = self.open_faults.remove(&(f, key)) {
            let fault = &mut self.faults[number as usize];
            fault.ended = Some(at);
            fault.effect = value;
            if !nodes.is_empty() {
                fault.nodes = nodes;
            }
            self.record(at, Event::FaultEnded(number));
        } else {
            let number = u32::try_from(self.faults.len()).expect("there are fewer faults than events");
            self.faults.push(Fault { f, key, nodes, began: at, ended: None, value, effect: Datum::Nil });
            self.open_faults.insert((f, key), number);
            self.record(at, Event::FaultBegan(number));
        }
        Ok(())
    }

    /// What the process has invoked and not completed.
    #[must_use]
    pub fn open(&self, process: u64) -> Option<OperationId> {
        match self.processes.get(process) {
            Process::Open(id) => Some(id),
            Process::Idle | Process::Dead => None,
        }
    }

    fn accept(&self, at: Moment) -> Result<(), HistoryError> {
        let expected = self.next_index();
        let events_max = self.events_max.unwrap_or(u32::MAX);
        if expected == events_max {
            return Err(HistoryError::Full(events_max));
        }
        if at.index != expected {
            return Err(HistoryError::Index { found: at.index, expected });
        }
        if at.time < self.last_time {
            return Err(HistoryError::Time { time: at.time, previous: self.last_time });
        }
        Ok(())
    }

    fn record(&mut self, at: Moment, event: Event) {
        self.events.push(event);
        self.last_time = at.time;
    }
}

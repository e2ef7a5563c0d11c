//! Writes the history: every invocation before the request leaves, every completion after the answer came.
//!
//! One recorder, one clock, one file, in one thread: the order of the lines is the order of the events, and intervals
//! can only be too wide. A line reaches the kernel before the recorder returns, so a kill -9 of the supervisor loses
//! no operation that could have had an effect.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use checker::history::jsonl::{Event, Header, Process, Type};
use serde_json::{Value, json};

use super::clock::RunClock;
use crate::harness::HarnessFailure;
use crate::rundir::JsonLines;
use crate::system::{Invocation, NodeName, Outcome};

/// How many operations ended how, so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Operations that were invoked.
    pub invoked: u64,
    /// See [`Outcome::Ok`].
    pub ok: u64,
    /// See [`Outcome::Fail`].
    pub fail: u64,
    /// See [`Outcome::Info`].
    pub info: u64,
}

/// Writes the history of one run. Clones write to the same one.
#[derive(Clone)]
pub struct Recorder {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    clock: RunClock,
    file: JsonLines,
    next_index: u32,
    next_process: u64,
    tally: Tally,
}

/// An operation that is under way. Completing it takes this, so no operation completes twice.
#[derive(Debug)]
#[must_use = "an operation that was invoked is completed"]
pub struct OpenOperation {
    process: u64,
    node: NodeName,
    invocation: Invocation,
}

impl Recorder {
    /// Creates the history of a run in `path`, which begins with `header`.
    pub fn create(path: PathBuf, clock: RunClock, header: &Header) -> Result<Self, HarnessFailure> {
        let mut file = JsonLines::create(path)?;
        file.push(header)?;
        let inner = Inner { clock, file, next_index: 0, next_process: 0, tally: Tally::default() };
        Ok(Self { inner: Rc::new(RefCell::new(inner)) })
    }

    /// The number of a process that never was.
    #[must_use]
    pub fn new_process(&self) -> u64 {
        let mut inner = self.inner.borrow_mut();
        inner.next_process += 1;
        inner.next_process - 1
    }

    /// Records that `process` is about to send `invocation` to `node`.
    pub fn invoke(
        &self,
        process: u64,
        node: &str,
        invocation: Invocation,
    ) -> Result<OpenOperation, HarnessFailure> {
        let open = OpenOperation { process, node: node.to_owned(), invocation };
        let mut inner = self.inner.borrow_mut();
        inner.tally.invoked += 1;
        inner.push_client(&open, Type::Invoke, open.invocation.value.clone(), None)?;
        Ok(open)
    }

    /// Records how it ended.
    pub fn complete(&self, open: OpenOperation, outcome: Outcome) -> Result<(), HarnessFailure> {
        let mut inner = self.inner.borrow_mut();
        let (kind, value, error) = match outcome {
            Outcome::Ok(value) => {
                inner.tally.ok += 1;
                (Type::Ok, value, None)
            }
            Outcome::Fail(error) => {
                inner.tally.fail += 1;
                (Type::Fail, open.invocation.value.clone(), Some(error))
            }
            Outcome::Info(error) => {
                inner.tally.info += 1;
                (Type::Info, open.invocation.value.clone(), Some(error))
            }
        };
        inner.push_client(&open, kind, value, error)
    }

    /// Records that a fault begins on `nodes`, or that the fault with the same verb and name ends, with its effect.
    pub fn fault(
        &self,
        verb: &str,
        name: &str,
        nodes: &[NodeName],
        effect: Option<&str>,
    ) -> Result<(), HarnessFailure> {
        let mut value = json!({ "nodes": nodes });
        if let Some(effect) = effect {
            value["effect"] = Value::from(effect);
        }
        let mut inner = self.inner.borrow_mut();
        let (index, time) = inner.stamp();
        let event = Event {
            index,
            time,
            process: Process::Nemesis,
            r#type: Type::Info,
            f: verb.to_owned(),
            key: Some(name.to_owned()),
            value,
            node: None,
            error: None,
        };
        inner.file.push(&event)
    }

    /// How many operations ended how, so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.inner.borrow().tally
    }
}

impl Inner {
    fn push_client(
        &mut self,
        open: &OpenOperation,
        r#type: Type,
        value: Value,
        error: Option<String>,
    ) -> Result<(), HarnessFailure> {
        let invocation = &open.invocation;
        let (index, time) = self.stamp();
        self.file.push(&Event {
            index,
            time,
            process: Process::Client(open.process),
            r#type,
            f: invocation.f.to_owned(),
            key: invocation.key.clone(),
            value,
            node: Some(open.node.clone()),
            error,
        })
    }

    /// The index and the time of the next line. The clock is monotonic, so times never decrease.
    fn stamp(&mut self) -> (u32, u64) {
        let index = self.next_index;
        self.next_index += 1;
        (index, self.clock.now_ns())
    }
}

//! One life of a node: a process, and what the testbed has done to it.

use std::cell::{Cell, RefCell};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::rc::Rc;

use nix::sys::signal::Signal;

use crate::harness::HarnessFailure;
use crate::process::NodeProcess;

/// What the process of a node is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// It runs and listens.
    Running,
    /// It does not listen yet.
    Starting,
    /// It is stopped by SIGSTOP.
    Paused,
    /// It has no process.
    Dead,
}

/// A process of a node, from its start until the next one of the same node.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) process: NodeProcess,
    /// How often the node was started, this time included.
    pub(super) generation: u32,
    /// It has said where it listens.
    pub(super) listens: Cell<bool>,
    /// How many faults hold it; it goes on when the last one lets it.
    pauses: Cell<u32>,
    /// Its end is our doing. Shared with the one who is told of the end.
    expected_exit: ExpectedExits,
    /// The testbed has ended it, or asked it to end.
    is_ended: Cell<bool>,
}

/// Which end of a process is our doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedExit {
    /// Any.
    Any,
    /// This exit code: the process was made to find out that it cannot go on.
    Code(i32),
    /// This signal: the process was made to end itself.
    Signal(i32),
}

/// All the ends of one process that are our doing: one for each fault that may bring it about. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct ExpectedExits {
    expected: Rc<RefCell<Vec<ExpectedExit>>>,
}

impl ExpectedExits {
    pub(super) fn add(&self, expected: ExpectedExit) {
        self.expected.borrow_mut().push(expected);
    }

    fn remove(&self, expected: ExpectedExit) {
        let mut all = self.expected.borrow_mut();
        if let Some(place) = all.iter().position(|one| *one == expected) {
            all.swap_remove(place);
        }
    }

    /// Whether `status` is one of them.
    pub(super) fn have(&self, status: ExitStatus) -> bool {
        self.expected.borrow().iter().any(|expected| expected.is(status))
    }
}

impl ExpectedExit {
    /// Whether it is this one.
    fn is(self, status: ExitStatus) -> bool {
        match self {
            Self::Any => true,
            Self::Code(code) => status.code() == Some(code),
            Self::Signal(signal) => status.signal() == Some(signal),
        }
    }
}

impl Life {
    pub(super) fn new(process: NodeProcess, generation: u32, expected_exit: ExpectedExits) -> Self {
        Self {
            process,
            generation,
            listens: Cell::new(false),
            pauses: Cell::new(0),
            expected_exit,
            is_ended: Cell::new(false),
        }
    }

    pub(super) fn state(&self) -> NodeState {
        match (self.process.is_alive(), self.pauses.get(), self.listens.get()) {
            (false, _, _) => NodeState::Dead,
            (true, 1.., _) => NodeState::Paused,
            (true, 0, true) => NodeState::Running,
            (true, 0, false) => NodeState::Starting,
        }
    }

    /// From now on, its end is our doing.
    pub(super) fn expect_exit(&self) {
        self.is_ended.set(true);
        self.expect(ExpectedExit::Any);
    }

    /// From now on, this end of it is our doing.
    pub(super) fn expect(&self, expected: ExpectedExit) {
        self.expected_exit.add(expected);
    }

    /// From now on, a graceful end of it is our doing. One that is not graceful is not.
    pub(super) fn expect_stop(&self) {
        self.is_ended.set(true);
        self.expect(ExpectedExit::Code(0));
        // A process that does not handle the signal ends by it.
        self.expect(ExpectedExit::Signal(Signal::SIGTERM as i32));
    }

    /// The testbed has ended it, or asked it to end.
    pub(super) fn was_ended(&self) -> bool {
        self.is_ended.get()
    }

    /// Takes one such expectation back.
    pub(super) fn expect_no_more(&self, expected: ExpectedExit) {
        self.expected_exit.remove(expected);
    }

    pub(super) fn pause(&self) -> Result<(), HarnessFailure> {
        self.pauses.set(self.pauses.get() + 1);
        self.process.signal(Signal::SIGSTOP)
    }

    /// Takes one pause back.
    pub(super) fn unpause(&self) -> Result<(), HarnessFailure> {
        self.pauses.set(self.pauses.get().saturating_sub(1));
        if self.pauses.get() == 0 { self.process.signal(Signal::SIGCONT) } else { Ok(()) }
    }

    /// Lets it go on, however many faults hold it.
    pub(super) fn let_go(&self) -> Result<(), HarnessFailure> {
        self.pauses.set(0);
        self.process.signal(Signal::SIGCONT)
    }
}

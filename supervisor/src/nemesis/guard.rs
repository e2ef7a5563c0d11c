//! A fault that stands, as a value: lifting it consumes the guard.

use std::cell::Cell;
use std::rc::Rc;

use crate::system::NodeName;

/// How many faults stand. Clones count the same ones.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    count: Rc<Cell<usize>>,
}

impl Standing {
    /// How many faults stand now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// A fault stands from now on, on `struck`; it is lifted by doing `undo`.
    pub fn install(&self, struck: Vec<Struck>, undo: Undo) -> FaultGuard {
        self.count.set(self.count.get() + 1);
        FaultGuard { struck, undo, standing: self.clone() }
    }
}

/// A node as a fault found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struck {
    /// The node.
    pub node: NodeName,
    /// Which of its lives was struck. Two faults may strike one life: what one of them has undone, the other leaves.
    pub generation: u32,
}

/// What must be done to every node of a fault to lift it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// Start the process again.
    Start,
    /// Let the process go on.
    Resume,
}

/// A fault that stands.
#[derive(Debug)]
#[must_use = "a fault that stands must be lifted"]
pub struct FaultGuard {
    /// What it struck.
    pub struck: Vec<Struck>,
    /// How to lift it.
    pub undo: Undo,
    standing: Standing,
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        self.standing.count.set(self.standing.count.get() - 1);
    }
}

//! A fault that stands, as a value: lifting it consumes the guard.

use std::cell::Cell;
use std::rc::Rc;

use super::effect::Effect;
use crate::network::LinkFault;
use crate::scenario::verb::DiskVerb;
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

    /// A fault stands from now on, on `nodes`; it is lifted by doing `undo`.
    pub fn install(&self, nodes: Vec<NodeName>, undo: Undo) -> FaultGuard {
        self.count.set(self.count.get() + 1);
        FaultGuard { nodes, undo, standing: self.clone() }
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

/// What must be done to lift a fault.
#[derive(Debug)]
pub enum Undo {
    /// Start the processes again.
    Start(Vec<Struck>),
    /// Let the processes go on.
    Resume(Vec<Struck>),
    /// Let go of the links.
    Links {
        /// What stands on them.
        faults: Vec<LinkFault>,
        /// How many connections were reset when it struck.
        resets: u64,
    },
    /// Set clocks right.
    Clocks {
        /// The nodes that have them wrong.
        struck: Vec<Struck>,
        /// The number of what stands on them.
        layer: u64,
        /// What could not be done, in sentences.
        failed: Vec<String>,
    },
    /// Mend disks, and start nodes that ended by them.
    Disks {
        /// What is wrong with them.
        fault: DiskVerb,
        /// The nodes.
        struck: Vec<Struck>,
        /// How many calls of each had been struck before.
        before: Vec<u64>,
        /// The number of what stands on them.
        layer: u64,
        /// What could not be done, in sentences.
        failed: Vec<String>,
    },
    /// Start nodes whose power was cut.
    PowerOn {
        /// The nodes.
        struck: Vec<Struck>,
        /// What they have lost.
        lost: Effect,
    },
    /// Start nodes whose disks were damaged; they may refuse.
    Inspect {
        /// The nodes.
        struck: Vec<Struck>,
        /// The damage.
        flipped: Effect,
    },
    /// Disarm nodes, or start those that have crashed.
    Disarm {
        /// The nodes.
        struck: Vec<Struck>,
        /// The number of what stands on them.
        layer: u64,
        /// The point.
        at: String,
        /// What could not be done, in sentences.
        failed: Vec<String>,
    },
    /// Nothing: it has happened, and this is what came of it.
    Done(Effect),
}

/// A fault that stands.
#[derive(Debug)]
#[must_use = "a fault that stands must be lifted"]
pub struct FaultGuard {
    /// Whom it struck.
    pub nodes: Vec<NodeName>,
    /// How to lift it.
    pub undo: Undo,
    standing: Standing,
}

impl FaultGuard {
    /// What the fault was has happened, and this is what came of it.
    pub fn done(mut self, effect: Effect) -> Self {
        self.undo = Undo::Done(effect);
        self
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        self.standing.count.set(self.standing.count.get() - 1);
    }
}

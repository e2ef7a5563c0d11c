//! Everything that a check may look at.

pub mod lives;
pub mod trace;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use trace::TraceEvent;

use crate::history::{History, Symbol};

/// What one run left behind.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What the clients saw, and what the nemesis did.
    pub history: History,
    /// What each node wrote down about its part in consensus.
    pub traces: Vec<NodeTrace>,
    /// What each node's state hashed to, taken after the faults were lifted.
    pub digests: Vec<StateDigest>,
    /// The nodes that were no part of the cluster any more when digests were taken and everything was read.
    pub departed: BTreeSet<String>,
}

impl Evidence {
    /// The nodes that gave a digest, left a trace or were talked to by a client, in the order of their names; those that
    /// have departed, too.
    #[must_use]
    pub fn nodes(&self) -> BTreeSet<&str> {
        let traced = self.traces.iter().map(|trace| trace.node.as_str());
        let digested = self.digests.iter().map(|digest| digest.node.as_str());
        let asked = self.history.operations().iter().filter_map(|operation| operation.node);
        let asked: BTreeSet<Symbol> = asked.collect();
        traced.chain(digested).chain(asked.into_iter().map(|node| self.history.text(node))).collect()
    }

    /// Those of [`Evidence::nodes`] that were part of the cluster in the end.
    #[must_use]
    pub fn remaining(&self) -> BTreeSet<&str> {
        let mut nodes = self.nodes();
        nodes.retain(|node| !self.departed.contains(*node));
        nodes
    }

    /// How often a node replaced its state by a snapshot that a leader sent.
    #[must_use]
    pub fn snapshots_installed(&self) -> u64 {
        let events = self.traces.iter().flat_map(|trace| &trace.events);
        events.filter(|event| matches!(event, TraceEvent::SnapshotInstalled { .. })).count() as u64
    }
}

/// The Raft trace of one node over all its restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTrace {
    /// The node.
    pub node: String,
    /// Its events in the order in which it wrote them.
    pub events: Vec<TraceEvent>,
    /// The line of each event in the node's file, from 1. What never stood in a file has none.
    pub lines: Vec<u64>,
}

impl NodeTrace {
    /// The line of an event in the node's file; in one without torn lines, if that is not known.
    #[must_use]
    pub fn line(&self, position: usize) -> u64 {
        self.lines.get(position).copied().unwrap_or(position as u64 + 1)
    }
}

/// The digest of one node's state after it had applied the log up to `index`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateDigest {
    /// The node.
    pub node: String,
    /// The index of the last log entry it had applied.
    pub index: u64,
    /// The digest, in hexadecimal.
    pub digest: String,
}

//! The Raft trace of a node, `trace.jsonl`: one JSON object a line, appended across restarts.
//!
//! A node writes down what it promised and what it knows: a vote when it is durable, leadership when it is won,
//! commits, the hash of its state after an entry was applied, changes of the members, and snapshots. A node killed in mid-write leaves a torn line, at
//! the end or before its next `start`; it is passed over and reported as [`Torn`]. Anything else that does not
//! parse is an error.

use std::fmt;
use std::io::BufRead;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

pub use crate::history::jsonl::Torn;

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TraceEvent {
    /// The process came up. What follows was written after it had recovered from its own disk.
    Start {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
    },
    /// The node voted; the vote is on stable storage.
    Vote {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The term voted in.
        term: u64,
        /// Whom it voted for.
        r#for: String,
    },
    /// The node became leader.
    Leader {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The term it leads.
        term: u64,
    },
    /// The node learned that the log is committed up to `index`.
    Commit {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the last committed entry.
        index: u64,
        /// The term of that entry.
        term: u64,
    },
    /// The node applied the entry at `index`.
    Applied {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the entry.
        index: u64,
        /// The term of the entry.
        term: u64,
        /// The hash of the node's state after it.
        state: StateHash,
    },
    /// The node applied an entry that says who the members of the cluster are from there on.
    Members {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the entry.
        index: u64,
        /// The term of the entry.
        term: u64,
        /// Those with a vote: one set, or two while both must agree.
        voters: Vec<Vec<String>>,
        /// Those without.
        learners: Vec<String>,
    },
    /// The node made a snapshot of its state; it is on stable storage.
    SnapshotMade {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the last entry in it.
        index: u64,
        /// The term of that entry.
        term: u64,
    },
    /// The node replaced its state by a snapshot that a leader sent.
    SnapshotInstalled {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the last entry in it.
        index: u64,
        /// The term of that entry.
        term: u64,
    },
}

impl TraceEvent {
    /// When it was written, in ns of the Unix epoch by the node's clock.
    #[must_use]
    pub fn at(&self) -> u64 {
        match self {
            TraceEvent::Start { at, .. }
            | TraceEvent::Vote { at, .. }
            | TraceEvent::Leader { at, .. }
            | TraceEvent::Commit { at, .. }
            | TraceEvent::Applied { at, .. }
            | TraceEvent::Members { at, .. }
            | TraceEvent::SnapshotMade { at, .. }
            | TraceEvent::SnapshotInstalled { at, .. } => *at,
        }
    }

    /// The node that wrote it.
    #[must_use]
    pub fn node(&self) -> &str {
        match self {
            TraceEvent::Start { node, .. }
            | TraceEvent::Vote { node, .. }
            | TraceEvent::Leader { node, .. }
            | TraceEvent::Commit { node, .. }
            | TraceEvent::Applied { node, .. }
            | TraceEvent::Members { node, .. }
            | TraceEvent::SnapshotMade { node, .. }
            | TraceEvent::SnapshotInstalled { node, .. } => node,
        }
    }
}

/// A 128-bit hash of a node's state; 32 hexadecimal digits in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateHash(pub u128);

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for StateHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StateHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // `from_str_radix` would also take a sign and fewer digits.
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(de::Error::custom(format_args!("state `{text}` is not 32 hexadecimal digits")));
        }
        u128::from_str_radix(&text, 16).map(StateHash).map_err(de::Error::custom)
    }
}

/// Why a trace cannot be read, and where. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TraceError {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: usize,
    /// What is wrong with it.
    pub message: String,
}

/// What stands in a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The events, in the order in which they were written.
    pub events: Vec<TraceEvent>,
    /// The line of each of them, from 1.
    pub lines: Vec<u64>,
    /// The lines that a killed node left unfinished.
    pub torn: Vec<Torn>,
}

impl Trace {
    fn push(&mut self, line: u64, event: TraceEvent) {
        self.events.push(event);
        self.lines.push(line);
    }
}

/// Reads a trace.
///
/// # Errors
/// [`TraceError`] for the first line that cannot be read, a torn one excepted.
pub fn read(mut input: impl BufRead) -> Result<Trace, TraceError> {
    let mut trace = Trace::default();
    // The error of the line before, which is torn only if the file ends there or the node starts again.
    let mut broken = None;
    let mut text = Vec::new();
    let mut line = 0;
    loop {
        line += 1;
        let whole = text.last() == Some(&b'\n');
        text.clear();
        let length = input.read_until(b'\n', &mut text).map_err(|error| {
            let message = format!("could not be read: {error}");
            TraceError { line, column: 1, message }
        })?;
        if length == 0 {
            return match broken {
                Some(error) if whole => Err(error),
                Some(_) | None => Ok(trace),
            };
        }
        match (serde_json::from_slice(&text), broken.take()) {
            (Ok(TraceEvent::Start { at, node }), _) => trace.push(line, TraceEvent::Start { at, node }),
            (Ok(event), None) => trace.push(line, event),
            (Ok(_) | Err(_), Some(error)) => return Err(error),
            (Err(error), None) => {
                let (column, message) = (error.column().max(1), crate::json::message(&error));
                let refusal = TraceError { line, column, message };
                // Whole JSON of a wrong shape was never torn.
                if error.is_data() {
                    return Err(refusal);
                }
                trace.torn.push(Torn { line });
                match start_behind_torn(&text) {
                    Some(start) => trace.push(line, start),
                    None => broken = Some(refusal),
                }
            }
        }
    }
}

/// The `start` that a restarted node has appended to a torn line.
fn start_behind_torn(text: &[u8]) -> Option<TraceEvent> {
    let begin = text.iter().rposition(|byte| *byte == b'{')?;
    let event = serde_json::from_slice(&text[begin..]).ok()?;
    matches!(event, TraceEvent::Start { .. }).then_some(event)
}

#[cfg(test)]
mod tests;

//! The lines of a trace.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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
    /// What the node found on its disk when it came up.
    Recovered {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The term of its vote, 0 without one.
        term: u64,
        /// Whom it voted for, empty without a vote.
        r#for: String,
        /// The vote says that the candidate was elected.
        elected: bool,
        /// The last entry that was removed from the front of its log.
        purged: Option<LogPlace>,
        /// The first entry of each term that is in its log.
        terms: Vec<LogPlace>,
        /// The last entry; the last that was purged if there is none.
        last: Option<LogPlace>,
        /// The last entry in its newest snapshot.
        snapshot: Option<LogPlace>,
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
    /// The node knows that `leader` was elected in a term; that is on stable storage.
    Following {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The term.
        term: u64,
        /// Who was elected.
        leader: String,
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
    /// Entries of one term were appended to the node's log; they are not durable yet.
    Appended {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the first of them.
        index: u64,
        /// Their term.
        term: u64,
        /// The hash of each.
        hashes: EntryHashes,
    },
    /// An entry that says who the members are was appended; it counts from there on, committed or not.
    MembersAppended {
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
    /// The node's log is durable up to `index`.
    Flushed {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the last durable entry.
        index: u64,
        /// The term of that entry.
        term: u64,
    },
    /// The entries from `from` on contradict a leader's and are removed.
    Truncated {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the first of them.
        from: u64,
    },
    /// The entries up to `index` are in a snapshot and are removed.
    Purged {
        /// When, in ns of the Unix epoch by the node's clock.
        at: u64,
        /// Which node.
        node: String,
        /// The index of the last of them.
        index: u64,
        /// The term of that entry.
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
            | TraceEvent::Recovered { at, .. }
            | TraceEvent::Following { at, .. }
            | TraceEvent::Appended { at, .. }
            | TraceEvent::MembersAppended { at, .. }
            | TraceEvent::Flushed { at, .. }
            | TraceEvent::Truncated { at, .. }
            | TraceEvent::Purged { at, .. }
            | TraceEvent::Vote { at, .. }
            | TraceEvent::Leader { at, .. }
            | TraceEvent::Commit { at, .. }
            | TraceEvent::Applied { at, .. }
            | TraceEvent::Members { at, .. }
            | TraceEvent::SnapshotMade { at, .. }
            | TraceEvent::SnapshotInstalled { at, .. } => *at,
        }
    }

    /// Whether the node came up with nothing on its disk: it is a new one, whatever its name did before.
    #[must_use]
    pub fn is_pristine(&self) -> bool {
        matches!(self, TraceEvent::Recovered { term: 0, last: None, .. })
    }

    /// The node that wrote it.
    #[must_use]
    pub fn node(&self) -> &str {
        match self {
            TraceEvent::Start { node, .. }
            | TraceEvent::Recovered { node, .. }
            | TraceEvent::Following { node, .. }
            | TraceEvent::Appended { node, .. }
            | TraceEvent::MembersAppended { node, .. }
            | TraceEvent::Flushed { node, .. }
            | TraceEvent::Truncated { node, .. }
            | TraceEvent::Purged { node, .. }
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

/// An entry of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPlace {
    /// Its index.
    pub index: u64,
    /// Its term.
    pub term: u64,
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

/// The hashes of some entries that follow each other in a log; 16 hexadecimal digits each in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryHashes(pub Vec<u64>);

impl Serialize for EntryHashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.iter().map(|hash| format!("{hash:016x}")).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for EntryHashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bad = || de::Error::custom(format_args!("`{text}` is not 16 hexadecimal digits for each entry"));
        if text.is_empty() || !text.len().is_multiple_of(16) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        let digits = (0..text.len() / 16).map(|at| &text[16 * at..16 * (at + 1)]);
        let hashes = digits.map(|digits| u64::from_str_radix(digits, 16)).collect::<Result<_, _>>();
        hashes.map(EntryHashes).map_err(|_| bad())
    }
}

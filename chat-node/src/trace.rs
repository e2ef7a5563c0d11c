//! What a node did as a member of the cluster, one JSON line per event, for a checker to judge.
//!
//! Lines are written before the effect of the event leaves the node where that can be: a vote after it is durable and
//! before it is answered, a leadership before its first entry is replicated, entries before they are on their way to the
//! disk, and that they are durable before anybody is told. A trace can lose its end, never its order.
//! That it cannot be written does not stop the node: it is evidence, not state.

use std::io::Write;
use std::sync::{Arc, Mutex};

use proto::raft::{LogId, Membership};
use serde::Serialize;

use crate::env::Runtime;
use crate::store::log::Contents;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// The node started.
    Start,
    /// What the node found on its disk when it started; what follows goes on from there.
    Recovered {
        /// The term of its vote, 0 without one.
        term: u64,
        /// Whom it voted for, empty without a vote.
        #[serde(rename = "for")]
        candidate: String,
        /// The vote says that the candidate was elected.
        elected: bool,
        /// The last entry that was removed from the front of the log.
        purged: Option<Place>,
        /// The first entry of each term that is in the log.
        terms: Vec<Place>,
        /// The last entry; the last that was purged if there is none.
        last: Option<Place>,
        /// The last entry in the newest snapshot.
        snapshot: Option<Place>,
    },
    /// The node gave its vote of a term, also to itself; it is durable.
    Vote {
        /// The term.
        term: u64,
        /// Whom it voted for.
        #[serde(rename = "for")]
        candidate: String,
    },
    /// The node knows that a candidate was elected in a term, also if it is the node itself; that is durable.
    Following {
        /// The term.
        term: u64,
        /// Who was elected.
        leader: String,
    },
    /// Entries of one term were appended to the log; they are not durable yet.
    Appended {
        /// The index of the first of them.
        index: u64,
        /// Their term.
        term: u64,
        /// The hash of each, 16 hexadecimal digits.
        hashes: String,
    },
    /// An entry with members was appended: they are the members from here on, committed or not.
    MembersAppended {
        /// The index of the entry.
        index: u64,
        /// The term of the entry.
        term: u64,
        /// Those with a vote: one set, or two while the cluster passes from one to the other.
        voters: Vec<Vec<String>>,
        /// Those without.
        learners: Vec<String>,
    },
    /// The log is durable up to here; whoever appended the entry is told after this.
    Flushed {
        /// The index.
        index: u64,
        /// The term of the entry.
        term: u64,
    },
    /// The entries from here on contradict a leader's and are about to be removed.
    Truncated {
        /// The index of the first of them.
        from: u64,
    },
    /// The entries up to here are in a snapshot and are about to be removed.
    Purged {
        /// The index of the last of them.
        index: u64,
        /// The term of that entry.
        term: u64,
    },
    /// The node became the leader of a term.
    Leader {
        /// The term.
        term: u64,
    },
    /// The node knows that the log is committed up to here.
    Commit {
        /// The index.
        index: u64,
        /// The term of the entry.
        term: u64,
    },
    /// The node's state includes the log up to here.
    Applied {
        /// The index.
        index: u64,
        /// The term of the entry.
        term: u64,
        /// The digest of the state.
        state: String,
    },
    /// The members from here on; the entry is committed, and applied.
    Members {
        /// The index of the entry.
        index: u64,
        /// The term of the entry.
        term: u64,
        /// Those with a vote: one set, or two while the cluster passes from one to the other.
        voters: Vec<Vec<String>>,
        /// Those without.
        learners: Vec<String>,
    },
    /// The node's newest snapshot is one that it made itself; it is durable.
    SnapshotMade {
        /// The last index that it holds.
        index: u64,
        /// The term of that entry.
        term: u64,
    },
    /// A snapshot that a leader sent became the node's state.
    SnapshotInstalled {
        /// The last index that it holds.
        index: u64,
        /// The term of that entry.
        term: u64,
    },
}

/// An entry of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its index.
    pub index: u64,
    /// Its term.
    pub term: u64,
}

impl From<LogId> for Place {
    fn from(LogId { term, index }: LogId) -> Self {
        Self { index, term }
    }
}

impl Event {
    /// The members of an entry that was applied.
    #[must_use]
    pub fn members(id: LogId, members: &Membership) -> Self {
        let (voters, learners) = voters_and_learners(members);
        Event::Members { index: id.index, term: id.term, voters, learners }
    }

    /// The members of an entry that was appended.
    #[must_use]
    pub fn members_appended(id: LogId, members: &Membership) -> Self {
        let (voters, learners) = voters_and_learners(members);
        Event::MembersAppended { index: id.index, term: id.term, voters, learners }
    }

    /// What a log held when it was opened, and the newest snapshot beside it.
    #[must_use]
    pub fn recovered(log: &Contents, snapshot: Option<LogId>) -> Self {
        let vote = log.vote.clone().unwrap_or_default();
        Event::Recovered {
            term: vote.term,
            candidate: vote.candidate,
            elected: vote.committed,
            purged: log.purged.map(Place::from),
            terms: log.terms.iter().copied().map(Place::from).collect(),
            last: log.last.map(Place::from),
            snapshot: snapshot.map(Place::from),
        }
    }
}

fn voters_and_learners(members: &Membership) -> (Vec<Vec<String>>, Vec<String>) {
    let voters: Vec<Vec<String>> = members.configs.iter().map(|set| set.nodes.clone()).collect();
    let votes = |name: &&String| voters.iter().flatten().any(|voter| voter == *name);
    let learners = members.nodes.iter().filter(|name| !votes(name)).cloned().collect();
    (voters, learners)
}

#[derive(Serialize)]
struct Line<'a> {
    at: u64,
    node: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

/// Where the events go, if anywhere. Cheap to clone.
#[derive(Clone, Default)]
pub struct Trace(Option<Arc<Sink>>);

struct Sink {
    node: String,
    runtime: Arc<dyn Runtime>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Trace {
    /// A trace of the node `node`. Each event is one write.
    #[must_use]
    pub fn new(node: &str, runtime: Arc<dyn Runtime>, out: Box<dyn Write + Send>) -> Self {
        Self(Some(Arc::new(Sink { node: node.to_owned(), runtime, out: Mutex::new(out) })))
    }

    /// Writes an event.
    pub fn write(&self, event: &Event) {
        let Some(sink) = &self.0 else { return };
        let line = Line { at: sink.runtime.unix_ns(), node: &sink.node, event };
        let mut bytes = serde_json::to_vec(&line).expect("an event has only strings and numbers");
        bytes.push(b'\n');
        let mut out = sink.out.lock().expect("nothing that runs under this lock can panic");
        if let Err(error) = out.write_all(&bytes) {
            tracing::warn!(%error, "cannot write the trace");
        }
    }

    /// Whether anybody listens.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Writes the event that `event` makes; it is not called when nobody listens.
    pub fn write_with(&self, event: impl FnOnce() -> Event) {
        if self.0.is_some() {
            self.write(&event());
        }
    }
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trace")
    }
}

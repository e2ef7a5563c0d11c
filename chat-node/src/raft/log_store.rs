//! The log, as the library of consensus wants it.
//!
//! What it says of itself is in memory; what it keeps is in `log.redb`, which [`crate::store::log`] writes in the order
//! of the calls. An append is readable when it returns, and reported when it is durable; a vote is durable when it
//! returns; the rest rides along. Reads take from memory what is there and the rest from the file.
//!
//! # What it does not do
//! It decides nothing. After a fault of the disk every call is answered with an error and every callback called with
//! one, and the node stops.

mod tail;
#[cfg(test)]
mod tests;
mod traced;

use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard};

use openraft::entry::RaftEntry as _;
use openraft::storage::{IOFlushed, LogState, RaftLogStorage};
use openraft::{OptionalSend, RaftLogReader};
use prost::Message as _;

use self::tail::Tail;
use super::types::{Entry, LogId, NodeName, TypeConfig, Vote};
use super::wire;
use crate::bug::{Bug, Bugs};
use crate::env::fault::{CommitPoints, CrashPoint};
use crate::env::{CrashPoints, Env, watch};
use crate::machine::tables::StoreError;
use crate::store::log::writer::{Done, LogFile, Writer};
use crate::store::log::{self, Contents, Key, Op};
use crate::store::{Faults, database};
use crate::trace::{Event, Trace};

/// How many bytes may wait for the disk before an append waits for it, too.
const WAITING_BYTES_MAX: usize = 64 << 20;
/// How many bytes of entries one append request to a follower carries, beyond the entry that reaches it.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// How often a read looks again because the log changed under it. A change needs a new leader or a snapshot.
const LOOKS_MAX: u32 = 16;

/// The log of one node. Clones are the same log.
#[derive(Debug, Clone)]
pub struct LogStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    node: NodeName,
    file: Arc<LogFile>,
    writer: Writer,
    faults: Faults,
    trace: Trace,
    crash_points: CrashPoints,
    bugs: Bugs,
    state: Mutex<State>,
    /// How many bytes wait for the disk, after each commit.
    waiting: watch::Receiver<usize>,
}

#[derive(Debug)]
struct State {
    vote: Option<Vote>,
    committed: Option<LogId>,
    purged: Option<LogId>,
    last: Option<LogId>,
    /// The index of the first entry, if there is one.
    begin: u64,
    tail: Tail,
    waiting_bytes: usize,
    waiting: watch::Sender<usize>,
}

/// A log that was opened.
#[derive(Debug)]
pub struct OpenLog {
    /// The log.
    pub store: LogStore,
    /// Sees its end when the file is closed.
    pub closed: watch::Receiver<()>,
    /// It holds nothing: this node was never part of a cluster.
    pub pristine: bool,
    /// The index of its last entry.
    pub last: Option<u64>,
    /// What it held.
    pub contents: Contents,
}

impl LogStore {
    /// Opens the log of `node`, and verifies all of it.
    ///
    /// # Errors
    /// `Corrupt` when it is not as it was written, or belongs to another node.
    pub async fn open(
        env: &Env,
        node: &NodeName,
        faults: Faults,
        trace: Trace,
    ) -> Result<OpenLog, StoreError> {
        let path = env.disk.path(log::FILE);
        let points = CommitPoints::new(env.crash_points.clone());
        let (database, contents) = log::open(&*env.disk, &points, env.bugs)?;
        let bad = |what: String| database::corrupt(&path, &what);
        if let Some(owner) = &contents.node
            && owner != node.as_str()
        {
            return Err(bad(format!("it belongs to node {owner}, and this node is {node}")));
        }
        let vote = contents.vote.as_ref().map(|vote| wire::parse_vote(Some(vote))).transpose();
        let vote = vote.map_err(|error| bad(format!("the vote: {error}")))?;
        let (file, closed) = LogFile::new(database, env.disk.clone(), points);
        let writer = Writer::start(env, file.clone(), contents.commits, faults.clone())?;
        let pristine = vote.is_none() && contents.last.is_none();
        let last = contents.last.as_ref().map(wire::parse_log_id);
        let (sender, waiting) = watch::channel(0);
        let state = State {
            vote,
            committed: contents.committed.as_ref().map(wire::parse_log_id),
            purged: contents.purged.as_ref().map(wire::parse_log_id),
            last,
            begin: contents.purged.map_or(0, |id| id.index + 1),
            tail: Tail::starting_at(last.map_or(0, |id| id.index() + 1)),
            waiting_bytes: 0,
            waiting: sender,
        };
        let shared = Shared {
            node: node.clone(),
            file,
            writer,
            faults,
            trace,
            crash_points: env.crash_points.clone(),
            bugs: env.bugs,
            state: Mutex::new(state),
            waiting,
        };
        let store = Self { shared: Arc::new(shared) };
        if contents.node.is_none() {
            let named = store.durably(Op::Set(Key::Node, node.as_str().into())).await;
            named.map_err(|source| StoreError::Io {
                file: path,
                action: "cannot write the log".to_owned(),
                source: source.into(),
            })?;
        }
        Ok(OpenLog { store, closed, pristine, last: last.map(|id| id.index()), contents })
    }

    /// The node that it belongs to.
    #[must_use]
    pub fn node(&self) -> &NodeName {
        &self.shared.node
    }

    /// Waits until every entry that was appended before is durable.
    ///
    /// # Errors
    /// One of them is not, and never will be.
    pub async fn barrier(&self) -> io::Result<()> {
        self.shared.writer.barrier().await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("a broken invariant of the log stops the node")
    }

    async fn durably(&self, op: Op) -> io::Result<()> {
        let (tx, rx) = tokio::sync::oneshot::channel();
        // The receiver is gone when nobody waits any more.
        self.shared.writer.submit(op, Done::new(move |result| drop(tx.send(result))));
        rx.await.unwrap_or_else(|_| Err(io::Error::other("the log is closed")))
    }

    /// The entries of `start..end` until they have `bytes_max` bytes, at least one if there is one. Entries that were
    /// purged, or are not there yet, are left out.
    fn read(&self, start: u64, end: u64, bytes_max: usize) -> io::Result<Vec<Entry>> {
        for _ in 0..LOOKS_MAX {
            if let Some(entries) = self.look(start, end, bytes_max)? {
                return Ok(entries);
            }
        }
        let what = format!("entries of {start}..{end} are missing");
        Err(self.shared.faults.report(database::corrupt(&self.shared.file.path, &what)))
    }

    /// Reads from the file and then from memory; `None` when the log was truncated or purged between the two.
    fn look(&self, start: u64, end: u64, bytes_max: usize) -> io::Result<Option<Vec<Entry>>> {
        let (start, end, first) = {
            let state = self.state();
            let start = start.max(state.begin);
            let end = end.min(state.tail.next());
            if start >= state.tail.first() || start >= end {
                return Ok(Some(state.tail.read(start, end, bytes_max)));
            }
            (start, end, state.tail.first())
        };
        let (mut entries, bytes) = self.read_file(start, end.min(first), bytes_max)?;
        let reached = entries.last().map_or(start, |entry| entry.log_id.index() + 1);
        let hole = entries.iter().zip(start..).any(|(entry, index)| entry.log_id.index() != index);
        if hole || (reached < end.min(first) && bytes < bytes_max) {
            return Ok(None);
        }
        if reached < end && bytes < bytes_max {
            let state = self.state();
            if state.tail.first() != first {
                return Ok(None);
            }
            entries.extend(state.tail.read(reached, end, bytes_max - bytes));
        }
        Ok(Some(entries))
    }

    fn read_file(&self, start: u64, end: u64, bytes_max: usize) -> io::Result<(Vec<Entry>, usize)> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        let file = &self.shared.file;
        let read = log::visit(&file.database, &file.path, start..end, &mut |index, entry| {
            bytes += entry.encoded_len();
            let entry = wire::parse_entry(entry)
                .map_err(|error| database::corrupt(&file.path, &format!("entry {index}: {error}")))?;
            entries.push(entry);
            Ok(bytes < bytes_max)
        });
        match read {
            Ok(()) => Ok((entries, bytes)),
            Err(fault) => Err(self.shared.faults.report(fault)),
        }
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<R>(&mut self, range: R) -> Result<Vec<Entry>, io::Error>
    where
        R: RangeBounds<u64> + Clone + std::fmt::Debug + OptionalSend,
    {
        let start = match range.start_bound() {
            Bound::Included(index) => *index,
            Bound::Excluded(index) => index + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(index) => index + 1,
            Bound::Excluded(index) => *index,
            Bound::Unbounded => u64::MAX,
        };
        self.read(start, end, usize::MAX)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        self.read(start, end, REQUEST_BYTES_MAX)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.state().vote.clone())
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let state = self.state();
        Ok(LogState { last_purged_log_id: state.purged, last_log_id: state.last })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        if !self.shared.bugs.has(Bug::ForgetVote) {
            self.durably(Op::Set(Key::Vote, wire::vote(vote).encode_to_vec())).await?;
        }
        self.state().vote = Some(vote.clone());
        self.shared.trace.write_with(|| {
            let (term, candidate) = (vote.leader_id.term, vote.leader_id.voted_for.as_str().to_owned());
            match vote.committed {
                false => Event::Vote { term, candidate },
                true => Event::Following { term, leader: candidate },
            }
        });
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.state().committed = committed;
        if let Some(id) = committed {
            self.shared.writer.ride_along(Op::Set(Key::Committed, wire::log_id(&id).encode_to_vec()));
            self.shared
                .trace
                .write_with(|| Event::Commit { index: id.index(), term: id.committed_leader_id().term });
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.state().committed)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let encoded: Vec<Vec<u8>> = entries.iter().map(|entry| wire::entry(entry).encode_to_vec()).collect();
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            callback.io_completed(Ok(()));
            return Ok(());
        };
        let (first, last) = (first.index(), last.log_id());
        let mut waiting = self.shared.waiting.clone();
        // The sender lives in this store, so this ends only when there is room.
        let _ = waiting.wait_for(|bytes| *bytes < WAITING_BYTES_MAX).await;

        self.trace_append(&entries, &encoded);
        let bytes: usize = encoded.iter().map(Vec::len).sum();
        let mut state = self.state();
        for entry in &entries {
            self.trace_leadership(entry, state.vote.as_ref());
        }
        if state.last.is_none() {
            state.begin = first;
            state.tail.begin_at(first);
        }
        let sizes = encoded.iter().map(Vec::len);
        let append = state.tail.append(entries.into_iter().zip(sizes));
        state.last = Some(last);
        state.waiting_bytes += bytes;
        let shared = self.shared.clone();
        let flushed = Event::Flushed { index: last.index(), term: last.committed_leader_id().term };
        let done = Done::new(move |result| {
            if result.is_ok() {
                shared.trace.write(&flushed);
            }
            if let Ok(mut state) = shared.state.lock() {
                state.waiting_bytes -= bytes;
                if result.is_ok() {
                    state.tail.durable(append);
                }
                state.waiting.send(state.waiting_bytes);
            }
            callback.io_completed(result);
        });
        self.shared.writer.submit(Op::Append(first, encoded), done);
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let from = last.map_or(0, |id| id.index() + 1);
        self.shared.trace.write(&Event::Truncated { from });
        let mut state = self.state();
        state.tail.truncate_from(from);
        state.last = state.last.min(last);
        if !self.shared.bugs.has(Bug::KeepTruncated) {
            self.shared.writer.ride_along(Op::TruncateFrom(from));
        }
        self.shared.crash_points.reach(CrashPoint::TruncateBeforeAppend);
        Ok(())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), io::Error> {
        let (index, term) = (upto.index(), upto.committed_leader_id().term);
        self.shared.trace.write(&Event::Purged { index, term });
        let mut state = self.state();
        state.tail.purge_to(upto.index());
        state.begin = state.begin.max(upto.index() + 1);
        state.purged = state.purged.max(Some(upto));
        state.last = state.last.max(Some(upto));
        self.shared.writer.ride_along(Op::Set(Key::Purged, wire::log_id(&upto).encode_to_vec()));
        self.shared.writer.ride_along(Op::PurgeTo(upto.index()));
        self.shared.crash_points.reach(CrashPoint::PurgeBeforeCommit);
        Ok(())
    }
}

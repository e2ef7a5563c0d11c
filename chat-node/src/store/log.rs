//! `log.redb`: the log and its few single values, as one queue of operations that a pure [`commit`] makes durable.
//!
//! # Invariants
//! * Operations reach the file in the order in which they were queued; a commit holds a prefix of the queue.
//! * The indexes of the stored entries have no hole, and begin right after what was purged.
//! * `commits` rises by one with every commit.
//!
//! Every record has a checksum over its key and payload, and all are read when the file is opened.

pub mod writer;

use std::ops::Range;

use prost::Message as _;
use proto::raft as pb;
use redb::{Database, ReadableDatabase as _, TableDefinition, WriteTransaction};

use super::{database, record};
use crate::bug::{Bug, Bugs};
use crate::env::disk::Disk;
use crate::env::fault::{CommitPoints, CrashPoint};
use crate::machine::tables::StoreError;

/// The database file.
pub const FILE: &str = "log.redb";
/// Its witness.
pub const MARK: &str = "log.mark";

const ENTRIES: TableDefinition<u64, &[u8]> = TableDefinition::new("entries");
const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");

/// The single values beside the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The name of the node that the log belongs to.
    Node,
    /// A [`pb::Vote`].
    Vote,
    /// The [`pb::LogId`] of the last entry that was removed from the front.
    Purged,
    /// The [`pb::LogId`] of the last entry that is known to be committed.
    Committed,
}

impl Key {
    fn name(self) -> &'static str {
        match self {
            Key::Node => "node",
            Key::Vote => "vote",
            Key::Purged => "purged",
            Key::Committed => "committed",
        }
    }
}

/// The name of the count of commits, which no operation sets.
const COMMITS: &str = "commits";

/// One change of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Sets a single value.
    Set(Key, Vec<u8>),
    /// Adds entries at the end: the first index, and an encoded [`pb::Entry`] for it and each index after it.
    Append(u64, Vec<Vec<u8>>),
    /// Removes the entries from this index on.
    TruncateFrom(u64),
    /// Removes the entries up to this index, inclusive.
    PurgeTo(u64),
}

impl Op {
    /// The crash points before and after the sync of a commit that it is part of.
    fn crash_points(&self) -> Option<(CrashPoint, Option<CrashPoint>)> {
        match self {
            Op::Set(Key::Vote, _) => Some((CrashPoint::VoteBeforeSync, Some(CrashPoint::VoteAfterSync))),
            Op::Append(..) => Some((CrashPoint::AppendBeforeSync, Some(CrashPoint::AppendAfterSync))),
            Op::PurgeTo(_) => Some((CrashPoint::PurgeBeforeSync, None)),
            Op::Set(Key::Node | Key::Purged | Key::Committed, _) | Op::TruncateFrom(_) => None,
        }
    }

    /// About how many bytes it adds to a transaction.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Op::Set(_, value) => value.len(),
            Op::Append(_, entries) => entries.iter().map(Vec::len).sum(),
            Op::TruncateFrom(_) | Op::PurgeTo(_) => 0,
        }
    }
}

/// What a log holds when it is opened.
#[derive(Debug, Default)]
pub struct Contents {
    /// The node that it belongs to.
    pub node: Option<String>,
    /// The last vote.
    pub vote: Option<pb::Vote>,
    /// The last entry that was removed from the front.
    pub purged: Option<pb::LogId>,
    /// The last entry that was known to be committed.
    pub committed: Option<pb::LogId>,
    /// The last entry.
    pub last: Option<pb::LogId>,
    /// The first entry of each term that has any.
    pub terms: Vec<pb::LogId>,
    /// How many commits the file has seen.
    pub commits: u64,
}

/// Applies `ops` in order and sets the count of commits to `commits`, in one transaction, which is durable when this
/// returns. It touches nothing but `database`, and reaches `points` on its way.
///
/// # Errors
/// The transaction failed: nobody knows whether it is durable, and the handle is not to be used again.
pub fn commit(
    database: &Database,
    path: &str,
    commits: u64,
    ops: &[Op],
    points: &CommitPoints,
) -> Result<(), StoreError> {
    let before_sync: Vec<_> = ops.iter().filter_map(Op::crash_points).map(|(before, _)| before).collect();
    let commit = || {
        let transaction = database.begin_write()?;
        for op in ops {
            apply(&transaction, op)?;
        }
        let count = record::seal(COMMITS.as_bytes(), &commits.to_le_bytes());
        transaction.open_table(VALUES)?.insert(COMMITS, count.as_slice())?;
        Ok(points.before_sync(&before_sync, || transaction.commit())?)
    };
    let failed = |error: redb::Error| database::error(path, "cannot commit to the log", error);
    database::guarded(path, || commit().map_err(failed))
}

fn apply(transaction: &WriteTransaction, op: &Op) -> Result<(), redb::Error> {
    match op {
        Op::Set(key, value) => {
            let mut values = transaction.open_table(VALUES)?;
            values.insert(key.name(), record::seal(key.name().as_bytes(), value).as_slice())?;
        }
        Op::Append(first, entries) => {
            let mut table = transaction.open_table(ENTRIES)?;
            for (index, entry) in (*first..).zip(entries) {
                table.insert(index, record::seal(&index.to_be_bytes(), entry).as_slice())?;
            }
        }
        Op::TruncateFrom(index) => {
            transaction.open_table(ENTRIES)?.retain_in::<u64, _>(index.., |_, _| false)?
        }
        Op::PurgeTo(index) => transaction.open_table(ENTRIES)?.retain_in::<u64, _>(..=index, |_, _| false)?,
    }
    Ok(())
}

/// Opens the log and verifies all of it. Its commits reach `points`.
///
/// # Errors
/// `Corrupt`, naming the file, when anything in it is not as it was written.
pub fn open(disk: &dyn Disk, points: &CommitPoints, bugs: Bugs) -> Result<(Database, Contents), StoreError> {
    let path = disk.path(FILE);
    let database = database::open(disk, FILE, points, bugs)?;
    let contents = database::guarded(&path, || read(&database, &path, bugs))?;
    Ok((database, contents))
}

fn read(database: &Database, path: &str, bugs: Bugs) -> Result<Contents, StoreError> {
    let create = || {
        // Opening a table for writing creates it; after this no reader finds one missing.
        let transaction = database.begin_write()?;
        transaction.open_table(ENTRIES)?;
        transaction.open_table(VALUES)?;
        Ok(transaction.commit()?)
    };
    create().map_err(|error: redb::Error| database::error(path, "cannot create the tables", error))?;

    let mut contents = read_values(database, path)?;
    contents.last = contents.purged;
    let mut next = contents.purged.map_or(0, |id| id.index + 1);
    let read = visit(database, path, 0..u64::MAX, &mut |index, entry| {
        let id = entry.id.unwrap_or_default();
        if id.index != index || next != index {
            return Err(database::corrupt(path, &format!("entry {index} stands where {next} should")));
        }
        if contents.last.is_some_and(|last| last.term > id.term) {
            return Err(database::corrupt(path, &format!("the term falls at entry {index}")));
        }
        next = index + 1;
        if contents.terms.last().is_none_or(|first| first.term < id.term) {
            contents.terms.push(id);
        }
        contents.last = Some(id);
        Ok(true)
    });
    match read {
        Err(StoreError::Corrupt { .. }) if bugs.has(Bug::AcceptDamage) => Ok(contents),
        read => read.map(|()| contents),
    }
}

fn read_values(database: &Database, path: &str) -> Result<Contents, StoreError> {
    let io = |error: redb::Error| database::error(path, "cannot read the log", error);
    let values = (|| Ok(database.begin_read()?.open_table(VALUES)?))().map_err(io)?;
    let value = |name: &str| -> Result<Option<Vec<u8>>, StoreError> {
        let Some(guard) = values.get(name).map_err(|error| io(error.into()))? else { return Ok(None) };
        match record::open(name.as_bytes(), guard.value()) {
            Ok(payload) => Ok(Some(payload.to_vec())),
            Err(what) => Err(database::corrupt(path, &format!("the value `{name}`: {what}"))),
        }
    };
    let bad = |name: &str| database::corrupt(path, &format!("the value `{name}` is undecodable"));
    let id = |key: Key| -> Result<Option<pb::LogId>, StoreError> {
        let Some(bytes) = value(key.name())? else { return Ok(None) };
        pb::LogId::decode(bytes.as_slice()).map(Some).map_err(|_| bad(key.name()))
    };
    let vote = value(Key::Vote.name())?.map(|bytes| pb::Vote::decode(bytes.as_slice()));
    let node = value(Key::Node.name())?.map(String::from_utf8);
    let commits = value(COMMITS)?.map(<[u8; 8]>::try_from);
    Ok(Contents {
        node: node.transpose().map_err(|_| bad(Key::Node.name()))?,
        vote: vote.transpose().map_err(|_| bad(Key::Vote.name()))?,
        purged: id(Key::Purged)?,
        committed: id(Key::Committed)?,
        last: None,
        terms: Vec::new(),
        commits: commits.transpose().map_err(|_| bad(COMMITS))?.map_or(0, u64::from_le_bytes),
    })
}

/// Shows every stored entry of `range` to `visit`, in order, until it answers `false`.
///
/// # Errors
/// `Corrupt` when an entry is not as it was written; what `visit` returns.
pub fn visit(
    database: &Database,
    path: &str,
    range: Range<u64>,
    visit: &mut dyn FnMut(u64, pb::Entry) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    database::guarded(path, || visit_unguarded(database, path, range, visit))
}

fn visit_unguarded(
    database: &Database,
    path: &str,
    range: Range<u64>,
    visit: &mut dyn FnMut(u64, pb::Entry) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let io = |error: redb::Error| database::error(path, "cannot read the log", error);
    let table = (|| Ok(database.begin_read()?.open_table(ENTRIES)?))().map_err(io)?;
    for item in table.range(range).map_err(|error| io(error.into()))? {
        let (index, guard) = item.map_err(|error| io(error.into()))?;
        let index = index.value();
        let payload = record::open(&index.to_be_bytes(), guard.value())
            .map_err(|what| database::corrupt(path, &format!("entry {index}: {what}")))?;
        let entry = pb::Entry::decode(payload)
            .map_err(|error| database::corrupt(path, &format!("entry {index} is undecodable: {error}")))?;
        if !visit(index, entry)? {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

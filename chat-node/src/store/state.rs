//! `state.redb`: the machine's records, what they include, and their digest.
//!
//! # Invariants
//! * The records, the id of the last applied entry, the membership and the digest change in one transaction.
//! * The digest is that of the records that are there.
//! * `commits` rises by one with every durable commit.
//!
//! A transaction is not durable by itself; the log is. [`State::checkpoint`] makes the last one durable.

pub mod digest;

use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use prost::Message as _;
use proto::raft as pb;
use redb::{
    Database, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase as _, ReadableTable, Table,
    TableDefinition, WriteTransaction,
};

use self::digest::Digest;
use super::mark::Mark;
use super::snapshot::Put;
use super::{database, record};
use crate::bug::Bugs;
use crate::env::fault::{CommitPoints, CrashPoint};
use crate::env::{Disk, watch};
use crate::machine::tables::{Direction, StoreError, Tables, TablesMut, Visit};

/// The database file.
pub const FILE: &str = "state.redb";
/// Its witness.
pub const MARK: &str = "state.mark";

const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
const VALUES: TableDefinition<&str, &[u8]> = TableDefinition::new("values");

/// The name of what the records include: a [`pb::SnapshotHead`], digest and all.
const HEAD: &str = "head";
/// The name of the count of durable commits.
const COMMITS: &str = "commits";

/// What the records include.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Head {
    /// The last applied entry.
    pub applied: Option<pb::LogId>,
    /// The last applied membership.
    pub membership: Option<pb::StoredMembership>,
    /// The digest of the records.
    pub digest: Digest,
}

impl Head {
    /// The index of the last applied entry; 0 when there is none.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.applied.map_or(0, |id| id.index)
    }

    /// As the message that is stored, and that begins a snapshot.
    #[must_use]
    pub fn message(&self) -> pb::SnapshotHead {
        pb::SnapshotHead {
            last: self.applied,
            membership: self.membership.clone(),
            digest: self.digest.to_bytes().to_vec(),
        }
    }

    /// From a message; `None` when its digest is no digest.
    #[must_use]
    pub fn from_message(message: pb::SnapshotHead) -> Option<Self> {
        let digest = Digest::from_bytes(message.digest.as_slice().try_into().ok()?);
        Some(Self { applied: message.last, membership: message.membership, digest })
    }
}

/// The state, as its one writer has it.
pub struct State {
    database: Arc<StateFile>,
    mark: Mark,
    commits: u64,
    head: Head,
    /// There are transactions that are not durable.
    dirty: bool,
    points: CommitPoints,
}

/// The open file. It is closed when the last clone of its `Arc` is dropped; the fields are dropped in their order, so
/// nobody sees it closed, or can take the directory, before it is.
pub struct StateFile {
    database: Database,
    path: String,
    _disk: Arc<dyn Disk>,
    _open: watch::Sender<()>,
}

impl StateFile {
    /// A consistent view of the records and of what they include.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn view(&self) -> Result<View, StoreError> {
        let view = || {
            let transaction = self.database.begin_read()?;
            let records = transaction.open_table(RECORDS)?;
            Ok((transaction, records))
        };
        let (transaction, records) = view().map_err(|error| read_error(&self.path, error))?;
        let head = read_head(&transaction, &self.path)?;
        Ok(View { records, head, path: self.path.clone() })
    }

    /// How a person finds it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl State {
    /// Opens the state and verifies all of it. Its commits reach `points`. The receiver sees its end when the file is
    /// closed.
    ///
    /// # Errors
    /// `Corrupt`, naming the file, when anything in it is not as it was written.
    pub fn open(
        disk: Arc<dyn Disk>,
        points: CommitPoints,
    ) -> Result<(Self, watch::Receiver<()>), StoreError> {
        let path = disk.path(FILE);
        let database = database::open(&*disk, FILE, &points, Bugs::default())?;
        let (head, commits) = database::guarded(&path, || read(&database, &path))?;
        let mark = Mark::open(&*disk, MARK, FILE, commits)?;
        let (open, closed) = watch::channel(());
        let database = Arc::new(StateFile { database, path, _disk: disk, _open: open });
        Ok((Self { database, mark, commits, head, dirty: false, points }, closed))
    }

    /// The file, to read from.
    #[must_use]
    pub fn file(&self) -> Arc<StateFile> {
        self.database.clone()
    }

    /// What the records include.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Changes records and what they include, in one transaction that is not durable yet. An error leaves the state as
    /// it was.
    ///
    /// # Errors
    /// What `change` returns, or the file cannot be written.
    pub fn change<T>(
        &mut self,
        change: impl FnOnce(&mut dyn TablesMut, &mut Head) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut transaction = self.begin()?;
        transaction.set_durability(Durability::None).map_err(|error| self.write_error(error))?;
        let mut head = self.head.clone();
        let value = {
            let records = transaction.open_table(RECORDS).map_err(|error| self.write_error(error))?;
            let mut batch = Batch { records, digest: head.digest, path: &self.database.path };
            let value = change(&mut batch, &mut head)?;
            head.digest = batch.digest;
            value
        };
        self.write_head(&transaction, &head)?;
        transaction.commit().map_err(|error| self.write_error(error))?;
        self.head = head;
        self.dirty = true;
        Ok(value)
    }

    /// Makes all that was changed durable.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        if !self.dirty {
            return Ok(());
        }
        let transaction = self.begin()?;
        self.commit_durably(transaction, CrashPoint::CheckpointBeforeSync)
    }

    /// Puts the records that `fill` shows in place of all that are there, durably, all or nothing. `fill` returns what
    /// they include.
    ///
    /// # Errors
    /// What `fill` returns, the records have another digest than it says, or the file cannot be written.
    pub fn replace(
        &mut self,
        fill: impl FnOnce(Put<'_>) -> Result<Head, StoreError>,
    ) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        transaction.delete_table(RECORDS).map_err(|error| self.write_error(error))?;
        let head = {
            let records = transaction.open_table(RECORDS).map_err(|error| self.write_error(error))?;
            let mut batch = Batch { records, digest: Digest::default(), path: &self.database.path };
            let head = fill(&mut |key, value| {
                batch.put(key, value)?;
                self.points.reach(CrashPoint::InstallMidReplace);
                Ok(())
            })?;
            if batch.digest != head.digest {
                return Err(database::corrupt(
                    &self.database.path,
                    "the snapshot has another digest than it says",
                ));
            }
            head
        };
        self.write_head(&transaction, &head)?;
        self.commit_durably(transaction, CrashPoint::InstallBeforeSync)?;
        self.head = head;
        Ok(())
    }

    fn begin(&self) -> Result<WriteTransaction, StoreError> {
        self.database.database.begin_write().map_err(|error| self.write_error(error))
    }

    fn write_head(&self, transaction: &WriteTransaction, head: &Head) -> Result<(), StoreError> {
        let record = record::seal(HEAD.as_bytes(), &head.message().encode_to_vec());
        let write = || -> Result<(), redb::Error> {
            transaction.open_table(VALUES)?.insert(HEAD, record.as_slice())?;
            Ok(())
        };
        write().map_err(|error| self.write_error(error))
    }

    fn commit_durably(
        &mut self,
        transaction: WriteTransaction,
        before_sync: CrashPoint,
    ) -> Result<(), StoreError> {
        self.commits += 1;
        let record = record::seal(COMMITS.as_bytes(), &self.commits.to_le_bytes());
        let commit = || -> Result<(), redb::Error> {
            transaction.open_table(VALUES)?.insert(COMMITS, record.as_slice())?;
            Ok(self.points.before_sync(&[before_sync], || transaction.commit())?)
        };
        commit().map_err(|error| self.write_error(error))?;
        self.points.reach(CrashPoint::CommitBeforeMark);
        self.mark.set(self.commits)?;
        self.dirty = false;
        Ok(())
    }

    fn write_error(&self, error: impl Into<redb::Error>) -> StoreError {
        database::error(&self.database.path, "cannot write the state", error)
    }
}

fn read_error(path: &str, error: redb::Error) -> StoreError {
    database::error(path, "cannot read the state", error)
}

/// Reads and verifies everything in a file that was just opened.
fn read(database: &Database, path: &str) -> Result<(Head, u64), StoreError> {
    let create = || {
        // Opening a table for writing creates it; after this no reader finds one missing.
        let transaction = database.begin_write()?;
        transaction.open_table(RECORDS)?;
        transaction.open_table(VALUES)?;
        Ok(transaction.commit()?)
    };
    create().map_err(|error: redb::Error| database::error(path, "cannot create the tables", error))?;

    let transaction = database.begin_read().map_err(|error| read_error(path, error.into()))?;
    let head = read_head(&transaction, path)?;
    let records = transaction.open_table(RECORDS).map_err(|error| read_error(path, error.into()))?;
    let view = View { records, head: head.clone(), path: path.to_owned() };
    if view.compute_digest()? != head.digest {
        return Err(database::corrupt(path, "the records have another digest than the one stored with them"));
    }
    let commits = match read_value(&transaction, path, COMMITS)? {
        None => 0,
        Some(bytes) => u64::from_le_bytes(
            bytes.try_into().map_err(|_| database::corrupt(path, "the count of commits is undecodable"))?,
        ),
    };
    Ok((head, commits))
}

fn read_head(transaction: &ReadTransaction, path: &str) -> Result<Head, StoreError> {
    let Some(bytes) = read_value(transaction, path, HEAD)? else { return Ok(Head::default()) };
    pb::SnapshotHead::decode(bytes.as_slice())
        .ok()
        .and_then(Head::from_message)
        .ok_or_else(|| database::corrupt(path, "the head is undecodable"))
}

fn read_value(transaction: &ReadTransaction, path: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let get = || Ok(transaction.open_table(VALUES)?.get(name)?.map(|guard| guard.value().to_vec()));
    let Some(record) = get().map_err(|error: redb::Error| read_error(path, error))? else { return Ok(None) };
    match record::open(name.as_bytes(), &record) {
        Ok(payload) => Ok(Some(payload.to_vec())),
        Err(what) => Err(database::corrupt(path, &format!("the value `{name}`: {what}"))),
    }
}

/// A consistent view of the state. Later changes do not show.
pub struct View {
    records: ReadOnlyTable<&'static [u8], &'static [u8]>,
    head: Head,
    path: String,
}

impl View {
    /// What the records include.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The digest, from all records. Takes long.
    ///
    /// # Errors
    /// A record is not as it was written.
    pub fn compute_digest(&self) -> Result<Digest, StoreError> {
        let mut digest = Digest::default();
        self.visit_all(&mut |key, value| {
            digest.add(key, value);
            ControlFlow::Continue(())
        })?;
        Ok(digest)
    }

    /// Shows every record to `visit`, in key order, until it breaks.
    ///
    /// # Errors
    /// A record is not as it was written.
    pub fn visit_all(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        scan(&self.records, &self.path, (Bound::Unbounded, Bound::Unbounded), Direction::Forward, visit)
    }
}

impl Tables for View {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(&self.records, &self.path, key)
    }

    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError> {
        scan(&self.records, &self.path, (Bound::Included(from), Bound::Excluded(to)), direction, visit)
    }
}

/// The records within a transaction.
struct Batch<'a> {
    records: Table<'a, &'static [u8], &'static [u8]>,
    digest: Digest,
    path: &'a str,
}

impl Batch<'_> {
    fn forget(&mut self, key: &[u8], old: Option<Vec<u8>>) -> Result<(), StoreError> {
        if let Some(old) = old {
            self.digest.remove(key, open_record(self.path, key, &old)?);
        }
        Ok(())
    }
}

impl Tables for Batch<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(&self.records, self.path, key)
    }

    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError> {
        scan(&self.records, self.path, (Bound::Included(from), Bound::Excluded(to)), direction, visit)
    }
}

impl TablesMut for Batch<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let record = record::seal(key, value);
        let old = match self.records.insert(key, record.as_slice()) {
            Ok(old) => old.map(|guard| guard.value().to_vec()),
            Err(error) => return Err(database::error(self.path, "cannot write the state", error)),
        };
        self.forget(key, old)?;
        self.digest.add(key, value);
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let old = match self.records.remove(key) {
            Ok(old) => old.map(|guard| guard.value().to_vec()),
            Err(error) => return Err(database::error(self.path, "cannot write the state", error)),
        };
        self.forget(key, old)
    }
}

fn open_record<'a>(path: &str, key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], StoreError> {
    record::open(key, stored)
        .map_err(|what| database::corrupt(path, &format!("the record {}: {what}", hex(key))))
}

fn hex(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn get(
    records: &impl ReadableTable<&'static [u8], &'static [u8]>,
    path: &str,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    match records.get(key).map_err(|error| read_error(path, error.into()))? {
        None => Ok(None),
        Some(stored) => Ok(Some(open_record(path, key, stored.value())?.to_vec())),
    }
}

fn scan(
    records: &impl ReadableTable<&'static [u8], &'static [u8]>,
    path: &str,
    bounds: (Bound<&[u8]>, Bound<&[u8]>),
    direction: Direction,
    visit: Visit<'_>,
) -> Result<(), StoreError> {
    if let (Bound::Included(from), Bound::Excluded(to)) = bounds
        && from >= to
    {
        return Ok(());
    }
    let mut range = records.range::<&[u8]>(bounds).map_err(|error| read_error(path, error.into()))?;
    loop {
        let item = match direction {
            Direction::Forward => range.next(),
            Direction::Backward => range.next_back(),
        };
        let Some(item) = item else { return Ok(()) };
        let (key, stored) = item.map_err(|error| read_error(path, error.into()))?;
        if visit(key.value(), open_record(path, key.value(), stored.value())?).is_break() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;

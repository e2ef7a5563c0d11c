//! Opening a redb file, and being sure of it.

use std::cell::Cell;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use redb::{Builder, Database, StorageBackend};

use crate::bug::{Bug, Bugs};
use crate::env::disk::Disk;
use crate::env::fault::CommitPoints;
use crate::machine::tables::StoreError;

/// How much of a file is kept in memory, in bytes. redb's own default is a gibibyte.
const CACHE_BYTES: usize = 64 << 20;

/// Opens the database `name`, or creates it, and verifies the checksums of all its live pages. Its syncs reach `points`.
///
/// # Errors
/// `Corrupt` when a page does not verify, also when redb could repair it: a repair undoes what others rely on.
pub fn open(disk: &dyn Disk, name: &str, points: &CommitPoints, bugs: Bugs) -> Result<Database, StoreError> {
    let path = disk.path(name);
    let backend = disk.database(name).map_err(|source| StoreError::Io {
        file: path.clone(),
        action: "cannot open".to_owned(),
        source: source.into(),
    })?;
    guarded(&path, || {
        let mut database = Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(Backend { backend, points: points.clone() })
            .map_err(|source| error(&path, "cannot open", source))?;
        match database.check_integrity() {
            Ok(true) => Ok(database),
            Ok(false) if bugs.has(Bug::AcceptDamage) => Ok(database),
            Ok(false) => Err(corrupt(&path, "a page does not match its checksum")),
            Err(source) => Err(error(&path, "cannot open", source)),
        }
    })
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is caught by [`guarded`], and so is not one of the node.
#[must_use]
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// Runs `read`, which reads a file that may be damaged. redb does not doubt the pages that it reads, and a bad number in
/// one makes it panic; here that is what it means: the file is corrupt.
///
/// # Errors
/// What `read` returns; `Corrupt` when it panics.
pub fn guarded<T>(path: &str, read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let outer = GUARDED.replace(true);
    let read = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(outer);
    read.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
        Err(corrupt(path, &format!("its pages make no sense ({words})")))
    })
}

/// The file at `path` holds something that was not written there.
#[must_use]
pub fn corrupt(path: &str, what: &str) -> StoreError {
    StoreError::Corrupt { file: path.to_owned(), what: what.to_owned() }
}

/// An error of redb, as ours. A read beyond the end of the file is what a damaged pointer leads to.
#[must_use]
pub fn error(path: &str, action: &str, source: impl Into<redb::Error>) -> StoreError {
    match source.into() {
        redb::Error::Corrupted(what) => corrupt(path, &what),
        redb::Error::Io(source)
            if matches!(source.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) =>
        {
            corrupt(path, &source.to_string())
        }
        source => StoreError::Io { file: path.to_owned(), action: action.to_owned(), source: source.into() },
    }
}

/// redb takes a backend by its type. Only one node can have its disk open, so the backend need not lock.
#[derive(Debug)]
struct Backend {
    backend: Box<dyn StorageBackend>,
    points: CommitPoints,
}

impl StorageBackend for Backend {
    fn len(&self) -> std::io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.backend.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.backend.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.points.written();
        self.backend.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.backend.write(offset, data)
    }

    fn close(&self) -> std::io::Result<()> {
        self.backend.close()
    }
}

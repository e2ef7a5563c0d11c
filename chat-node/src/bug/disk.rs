//! A disk whose syncs are not what they should be: where the bugs of durability bite.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::StorageBackend;

use super::{Bug, Bugs};
use crate::env::Disk;
use crate::env::disk::DiskFile;
use crate::store::{log, snapshot};

/// `disk`, as a node with `bugs` uses it.
#[must_use]
pub fn over(disk: Arc<dyn Disk>, bugs: Bugs) -> Arc<dyn Disk> {
    let lies = [Bug::AckBeforeSync, Bug::PurgeBeforeSnapshot, Bug::IgnoreSyncError, Bug::SlowSync];
    if lies.into_iter().any(|bug| bugs.has(bug)) { Arc::new(LyingDisk { disk, bugs }) } else { disk }
}

/// Of how many syncs a lazy disk does one.
const LAZY: u64 = 64;

/// How many syncs a slow disk does for one.
const SLOW: usize = 8;

/// What becomes of the syncs of one file.
#[derive(Debug)]
enum Sync {
    Honest,
    /// One in [`LAZY`] is done, so that not all is lost; this counts them.
    Lazy(AtomicU64),
    /// They are not done.
    Skipped,
    /// They are done, and their errors dropped.
    Hushed,
    /// Each is done [`SLOW`] times.
    Slow,
}

impl Sync {
    fn of(file: &str, bugs: Bugs) -> Self {
        if file == log::FILE && bugs.has(Bug::AckBeforeSync) {
            Sync::Lazy(AtomicU64::new(0))
        } else if file.starts_with(snapshot::FILE) && bugs.has(Bug::PurgeBeforeSnapshot) {
            Sync::Skipped
        } else if bugs.has(Bug::IgnoreSyncError) {
            Sync::Hushed
        } else if bugs.has(Bug::SlowSync) {
            Sync::Slow
        } else {
            Sync::Honest
        }
    }

    fn carry_out(&self, mut sync: impl FnMut() -> io::Result<()>) -> io::Result<()> {
        match self {
            Sync::Honest => sync(),
            Sync::Lazy(count) if count.fetch_add(1, Ordering::Relaxed) % LAZY == 0 => sync(),
            Sync::Lazy(_) | Sync::Skipped => Ok(()),
            Sync::Hushed => sync().or(Ok(())),
            Sync::Slow => (0..SLOW).try_for_each(|_| sync()),
        }
    }
}

struct LyingDisk {
    disk: Arc<dyn Disk>,
    bugs: Bugs,
}

impl Disk for LyingDisk {
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        let backend = self.disk.database(name)?;
        Ok(Box::new(LyingBackend { backend, sync: Sync::of(name, self.bugs) }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.disk.create(name)?;
        Ok(Box::new(LyingFile { file, sync: Sync::of(name, self.bugs) }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        self.disk.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }

    fn path(&self, name: &str) -> String {
        self.disk.path(name)
    }
}

#[derive(Debug)]
struct LyingBackend {
    backend: Box<dyn StorageBackend>,
    sync: Sync,
}

impl StorageBackend for LyingBackend {
    fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.backend.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.backend.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync.carry_out(|| self.backend.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.backend.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.backend.close()
    }
}

struct LyingFile {
    file: Box<dyn DiskFile>,
    sync: Sync,
}

impl Write for LyingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for LyingFile {
    fn sync(&mut self) -> io::Result<()> {
        let Self { file, sync } = self;
        sync.carry_out(|| file.sync())
    }

    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.overwrite(bytes)
    }
}

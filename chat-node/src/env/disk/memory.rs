//! A disk for tests that can lose power: what was not synced is gone, or partly there, or a bit of it has rotted.
//!
//! It is a [`VolatileDisk`] over a directory in memory, so the tests of the stores see the very power failures that a
//! node under test does.

use std::collections::BTreeMap;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard};

use redb::StorageBackend;

use super::{Disk, DiskFile};
use crate::env::fault::disk::volatile::{Keep, VolatileDisk};

/// A directory in memory that can lose power. Clones are the same directory.
#[derive(Clone)]
pub(crate) struct MemoryDisk {
    below: Plain,
    volatile: VolatileDisk,
    power: Arc<Mutex<Power>>,
    /// Read while something changes, written while a copy is made: a copy is of one moment.
    moment: Arc<RwLock<()>>,
}

impl Default for MemoryDisk {
    fn default() -> Self {
        Self::over(Plain::default())
    }
}

/// When the power fails.
#[derive(Debug, Default)]
struct Power {
    syncs: u64,
    changes: u64,
    fails_at_sync: Option<u64>,
    fails_at_change: Option<u64>,
}

impl Power {
    fn on(&self) -> io::Result<()> {
        let gone = |at: Option<u64>, now| at.is_some_and(|at| now >= at);
        if gone(self.fails_at_sync, self.syncs) || gone(self.fails_at_change, self.changes) {
            return Err(io::Error::other("the power is gone"));
        }
        Ok(())
    }
}

impl MemoryDisk {
    fn over(below: Plain) -> Self {
        let volatile = VolatileDisk::over(Arc::new(below.clone())).unwrap();
        Self { below, volatile, power: Arc::default(), moment: Arc::default() }
    }

    fn power(&self) -> MutexGuard<'_, Power> {
        self.power.lock().unwrap()
    }

    /// A call that may change something. It lasts as long as what this returns.
    fn begin(&self) -> io::Result<RwLockReadGuard<'_, ()>> {
        let moment = self.moment.read().unwrap();
        self.power().on()?;
        Ok(moment)
    }

    /// A call that changes something, if there is power for it.
    fn change(&self) -> io::Result<RwLockReadGuard<'_, ()>> {
        let moment = self.begin()?;
        self.power().changes += 1;
        Ok(moment)
    }

    /// A call that syncs, if there is power for it.
    fn sync(&self) -> io::Result<RwLockReadGuard<'_, ()>> {
        let moment = self.change()?;
        self.power().syncs += 1;
        Ok(moment)
    }

    /// From now on, the power fails at the `sync`-th sync that follows: it, and all after it, fail.
    pub(crate) fn fail_at(&self, sync: u64) {
        let mut power = self.power();
        power.fails_at_sync = Some(power.syncs + sync);
    }

    /// From now on, the power fails at the `change`-th write, change of a length, or sync that follows.
    pub(crate) fn fail_at_change(&self, change: u64) {
        let mut power = self.power();
        power.fails_at_change = Some(power.changes + change);
    }

    /// How often something was synced.
    pub(crate) fn syncs(&self) -> u64 {
        self.power().syncs
    }

    /// What is there after the power failed, or the process was killed.
    pub(crate) fn after(&self, keep: Keep) -> Self {
        let _moment = self.moment.write().unwrap();
        let below = self.below.copy();
        self.volatile.let_through(&below, keep).unwrap();
        Self::over(below)
    }

    /// What is there after the process was killed: all that was written.
    pub(crate) fn after_kill(&self) -> Self {
        self.after(Keep::Everything)
    }

    /// What is there after the power failed: all that was synced.
    pub(crate) fn after_power_failure(&self) -> Self {
        self.after(Keep::Nothing)
    }

    /// Every kind of power failure that is drawn from `seed`, and the one that is not.
    pub(crate) fn after_power_failures(&self, seed: u64) -> [Self; 3] {
        [Keep::Nothing, Keep::Some { seed }, Keep::Torn { seed }].map(|keep| self.after(keep))
    }

    /// The file as it is.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.volatile.open(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Puts `bytes` in the place of what the file holds, durably.
    pub(crate) fn set_bytes(&self, name: &str, bytes: &[u8]) {
        let file = self.volatile.database(name).unwrap();
        file.set_len(0).unwrap();
        file.write(0, bytes).unwrap();
        file.sync_data().unwrap();
    }

    /// Changes one bit of a file.
    pub(crate) fn flip(&self, name: &str, bit: usize) {
        let mut bytes = self.bytes(name);
        bytes[bit / 8] ^= 1 << (bit % 8);
        self.set_bytes(name, &bytes);
    }
}

impl Disk for MemoryDisk {
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        let _moment = self.begin()?;
        Ok(Box::new(Backend { disk: self.clone(), file: self.volatile.database(name)? }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let _moment = self.change()?;
        Ok(Box::new(Writing { disk: self.clone(), file: self.volatile.create(name)? }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        let _moment = self.begin()?;
        self.volatile.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let _moment = self.sync()?;
        self.volatile.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let _moment = self.change()?;
        self.volatile.remove(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.volatile.list()
    }

    fn path(&self, name: &str) -> String {
        self.volatile.path(name)
    }
}

struct Backend {
    disk: MemoryDisk,
    file: Box<dyn StorageBackend>,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.file.fmt(f)
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.disk.power().on()?;
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.power().on()?;
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let _moment = self.disk.change()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let _moment = self.disk.sync()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let _moment = self.disk.change()?;
        self.file.write(offset, data)
    }
}

struct Writing {
    disk: MemoryDisk,
    file: Box<dyn DiskFile>,
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _moment = self.disk.change()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for Writing {
    fn sync(&mut self) -> io::Result<()> {
        let _moment = self.disk.sync()?;
        self.file.sync()
    }

    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()> {
        let _moment = self.disk.change()?;
        self.file.overwrite(bytes)
    }
}

/// A directory in memory that loses nothing. Clones are the same directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plain(Arc<Mutex<BTreeMap<String, PlainFile>>>);

#[derive(Debug, Clone, Default)]
struct PlainFile(Arc<Mutex<Vec<u8>>>);

impl Plain {
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, PlainFile>> {
        self.0.lock().unwrap()
    }

    /// Another directory that holds the same.
    pub(crate) fn copy(&self) -> Self {
        let copy = |file: &PlainFile| PlainFile(Arc::new(Mutex::new(file.bytes().clone())));
        let files = self.files().iter().map(|(name, file)| (name.clone(), copy(file))).collect();
        Self(Arc::new(Mutex::new(files)))
    }

    /// A file as it is, if it is there.
    pub(crate) fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.files().get(name).map(|file| file.bytes().clone())
    }
}

impl PlainFile {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

impl Disk for Plain {
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(self.files().entry(name.to_owned()).or_default().clone()))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = self.files().entry(name.to_owned()).or_default().clone();
        file.set_len(0)?;
        Ok(Box::new(PlainWriting { file, at: 0 }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.contents(name).ok_or(ErrorKind::NotFound)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files();
        let file = files.remove(from).ok_or(ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files().remove(name);
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.files().keys().cloned().collect())
    }

    fn path(&self, name: &str) -> String {
        format!("memory:{name}")
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl StorageBackend for PlainFile {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.bytes().len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes();
        let read = bytes.get(place(offset)..place(offset) + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(read);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes().resize(place(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.bytes();
        let end = place(offset) + data.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[place(offset)..end].copy_from_slice(data);
        Ok(())
    }
}

/// A plain file and how far it was written.
struct PlainWriting {
    file: PlainFile,
    at: u64,
}

impl Write for PlainWriting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        StorageBackend::write(&self.file, self.at, bytes)?;
        self.at += u64::try_from(bytes.len()).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for PlainWriting {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()> {
        StorageBackend::write(&self.file, 0, bytes)
    }
}

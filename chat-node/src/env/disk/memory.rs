//! A disk for tests that can lose power: what was not synced is gone, or partly there, or a bit of it has rotted.

use std::collections::BTreeMap;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use super::{Disk, DiskFile};

/// What a disk writes as one: a torn write has some of these, and not others.
const SECTOR_BYTES: usize = 512;

/// A directory in memory. Clones are the same directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryDisk(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    files: BTreeMap<String, File>,
    syncs: u64,
    /// The sync at which the power fails.
    fails_at: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct File {
    /// What a power failure leaves.
    durable: Vec<u8>,
    /// What is read.
    current: Vec<u8>,
}

impl Contents {
    fn powered(&self) -> io::Result<()> {
        match self.fails_at {
            Some(at) if self.syncs >= at => Err(io::Error::other("the power is gone")),
            _ => Ok(()),
        }
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        self.powered()?;
        self.files.get_mut(name).ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.powered()?;
        self.syncs += 1;
        let file = self.file(name)?;
        file.durable = file.current.clone();
        Ok(())
    }

    fn write(&mut self, name: &str, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let file = &mut self.file(name)?.current;
        let end = offset + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[offset..end].copy_from_slice(bytes);
        Ok(())
    }
}

impl MemoryDisk {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap()
    }

    /// From now on, the power fails at the `sync`-th sync that follows: it, and all after it, fail.
    pub(crate) fn fail_at(&self, sync: u64) {
        let mut contents = self.contents();
        contents.fails_at = Some(contents.syncs + sync);
    }

    /// How often something was synced.
    pub(crate) fn syncs(&self) -> u64 {
        self.contents().syncs
    }

    fn map(&self, f: impl Fn(&File) -> Vec<u8>) -> Self {
        let file = |file: &File| {
            let bytes = f(file);
            File { durable: bytes.clone(), current: bytes }
        };
        let files = self.contents().files.iter().map(|(name, old)| (name.clone(), file(old))).collect();
        Self(Arc::new(Mutex::new(Contents { files, ..Contents::default() })))
    }

    /// What is there after the process was killed: all that was written.
    pub(crate) fn after_kill(&self) -> Self {
        self.map(|file| file.current.clone())
    }

    /// What is there after the power failed: all that was synced.
    pub(crate) fn after_power_failure(&self) -> Self {
        self.map(|file| file.durable.clone())
    }

    /// What is there after the power failed while the disk was writing: some sectors of what was not synced, drawn from
    /// `seed`.
    pub(crate) fn after_torn_writes(&self, seed: u64) -> Self {
        self.map(|file| {
            let mut bytes = file.durable.clone();
            bytes.resize(file.current.len().max(bytes.len()), 0);
            for (number, sector) in file.current.chunks(SECTOR_BYTES).enumerate() {
                let drawn = xxhash_rust::xxh3::xxh3_64_with_seed(&number.to_le_bytes(), seed);
                if drawn.is_multiple_of(2) {
                    let at = number * SECTOR_BYTES;
                    bytes[at..at + sector.len()].copy_from_slice(sector);
                }
            }
            bytes
        })
    }

    /// The file as it is.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.contents().files[name].current.clone()
    }

    /// Puts `bytes` in the place of the file.
    pub(crate) fn set_bytes(&self, name: &str, bytes: Vec<u8>) {
        let file = File { durable: bytes.clone(), current: bytes };
        self.contents().files.insert(name.to_owned(), file);
    }

    /// Changes one bit of a file.
    pub(crate) fn flip(&self, name: &str, bit: usize) {
        let mut bytes = self.bytes(name);
        bytes[bit / 8] ^= 1 << (bit % 8);
        self.set_bytes(name, bytes);
    }
}

impl Disk for MemoryDisk {
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        let mut contents = self.contents();
        contents.powered()?;
        contents.files.entry(name.to_owned()).or_default();
        Ok(Box::new(Backend { disk: self.clone(), name: name.to_owned() }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut contents = self.contents();
        contents.powered()?;
        contents.files.insert(name.to_owned(), File::default());
        Ok(Box::new(Writing { disk: self.clone(), name: name.to_owned(), at: 0 }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.contents().file(name)?.current.clone())))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut contents = self.contents();
        contents.powered()?;
        let file = contents.files.remove(from).ok_or(ErrorKind::NotFound)?;
        contents.files.insert(to.to_owned(), file);
        contents.syncs += 1;
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut contents = self.contents();
        contents.powered()?;
        contents.files.remove(name);
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.contents().files.keys().cloned().collect())
    }

    fn path(&self, name: &str) -> String {
        format!("memory:{name}")
    }
}

#[derive(Debug)]
struct Backend {
    disk: MemoryDisk,
    name: String,
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.disk.contents().file(&self.name)?.current.len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut contents = self.disk.contents();
        let file = &contents.file(&self.name)?.current;
        let bytes = file.get(place(offset)..place(offset) + out.len()).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.contents().file(&self.name)?.current.resize(place(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.contents().sync(&self.name)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.contents().write(&self.name, place(offset), data)
    }
}

struct Writing {
    disk: MemoryDisk,
    name: String,
    at: usize,
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.contents().write(&self.name, self.at, bytes)?;
        self.at += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for Writing {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.contents().sync(&self.name)
    }

    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.contents().write(&self.name, 0, bytes)
    }
}

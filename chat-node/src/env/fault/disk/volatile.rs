//! A disk that keeps in memory what is not synced, so that the end of the process is a power failure.
//!
//! Every file of the disk below has a layer of unsynced bytes over it. Reads see the newest bytes; a sync passes them on
//! to the file below and syncs that, too. What a process that is killed leaves behind is therefore what a power failure
//! leaves that keeps nothing but what was synced. A power failure that keeps some of the rest is [`VolatileDisk::cut_power`]:
//! it freezes the disk, then lets through what is to be kept, and then the process is to be killed.
//!
//! # The model
//! * Bytes are durable when a sync of their file returned. While it runs they are passed on in the order of their
//!   offsets, so a kill in the middle of it leaves some of them, as a power failure would.
//! * The length of a file is durable with its next sync. See `loss` for what a power failure can keep of it.
//! * A new file is there once it was synced or renamed, with its name. One that was made anew in place of an old one
//!   is the old one until then.
//! * A rename is durable when it returns, as [`Disk`] says; what was not synced of the file is not.
//! * A removal is durable when it returns. A real disk may bring the file back; a node sweeps such files away when it
//!   starts, as it does those of a kill.
//! * When the disk is dropped, everything is passed on: a node that stopped well lost nothing. (A node that leaves a
//!   thread behind does not drop its disk.)
//!
//! # What counts as unsynced
//! The bytes of named files that were written and whose sync has not returned; a byte that was written twice counts
//! once, one that was cut off or removed with its file does not count, nor do zeros that a file was grown by. Their
//! number stands at all times in the file [`UNSYNCED`].
//!
//! # What it does not do
//! The disk below is believed. Nothing is written back with time, as a system does after some seconds. What is not
//! synced takes memory, twice where it was overwritten.

mod file;
mod gate;
mod loss;
mod unsynced;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use self::file::{Backend, File, Reading, Writing, apply};
use self::gate::Gate;
pub use self::loss::{Keep, Loss};
pub use self::unsynced::SECTOR_BYTES;
use crate::env::Disk;
use crate::env::disk::DiskFile;

/// The file that holds the number of unsynced bytes, as 8 bytes, little-endian. It is written past the layer, and is
/// exact whenever no call is under way.
pub const UNSYNCED: &str = "unsynced";

/// A volatile disk. Clones are the same disk.
#[derive(Clone)]
pub struct VolatileDisk(Arc<Directory>);

struct Directory {
    shared: Arc<Shared>,
    /// Every file that was opened, by its name.
    files: Mutex<BTreeMap<String, Arc<File>>>,
}

/// What the files of a disk share.
struct Shared {
    below: Arc<dyn Disk>,
    gate: Gate,
    order: AtomicU64,
    unsynced: Mutex<Count>,
}

struct Count {
    bytes: u64,
    file: Box<dyn DiskFile>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VolatileDisk")
    }
}

impl Shared {
    fn next_order(&self) -> u64 {
        self.order.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What one file has not synced went from `before` to `now` bytes.
    fn count(&self, before: u64, now: u64) -> io::Result<()> {
        if before == now {
            return Ok(());
        }
        let mut count = self.unsynced.lock().expect("nothing that runs under this lock can panic");
        count.bytes = count.bytes - before + now;
        let bytes = count.bytes.to_le_bytes();
        count.file.overwrite(&bytes)
    }
}

impl VolatileDisk {
    /// A volatile disk over `below`.
    ///
    /// # Errors
    /// The file [`UNSYNCED`] cannot be written.
    pub fn over(below: Arc<dyn Disk>) -> io::Result<Self> {
        let mut file = below.create(UNSYNCED)?;
        file.overwrite(&0_u64.to_le_bytes())?;
        let unsynced = Mutex::new(Count { bytes: 0, file });
        let shared = Shared { below, gate: Gate::default(), order: AtomicU64::new(0), unsynced };
        Ok(Self(Arc::new(Directory { shared: Arc::new(shared), files: Mutex::default() })))
    }

    /// Cuts the power: from now on no call to the disk returns, and what is on it is what was synced and what `keep`
    /// lets through.
    ///
    /// # Errors
    /// `AlreadyExists` when the power is gone already; or the disk below refused.
    pub fn cut_power(&self, keep: Keep) -> io::Result<Loss> {
        let Directory { shared, .. } = &*self.0;
        if !shared.gate.shut() {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "the power is gone already"));
        }
        self.0.let_through(&*shared.below, keep)
    }

    /// Writes to `onto`, which holds what the disk below holds, what is kept of what is not synced now.
    ///
    /// # Errors
    /// `onto` refused.
    #[cfg(test)]
    pub(crate) fn let_through(&self, onto: &dyn Disk, keep: Keep) -> io::Result<Loss> {
        self.0.let_through(onto, keep)
    }

    /// How many bytes are not synced.
    #[must_use]
    pub fn unsynced(&self) -> u64 {
        self.0.shared.unsynced.lock().expect("nothing that runs under this lock can panic").bytes
    }

    fn pass<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Arc<File>>) -> T) -> T {
        self.0.shared.gate.pass(|| work(&mut self.0.files()))
    }
}

impl Directory {
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Arc<File>>> {
        self.files.lock().expect("nothing that runs under this lock can panic")
    }

    /// The file `name`; `None` when there is none.
    fn find(&self, files: &mut BTreeMap<String, Arc<File>>, name: &str) -> io::Result<Option<Arc<File>>> {
        if let Some(file) = files.get(name) {
            return Ok(Some(file.clone()));
        }
        match self.shared.below.open(name) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
        let file = File::new(self.shared.clone(), name, Some(self.shared.below.database(name)?))?;
        files.insert(name.to_owned(), file.clone());
        Ok(Some(file))
    }

    fn let_through(&self, onto: &dyn Disk, keep: Keep) -> io::Result<Loss> {
        let files = self.files();
        let unsynced = files.iter().map(|(name, file)| (name.clone(), file.unsynced())).collect();
        let (decided, loss) = loss::decide(&unsynced, keep);
        for (name, steps) in decided.into_iter().filter(|(_, steps)| !steps.is_empty()) {
            let below = onto.database(&name)?;
            steps.iter().try_for_each(|step| apply(&*below, step))?;
        }
        Ok(loss)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.shared.gate.is_shut() {
            return;
        }
        for (name, file) in &*self.files() {
            if let Err(error) = file.sync() {
                tracing::error!(%error, name, "cannot pass on what was not synced");
            }
        }
    }
}

impl Disk for VolatileDisk {
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        self.pass(|files| {
            let file = match self.0.find(files, name)? {
                Some(file) => file,
                None => {
                    let file = File::new(self.0.shared.clone(), name, None)?;
                    files.insert(name.to_owned(), file.clone());
                    file
                }
            };
            // The name of a database is durable when it is open.
            file.make_name()?;
            Ok(Box::new(Backend(file)) as Box<dyn StorageBackend>)
        })
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.pass(|files| {
            let file = match self.0.find(files, name)? {
                Some(file) => file,
                None => File::new(self.0.shared.clone(), name, None)?,
            };
            file.set_length(0)?;
            files.insert(name.to_owned(), file.clone());
            Ok(Box::new(Writing { file, at: 0 }) as Box<dyn DiskFile>)
        })
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        self.pass(|files| {
            let file = self.0.find(files, name)?.ok_or(ErrorKind::NotFound)?;
            Ok(Box::new(Reading { file, at: 0 }) as Box<dyn Read + Send>)
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.pass(|files| {
            let file = self.0.find(files, from)?.ok_or(ErrorKind::NotFound)?;
            file.make_name()?;
            self.0.shared.below.rename(from, to)?;
            files.remove(from);
            if let Some(old) =
                files.insert(to.to_owned(), file.clone()).filter(|old| !Arc::ptr_eq(old, &file))
            {
                old.renamed(None)?;
            }
            file.renamed(Some(to))
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.pass(|files| {
            self.0.shared.below.remove(name)?;
            files.remove(name).map_or(Ok(()), |file| file.renamed(None))
        })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.pass(|files| {
            let mut names = self.0.shared.below.list()?;
            names.extend(files.keys().cloned());
            names.sort();
            names.dedup();
            names.retain(|name| name != UNSYNCED);
            Ok(names)
        })
    }

    fn path(&self, name: &str) -> String {
        self.0.shared.below.path(name)
    }
}

#[cfg(test)]
mod tests;

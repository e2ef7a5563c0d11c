//! One file of a volatile disk: the file of the disk below, and what was not synced over it.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use super::Shared;
use super::unsynced::{Unsynced, What, length, place};
use crate::env::disk::DiskFile;

/// A file. It is one as long as somebody has it open, whatever its name, as an inode is.
#[derive(Debug)]
pub(super) struct File {
    shared: Arc<Shared>,
    inner: Mutex<Inner>,
    /// Held while a sync passes bytes on. What is read and written meanwhile does not wait for it.
    passing_on: Mutex<()>,
}

#[derive(Debug)]
struct Inner {
    /// `None` when it was removed.
    name: Option<String>,
    /// The file below; `None` when it is not there.
    below: Option<Arc<dyn StorageBackend>>,
    unsynced: Unsynced,
}

impl File {
    /// The file `name`, which is `below` on the disk if it is there.
    pub(super) fn new(
        shared: Arc<Shared>,
        name: &str,
        below: Option<Box<dyn StorageBackend>>,
    ) -> io::Result<Arc<Self>> {
        let durable = below.as_ref().map(|below| below.len()).transpose()?;
        let inner = Inner {
            name: Some(name.to_owned()),
            below: below.map(Arc::from),
            unsynced: Unsynced::over(durable),
        };
        Ok(Arc::new(Self { shared, inner: Mutex::new(inner), passing_on: Mutex::default() }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nothing that runs under this lock can panic")
    }

    /// Changes what is not synced, and the count of it.
    fn change<T>(&self, change: impl FnOnce(&mut Unsynced) -> T) -> io::Result<T> {
        let mut inner = self.inner();
        let before = inner.unsynced.bytes();
        let done = change(&mut inner.unsynced);
        if inner.name.is_some() {
            self.shared.count(before, inner.unsynced.bytes())?;
        }
        Ok(done)
    }

    pub(super) fn length(&self) -> u64 {
        self.inner().unsynced.length()
    }

    /// What is not synced, as it is now.
    pub(super) fn unsynced(&self) -> Unsynced {
        self.inner().unsynced.clone()
    }

    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if at.checked_add(length(bytes)).is_none() {
            return Err(io::Error::new(ErrorKind::FileTooLarge, "a write goes beyond what a file can hold"));
        }
        self.change(|unsynced| unsynced.write(self.shared.next_order(), at, bytes))
    }

    pub(super) fn set_length(&self, length: u64) -> io::Result<()> {
        self.change(|unsynced| unsynced.set_length(self.shared.next_order(), length))
    }

    /// Fills `out` from `at` on, which must be there.
    pub(super) fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let inner = self.inner();
        let unsynced = &inner.unsynced;
        let end = at.checked_add(length(out)).filter(|end| *end <= unsynced.length());
        if end.is_none() {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the file ends before"));
        }
        let of_disk = place(unsynced.cut().saturating_sub(at).min(length(out)));
        let (of_disk, zeros) = out.split_at_mut(of_disk);
        if let Some(below) = inner.below.as_ref().filter(|_| !of_disk.is_empty()) {
            below.read(at, of_disk)?;
        }
        zeros.fill(0);
        unsynced.patch(at, out);
        Ok(())
    }

    /// Passes on all that was written, and returns when it is on stable storage.
    pub(super) fn sync(&self) -> io::Result<()> {
        let _one = self.passing_on.lock().expect("nothing that runs under this lock can panic");
        let (below, image) = {
            let mut inner = self.inner();
            // What has no name any more and never was on the disk is nobody's to find.
            let Some(below) = inner.below(&self.shared)? else { return Ok(()) };
            (below, inner.unsynced.image())
        };
        for step in image.steps() {
            apply(&*below, &step)?;
        }
        below.sync_data()?;
        self.change(|unsynced| unsynced.synced(&image))
    }

    /// Gives the file another name; `None`: it has none any more. What is not synced then is nobody's loss.
    pub(super) fn renamed(&self, name: Option<&str>) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.name.take().is_some() && name.is_none() {
            self.shared.count(inner.unsynced.bytes(), 0)?;
        }
        inner.name = name.map(str::to_owned);
        Ok(())
    }

    /// Makes the file be there on the disk, if only by its name.
    pub(super) fn make_name(&self) -> io::Result<()> {
        self.inner().below(&self.shared).map(drop)
    }
}

impl Inner {
    fn below(&mut self, shared: &Shared) -> io::Result<Option<Arc<dyn StorageBackend>>> {
        if let (None, Some(name)) = (&self.below, &self.name) {
            self.below = Some(Arc::from(shared.below.database(name)?));
            self.unsynced.named();
        }
        Ok(self.below.clone())
    }
}

/// Does one step to a file of the disk below.
pub(super) fn apply(below: &dyn StorageBackend, step: &What) -> io::Result<()> {
    match step {
        // Setting the length that a file has is no change, but not free.
        What::SetLength(length) if below.len()? == *length => Ok(()),
        What::SetLength(length) => below.set_len(*length),
        What::Write(at, bytes) => below.write(*at, bytes),
    }
}

/// A file as a database has it open.
#[derive(Debug)]
pub(super) struct Backend(pub(super) Arc<File>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.shared.gate.pass(|| Ok(self.0.length()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.shared.gate.pass(|| self.0.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.shared.gate.pass(|| self.0.set_length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.shared.gate.pass(|| self.0.sync())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.shared.gate.pass(|| self.0.write(offset, data))
    }
}

/// A file that is being written from its beginning.
pub(super) struct Writing {
    pub(super) file: Arc<File>,
    pub(super) at: u64,
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.shared.gate.pass(|| self.file.write(self.at, bytes))?;
        self.at += length(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for Writing {
    fn sync(&mut self) -> io::Result<()> {
        self.file.shared.gate.pass(|| self.file.sync())
    }

    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.shared.gate.pass(|| self.file.write(0, bytes))
    }
}

/// A file that is being read from its beginning.
pub(super) struct Reading {
    pub(super) file: Arc<File>,
    pub(super) at: u64,
}

impl Read for Reading {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.file.shared.gate.pass(|| {
            let left = self.file.length().saturating_sub(self.at);
            let bytes = place(left.min(length(out)));
            self.file.read(self.at, &mut out[..bytes])?;
            self.at += length(&out[..bytes]);
            Ok(bytes)
        })
    }
}

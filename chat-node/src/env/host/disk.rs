//! A directory of the system's file system.
#![expect(clippy::disallowed_methods, reason = "this module is what Env stands on")]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use redb::StorageBackend;
use redb::backends::FileBackend;

use crate::env::Disk;
use crate::env::disk::DiskFile;

/// A file that holds nothing: its lock says that a node has the directory.
const LOCK: &str = "lock";

/// A directory that one node holds, as long as this is not dropped.
#[derive(Debug)]
pub struct HostDisk {
    directory: PathBuf,
    _lock: File,
}

impl HostDisk {
    /// Takes hold of a directory, and makes it when it is not there.
    ///
    /// # Errors
    /// `WouldBlock` when another node holds it, or the system refused.
    pub fn open(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let directory = directory.into();
        std::fs::create_dir_all(&directory)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(ErrorKind::WouldBlock, "another node holds the directory"))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Disk for HostDisk {
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        let path = self.at(name);
        let new = !path.exists();
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        if new {
            sync_directory(&self.directory)?;
        }
        Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(HostFile(File::create(self.at(name))?)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(self.at(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.at(from), self.at(to))?;
        sync_directory(&self.directory)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.at(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = std::fs::read_dir(&self.directory)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }
}

/// Makes the names in a directory durable, which syncing a file does not.
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

struct HostFile(File);

impl Write for HostFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DiskFile for HostFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, 0)
    }
}

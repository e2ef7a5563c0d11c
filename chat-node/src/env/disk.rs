//! The node's own directory: database files and plain files, by name.

use std::io::{self, Read, Write};

use redb::StorageBackend;

/// A directory that belongs to one node.
pub trait Disk: Send + Sync + 'static {
    /// Opens the backend of the database `name`, and creates it if it is not there.
    ///
    /// # Errors
    /// Another process holds it, or the system refused.
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>>;

    /// Makes an empty file, in place of one of that name.
    ///
    /// # Errors
    /// The system refused.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file to read it from its beginning.
    ///
    /// # Errors
    /// `NotFound`, or the system refused.
    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>>;

    /// Gives a file a new name, in place of one that has it, durably when it returns.
    ///
    /// # Errors
    /// The system refused.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file; that it is not there is not an error.
    ///
    /// # Errors
    /// The system refused.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The names of all files, in order.
    ///
    /// # Errors
    /// The system refused.
    fn list(&self) -> io::Result<Vec<String>>;

    /// How a person finds the file.
    fn path(&self, name: &str) -> String;
}

/// A file that is being written.
pub trait DiskFile: Write + Send {
    /// Waits until all that was written is on stable storage.
    ///
    /// # Errors
    /// The system could not, and what was written must be taken as lost.
    fn sync(&mut self) -> io::Result<()>;

    /// Writes `bytes` over the beginning of the file.
    ///
    /// # Errors
    /// The system refused.
    fn overwrite(&mut self, bytes: &[u8]) -> io::Result<()>;
}

#[cfg(test)]
pub(crate) mod memory;

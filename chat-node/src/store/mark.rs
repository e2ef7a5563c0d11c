//! The witness of a database: how many durable commits it has seen.
//!
//! redb commits in one phase: after a crash it verifies the newest commit and, when a page of it does not verify, falls
//! back to the one before. It cannot know whether that commit was torn, and never acknowledged, or was acknowledged and
//! has rotted since. So every durable commit counts up a number inside the database, and once it is durable the same
//! number is written to a small file beside it. A database that counts less than its witness has lost a commit that
//! others relied on.
//!
//! The witness is written after the commit is durable and is itself never synced, so it costs no fsync and never says
//! too much: after a kill it is exact or one behind, after a power failure it may be older, or empty.

use std::io::{ErrorKind, Read as _};

use super::record;
use crate::env::disk::{Disk, DiskFile};
use crate::machine::tables::StoreError;

/// The witness of one database.
pub struct Mark {
    file: Box<dyn DiskFile>,
    name: String,
    path: String,
}

impl Mark {
    /// Compares `commits`, which the database counts, with the witness, and keeps witnessing from there.
    ///
    /// # Errors
    /// `Corrupt`, naming the database `database`, when it counts less than its witness; or the file cannot be read or
    /// written.
    pub fn open(disk: &dyn Disk, name: &str, database: &str, commits: u64) -> Result<Self, StoreError> {
        let path = disk.path(name);
        let io = |action: &str, source: std::io::Error| StoreError::Io {
            file: path.clone(),
            action: action.to_owned(),
            source: source.into(),
        };
        match read(disk, name).map_err(|error| io("cannot read the witness", error))? {
            Some(witnessed) if witnessed > commits => {
                return Err(StoreError::Corrupt {
                    file: disk.path(database),
                    what: format!(
                        "it holds {commits} commits, but {witnessed} were made durable: the last are lost"
                    ),
                });
            }
            Some(_) | None => {}
        }
        let file = disk.create(name).map_err(|error| io("cannot create the witness", error))?;
        let mut mark = Self { file, name: name.to_owned(), path };
        mark.set(commits)?;
        Ok(mark)
    }

    /// Witnesses that `commits` are durable.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&mut self, commits: u64) -> Result<(), StoreError> {
        let record = record::seal(self.name.as_bytes(), &commits.to_le_bytes());
        self.file.overwrite(&record).map_err(|source| StoreError::Io {
            file: self.path.clone(),
            action: "cannot write the witness".to_owned(),
            source: source.into(),
        })
    }
}

/// What is witnessed. A file that is absent, short or bad witnesses nothing: a power failure may leave it so.
fn read(disk: &dyn Disk, name: &str) -> std::io::Result<Option<u64>> {
    let mut bytes = Vec::new();
    match disk.open(name) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let count = record::open(name.as_bytes(), &bytes).ok().and_then(|payload| payload.try_into().ok());
    Ok(count.map(u64::from_le_bytes))
}

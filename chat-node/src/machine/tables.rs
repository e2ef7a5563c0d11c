//! What the machine stands on: one ordered map from bytes to bytes.
//!
//! The store behind it is a redb transaction in a node and a `BTreeMap` in tests, so the machine knows neither files
//! nor transactions. An `Err` is a fault of the local disk, never a refusal: the node that meets one stops.

use std::ops::ControlFlow;

use thiserror::Error;

/// The local store could not be read or written, or what it holds is not what was written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A record failed its checksum or does not decode.
    #[error(
        "{file}: corrupt record: {what}; restore the node from a good copy, or replace it under a new name"
    )]
    Corrupt {
        /// The file that holds the record.
        file: String,
        /// Which record, and what is wrong with it.
        what: String,
    },
    /// The file could not be read or written.
    #[error("{file}: {action}")]
    Io {
        /// The file.
        file: String,
        /// What was being done.
        action: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// From which end a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// By rising key.
    Forward,
    /// By falling key.
    Backward,
}

/// What is shown the key and the value of each record of a scan. It may break the scan off.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// Reads of one consistent state.
pub trait Tables {
    /// The value under `key`, if there is one.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Shows every record with `from <= key < to` to `visit`, in key order, until it breaks.
    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError>;
}

/// Reads that see the writes before them, and writes.
pub trait TablesMut: Tables {
    /// Sets the value under `key`.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// Removes `key`, if it is there.
    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError>;
}

#[cfg(test)]
pub(crate) mod memory;

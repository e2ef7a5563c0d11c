//! Records as bytes: a version byte, then the message of `hearsay.log.v1`.
//!
//! A record that does not decode is a fault of the disk, or was written by a later version: the node stops on either.

use std::ops::{ControlFlow, Range};

use super::key::Key;
use super::tables::{Direction, StoreError, Tables, TablesMut};

/// The version of every record that this machine writes.
const VERSION: u8 = 1;

/// What the machine calls the file of its state: it does not know the real one.
const FILE: &str = "the chat's state";

/// Reads the record under `key`.
pub(super) fn get<R: prost::Message + Default>(
    tables: &dyn Tables,
    key: &Key<'_>,
) -> Result<Option<R>, StoreError> {
    tables.get(&key.encode())?.map(|bytes| decode(key, &bytes)).transpose()
}

/// Reads the record under `key`, which another record says is there.
pub(super) fn expect<R: prost::Message + Default>(
    tables: &dyn Tables,
    key: &Key<'_>,
) -> Result<R, StoreError> {
    get(tables, key)?.ok_or_else(|| corrupt(format!("{key:?} is missing")))
}

/// Writes the record under `key`.
pub(super) fn put<R: prost::Message>(
    tables: &mut dyn TablesMut,
    key: &Key<'_>,
    record: &R,
) -> Result<(), StoreError> {
    let mut bytes = Vec::with_capacity(1 + record.encoded_len());
    bytes.push(VERSION);
    record.encode_raw(&mut bytes);
    tables.put(&key.encode(), &bytes)
}

/// Removes the record under `key`, if there is one.
pub(super) fn remove(tables: &mut dyn TablesMut, key: &Key<'_>) -> Result<(), StoreError> {
    tables.remove(&key.encode())
}

/// Shows every record of `range` to `visit`, in the order of `direction`, until it breaks.
pub(super) fn scan<R: prost::Message + Default>(
    tables: &dyn Tables,
    range: &Range<Vec<u8>>,
    direction: Direction,
    visit: &mut dyn FnMut(Key<'_>, R) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    if range.is_empty() {
        return Ok(());
    }
    let mut fault = None;
    tables.scan(&range.start, &range.end, direction, &mut |bytes, value| {
        let Some(key) = Key::parse(bytes) else {
            fault = Some(corrupt(format!("no key is {bytes:02x?}")));
            return ControlFlow::Break(());
        };
        match decode(&key, value) {
            Ok(record) => visit(key, record),
            Err(error) => {
                fault = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    fault.map_or(Ok(()), Err)
}

/// The fault that a record is not what it must be.
pub(super) fn corrupt(what: String) -> StoreError {
    StoreError::Corrupt { file: FILE.to_owned(), what }
}

fn decode<R: prost::Message + Default>(key: &Key<'_>, bytes: &[u8]) -> Result<R, StoreError> {
    match bytes.split_first() {
        Some((&VERSION, message)) => {
            R::decode(message).map_err(|error| corrupt(format!("{key:?} does not decode: {error}")))
        }
        Some((version, _)) => Err(corrupt(format!("{key:?} has version {version}, and {VERSION} is known"))),
        None => Err(corrupt(format!("{key:?} is empty"))),
    }
}

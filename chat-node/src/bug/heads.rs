//! A cache of the last sequences of conversations that only this node's own writes renew: where
//! [`super::Bug::CachedHead`] bites.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use crate::machine::is_conversation;
use crate::machine::tables::{Direction, StoreError, Tables, TablesMut, Visit};

type Heads = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The records of conversations as they were when this node last read or wrote them.
#[derive(Debug, Default)]
pub struct CachedHeads(Mutex<Heads>);

impl CachedHeads {
    /// `tables`, with the cache before it.
    ///
    /// # Panics
    /// When an earlier user of the cache panicked.
    pub fn before<'a>(&'a self, tables: &'a mut dyn TablesMut) -> impl TablesMut + 'a {
        Cached { heads: self.0.lock().expect("a panic of the worker stops the node"), tables }
    }
}

struct Cached<'a> {
    heads: MutexGuard<'a, Heads>,
    tables: &'a mut dyn TablesMut,
}

impl Tables for Cached<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.heads.get(key) {
            Some(head) => Ok(head.clone()),
            None => self.tables.get(key),
        }
    }

    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError> {
        self.tables.scan(from, to, direction, visit)
    }
}

impl TablesMut for Cached<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        if is_conversation(key) {
            self.heads.insert(key.to_vec(), Some(value.to_vec()));
        }
        self.tables.put(key, value)
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        if is_conversation(key) {
            self.heads.insert(key.to_vec(), None);
        }
        self.tables.remove(key)
    }
}

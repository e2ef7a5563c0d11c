//! A state in memory, for tests.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::{Direction, StoreError, Tables, TablesMut, Visit};

/// Every record, by key.
pub(crate) type Memory = BTreeMap<Vec<u8>, Vec<u8>>;

impl Tables for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(BTreeMap::get(self, key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], direction: Direction, visit: Visit<'_>) -> Result<(), StoreError> {
        let range = self.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let mut show = |(key, value): (&Vec<u8>, &Vec<u8>)| visit(key, value);
        let _ = match direction {
            Direction::Forward => range.into_iter().try_for_each(&mut show),
            Direction::Backward => range.into_iter().rev().try_for_each(&mut show),
        };
        Ok(())
    }
}

impl TablesMut for Memory {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), StoreError> {
        BTreeMap::remove(self, key);
        Ok(())
    }
}

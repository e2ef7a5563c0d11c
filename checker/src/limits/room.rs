//! How many bytes containers take, and room in them that is paid for before it is used.
//!
//! A vector is charged for what is in it: the system gives it memory when that is touched, and moves large ones without
//! copying. A hash map is charged for its whole table, which is touched all over, and while it grows for the old table
//! beside the new one.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use super::{Budget, Exceeded};

/// The bytes that a map takes: a table of a power of two of buckets, each with a byte of its own, at most 7/8 full.
/// This is how the standard library's map, which is hashbrown's, lays it out.
#[must_use]
pub fn map_bytes<K, V, S>(map: &HashMap<K, V, S>) -> u64 {
    table_bytes(map.capacity(), size_of::<(K, V)>())
}

/// The bytes that a set takes.
#[must_use]
pub fn set_bytes<K, S>(set: &HashSet<K, S>) -> u64 {
    table_bytes(set.capacity(), size_of::<K>())
}

fn table_bytes(capacity: usize, entry: usize) -> u64 {
    if capacity == 0 {
        return 0;
    }
    let buckets = capacity.saturating_mul(8).div_ceil(7).checked_next_power_of_two().unwrap_or(usize::MAX);
    buckets.saturating_mul(entry + 1) as u64
}

impl Budget<'_> {
    /// Accounts for one more element of a map, which may have to grow for it.
    ///
    /// # Errors
    /// [`Exceeded::Memory`].
    pub fn room_in_map<K: Eq + Hash, V, S: BuildHasher>(
        &mut self,
        map: &mut HashMap<K, V, S>,
    ) -> Result<(), Exceeded> {
        if map.len() < map.capacity() {
            return Ok(());
        }
        let old = map_bytes(map);
        let new = table_bytes(map.capacity() * 2 + 1, size_of::<(K, V)>());
        self.allocate(new)?;
        map.reserve(1);
        let actual = map_bytes(map);
        self.adjust(new, actual)?;
        self.release(old);
        Ok(())
    }

    /// Accounts for one more element of a set, which may have to grow for it.
    ///
    /// # Errors
    /// [`Exceeded::Memory`].
    pub fn room_in_set<K: Eq + Hash, S: BuildHasher>(
        &mut self,
        set: &mut HashSet<K, S>,
    ) -> Result<(), Exceeded> {
        if set.len() < set.capacity() {
            return Ok(());
        }
        let old = set_bytes(set);
        let new = table_bytes(set.capacity() * 2 + 1, size_of::<K>());
        self.allocate(new)?;
        set.reserve(1);
        let actual = set_bytes(set);
        self.adjust(new, actual)?;
        self.release(old);
        Ok(())
    }

    /// Adds an element to a vector and accounts for it.
    ///
    /// # Errors
    /// [`Exceeded::Memory`].
    #[inline]
    pub fn push<T>(&mut self, vector: &mut Vec<T>, element: T) -> Result<(), Exceeded> {
        self.allocate(size_of::<T>() as u64)?;
        vector.push(element);
        Ok(())
    }
}

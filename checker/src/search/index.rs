//! Numbers by hash: what was there before is found again, and what is new gets the next number.
//!
//! There can be millions of numbers, so they are found through many small tables instead of a large one: when that grows,
//! nobody asks for the time, and it needs the old table beside the new one. What is numbered stands elsewhere; whoever
//! asks says whether a number with the same hash is the one.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::numbers::Folding;
use crate::limits::{Budget, Exceeded, map_bytes};

/// How many tables there are when there are many numbers.
const TABLES: usize = 256;

/// How many numbers are many: below, one table is enough.
const MANY: usize = 1 << 13;

/// The number before the first.
const NONE: u32 = u32::MAX;

/// A table: by hash, the last number that has it.
type Table = HashMap<u64, u32, BuildHasherDefault<Folding>>;

/// The numbers `0..n`, by hash.
#[derive(Debug)]
pub(super) struct Index {
    /// Which table a hash is in is said by the hash, too.
    tables: Vec<Table>,
    /// By number: the one before it with the same hash.
    previous: Vec<u32>,
}

impl Index {
    /// No number.
    pub(super) fn new() -> Self {
        Index { tables: vec![Table::default()], previous: Vec::new() }
    }

    /// The last number with a hash of which `is_it` is true.
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut candidate = self.tables[place(hash, self.tables.len())].get(&hash).copied();
        while let Some(number) = candidate {
            if is_it(number) {
                return Some(number);
            }
            candidate = Some(self.previous[number as usize]).filter(|number| *number != NONE);
        }
        None
    }

    /// The next number, for something with this hash.
    pub(super) fn add(&mut self, hash: u64, budget: &mut Budget<'_>) -> Result<u32, Exceeded> {
        if self.previous.len() == MANY && self.tables.len() == 1 {
            self.split(budget)?;
        }
        let tables = self.tables.len();
        let table = &mut self.tables[place(hash, tables)];
        budget.room_in_map(table)?;
        let number = u32::try_from(self.previous.len()).expect("memory ends before 2^32 numbers");
        let before = table.insert(hash, number);
        budget.push(&mut self.previous, before.unwrap_or(NONE))?;
        Ok(number)
    }

    /// From one table to many.
    fn split(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let mut tables = vec![Table::default(); TABLES];
        let one = self.tables.pop().unwrap_or_default();
        #[expect(clippy::iter_over_hash_type, reason = "into maps again, so the order is lost again")]
        for (hash, number) in &one {
            let table = &mut tables[place(*hash, TABLES)];
            budget.room_in_map(table)?;
            table.insert(*hash, *number);
        }
        budget.release(map_bytes(&one));
        self.tables = tables;
        Ok(())
    }
}

/// The table of a hash. The upper bits choose it: within a table, the lower ones choose the place.
fn place(hash: u64, tables: usize) -> usize {
    (hash >> 32) as usize % tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn what_has_the_same_hash_is_told_apart() {
        let mut index = Index::new();
        let mut budget = Budget::new(&Limits::none());
        let numbers = [5, 5, 6, 5].map(|hash| index.add(hash, &mut budget).unwrap());
        assert_eq!(numbers, [0, 1, 2, 3]);
        let mut asked = Vec::new();
        let found = index.find(5, |number| {
            asked.push(number);
            number == 0
        });
        assert_eq!((found, asked), (Some(0), vec![3, 1, 0]));
        assert_eq!((index.find(6, |_| false), index.find(7, |_| true)), (None, None));
    }

    #[test]
    fn one_table_becomes_many() {
        let mut index = Index::new();
        let mut budget = Budget::new(&Limits::none());
        let hash = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for number in 0..3 * MANY as u64 {
            assert_eq!(index.add(hash(number), &mut budget), Ok(number as u32));
        }
        assert!((0..3 * MANY as u64).all(|number| index.find(hash(number), |_| true) == Some(number as u32)));
        assert_eq!(index.tables.len(), TABLES);
        assert!(index.tables.iter().all(|table| table.len() > MANY / TABLES), "the tables are equally full");
        let tables: u64 = index.tables.iter().map(map_bytes).sum();
        assert_eq!(budget.memory(), tables + (3 * MANY * size_of::<u32>()) as u64);
    }
}

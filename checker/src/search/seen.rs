//! The configurations that a walk has been at.
//!
//! There can be millions of them, so they stand one behind the other in one piece of memory: with a box for each, giving
//! them back would take longer than a person waits after a limit was hit. And they are found through many small tables
//! instead of a large one: when that grows, nobody asks for the time, and it needs the old table beside the new one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::slots::Slots;
use crate::limits::{Budget, Exceeded, map_bytes};

/// How many words of a configuration are worth one step.
const WORDS_PER_STEP: usize = 8;

/// How many tables there are when there are many configurations.
const TABLES: usize = 256;

/// How many configurations are many: below, one table is enough.
const MANY: usize = 1 << 13;

/// A set of configurations whose slots are equally many.
#[derive(Debug)]
pub(super) struct Seen {
    /// By hash: the last configuration that has it. Which table it is in is said by the hash, too.
    last: Vec<HashMap<u64, u32>>,
    entries: Vec<Entry>,
    /// The words of all slots, `width` for each configuration.
    words: Vec<u64>,
    width: usize,
}

#[derive(Debug)]
struct Entry {
    frontier: u32,
    state: u32,
    /// The configuration before it with the same hash.
    previous: Option<u32>,
}

impl Seen {
    /// The empty set.
    pub(super) fn new(slots: &Slots) -> Self {
        let last = vec![HashMap::new()];
        Seen { last, entries: Vec::new(), words: Vec::new(), width: slots.words().count() }
    }

    /// Adds a configuration; `false` if it was there.
    pub(super) fn insert(
        &mut self,
        frontier: u32,
        state: u32,
        placed: &Slots,
        budget: &mut Budget<'_>,
    ) -> Result<bool, Exceeded> {
        let mut hasher = DefaultHasher::new();
        (frontier, state).hash(&mut hasher);
        placed.words().for_each(|word| hasher.write_u64(word));
        let hash = hasher.finish();
        if self.entries.len() == MANY && self.last.len() == 1 {
            self.split(budget)?;
        }
        let number = place(hash, self.last.len());
        let table = &mut self.last[number];
        let last = table.get(&hash).copied();
        let mut candidate = last;
        while let Some(number) = candidate {
            let entry = &self.entries[number as usize];
            let words = &self.words[number as usize * self.width..][..self.width];
            if (entry.frontier, entry.state) == (frontier, state) && placed.words().eq(words.iter().copied())
            {
                return Ok(false);
            }
            candidate = entry.previous;
        }
        budget.room_in_map(table)?;
        budget.allocate((size_of::<Entry>() + self.width * size_of::<u64>()) as u64)?;
        let number = u32::try_from(self.entries.len()).expect("memory ends before 2^32 configurations");
        table.insert(hash, number);
        self.entries.push(Entry { frontier, state, previous: last });
        self.words.extend(placed.words());
        Ok(true)
    }

    /// From one table to many.
    fn split(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let mut tables: Vec<HashMap<u64, u32>> = vec![HashMap::new(); TABLES];
        let one = self.last.pop().unwrap_or_default();
        #[expect(clippy::iter_over_hash_type, reason = "into maps again, so the order is lost again")]
        for (hash, number) in &one {
            let table = &mut tables[place(*hash, TABLES)];
            budget.room_in_map(table)?;
            table.insert(*hash, *number);
        }
        budget.release(map_bytes(&one));
        self.last = tables;
        Ok(())
    }

    /// How many steps it is worth to look a configuration up: wide ones take their time.
    pub(super) fn steps_each(&self) -> u64 {
        (self.width / WORDS_PER_STEP) as u64
    }
}

/// The table of a hash. The upper bits choose it: within a table, the lower ones choose the place.
fn place(hash: u64, tables: usize) -> usize {
    (hash >> 32) as usize % tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_configuration_is_new_once() {
        let mut placed = Slots::new(200);
        let mut seen = Seen::new(&placed);
        let mut budget = Budget::new(&crate::limits::Limits::none());
        for round in [true, false] {
            for slot in [0, 63, 64, 199] {
                placed.insert(slot);
                for (frontier, state) in [(0, 0), (0, 1), (1, 0)] {
                    let new = seen.insert(frontier, state, &placed, &mut budget);
                    assert_eq!(new, Ok(round), "{frontier} {state} {slot}");
                }
                placed.remove(slot);
            }
        }
        assert_eq!((seen.entries.len(), seen.width), (12, 4));
    }

    #[test]
    fn one_table_becomes_many() {
        let placed = Slots::new(1);
        let mut seen = Seen::new(&placed);
        let mut budget = Budget::new(&crate::limits::Limits::none());
        for round in [true, false] {
            for state in 0..3 * MANY as u32 {
                assert_eq!(seen.insert(7, state, &placed, &mut budget), Ok(round), "{state}");
            }
        }
        assert_eq!((seen.entries.len(), seen.last.len()), (3 * MANY, TABLES));
        let tables: u64 = seen.last.iter().map(map_bytes).sum();
        assert_eq!(budget.memory(), tables + (3 * MANY * (size_of::<Entry>() + 8)) as u64);
        assert!(seen.last.iter().all(|table| table.len() > MANY / TABLES), "the tables are equally full");
    }
}

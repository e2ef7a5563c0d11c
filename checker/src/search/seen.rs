//! The configurations that a walk has been at.
//!
//! There can be millions of them, so they stand one behind the other in one piece of memory: with a box for each, giving
//! them back would take longer than a person waits after a limit was hit.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::index::Index;
use super::slots::Slots;
use crate::limits::{Budget, Exceeded};

/// How many words of a configuration are worth one step.
const WORDS_PER_STEP: usize = 8;

/// A set of configurations whose slots are equally many.
#[derive(Debug)]
pub(super) struct Seen {
    index: Index,
    entries: Vec<Entry>,
    /// The words of all slots, `width` for each configuration.
    words: Vec<u64>,
    width: usize,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Entry {
    frontier: u32,
    state: u32,
}

impl Seen {
    /// The empty set.
    pub(super) fn new(slots: &Slots) -> Self {
        Seen { index: Index::new(), entries: Vec::new(), words: Vec::new(), width: slots.words().count() }
    }

    /// Adds a configuration; `false` if it was there.
    pub(super) fn insert(
        &mut self,
        frontier: u32,
        state: u32,
        placed: &Slots,
        budget: &mut Budget<'_>,
    ) -> Result<bool, Exceeded> {
        let new = Entry { frontier, state };
        let mut hasher = DefaultHasher::new();
        new.hash(&mut hasher);
        placed.words().for_each(|word| hasher.write_u64(word));
        let hash = hasher.finish();
        let is_it = |number: u32| {
            let words = &self.words[number as usize * self.width..][..self.width];
            self.entries[number as usize] == new && placed.words().eq(words.iter().copied())
        };
        if self.index.find(hash, is_it).is_some() {
            return Ok(false);
        }
        budget.allocate((size_of::<Entry>() + self.width * size_of::<u64>()) as u64)?;
        self.index.add(hash, budget)?;
        self.entries.push(new);
        self.words.extend(placed.words());
        Ok(true)
    }

    /// How many steps it is worth to look a configuration up: wide ones take their time.
    pub(super) fn steps_each(&self) -> u64 {
        (self.width / WORDS_PER_STEP) as u64
    }
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
}

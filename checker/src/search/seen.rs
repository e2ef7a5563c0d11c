//! The configurations that a walk has been at.
//!
//! There can be millions of them, so they stand one behind the other in one piece of memory: with a box for each, giving
//! them back would take longer than a person waits after a limit was hit.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::slots::Slots;

/// How many words of a configuration are worth one step.
const WORDS_PER_STEP: usize = 8;

/// A set of configurations whose slots are equally many.
#[derive(Debug)]
pub(super) struct Seen {
    /// By hash: the last configuration that has it.
    last: HashMap<u64, u32>,
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
        Seen { last: HashMap::new(), entries: Vec::new(), words: Vec::new(), width: slots.words().count() }
    }

    /// Adds a configuration; `false` if it was there.
    pub(super) fn insert(&mut self, frontier: u32, state: u32, placed: &Slots) -> bool {
        let mut hasher = DefaultHasher::new();
        (frontier, state).hash(&mut hasher);
        placed.words().for_each(|word| hasher.write_u64(word));
        let hash = hasher.finish();
        let last = self.last.get(&hash).copied();
        let mut candidate = last;
        while let Some(number) = candidate {
            let entry = &self.entries[number as usize];
            let words = &self.words[number as usize * self.width..][..self.width];
            if (entry.frontier, entry.state) == (frontier, state) && placed.words().eq(words.iter().copied())
            {
                return false;
            }
            candidate = entry.previous;
        }
        let number = u32::try_from(self.entries.len()).expect("memory ends before 2^32 configurations");
        self.last.insert(hash, number);
        self.entries.push(Entry { frontier, state, previous: last });
        self.words.extend(placed.words());
        true
    }

    /// What one configuration takes, in bytes: a growing vector or map has twice what is in it.
    pub(super) fn bytes_each(&self) -> u64 {
        (2 * (size_of::<(u64, u32)>() + size_of::<Entry>() + self.width * size_of::<u64>())) as u64
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
        for round in [true, false] {
            for slot in [0, 63, 64, 199] {
                placed.insert(slot);
                for (frontier, state) in [(0, 0), (0, 1), (1, 0)] {
                    assert_eq!(seen.insert(frontier, state, &placed), round, "{frontier} {state} {slot}");
                }
                placed.remove(slot);
            }
        }
        assert_eq!((seen.entries.len(), seen.width), (12, 4));
    }
}

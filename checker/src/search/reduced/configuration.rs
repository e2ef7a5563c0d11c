//! Configurations, and which of them can be dropped.

use super::counts::Counts;

/// A state, and what has become of the pending operations: `64 * W` of them at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Configuration<const W: usize> {
    pub(super) state: u32,
    /// How many operations of each class without a return are used, by its number in [`Counts`].
    pub(super) counts: u32,
    /// The last entry of the [trail](super::trail) that led here.
    pub(super) trail: u32,
    /// Placed, and the state shows it. Never also covered.
    pub(super) used: Slots<W>,
    /// Placed so that nothing shows it, or not placed.
    pub(super) covered: Slots<W>,
}

impl<const W: usize> Configuration<W> {
    /// Whether the other one can be dropped because of this one: it can do whatever the other one can.
    pub(super) fn dominates(&self, other: &Self, counts: &Counts) -> bool {
        self.state == other.state
            && (0..W).all(|word| {
                let differs = (self.used.0[word] ^ other.used.0[word]) | other.covered.0[word];
                differs & !self.covered.0[word] == 0
            })
            && counts.at_most(self.counts, other.counts)
    }
}

/// A set of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slots<const W: usize>(pub(super) [u64; W]);

impl<const W: usize> Slots<W> {
    pub(super) const EMPTY: Self = Slots([0; W]);

    pub(super) fn has(&self, slot: u32) -> bool {
        self.0[(slot / 64) as usize] >> (slot % 64) & 1 == 1
    }

    pub(super) fn insert(&mut self, slot: u32) {
        self.0[(slot / 64) as usize] |= 1 << (slot % 64);
    }

    pub(super) fn remove(&mut self, slot: u32) {
        self.0[(slot / 64) as usize] &= !(1 << (slot % 64));
    }

    /// What is in both sets.
    pub(super) fn and(&self, other: &Self) -> Self {
        Slots(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }

    /// What is in this set and in none of the others.
    pub(super) fn without(&self, others: [&Self; 2]) -> Self {
        Slots(std::array::from_fn(|word| self.0[word] & !others[0].0[word] & !others[1].0[word]))
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (word, others) in self.0.iter_mut().zip(other.0) {
            *word |= others;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// All of them, ascending.
    pub(super) fn iter(self) -> impl Iterator<Item = u32> {
        (0..).zip(self.0).flat_map(|(word, bits)| {
            let rest = std::iter::successors(Some(bits), |bits| Some(bits & bits.wrapping_sub(1)));
            rest.take_while(|bits| *bits != 0).map(move |bits| 64 * word + bits.trailing_zeros())
        })
    }
}

/// Adds a configuration unless another one dominates it, and drops those that it dominates. Whether it was added.
pub(super) fn add<const W: usize>(
    all: &mut Vec<Configuration<W>>,
    new: Configuration<W>,
    counts: &Counts,
) -> bool {
    if all.iter().any(|old| old.dominates(&new, counts)) {
        return false;
    }
    all.retain(|old| !new.dominates(old, counts));
    all.push(new);
    true
}

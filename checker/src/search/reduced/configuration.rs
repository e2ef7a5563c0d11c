//! Configurations, and which of them can be dropped.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::search::numbers::Folding;

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

/// How many operations of each class are used: every combination that occurs, once. 0 is that none is.
#[derive(Debug)]
pub(super) struct Counts {
    classes: usize,
    /// The combinations, one behind the other.
    all: Vec<u32>,
    numbers: HashMap<Box<[u32]>, u32>,
    /// By combination and class: the combination with one more of it.
    more: HashMap<u64, u32, BuildHasherDefault<Folding>>,
}

impl Counts {
    pub(super) fn new(classes: usize) -> Self {
        let none = vec![0; classes];
        let numbers = HashMap::from([(none.clone().into_boxed_slice(), 0)]);
        Counts { classes, all: none, numbers, more: HashMap::default() }
    }

    fn of(&self, number: u32) -> &[u32] {
        &self.all[number as usize * self.classes..][..self.classes]
    }

    /// How many of a class are used.
    pub(super) fn used(&self, number: u32, class: u32) -> u32 {
        self.of(number)[class as usize]
    }

    /// One more of a class; `None` if there are too many to count.
    pub(super) fn with(&mut self, number: u32, class: u32) -> Option<u32> {
        let key = u64::from(number) << 32 | u64::from(class);
        if let Some(more) = self.more.get(&key) {
            return Some(*more);
        }
        let mut counts: Box<[u32]> = self.of(number).into();
        counts[class as usize] = counts[class as usize].checked_add(1)?;
        let next = u32::try_from(self.numbers.len()).expect("memory ends before 2^32 combinations");
        let more = *self.numbers.entry(counts).or_insert_with_key(|counts| {
            self.all.extend_from_slice(counts);
            next
        });
        self.more.insert(key, more);
        Some(more)
    }

    /// Whether the first has used no more of any class than the second.
    fn at_most(&self, one: u32, other: u32) -> bool {
        one == other || self.of(one).iter().zip(self.of(other)).all(|(one, other)| one <= other)
    }

    /// What a new combination takes at most, in bytes.
    pub(super) fn bytes_each(&self) -> u64 {
        (4 * self.classes * size_of::<u32>() + 64) as u64
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

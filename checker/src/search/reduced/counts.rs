//! How many operations of each class are used.

use std::hash::Hasher;

use crate::limits::{Budget, Exceeded};
use crate::search::index::Index;
use crate::search::numbers::Folding;

/// How many operations of each class are used: every combination that occurs, once. 0 is that none is.
#[derive(Debug)]
pub(super) struct Counts {
    classes: usize,
    /// The combinations, one behind the other.
    all: Vec<u32>,
    index: Index,
    /// What was asked for already: a combination, a class, and the combination with one more of it.
    more: Vec<[u32; 3]>,
    asked: Index,
}

impl Counts {
    /// For so many classes.
    pub(super) fn new(classes: usize, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        budget.allocate((classes * size_of::<u32>()) as u64)?;
        let mut index = Index::new();
        let none = vec![0; classes];
        index.add(hash(none.iter().copied()), budget)?;
        Ok(Counts { classes, all: none, index, more: Vec::new(), asked: Index::new() })
    }

    fn of(&self, number: u32) -> &[u32] {
        &self.all[number as usize * self.classes..][..self.classes]
    }

    /// How many of a class are used.
    pub(super) fn used(&self, number: u32, class: u32) -> u32 {
        self.of(number)[class as usize]
    }

    /// One more of a class.
    pub(super) fn with(&mut self, number: u32, class: u32, budget: &mut Budget<'_>) -> Result<u32, Exceeded> {
        let key = hash([number, class].into_iter());
        let is_it = |asked: u32| self.more[asked as usize][..2] == [number, class];
        if let Some(asked) = self.asked.find(key, is_it) {
            return Ok(self.more[asked as usize][2]);
        }
        budget.ticks((self.classes / 16) as u64)?;
        // There are fewer operations than a u32 counts.
        let counts = |counts: &Self| {
            let one_more = |(other, count): (u32, &u32)| count + u32::from(other == class);
            (0..).zip(counts.of(number)).map(one_more).collect::<Box<[u32]>>()
        };
        let counts = counts(self);
        let own = hash(counts.iter().copied());
        let more = match self.index.find(own, |other| *self.of(other) == *counts) {
            Some(more) => more,
            None => {
                budget.allocate(size_of_val(&*counts) as u64)?;
                let next = self.index.add(own, budget)?;
                self.all.extend_from_slice(&counts);
                next
            }
        };
        self.asked.add(key, budget)?;
        budget.push(&mut self.more, [number, class, more])?;
        Ok(more)
    }

    /// Whether the first has used no more of any class than the second.
    pub(super) fn at_most(&self, one: u32, other: u32) -> bool {
        one == other || self.of(one).iter().zip(self.of(other)).all(|(one, other)| one <= other)
    }
}

fn hash(words: impl Iterator<Item = u32>) -> u64 {
    let mut hasher = Folding::default();
    words.for_each(|word| hasher.write_u32(word));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn each_combination_has_one_number() {
        let mut budget = Budget::new(&Limits::none());
        let mut counts = Counts::new(3, &mut budget).unwrap();
        let mut with = |number, class| counts.with(number, class, &mut budget).unwrap();
        let (one, other) = (with(0, 0), with(0, 2));
        let both = with(one, 2);
        assert_eq!((with(other, 0), with(one, 2), with(0, 0)), (both, both, one));
        assert_eq!([0, 1, 2].map(|class| counts.used(both, class)), [1, 0, 1]);
        assert!(counts.at_most(0, both) && counts.at_most(one, both) && counts.at_most(both, both));
        assert!(!counts.at_most(both, one) && !counts.at_most(one, other));
    }
}

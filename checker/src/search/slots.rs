//! A set of slots: one bit for each operation that may be pending at a time.

/// A set of small numbers, inline as long as they are below 64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slots {
    low: u64,
    high: Box<[u64]>,
}

impl Slots {
    /// The empty set of numbers below `count`.
    pub(super) fn new(count: usize) -> Self {
        let words = count.div_ceil(64).saturating_sub(1);
        Slots { low: 0, high: vec![0; words].into() }
    }

    /// Adds a number that is not in the set.
    pub(super) fn insert(&mut self, slot: u32) {
        self.flip(slot);
    }

    /// Removes a number that is in the set.
    pub(super) fn remove(&mut self, slot: u32) {
        self.flip(slot);
    }

    fn flip(&mut self, slot: u32) {
        let bit = 1 << (slot % 64);
        match (slot / 64) as usize {
            0 => self.low ^= bit,
            word => self.high[word - 1] ^= bit,
        }
    }

    /// The set as words, always as many for the same count of numbers.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> {
        [self.low].into_iter().chain(self.high.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_has_a_bit_of_its_own() {
        for count in [1, 64, 65, 200] {
            let mut all = Slots::new(count as usize);
            assert_eq!(all.words().count(), (count as usize).div_ceil(64));
            for slot in 0..count {
                let mut one = Slots::new(count as usize);
                one.insert(slot);
                all.insert(slot);
                assert_eq!(one == all, slot == 0, "slot {slot} of {count}");
                one.remove(slot);
                assert_eq!(one, Slots::new(count as usize));
            }
        }
    }
}

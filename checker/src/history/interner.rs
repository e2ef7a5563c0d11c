//! From a thing to its number: the hash table behind [`Symbols`](super::Symbols).
//!
//! It holds numbers only; the things themselves lie side by side in an arena of the caller, so that ten million short
//! texts are not ten million allocations. Open addressing with linear steps, at most three quarters full.
//!
//! The hash multiplies 64-bit words and folds the product (as wyhash does). It is fixed, so that nothing depends on
//! chance, and made for speed: it does not withstand somebody who chooses texts that collide.

/// Half ones, half zeros: the fraction of the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// No number: an empty slot. The table of 2^32 - 1 things is refused before a thing can have this one.
const EMPTY: u64 = u64::MAX;

/// A hash that is being computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) fn new() -> Self {
        Hash(GOLDEN)
    }

    #[inline]
    pub(super) fn word(self, word: u64) -> Self {
        let product = u128::from(self.0 ^ word) * u128::from(GOLDEN);
        Hash(((product >> 64) as u64) ^ (product as u64) ^ self.0.rotate_left(29))
    }

    #[inline]
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self = self.word(u64::from_le_bytes(*word));
        }
        let last = rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
        self.word(last ^ (bytes.len() as u64) << 56)
    }

    /// The half that is kept, and its place in a table.
    fn finish(self) -> u32 {
        ((self.0 ^ self.0 >> 32).wrapping_mul(GOLDEN) >> 32) as u32
    }
}

/// Numbers by the hashes of their things.
#[derive(Debug, Clone, Default)]
pub(super) struct Interner {
    /// A power of two of slots: the hash above, the number below.
    slots: Vec<u64>,
    count: u32,
}

impl Interner {
    /// The number of the thing with this hash for which `is_it` holds.
    #[inline]
    pub(super) fn find(&self, hash: Hash, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let hash = hash.finish();
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let slot = self.slots[place];
            if slot == EMPTY {
                return None;
            }
            if (slot >> 32) as u32 == hash && is_it(slot as u32) {
                return Some(slot as u32);
            }
            place = (place + 1) & mask;
        }
    }

    /// Gives the next number to a thing that [`Interner::find`] did not find.
    ///
    /// # Panics
    /// After 2^32 - 1 things.
    pub(super) fn add(&mut self, hash: Hash) -> u32 {
        let number = self.count;
        assert!(number != u32::MAX, "a history has fewer than 2^32 names, and as many lists");
        self.count += 1;
        if self.count as usize * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.put(u64::from(hash.finish()) << 32 | u64::from(number));
        number
    }

    fn grow(&mut self) {
        let length = (self.slots.len() * 2).max(16);
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; length]);
        for slot in old.into_iter().filter(|slot| *slot != EMPTY) {
            self.put(slot);
        }
    }

    fn put(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut place = (slot >> 32) as usize & mask;
        while self.slots[place] != EMPTY {
            place = (place + 1) & mask;
        }
        self.slots[place] = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found() {
        let mut interner = Interner::default();
        let hash = |number: u32| Hash::new().bytes(format!("c{}-{number}", number % 7).as_bytes());
        for number in 0..10_000 {
            assert_eq!(interner.find(hash(number), |other| other == number), None);
            assert_eq!(interner.add(hash(number)), number);
        }
        for number in 0..10_000 {
            assert_eq!(interner.find(hash(number), |other| other == number), Some(number));
        }
    }

    #[test]
    fn hashes_of_like_things_differ() {
        let texts = (0..100_000_u32).map(|number| Hash::new().bytes(&number.to_le_bytes()).finish());
        let words = (0..100_000).map(|number| Hash::new().word(1).word(number).finish());
        let short =
            ["", "\0", "\0\0", "a", "a\0", "\0a"].map(|text| Hash::new().bytes(text.as_bytes()).finish());
        for hashes in [texts.collect::<Vec<_>>(), words.collect(), short.to_vec()] {
            let mut distinct = hashes.clone();
            distinct.sort_unstable();
            distinct.dedup();
            // By chance one or two of 100,000 are expected to meet in 32 bits.
            assert!(hashes.len() - distinct.len() < 10, "{}", hashes.len() - distinct.len());
        }
    }
}

//! A digest of a set of records that costs the same to keep whatever the number of records.
//!
//! AdHash (Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing: Incrementality at Reduced Cost", 1997):
//! the sum, modulo 2^128, of a hash of each record. Adding a record adds its hash, removing it subtracts it, so the
//! digest depends on the set alone, not on how it came about. The hash is XXH3: it finds accidents, not forgers.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

/// The digest of a set of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest(u128);

impl Digest {
    /// Adds a record, which the set must not have.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_add(hash(key, value));
    }

    /// Removes a record, which the set must have.
    pub fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.0 = self.0.wrapping_sub(hash(key, value));
    }

    /// As it is stored.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    /// As it was stored.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

fn hash(key: &[u8], value: &[u8]) -> u128 {
    let mut hasher = Xxh3::new();
    // The length keeps a byte from passing from the key to the value unnoticed.
    hasher.update(&u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    hasher.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_depends_on_the_set_alone() {
        let mut one = Digest::default();
        one.add(b"a", b"1");
        one.add(b"b", b"2");
        let mut other = Digest::default();
        other.add(b"b", b"2");
        other.add(b"c", b"3");
        other.add(b"a", b"1");
        other.remove(b"c", b"3");
        assert_eq!(one, other);
        other.remove(b"a", b"1");
        other.add(b"a1", b"");
        assert_ne!(one, other);
    }
}

//! Randomness that comes from one seed.
//!
//! A run has one seed. Whoever needs randomness takes a *fork* of it by name: `fork("workload")`,
//! `fork("strike/kill-leader#2")`. A fork depends on the seed and the name only, never on what was drawn before, so
//! adding a fault does not change the workload, and a strike chooses the same nodes whatever happened around it.
//!
//! [`Rng`] implements the traits of the `rand` crate, so everything of [`rand::RngExt`] and [`rand::seq`] works on it.
//! It is not meant for secrets.

use std::convert::Infallible;

use rand::{Rng as _, SeedableRng as _, TryRng};
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A reproducible stream of random numbers, which knows the seed that it grew from.
#[derive(Debug, Clone)]
pub struct Rng {
    seed: u64,
    stream: ChaCha8Rng,
}

impl Rng {
    /// The stream of `seed`, from its beginning.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self { seed, stream: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The stream called `name` below this one: XXH3 of the name under this stream's seed, expanded by ChaCha8.
    #[must_use]
    pub fn fork(&self, name: &str) -> Self {
        Self::from_seed(xxh3_64_with_seed(name.as_bytes(), self.seed))
    }
}

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.stream.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.stream.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.stream.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(mut rng: Rng) -> Vec<u64> {
        (0..10_000).map(|_| rng.next_u64()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        assert_eq!(take(Rng::from_seed(7)), take(Rng::from_seed(7)));
        assert_ne!(take(Rng::from_seed(7)), take(Rng::from_seed(8)));
    }

    #[test]
    fn a_fork_does_not_depend_on_what_was_drawn_before() {
        let mut used = Rng::from_seed(7);
        let fresh = used.clone();
        for _ in 0..100 {
            used.next_u64();
        }
        assert_eq!(take(used.fork("workload")), take(fresh.fork("workload")));
    }

    #[test]
    fn forks_of_different_names_or_parents_differ() {
        let root = Rng::from_seed(7);
        assert_ne!(take(root.fork("workload")), take(root.fork("nemesis")));
        assert_ne!(take(root.fork("workload")), take(root.clone()));
        assert_ne!(take(root.fork("workload")), take(Rng::from_seed(8).fork("workload")));
        assert_ne!(take(root.fork("a").fork("b")), take(root.fork("b").fork("a")));
    }

    /// Saved runs name their seed: the streams must not change between versions of the supervisor.
    #[test]
    fn the_streams_are_those_of_the_first_version() {
        let mut rng = Rng::from_seed(7).fork("workload");
        assert_eq!((rng.next_u64(), rng.next_u64()), (14_206_946_591_368_662_834, 3_664_017_191_334_482_976));
    }
}

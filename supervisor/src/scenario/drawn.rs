//! A value that may be a range: `8s`, or `3s..9s`, of which the seed draws one.

use std::time::Duration;

use rand::RngExt;

use super::unit::{Bandwidth, Chance, Drift, Offset, Rate};
use crate::rng::Rng;

/// One value or a range of values, both ends included; `min <= max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn<T> {
    /// The least value.
    pub min: T,
    /// The greatest value.
    pub max: T,
}

impl<T: Copy> Drawn<T> {
    /// Exactly this value.
    #[must_use]
    pub fn exactly(value: T) -> Self {
        Self { min: value, max: value }
    }
}

/// What a range can be drawn of.
pub trait Draw: Copy {
    /// A value from `min` to `max`, both included, each as likely as any other.
    fn between(min: Self, max: Self, rng: &mut Rng) -> Self;
}

impl Draw for u64 {
    fn between(min: Self, max: Self, rng: &mut Rng) -> Self {
        rng.random_range(min..=max)
    }
}

impl Draw for Rate {
    fn between(min: Self, max: Self, rng: &mut Rng) -> Self {
        Self { per_second: rng.random_range(min.per_second..=max.per_second) }
    }
}

impl Draw for Offset {
    fn between(min: Self, max: Self, rng: &mut Rng) -> Self {
        Self { ms: rng.random_range(min.ms..=max.ms) }
    }
}

impl Draw for Drift {
    fn between(min: Self, max: Self, rng: &mut Rng) -> Self {
        Self { ppm: rng.random_range(min.ppm..=max.ppm) }
    }
}

impl Draw for Bandwidth {
    fn between(min: Self, max: Self, rng: &mut Rng) -> Self {
        let drawn = rng.random_range(min.bytes_per_second.get()..=max.bytes_per_second.get());
        Self { bytes_per_second: drawn.try_into().expect("it is not below the minimum, which is not 0") }
    }
}

impl Draw for Chance {
    fn between(min: Self, max: Self, rng: &mut Rng) -> Self {
        let drawn = rng.random_range(min.per_million()..=max.per_million());
        Self::of_million(drawn).expect("it is between two chances")
    }
}

impl Draw for Duration {
    /// Durations between whole milliseconds are whole milliseconds: a plan is read by people.
    fn between(min: Self, max: Self, rng: &mut Rng) -> Self {
        const MILLISECOND: u64 = 1_000_000;
        let nanos =
            |duration: Self| u64::try_from(duration.as_nanos()).expect("a duration is at most a week");
        let (min, max) = (nanos(min), nanos(max));
        let is_whole = min.is_multiple_of(MILLISECOND) && max.is_multiple_of(MILLISECOND);
        let step = if is_whole { MILLISECOND } else { 1 };
        Self::from_nanos(rng.random_range(min / step..=max / step) * step)
    }
}

impl<T: Draw> Drawn<T> {
    /// The value that `rng` draws.
    #[must_use]
    pub fn draw(self, rng: &mut Rng) -> T {
        T::between(self.min, self.max, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_drawn_and_nothing_beyond() {
        let mut rng = Rng::from_seed(1);
        let range = Drawn { min: 2_u64, max: 4 };
        let mut seen: Vec<u64> = (0..100).map(|_| range.draw(&mut rng)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [2, 3, 4]);
    }

    #[test]
    fn a_time_between_whole_milliseconds_is_whole() {
        let mut rng = Rng::from_seed(1);
        let range = Drawn { min: Duration::from_secs(1), max: Duration::from_secs(2) };
        for _ in 0..100 {
            let drawn = range.draw(&mut rng);
            assert!(
                drawn >= range.min && drawn <= range.max && drawn.subsec_nanos().is_multiple_of(1_000_000)
            );
        }
        let fine = Drawn { min: Duration::from_micros(1), max: Duration::from_micros(3) };
        assert!((0..100).any(|_| fine.draw(&mut rng).as_nanos() % 1_000 != 0));
    }
}

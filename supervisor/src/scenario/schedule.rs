//! When a timed fault strikes.
//!
//! One function says it for the plan, which draws ranges from the seed, and for the checks of sense, which take the
//! ends of the ranges: what fits when everything takes longest fits for every seed.

use std::time::Duration;

use super::drawn::Drawn;
use super::file::{Fault, When};
use super::plan::STRIKES_MAX;

/// One strike of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// When, from the end of the warm-up.
    pub(super) at: Duration,
    /// After which time it is lifted; `None`: it lifts itself, or ends at the heal.
    pub(super) lasts: Option<Duration>,
}

impl Moment {
    /// Whether it begins, and is lifted where the plan lifts it, before the load of `duration` ends.
    fn fits(self, duration: Duration) -> bool {
        self.at < duration && self.at + self.lasts.unwrap_or_default() <= duration
    }
}

/// How a range becomes a value. The number is that of the strike, from 1.
pub(super) trait Choose {
    /// A moment, an interval.
    fn time(&self, range: Drawn<Duration>, strike: usize) -> Duration;
    /// How long a strike lasts.
    fn lasts(&self, range: Drawn<Duration>, strike: usize) -> Duration;
    /// How often a fault strikes.
    fn times(&self, range: Drawn<u64>) -> u64;
}

/// The strikes of `fault` in a load of `duration`, in order; at most one more than [`STRIKES_MAX`].
pub(super) fn moments(fault: &Fault, duration: Duration, choose: &dyn Choose) -> Vec<Moment> {
    let lasts = |strike| fault.lasts.map(|range| choose.lasts(range, strike));
    match &fault.when {
        When::At(at) => {
            let moment = Moment { at: choose.time(at.value, 1), lasts: lasts(1) };
            Some(moment).filter(|moment| moment.fits(duration)).into_iter().collect()
        }
        When::Every { interval, times } => {
            let times = times.as_ref().map_or(u64::MAX, |times| choose.times(times.value));
            let times = usize::try_from(times).unwrap_or(usize::MAX).min(STRIKES_MAX + 1);
            let begin = |at: &mut Duration, strike| {
                *at += choose.time(interval.value, strike);
                Some(Moment { at: *at, lasts: lasts(strike) })
            };
            (1..=times).scan(Duration::ZERO, begin).take_while(|moment| moment.fits(duration)).collect()
        }
    }
}

/// Everything takes as long as it may, and strikes as often: what fits so fits always.
pub(super) struct Longest;

/// Everything is as short as it may be, and strikes as often as it may.
pub(super) struct Shortest;

impl Choose for Longest {
    fn time(&self, range: Drawn<Duration>, _strike: usize) -> Duration {
        range.max
    }

    fn lasts(&self, range: Drawn<Duration>, _strike: usize) -> Duration {
        range.max
    }

    fn times(&self, range: Drawn<u64>) -> u64 {
        range.max
    }
}

impl Choose for Shortest {
    fn time(&self, range: Drawn<Duration>, _strike: usize) -> Duration {
        range.min
    }

    fn lasts(&self, range: Drawn<Duration>, _strike: usize) -> Duration {
        range.min
    }

    fn times(&self, range: Drawn<u64>) -> u64 {
        range.max
    }
}

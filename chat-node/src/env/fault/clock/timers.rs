//! The clock of timers, as a piecewise linear function of the host's. Pure.
//!
//! # Invariants
//! * It never goes back: a piece begins where the one before it ends, or later, and no piece falls.
//! * [`Timers::host`] of a time is the first moment at which [`Timers::node`] has reached it, to the nanosecond.

use std::time::Duration;

use crate::env::Instant;

const PPM: u128 = 1_000_000;
/// What stands for a time that the host's clock cannot express.
const FAR: Duration = Duration::from_secs(30 * 366 * 24 * 60 * 60);

/// The last piece: what was before it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// When the piece began, by the host.
    host: Instant,
    /// When the piece began, by the node.
    node: Instant,
    /// How fast it runs, in parts per million of the host's; above 0.
    pace: u32,
}

impl Timers {
    /// A clock that shows the host's time; it is `now` there.
    #[must_use]
    pub fn right(now: Instant) -> Self {
        Self { host: now, node: now, pace: 1_000_000 }
    }

    /// The clock that jumps by `jump` at `now`, by the host, and then runs `drift_ppm` parts per million too fast, at
    /// least -900,000.
    #[must_use]
    pub fn changed(&self, now: Instant, jump: Duration, drift_ppm: i32) -> Self {
        let pace = 1_000_000_u32.checked_add_signed(drift_ppm).filter(|pace| *pace > 0).unwrap_or(1);
        let node = self.node(now);
        Self { host: now, node: node.checked_add(jump).unwrap_or(node), pace }
    }

    /// How long the piece lasts, when it is `now` by the host.
    #[must_use]
    pub fn since(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.host)
    }

    /// What the clock shows when it is `now` by the host.
    #[must_use]
    pub fn node(&self, now: Instant) -> Instant {
        let since = scaled(self.since(now), self.pace);
        self.node.checked_add(since).unwrap_or(self.node)
    }

    /// When the clock will show `at`, by the host; the beginning of the piece when it did so before.
    #[must_use]
    pub fn host(&self, at: Instant) -> Instant {
        let nanos = at.saturating_duration_since(self.node).as_nanos();
        let wait = nanos.checked_mul(PPM).map(|nanos| nanos.div_ceil(u128::from(self.pace)));
        let wait = wait.and_then(duration).unwrap_or(FAR).min(FAR);
        self.host.checked_add(wait).unwrap_or(self.host)
    }
}

/// So many parts per million of a time.
pub(super) fn scaled(time: Duration, ppm: u32) -> Duration {
    let nanos = time.as_nanos().checked_mul(u128::from(ppm)).map(|nanos| nanos / PPM);
    nanos.and_then(duration).unwrap_or(Duration::MAX)
}

fn duration(nanos: u128) -> Option<Duration> {
    const SECOND: u128 = 1_000_000_000;
    let below = u32::try_from(nanos % SECOND).ok()?;
    u64::try_from(nanos / SECOND).ok().map(|seconds| Duration::new(seconds, below))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::env::fault::manual::moment;

    proptest! {
        #[test]
        fn it_never_goes_back_and_its_inverse_is_exact(
            changes in prop::collection::vec((0_u64..100_000_000_000, 0_u64..10_000_000_000, -900_000..9_000_000_i32), 1..8),
            ahead in 0_u64..100_000_000_000,
        ) {
            let mut host = moment();
            let mut timers = Timers::right(host);
            let mut shown = timers.node(host);
            for (wait, jump, drift_ppm) in changes {
                host += Duration::from_nanos(wait);
                let before = timers.node(host);
                prop_assert!(before >= shown);
                timers = timers.changed(host, Duration::from_nanos(jump), drift_ppm);
                shown = timers.node(host);
                prop_assert_eq!(shown, before + Duration::from_nanos(jump));

                let at = shown + Duration::from_nanos(ahead);
                let due = timers.host(at);
                prop_assert!(timers.node(due) >= at);
                if due > host {
                    prop_assert!(timers.node(due - Duration::from_nanos(1)) < at);
                }
            }
        }
    }

    #[test]
    fn a_time_that_never_comes_is_far_away() {
        let now = moment();
        let timers = Timers::right(now).changed(now, Duration::ZERO, -900_000);
        let at = now + Duration::from_secs(1 << 40);
        assert_eq!(timers.host(at), now + FAR);
    }
}

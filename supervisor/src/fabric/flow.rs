//! The state of one edge: what is wrong with it, what has passed, and whose turn it is.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::condition::{Condition, Conditions};
use crate::rng::Rng;

/// What a slowed edge passes on in one go lasts about so long: often enough to be smooth, seldom enough to be cheap.
const PACE: Duration = Duration::from_millis(10);

/// How much of an unused past may be caught up: timers are late by a millisecond or so.
const CREDIT: Duration = Duration::from_millis(20);

/// The most bytes in one go.
const PIECE_BYTES_MAX: u64 = 64 << 10;

/// What has happened on an edge. All of it only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Connections that the sender of the edge has opened to its receiver.
    pub connections: u64,
    /// Of those, how many were reset by [`super::Fabric::reset`], or because a black hole had torn them.
    pub resets: u64,
    /// Bytes that were delivered.
    pub passed_bytes: u64,
    /// Bytes that came in while they were held.
    pub held_bytes: u64,
    /// Bytes that vanished.
    pub lost_bytes: u64,
    /// Bytes that came in while a delay or a rate stood.
    pub slowed_bytes: u64,
}

impl Traffic {
    /// What has happened since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            connections: self.connections - earlier.connections,
            resets: self.resets - earlier.resets,
            passed_bytes: self.passed_bytes - earlier.passed_bytes,
            held_bytes: self.held_bytes - earlier.held_bytes,
            lost_bytes: self.lost_bytes - earlier.lost_bytes,
            slowed_bytes: self.slowed_bytes - earlier.slowed_bytes,
        }
    }

    /// Something was done to a byte or a connection.
    #[must_use]
    pub fn is_struck(&self) -> bool {
        self.resets + self.held_bytes + self.lost_bytes + self.slowed_bytes > 0
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            resets: self.resets + other.resets,
            passed_bytes: self.passed_bytes + other.passed_bytes,
            held_bytes: self.held_bytes + other.held_bytes,
            lost_bytes: self.lost_bytes + other.lost_bytes,
            slowed_bytes: self.slowed_bytes + other.slowed_bytes,
        }
    }
}

/// An edge, as the connections that carry its bytes share it.
#[derive(Debug)]
pub(super) struct Flow {
    /// What is imposed, by the number of the fault.
    imposed: RefCell<BTreeMap<u64, Condition>>,
    /// What that comes to.
    conditions: Cell<Conditions>,
    /// How often it has changed.
    version: Cell<u64>,
    traffic: Cell<Traffic>,
    rng: RefCell<Rng>,
    /// When the bytes that have passed under the rate will have passed.
    free_at: Cell<Option<Instant>>,
}

impl Flow {
    /// An edge with which nothing is wrong. `rng` is for its jitter.
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            imposed: RefCell::default(),
            conditions: Cell::default(),
            version: Cell::new(0),
            traffic: Cell::default(),
            rng: RefCell::new(rng),
            free_at: Cell::new(None),
        }
    }

    pub(super) fn impose(&self, fault: u64, condition: Condition) {
        let before = self.imposed.borrow_mut().insert(fault, condition);
        assert!(before.is_none(), "fault {fault} strikes an edge twice");
        self.change();
    }

    pub(super) fn lift(&self, fault: u64) {
        let lifted = self.imposed.borrow_mut().remove(&fault);
        assert!(lifted.is_some(), "fault {fault} is lifted where it does not stand");
        self.change();
    }

    fn change(&self) {
        self.conditions.set(Conditions::of(self.imposed.borrow().values()));
        self.version.set(self.version.get() + 1);
        self.free_at.set(None);
    }

    pub(super) fn conditions(&self) -> Conditions {
        self.conditions.get()
    }

    /// A number that is another one after each change of the conditions.
    pub(super) fn version(&self) -> u64 {
        self.version.get()
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.traffic.get()
    }

    /// Counts something.
    pub(super) fn count(&self, what: impl FnOnce(&mut Traffic)) {
        let mut traffic = self.traffic.get();
        what(&mut traffic);
        self.traffic.set(traffic);
    }

    /// When bytes that come in now are to be delivered.
    pub(super) fn due(&self, now: Instant) -> Instant {
        match self.conditions().delay {
            Some(delay) => now + delay.draw(&mut self.rng.borrow_mut()),
            None => now,
        }
    }

    /// The latest that anything which came in before now may be delivered under the conditions of now.
    pub(super) fn due_max(&self, now: Instant) -> Instant {
        now + self.conditions().delay.map_or(Duration::ZERO, |delay| delay.longest())
    }

    /// How many bytes may be passed on now, at least one; or when.
    pub(super) fn allowance(&self, now: Instant) -> Result<usize, Instant> {
        let Some(rate) = self.conditions().rate else { return Ok(usize::MAX) };
        match self.free_at.get() {
            Some(free_at) if free_at > now => Err(free_at),
            _ => {
                let bytes = u128::from(rate.get()) * PACE.as_millis() / 1000;
                let bytes = bytes.clamp(1, u128::from(PIECE_BYTES_MAX));
                Ok(usize::try_from(bytes).expect("it was just clamped"))
            }
        }
    }

    /// So many bytes were passed on.
    pub(super) fn spend(&self, bytes: usize, now: Instant) {
        let Some(rate) = self.conditions().rate else { return };
        let earliest = now.checked_sub(CREDIT).unwrap_or(now);
        let from = self.free_at.get().map_or(now, |free_at| free_at.max(earliest));
        let takes = bytes as f64 / rate.get() as f64;
        self.free_at.set(Some(from + Duration::from_secs_f64(takes)));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    /// Passes on as much as is allowed, always a bit late, and tells how many bytes went in `seconds`.
    fn passed_in(seconds: u64, rate: u64) -> u64 {
        let flow = Flow::new(Rng::from_seed(7));
        flow.impose(1, Condition::Rate(NonZeroU64::new(rate).expect("a test's rate is positive")));
        let start = Instant::now();
        let (mut now, mut passed) = (start, 0);
        while now < start + Duration::from_secs(seconds) {
            match flow.allowance(now) {
                Ok(bytes) => {
                    flow.spend(bytes, now);
                    passed += bytes as u64;
                }
                Err(at) => now = at + Duration::from_millis(1),
            }
        }
        passed
    }

    #[test]
    fn a_rate_is_kept_although_timers_are_late() {
        for rate in [10, 1000, 64 << 10, 5_000_000] {
            let (passed, expected) = (passed_in(10, rate), rate * 10);
            assert!(passed.abs_diff(expected) <= expected / 20 + 1, "{passed} of {expected}");
        }
    }

    #[test]
    fn an_idle_past_gives_no_more_than_the_credit() {
        let flow = Flow::new(Rng::from_seed(7));
        flow.impose(1, Condition::Rate(NonZeroU64::new(1000).expect("it is positive")));
        let start = Instant::now();
        flow.spend(10, start);
        let later = start + Duration::from_secs(60);
        let mut at_once = 0;
        while let Ok(bytes) = flow.allowance(later) {
            flow.spend(bytes, later);
            at_once += bytes;
        }
        assert!((20..=40).contains(&at_once), "{at_once}");
    }

    #[test]
    fn conditions_are_a_multiset() {
        let flow = Flow::new(Rng::from_seed(7));
        flow.impose(1, Condition::Cut);
        flow.impose(2, Condition::Cut);
        flow.lift(1);
        assert!(flow.conditions().is_silent);
        flow.lift(2);
        assert_eq!(flow.conditions(), Conditions::default());
        assert_eq!(flow.version(), 4);
    }
}

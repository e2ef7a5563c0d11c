//! Clocks that are wrong: a [`Runtime`] around a [`Runtime`], whose time is a function of the other's.
//!
//! The clock of timers is a piecewise linear function of the host's (see [`timers`]): it can jump forward and run fast
//! or slow, and never goes back. Whoever sleeps through it wakes by it; when the function changes, all sleeps that are
//! under way are reckoned anew. The wall clock is the host's plus an offset, and can do anything.
//!
//! # What it does not do
//! Timers that are not the node's own stay on the host's time: HTTP/2 pings, the limit of a dial, the limit that tonic
//! itself puts on a call. Traces are evidence, and are stamped with the host's time.

pub mod timers;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, select};
use thiserror::Error;
use tokio::sync::Notify;

use self::timers::{Timers, scaled};
use crate::env::{Instant, Runtime, Task};

/// How far the wall clock can be set off, in milliseconds: a hundred years.
pub const WALL_OFF_MS_MAX: i64 = 100 * 366 * 24 * 60 * 60 * 1000;
/// How far timers can jump at once, in milliseconds: a year.
pub const TIMER_JUMP_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1000;
/// The slowest that clocks can run, in parts per million: a tenth as fast as they should.
pub const DRIFT_PPM_MIN: i32 = -900_000;
/// The fastest that clocks can run, in parts per million: ten times as fast as they should.
pub const DRIFT_PPM_MAX: i32 = 9_000_000;

/// What is wrong with the clocks of a node. The default is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skew {
    /// Added to the wall clock, in milliseconds.
    pub wall_jump_ms: i64,
    /// Added to the clock of timers, once, in milliseconds.
    pub timer_jump_ms: u64,
    /// How much faster both clocks run than they should, in parts per million.
    pub drift_ppm: i32,
    /// The wall clock jumps to and fro.
    pub strobe: Option<Strobe>,
}

/// A wall clock that jumps by `by_ms` at once, back after `every_ms`, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strobe {
    /// How long it stays, in milliseconds; above 0.
    pub every_ms: u32,
    /// How far it jumps, in milliseconds.
    pub by_ms: i64,
}

/// A skew that no clock can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadSkew {
    /// The wall clock would be too far off.
    #[error("the wall clock cannot be {0} ms off; at most {WALL_OFF_MS_MAX} ms, either way")]
    Wall(i64),
    /// Timers would jump too far.
    #[error("timers cannot jump by {0} ms; at most by {TIMER_JUMP_MS_MAX} ms")]
    Timers(u64),
    /// The clocks would run too slowly or too fast.
    #[error("clocks cannot drift by {0} ppm; at least by {DRIFT_PPM_MIN} and at most by {DRIFT_PPM_MAX}")]
    Drift(i32),
    /// A strobe that does not say how often, or how far.
    #[error("a strobe needs both `strobe_every_ms` and `strobe_ms`, neither of them 0")]
    Strobe,
}

impl Skew {
    /// Checks that all is within its limits.
    ///
    /// # Errors
    /// What is not.
    pub fn check(&self) -> Result<(), BadSkew> {
        let far = |ms: i64| ms.unsigned_abs() > WALL_OFF_MS_MAX.unsigned_abs();
        if far(self.wall_jump_ms) {
            return Err(BadSkew::Wall(self.wall_jump_ms));
        }
        if self.timer_jump_ms > TIMER_JUMP_MS_MAX {
            return Err(BadSkew::Timers(self.timer_jump_ms));
        }
        if !(DRIFT_PPM_MIN..=DRIFT_PPM_MAX).contains(&self.drift_ppm) {
            return Err(BadSkew::Drift(self.drift_ppm));
        }
        match self.strobe {
            Some(Strobe { by_ms, .. }) if far(by_ms) => Err(BadSkew::Wall(by_ms)),
            Some(Strobe { every_ms: 0, .. } | Strobe { by_ms: 0, .. }) => Err(BadSkew::Strobe),
            Some(_) | None => Ok(()),
        }
    }

    /// How far the wall clock is off `since` the skew began, in nanoseconds.
    fn wall_off_ns(&self, since: Duration) -> i128 {
        let drifted = match u32::try_from(self.drift_ppm) {
            Ok(fast) => i128::try_from(scaled(since, fast).as_nanos()).unwrap_or(i128::MAX),
            Err(_) => {
                -i128::try_from(scaled(since, self.drift_ppm.unsigned_abs()).as_nanos()).unwrap_or(i128::MAX)
            }
        };
        let strobed_ms = match self.strobe {
            Some(Strobe { every_ms, by_ms })
                if (since.as_millis() / u128::from(every_ms.max(1))).is_multiple_of(2) =>
            {
                by_ms
            }
            Some(_) | None => 0,
        };
        (i128::from(self.wall_jump_ms) + i128::from(strobed_ms)) * 1_000_000 + drifted
    }
}

/// How far the clocks are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Off {
    /// The wall clock is so far ahead of the host's, in milliseconds.
    pub wall_ms: i64,
    /// The clock of timers is so far ahead of the host's, in milliseconds.
    pub timers_ms: i64,
}

/// The clocks of one node, and the way to make them wrong. Clones are the same clocks.
#[derive(Clone)]
pub struct SkewedClock {
    shared: Arc<Shared>,
}

struct Shared {
    host: Arc<dyn Runtime>,
    state: Mutex<State>,
    /// Told when `state` changes.
    changed: Notify,
}

struct State {
    skew: Skew,
    timers: Timers,
}

impl fmt::Debug for SkewedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SkewedClock").field(&self.state().skew).finish()
    }
}

impl SkewedClock {
    /// Clocks over those of `host`. Nothing is wrong with them yet.
    #[must_use]
    pub fn new(host: Arc<dyn Runtime>) -> Self {
        let state = State { skew: Skew::default(), timers: Timers::right(host.now()) };
        Self { shared: Arc::new(Shared { host, state: Mutex::new(state), changed: Notify::new() }) }
    }

    /// The runtime that has these clocks.
    #[must_use]
    pub fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(SkewedRuntime(self.clone()))
    }

    /// Replaces what is wrong with the clocks, and returns how far they are off from now on. What timers have gained or
    /// lost before stays: their clock never goes back.
    ///
    /// # Errors
    /// `skew` is out of its limits, and nothing has changed.
    pub fn set(&self, skew: Skew) -> Result<Off, BadSkew> {
        skew.check()?;
        {
            let mut state = self.state();
            let now = self.shared.host.now();
            state.timers =
                state.timers.changed(now, Duration::from_millis(skew.timer_jump_ms), skew.drift_ppm);
            state.skew = skew;
        }
        self.shared.changed.notify_waiters();
        Ok(self.off())
    }

    /// How far the clocks are off now.
    #[must_use]
    pub fn off(&self) -> Off {
        let state = self.state();
        let host = self.shared.host.now();
        let node = state.timers.node(host);
        let ms = |ahead: Duration| i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        let wall = state.skew.wall_off_ns(state.timers.since(host)) / 1_000_000;
        Off {
            wall_ms: i64::try_from(wall).unwrap_or(i64::MAX),
            timers_ms: if node >= host { ms(node - host) } else { -ms(host - node) },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("nothing that runs under this lock can panic")
    }

    /// The node's time, and when it will be `at` by the host's.
    fn look(&self, at: Instant) -> (Instant, Instant) {
        let state = self.state();
        (state.timers.node(self.shared.host.now()), state.timers.host(at))
    }

    async fn sleep_until(self, at: Instant) {
        loop {
            // It is listened to before the clock is looked at, so no change is missed in between.
            let changed = std::pin::pin!(self.shared.changed.notified());
            let (now, host_at) = self.look(at);
            if now >= at {
                return;
            }
            select(self.shared.host.sleep_until(host_at), changed).await;
        }
    }
}

/// The runtime of a node whose clocks are not the host's.
struct SkewedRuntime(SkewedClock);

impl SkewedRuntime {
    fn host(&self) -> &dyn Runtime {
        &*self.0.shared.host
    }
}

impl Runtime for SkewedRuntime {
    fn now(&self) -> Instant {
        // The host is asked under the lock, or a reading from before a change could be taken for one after it.
        let state = self.0.state();
        state.timers.node(self.host().now())
    }

    fn unix_ns(&self) -> u64 {
        let state = self.0.state();
        let off = state.skew.wall_off_ns(state.timers.since(self.host().now()));
        let skewed = i128::from(self.host().unix_ns()) + off;
        u64::try_from(skewed.max(0)).unwrap_or(u64::MAX)
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        self.0.clone().sleep_until(at).boxed()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Task {
        self.host().spawn(task)
    }

    fn worker(&self, name: &str, work: BoxFuture<'static, ()>) -> std::io::Result<()> {
        self.host().worker(name, work)
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.host().blocking(work);
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.host().fill_random(bytes);
    }

    fn crash(&self) {
        self.host().crash();
    }
}

#[cfg(test)]
mod tests;

//! The one clock of a run: every time in the history and in the events is read from it.

use std::time::{Duration, Instant};

/// Nanoseconds since the start of the run, monotonic. Copies share their zero.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    zero: Instant,
}

impl RunClock {
    /// A clock whose zero is now.
    #[must_use]
    pub fn start() -> Self {
        Self { zero: Instant::now() }
    }

    /// Nanoseconds since zero.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.zero.elapsed().as_nanos()).expect("a run is shorter than 584 years")
    }

    /// Time since zero.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.zero.elapsed()
    }
}

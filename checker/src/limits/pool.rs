//! Memory that several budgets use together.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The bytes in use by all budgets that draw on it, on however many threads.
///
/// Nothing but numbers is shared, so no order of memory accesses matters.
#[derive(Debug, Default)]
pub struct Pool {
    used: AtomicU64,
    full: AtomicBool,
    refused: AtomicBool,
}

impl Pool {
    /// The bytes in use.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Says that the memory is full, whatever was counted: every budget that asks is told so from now on.
    pub fn fill(&self) {
        self.full.store(true, Ordering::Relaxed);
    }

    /// Whether somebody said that the memory is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Whether somebody was told that the memory is full, or wanted more than was left.
    #[must_use]
    pub fn was_short(&self) -> bool {
        self.is_full() || self.refused.load(Ordering::Relaxed)
    }

    /// Says that so many bytes more are in use, for good.
    pub fn take(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes bytes, unless more than `limit` would be in use then.
    pub(super) fn draw(&self, bytes: u64, limit: u64) -> bool {
        let taken = |used: u64| used.checked_add(bytes).filter(|used| *used <= limit);
        let drawn = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok();
        if !drawn {
            self.refused.store(true, Ordering::Relaxed);
        }
        drawn
    }

    /// Gives back bytes that were taken.
    pub(super) fn put_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

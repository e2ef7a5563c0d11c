//! How much a check may spend before it has to say "unknown".
//!
//! The checker has no clock. Whoever has one passes a closure that says when the time is over. Every loop that can be
//! long takes its steps from a [`Budget`], which asks that closure every [`STEPS_PER_QUESTION`] steps; every container
//! that can be large is charged to it before it grows. Exceeding a limit never makes a verdict better: it becomes
//! `unknown`, unless a violation was already found.
//!
//! Steps are counted by each budget alone, so that they mean the same for every number of threads. Memory is one for
//! all: budgets at work at the same time draw on one [`Pool`].
//!
//! # Caveats
//! Memory is counted, not measured: what a container holds, with the table that a map grows out of, but without what the
//! allocator keeps for itself. Whoever can measure the process says so by [`Pool::fill`].

mod budget;
mod pool;
mod reader;
mod room;
mod sort;
#[cfg(test)]
mod tests;

pub use budget::{Budget, STEPS_PER_QUESTION};
pub use pool::Pool;
pub use reader::Limited;
pub use room::{map_bytes, set_bytes};
pub use sort::sort_by_key;
use thiserror::Error;

/// What a check may spend. One value serves several checks; each of them gets all the steps.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Steps of a search: states tried, operations walked.
    pub steps: u64,
    /// Bytes that may be in use at a time: by one budget, or by all budgets of the `pool`.
    pub memory: u64,
    /// Whether the time is over, asked before the first step and then every [`STEPS_PER_QUESTION`] steps or sooner,
    /// by any thread. It should be cheap: a look at a flag, or at a clock.
    pub expired: &'a (dyn Fn() -> bool + Sync),
    /// The memory that several budgets use together.
    pub pool: Option<&'a Pool>,
}

impl Limits<'static> {
    /// No limit at all.
    #[must_use]
    pub fn none() -> Self {
        Limits { steps: u64::MAX, memory: u64::MAX, expired: &|| false, pool: None }
    }
}

impl<'a> Limits<'a> {
    /// The same limits, with the memory drawn from a pool; if they have one, it stays.
    #[must_use]
    pub fn pooled<'b>(&self, pool: &'b Pool) -> Limits<'b>
    where
        'a: 'b,
    {
        Limits { pool: Some(self.pool.unwrap_or(pool)), ..*self }
    }

    /// Whether nothing more may be spent now: the time is over, or the memory is full.
    ///
    /// # Errors
    /// [`Exceeded::Time`] or [`Exceeded::Memory`].
    pub fn ask(&self) -> Result<(), Exceeded> {
        if (self.expired)() {
            return Err(Exceeded::Time);
        }
        if self.pool.is_some_and(Pool::is_full) {
            return Err(Exceeded::Memory(self.memory));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("steps", &self.steps)
            .field("memory", &self.memory)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}

/// The limit that was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Exceeded {
    /// Too many steps.
    #[error("the limit of {0} steps was reached")]
    Steps(u64),
    /// Too much memory.
    #[error("the limit of {0} bytes of memory was reached")]
    Memory(u64),
    /// Too much time.
    #[error("the time limit was reached")]
    Time,
}

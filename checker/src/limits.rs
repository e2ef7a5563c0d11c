//! How much a check may spend before it has to say "unknown".
//!
//! The checker has no clock. Whoever has one passes a closure that says when the time is over; it is asked
//! now and then, never once per step. Exceeding a limit never makes a verdict better: it becomes `unknown`,
//! unless a violation was already found.

use thiserror::Error;

/// What a check may spend. One value serves several checks; each of them gets the whole of it.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Steps of a search: states tried, operations walked.
    pub steps: u64,
    /// Bytes that a search may remember beside the history itself.
    pub memory: u64,
    /// Whether the time is over, asked before the first step and then every [`STEPS_PER_QUESTION`] steps or sooner.
    pub expired: &'a dyn Fn() -> bool,
}

/// How many steps pass between two questions for the time.
pub const STEPS_PER_QUESTION: u64 = 1024;

impl Limits<'static> {
    /// No limit at all.
    #[must_use]
    pub fn none() -> Self {
        Limits { steps: u64::MAX, memory: u64::MAX, expired: &|| false }
    }
}

impl std::fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("steps", &self.steps)
            .field("memory", &self.memory)
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

/// What is left of the [`Limits`] during one check.
#[derive(Debug)]
pub struct Budget<'a> {
    limits: Limits<'a>,
    steps: u64,
    /// From how many steps on the time is asked for again.
    next_question: u64,
    memory: u64,
    peak: u64,
}

impl<'a> Budget<'a> {
    /// A fresh budget.
    #[must_use]
    pub fn new(limits: &Limits<'a>) -> Self {
        Budget { limits: *limits, steps: 0, next_question: 0, memory: 0, peak: 0 }
    }

    /// Takes one step.
    ///
    /// # Errors
    /// [`Exceeded::Steps`] or [`Exceeded::Time`].
    pub fn step(&mut self) -> Result<(), Exceeded> {
        self.spend(1)
    }

    /// Takes as many steps as something that is about to be done is worth.
    ///
    /// # Errors
    /// [`Exceeded::Steps`] or [`Exceeded::Time`].
    pub fn spend(&mut self, steps: u64) -> Result<(), Exceeded> {
        if steps > self.limits.steps - self.steps {
            return Err(Exceeded::Steps(self.limits.steps));
        }
        if self.steps >= self.next_question {
            if (self.limits.expired)() {
                return Err(Exceeded::Time);
            }
            self.next_question = self.steps.saturating_add(STEPS_PER_QUESTION);
        }
        self.steps += steps;
        Ok(())
    }

    /// Accounts for memory about to be used.
    ///
    /// # Errors
    /// [`Exceeded::Memory`].
    pub fn allocate(&mut self, bytes: u64) -> Result<(), Exceeded> {
        self.memory = self.memory.saturating_add(bytes);
        if self.memory > self.limits.memory {
            return Err(Exceeded::Memory(self.limits.memory));
        }
        self.peak = self.peak.max(self.memory);
        Ok(())
    }

    /// The steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The most memory that was accounted for at one time, in bytes.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.peak
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn the_time_is_asked_for_by_the_work_done() {
        let asked = Cell::new(0);
        let expired = || {
            asked.set(asked.get() + 1);
            false
        };
        let mut budget = Budget::new(&Limits { expired: &expired, ..Limits::none() });
        for _ in 0..STEPS_PER_QUESTION {
            budget.step().unwrap();
        }
        assert_eq!(asked.get(), 1);
        for _ in 0..3 {
            budget.spend(STEPS_PER_QUESTION).unwrap();
        }
        assert_eq!(asked.get(), 4);
    }

    #[test]
    fn each_limit_is_named_when_it_is_hit() {
        let expired = || true;
        let mut budget = Budget::new(&Limits { expired: &expired, ..Limits::none() });
        assert_eq!(budget.step(), Err(Exceeded::Time));

        let mut budget = Budget::new(&Limits { steps: 2, ..Limits::none() });
        assert_eq!((budget.step(), budget.step(), budget.step()), (Ok(()), Ok(()), Err(Exceeded::Steps(2))));

        let mut budget = Budget::new(&Limits { steps: 5, ..Limits::none() });
        assert_eq!((budget.spend(4), budget.spend(2)), (Ok(()), Err(Exceeded::Steps(5))));

        let mut budget = Budget::new(&Limits { memory: 100, ..Limits::none() });
        budget.allocate(80).unwrap();
        assert_eq!(budget.allocate(21), Err(Exceeded::Memory(100)));
        assert_eq!(budget.peak(), 80);
    }
}

//! What is left of the limits.

use super::{Exceeded, Limits};

/// How many steps pass between two questions for the time.
pub const STEPS_PER_QUESTION: u64 = 256;

/// What a budget takes from its pool at a time, in bytes, so that threads seldom meet there.
const PORTION: u64 = 64 << 10;

/// What is left of the [`Limits`] during one piece of work. It gives its memory back to the pool when it is dropped.
#[derive(Debug)]
pub struct Budget<'a> {
    limits: Limits<'a>,
    steps: u64,
    /// The steps and ticks since the time was last asked for.
    unasked: u64,
    memory: u64,
    peak: u64,
    /// What was taken from the pool, at least `memory`.
    taken: u64,
}

impl<'a> Budget<'a> {
    /// A fresh budget.
    #[must_use]
    pub fn new(limits: &Limits<'a>) -> Self {
        Budget { limits: *limits, steps: 0, unasked: STEPS_PER_QUESTION, memory: 0, peak: 0, taken: 0 }
    }

    /// Takes one step.
    ///
    /// # Errors
    /// [`Exceeded`], by whichever limit.
    #[inline]
    pub fn step(&mut self) -> Result<(), Exceeded> {
        self.spend(1)
    }

    /// Takes as many steps as something that is about to be done is worth.
    ///
    /// # Errors
    /// [`Exceeded`], by whichever limit.
    #[inline]
    pub fn spend(&mut self, steps: u64) -> Result<(), Exceeded> {
        if steps > self.limits.steps - self.steps {
            return Err(Exceeded::Steps(self.limits.steps));
        }
        self.ticks(steps)?;
        self.steps += steps;
        Ok(())
    }

    /// Asks for the time now and then, like [`step`](Self::step), but takes no step: for what is linear in the history,
    /// such as sorting its operations by object.
    ///
    /// # Errors
    /// [`Exceeded::Time`] or [`Exceeded::Memory`].
    #[inline]
    pub fn tick(&mut self) -> Result<(), Exceeded> {
        self.ticks(1)
    }

    /// As many ticks as something that is about to be done is worth.
    ///
    /// # Errors
    /// [`Exceeded::Time`] or [`Exceeded::Memory`].
    #[inline]
    pub fn ticks(&mut self, ticks: u64) -> Result<(), Exceeded> {
        if self.unasked >= STEPS_PER_QUESTION {
            self.limits.ask()?;
            self.unasked = 0;
        }
        self.unasked = self.unasked.saturating_add(ticks);
        Ok(())
    }

    /// Accounts for memory about to be used.
    ///
    /// # Errors
    /// [`Exceeded::Memory`].
    #[inline]
    pub fn allocate(&mut self, bytes: u64) -> Result<(), Exceeded> {
        let memory = self.memory.saturating_add(bytes);
        if memory > self.limits.memory || (memory > self.taken && !self.draw(memory)) {
            return Err(Exceeded::Memory(self.limits.memory));
        }
        self.memory = memory;
        self.peak = self.peak.max(memory);
        Ok(())
    }

    /// Accounts for memory that was given back.
    pub fn release(&mut self, bytes: u64) {
        self.memory = self.memory.saturating_sub(bytes);
        if let Some(pool) = self.limits.pool
            && self.taken > self.memory.saturating_add(2 * PORTION)
        {
            pool.put_back(self.taken - self.memory);
            self.taken = self.memory;
        }
    }

    /// Accounts for what something holds now, which held `before` when it was last accounted for.
    ///
    /// # Errors
    /// [`Exceeded::Memory`].
    #[inline]
    pub fn adjust(&mut self, before: u64, now: u64) -> Result<(), Exceeded> {
        if now >= before {
            return self.allocate(now - before);
        }
        self.release(before - now);
        Ok(())
    }

    /// Takes from the pool what is missing to `memory`, and a little in advance if there is enough.
    fn draw(&mut self, memory: u64) -> bool {
        let Some(pool) = self.limits.pool else {
            self.taken = u64::MAX;
            return true;
        };
        let missing = memory - self.taken;
        let portions = [missing.saturating_add(PORTION), missing];
        let Some(drawn) = portions.into_iter().find(|bytes| pool.draw(*bytes, self.limits.memory)) else {
            return false;
        };
        self.taken += drawn;
        true
    }

    /// The limits that it began with.
    #[must_use]
    pub fn limits(&self) -> &Limits<'a> {
        &self.limits
    }

    /// The steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The bytes that are accounted for now.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// The most memory that was accounted for at one time, in bytes.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.peak
    }
}

impl Drop for Budget<'_> {
    fn drop(&mut self) {
        if let Some(pool) = self.limits.pool {
            pool.put_back(self.taken);
        }
    }
}

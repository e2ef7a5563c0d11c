//! From a run that failed to a smaller plan that fails in the same way.
//!
//! - [`search`](self) says which plan to try next; it is pure, and knows neither runs nor clocks.
//! - [`shrink`] asks it, tries each candidate until it fails or its tries are over, and measures how often the smallest
//!   plan fails in the end.
//! - [`Laboratory`] is what tries a plan; [`trial::Trials`] does it by whole runs.
//!
//! # Flaky failures
//! Most failures need luck. A candidate counts when it fails once in its tries, so the smallest plan may fail seldom; the
//! final measurement says how seldom. If it does not fail there at all, the smallest plan before it is measured, and so on.

mod bisect;
mod ddmin;
mod search;
#[cfg(test)]
mod tests;
pub mod trial;

use std::time::Duration;

use futures::future::LocalBoxFuture;
use serde::Serialize;
use tokio::time::Instant;

use crate::harness::HarnessFailure;
use crate::run::stop::Stop;
use crate::scenario::plan::Plan;
use search::{Answer, Candidate, Search};

/// How often the smallest plan is tried in the end.
const MEASURE_TRIES: u32 = 10;

/// The search ends when this many attempts in a row told nothing because of a failure of ours.
const HARNESS_FAILURES_MAX: u32 = 3;

/// How the search is limited.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How often each candidate is tried, at most; at least once.
    pub tries: u32,
    /// When everything must be over, the final measurement included.
    pub deadline: Instant,
    /// Given when the deadline has come or somebody wants no more; what is tried then ends early, too.
    pub stop: Stop,
}

/// What came of one try of a plan.
#[derive(Debug)]
pub enum Attempt {
    /// The failure that is looked for was seen.
    Failed {
        /// When, from the end of the warm-up, if that is known.
        after: Option<Duration>,
    },
    /// It was not seen.
    Passed,
    /// The try told nothing: the testbed failed.
    Untold(HarnessFailure),
}

/// One that tries plans, and sees how the search goes.
pub trait Laboratory {
    /// Tries a plan once.
    fn attempt<'a>(&'a mut self, plan: &'a Plan) -> LocalBoxFuture<'a, Attempt>;

    /// A step is over.
    fn step(&mut self, step: &Step);

    /// `plan` is the smallest so far that failed.
    ///
    /// # Errors
    /// If it cannot be kept; the search ends.
    fn keep(&mut self, plan: &Plan) -> Result<(), HarnessFailure>;
}

/// How often something failed of how many tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Tries that failed.
    pub failed: u32,
    /// All tries that told something.
    pub tries: u32,
}

/// One step of the search: a plan was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What, in a few words: `1 client`.
    pub what: String,
    /// What came of it.
    pub tally: Tally,
    /// Since the search began.
    pub elapsed: Duration,
}

/// The smallest plan that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Smallest {
    /// The plan.
    pub plan: Plan,
    /// When it was found.
    pub found: Tally,
    /// How often it failed in the end; without any try when there was no time for one.
    pub measured: Tally,
}

/// What came of the search.
#[derive(Debug)]
pub struct Shrunk {
    /// The smallest plan that failed; none: no plan did.
    pub smallest: Option<Smallest>,
    /// All tries together.
    pub tries: u32,
    /// How long it took.
    pub took: Duration,
    /// The search was not carried to its end: the time was over, or somebody wanted no more.
    pub is_cut_short: bool,
    /// What went wrong on our side, if that ended the search.
    pub failure: Option<HarnessFailure>,
}

/// Looks for the smallest plan that fails as `plan` should.
pub async fn shrink(plan: &Plan, limits: Limits, laboratory: &mut dyn Laboratory) -> Shrunk {
    let mut shrinking = Shrinking {
        laboratory,
        began: Instant::now(),
        limits,
        guilty: Vec::new(),
        tries: 0,
        slowest: Duration::ZERO,
        untold: 0,
        is_cut_short: false,
    };
    let searched = shrinking.search(plan).await;
    let ended = match searched {
        Ok(()) => shrinking.measure().await,
        Err(failure) => Err(failure),
    };
    let Shrinking { guilty, tries, began, is_cut_short, .. } = shrinking;
    let (smallest, failure) = match ended {
        Ok(measured) => (measured, None),
        Err(failure) => (guilty.into_iter().next_back(), Some(failure)),
    };
    Shrunk { smallest, tries, took: began.elapsed(), is_cut_short, failure }
}

struct Shrinking<'l> {
    laboratory: &'l mut dyn Laboratory,
    limits: Limits,
    began: Instant,
    /// Every plan that failed, each smaller than the one before.
    guilty: Vec<Smallest>,
    tries: u32,
    /// The longest attempt at the smallest plan so far.
    slowest: Duration,
    /// How many attempts in a row told nothing.
    untold: u32,
    is_cut_short: bool,
}

impl Shrinking<'_> {
    async fn search(&mut self, plan: &Plan) -> Result<(), HarnessFailure> {
        let mut search = Search::new(plan, self.limits.tries);
        while let Some(Candidate { plan, what, tries }) = search.next() {
            if self.is_over(self.search_deadline()) {
                self.is_cut_short = true;
                return Ok(());
            }
            let (tally, after) = self.try_until_failure(&plan, tries).await?;
            let failed = tally.failed > 0;
            self.step(what, tally);
            if failed {
                self.laboratory.keep(&plan)?;
                self.guilty.push(Smallest { plan, found: tally, measured: Tally::default() });
            }
            search.answer(Answer { failed, after });
        }
        // Tries that were stopped say nothing about the last candidates.
        self.is_cut_short = self.limits.stop.is_stopped();
        Ok(())
    }

    /// How often the smallest plan fails; a plan that does not is passed over, as long as there is one before it and
    /// time.
    async fn measure(&mut self) -> Result<Option<Smallest>, HarnessFailure> {
        let newest = self.guilty.len().checked_sub(1);
        for index in (0..self.guilty.len()).rev() {
            let plan = self.guilty[index].plan.clone();
            let mut tally = Tally::default();
            while tally.tries < MEASURE_TRIES && !self.is_over(self.limits.deadline) {
                match self.attempt(&plan).await? {
                    None => break,
                    Some(Attempt::Failed { .. }) => tally.failed += 1,
                    Some(_) => {}
                }
                tally.tries += 1;
            }
            self.guilty[index].measured = tally;
            if tally.tries > 0 {
                let what = if Some(index) == newest { "the smallest plan" } else { "the plan before that" };
                self.step(what.to_owned(), tally);
            }
            if tally.failed > 0 {
                self.laboratory.keep(&plan)?;
                return Ok(Some(self.guilty.swap_remove(index)));
            }
            if tally.tries < MEASURE_TRIES {
                // There was no time to say that it never fails.
                self.is_cut_short = true;
                break;
            }
        }
        let Some(newest) = newest else { return Ok(None) };
        let smallest = self.guilty.swap_remove(newest);
        self.laboratory.keep(&smallest.plan)?;
        Ok(Some(smallest))
    }

    /// Tries a plan until it fails, at most `tries` times. Also when the failure was complete.
    async fn try_until_failure(
        &mut self,
        plan: &Plan,
        tries: u32,
    ) -> Result<(Tally, Option<Duration>), HarnessFailure> {
        let mut tally = Tally::default();
        for _ in 0..tries {
            if self.limits.stop.is_stopped() {
                break;
            }
            match self.attempt(plan).await? {
                Some(Attempt::Failed { after }) => {
                    let tally = Tally { failed: 1, tries: tally.tries + 1 };
                    return Ok((tally, after));
                }
                Some(_) => tally.tries += 1,
                None => break,
            }
        }
        Ok((tally, None))
    }

    /// One attempt that tells something; none if it was stopped before it did.
    async fn attempt(&mut self, plan: &Plan) -> Result<Option<Attempt>, HarnessFailure> {
        loop {
            let began = Instant::now();
            self.tries += 1;
            let attempt = self.laboratory.attempt(plan).await;
            match attempt {
                Attempt::Failed { .. } => self.slowest = began.elapsed(),
                Attempt::Passed | Attempt::Untold(_) if self.limits.stop.is_stopped() => return Ok(None),
                Attempt::Passed => {}
                Attempt::Untold(failure) => {
                    self.untold += 1;
                    if self.untold >= HARNESS_FAILURES_MAX {
                        return Err(failure);
                    }
                    continue;
                }
            }
            self.untold = 0;
            return Ok(Some(attempt));
        }
    }

    fn step(&mut self, what: String, tally: Tally) {
        let elapsed = self.began.elapsed();
        self.laboratory.step(&Step { what, tally, elapsed });
    }

    fn is_over(&self, deadline: Instant) -> bool {
        self.limits.stop.is_stopped() || Instant::now() >= deadline
    }

    /// When the search must be over to leave time for the final measurement, but not more than half of all the time.
    fn search_deadline(&self) -> Instant {
        let whole = self.limits.deadline.saturating_duration_since(self.began);
        let reserve = if self.guilty.is_empty() { Duration::ZERO } else { self.slowest * MEASURE_TRIES };
        self.began + (whole - reserve.min(whole / 2))
    }
}

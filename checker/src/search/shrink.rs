//! From a history without an order to the few operations that show it.
//!
//! To leave an operation out of a history may make an order impossible that was possible with it: a read needs its
//! write. So nothing is left out here except observations, which no other operation needs. Instead, operations stop
//! being *required*: each may still take effect in its time, with the answer it had, or not. That only weakens what is
//! asked of an order, so if there is none, there is none for the whole history either; and what is not required need
//! not be shown.
//!
//! The past, all that completed before the first required operation was invoked, is replaced by its result: any of the
//! states that the search has ever been in. Among them is every state that the past can have left, so this too only
//! weakens; and that the others are allowed keeps those operations in view that rule them out.
//!
//! To require less never destroys an order, while the past is the same. So a short contradiction among the last completions
//! is found by doubling their number, a few more are kept if these contradict each other too, and one pass over those
//! leaves a set from which none can be spared.

use std::collections::HashSet;

use super::Contradiction;
use super::problem::Problem;
use super::walk::{Farthest, Walk};
use crate::limits::{Budget, Exceeded, Limits, set_bytes, sort_by_key};
use crate::model::Model;

/// Operations on one object, by position, and a search that can tell whether a part of them has an order.
pub(super) trait Shrinkable {
    /// Where an operation was invoked.
    fn invoked(&self, operation: usize) -> u32;

    /// Where it completed.
    fn returned(&self, operation: usize) -> Option<u32>;

    /// Whether it only observes.
    fn observes(&self, operation: usize) -> bool;

    /// Whether there is no order even if only `required` must be in it. What completed before the first of these was
    /// invoked may be replaced by any state that it can have left.
    fn contradicts(&mut self, required: &[usize], budget: &mut Budget<'_>) -> Result<bool, Exceeded>;

    /// How far the search comes with operations that contradict each other; `None` if a limit was hit.
    fn farthest(&mut self, required: &[usize], budget: &mut Budget<'_>) -> Option<Farthest>;
}

/// The most steps for shrinking, about a second: the verdict stands already, and a person waits.
const STEPS_MAX: u64 = 5_000_000;

/// Shrinks operations that have no order. `required` are those that completed as far as a search came, by completion.
pub(super) fn shrink<S: Shrinkable>(
    operations: &mut S,
    mut required: Vec<usize>,
    limits: &Limits<'_>,
) -> Contradiction {
    let limits = Limits { steps: limits.steps.min(STEPS_MAX), ..*limits };
    let mut shrink = Shrink { operations, limits };
    // A limit that is hit here leaves more operations than are needed, and a right verdict.
    let shrunk = shrink.cut_past(&mut required).and_then(|()| {
        shrink.prefer(&mut required)?;
        shrink.spare(&mut required)
    });
    shrink.explain(required, shrunk.err())
}

/// A problem that the walk found no order for, and the states that it has been in.
pub(super) struct Walked<'a, M: Model> {
    pub(super) whole: &'a Problem<'a, M>,
    pub(super) states: Vec<M::State>,
}

impl<M: Model> Walked<'_, M> {
    fn part(&self, required: &[usize], budget: &mut Budget<'_>) -> Result<Problem<'_, M>, Exceeded> {
        budget.ticks(0)?;
        let required: HashSet<usize> = required.iter().copied().collect();
        budget.allocate(set_bytes(&required))?;
        Problem::part(self.whole.model, self.whole.operations, &self.states, &required, budget)
    }
}

impl<M: Model> Shrinkable for Walked<'_, M> {
    fn invoked(&self, operation: usize) -> u32 {
        self.whole.operations[operation].invoked
    }

    fn returned(&self, operation: usize) -> Option<u32> {
        self.whole.operations[operation].returned
    }

    fn observes(&self, operation: usize) -> bool {
        let operation = &self.whole.operations[operation];
        self.whole.model.observes(&operation.input, operation.output.as_ref())
    }

    fn contradicts(&mut self, required: &[usize], budget: &mut Budget<'_>) -> Result<bool, Exceeded> {
        let problem = self.part(required, budget)?;
        Ok(Walk::new(&problem, budget).find()?.is_none())
    }

    fn farthest(&mut self, required: &[usize], budget: &mut Budget<'_>) -> Option<Farthest> {
        let problem = self.part(required, budget).ok()?;
        let mut walk = Walk::new(&problem, budget).explaining();
        let found = walk.find();
        debug_assert!(!matches!(found, Ok(Some(_))), "what was shrunk still has no order");
        walk.into_farthest()
    }
}

/// How many times more operations than contradict each other are kept to choose from.
const CHOICE: usize = 4;

/// How many operations are few enough to try them one by one.
const ONE_BY_ONE: usize = 32;

struct Shrink<'a, 'l, S> {
    operations: &'a mut S,
    /// What is left of them.
    limits: Limits<'l>,
}

impl<S: Shrinkable> Shrink<'_, '_, S> {
    /// Whether there is no order even if only `required` must be in it.
    fn contradicts(&mut self, required: &[usize]) -> Result<bool, Exceeded> {
        let mut budget = Budget::new(&self.limits);
        let contradicts = self.operations.contradicts(required, &mut budget);
        self.limits.steps -= budget.steps();
        contradicts
    }

    /// Keeps the last of `required`, by completion: a few more than contradict each other, so that there is a choice.
    fn cut_past(&mut self, required: &mut Vec<usize>) -> Result<(), Exceeded> {
        let mut last = 2;
        while last < required.len() {
            if self.contradicts(&required[required.len() - last..])? {
                let mut kept = required.len().min(CHOICE * last);
                // Their past ends earlier. What is taken to be left of it may be a later state, and lead elsewhere.
                if kept > last && !self.contradicts(&required[required.len() - kept..])? {
                    kept = last;
                }
                required.drain(..required.len() - kept);
                return Ok(());
            }
            last *= 2;
        }
        Ok(())
    }

    /// Puts in front what is better spared: what overlaps the last operation, since "before" is easier to see, and what
    /// only observes, since a client trusts its own write most.
    fn prefer(&self, required: &mut Vec<usize>) -> Result<(), Exceeded> {
        let operations = &*self.operations;
        let blocked = required.last().map_or(0, |last| operations.invoked(*last));
        sort_by_key(&mut Budget::new(&self.limits), required, |position| {
            let returned = operations.returned(*position);
            let is_before = returned.is_some_and(|returned| returned < blocked);
            (is_before, !operations.observes(*position), returned)
        })
    }

    /// Takes away what is not needed: of many, some at once, and in the end one by one, in the order of preference.
    fn spare(&mut self, required: &mut Vec<usize>) -> Result<(), Exceeded> {
        let mut size = (required.len() / ONE_BY_ONE).max(1);
        loop {
            let mut begin = 0;
            while begin < required.len() {
                let end = (begin + size).min(required.len());
                let rest = [&required[..begin], &required[end..]].concat();
                if !rest.is_empty() && self.contradicts(&rest)? {
                    *required = rest;
                } else {
                    begin = end;
                }
            }
            if size == 1 {
                return Ok(());
            }
            size = (required.len() / ONE_BY_ONE).clamp(1, size / 2);
        }
    }

    fn explain(self, mut required: Vec<usize>, cut_short: Option<Exceeded>) -> Contradiction {
        // If a limit was hit before anything was found out, it is the last completion that was in the way.
        let last = required.iter().max_by_key(|position| self.operations.returned(**position));
        let unknown = Farthest::new(*last.expect("a contradiction has operations"), Vec::new());
        let mut budget = Budget::new(&Limits { steps: STEPS_MAX, ..self.limits });
        let farthest = self.operations.farthest(&required, &mut budget);
        let Farthest { blocked, refusals, .. } = farthest.unwrap_or(unknown);
        required.sort_unstable();
        Contradiction { operations: required, blocked, refusals, cut_short }
    }
}

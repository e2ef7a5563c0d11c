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
//! To require less never destroys an order. So a short contradiction among the last completions is found by doubling
//! their number, and one pass over those leaves a set from which none can be spared.

use std::collections::HashSet;

use super::Contradiction;
use super::problem::Problem;
use super::walk::{Farthest, Walk};
use crate::limits::{Budget, Exceeded, Limits, set_bytes, sort_by_key};
use crate::model::Model;

/// The most steps for shrinking, about a second: the verdict stands already, and a person waits.
const STEPS_MAX: u64 = 5_000_000;

/// Shrinks a problem that has no order. `reached` is the most completions behind any configuration, and `states` are
/// those that the search has been in.
pub(super) fn shrink<M: Model>(
    whole: &Problem<'_, M>,
    reached: usize,
    states: &[M::State],
    limits: &Limits<'_>,
) -> Contradiction {
    // What completed later cannot matter: the search never came so far.
    let mut required: Vec<usize> =
        whole.by_return[..=reached].iter().map(|member| whole.members[*member as usize].operation).collect();
    let limits = Limits { steps: limits.steps.min(STEPS_MAX), ..*limits };
    let mut shrink = Shrink { whole, states, limits };
    // A limit that is hit here leaves more operations than are needed, and a right verdict.
    let shrunk = shrink.cut_past(&mut required).and_then(|()| {
        shrink.prefer(&mut required)?;
        shrink.spare(&mut required)
    });
    shrink.explain(required, shrunk.err())
}

/// How many times more operations than contradict each other are kept to choose from.
const CHOICE: usize = 4;

/// How many operations are few enough to try them one by one.
const ONE_BY_ONE: usize = 32;

struct Shrink<'a, 'p, 'l, M: Model> {
    whole: &'a Problem<'p, M>,
    states: &'a [M::State],
    /// What is left of them.
    limits: Limits<'l>,
}

impl<M: Model> Shrink<'_, '_, '_, M> {
    fn part(&self, required: &[usize], budget: &mut Budget<'_>) -> Result<Problem<'_, M>, Exceeded> {
        budget.ticks(0)?;
        let required: HashSet<usize> = required.iter().copied().collect();
        budget.allocate(set_bytes(&required))?;
        Problem::part(self.whole.model, self.whole.operations, self.states, &required, budget)
    }

    /// Whether there is no order even if only `required` must be in it.
    fn contradicts(&mut self, required: &[usize]) -> Result<bool, Exceeded> {
        let mut budget = Budget::new(&self.limits);
        let found = self
            .part(required, &mut budget)
            .and_then(|problem| Walk::new(&problem, &mut budget).find().map(|order| order.is_none()));
        self.limits.steps -= budget.steps();
        found
    }

    /// Keeps the last of `required`, by completion: a few more than contradict each other, so that there is a choice.
    fn cut_past(&mut self, required: &mut Vec<usize>) -> Result<(), Exceeded> {
        let mut last = 2;
        while last < required.len() {
            if self.contradicts(&required[required.len() - last..])? {
                let kept = required.len().min(CHOICE * last);
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
        let Problem { model, operations, .. } = *self.whole;
        let blocked = required.last().map_or(0, |last| operations[*last].invoked);
        sort_by_key(&mut Budget::new(&self.limits), required, |position| {
            let operation = &operations[*position];
            let is_before = operation.returned.is_some_and(|returned| returned < blocked);
            (is_before, !model.observes(&operation.input, operation.output.as_ref()), operation.returned)
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
        let last = required.iter().max_by_key(|position| self.whole.operations[**position].returned);
        let unknown = Farthest::unknown(*last.expect("a contradiction has operations"));
        let mut budget = Budget::new(&Limits { steps: STEPS_MAX, ..self.limits });
        let farthest = self.part(&required, &mut budget).ok().and_then(|problem| {
            let mut walk = Walk::new(&problem, &mut budget).explaining();
            let found = walk.find();
            debug_assert!(!matches!(found, Ok(Some(_))), "what was shrunk still has no order");
            walk.into_farthest()
        });
        let Farthest { blocked, refusals, .. } = farthest.unwrap_or(unknown);
        required.sort_unstable();
        Contradiction { operations: required, blocked, refusals, cut_short }
    }
}

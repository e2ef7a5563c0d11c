//! The last look at a contradiction: is each of its operations needed?
//!
//! [Shrinking](super::shrink) lets any state that the search has been in stand for the past. That is quick in a long
//! history, but looser than it needs to be: now and then an operation stays that only rules out a state which the past
//! could not have left together with what came later. Here the past is the history itself, from its beginning. Its
//! operations need not have happened; if they must have for there to be a contradiction, then they are required too.

use super::Contradiction;
use super::problem::Problem;
use super::walk::{Farthest, Walk};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::{Model, OperationOf};

/// The most operations that are looked at: of a longer past, shrinking has the last word.
const OPERATIONS_MAX: usize = 5_000;

/// The most steps for it, some tens of milliseconds.
const STEPS_MAX: u64 = 500_000;

/// Takes away from a contradiction what it does not need. What is left is always one.
pub(crate) fn only_needed<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    contradiction: Contradiction,
    limits: &Limits<'_>,
) -> Contradiction {
    let end = contradiction.operations.iter().filter_map(|position| operations[*position].returned).max();
    let involved = operations.iter().filter(|operation| Some(operation.invoked) < end).count();
    if contradiction.operations.len() < 2 || contradiction.cut_short.is_some() || involved > OPERATIONS_MAX {
        return contradiction;
    }
    let limits = Limits { steps: limits.steps.min(STEPS_MAX), ..*limits };
    let mut look = Look { model, operations, whole_past: false, limits };
    // What a limit keeps from being taken away stays: the verdict stands in any case.
    let needed = look.needed(&contradiction);
    match needed {
        Ok(Some((needed, Farthest { blocked, refusals, .. }))) => {
            Contradiction { operations: needed, blocked, refusals, cut_short: None }
        }
        Ok(None) | Err(_) => contradiction,
    }
}

struct Look<'a, 'l, M: Model> {
    model: &'a M,
    operations: &'a [OperationOf<M>],
    /// Whether what completed before is required.
    whole_past: bool,
    /// Each look has all of them.
    limits: Limits<'l>,
}

impl<M: Model> Look<'_, '_, M> {
    /// The operations that are needed, and how far an order comes with them; `None` if all are.
    fn needed(&mut self, contradiction: &Contradiction) -> Result<Option<(Vec<usize>, Farthest)>, Exceeded> {
        let mut needed = contradiction.operations.clone();
        self.whole_past = !self.contradict(&needed)?;
        // The blocked one is what the sentence is about: it is taken away last.
        needed.sort_by_key(|position| (*position == contradiction.blocked, *position));
        let mut at = 0;
        while at < needed.len() {
            let spared = needed.remove(at);
            if !needed.is_empty() && self.contradict(&needed)? {
                // With what begins later as the first, there is more of a past.
                at = 0;
            } else {
                needed.insert(at, spared);
                at += 1;
            }
        }
        if needed.len() == contradiction.operations.len() {
            return Ok(None);
        }
        let farthest = self.farthest(&needed, true)?.filter(|farthest| needed.contains(&farthest.blocked));
        needed.sort_unstable();
        Ok(farthest.map(|farthest| (needed, farthest)))
    }

    /// The operations that must be in an order with these.
    fn required(&self, named: &[usize]) -> impl Fn(usize) -> bool {
        let since = named.iter().map(|position| self.operations[*position].invoked).min().unwrap_or(0);
        let is_past =
            move |position: usize| self.operations[position].returned.is_some_and(|end| end < since);
        move |position: usize| named.contains(&position) || self.whole_past && is_past(position)
    }

    /// How far an order with these comes; `None` if there is one.
    fn farthest(&self, named: &[usize], explaining: bool) -> Result<Option<Farthest>, Exceeded> {
        let mut budget = Budget::new(&self.limits);
        let initial = self.model.initial().into();
        let required = self.required(named);
        let problem = Problem::new(self.model, self.operations, initial, required, 0, &mut budget)?;
        let walk = Walk::new(&problem, &mut budget);
        let mut walk = if explaining { walk.explaining() } else { walk };
        match walk.find()? {
            Some(_) => Ok(None),
            None => Ok(Some(walk.into_farthest().unwrap_or_else(|| Farthest::new(named[0], Vec::new())))),
        }
    }

    /// Whether there is no order with these.
    fn contradict(&self, named: &[usize]) -> Result<bool, Exceeded> {
        Ok(self.farthest(named, false)?.is_some())
    }
}

//! The search for objects whose values repeat: few configurations instead of many.
//!
//! Like the [walk](crate::search) it places operations just in time, when one of them returns (Lowe, "Testing for
//! linearizability", CCPE 2017), but it knows a little more of the object ([`Machine`]): which operations only observe,
//! which may happen at any time, and which leave nothing of what was before. Most choices are then none.
//!
//! # Reductions
//! A configuration is a state and, for each pending operation, whether it *waits*, is *used* (placed, and the state shows
//! it) or is *covered*: placed in a way that nothing shows, so that it may as well not be placed yet. A covered operation
//! may return, and may still be used.
//! 1. What leaves the state as it is, is covered at once: a read of the value that is there, a compare-and-set that
//!    failed, a write of the same value. Whatever order exists with it elsewhere exists with it here.
//! 2. When an operation overwrites everything, every pending operation that may happen at any time is covered: it may
//!    have happened just before.
//! 3. An operation is used before the one that returns only if it changes the state or covers others, and if it must be
//!    allowed while it can be, or another that does not overwrite can follow: otherwise the next one would cover it, or it
//!    can as well be used later.
//! 4. Operations that nobody has an answer to and that ask the same differ in nothing but their calls: a configuration
//!    counts how many of each class it has used.
//! 5. A configuration is dropped if another has the same state, has covered whatever this one has used or covered,
//!    waits for nothing that this one does not wait for, and has used no more of any class.
//! 6. States that no answer can tell apart are one state. That is up to the machine.
//! 7. Of pending operations that ask the same, that one is used first which returns first.
//!
//! All of these keep at least one order if there is one. For 3: take an order in which every operation is as late as it
//! can be, so that each stands before a return of its own or of one that needs it. What stands directly before an
//! overwriting operation and may happen at any time is covered by it; what stands directly before one that does not
//! overwrite is followed by that one. For 7: if one that returns later is used first, let the two change places; the one
//! that returns first goes to an earlier place where it was pending, the other to a place before the return of the first.
//!
//! # How
//! First [depth first](depth), with one configuration and a budget of a few steps per operation: where it comes through,
//! the first choice is mostly right. Then [breadth first](breadth), with all configurations at once, in one pass over
//! the events. Where no order exists, the operations are [shrunk](crate::search::shrink) by the same search.

mod breadth;
mod configuration;
mod counts;
mod depth;
mod frontier;
mod plan;
#[cfg(test)]
pub(super) mod tests;
mod trail;
mod twins;

use std::fmt::Debug;
use std::hash::Hash;

use super::shrink::{self, Shrinkable};
use super::walk::{Farthest, REFUSALS_MAX};
use super::{Contradiction, Next, Outcome, Unknown};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::Operation;
use frontier::Frontier;
use plan::{Event, Plan};

/// An object as this search sees it: a machine with numbered states.
pub(super) trait Machine {
    /// What an operation asks and answers. Equal ones do the same.
    type Action: Copy + Eq + Hash + Debug;

    /// The states in which it may start.
    fn initial(&self) -> Vec<u32>;

    /// The action of the operation at a position.
    fn action(&self, operation: usize) -> Self::Action;

    /// What is known of an action.
    fn kind(&self, action: Self::Action) -> Kind;

    /// The state after `action`, or `None` if it is not allowed in `state`.
    fn step(&mut self, state: u32, action: Self::Action) -> Option<u32>;

    /// Why the operation at a position is not allowed in `state`, as [`Model::refusal`](crate::model::Model::refusal).
    fn refusal(&self, state: u32, operation: usize) -> String;
}

/// What is known of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is not always allowed, and leaves every state as it is.
    Observes,
    /// It is allowed in every state and leaves the same one.
    Overwrites,
    /// It is allowed in every state.
    Total,
    /// Nothing is.
    Partial,
}

impl Kind {
    fn is_total(self) -> bool {
        matches!(self, Kind::Overwrites | Kind::Total)
    }
}

/// The most words for the pending operations, 64 to a word. More operations are left to the walk.
const WORDS_MAX: usize = 16;

/// What the search found.
enum Found {
    /// An order.
    Order(Vec<usize>),
    /// There is none.
    Stuck(Stuck),
}

/// Where no configuration was left.
struct Stuck {
    /// The number of the event that nothing could pass.
    event: usize,
    /// The operation that could not be placed before its return.
    blocked: usize,
    /// The states that were left before it.
    left: Vec<u32>,
    /// The states that some configuration was in after a return.
    seen: Vec<u32>,
}

/// How far the search came before a limit was hit.
struct Ended {
    exceeded: Exceeded,
    /// The event that came next.
    event: usize,
    /// The states that were left before it.
    left: Vec<u32>,
}

impl From<Exceeded> for Ended {
    /// It had not begun.
    fn from(exceeded: Exceeded) -> Self {
        Ended { exceeded, event: 0, left: Vec::new() }
    }
}

/// Judges operations; `None` if too many of them are pending at once. The budget is that of the whole judgement. A
/// contradiction that is not `told` is not made smaller.
pub(super) fn decide<I, O, M: Machine>(
    machine: &mut M,
    operations: &[Operation<I, O>],
    told: bool,
    limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Option<Outcome> {
    let answered = |position: usize| operations[position].returned.is_some();
    let initial = machine.initial();
    let plan = match Plan::new(machine, operations, answered, 0, budget) {
        Ok(plan) => plan,
        Err(exceeded) => return Some(super::unknown(operations, exceeded)),
    };
    Some(match search(machine, &plan, &initial, budget)? {
        Ok(Found::Order(order)) => Outcome::Linearizable(order),
        Ok(Found::Stuck(stuck)) if !told => Outcome::NotLinearizable(Contradiction::untold(stuck.blocked)),
        Ok(Found::Stuck(stuck)) => {
            let required = plan.returned(stuck.event + 1);
            let mut shrinking = Shrinking { machine, operations, initial, seen: stuck.seen };
            Outcome::NotLinearizable(shrink::shrink(&mut shrinking, required, limits))
        }
        Err(Ended { exceeded, event, left }) => {
            let next = plan.events[event..].iter().find_map(|event| match event {
                Event::Returned(step) if plan.steps[*step as usize].is_required => Some(*step),
                _ => None,
            });
            let next = next.map(|step| {
                let operation = plan.steps[step as usize].operation as usize;
                Next { operation, refusals: refusals(machine, operation, left) }
            });
            let ordered = plan.returned(event).len();
            Outcome::Unknown(Unknown { exceeded, ordered, completions: plan.completions, next })
        }
    })
}

/// Why an operation is refused in some states.
fn refusals<M: Machine>(machine: &mut M, operation: usize, states: Vec<u32>) -> Vec<String> {
    let action = machine.action(operation);
    let mut refusals = Vec::new();
    for state in states {
        if machine.step(state, action).is_none() {
            let why = machine.refusal(state, operation);
            if refusals.len() < REFUSALS_MAX && !refusals.contains(&why) {
                refusals.push(why);
            }
        }
    }
    refusals
}

/// Depth first and then breadth first; `None` if too many operations are pending at once.
fn search<M: Machine>(
    machine: &mut M,
    plan: &Plan<M::Action>,
    initial: &[u32],
    budget: &mut Budget<'_>,
) -> Option<Result<Found, Ended>> {
    match plan.slots.div_ceil(64) {
        0..=1 => Some(search_wide::<M, 1>(machine, plan, initial, budget)),
        2..=4 => Some(search_wide::<M, 4>(machine, plan, initial, budget)),
        5..=WORDS_MAX => Some(search_wide::<M, WORDS_MAX>(machine, plan, initial, budget)),
        _ => None,
    }
}

/// [`search`] with so many words for the pending operations.
fn search_wide<M: Machine, const W: usize>(
    machine: &mut M,
    plan: &Plan<M::Action>,
    initial: &[u32],
    budget: &mut Budget<'_>,
) -> Result<Found, Ended> {
    let mut frontier = Frontier::<M, W>::new(machine, plan, budget)?;
    if let Some(order) = depth::search(&mut frontier, initial)? {
        return Ok(Found::Order(order));
    }
    frontier.restart();
    breadth::search(&mut frontier, initial)
}

/// Operations without an order, while they are made fewer.
struct Shrinking<'a, I, O, M> {
    machine: &'a mut M,
    operations: &'a [Operation<I, O>],
    initial: Vec<u32>,
    /// All states that what completed earlier can have left.
    seen: Vec<u32>,
}

impl<I, O, M: Machine> Shrinking<'_, I, O, M> {
    fn search(&mut self, required: &[usize], budget: &mut Budget<'_>) -> Result<Found, Exceeded> {
        budget.allocate(self.operations.len() as u64)?;
        let mut is_required = vec![false; self.operations.len()];
        required.iter().for_each(|position| is_required[*position] = true);
        let since = required.iter().map(|position| self.operations[*position].invoked).min().unwrap_or(0);
        let mut has_past = false;
        for operation in self.operations {
            budget.tick()?;
            has_past |= operation.returned.is_some_and(|end| end < since);
        }
        let initial = if has_past { &self.seen } else { &self.initial };
        let plan = Plan::new(self.machine, self.operations, |position| is_required[position], since, budget)?;
        let found = search(self.machine, &plan, initial, budget);
        // Of the whole no more were pending at once than can be; of a part, no more than of the whole.
        found.expect("the whole was searched").map_err(|ended| ended.exceeded)
    }
}

impl<I, O, M: Machine> Shrinkable for Shrinking<'_, I, O, M> {
    fn invoked(&self, operation: usize) -> u32 {
        self.operations[operation].invoked
    }

    fn returned(&self, operation: usize) -> Option<u32> {
        self.operations[operation].returned
    }

    fn observes(&self, operation: usize) -> bool {
        self.machine.kind(self.machine.action(operation)) == Kind::Observes
    }

    fn contradicts(&mut self, required: &[usize], budget: &mut Budget<'_>) -> Result<bool, Exceeded> {
        Ok(matches!(self.search(required, budget)?, Found::Stuck(_)))
    }

    fn farthest(&mut self, required: &[usize], budget: &mut Budget<'_>) -> Option<Farthest> {
        let Ok(Found::Stuck(stuck)) = self.search(required, budget) else { return None };
        let refusals = refusals(self.machine, stuck.blocked, stuck.left);
        Some(Farthest::new(stuck.blocked, refusals))
    }
}

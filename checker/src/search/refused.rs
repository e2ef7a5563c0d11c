//! Why nothing can come next: for a person who asks "but could it not have been this one?".
//!
//! A contradiction names the operation that is blocked and why. Here the operations of the contradiction are put in order
//! as far as one comes, and every other one of them that could come next there is asked why it cannot.

use super::Contradiction;
use super::problem::Problem;
use super::walk::Walk;
use crate::limits::{Budget, Limits};
use crate::model::{Model, OperationOf};

/// The most operations that are looked at. Of a longer past, the reasons of the contradiction itself have to do.
const OPERATIONS_MAX: usize = 5_000;

/// The most steps of that, a few milliseconds.
const STEPS_MAX: u64 = 100_000;

/// Which operations of the contradiction are refused where its order comes farthest, and why: first the blocked one.
///
/// At least what the contradiction itself says; more is found only if that takes no longer than a few milliseconds.
#[must_use]
pub fn refused<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    contradiction: &Contradiction,
    limits: &Limits<'_>,
) -> Vec<(usize, String)> {
    let blocked = |why: &String| (contradiction.blocked, why.clone());
    let mut refused: Vec<(usize, String)> = contradiction.refusals.iter().map(blocked).collect();
    let horizon = contradiction.operations.iter().filter_map(|position| operations[*position].returned).max();
    let horizon = horizon.unwrap_or(u32::MAX);
    let involved = operations.iter().filter(|operation| operation.invoked < horizon).count();
    if involved > OPERATIONS_MAX {
        return refused;
    }
    let mut budget = Budget::new(&Limits { steps: limits.steps.min(STEPS_MAX), ..*limits });
    let required = |position: usize| contradiction.operations.binary_search(&position).is_ok();
    let Ok(problem) = Problem::new(model, operations, model.initial().into(), required, 0, &mut budget)
    else {
        return refused;
    };
    let mut walk = Walk::new(&problem, &mut budget).explaining();
    if matches!(walk.find(), Ok(None))
        && let Some(farthest) = walk.into_farthest()
        && farthest.blocked == contradiction.blocked
    {
        refused.extend(farthest.others);
    }
    refused
}

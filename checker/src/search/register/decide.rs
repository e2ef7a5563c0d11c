//! Which decider answers for a register: the cheapest that can.
//!
//! 1. [Chains](crate::search::chains), if every value that was seen has one writer: linear.
//! 2. The [reduced search](crate::search::reduced), unless too many operations are pending at once.
//! 3. The [search](crate::search::check) for any model.

use super::machine::Numbered;
use super::unique;
use crate::limits::{Budget, Limits};
use crate::model::OperationOf;
use crate::model::register::Register;
use crate::search::{Outcome, check_counted, decided, reduced, unknown, with_only_needed};

/// Judges the operations on one register, as [`check`](crate::search::check) does, in linear time where every value has
/// one writer.
///
/// # Panics
/// If an operation returned before it was invoked.
#[must_use]
pub fn check_register(
    model: &Register<'_>,
    operations: &[OperationOf<Register<'_>>],
    limits: &Limits<'_>,
) -> Outcome {
    check_register_counted(model, operations, true, limits).0
}

/// [`check_register`], but a contradiction is not made smaller: it has one of its operations.
///
/// # Panics
/// If an operation returned before it was invoked.
#[must_use]
pub fn decide_register(
    model: &Register<'_>,
    operations: &[OperationOf<Register<'_>>],
    limits: &Limits<'_>,
) -> Outcome {
    check_register_counted(model, operations, false, limits).0
}

/// [`check_register`], and the most memory it used. A contradiction that is not `told` is not made smaller.
pub(super) fn check_register_counted(
    model: &Register<'_>,
    operations: &[OperationOf<Register<'_>>],
    told: bool,
    limits: &Limits<'_>,
) -> (Outcome, u64) {
    let mut budget = Budget::new(limits);
    match unique::decide(model, operations, &mut budget) {
        Ok(Some(decision)) => (decided(model, operations, decision, told, limits), budget.peak()),
        Ok(None) => check_repeated(model, operations, told, limits),
        Err(exceeded) => (unknown(operations, exceeded), budget.peak()),
    }
}

/// Judges operations whose values may repeat.
pub(super) fn check_repeated(
    model: &Register<'_>,
    operations: &[OperationOf<Register<'_>>],
    told: bool,
    limits: &Limits<'_>,
) -> (Outcome, u64) {
    let mut budget = Budget::new(limits);
    let mut machine = match Numbered::new(*model, operations, &mut budget) {
        Ok(machine) => machine,
        Err(exceeded) => return (unknown(operations, exceeded), budget.peak()),
    };
    match reduced::decide(&mut machine, operations, told, limits, &mut budget) {
        Some(outcome) => (with_only_needed(model, operations, outcome, told, limits), budget.peak()),
        None => check_counted(model, operations, told, limits),
    }
}

//! Entries of a map of texts: put, append and get.
//!
//! 1. [Eras](eras), if every text that was put or appended is another one and what was read can be taken apart in one way
//!    only: linear in what was read.
//! 2. The [reduced search](crate::search::reduced) over the beginnings of what was [read](texts), unless too many
//!    operations are pending at once.
//! 3. The [search](crate::search::check) for any model.

mod eras;
#[cfg(test)]
mod tests;
mod texts;

use super::{Outcome, check_counted, decided, reduced, unknown, with_only_needed};
use crate::limits::{Budget, Limits};
use crate::model::OperationOf;
use crate::model::kv::Kv;
use texts::Texts;

/// Judges the operations on one entry, as [`check`](crate::search::check) does.
///
/// # Panics
/// If an operation returned before it was invoked.
#[must_use]
pub fn check_kv<'a>(model: &Kv<'a>, operations: &[OperationOf<Kv<'a>>], limits: &Limits<'_>) -> Outcome {
    check_kv_counted(model, operations, true, limits).0
}

/// [`check_kv`], but a contradiction is not made smaller: it has one of its operations.
///
/// # Panics
/// If an operation returned before it was invoked.
#[must_use]
pub fn decide_kv<'a>(model: &Kv<'a>, operations: &[OperationOf<Kv<'a>>], limits: &Limits<'_>) -> Outcome {
    check_kv_counted(model, operations, false, limits).0
}

/// [`check_kv`], and the most memory it used. A contradiction that is not `told` is not made smaller.
pub(crate) fn check_kv_counted<'a>(
    model: &Kv<'a>,
    operations: &[OperationOf<Kv<'a>>],
    told: bool,
    limits: &Limits<'_>,
) -> (Outcome, u64) {
    let mut budget = Budget::new(limits);
    match eras::decide(model, operations, &mut budget) {
        Ok(Some(decision)) => (decided(model, operations, decision, told, limits), budget.peak()),
        Ok(None) => check_repeated(model, operations, told, limits),
        Err(exceeded) => (unknown(operations, exceeded), budget.peak()),
    }
}

/// Judges operations whose texts may repeat.
fn check_repeated<'a>(
    model: &Kv<'a>,
    operations: &[OperationOf<Kv<'a>>],
    told: bool,
    limits: &Limits<'_>,
) -> (Outcome, u64) {
    let mut budget = Budget::new(limits);
    let judged = Texts::new(model, operations, &mut budget)
        .map(|mut texts| reduced::decide(&mut texts, operations, told, limits, &mut budget));
    match judged {
        Ok(Some(outcome)) => (with_only_needed(model, operations, outcome, told, limits), budget.peak()),
        Ok(None) => check_counted(model, operations, told, limits),
        Err(exceeded) => (unknown(operations, exceeded), budget.peak()),
    }
}

//! Registers whose values are each written once, as [chains](crate::search::chains).
//!
//! A compare-and-set that succeeded replaces a value; one that expects what it sets only reads. One that failed because
//! the value differed says what the value was not, and that is not evidence that chains know: then, as where a value
//! was written twice, the answer is [`None`].

use crate::limits::{Budget, Exceeded};
use crate::model::OperationOf;
use crate::model::register::{Input, Output, Register, Value};
use crate::search::chains::{self, Decision, Initial, NEVER, Part, Role};
use crate::search::numbers::Numbers;

/// Decides in linear time; `None` if this is no register of unique values.
pub(in crate::search) fn decide(
    model: &Register<'_>,
    operations: &[OperationOf<Register<'_>>],
    budget: &mut Budget<'_>,
) -> Result<Option<Decision>, Exceeded> {
    let initial = model.initial_values();
    let mut numbers = Numbers::of(initial.iter().copied().chain(operations.iter().flat_map(spoken_of)));
    budget.allocate(numbers.bytes())?;
    for value in initial {
        numbers.number(*value);
    }
    let possible = numbers.count();
    let mut parts = Vec::with_capacity(operations.len());
    for operation in operations {
        budget.tick()?;
        let Some(role) = role(model, operation, &mut numbers) else { return Ok(None) };
        let returned = operation.returned.unwrap_or(NEVER);
        parts.push(Part { role, invoked: operation.invoked, returned });
    }
    let initial = match possible {
        1 => Initial::Known(0),
        // Any value that the operations speak of.
        all if all == numbers.count() => Initial::Unwritten,
        _ => return Ok(None),
    };
    let decision = chains::decide(&parts, numbers.count(), initial, budget)?;
    Ok(Some(decision).filter(|decision| *decision != Decision::Repeats))
}

/// The values that an operation speaks of.
pub(super) fn spoken_of(operation: &OperationOf<Register<'_>>) -> impl Iterator<Item = Value> + use<> {
    let (one, other) = match (operation.input, operation.output) {
        (Input::Read, Some(Output::Value(value))) => (Some(value), None),
        (Input::Read, _) => (None, None),
        (Input::Write(value), _) => (Some(value), None),
        (Input::Cas { from, to }, _) => (Some(from), Some(to)),
    };
    one.into_iter().chain(other)
}

/// What an operation does to the chains; `None` if they cannot say.
fn role(model: &Register<'_>, operation: &OperationOf<Register<'_>>, numbers: &mut Numbers) -> Option<Role> {
    let mut number = |value| numbers.number(value);
    let answered = operation.returned.is_some();
    Some(match (operation.input, operation.output) {
        // Whatever it would see, nobody saw it.
        (Input::Read, _) if !answered => Role::Absent,
        (Input::Cas { from, to }, _) if !answered && from == to => Role::Absent,
        (Input::Read, Some(Output::Value(value))) if model.fits_any(value) => Role::Free,
        (Input::Read, Some(Output::Value(value))) => Role::Reads(number(value)),
        (Input::Read, None) => Role::Free,
        (Input::Write(value), None | Some(Output::Done)) => Role::Writes(number(value)),
        (Input::Cas { from, to }, Some(Output::Done)) if from == to => Role::Reads(number(from)),
        (Input::Cas { from, to }, Some(Output::Done)) => {
            Role::Replaces { from: number(from), to: number(to) }
        }
        (Input::Cas { from, to }, None) if !answered => Role::Replaces { from: number(from), to: number(to) },
        // One that was answered, but nobody knows what, may have done nothing; and answers that do not fit.
        _ => return None,
    })
}

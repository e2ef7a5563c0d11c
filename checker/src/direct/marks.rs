//! Marks: the values that were read are in ascending order, and so are the reads.
//!
//! A read of `v` needs one mark of `v` in front of it, and none of more. So the chain is, value by value: the mark of
//! `v` that was invoked first, if `v` was read, then the reads of `v`. Every other mark of `v` may come at any time after
//! the reads of less. A mark that answers where it left the mark is not decided here, unless it answers with its own
//! number: then it stands in front of all that is more, like a read.

use std::collections::BTreeMap;

use super::chain::{Chain, Conflict};
use super::{Answer, Violation, returned};
use crate::anomaly::AnomalyKind;
use crate::history::Datum;
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::OperationOf;
use crate::model::marks::{Input, Marks, Output};

type Operation = OperationOf<Marks>;

/// What is known of one value.
#[derive(Debug, Default)]
struct Value {
    /// The mark that was invoked first.
    mark: Option<usize>,
    read: Option<usize>,
}

/// Decides whether the operations on one mark are linearizable, in n log n.
///
/// # Errors
/// If a limit was hit.
///
/// # Panics
/// Never: places in the chain are counted from the smallest value.
pub fn decide(
    model: &Marks,
    operations: &[Operation],
    _limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Result<Answer, Exceeded> {
    let mut values: BTreeMap<i64, Value> = BTreeMap::new();
    for (number, operation) in operations.iter().enumerate() {
        budget.step()?;
        match (operation.input, operation.output) {
            (Input::Mark(_), Some(Output::Value(_))) => return Ok(Answer::NotMine),
            (Input::Mark(value), _) => {
                let first = &mut values.entry(value).or_default().mark;
                if first.is_none_or(|first| operation.invoked < operations[first].invoked) {
                    *first = Some(number);
                }
            }
            (Input::Read, Some(Output::Value(value))) => values.entry(value).or_default().read = Some(number),
            (Input::Read, _) => {}
        }
    }
    budget.allocate((2 * values.len() * size_of::<(i64, Value)>()) as u64)?;
    if let Some(violation) = unfounded(model, &values) {
        return Ok(Answer::Violation(violation));
    }
    let mut chain = Chain::default();
    // The order of `i64` as one of `u64`.
    let phase = |value: i64| value.cast_unsigned() ^ (1 << 63);
    for (number, operation) in operations.iter().enumerate() {
        budget.step()?;
        match (operation.input, operation.output) {
            (Input::Read, Some(Output::Value(value))) => chain.link(operations, phase(value), 1, number),
            (Input::Read, _) => {}
            (Input::Mark(value), _) => {
                let is_needed = value > model.initial
                    && values[&value].read.is_some()
                    && values[&value].mark == Some(number);
                if is_needed {
                    chain.link(operations, phase(value), 0, number);
                } else if operation.returned.is_some() {
                    chain.float(operations, phase(value), number);
                }
            }
        }
    }
    Ok(match chain.order(operations, budget)? {
        Ok(order) => Answer::Order(order),
        Err(conflict) => {
            let violation = contradicted(operations, &values, conflict);
            Answer::Violation(too_early(model, operations, &values, &violation).unwrap_or(violation))
        }
    })
}

/// An operation of a violation that is wrong by itself: it has read what was marked only later.
fn too_early(
    model: &Marks,
    operations: &[Operation],
    values: &BTreeMap<i64, Value>,
    violation: &Violation,
) -> Option<Violation> {
    violation.operations.iter().find_map(|number| {
        let (Input::Read, Some(Output::Value(value))) =
            (operations[*number].input, operations[*number].output)
        else {
            return None;
        };
        let mark = values[&value].mark?;
        // What there was at the start needs no mark.
        let is_early = value != model.initial && returned(&operations[*number]) < operations[mark].invoked;
        is_early.then(|| marked_later(*number, mark, value))
    })
}

fn marked_later(read: usize, mark: usize, value: i64) -> Violation {
    let why = format!("says {value} before anybody began to mark it");
    Violation::alone(AnomalyKind::Phantom, read, why).beside(mark).about(Datum::Int(value))
}

/// A read of what nobody marked, or of less than there was at the start.
fn unfounded(model: &Marks, values: &BTreeMap<i64, Value>) -> Option<Violation> {
    values.iter().find_map(|(value, known)| {
        let read = known.read?;
        let why = match value {
            value if *value == model.initial => return None,
            value if *value < model.initial => {
                format!("says {value}, and the mark began at {}", model.initial)
            }
            value if known.mark.is_none() => format!("says {value}, which nobody marked"),
            _ => return None,
        };
        Some(Violation::alone(AnomalyKind::Phantom, read, why).about(Datum::Int(*value)))
    })
}

fn contradicted(
    operations: &[Operation],
    values: &BTreeMap<i64, Value>,
    Conflict { early, late }: Conflict,
) -> Violation {
    let (before, value) = match (operations[late].input, operations[late].output) {
        (Input::Mark(value), _) => (false, value),
        (Input::Read, Some(Output::Value(value))) => (true, value),
        (Input::Read, _) => unreachable!("only answers are in the chain"),
    };
    let says = operations[early].output == Some(Output::Value(value));
    let violation = match values[&value].read {
        _ if before => {
            Violation::behind(AnomalyKind::StaleRead, early, late, format!("and says only {value}"))
        }
        // It was marked only after there was more, so that nobody can have seen it.
        Some(read) if !says => {
            let why = format!("says {value}, which was only marked when the mark was beyond it");
            Violation::alone(AnomalyKind::StaleRead, read, why).with(early).beside(late)
        }
        _ => marked_later(early, late, value),
    };
    violation.about(Datum::Int(value))
}

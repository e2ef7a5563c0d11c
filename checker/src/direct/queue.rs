//! Queues of unique values: four patterns that no queue shows, and an order if there are none.
//!
//! A history of a queue in which no value is put in twice is linearizable exactly if none of these occurs (Henzinger,
//! Sezgin and Vafeiadis, "Aspect-Oriented Linearizability Proofs", CONCUR 2013):
//!
//! 1. something is taken out that nobody put in, or before anybody began to;
//! 2. something is taken out twice;
//! 3. `a` was put in before `b`, and `b` was taken out before `a`, or `a` never;
//! 4. the queue is said to be empty, though at each moment meanwhile something was certainly in it.
//!
//! Each takes a sort and a pass. A dequeue of which nobody knows the answer may have taken what is missing by the third
//! pattern: such values and such dequeues are matched by their deadlines and their beginnings. (Where there are such
//! dequeues and the queue was also said to be empty, nothing is decided here.)
//!
//! The order is built epoch by epoch, where an epoch ends at a moment that an empty queue was seen at. In it, values
//! that come first in both orders, of enqueues and of dequeues, are taken away one after the other; without the third
//! pattern there always is one (Lee and Mathur, PLDI 2025, decide queues in the same time by other means).

mod aspects;
mod order;

use std::collections::HashMap;

use super::{Answer, returned};
use crate::history::Datum;
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::OperationOf;
use crate::model::queue::{Input, Output, Queue};

type Operation<'a> = OperationOf<Queue<'a>>;

/// A value that was in the queue.
#[derive(Debug, Clone, Copy)]
struct Value {
    value: Datum,
    enqueue: usize,
    dequeue: Option<usize>,
    /// Between these places it was put in: no later than it was taken out.
    put: (u32, u32),
    /// Between these places it was taken out: no earlier than it was put in. Behind everything if it was not.
    taken: (u32, u32),
}

impl Value {
    fn new(value: Datum, enqueue: usize, operations: &[Operation<'_>]) -> Self {
        let put = (operations[enqueue].invoked, returned(&operations[enqueue]));
        Value { value, enqueue, dequeue: None, put, taken: (u32::MAX, u32::MAX) }
    }

    /// Notes who took it out.
    fn take(&mut self, dequeue: usize, operations: &[Operation<'_>]) {
        // In front of what was not taken out at all.
        let returned = returned(&operations[dequeue]).min(u32::MAX - 1);
        let invoked = operations[dequeue].invoked;
        self.dequeue = Some(dequeue);
        self.put.1 = self.put.1.min(returned);
        self.taken = (invoked.max(self.put.0), returned);
    }
}

/// Decides whether the operations on one queue are linearizable, in n log n, if no value is put in twice.
///
/// # Errors
/// If a limit was hit.
pub fn decide<'a>(
    model: &Queue<'a>,
    operations: &[Operation<'a>],
    _limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Result<Answer, Exceeded> {
    let bytes = 4 * size_of::<Value>() + 2 * size_of::<(Datum, usize)>();
    let mut values: Vec<Value> = Vec::new();
    let mut numbers: HashMap<Datum, usize> = HashMap::new();
    let (mut empties, mut lost_answers) = (Vec::new(), Vec::new());
    for (number, operation) in operations.iter().enumerate() {
        budget.step()?;
        match (operation.input, operation.output) {
            (Input::Enqueue(value), None | Some(Output::Done)) => {
                budget.allocate(bytes as u64)?;
                if numbers.insert(value, values.len()).is_some() {
                    return Ok(Answer::NotMine);
                }
                values.push(Value::new(value, number, operations));
            }
            (Input::Dequeue, Some(Output::Empty)) => empties.push(number),
            (Input::Dequeue, None) => lost_answers.push(number),
            (Input::Dequeue, Some(Output::Value(_))) => {}
            (Input::Enqueue(_), Some(_)) | (Input::Dequeue, Some(Output::Done)) => {
                return Ok(Answer::NotMine);
            }
        }
    }
    if !empties.is_empty() && !lost_answers.is_empty() {
        return Ok(Answer::NotMine);
    }
    for (number, operation) in operations.iter().enumerate() {
        budget.step()?;
        let Some(Output::Value(value)) = operation.output else { continue };
        let Some(known) = numbers.get(&value).map(|known| &mut values[*known]) else {
            return Ok(Answer::Violation(aspects::from_nowhere(model, number, value)));
        };
        if returned(operation) < known.put.0 {
            return Ok(Answer::Violation(aspects::too_early(model, number, *known)));
        }
        if let Some(other) = known.dequeue {
            return Ok(Answer::Violation(aspects::twice(model, operations, other, number, value)));
        }
        known.take(number, operations);
    }
    // What never returned and was never seen need not have happened.
    values.retain(|known| known.dequeue.is_some() || operations[known.enqueue].returned.is_some());
    if !lost_answers.is_empty()
        && let Some(violation) = aspects::match_lost_answers(model, operations, &mut values, lost_answers)
    {
        return Ok(Answer::Violation(violation));
    }
    if let Some(violation) = aspects::out_of_order(model, operations, &values) {
        return Ok(Answer::Violation(violation));
    }
    let moments = match aspects::empty_moments(model, operations, &values, &empties) {
        Ok(moments) => moments,
        Err(violation) => return Ok(Answer::Violation(*violation)),
    };
    Ok(Answer::Order(order::build(values, moments)))
}

//! Counters, marks and locks in a history.

use super::{Adapter, Push};
use crate::direct::{self, Answer};
use crate::history::{Datum, Input, Operation, Outcome, Output};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::register::{FailedCas, Initially, NilRead, Semantics};
use crate::model::{OperationOf, counter, marks, mutex};

/// The number at the start, where one is given.
fn initial(semantics: Semantics) -> i64 {
    match semantics.initially {
        Initially::Value(Datum::Int(number)) => number,
        _ => 0,
    }
}

/// The number that a read shows; `None` if it proves nothing.
fn number(value: Datum, semantics: Semantics) -> Option<i64> {
    match value {
        Datum::Int(number) => Some(number),
        Datum::Nil if semantics.nil_read != NilRead::Anything => Some(initial(semantics)),
        _ => None,
    }
}

/// How much an operation adds to a counter, or to which number it sets a mark.
pub(super) fn amount(input: &Input) -> Option<i64> {
    let number = |value: Datum, nil: Option<i64>| match value {
        Datum::Int(number) => Some(number),
        Datum::Nil => nil,
        _ => None,
    };
    match *input {
        Input::Add { value } => number(value, None),
        Input::Increment { by } => number(by, Some(1)),
        Input::Decrement { by } => number(by, Some(1)).map(i64::wrapping_neg),
        Input::Other { value, .. } => number(value, None),
        _ => None,
    }
}

/// Counters: `add`, `increment`, `decrement` and `read`.
pub(super) struct Counters {
    model: counter::Counter,
    semantics: Semantics,
}

impl Counters {
    pub(super) fn new(semantics: Semantics) -> Self {
        Counters { model: counter::Counter { initial: initial(semantics) }, semantics }
    }
}

impl<'h> Adapter<'h> for Counters {
    type Model = counter::Counter;

    fn model(&self) -> &counter::Counter {
        &self.model
    }

    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, counter::Counter>) {
        let asked = amount(&operation.input).map_or(counter::Input::Read, counter::Input::Add);
        let output = match (&operation.outcome, asked) {
            (Outcome::Fail(_), _) => return,
            (Outcome::Info(_), _) => None,
            (Outcome::Ok(Output::Value { value: Datum::Int(value) }), counter::Input::Add(_)) => {
                Some(counter::Output::Value(*value))
            }
            (Outcome::Ok(_), counter::Input::Add(_)) => Some(counter::Output::Done),
            (Outcome::Ok(Output::Value { value }), counter::Input::Read) => {
                let Some(number) = number(*value, self.semantics) else { return };
                Some(counter::Output::Value(number))
            }
            (Outcome::Ok(_), counter::Input::Read) => return,
        };
        push(asked, output);
    }

    fn decide(
        &self,
        operations: &[OperationOf<counter::Counter>],
        limits: &Limits<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<Answer, Exceeded> {
        direct::counter::decide(&self.model, operations, limits, budget)
    }

    /// Any addition leads to another number.
    fn makes(&self, operation: &Operation, _value: Datum) -> bool {
        amount(&operation.input).is_some_and(|amount| amount != 0)
    }
}

/// Marks: `mark` and `read`.
pub(super) struct Marks {
    model: marks::Marks,
    semantics: Semantics,
}

impl Marks {
    pub(super) fn new(semantics: Semantics) -> Self {
        Marks { model: marks::Marks { initial: initial(semantics) }, semantics }
    }
}

impl<'h> Adapter<'h> for Marks {
    type Model = marks::Marks;

    fn model(&self) -> &marks::Marks {
        &self.model
    }

    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, marks::Marks>) {
        let asked = amount(&operation.input).map_or(marks::Input::Read, marks::Input::Mark);
        let output = match (&operation.outcome, asked) {
            (Outcome::Fail(_), _) => return,
            (Outcome::Info(_), _) => None,
            (Outcome::Ok(Output::Value { value: Datum::Int(value) }), marks::Input::Mark(number))
                if *value != number =>
            {
                Some(marks::Output::Value(*value))
            }
            (Outcome::Ok(_), marks::Input::Mark(_)) => Some(marks::Output::Done),
            (Outcome::Ok(Output::Value { value }), marks::Input::Read) => {
                let Some(number) = number(*value, self.semantics) else { return };
                Some(marks::Output::Value(number))
            }
            (Outcome::Ok(_), marks::Input::Read) => return,
        };
        push(asked, output);
    }

    fn decide(
        &self,
        operations: &[OperationOf<marks::Marks>],
        limits: &Limits<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<Answer, Exceeded> {
        direct::marks::decide(&self.model, operations, limits, budget)
    }
}

/// Locks: `acquire` and `release`.
pub(super) struct Locks {
    pub(super) semantics: Semantics,
}

impl<'h> Adapter<'h> for Locks {
    type Model = mutex::Mutex;

    fn model(&self) -> &mutex::Mutex {
        &mutex::Mutex
    }

    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, mutex::Mutex>) {
        let asked = match operation.input {
            Input::Acquire { .. } => mutex::Input::Acquire,
            _ => mutex::Input::Release,
        };
        let output = match &operation.outcome {
            Outcome::Info(_) => None,
            Outcome::Ok(Output::Value { value: Datum::Bool(false) }) => Some(mutex::Output::Refused),
            Outcome::Ok(_) => Some(mutex::Output::Done),
            Outcome::Fail(None) if self.semantics.failed_cas == FailedCas::ValueDiffered => {
                Some(mutex::Output::Refused)
            }
            Outcome::Fail(_) => return,
        };
        push(asked, output);
    }

    fn decide(
        &self,
        operations: &[OperationOf<mutex::Mutex>],
        limits: &Limits<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<Answer, Exceeded> {
        direct::mutex::decide(&mutex::Mutex, operations, limits, budget)
    }

    fn makes(&self, _operation: &Operation, _value: Datum) -> bool {
        false
    }
}

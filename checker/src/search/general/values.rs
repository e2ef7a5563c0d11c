//! Queues and sets in a history.

use super::{Adapter, Push};
use crate::direct::{self, Answer};
use crate::history::{Datum, History, Input, Operation, Outcome, Output, Symbol};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::register::{FailedCas, NilRead, Semantics};
use crate::model::{OperationOf, queue, set};

/// Whether a failure is an observation: because failures are, or because its error's code is one of these.
fn observed(history: &History, error: Option<Symbol>, semantics: Semantics, codes: &[&str]) -> bool {
    match error {
        None => semantics.failed_cas == FailedCas::ValueDiffered,
        Some(error) => history.text(error).split(':').next().is_some_and(|code| codes.contains(&code)),
    }
}

/// Queues: `enqueue`, `dequeue` and `drain`.
///
/// A drain counts as that many dequeues, each at some time between its beginning and its end; their order is not used.
pub(super) struct Queues<'h> {
    history: &'h History,
    model: queue::Queue<'h>,
    semantics: Semantics,
    /// How many dequeues a drain without an answer may be: as many as there are enqueues.
    enqueues: usize,
}

impl<'h> Queues<'h> {
    pub(super) fn new(history: &'h History, semantics: Semantics) -> Self {
        let is_enqueue = |operation: &&Operation| matches!(operation.input, Input::Enqueue { .. });
        let is_lost_drain = |operation: &Operation| {
            operation.input == Input::Drain && matches!(operation.outcome, Outcome::Info(_))
        };
        let lost = history.operations().iter().any(is_lost_drain);
        let enqueues = if lost { history.operations().iter().filter(is_enqueue).count() } else { 0 };
        Queues { history, model: queue::Queue::new(&history.symbols), semantics, enqueues }
    }
}

impl<'h> Adapter<'h> for Queues<'h> {
    type Model = queue::Queue<'h>;

    fn model(&self) -> &queue::Queue<'h> {
        &self.model
    }

    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, queue::Queue<'h>>) {
        use queue::Input::{Dequeue, Enqueue};
        match (&operation.input, &operation.outcome) {
            (Input::Enqueue { value }, Outcome::Ok(_)) => push(Enqueue(*value), Some(queue::Output::Done)),
            (Input::Enqueue { value }, Outcome::Info(_)) => push(Enqueue(*value), None),
            (Input::Dequeue, Outcome::Info(_)) => push(Dequeue, None),
            (Input::Dequeue, Outcome::Ok(Output::Value { value: Datum::Nil })) => {
                push(Dequeue, Some(queue::Output::Empty));
            }
            (Input::Dequeue, Outcome::Ok(Output::Value { value })) => {
                push(Dequeue, Some(queue::Output::Value(*value)));
            }
            (Input::Dequeue, Outcome::Fail(error))
                if observed(self.history, *error, self.semantics, &["empty", "exhausted"]) =>
            {
                push(Dequeue, Some(queue::Output::Empty));
            }
            (Input::Drain, Outcome::Info(_)) => (0..self.enqueues).for_each(|_| push(Dequeue, None)),
            (Input::Drain, Outcome::Ok(Output::Value { value })) => {
                for value in value.items(&self.history.symbols).unwrap_or_default() {
                    push(Dequeue, Some(queue::Output::Value(*value)));
                }
            }
            _ => {}
        }
    }

    fn decide(
        &self,
        operations: &[OperationOf<queue::Queue<'h>>],
        limits: &Limits<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<Answer, Exceeded> {
        direct::queue::decide(&self.model, operations, limits, budget)
    }

    fn shows(&self, operation: &OperationOf<queue::Queue<'h>>) -> Vec<Datum> {
        match operation.output {
            Some(queue::Output::Value(value)) => vec![value],
            _ => Vec::new(),
        }
    }
}

/// Sets: `add`, `remove`, `contains` and `read`.
pub(super) struct Sets<'h> {
    history: &'h History,
    model: set::Set<'h>,
    semantics: Semantics,
}

impl<'h> Sets<'h> {
    pub(super) fn new(history: &'h History, semantics: Semantics) -> Self {
        Sets { history, model: set::Set::new(&history.symbols), semantics }
    }

    fn answer(&self, asked: set::Input, output: &Output) -> Option<set::Output> {
        match (asked, output) {
            (set::Input::Read, Output::Value { value: Datum::Nil }) => {
                (self.semantics.nil_read != NilRead::Anything).then(|| set::Output::Elements(Box::new([])))
            }
            (set::Input::Read, Output::Value { value }) => {
                let mut elements = value.items(&self.history.symbols)?.to_vec();
                elements.sort_unstable();
                Some(set::Output::Elements(elements.into()))
            }
            (set::Input::Contains(_), Output::Value { value: Datum::Bool(found) }) => {
                Some(set::Output::Found(*found))
            }
            (set::Input::Contains(_) | set::Input::Read, _) => None,
            (_, Output::Value { value: Datum::Bool(changed) }) => Some(set::Output::Changed(*changed)),
            _ => Some(set::Output::Done),
        }
    }
}

impl<'h> Adapter<'h> for Sets<'h> {
    type Model = set::Set<'h>;

    fn model(&self) -> &set::Set<'h> {
        &self.model
    }

    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, set::Set<'h>>) {
        let asked = match operation.input {
            Input::Add { value } => set::Input::Add(value),
            Input::Remove { value } => set::Input::Remove(value),
            Input::Other { value, .. } => set::Input::Contains(value),
            _ => set::Input::Read,
        };
        let output = match &operation.outcome {
            Outcome::Info(_) => None,
            Outcome::Ok(output) => match self.answer(asked, output) {
                Some(answer) => Some(answer),
                None => return,
            },
            Outcome::Fail(error) => {
                let codes: &[&str] = match asked {
                    set::Input::Add(_) => &["exists", "already-exists"],
                    set::Input::Remove(_) => &["not-found"],
                    set::Input::Contains(_) | set::Input::Read => return,
                };
                if !observed(self.history, *error, self.semantics, codes) {
                    return;
                }
                Some(set::Output::Changed(false))
            }
        };
        push(asked, output);
    }

    fn decide(
        &self,
        operations: &[OperationOf<set::Set<'h>>],
        limits: &Limits<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<Answer, Exceeded> {
        direct::set::decide(&self.model, operations, limits, budget)
    }

    fn shows(&self, operation: &OperationOf<set::Set<'h>>) -> Vec<Datum> {
        match (&operation.input, &operation.output) {
            (set::Input::Contains(element), Some(set::Output::Found(true))) => vec![*element],
            (_, Some(set::Output::Elements(elements))) => elements.to_vec(),
            _ => Vec::new(),
        }
    }
}

//! Deciders that need no search: objects whose answers say so much of the order that little is left to choose.
//!
//! | object | how | time |
//! |---|---|---|
//! | [`list`] | the longest read is the order; one pass over it | linear in what was read, and n log n |
//! | [`set`] without removals, read as a whole | the reads are a chain of sets; one pass over it | the same |
//! | [`set`] without whole reads | each element by itself, by [`search`] | n log n |
//! | [`queue`] of unique values | four patterns that no queue shows | n log n |
//! | [`counter`] whose additions are all alike | the latest moment for everything, the most urgent first | n log n |
//! | [`mutex`] | the same | n log n |
//! | [`marks`] | the values are the order; one pass over it | n log n |
//!
//! Each decider is a function of the operations on one object. It answers with an order, with a [`Violation`], or with
//! [`Answer::NotMine`] where its theory does not reach: then the [`search`] has to decide. Whether values
//! are unique is looked at, never assumed.
//!
//! What a decider does not do is say that an operation of the history *failed* to do what was seen: it is given only
//! what may have happened. Whoever has the history knows ([`AnomalyKind::AbortedRead`]).

pub mod chain;
pub mod counter;
pub mod list;
pub mod marks;
pub mod mutex;
pub mod queue;
pub mod set;
#[cfg(test)]
mod tests;

use crate::anomaly::AnomalyKind;
use crate::history::Datum;
use crate::limits::{Budget, Exceeded, Limits, sort_by_key};
use crate::model::{Model, Operation, OperationOf};
use crate::search::{self, Contradiction, Outcome, Unknown};

/// What a decider found out about the operations on one object, which it names by their positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An order that the model allows and that agrees with real time. Of operations that never completed, it has those
    /// that are needed.
    Order(Vec<usize>),
    /// There is none.
    Violation(Violation),
    /// These operations are beyond the decider.
    NotMine,
}

/// Why operations have no order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub kind: AnomalyKind,
    /// The operations that show it. After everything that completed before the first of them was invoked, they have no
    /// order, whatever the others do; and none of them can be spared.
    pub operations: Vec<usize>,
    /// Others that are spoken of: those that show it have no order, whether these took effect in their time or not.
    pub context: Vec<usize>,
    /// The operation whose answer cannot be, or that came too late for what others answered.
    pub blocked: usize,
    /// The one that completed before `blocked` was invoked, if it rests on that.
    pub after: Option<usize>,
    /// What is wrong about `blocked`, as the end of a sentence: `and does not show 3`.
    pub why: String,
    /// The value that is in question.
    pub value: Option<Datum>,
}

impl Violation {
    /// A violation that one operation shows by itself.
    fn alone(kind: AnomalyKind, blocked: usize, why: impl Into<String>) -> Self {
        let why = why.into();
        let (operations, context) = (vec![blocked], Vec::new());
        Violation { kind, operations, context, blocked, after: None, why, value: None }
    }

    /// A violation by `blocked`, which was invoked after `after` had completed.
    fn behind(kind: AnomalyKind, after: usize, blocked: usize, why: impl Into<String>) -> Self {
        Violation { after: Some(after), ..Self::alone(kind, blocked, why) }.with(after)
    }

    /// One more operation that shows it.
    fn with(mut self, operation: usize) -> Self {
        if !self.operations.contains(&operation) {
            self.operations.push(operation);
        }
        self
    }

    /// One more operation that is spoken of.
    fn beside(mut self, operation: usize) -> Self {
        if !self.operations.contains(&operation) && !self.context.contains(&operation) {
            self.context.push(operation);
        }
        self
    }

    /// What it is about.
    fn about(self, value: Datum) -> Self {
        Violation { value: Some(value), ..self }
    }

    /// The same violation, of which what can be spared is only spoken of. In a long history all is left as it is.
    #[must_use]
    pub fn only_needed<M: Model>(
        mut self,
        model: &M,
        operations: &[OperationOf<M>],
        limits: &Limits<'_>,
    ) -> Self {
        let needed = search::only_needed(model, operations, self.clone().into_contradiction(), limits);
        let spared: Vec<usize> =
            self.operations.extract_if(.., |shown| !needed.operations.contains(shown)).collect();
        spared.into_iter().fold(self, Violation::beside)
    }

    /// The same as a contradiction of the search.
    #[must_use]
    pub fn into_contradiction(self) -> Contradiction {
        let Violation { mut operations, blocked, why, .. } = self;
        let blocked = if operations.contains(&blocked) { blocked } else { operations[0] };
        operations.sort_unstable();
        Contradiction { operations, blocked, refusals: vec![why], cut_short: None }
    }
}

/// What the operations on one object come to: by a decider that needs no search if it can, else by the search.
///
/// # Panics
/// If an operation returned before it was invoked.
#[must_use]
pub fn check<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    decide: impl FnOnce(&M, &[OperationOf<M>], &Limits<'_>, &mut Budget<'_>) -> Result<Answer, Exceeded>,
    limits: &Limits<'_>,
) -> Outcome {
    match decide(model, operations, limits, &mut Budget::new(limits)) {
        Ok(Answer::Order(order)) => Outcome::Linearizable(order),
        Ok(Answer::Violation(violation)) => {
            let violation = violation.only_needed(model, operations, limits);
            Outcome::NotLinearizable(violation.into_contradiction())
        }
        Ok(Answer::NotMine) => search::check(model, operations, limits),
        Err(exceeded) => {
            let completions = operations.iter().filter(|operation| operation.returned.is_some()).count();
            Outcome::Unknown(Unknown { exceeded, ordered: 0, completions, next: None })
        }
    }
}

/// The place where an operation completed, behind everything if it did not.
fn returned<I, O>(operation: &Operation<I, O>) -> u32 {
    operation.returned.unwrap_or(u32::MAX)
}

/// An event of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Invoked(usize),
    Returned(usize),
}

/// The events of the operations as they happened.
fn events<I, O>(operations: &[Operation<I, O>], budget: &mut Budget<'_>) -> Result<Vec<Event>, Exceeded> {
    budget.spend(operations.len() as u64)?;
    budget.allocate((2 * operations.len() * size_of::<(u32, Event)>()) as u64)?;
    let mut placed: Vec<(u32, Event)> = Vec::with_capacity(2 * operations.len());
    for (number, operation) in operations.iter().enumerate() {
        placed.push((operation.invoked, Event::Invoked(number)));
        placed.extend(operation.returned.map(|returned| (returned, Event::Returned(number))));
    }
    sort_by_key(budget, &mut placed, |(place, _)| *place)?;
    Ok(placed.into_iter().map(|(_, event)| event).collect())
}

//! From a history to the operations on one object, and from a contradiction back to the history: what is said of it.

use super::{Contradiction, Next, Outcome, refused};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::certificate::{NotIssued, ObjectOrder};
use crate::explain::{self, Scene, alternatives};
use crate::history::{Datum, History, Moment, OperationId, Symbol};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::{Model, Operation, OperationOf};

/// The most operations that are shown of a contradiction. There are more only if shrinking was cut short.
const SHOWN_MAX: usize = 12;

/// The operations on one object, with the operations of the history that they stand for, in the same order.
#[derive(Debug)]
pub(super) struct Timed<M: Model> {
    pub(super) operations: Vec<OperationOf<M>>,
    pub(super) ids: Vec<OperationId>,
}

impl<M: Model> Timed<M> {
    pub(super) fn new() -> Self {
        Timed { operations: Vec::new(), ids: Vec::new() }
    }

    /// Adds an operation of the history. If it did not succeed, `output` is what its failure proves; without one,
    /// nobody knows whether it happened.
    pub(super) fn push(
        &mut self,
        history: &History,
        id: OperationId,
        input: M::Input,
        output: Option<M::Output>,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        let operation = history.operation(id);
        let returned = operation.completed.filter(|_| output.is_some()).map(|completed| completed.index);
        let operation = Operation { input, output, invoked: operation.invoked.index, returned };
        budget.push(&mut self.operations, operation)?;
        budget.push(&mut self.ids, id)
    }

    /// The order that was found of them, by the operations of the history.
    pub(super) fn order(
        &self,
        history: &History,
        key: Option<Symbol>,
        outcome: Outcome,
    ) -> Result<ObjectOrder, NotIssued> {
        let no_order = |why: String| {
            let key = key.map_or("", |key| history.text(key)).to_owned();
            Err(NotIssued::NoOrder { key, why })
        };
        match outcome {
            Outcome::Linearizable(order) => {
                let order = order.iter().map(|position| self.ids[*position]).collect();
                Ok(ObjectOrder { key, part: Datum::Nil, order })
            }
            Outcome::NotLinearizable(_) => no_order("it is not linearizable".to_owned()),
            Outcome::Unknown(unknown) => no_order(unknown.exceeded.to_string()),
        }
    }

    /// The operations of a contradiction that are shown: the last of them, should they be many.
    pub(super) fn shown(&self, contradiction: &Contradiction) -> Vec<OperationId> {
        let mut positions = contradiction.operations.clone();
        positions.sort_unstable_by_key(|position| self.operations[*position].returned);
        let hidden = positions.len().saturating_sub(SHOWN_MAX);
        positions[hidden..].iter().map(|position| self.ids[*position]).collect()
    }
}

/// The same anomaly of an object whose operations are `timed`, with the reasons for which none of them can come next.
pub(super) fn with_reasons<M: Model>(
    anomaly: Anomaly,
    history: &History,
    model: &M,
    timed: &Timed<M>,
    contradiction: &Contradiction,
) -> Anomaly {
    let refused = refused(model, &timed.operations, contradiction, &Limits::none());
    let index = |position: usize| history.operation(timed.ids[position]).invoked.index;
    let refused = refused.into_iter().map(|(position, why)| (index(position), why));
    let suspect = timed.ids[contradiction.blocked];
    anomaly.with_suspect(history, suspect).with_refusals(refused)
}

/// An operation as a sentence names it: `` `write x 2: ok` of client 3 ``.
pub(super) fn name(history: &History, key: Option<Symbol>, id: OperationId) -> String {
    let operation = history.operation(id);
    let what = explain::operation_about(history, operation, key);
    format!("`{what}` of {}", explain::client(history, operation))
}

/// An anomaly that is proven by the operations `proof`; `context` is worth showing beside them.
pub(super) fn anomaly(
    kind: AnomalyKind,
    history: &History,
    key: Option<Symbol>,
    proof: &[OperationId],
    context: &[OperationId],
    sentence: String,
) -> Anomaly {
    let anomaly = Anomaly::of_scene(kind, &Scene::with_context(history, key, proof, context), sentence);
    let &[one, other] = proof else { return anomaly };
    match apart(history, one, other).or_else(|| apart(history, other, one)) {
        Some((end, begin)) => anomaly.with_margin(end, begin),
        None => anomaly,
    }
}

/// The end of one operation and the beginning of the other, if the other one came after it.
fn apart(history: &History, one: OperationId, other: OperationId) -> Option<(Moment, Moment)> {
    let (one, other) = (history.operation(one), history.operation(other));
    one.completed.filter(|_| one.returned_before(other.invoked)).map(|end| (end, other.invoked))
}

/// Which one came after which, if one did: `b began at 5.020 s, after a had completed at 5.013 s`.
pub(super) fn after(
    history: &History,
    key: Option<Symbol>,
    a: OperationId,
    b: OperationId,
) -> Option<String> {
    let (completed, began) = apart(history, a, b)?;
    let scene = Scene::new(history, key, &[a, b]);
    Some(format!(
        "{} began at {}, after {} had completed at {}",
        name(history, key, b),
        scene.at(began),
        name(history, key, a),
        scene.at(completed)
    ))
}

/// What comes next where a search ended, behind what is said of how far it came.
pub(super) fn next(history: &History, key: Option<Symbol>, ids: &[OperationId], next: &Next) -> String {
    let id = ids[next.operation];
    let at = history
        .operation(id)
        .completed
        .map_or(String::new(), |completed| format!(", at {}", explain::seconds(completed.time)));
    let why = match alternatives(&next.refusals) {
        why if why.is_empty() => String::new(),
        why => format!("; in the orders that came so far, {why}"),
    };
    format!("; the next to complete is {}{at}{why}", name(history, key, id))
}

/// The sentence about a contradiction of no simpler form.
pub(super) fn no_order(
    history: &History,
    key: Option<Symbol>,
    ids: &[OperationId],
    contradiction: &Contradiction,
) -> String {
    let blocked = name(history, key, ids[contradiction.blocked]);
    let count = contradiction.operations.len();
    let begin = if count == 1 { blocked.clone() } else { format!("these {count} operations") };
    let why = alternatives(&contradiction.refusals);
    let sentence = match (count, why.is_empty()) {
        (_, true) => format!("{begin} cannot be explained by any order"),
        (1, false) => format!("{begin} cannot be explained by any order: {why}"),
        (_, false) => format!("{begin} cannot be explained by any order: {blocked} cannot follow, as {why}"),
    };
    match contradiction.cut_short {
        None => sentence,
        Some(exceeded) => format!("{sentence} ({exceeded} before it was known which of them it takes)"),
    }
}

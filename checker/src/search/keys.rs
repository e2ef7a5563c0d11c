//! From a history to the operations on one object, and from a contradiction back to the history: what is said of it.

use super::{Contradiction, Outcome};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::certificate::{NotIssued, ObjectOrder};
use crate::explain::{self, Scene};
use crate::history::{History, Moment, OperationId, Symbol};
use crate::limits::{Budget, Exceeded};
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
                Ok(ObjectOrder { key, order: order.iter().map(|position| self.ids[*position]).collect() })
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
    let anomaly = Anomaly::of_scene(kind, &Scene::new(history, key, &[proof, context].concat()), sentence);
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

/// Sentences as one: `a read here must return 1 or 2` if only their last words differ.
fn alternatives(sentences: &[String]) -> String {
    let split: Option<Vec<(&str, &str)>> =
        sentences.iter().map(|sentence| sentence.rsplit_once(' ')).collect();
    match split.as_deref() {
        Some(parts @ [(begin, _), ..]) if parts.iter().all(|(other, _)| other == begin) => {
            let ends: Vec<&str> = parts.iter().map(|(_, end)| *end).collect();
            format!("{begin} {}", ends.join(" or "))
        }
        _ => sentences.join(", or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_repeat_only_what_differs() {
        let said = |sentences: &[&str]| {
            alternatives(&sentences.iter().map(|sentence| (*sentence).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(said(&["it must be 1", "it must be 2", "it must be 3"]), "it must be 1 or 2 or 3");
        assert_eq!(said(&["it is 1, not 2", "it is 3, not 2"]), "it is 1, not 2, or it is 3, not 2");
        assert_eq!((said(&["it is so"]), said(&[])), ("it is so".to_owned(), String::new()));
    }
}

//! Contradictions of a model that is not this crate's, for people.

use serde_json::Value;

use super::{Anomaly, AnomalyKind, Witness};
use crate::explain::{letter, look_at, printable};
use crate::limits::Limits;
use crate::model::{Model, OperationOf};
use crate::search::{Contradiction, refused};

/// An operation as its history tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Who did it: each client has a lane of its own in the drawing.
    pub client: u64,
    /// What was asked and answered: `take a ticket: 2`.
    pub text: String,
    /// When it was invoked, in ns.
    pub invoked: u64,
    /// When it was answered, in ns.
    pub completed: Option<u64>,
}

impl Anomaly {
    /// Explains a contradiction that [`search::check`](crate::search::check) found among operations on the object `key`.
    /// `tell` says of an operation, by its position, what happened.
    #[must_use]
    pub fn of_contradiction<M: Model>(
        model: &M,
        operations: &[OperationOf<M>],
        contradiction: &Contradiction,
        key: &str,
        tell: impl Fn(usize) -> Told,
    ) -> Self {
        let mut positions = contradiction.operations.clone();
        positions.sort_unstable_by_key(|position| operations[*position].invoked);
        let witness = |(place, position): (usize, &usize)| {
            let (told, timed) = (tell(*position), &operations[*position]);
            Witness {
                label: letter(place),
                index: timed.invoked,
                completed_index: timed.returned,
                process: told.client,
                node: None,
                f: String::new(),
                key: Some(key.to_owned()),
                value: Value::Null,
                r#type: if timed.returned.is_some() { "ok" } else { "info" }.to_owned(),
                result: Value::Null,
                error: None,
                invoked: told.invoked,
                completed: told.completed,
                text: printable(&told.text).into_owned(),
                context: false,
            }
        };
        let shown: Vec<Witness> = positions.iter().enumerate().map(witness).collect();
        let blocked = positions.iter().position(|position| *position == contradiction.blocked).unwrap_or(0);
        let sentence = match shown.len() {
            1 => "no order of the operations explains this one".to_owned(),
            count => format!(
                "no order of the operations explains these {count}, wherever the others come: `{}` of {} cannot follow",
                shown[blocked].text,
                shown[blocked].client()
            ),
        };
        let kind = AnomalyKind::NotLinearizable;
        let mut anomaly =
            Anomaly { key: Some(key.to_owned()), operations: shown, ..Anomaly::bare(kind, sentence) };
        anomaly.look_at = look_at(&anomaly, blocked);
        let reasons = refused(model, operations, contradiction, &Limits::none());
        let reasons = reasons.into_iter().map(|(position, why)| (operations[position].invoked, why));
        anomaly.with_refusals(reasons).finish()
    }
}

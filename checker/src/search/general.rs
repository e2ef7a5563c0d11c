//! General objects of a history, each judged by the model that was chosen for them.
//!
//! An [`Adapter`] says what an operation of the history is in the words of a model. The operations are sorted by their
//! objects; a [decider](crate::direct) judges each object if it can, else the [search](crate::search); and what was
//! found is told in the words of the history.

mod lists;
#[cfg(test)]
mod mutations;
mod numbers;
mod tell;
#[cfg(test)]
mod tests;
mod texts;
mod values;

use std::collections::BTreeMap;

pub(crate) use lists::{What, is_answered, only_key, parts};
pub(crate) use texts::text;

use super::keys::Timed;
use super::objects::{Judged, judge_all};
use super::{Contradiction, Outcome, check_counted};
use crate::direct::Answer;
use crate::findings::Findings;
use crate::fitting::ModelName;
use crate::history::{Datum, History, Operation, OperationId, Symbol};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::register::Semantics;
use crate::model::{Model, OperationOf};

/// Judges the operations that are `wanted`, each object by itself, as `model` has it; `None` if that is no model of
/// general objects.
pub(crate) fn general(
    history: &History,
    model: ModelName,
    semantics: Semantics,
    wanted: impl Fn(&Operation) -> bool,
    limits: &Limits<'_>,
) -> Option<Findings> {
    let mut budget = Budget::new(limits);
    let objects = match sort(history, model, wanted, &mut budget) {
        Ok(objects) => objects,
        Err(exceeded) => {
            return Some(Findings::doubt(format!(
                "{exceeded} before any object of the {model} model was judged"
            )));
        }
    };
    Some(match model {
        ModelName::Counter => judge(history, &objects, &numbers::Counters::new(semantics), limits),
        ModelName::Marks => judge(history, &objects, &numbers::Marks::new(semantics), limits),
        ModelName::Mutex => judge(history, &objects, &numbers::Locks { semantics }, limits),
        ModelName::Queue => judge(history, &objects, &values::Queues::new(history, semantics), limits),
        ModelName::Set => judge(history, &objects, &values::Sets::new(history, semantics), limits),
        ModelName::Kv => judge(history, &objects, &texts::Entries::new(history, semantics), limits),
        ModelName::ListAppend => judge(history, &objects, &lists::Lists::new(history, semantics), limits),
        ModelName::MultiRegister => {
            judge(history, &objects, &lists::MultiRegisters::new(history, semantics), limits)
        }
        ModelName::Register | ModelName::CasRegister | ModelName::Conversation | ModelName::Accounts => {
            return None;
        }
    })
}

/// What a model's operations are in a history.
trait Adapter<'h>: Sync {
    /// The model.
    type Model: Model;

    /// The object.
    fn model(&self) -> &Self::Model;

    /// What an operation is in the words of the model: nothing if it certainly did not happen and proves nothing, and
    /// several if it is made of several. Without an answer, nobody knows whether it happened.
    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, Self::Model>);

    /// A decider that needs no search.
    fn decide(
        &self,
        _operations: &[OperationOf<Self::Model>],
        _limits: &Limits<'_>,
        _budget: &mut Budget<'_>,
    ) -> Result<Answer, Exceeded> {
        Ok(Answer::NotMine)
    }

    /// A search, and the most memory it used. A contradiction that is not `told` is not made smaller.
    fn search(
        &self,
        operations: &[OperationOf<Self::Model>],
        told: bool,
        limits: &Limits<'_>,
    ) -> (Outcome, u64) {
        check_counted(self.model(), operations, told, limits)
    }

    /// Whether an operation would have made `value` visible, had it happened.
    fn makes(&self, operation: &Operation, value: Datum) -> bool {
        operation.input.argument() == value
    }

    /// A value that an answer shows and that somebody must have made.
    fn shows(&self, _operation: &OperationOf<Self::Model>) -> Vec<Datum> {
        Vec::new()
    }
}

/// Takes an operation in the words of a model.
type Push<'a, M> = dyn FnMut(<M as Model>::Input, Option<<M as Model>::Output>) + 'a;

/// One object, and the operations on it.
struct Object {
    key: Option<Symbol>,
    ids: Vec<OperationId>,
}

/// Sorts operations by their objects: the key of the operation and, if transactions name it, that of their parts.
fn sort(
    history: &History,
    model: ModelName,
    wanted: impl Fn(&Operation) -> bool,
    budget: &mut Budget<'_>,
) -> Result<Vec<Object>, Exceeded> {
    let mut objects: BTreeMap<(Option<Symbol>, Datum), Vec<OperationId>> = BTreeMap::new();
    for id in history.ids() {
        budget.tick()?;
        let operation = history.operation(id);
        if wanted(operation) {
            let part = match model {
                ModelName::ListAppend => lists::only_key(history, operation),
                _ => None,
            };
            budget.allocate(2 * size_of::<OperationId>() as u64)?;
            objects.entry((operation.key, part.unwrap_or_default())).or_default().push(id);
        }
    }
    let name = |part: Datum| history.symbols.find(&part.key_text(&history.symbols));
    Ok(objects
        .into_iter()
        .map(|((key, part), ids)| Object { key: key.or_else(|| name(part)), ids })
        .collect())
}

fn judge<'h, A: Adapter<'h>>(
    history: &'h History,
    objects: &[Object],
    adapter: &A,
    limits: &Limits<'_>,
) -> Findings {
    let judge = |number: usize, told: bool| {
        let object = &objects[number];
        let mut budget = Budget::new(limits);
        let timed = match timed(history, &object.ids, adapter, &mut budget) {
            Ok(timed) => timed,
            Err(exceeded) => return Judged::unknown(exceeded),
        };
        let (outcome, violation) = match adapter.decide(&timed.operations, limits, &mut budget) {
            Ok(Answer::Order(order)) => ((Outcome::Linearizable(order), budget.peak()), None),
            Ok(Answer::Violation(violation)) => {
                let contradiction = violation.clone().into_contradiction();
                ((Outcome::NotLinearizable(contradiction), budget.peak()), Some(violation))
            }
            // The search says how far it came.
            Ok(Answer::NotMine) | Err(Exceeded::Steps(_)) => {
                (adapter.search(&timed.operations, told, limits), None)
            }
            Err(exceeded) => return Judged::unknown(exceeded),
        };
        let told_of = tell::Told { history, key: object.key, ids: &object.ids, timed: &timed, adapter };
        Judged::of(outcome, told, |contradiction: &Contradiction| match violation {
            Some(violation) => told_of.violation(violation),
            None => told_of.contradiction(contradiction),
        })
    };
    let name = |number: usize| objects[number].key.map_or("", |key| history.text(key));
    let operations = objects.iter().map(|object| object.ids.len() as u64).sum();
    Findings { operations, ..judge_all(objects.len(), judge, name) }
}

fn timed<'h, A: Adapter<'h>>(
    history: &'h History,
    ids: &[OperationId],
    adapter: &A,
    budget: &mut Budget<'_>,
) -> Result<Timed<A::Model>, Exceeded> {
    let mut timed = Timed::new();
    for id in ids {
        budget.tick()?;
        let mut full = Ok(());
        adapter.translate(history.operation(*id), &mut |input, output| {
            if full.is_ok() {
                full = timed.push(history, *id, input, output, budget);
            }
        });
        full?;
    }
    Ok(timed)
}

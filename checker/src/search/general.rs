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

pub(crate) use texts::text;

use super::keys::{self, Timed};
use super::objects::{Judged, judge_all};
use super::{Contradiction, Outcome, check_counted};
use crate::certificate::{NotIssued, ObjectOrder};
use crate::direct::{Answer, Violation};
use crate::findings::Findings;
use crate::fitting::ModelName;
use crate::history::transaction::only_key;
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
    with_adapter(history, model, semantics, Judging { history, objects: &objects, limits })
}

/// An order of the operations on each of these objects; `None` if `model` is no model of general objects.
pub(crate) fn general_orders(
    history: &History,
    model: ModelName,
    semantics: Semantics,
    wanted: impl Fn(&Operation) -> bool,
    limits: &Limits<'_>,
) -> Option<Result<Vec<ObjectOrder>, NotIssued>> {
    let objects = match sort(history, model, wanted, &mut Budget::new(limits)) {
        Ok(objects) => objects,
        Err(exceeded) => {
            let key = "all objects".to_owned();
            return Some(Err(NotIssued::NoOrder { key, why: exceeded.to_string() }));
        }
    };
    with_adapter(history, model, semantics, Ordering { history, objects: &objects, limits })
}

/// What is done with all objects, once it is known how their operations are read.
trait Task<'h> {
    type Result;

    fn run<A: Adapter<'h>>(self, adapter: &A) -> Self::Result;
}

/// Does something with the adapter of a model; `None` if that is no model of general objects.
fn with_adapter<'h, T: Task<'h>>(
    history: &'h History,
    model: ModelName,
    semantics: Semantics,
    task: T,
) -> Option<T::Result> {
    Some(match model {
        ModelName::Counter => task.run(&numbers::Counters::new(semantics)),
        ModelName::Marks => task.run(&numbers::Marks::new(semantics)),
        ModelName::Mutex => task.run(&numbers::Locks { semantics }),
        ModelName::Queue => task.run(&values::Queues::new(history, semantics)),
        ModelName::Set => task.run(&values::Sets::new(history, semantics)),
        ModelName::Kv => task.run(&texts::Entries::new(history, semantics)),
        ModelName::ListAppend => task.run(&lists::Lists::new(history, semantics)),
        ModelName::MultiRegister => task.run(&lists::MultiRegisters::new(history, semantics)),
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

    /// What is wrong, where the contradiction that the search found has a shape of this model.
    fn recognize(
        &self,
        _told: &tell::Told<'_, 'h, Self>,
        _contradiction: &Contradiction,
    ) -> Option<tell::Shape>
    where
        Self: Sized,
    {
        None
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
    /// The list that transactions name, nil if none does.
    part: Datum,
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
                ModelName::ListAppend => only_key(history, operation),
                _ => None,
            };
            budget.allocate(2 * size_of::<OperationId>() as u64)?;
            objects.entry((operation.key, part.unwrap_or_default())).or_default().push(id);
        }
    }
    Ok(objects.into_iter().map(|((key, part), ids)| Object { key, part, ids }).collect())
}

impl Object {
    /// What it is called, if that is a name of the history.
    fn name(&self, history: &History) -> Option<Symbol> {
        self.key.or_else(|| history.symbols.find(&self.part.key_text(&history.symbols)))
    }
}

/// Judges the objects.
struct Judging<'h, 'a> {
    history: &'h History,
    objects: &'a [Object],
    limits: &'a Limits<'a>,
}

impl<'h> Task<'h> for Judging<'h, '_> {
    type Result = Findings;

    fn run<A: Adapter<'h>>(self, adapter: &A) -> Findings {
        let Judging { history, objects, limits } = self;
        let judge = |number: usize, told: bool| {
            let object = &objects[number];
            let mut budget = Budget::new(limits);
            let timed = match timed(history, &object.ids, adapter, &mut budget) {
                Ok(timed) => timed,
                Err(exceeded) => return Judged::unknown(exceeded),
            };
            let (outcome, violation) = match decide(adapter, &timed, told, limits, &mut budget) {
                Ok(decided) => decided,
                Err(exceeded) => return Judged::unknown(exceeded),
            };
            let key = object.name(history);
            let told_of = tell::Told { history, key, ids: &object.ids, timed: &timed, adapter };
            let explain = |contradiction: &Contradiction| match violation {
                Some(violation) => told_of.violation(violation),
                None => told_of.contradiction(contradiction),
            };
            Judged::of(outcome, told, explain, |next| keys::next(history, key, &timed.ids, next))
        };
        let name = |number: usize| objects[number].name(history).map_or("", |key| history.text(key));
        let operations = objects.iter().map(|object| object.ids.len() as u64).sum();
        Findings { operations, ..judge_all(objects.len(), judge, name) }
    }
}

/// Finds an order for each object.
struct Ordering<'h, 'a> {
    history: &'h History,
    objects: &'a [Object],
    limits: &'a Limits<'a>,
}

impl<'h> Task<'h> for Ordering<'h, '_> {
    type Result = Result<Vec<ObjectOrder>, NotIssued>;

    fn run<A: Adapter<'h>>(self, adapter: &A) -> Self::Result {
        let Ordering { history, objects, limits } = self;
        let order = |object: &Object| {
            let mut budget = Budget::new(limits);
            let timed = timed(history, &object.ids, adapter, &mut budget);
            let outcome = timed.and_then(|timed| {
                let ((outcome, _), _) = decide(adapter, &timed, false, limits, &mut budget)?;
                Ok((timed, outcome))
            });
            match outcome {
                Ok((timed, outcome)) => {
                    let found = timed.order(history, object.name(history), outcome)?;
                    Ok(ObjectOrder { key: object.key, part: object.part, ..found })
                }
                Err(exceeded) => {
                    let key = object.name(history).map_or("", |key| history.text(key)).to_owned();
                    Err(NotIssued::NoOrder { key, why: exceeded.to_string() })
                }
            }
        };
        objects.iter().map(order).collect()
    }
}

/// What the operations on one object come to, the most memory that it took, and what a decider found wrong: by a decider
/// that needs no search if it can, else by the search.
fn decide<'h, A: Adapter<'h>>(
    adapter: &A,
    timed: &Timed<A::Model>,
    told: bool,
    limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Result<((Outcome, u64), Option<Violation>), Exceeded> {
    Ok(match adapter.decide(&timed.operations, limits, budget) {
        Ok(Answer::Order(order)) => ((Outcome::Linearizable(order), budget.peak()), None),
        Ok(Answer::Violation(violation)) => {
            let violation = match told {
                true => violation.only_needed(adapter.model(), &timed.operations, limits),
                false => violation,
            };
            let contradiction = violation.clone().into_contradiction();
            ((Outcome::NotLinearizable(contradiction), budget.peak()), Some(violation))
        }
        // The search says how far it came.
        Ok(Answer::NotMine) | Err(Exceeded::Steps(_)) => {
            (adapter.search(&timed.operations, told, limits), None)
        }
        Err(exceeded) => return Err(exceeded),
    })
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

//! The registers of a history, each judged by itself.

mod decide;
mod machine;
#[cfg(test)]
mod tests;
mod unique;

use std::collections::{BTreeSet, HashSet};

use decide::check_register_counted;
pub use decide::{check_register, decide_register};

use unique::spoken_of;

use super::Contradiction;
use super::keys::{self, Timed, after, name, no_order};
use super::objects::{Judged, Objects, judge_all};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::certificate::{NotIssued, ObjectOrder};
use crate::findings::Findings;
use crate::history::{Datum, History, Input, Object, Operation, OperationId, Outcome, Output, Symbol};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::register::{self, FailedCas, Initially, NilRead, Register, Semantics, Value};

/// The most operations that are shown beside those that contradict each other.
const CONTEXT_MAX: usize = 2;

/// Judges the registers of a history: the reads without a range, the writes and the cas. Those on objects which are also
/// asked for what no register knows are left out: whoever asks for that may change what is read.
#[must_use]
pub fn register(history: &History, semantics: Semantics, limits: &Limits<'_>) -> Findings {
    let mut budget = Budget::new(limits);
    let strange = match strange(history, &mut budget) {
        Ok(strange) => strange,
        Err(exceeded) => return Findings::doubt(format!("{exceeded} before any register was judged")),
    };
    let is_register = |operation: &Operation| {
        operation.input.object() == Object::Register && !strange.contains(&operation.key)
    };
    let objects = match Objects::of(history, is_register, &mut budget) {
        Ok(objects) => objects,
        Err(exceeded) => return Findings::doubt(format!("{exceeded} before any register was judged")),
    };
    let judge = |number: usize, told: bool| {
        let (key, ids) = objects.get(number);
        let mut budget = Budget::new(limits);
        let timed = match timed(history, ids, semantics, &mut budget) {
            Ok(timed) => timed,
            Err(exceeded) => return Judged::unknown(exceeded),
        };
        let values = initial_values(&timed, semantics.initially);
        let model = Register::new(&history.symbols, semantics.nil_read).starting_with(&values);
        let explain = |contradiction: &Contradiction| {
            Explanation { history, key, ids, timed: &timed, model }.anomaly(contradiction)
        };
        let outcome = check_register_counted(&model, &timed.operations, told, limits);
        Judged::of(outcome, told, explain, |next| keys::next(history, key, &timed.ids, next))
    };
    let name = |number: usize| objects.get(number).0.map_or("", |key| history.text(key));
    Findings { operations: objects.operations(), ..judge_all(objects.len(), judge, name) }
}

/// The objects that are asked for what no register knows.
fn strange(history: &History, budget: &mut Budget<'_>) -> Result<HashSet<Option<Symbol>>, Exceeded> {
    let mut strange = HashSet::new();
    for operation in history.operations() {
        budget.tick()?;
        if matches!(operation.input.object(), Object::General | Object::Unknown) {
            budget.room_in_set(&mut strange)?;
            strange.insert(operation.key);
        }
    }
    Ok(strange)
}

/// An order of the operations on each register.
pub(crate) fn register_orders(
    history: &History,
    semantics: Semantics,
    limits: &Limits<'_>,
) -> Result<Vec<ObjectOrder>, NotIssued> {
    let whole = |why: Exceeded| NotIssued::NoOrder { key: "all registers".to_owned(), why: why.to_string() };
    let mut budget = Budget::new(limits);
    let is_register = |operation: &Operation| operation.input.object() == Object::Register;
    let objects = Objects::of(history, is_register, &mut budget).map_err(whole)?;
    let order = |number: usize| {
        let (key, ids) = objects.get(number);
        let mut budget = Budget::new(limits);
        let timed = timed(history, ids, semantics, &mut budget).map_err(whole)?;
        let values = initial_values(&timed, semantics.initially);
        let model = Register::new(&history.symbols, semantics.nil_read).starting_with(&values);
        timed.order(history, key, check_register(&model, &timed.operations, limits))
    };
    (0..objects.len()).map(order).collect()
}

/// What is known of one register.
fn timed<'h>(
    history: &'h History,
    ids: &[OperationId],
    semantics: Semantics,
    budget: &mut Budget<'_>,
) -> Result<Timed<Register<'h>>, Exceeded> {
    let mut timed = Timed::new();
    for id in ids {
        budget.tick()?;
        if let Some((input, output)) = translate(history, *id, semantics) {
            timed.push(history, *id, input, output, budget)?;
        }
    }
    Ok(timed)
}

/// An operation in the words of the model; `None` if it certainly did not happen and proves nothing.
fn translate(
    history: &History,
    id: OperationId,
    semantics: Semantics,
) -> Option<(register::Input, Option<register::Output>)> {
    let operation = history.operation(id);
    let input = match operation.input {
        Input::Get => register::Input::Read,
        Input::Write { value } => register::Input::Write(value),
        Input::Cas { from, to } => register::Input::Cas { from, to },
        _ => return None,
    };
    let output = match (&operation.outcome, input) {
        (Outcome::Info(_), _) => None,
        (Outcome::Ok(Output::Value { value: Datum::Nil }), _) if semantics.nil_read == NilRead::Initial => {
            Some(register::Output::Value(semantics.initially.value()))
        }
        (Outcome::Ok(Output::Value { value }), _) => Some(register::Output::Value(*value)),
        (Outcome::Ok(_), _) => Some(register::Output::Done),
        (Outcome::Fail(None), register::Input::Cas { .. })
            if semantics.failed_cas == FailedCas::ValueDiffered =>
        {
            Some(register::Output::Differed)
        }
        (Outcome::Fail(Some(error)), register::Input::Cas { .. }) if says_conflict(history.text(*error)) => {
            Some(register::Output::Differed)
        }
        (Outcome::Fail(_), _) => return None,
    };
    Some((input, output))
}

/// What the register may hold at the start.
fn initial_values(timed: &Timed<Register<'_>>, initially: Initially) -> Vec<Value> {
    let spoken_of = timed.operations.iter().flat_map(spoken_of);
    let mut all: BTreeSet<Value> = match initially {
        Initially::Nil | Initially::Value(_) => BTreeSet::from([initially.value()]),
        Initially::Unknown => [Datum::Nil].into_iter().chain(spoken_of).collect(),
    };
    // A cas may have seen a value that no operation speaks of.
    let differed = |operation: &crate::model::OperationOf<Register<'_>>| {
        operation.output == Some(register::Output::Differed)
    };
    if initially == Initially::Unknown && timed.operations.iter().any(differed) {
        all.extend((0..).map(Datum::Int).find(|other| !all.contains(other)));
    }
    all.into_iter().collect()
}

/// Whether the error's code says that the value was another one.
fn says_conflict(error: &str) -> bool {
    error.split(':').next() == Some("conflict")
}

/// What is needed to tell a person about a register that is not linearizable.
struct Explanation<'a> {
    history: &'a History,
    key: Option<Symbol>,
    /// All operations on this register.
    ids: &'a [OperationId],
    timed: &'a Timed<Register<'a>>,
    model: Register<'a>,
}

impl Explanation<'_> {
    fn anomaly(&self, contradiction: &Contradiction) -> Anomaly {
        let shown = self.timed.shown(contradiction);
        let (kind, context, sentence) = self.sharper(contradiction, &shown).unwrap_or_else(|| {
            let sentence = no_order(self.history, self.key, &self.timed.ids, contradiction);
            (AnomalyKind::NotLinearizable, Vec::new(), sentence)
        });
        let anomaly = keys::anomaly(kind, self.history, self.key, &shown, &context, sentence);
        keys::with_reasons(anomaly, self.history, &self.model, self.timed, contradiction)
    }

    /// The kind, the operations worth showing beside, and the sentence, if the contradiction has a known shape.
    fn sharper(
        &self,
        contradiction: &Contradiction,
        shown: &[OperationId],
    ) -> Option<(AnomalyKind, Vec<OperationId>, String)> {
        if let Some((one, other, text)) = self.lost_update(contradiction) {
            let beside = [one, other].into_iter().filter(|id| !shown.contains(id)).collect();
            let [one, other] = [one, other].map(|id| name(self.history, self.key, id));
            let sentence = format!("{one} and {other} both replaced {text}, which was there only once");
            return Some((AnomalyKind::LostUpdate, beside, sentence));
        }
        let blocked = self.timed.ids[contradiction.blocked];
        let operation = &self.timed.operations[contradiction.blocked];
        let value = match (operation.input, operation.output) {
            (register::Input::Read, Some(register::Output::Value(value))) => value,
            (register::Input::Cas { from, .. }, Some(register::Output::Done)) => from,
            _ => return None,
        };
        let text = self.model.text(value);
        let blocked_name = name(self.history, self.key, blocked);
        let (failed, possible): (Vec<OperationId>, Vec<OperationId>) = self
            .writers(value)
            .partition(|id| matches!(self.history.operation(*id).outcome, Outcome::Fail(_)));
        let end = self.history.operation(blocked).completed?.index;
        let (in_time, late): (Vec<OperationId>, Vec<OperationId>) =
            possible.into_iter().partition(|id| self.history.operation(*id).invoked.index < end);
        // A register is nil before anybody writes it.
        if in_time.is_empty() && value != Datum::Nil {
            return Some(match (failed.first(), late.first()) {
                (Some(_), _) => {
                    let sentence =
                        format!("{blocked_name} saw {text}, which only operations that failed wrote");
                    (AnomalyKind::AbortedRead, failed.into_iter().take(CONTEXT_MAX).collect(), sentence)
                }
                (None, Some(first)) => {
                    let sentence = format!(
                        "{blocked_name} saw {text} before {} was the first to write it",
                        name(self.history, self.key, *first)
                    );
                    (AnomalyKind::Phantom, vec![*first], sentence)
                }
                (None, None) => (
                    AnomalyKind::Phantom,
                    vec![],
                    format!("{blocked_name} saw {text}, which nobody ever wrote"),
                ),
            });
        }
        // Everything else was over when it began.
        let others = shown.iter().copied().filter(|id| *id != blocked);
        let last = others.clone().max_by_key(|id| self.history.operation(*id).completed)?;
        let begin = self.history.operation(blocked).invoked;
        if !others.clone().all(|id| self.history.operation(id).returned_before(begin)) {
            return None;
        }
        let order = after(self.history, self.key, last, blocked)?;
        let sentence = match others.count() {
            1 => format!("{order}, and nothing could set it to {text} after that"),
            count => format!("{order}, and after these {count} operations nothing could set it to {text}"),
        };
        // The last to write the old value, so that one sees where it came from.
        Some((AnomalyKind::StaleRead, in_time.last().copied().into_iter().collect(), sentence))
    }

    /// Two compare-and-set, one of which is part of the contradiction, that replaced a value which was there only once,
    /// and its text.
    fn lost_update(&self, contradiction: &Contradiction) -> Option<(OperationId, OperationId, String)> {
        let replaced = |position: usize| {
            let operation = &self.timed.operations[position];
            match (operation.input, operation.output) {
                (register::Input::Cas { from, to }, Some(register::Output::Done)) if from != to => Some(from),
                _ => None,
            }
        };
        let all = 0..self.timed.operations.len();
        let (one, other, value) = contradiction.operations.iter().find_map(|one| {
            let value = replaced(*one)?;
            let other = all.clone().find(|other| other != one && replaced(*other) == Some(value))?;
            Some((*one.min(&other), *one.max(&other), value))
        })?;
        let failed = |id: &OperationId| matches!(self.history.operation(*id).outcome, Outcome::Fail(_));
        let made = self.writers(value).filter(|id| !failed(id)).count();
        let times = made + usize::from(self.model.initial_values().contains(&value));
        (times == 1).then(|| (self.timed.ids[one], self.timed.ids[other], self.model.text(value)))
    }

    /// The operations that would set the register to `value`, by invocation.
    fn writers(&self, value: Value) -> impl Iterator<Item = OperationId> {
        self.ids.iter().copied().filter(move |id| match self.history.operation(*id).input {
            Input::Write { value: to } | Input::Cas { to, .. } => to == value,
            _ => false,
        })
    }
}

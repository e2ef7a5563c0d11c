//! Following a certificate: each operation in its turn, with the answer it had.
//!
//! Nothing here searches, and nothing is shared with the deciders but the sequential objects of a chat and the words of
//! transactions; what operations on other objects mean is written down here a second time. Three things are looked at:
//! - the *order agrees with real time*: nothing comes after an operation that was invoked only when it had completed;
//! - each *answer fits* what the object is at that point;
//! - *nothing is missing*: each operation of the history is in the order of its object, unless it failed or nobody knows
//!   whether it happened.

mod general;
mod object;

use std::collections::{BTreeMap, BTreeSet};

use object::{Meaning, Replica};
use thiserror::Error;

use super::issue::{Name, by_object};
use super::{Certificate, Kind, Sequence};
use crate::explain;
use crate::history::{Datum, History, Input, Operation, OperationId, Output, Symbol};
use crate::limits::{Budget, Exceeded, Limits, STEPS_PER_QUESTION};
use crate::model::register::Semantics;

/// The first thing about a certificate that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Refused {
    /// The line of the certificate, if it is about one.
    pub line: Option<usize>,
    /// The event of the history that invoked the operation, if it is about one.
    pub index: Option<u32>,
    /// What does not fit.
    pub message: String,
}

/// Why a certificate was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAccepted {
    /// It does not fit.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A limit was hit before it was followed to its end.
    #[error("{0} before the certificate was followed to its end")]
    Exceeded(#[from] Exceeded),
}

/// What a certificate that was accepted covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// The objects.
    pub objects: u64,
    /// The operations that are in an order.
    pub ordered: u64,
    /// The operations that are left out.
    pub left_out: u64,
}

/// Follows the certificate. `semantics` is its [reading](Certificate::reading) in terms of the history.
///
/// # Errors
/// [`NotAccepted`], which names the first operation that does not fit.
pub fn replay(
    history: &History,
    certificate: &Certificate,
    semantics: Semantics,
    limits: &Limits<'_>,
) -> Result<Replayed, NotAccepted> {
    if certificate.events != history.next_index() {
        let message = format!(
            "the certificate is of a history of {} events; this one has {}",
            certificate.events,
            history.next_index()
        );
        return Err(Refused { line: Some(2), index: None, message }.into());
    }
    let mut budget = Budget::new(limits);
    // One model judges all objects that do not say what they are.
    let general = certificate.objects.iter().map(|object| object.kind).find(|kind| kind.is_general());
    let objects = Objects::of(history, general.unwrap_or(Kind::Register), &mut budget)?;
    let mut replayed = Replayed::default();
    let mut seen = BTreeSet::new();
    for sequence in &certificate.objects {
        if !seen.insert((sequence.kind, &sequence.key, &sequence.part)) {
            let message = format!("the {} comes twice", sequence.name());
            return Err(Refused { line: Some(sequence.line), index: None, message }.into());
        }
        Turn { history, semantics, objects: &objects, sequence }.follow(&mut budget)?;
        replayed.objects += 1;
        replayed.ordered += sequence.order.len() as u64;
        replayed.left_out += sequence.left_out.len() as u64;
    }
    for (kind, key, part) in objects.by_name.keys() {
        budget.tick()?;
        if !seen.contains(&(*kind, key, part)) {
            let name = Sequence::empty(*kind, key.clone(), part.clone()).name();
            let message = format!("the {name} of the history is not in the certificate");
            return Err(Refused { line: None, index: None, message }.into());
        }
    }
    Ok(replayed)
}

/// What a certificate calls an object: its kind, its key and its part.
type FullName = (Kind, Option<String>, Option<String>);

/// The operations of a history by the objects that they are about.
struct Objects {
    /// By the kind, the key and the part: the key again, and the operations.
    by_name: BTreeMap<FullName, (Option<Symbol>, Vec<OperationId>)>,
    /// The answered lists of accounts.
    lists: Vec<OperationId>,
}

impl Objects {
    fn of(history: &History, general: Kind, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let name = |(kind, key, part): &Name| {
            let key = key.map(|key| history.text(key).to_owned());
            (*kind, key, (*part != Datum::Nil).then(|| part.text(&history.symbols)))
        };
        let mut objects = Objects { by_name: BTreeMap::new(), lists: Vec::new() };
        for (object, ids) in by_object(history, general) {
            budget.ticks(ids.len() as u64)?;
            objects.by_name.entry(name(&object)).or_insert((object.1, Vec::new())).1.extend(ids);
        }
        for id in history.ids() {
            budget.tick()?;
            let operation = history.operation(id);
            if matches!(operation.input, Input::ListAccounts { .. }) {
                objects.lists.push(id);
                for account in object::names(operation) {
                    let object = (Kind::Account, Some(account), Datum::Nil);
                    objects.by_name.entry(name(&object)).or_insert((Some(account), Vec::new()));
                }
            }
        }
        Ok(objects)
    }
}

/// The object of a certificate whose turn it is.
struct Turn<'a> {
    history: &'a History,
    semantics: Semantics,
    objects: &'a Objects,
    sequence: &'a Sequence,
}

/// The operations on one object, and how often each has come.
struct Known<'a> {
    ids: &'a [OperationId],
    lists: &'a [OperationId],
    seen: BTreeSet<OperationId>,
}

impl<'a> Turn<'a> {
    fn follow(&self, budget: &mut Budget<'_>) -> Result<(), NotAccepted> {
        let Sequence { kind, key, part, order, left_out, line } = self.sequence;
        let Some((name, ids)) = self.objects.by_name.get(&(*kind, key.clone(), part.clone())) else {
            let message = format!("the history has no {}", self.sequence.name());
            return Err(Refused { line: Some(*line), index: None, message }.into());
        };
        let lists: &[OperationId] = if *kind == Kind::Account { &self.objects.lists } else { &[] };
        let mut known = Known { ids, lists, seen: BTreeSet::new() };
        let mut replica = Replica::new(self.history, *kind, self.semantics, ids);
        // The operation placed so far that was invoked last, and its line.
        let mut last_begun: Option<(&Operation, usize)> = None;
        for (position, index) in order.iter().enumerate() {
            let line = self.sequence.line_of(position);
            let (id, operation) = self.operation(line, *index, &known)?;
            budget.ticks(1 + size(operation))?;
            let refuse = |message: String| self.refuse(line, operation, message);
            if !known.seen.insert(id) && !replica.may_repeat(operation) {
                return Err(refuse("comes a second time".to_owned()).into());
            }
            let meaning = replica.meaning(self.history, operation, *name).map_err(refuse)?;
            if let (Some((begun, at)), false, Some(completed)) =
                (last_begun, meaning == Meaning::Unknown, operation.completed)
                && completed.index < begun.invoked.index
            {
                let message = format!(
                    "had completed at event {}, before event {} of line {at} was invoked, so it must come before \
                     that",
                    completed.index, begun.invoked.index
                );
                return Err(refuse(message).into());
            }
            replica.apply(self.history, operation, meaning).map_err(refuse)?;
            if last_begun.is_none_or(|(begun, _)| begun.invoked < operation.invoked) {
                last_begun = Some((operation, line));
            }
        }
        for (position, index) in left_out.iter().enumerate() {
            budget.tick()?;
            let line = self.sequence.line_of_left_out(position);
            let (id, operation) = self.operation(line, *index, &known)?;
            let refuse = |message: &str| self.refuse(line, operation, message.to_owned());
            if !known.seen.insert(id) {
                return Err(refuse("comes a second time").into());
            }
            let meaning = replica.meaning(self.history, operation, *name);
            if let Meaning::Proven(_) = meaning.map_err(|why| refuse(&why))? {
                return Err(refuse("is left out, but its answer proves something").into());
            }
        }
        if let Some((index, message)) = replica.unfinished()
            && let Ok((_, operation)) = self.operation(*line, index, &known)
        {
            return Err(self.refuse(*line, operation, message).into());
        }
        self.nothing_missing(&replica, &known, *name, budget)
    }

    /// Looks an operation up, which must be one on this object.
    fn operation(
        &self,
        line: usize,
        index: u32,
        known: &Known<'_>,
    ) -> Result<(OperationId, &'a Operation), Refused> {
        let operations = self.history.operations();
        let found = operations.binary_search_by_key(&index, |operation| operation.invoked.index);
        let number = found.ok().and_then(|position| u32::try_from(position).ok());
        let Some(id) = number.map(OperationId::new) else {
            let message = format!("line {line}: no operation is invoked at event {index}");
            return Err(Refused { line: Some(line), index: Some(index), message });
        };
        let operation = self.history.operation(id);
        if known.ids.binary_search(&id).is_err() && known.lists.binary_search(&id).is_err() {
            let message = format!("is not about the {}", self.sequence.name());
            return Err(self.refuse(line, operation, message));
        }
        Ok((id, operation))
    }

    fn nothing_missing(
        &self,
        replica: &Replica<'_>,
        known: &Known<'_>,
        name: Option<Symbol>,
        budget: &mut Budget<'_>,
    ) -> Result<(), NotAccepted> {
        for id in known.ids.iter().chain(known.lists).filter(|id| !known.seen.contains(id)) {
            budget.tick()?;
            let operation = self.history.operation(*id);
            let is_list = matches!(operation.input, Input::ListAccounts { .. });
            if is_list && !matches!(replica.meaning(self.history, operation, name), Ok(Meaning::Proven(_))) {
                continue;
            }
            let message = format!("is missing from the {}", self.sequence.name());
            return Err(self.refuse(self.sequence.line, operation, message).into());
        }
        Ok(())
    }

    /// `line 17: event 44, "read x: 3" of client 2 on n3, …`
    fn refuse(&self, line: usize, operation: &Operation, message: String) -> Refused {
        let index = operation.invoked.index;
        let what = explain::operation_about(self.history, operation, None);
        let client = explain::client(self.history, operation);
        let message = format!("line {line}: event {index}, `{what}` of {client}, {message}");
        Refused { line: Some(line), index: Some(index), message }
    }
}

/// What following an operation is worth, in ticks: a long answer is compared item by item.
fn size(operation: &Operation) -> u64 {
    match operation.output() {
        Some(Output::Page { entries, .. }) => entries.len() as u64,
        Some(Output::Names { names }) => names.len() as u64,
        Some(Output::Value { value: Datum::List(_) | Datum::Map(_) }) => STEPS_PER_QUESTION / 4,
        _ => 0,
    }
}

//! Following a certificate: each operation in its turn, with the answer it had.
//!
//! Nothing here searches, and nothing is shared with the deciders but the sequential objects. Three things are looked
//! at:
//! - the *order agrees with real time*: nothing comes after an operation that was invoked only when it had completed;
//! - each *answer fits* what the object is at that point;
//! - *nothing is missing*: each operation of the history is in the order of its object, unless it failed or nobody knows
//!   whether it happened.

mod object;

use std::collections::{BTreeMap, BTreeSet};

use object::{Meaning, Replica, meaning};
use thiserror::Error;

use super::{Certificate, Kind, Sequence, name};
use crate::explain;
use crate::history::{History, Input, Operation, Symbol};

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

/// Follows the certificate.
///
/// # Errors
/// [`Refused`], which names the first operation that does not fit.
pub fn replay(history: &History, certificate: &Certificate) -> Result<Replayed, Refused> {
    if certificate.events != history.next_index() {
        return Err(Refused {
            line: Some(2),
            index: None,
            message: format!(
                "the certificate is of a history of {} events; this one has {}",
                certificate.events,
                history.next_index()
            ),
        });
    }
    let objects = Objects::of(history);
    let mut replayed = Replayed::default();
    let mut seen = BTreeSet::new();
    for sequence in &certificate.objects {
        if !seen.insert((sequence.kind, sequence.key.clone())) {
            let message = format!("the {} comes twice", sequence.name());
            return Err(Refused { line: Some(sequence.line), index: None, message });
        }
        Turn { history, objects: &objects, sequence }.follow()?;
        replayed.objects += 1;
        replayed.ordered += sequence.order.len() as u64;
        replayed.left_out += sequence.left_out.len() as u64;
    }
    for (kind, key) in objects.by_object.keys() {
        let key = key.map(|key| history.text(key).to_owned());
        let name = name(*kind, key.as_deref());
        if !seen.contains(&(*kind, key)) {
            let message = format!("the {name} of the history is not in the certificate");
            return Err(Refused { line: None, index: None, message });
        }
    }
    match objects.unknown {
        None => Ok(replayed),
        Some(index) => Err(Refused {
            line: None,
            index: Some(index),
            message: format!("event {index} is about an object that certificates say nothing of"),
        }),
    }
}

/// The operations of a history by the object that they are about.
struct Objects {
    by_object: BTreeMap<(Kind, Option<Symbol>), Vec<u32>>,
    lists: Vec<u32>,
    /// The first operation on an object of which certificates say nothing.
    unknown: Option<u32>,
}

impl Objects {
    fn of(history: &History) -> Self {
        let mut objects = Objects { by_object: BTreeMap::new(), lists: Vec::new(), unknown: None };
        for operation in history.operations() {
            let index = operation.invoked.index;
            match (&operation.input, Kind::of(&operation.input)) {
                (Input::Poll { .. }, _) => {}
                (Input::ListAccounts { .. }, _) => {
                    objects.lists.push(index);
                    for name in object::names(operation) {
                        objects.by_object.entry((Kind::Account, Some(name))).or_default();
                    }
                }
                (_, Some(kind)) => {
                    objects.by_object.entry((kind, operation.key)).or_default().push(index);
                }
                (_, None) => objects.unknown = objects.unknown.or(Some(index)),
            }
        }
        objects
    }
}

/// The object of a certificate whose turn it is.
struct Turn<'a> {
    history: &'a History,
    objects: &'a Objects,
    sequence: &'a Sequence,
}

impl<'a> Turn<'a> {
    fn follow(&self) -> Result<(), Refused> {
        let Sequence { kind, key, order, left_out, line } = self.sequence;
        let symbol = key.as_deref().map(|key| self.history.symbols.find(key));
        let known = match symbol {
            Some(None) => None,
            Some(Some(symbol)) => self.objects.by_object.get(&(*kind, Some(symbol))),
            None => self.objects.by_object.get(&(*kind, None)),
        };
        let Some(known) = known else {
            let message = format!("the history has no {}", self.sequence.name());
            return Err(Refused { line: Some(*line), index: None, message });
        };
        let name = symbol.flatten();
        let mut seen = BTreeSet::new();
        let mut replica = Replica::new(self.history, *kind);
        // The operation placed so far that was invoked last, and its line.
        let mut last_begun: Option<(&Operation, usize)> = None;
        for (position, index) in order.iter().enumerate() {
            let line = self.sequence.line_of(position);
            let operation = self.operation(line, *index, known, &mut seen)?;
            let refuse = |message: String| self.refuse(line, operation, message);
            let meaning = meaning(self.history, operation, name);
            if let (Some((begun, at)), false, Some(completed)) =
                (last_begun, meaning == Meaning::Unknown, operation.completed)
                && completed.index < begun.invoked.index
            {
                return Err(refuse(format!(
                    "had completed at event {}, before event {} of line {at} was invoked, so it must come before \
                     that",
                    completed.index, begun.invoked.index
                )));
            }
            replica.apply(self.history, operation, meaning).map_err(refuse)?;
            if last_begun.is_none_or(|(begun, _)| begun.invoked < operation.invoked) {
                last_begun = Some((operation, line));
            }
        }
        for (position, index) in left_out.iter().enumerate() {
            let line = self.sequence.line_of_left_out(position);
            let operation = self.operation(line, *index, known, &mut seen)?;
            if let Meaning::Proven(_) = meaning(self.history, operation, name) {
                let message = "is left out, but its answer proves something".to_owned();
                return Err(self.refuse(line, operation, message));
            }
        }
        self.nothing_missing(known, name, &seen)
    }

    /// Looks an operation up, which must be one on this object that did not come before.
    fn operation(
        &self,
        line: usize,
        index: u32,
        known: &[u32],
        seen: &mut BTreeSet<u32>,
    ) -> Result<&'a Operation, Refused> {
        let operations = self.history.operations();
        let found = operations.binary_search_by_key(&index, |operation| operation.invoked.index);
        let Ok(position) = found else {
            let message = format!("line {line}: no operation is invoked at event {index}");
            return Err(Refused { line: Some(line), index: Some(index), message });
        };
        let operation = &operations[position];
        let is_here = known.binary_search(&index).is_ok()
            || (self.sequence.kind == Kind::Account && self.objects.lists.binary_search(&index).is_ok());
        if !is_here {
            let message = format!("is not about the {}", self.sequence.name());
            return Err(self.refuse(line, operation, message));
        }
        if !seen.insert(index) {
            return Err(self.refuse(line, operation, "comes a second time".to_owned()));
        }
        Ok(operation)
    }

    fn nothing_missing(
        &self,
        known: &[u32],
        name: Option<Symbol>,
        seen: &BTreeSet<u32>,
    ) -> Result<(), Refused> {
        let lists: &[u32] = if self.sequence.kind == Kind::Account { &self.objects.lists } else { &[] };
        for index in known.iter().chain(lists).filter(|index| !seen.contains(index)) {
            let operations = self.history.operations();
            let position = operations.binary_search_by_key(index, |operation| operation.invoked.index);
            let operation = &operations[position.expect("what is known is an operation")];
            let is_list = matches!(operation.input, Input::ListAccounts { .. });
            if is_list && !matches!(meaning(self.history, operation, name), Meaning::Proven(_)) {
                continue;
            }
            let message = format!("is missing from the {}", self.sequence.name());
            return Err(self.refuse(self.sequence.line, operation, message));
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

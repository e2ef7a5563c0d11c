//! Objects that are no chat's, one operation after the other.
//!
//! What an operation on such an object asks, and what its answer says, is read here from the history itself, a second
//! time beside the deciders, so that a mistake there does not go unnoticed.

mod effect;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use effect::Effect;

use super::Kind;
use super::object::{Meaning, code};
use crate::history::transaction::{What, answers, parts};
use crate::history::{Datum, History, Input, Operation, Outcome, Output, Symbol};
use crate::model::register::{FailedCas, Initially, NilRead, Semantics};

/// An object as the operations so far have left it.
pub(super) struct General<'h> {
    history: &'h History,
    kind: Kind,
    semantics: Semantics,
    state: State,
}

enum State {
    Number(i64),
    /// Whether it is held.
    Lock(bool),
    /// What is inside, and what each drain that has come is still to take, by the event that invoked it.
    Queue(VecDeque<Datum>, BTreeMap<u32, Vec<Datum>>),
    Set(BTreeSet<Datum>),
    List(Vec<Datum>),
    Text(String),
    Registers(BTreeMap<Datum, Datum>),
}

/// What an operation says of its object.
enum Said<'o> {
    /// It was done; of these answers one is there if it answers something.
    Done(Option<&'o Datum>),
    /// It was refused, which shows that there was a reason.
    Refused,
    /// Nothing.
    Nothing,
}

impl<'h> General<'h> {
    /// The object at the start.
    pub(super) fn new(history: &'h History, kind: Kind, semantics: Semantics) -> Self {
        let state = match kind {
            Kind::Counter | Kind::Mark => State::Number(initial_number(semantics)),
            Kind::Mutex => State::Lock(false),
            Kind::Queue => State::Queue(VecDeque::new(), BTreeMap::new()),
            Kind::Set => State::Set(BTreeSet::new()),
            Kind::List => State::List(Vec::new()),
            Kind::Text => State::Text(initial_text(history, semantics).to_owned()),
            Kind::MultiRegister | Kind::Register | Kind::Account | Kind::Conversation => {
                State::Registers(BTreeMap::new())
            }
        };
        General { history, kind, semantics, state }
    }

    /// Whether the operation is one of this kind, and what it says.
    pub(super) fn meaning(&self, operation: &Operation) -> Result<Meaning, String> {
        if !self.knows(operation) {
            return Err(format!("is no operation of the model {}", self.kind));
        }
        Ok(match (&operation.outcome, self.said(operation)) {
            (Outcome::Info(_), _) => Meaning::Unknown,
            (_, Said::Nothing) => Meaning::Nothing,
            (_, Said::Done(_) | Said::Refused) => Meaning::Proven(None),
        })
    }

    /// Whether an operation that has come may come again: a drain takes one element after the other.
    pub(super) fn may_repeat(&self, operation: &Operation) -> bool {
        self.kind == Kind::Queue && operation.input == Input::Drain
    }

    /// A drain that has not taken all that it answered.
    pub(super) fn unfinished(&self) -> Option<(u32, String)> {
        let State::Queue(_, drains) = &self.state else { return None };
        let (index, left) = drains.iter().find(|(_, left)| !left.is_empty())?;
        Some((*index, format!("lacks {} of its elements", left.len())))
    }

    /// Whether this kind of object has such operations and answers.
    fn knows(&self, operation: &Operation) -> bool {
        let symbols = &self.history.symbols;
        let answer = match operation.output() {
            Some(Output::Value { value }) => Some(*value),
            _ => None,
        };
        let answers = |fits: fn(Datum) -> bool| answer.is_none_or(fits);
        let is_number = |value: Datum| matches!(value, Datum::Int(_) | Datum::Nil);
        let is_list = |value: Datum| matches!(value, Datum::List(_) | Datum::Nil);
        let transaction = |wanted: [What; 2]| {
            let Input::Txn { operations } = operation.input else { return None };
            let asked = parts(Datum::List(operations), symbols)?;
            let output = operation.output();
            let is_answered =
                output.is_none_or(|output| self::answers(self.history, &asked, output).is_some());
            (is_answered && asked.iter().all(|part| wanted.contains(&part.what))).then_some(())
        };
        match (self.kind, &operation.input) {
            (Kind::Counter, Input::Add { .. } | Input::Increment { .. } | Input::Decrement { .. }) => {
                added(&operation.input).is_some()
            }
            (Kind::Mark, Input::Other { value, .. }) => matches!(value, Datum::Int(_)),
            (Kind::Counter | Kind::Mark, Input::Get) => answers(is_number),
            (Kind::Mutex, Input::Acquire { .. } | Input::Release { .. })
            | (Kind::Queue, Input::Enqueue { .. } | Input::Dequeue)
            | (Kind::Set, Input::Add { .. } | Input::Remove { .. })
            | (Kind::List, Input::Append { .. }) => true,
            (Kind::Queue, Input::Drain) | (Kind::Set | Kind::List, Input::Get) => answers(is_list),
            (Kind::Set, Input::Other { .. }) => answers(|value| matches!(value, Datum::Bool(_))),
            (Kind::Text, Input::Put { value } | Input::Append { value }) => {
                text(*value, self.history).is_some()
            }
            (Kind::Text, Input::Get) => answer.is_none_or(|value| text(value, self.history).is_some()),
            (Kind::List, Input::Txn { .. }) => transaction([What::Read, What::Append]).is_some(),
            (Kind::MultiRegister, Input::Txn { .. }) => transaction([What::Read, What::Write]).is_some(),
            _ => false,
        }
    }

    fn said<'o>(&self, operation: &'o Operation) -> Said<'o> {
        match &operation.outcome {
            Outcome::Info(_) => Said::Nothing,
            Outcome::Fail(error) if self.is_observed(&operation.input, *error) => Said::Refused,
            Outcome::Fail(_) => Said::Nothing,
            Outcome::Ok(Output::Value { value }) => self.answered(&operation.input, value),
            Outcome::Ok(_) => Said::Done(None),
        }
    }

    fn answered<'o>(&self, input: &Input, value: &'o Datum) -> Said<'o> {
        let says_nothing = *value == Datum::Nil && self.semantics.nil_read == NilRead::Anything;
        let is_empty = |list: &Datum| list.items(&self.history.symbols).unwrap_or_default().is_empty();
        match (self.kind, input, value) {
            (Kind::Mutex, _, Datum::Bool(false)) | (Kind::Queue, Input::Dequeue, Datum::Nil) => Said::Refused,
            (_, Input::Get, _) if says_nothing => Said::Nothing,
            (Kind::Queue, Input::Drain, list) if is_empty(list) => Said::Nothing,
            _ => Said::Done(Some(value)),
        }
    }

    /// Whether a failure shows that there was a reason for it.
    fn is_observed(&self, input: &Input, error: Option<Symbol>) -> bool {
        let codes: &[&str] = match (self.kind, input) {
            (Kind::Mutex, _) => &[],
            (Kind::Queue, Input::Dequeue) => &["empty", "exhausted"],
            (Kind::Set, Input::Add { .. }) => &["exists", "already-exists"],
            (Kind::Set, Input::Remove { .. }) => &["not-found"],
            _ => return false,
        };
        match error {
            None => self.semantics.failed_cas == FailedCas::ValueDiffered,
            Some(_) => codes.contains(&code(self.history, error)),
        }
    }

    /// Lets the operation happen, or says why it cannot. Of one that is `unknown`, the answer does not matter.
    pub(super) fn apply(&mut self, operation: &Operation, unknown: bool) -> Result<(), String> {
        let said = if unknown { Said::Done(None) } else { self.said(operation) };
        let answer = match said {
            Said::Done(answer) => answer.copied(),
            Said::Refused => return effect::refused(&self.state, self.history, operation),
            Said::Nothing => return Ok(()),
        };
        let (history, kind, semantics) = (self.history, self.kind, self.semantics);
        Effect { history, kind, semantics, operation, answer, unknown }.on(&mut self.state)
    }
}

/// How much an operation adds to a counter, or to which number it sets a mark.
fn added(input: &Input) -> Option<i64> {
    match *input {
        Input::Add { value: Datum::Int(amount) }
        | Input::Increment { by: Datum::Int(amount) }
        | Input::Other { value: Datum::Int(amount), .. } => Some(amount),
        Input::Decrement { by: Datum::Int(amount) } => Some(amount.wrapping_neg()),
        Input::Increment { by: Datum::Nil } => Some(1),
        Input::Decrement { by: Datum::Nil } => Some(-1),
        _ => None,
    }
}

fn initial_number(semantics: Semantics) -> i64 {
    match semantics.initially {
        Initially::Value(Datum::Int(number)) => number,
        _ => 0,
    }
}

fn initial_text(history: &History, semantics: Semantics) -> &str {
    match semantics.initially {
        Initially::Value(value) => text(value, history).unwrap_or_default(),
        _ => "",
    }
}

/// The text of a value, if it is one; nil is the empty one.
fn text(value: Datum, history: &History) -> Option<&str> {
    match value {
        Datum::Nil => Some(""),
        Datum::Name(text) | Datum::Other(text) => Some(history.symbols.text(text)),
        _ => None,
    }
}

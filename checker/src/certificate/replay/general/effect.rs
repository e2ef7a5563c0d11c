//! What an operation does to an object, and whether the object can answer it like that.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{State, added, initial_number, initial_text, text};
use crate::certificate::Kind;
use crate::history::transaction::{Part, What, parts};
use crate::history::{Datum, History, Input, Operation};
use crate::model::register::{NilRead, Semantics};

/// An operation that is to happen.
pub(super) struct Effect<'a> {
    pub(super) history: &'a History,
    pub(super) kind: Kind,
    pub(super) semantics: Semantics,
    pub(super) operation: &'a Operation,
    /// The value that was answered, if one was.
    pub(super) answer: Option<Datum>,
    /// Whether nobody knows the answer.
    pub(super) unknown: bool,
}

fn fits(fits: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if fits { Ok(()) } else { Err(format!("cannot answer that: {}", why())) }
}

fn the_lock_is(is_held: bool) -> String {
    format!("the lock is {} here", if is_held { "held" } else { "free" })
}

fn the_first_is(history: &History, first: Option<Datum>) -> String {
    match first {
        Some(first) => format!("the first in the queue here is {}", first.told(&history.symbols)),
        None => "the queue is empty here".to_owned(),
    }
}

impl Effect<'_> {
    /// Lets it happen, or says why it cannot.
    pub(super) fn on(&self, state: &mut State) -> Result<(), String> {
        match state {
            State::Number(number) => self.number(number),
            State::Lock(is_held) => self.lock(is_held),
            State::Queue(inside, drains) => self.queue(inside, drains),
            State::Set(elements) => self.set(elements),
            State::List(values) => self.list(values),
            State::Text(here) => self.text(here),
            State::Registers(registers) => self.registers(registers),
        }
    }

    /// The items of the answer.
    fn items(&self) -> &[Datum] {
        self.answer.and_then(|answer| answer.items(&self.history.symbols)).unwrap_or_default()
    }

    fn number(&self, number: &mut i64) -> Result<(), String> {
        let is_mark = self.kind == Kind::Mark;
        let amount = added(&self.operation.input);
        if let Some(amount) = amount {
            *number = if is_mark { amount.max(*number) } else { number.wrapping_add(amount) };
        }
        let says = match self.answer {
            // A mark may also answer with the number that it was asked for.
            Some(Datum::Int(says)) if is_mark && amount == Some(says) => None,
            Some(Datum::Int(says)) => Some(says),
            Some(Datum::Nil) if amount.is_none() => Some(initial_number(self.semantics)),
            _ => None,
        };
        fits(says.is_none_or(|says| says == *number), || format!("the number here is {number}"))
    }

    fn lock(&self, is_held: &mut bool) -> Result<(), String> {
        let takes = matches!(self.operation.input, Input::Acquire { .. });
        let was_held = std::mem::replace(is_held, takes);
        fits(self.unknown || was_held != takes, || the_lock_is(was_held))
    }

    fn queue(
        &self,
        inside: &mut VecDeque<Datum>,
        drains: &mut BTreeMap<u32, Vec<Datum>>,
    ) -> Result<(), String> {
        if let Input::Enqueue { value } = self.operation.input {
            inside.push_back(value);
            return Ok(());
        }
        let first = inside.pop_front();
        let is_it = if self.unknown {
            true
        } else if self.operation.input == Input::Drain {
            let left = drains.entry(self.operation.invoked.index).or_insert_with(|| self.items().to_vec());
            let place = first.and_then(|first| left.iter().position(|value| *value == first));
            place.map(|place| left.swap_remove(place)).is_some()
        } else {
            first.is_some() && first == self.answer
        };
        fits(is_it, || the_first_is(self.history, first))
    }

    fn set(&self, elements: &mut BTreeSet<Datum>) -> Result<(), String> {
        let changed = match self.operation.input {
            Input::Add { value } => elements.insert(value),
            Input::Remove { value } => elements.remove(&value),
            Input::Other { value, .. } => elements.contains(&value),
            _ => {
                let mut shown = self.items().to_vec();
                shown.sort_unstable();
                let is_it = self.unknown || elements.iter().eq(&shown);
                return fits(is_it, || format!("the set here has {} elements", elements.len()));
            }
        };
        let says = self.answer.filter(|answer| matches!(answer, Datum::Bool(_)));
        fits(says.is_none_or(|says| says == Datum::Bool(changed)), || format!("it is {changed} here"))
    }

    fn list(&self, values: &mut Vec<Datum>) -> Result<(), String> {
        let one = |what, value| vec![Part { what, key: Datum::Nil, value }];
        let done = match self.operation.input {
            Input::Append { value } => one(What::Append, value),
            Input::Txn { .. } => self.parts(),
            _ => one(What::Read, self.answer.unwrap_or_default()),
        };
        let nil_is_any = self.semantics.nil_read == NilRead::Anything;
        let is_any = |part: &Part| part.what == What::Read && part.value == Datum::Nil && nil_is_any;
        // If one of its reads may have seen anything, the others of a transaction are not looked at either.
        let is_silent = self.unknown || done.iter().any(is_any);
        for part in &done {
            if part.what != What::Read {
                values.push(part.value);
                continue;
            }
            let seen = part.value.items(&self.history.symbols).unwrap_or_default();
            fits(is_silent || seen == values.as_slice(), || match values.last() {
                Some(last) => {
                    let last = last.told(&self.history.symbols);
                    format!("the list here has {} values and ends with {last}", values.len())
                }
                None => "the list here is empty".to_owned(),
            })?;
        }
        Ok(())
    }

    fn text(&self, here: &mut String) -> Result<(), String> {
        match self.operation.input {
            Input::Put { value } => text(value, self.history).unwrap_or_default().clone_into(here),
            Input::Append { value } => here.push_str(text(value, self.history).unwrap_or_default()),
            _ => {
                let says = match self.answer {
                    Some(Datum::Nil) if self.semantics.nil_read == NilRead::Initial => {
                        Some(initial_text(self.history, self.semantics))
                    }
                    answer => answer.and_then(|answer| text(answer, self.history)),
                };
                let is_it = self.unknown || says == Some(here.as_str());
                return fits(is_it, || "a get here must return another text".to_owned());
            }
        }
        Ok(())
    }

    fn registers(&self, registers: &mut BTreeMap<Datum, Datum>) -> Result<(), String> {
        let initial = self.semantics.initially.value();
        let text = |value: Datum| value.told(&self.history.symbols);
        for part in self.parts() {
            if part.what != What::Read {
                registers.insert(part.key, part.value);
                continue;
            }
            let here = registers.get(&part.key).copied().unwrap_or(initial);
            let is_it = match self.semantics.nil_read {
                NilRead::Anything => part.value == Datum::Nil || part.value == here,
                NilRead::Initial if part.value == Datum::Nil => here == initial,
                NilRead::Nil | NilRead::Initial => part.value == here,
            };
            fits(self.unknown || is_it, || {
                format!("a read of {} here must return {}", text(part.key), text(here))
            })?;
        }
        Ok(())
    }

    /// The parts of a transaction, with what it has read if that is known.
    fn parts(&self) -> Vec<Part> {
        let Input::Txn { operations } = self.operation.input else { return Vec::new() };
        parts(self.answer.unwrap_or(Datum::List(operations)), &self.history.symbols).unwrap_or_default()
    }
}

/// Whether the object can refuse the operation.
pub(super) fn refused(state: &State, history: &History, operation: &Operation) -> Result<(), String> {
    match (state, &operation.input) {
        (State::Lock(is_held), input) => {
            let takes = matches!(input, Input::Acquire { .. });
            fits(*is_held == takes, || the_lock_is(*is_held))
        }
        (State::Queue(inside, _), _) => {
            fits(inside.is_empty(), || the_first_is(history, inside.front().copied()))
        }
        (State::Set(elements), Input::Add { value }) => {
            fits(elements.contains(value), || "it is not in the set here".to_owned())
        }
        (State::Set(elements), Input::Remove { value }) => {
            fits(!elements.contains(value), || "it is in the set here".to_owned())
        }
        _ => Err("is no operation that shows something by its refusal".to_owned()),
    }
}

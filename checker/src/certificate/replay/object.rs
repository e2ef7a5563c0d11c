//! The sequential objects, one operation after the other.

use super::general::General;
use crate::history::{
    Datum, Entry, History, Input, Operation, OperationId, Outcome, Output, PageRange, Symbol,
};
use crate::model::Model;
use crate::model::accounts::{self, Account, Initially, Presence};
use crate::model::register::{self, FailedCas, Initially as Start, NilRead, Register, Semantics, Value};

/// What an operation says about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It happened, or what it met is proven: for an account, by this answer.
    Proven(Option<accounts::Output>),
    /// Nobody knows whether it happened.
    Unknown,
    /// It certainly did not happen.
    Nothing,
}

/// The code of an error: what stands in front of the first `:`.
pub(super) fn code(history: &History, error: Option<Symbol>) -> &str {
    error.map_or("", |error| history.text(error)).split(':').next().unwrap_or_default()
}

/// What an operation on a conversation or an account says; of a list of accounts, what it says of `name`.
fn of_chat(history: &History, operation: &Operation, name: Option<Symbol>) -> Meaning {
    match (&operation.input, &operation.outcome) {
        (_, Outcome::Info(_)) => Meaning::Unknown,
        (Input::ListAccounts { .. }, Outcome::Ok(_)) => match seen_on_list(history, operation, name) {
            Some(presence) => Meaning::Proven(Some(accounts::Output::Seen(presence))),
            None => Meaning::Nothing,
        },
        (_, Outcome::Ok(_)) => Meaning::Proven(Some(accounts::Output::Done)),
        (Input::CreateAccount, Outcome::Fail(error))
            if matches!(code(history, *error), "exists" | "already-exists") =>
        {
            Meaning::Proven(Some(accounts::Output::Seen(Presence::Present)))
        }
        (Input::DeleteAccount | Input::Login, Outcome::Fail(error))
            if code(history, *error) == "not-found" =>
        {
            Meaning::Proven(Some(accounts::Output::Seen(Presence::Absent)))
        }
        (_, Outcome::Fail(_)) => Meaning::Nothing,
    }
}

/// What an operation on a register says.
fn of_register(history: &History, operation: &Operation, semantics: Semantics) -> Meaning {
    match (&operation.input, &operation.outcome) {
        (_, Outcome::Info(_)) => Meaning::Unknown,
        (_, Outcome::Ok(_)) => Meaning::Proven(None),
        (Input::Cas { .. }, Outcome::Fail(None)) if semantics.failed_cas == FailedCas::ValueDiffered => {
            Meaning::Proven(None)
        }
        (Input::Cas { .. }, Outcome::Fail(error)) if code(history, *error) == "conflict" => {
            Meaning::Proven(None)
        }
        (_, Outcome::Fail(_)) => Meaning::Nothing,
    }
}

/// Nil, and every value that an operation on a register speaks of.
fn spoken_of(history: &History, ids: &[OperationId]) -> Vec<Value> {
    let mut values = vec![Datum::Nil];
    for operation in ids.iter().map(|id| history.operation(*id)) {
        match operation.input {
            Input::Write { value } => values.push(value),
            Input::Cas { from, to } => values.extend([from, to]),
            _ => {}
        }
        if let Some(Output::Value { value }) = operation.output() {
            values.push(*value);
        }
    }
    values.sort_unstable();
    values.dedup();
    values
}

/// The names that a list shows.
pub(super) fn names(operation: &Operation) -> impl Iterator<Item = Symbol> {
    let names = match operation.output() {
        Some(Output::Names { names }) => &names[..],
        _ => &[],
    };
    names.iter().copied()
}

/// Whether a list shows a name; `None` if it does not speak of it.
fn seen_on_list(history: &History, list: &Operation, name: Option<Symbol>) -> Option<Presence> {
    let name = name?;
    let Input::ListAccounts { pattern, after, limit, .. } = list.input else { return None };
    let shown: Vec<Symbol> = names(list).collect();
    if shown.contains(&name) {
        return Some(Presence::Present);
    }
    let text = history.text(name);
    let is_full = limit.is_some_and(|limit| shown.len() >= limit as usize);
    let is_before_the_end = !is_full || shown.last().is_some_and(|last| text < history.text(*last));
    let is_asked_for = after.is_none_or(|after| text > history.text(after))
        && pattern.is_none_or(|pattern| is_like(history.text(pattern).as_bytes(), text.as_bytes()));
    (is_before_the_end && is_asked_for).then_some(Presence::Absent)
}

/// Whether a name is like a pattern of `*` and `?`. Of names and patterns that are not ASCII, `?` is any one character.
fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    let is_whole = |name: &[u8]| name.first().is_none_or(|byte| byte & 0xc0 != 0x80);
    match pattern {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|skipped| is_like(rest, &name[skipped..])),
        [b'?', rest @ ..] => (1..=name.len())
            .find(|end| is_whole(&name[*end..]))
            .is_some_and(|end| is_like(rest, &name[end..])),
        [first, rest @ ..] => {
            name.split_first().is_some_and(|(own, name)| own == first && is_like(rest, name))
        }
    }
}

/// An object as the operations so far have left it.
pub(super) enum Replica<'h> {
    /// The messages, and whether each is a tombstone.
    Conversation(Vec<(Symbol, bool)>),
    /// The model, how answers are read, and the states that it can be in.
    Register(Register<'h>, Semantics, Vec<Value>),
    Account(Account, Vec<Presence>),
    General(General<'h>),
}

impl<'h> Replica<'h> {
    /// The object at the start; `ids` are the operations on it.
    pub(super) fn new(
        history: &'h History,
        kind: super::Kind,
        semantics: Semantics,
        ids: &[OperationId],
    ) -> Self {
        match kind {
            super::Kind::Conversation => Replica::Conversation(Vec::new()),
            super::Kind::Register => {
                let values = match semantics.initially {
                    Start::Unknown => spoken_of(history, ids),
                    Start::Nil | Start::Value(_) => vec![semantics.initially.value()],
                };
                let register = Register::new(&history.symbols, semantics.nil_read);
                Replica::Register(register, semantics, values)
            }
            super::Kind::Account => {
                let empty = history.is_initially_empty();
                let account =
                    Account { initially: if empty { Initially::Absent } else { Initially::Unknown } };
                Replica::Account(account, account.initial())
            }
            kind => Replica::General(General::new(history, kind, semantics)),
        }
    }

    /// What the operation says of its object; of a list of accounts, what it says of `name`.
    pub(super) fn meaning(
        &self,
        history: &History,
        operation: &Operation,
        name: Option<Symbol>,
    ) -> Result<Meaning, String> {
        match self {
            Replica::General(general) => general.meaning(operation),
            Replica::Register(_, semantics, _) => Ok(of_register(history, operation, *semantics)),
            Replica::Conversation(_) | Replica::Account(..) => Ok(of_chat(history, operation, name)),
        }
    }

    /// Whether an operation that has come may come again.
    pub(super) fn may_repeat(&self, operation: &Operation) -> bool {
        matches!(self, Replica::General(general) if general.may_repeat(operation))
    }

    /// An operation that has come less often than it must, by the event that invoked it, and what is wrong with that.
    pub(super) fn unfinished(&self) -> Option<(u32, String)> {
        match self {
            Replica::General(general) => general.unfinished(),
            _ => None,
        }
    }

    /// Lets the operation happen, or says why it cannot.
    pub(super) fn apply(
        &mut self,
        history: &History,
        operation: &Operation,
        meaning: Meaning,
    ) -> Result<(), String> {
        if meaning == Meaning::Nothing {
            return Err("proves nothing and has no place in an order".to_owned());
        }
        match self {
            Replica::Conversation(messages) => converse(messages, history, operation),
            Replica::General(general) => general.apply(operation, meaning == Meaning::Unknown),
            Replica::Register(model, semantics, states) => {
                let input = match operation.input {
                    Input::Get => register::Input::Read,
                    Input::Write { value } => register::Input::Write(value),
                    Input::Cas { from, to } => register::Input::Cas { from, to },
                    _ => return Err("is no operation on a register".to_owned()),
                };
                let output = match (&operation.outcome, meaning) {
                    (Outcome::Ok(Output::Value { value: Datum::Nil }), _)
                        if semantics.nil_read == NilRead::Initial =>
                    {
                        Some(register::Output::Value(semantics.initially.value()))
                    }
                    (Outcome::Ok(Output::Value { value }), _) => Some(register::Output::Value(*value)),
                    (_, Meaning::Unknown) => None,
                    (Outcome::Fail(_), _) => Some(register::Output::Differed),
                    _ => Some(register::Output::Done),
                };
                step(model, states, &input, output.as_ref())
            }
            Replica::Account(model, states) => {
                let input = match operation.input {
                    Input::CreateAccount => accounts::Input::Create,
                    Input::DeleteAccount => accounts::Input::Delete,
                    Input::Login => accounts::Input::Login,
                    Input::ListAccounts { .. } => accounts::Input::List,
                    _ => return Err("is no operation on an account".to_owned()),
                };
                let output = match meaning {
                    Meaning::Proven(output) => output,
                    Meaning::Unknown | Meaning::Nothing => None,
                };
                step(model, states, &input, output.as_ref())
            }
        }
    }
}

/// Goes on to the states that the operation leaves.
fn step<M: Model>(
    model: &M,
    states: &mut Vec<M::State>,
    input: &M::Input,
    output: Option<&M::Output>,
) -> Result<(), String> {
    let next: Vec<M::State> = states.iter().filter_map(|state| model.step(state, input, output)).collect();
    if next.is_empty() {
        let why = states.first().map_or_else(String::new, |state| model.refusal(state, input, output));
        return Err(format!("cannot answer that: {why}"));
    }
    *states = next;
    Ok(())
}

fn converse(
    messages: &mut Vec<(Symbol, bool)>,
    history: &History,
    operation: &Operation,
) -> Result<(), String> {
    let head = messages.len() as u64;
    match (&operation.input, operation.output()) {
        (Input::Send { id }, answer) => {
            if let Some(Output::Sent { seq }) = answer
                && *seq != head + 1
            {
                return Err(format!("cannot answer that: the next number here is {}", head + 1));
            }
            messages.push((*id, false));
            Ok(())
        }
        (Input::Read { range, .. }, Some(Output::Page { entries, head: said })) => {
            if *said != head {
                return Err(format!("cannot answer that: the last number here is {head}"));
            }
            page(messages, history, *range, entries)
        }
        (Input::Delete { seq }, _) => {
            let place = seq.checked_sub(1).and_then(|place| messages.get_mut(usize::try_from(place).ok()?));
            let message =
                place.ok_or_else(|| format!("deletes number {seq}, but the last one here is {head}"))?;
            message.1 = true;
            Ok(())
        }
        (Input::Read { .. }, _) => Ok(()),
        _ => Err("is no operation on a conversation".to_owned()),
    }
}

/// A page is the range that was asked for, or a part of it that begins where it does: it may stop early, but not at once.
fn page(
    messages: &[(Symbol, bool)],
    history: &History,
    range: PageRange,
    entries: &[Entry],
) -> Result<(), String> {
    let all = (1_u64..).zip(messages);
    let asked: Vec<(u64, &(Symbol, bool))> = match range {
        PageRange::After { seq, limit } => all.skip_while(|(n, _)| *n <= seq).take(limit as usize).collect(),
        PageRange::Before { seq, limit } => {
            let before: Vec<_> = all.take_while(|(n, _)| *n < seq).collect();
            before[before.len().saturating_sub(limit as usize)..].to_vec()
        }
    };
    if entries.len() > asked.len() || (entries.is_empty() && !asked.is_empty()) {
        return Err(format!("cannot answer that: the page has {} messages here", asked.len()));
    }
    let expected = match range {
        PageRange::After { .. } => &asked[..entries.len()],
        PageRange::Before { .. } => &asked[asked.len() - entries.len()..],
    };
    for (entry, (number, (id, deleted))) in entries.iter().zip(expected) {
        if (entry.seq, entry.id, entry.deleted) != (*number, *id, *deleted) {
            let state = if *deleted { ", deleted" } else { "" };
            return Err(format!(
                "cannot answer that: message {}{state} has number {number} here",
                history.text(*id)
            ));
        }
    }
    Ok(())
}

//! Independent objects: Jepsen writes a key and its value as `[key value]`, which looks as any vector of two.
//!
//! What it is, the first invocations decide. A value that is not `[key value]` says that the history has one object.
//! `[key nil]`, a cas with `[key [from to]]` and a transaction with `[key [...]]` say for certain that it has many. Before
//! one of these comes, each `[key value]` is taken for a key and its value; if an invocation without one comes first,
//! that was wrong and is taken back.

use std::collections::HashMap;

use super::Argument;
use crate::history::{Datum, History, OperationId, Outcome, Output, Symbol, Symbols, general};

/// Whether values have keys, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Keys {
    state: State,
    /// The symbols of small whole numbers.
    small: Vec<Option<Symbol>>,
    /// While it is not certain: the keys as they were, and the operations that got one.
    guessed: HashMap<Symbol, Datum>,
    operations: Vec<OperationId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Unknown,
    Guessed,
    Keyed,
    Plain,
}

/// Keys below this number are looked up in a table.
const SMALL_MAX: usize = 1 << 16;

impl Keys {
    /// The key and the value of an invocation, if it has a key.
    pub(super) fn of_invocation(
        &mut self,
        f: &str,
        value: Argument,
        history: &mut History,
    ) -> Option<(Symbol, Argument)> {
        if self.state == State::Plain {
            return None;
        }
        let Some((key, rest, certain)) = split(f, value, &mut history.symbols) else {
            match self.state {
                State::Keyed | State::Plain => {}
                State::Unknown => self.state = State::Plain,
                State::Guessed => self.take_back(history),
            }
            return None;
        };
        let symbol = self.symbol(key, &mut history.symbols)?;
        if certain {
            self.state = State::Keyed;
            self.guessed = HashMap::new();
            self.operations = Vec::new();
        } else if self.state != State::Keyed {
            self.state = State::Guessed;
            self.guessed.insert(symbol, key);
        }
        Some((symbol, rest))
    }

    /// An invocation was added; its key was said apart from its value or not.
    pub(super) fn invoked(&mut self, id: OperationId, apart: bool) {
        if self.state == State::Guessed && !apart {
            self.operations.push(id);
        }
    }

    /// The key and the value of a completion, if the operation has a key.
    pub(super) fn of_completion(
        &mut self,
        asked: Option<Symbol>,
        value: Argument,
        history: &mut History,
    ) -> Option<(Symbol, Argument)> {
        if matches!(self.state, State::Unknown | State::Plain) || asked.is_none() {
            return None;
        }
        let (key, rest) = match value {
            Argument::Pair(key, value) if is_key(key) => (key, Argument::One(value)),
            Argument::Keyed(key, one, other) if is_key(key) => (key, Argument::Pair(one, other)),
            _ => return None,
        };
        Some((self.symbol(key, &mut history.symbols)?, rest))
    }

    fn symbol(&mut self, key: Datum, symbols: &mut Symbols) -> Option<Symbol> {
        let Datum::Int(number) = key else { return symbol(key, symbols) };
        let Some(place) = usize::try_from(number).ok().filter(|place| *place < SMALL_MAX) else {
            return symbol(key, symbols);
        };
        if place >= self.small.len() {
            self.small.resize(place + 1, None);
        }
        if self.small[place].is_none() {
            self.small[place] = symbol(key, symbols);
        }
        self.small[place]
    }

    /// The values had no keys after all.
    fn take_back(&mut self, history: &mut History) {
        self.state = State::Plain;
        for id in std::mem::take(&mut self.operations) {
            let f = history.f(history.operation(id)).to_owned();
            let operation = &mut history.operations[id.index()];
            let Some(key) = operation.key.and_then(|key| self.guessed.get(&key)).copied() else { continue };
            let symbols = &mut history.symbols;
            let mut joined = |value: Datum| Datum::List(symbols.list(&[key, value]));
            let argument = joined(operation.input.argument());
            let answer = match &operation.outcome {
                Outcome::Ok(Output::Value { value }) => Some(joined(*value)),
                Outcome::Ok(_) => Some(argument),
                Outcome::Fail(_) | Outcome::Info(_) => None,
            };
            operation.key = None;
            operation.input = general::input(&f, argument, symbols);
            if let Some(answer) = answer {
                operation.outcome = Outcome::Ok(match operation.input {
                    crate::history::Input::Write { .. } => Output::Done,
                    input => general::output(&input, answer),
                });
            }
        }
        self.guessed = HashMap::new();
    }
}

/// A key as a symbol: a keyword without its colon; nil is none.
pub(super) fn symbol(key: Datum, symbols: &mut Symbols) -> Option<Symbol> {
    match key {
        Datum::Nil => None,
        Datum::Name(name) => Some(name),
        other => {
            let text = other.key_text(symbols);
            Some(symbols.intern(text.strip_prefix(':').unwrap_or(&text)))
        }
    }
}

fn is_key(datum: Datum) -> bool {
    matches!(datum, Datum::Bool(_) | Datum::Int(_) | Datum::Name(_) | Datum::Other(_))
}

/// The key and the value of an argument that may have both, and whether this is certain.
fn split(f: &str, value: Argument, symbols: &mut Symbols) -> Option<(Datum, Argument, bool)> {
    match (f, value) {
        ("cas", Argument::Keyed(key, from, to)) if is_key(key) => Some((key, Argument::Pair(from, to), true)),
        ("cas", _) => None,
        ("txn", Argument::Pair(key, operations @ Datum::List(_))) if is_key(key) => {
            Some((key, Argument::One(operations), true))
        }
        ("txn", Argument::Keyed(key, one, other)) if is_key(key) => {
            let operations = symbols.list(&[one, other]);
            Some((key, Argument::One(Datum::List(operations)), true))
        }
        ("txn", _) => None,
        (_, Argument::Pair(key, Datum::Nil)) if is_key(key) => Some((key, Argument::One(Datum::Nil), true)),
        (_, Argument::Pair(key, value)) if is_key(key) => Some((key, Argument::One(value), false)),
        (_, Argument::Keyed(key, one, other)) if is_key(key) => {
            Some((key, Argument::Pair(one, other), false))
        }
        _ => None,
    }
}

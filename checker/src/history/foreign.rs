//! Histories that others recorded, brought into the form of ours.
//!
//! A [`History`] has invariants that other recorders do not keep. What is different is made right where that cannot
//! change a verdict, and refused where it could:
//!
//! What each of them is made into is said in [`format`](mod@super::format).

mod keys;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use keys::Keys;

use super::input::Object;
use super::jsonl::{Process, Type};
use super::value::ValueError;
use super::{
    Datum, FaultLine, History, HistoryError, Input, Moment, OperationId, Outcome, Output, Symbol, general,
};

/// What an event of a foreign history says.
#[derive(Debug, Clone, Default)]
pub(super) struct Told<'a> {
    pub(super) index: Option<i64>,
    pub(super) time: Option<i64>,
    pub(super) process: Option<Process>,
    pub(super) r#type: Option<Type>,
    pub(super) f: Option<Cow<'a, str>>,
    pub(super) value: Argument,
    /// The key, if it is said apart from the value; nil says that there is none.
    pub(super) key: Option<Datum>,
    pub(super) node: Option<Symbol>,
    pub(super) error: Option<Symbol>,
}

/// A value; one that may be a key with its value is not interned yet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument {
    /// Any value but those below.
    One(Datum),
    /// `[1 2]`
    Pair(Datum, Datum),
    /// `[1 [2 3]]`
    Keyed(Datum, Datum, Datum),
}

impl Default for Argument {
    fn default() -> Self {
        Argument::One(Datum::Nil)
    }
}

/// Builds a history from foreign events.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    pub(super) history: History,
    keys: Keys,
    last_index: Option<i64>,
    /// The number that a process goes by after an `:info`, if it went on.
    successors: HashMap<u64, u64>,
    /// The numbers that were given to successors.
    given: HashSet<u64>,
    /// No process has a greater number.
    greatest: u64,
}

impl Foreign {
    /// Builds on a history, which has no events yet.
    pub(super) fn of(history: History) -> Self {
        Foreign { history, ..Self::default() }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// What is wrong with it, as a message.
    pub(super) fn event(&mut self, told: &Told<'_>) -> Result<(), String> {
        let missing =
            |field| format!("an operation has `:process`, `:type` and `:f`; here there is no `{field}`");
        let process = told.process.ok_or_else(|| missing(":process"))?;
        let r#type = told.r#type.ok_or_else(|| missing(":type"))?;
        let f = told.f.as_deref().ok_or_else(|| missing(":f"))?;
        let at = self.moment(told)?;
        let process = match process {
            Process::Client(process) => process,
            Process::Nemesis => return self.nemesis(at, f, told),
        };
        match r#type {
            Type::Invoke => self.invoke(at, process, f, told),
            Type::Ok | Type::Fail | Type::Info => {
                let process = self.successors.get(&process).copied().unwrap_or(process);
                self.complete(at, process, r#type, f, told)
            }
        }
    }

    /// The place of the next event.
    fn moment(&mut self, told: &Told<'_>) -> Result<Moment, String> {
        if let (Some(last), Some(index)) = (self.last_index, told.index)
            && index <= last
        {
            return Err(format!(
                "index {index} comes after {last}: the events of a history stand in the order in which they happened"
            ));
        }
        self.last_index = told.index.or(self.last_index);
        let time = told.time.and_then(|time| u64::try_from(time).ok()).unwrap_or(0);
        Ok(Moment { index: self.history.next_index(), time: time.max(self.history.last_time) })
    }

    fn invoke(&mut self, at: Moment, process: u64, f: &str, told: &Told<'_>) -> Result<(), String> {
        let process = self.living(process);
        let (key, value) = match told.key {
            Some(key) => (self.key(key), told.value),
            None => match self.keys.of_invocation(general::canonical(f), told.value, &mut self.history) {
                Some((key, value)) => (Some(key), value),
                None => (None, told.value),
            },
        };
        let input = self.input(f, value);
        let id = self.history.invoke(at, process, told.node, key, input).map_err(|error| match error {
            HistoryError::AlreadyOpen { .. } => {
                format!("{error}; its completion is missing (`:info`, if nobody knows how it ended)")
            }
            error => error.to_string(),
        })?;
        self.keys.invoked(id, told.key.is_some());
        Ok(())
    }

    /// The number by which a process goes now: another one if it got an `:info`.
    fn living(&mut self, process: u64) -> u64 {
        self.greatest = self.greatest.max(process);
        let now = self.successors.get(&process).copied();
        let taken = now.is_none() && self.given.contains(&process);
        let number = now.unwrap_or(process);
        if !taken && self.history.processes.get(number) != super::Process::Dead {
            return number;
        }
        // Processes are numbered by 63 bits, so that there is always a greater number.
        self.greatest += 1;
        self.successors.insert(process, self.greatest);
        self.given.insert(self.greatest);
        self.greatest
    }

    /// A key as a symbol, nil being none.
    fn key(&mut self, key: Datum) -> Option<Symbol> {
        keys::symbol(key, &mut self.history.symbols)
    }

    fn input(&mut self, f: &str, value: Argument) -> Input {
        let symbols = &mut self.history.symbols;
        if let ("cas", Argument::Pair(from, to)) = (f, value) {
            return Input::Cas { from, to };
        }
        let value = value.datum(symbols);
        match general::input(f, value, symbols) {
            other @ Input::Other { .. } if is_of_the_chat(f) => {
                let json = plain(value, symbols).to_string();
                Input::parse(f, &json, symbols).unwrap_or(other)
            }
            input => input,
        }
    }

    fn complete(
        &mut self,
        at: Moment,
        process: u64,
        r#type: Type,
        f: &str,
        told: &Told<'_>,
    ) -> Result<(), String> {
        let f = general::canonical(f);
        let open = self.history.open(process);
        let mut value = told.value;
        if let Some(id) = open {
            value = self.about_its_key(id, f, told)?;
        }
        let asked = open.map(|id| self.history.operation(id).input.argument());
        let error = told.error.or_else(|| match value {
            // Old logs have the error in the value's place: `:info :cas :timed-out`.
            Argument::One(said @ Datum::Other(text)) if asked != Some(said) => {
                let name = self.history.text(text).strip_prefix(':').map(str::to_owned);
                name.map(|name| self.history.symbols.intern(&name))
            }
            _ => None,
        });
        let outcome = match (r#type, open) {
            (Type::Fail, _) => Outcome::Fail(error),
            (Type::Info, _) => Outcome::Info(error),
            (_, Some(id)) if self.history.f(self.history.operation(id)) == f => {
                Outcome::Ok(self.output(self.history.operation(id).input, f, value)?)
            }
            // The history refuses it below.
            _ => Outcome::Ok(Output::Done),
        };
        self.history.complete(at, process, f, outcome).map_err(|error| match error {
            HistoryError::NothingOpen { .. } => {
                format!("{error}; its invocation is missing, or it was completed before")
            }
            error => error.to_string(),
        })?;
        Ok(())
    }

    /// The answer without the key, which must be the one that was asked.
    fn about_its_key(&mut self, id: OperationId, f: &str, told: &Told<'_>) -> Result<Argument, String> {
        let asked = self.history.operation(id).key;
        let (key, value) = match told.key {
            Some(key) => (self.key(key), told.value),
            None => match self.keys.of_completion(asked, told.value, &mut self.history) {
                Some((key, value)) => (Some(key), value),
                None => return Ok(told.value),
            },
        };
        match (key, asked) {
            (Some(key), Some(asked)) if key != asked => {
                let [key, asked] = [key, asked].map(|key| self.history.text(key));
                Err(format!("this completes `{f}` of `{key}` but what is open was asked of `{asked}`"))
            }
            _ => Ok(value),
        }
    }

    fn output(&mut self, input: Input, f: &str, value: Argument) -> Result<Output, String> {
        let symbols = &mut self.history.symbols;
        if matches!(input, Input::Write { .. } | Input::Cas { .. }) {
            return Ok(Output::Done);
        }
        let value = value.datum(symbols);
        match input.object() {
            Object::Register | Object::General | Object::Unknown => Ok(general::output(&input, value)),
            Object::Conversation | Object::Account | Object::Subscription => {
                let json = plain(value, symbols).to_string();
                Output::parse(&input, &json, symbols).map_err(|error| match error {
                    ValueError::Json(error) => format!("value of `{f}`: {}", crate::json::message(&error)),
                    ValueError::Meaning(message) => format!("value of `{f}`: {message}"),
                })
            }
        }
    }

    fn nemesis(&mut self, at: Moment, f: &str, told: &Told<'_>) -> Result<(), String> {
        let key = told.key.and_then(|key| self.key(key));
        let symbols = &mut self.history.symbols;
        let value = told.value.datum(symbols);
        let mut nodes: Vec<Symbol> = told.node.into_iter().collect();
        if let Datum::Map(entries) = value {
            let (entries, _) = symbols.items(entries).as_chunks::<2>();
            let said =
                entries.iter().find(|[key, _]| key.key_text(symbols).trim_start_matches(':') == "nodes");
            let said = said.and_then(|[_, nodes]| nodes.items(symbols)).unwrap_or_default();
            let names = said.iter().filter_map(|node| match node {
                Datum::Name(name) => Some(*name),
                _ => None,
            });
            if !said.is_empty() && names.clone().count() == said.len() {
                nodes = names.collect();
            }
        }
        let f = symbols.intern(f);
        let line = FaultLine { f, key, nodes: nodes.into(), value };
        self.history.nemesis(at, line).map_err(|error| error.to_string())
    }
}

impl Argument {
    /// The value as one datum.
    pub(super) fn datum(self, symbols: &mut super::Symbols) -> Datum {
        match self {
            Argument::One(value) => value,
            Argument::Pair(one, other) => Datum::List(symbols.list(&[one, other])),
            Argument::Keyed(key, one, other) => {
                let inner = Datum::List(symbols.list(&[one, other]));
                Datum::List(symbols.list(&[key, inner]))
            }
        }
    }
}

/// The operations of the chat, whose values are objects.
fn is_of_the_chat(f: &str) -> bool {
    matches!(
        f,
        "send" | "read" | "delete" | "poll" | "create-account" | "delete-account" | "login" | "list-accounts"
    )
}

/// A value as JSON, keywords being strings without their colon.
fn plain(value: Datum, symbols: &super::Symbols) -> serde_json::Value {
    let text = |datum: Datum| {
        let text = datum.key_text(symbols);
        text.strip_prefix(':').map(str::to_owned).unwrap_or(text)
    };
    match value {
        Datum::Other(other) if symbols.text(other).starts_with(':') => text(value).into(),
        Datum::List(list) => symbols.items(list).iter().map(|item| plain(*item, symbols)).collect(),
        Datum::Map(list) => {
            let (entries, _) = symbols.items(list).as_chunks::<2>();
            let entries = entries.iter().map(|[key, value]| (text(*key), plain(*value, symbols)));
            serde_json::Value::Object(entries.collect())
        }
        other => other.to_json(symbols),
    }
}

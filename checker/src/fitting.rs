//! Which model a history is judged by, and whether its operations fit.
//!
//! Operations of a chat say by their names what they are about: conversations, accounts, subscriptions. Those of general
//! objects do not: an `add` is about a set or a counter, a `read` sees whatever the object is. Their model is either
//! [named](choose), and then everything must fit it, or guessed from the operations and their answers.
//!
//! What this module does not do is guess key by key: one model judges all general objects of a history.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::explain;
use crate::history::transaction::{What, is_answered, only_key, parts};
use crate::history::{Datum, History, Input, Object, Operation, Output, Symbols};
use crate::limits::{Budget, Exceeded, Limits};
use crate::search::text;

/// Makes the models from the table below.
macro_rules! models {
    ($($(#[doc = $doc:literal])+ $model:ident = $name:literal,)+) => {
        /// A model by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ModelName {
            $($(#[doc = $doc])+ $model,)+
        }

        impl ModelName {
            /// All the models there are; of those that fit a history, the first is guessed.
            pub const ALL: [ModelName; [$($name),+].len()] = [$(ModelName::$model),+];

            /// The name on command lines and in reports.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(ModelName::$model => $name,)+
                }
            }

            /// What it is about, and the operations that it knows.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self {
                    $(ModelName::$model => concat!($($doc),+),)+
                }
            }
        }
    };
}

models! {
    /// Conversations: send and read
    Conversation = "conversation",
    /// Account names: create, delete, log in, list
    Accounts = "accounts",
    /// Registers: read and write
    Register = "register",
    /// Registers: read, write, compare and set
    CasRegister = "cas-register",
    /// Several registers: transactions of reads and writes
    MultiRegister = "multi-register",
    /// Locks: acquire and release
    Mutex = "mutex",
    /// Queues: enqueue, dequeue, drain
    Queue = "queue",
    /// Lists: append and read, and transactions of those on one list
    ListAppend = "list-append",
    /// Texts of a map: put, append, get
    Kv = "kv",
    /// Sets: add, remove, contains, read
    Set = "set",
    /// Counters: add, increment, decrement, read
    Counter = "counter",
    /// Marks that only go forward: mark and read
    Marks = "marks",
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no model's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown model `{0}`; there are {names}", names = explain::list(&ModelName::ALL.map(ModelName::name)))]
pub struct UnknownModel(pub String);

impl FromStr for ModelName {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, UnknownModel> {
        let named = ModelName::ALL.into_iter().find(|model| model.name() == name);
        named.ok_or_else(|| UnknownModel(name.to_owned()))
    }
}

/// An operation that does not fit the model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} at index {index} {does_not_fit} `{model}`; {others}")]
pub struct Misfit {
    /// The operation or its answer: `` `enqueue` ``.
    what: String,
    does_not_fit: &'static str,
    /// The index of the invocation in the history.
    pub index: u32,
    /// The model that was named.
    pub model: ModelName,
    others: String,
}

impl Misfit {
    /// What does not fit, without where it stands.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Misfit { what, does_not_fit, model, others, .. } = self;
        format!("{what} {does_not_fit} `{model}`; {others}")
    }
}

/// The model of the general objects of a history, and why it is that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The model; `None` if there are no general objects, or if no model fits all of them.
    pub model: Option<ModelName>,
    /// How it was guessed: `its operations are add and read, and reads answer with lists`. `None` if it was named.
    pub why: Option<String>,
}

/// Takes the model that is named, or guesses one. Once a limit is hit, what was named is taken and nothing is guessed:
/// whoever judges by it asks for the limit before anything else.
///
/// # Errors
/// [`Misfit`] if an operation does not fit the model that is named. A guess always fits; if there is none, the
/// operations that no model knows are for the check to complain of.
pub fn choose(history: &History, named: Option<ModelName>, limits: &Limits<'_>) -> Result<Choice, Misfit> {
    let mut budget = Budget::new(limits);
    let Some(model) = named else { return Ok(guess(history, &mut budget).unwrap_or_default()) };
    match unfit(model, history, |_| true, &mut budget) {
        Ok(Some(operation)) => Err(misfit(model, history, operation)),
        Ok(None) | Err(_) => Ok(Choice { model: Some(model), why: None }),
    }
}

/// The first of the operations that are `wanted` which does not fit a model.
fn unfit<'h>(
    model: ModelName,
    history: &'h History,
    wanted: impl Fn(&Operation) -> bool,
    budget: &mut Budget<'_>,
) -> Result<Option<&'h Operation>, Exceeded> {
    for operation in history.operations() {
        budget.tick()?;
        if wanted(operation) && !fits(model, history, operation) {
            return Ok(Some(operation));
        }
    }
    Ok(None)
}

/// Whether an operation is about a general object, which does not say what it is.
#[must_use]
pub(crate) fn is_general(operation: &Operation) -> bool {
    matches!(operation.input.object(), Object::General | Object::Register | Object::Unknown)
}

fn guess(history: &History, budget: &mut Budget<'_>) -> Result<Choice, Exceeded> {
    let (mut names, mut answers) = (BTreeSet::new(), BTreeSet::new());
    for operation in history.operations().iter().filter(|operation| is_general(operation)) {
        budget.tick()?;
        names.insert(history.f(operation));
        if operation.input == Input::Get {
            answers.extend(operation.output().and_then(shape));
        }
    }
    let mut model = None;
    for candidate in ModelName::ALL.into_iter().filter(|_| !names.is_empty()) {
        if unfit(candidate, history, is_general, budget)?.is_none() {
            model = Some(candidate);
            break;
        }
    }
    let Some(model) = model else { return Ok(Choice::default()) };
    let names: Vec<&str> = names.into_iter().collect();
    let is_one = names.len() == 1;
    let answers: Vec<&str> = answers.into_iter().collect();
    let mut why = format!("its operations are {}", explain::list(&names));
    if is_one {
        why = format!("its only operation is {}", names[0]);
    }
    if !answers.is_empty() {
        why.push_str(&format!(", and reads answer with {}", explain::list(&answers)));
    }
    Ok(Choice { model: Some(model), why: Some(why) })
}

/// What sort of thing a read answered; nil may be anything.
fn shape(output: &Output) -> Option<&'static str> {
    match output {
        Output::Value { value: Datum::List(_) } => Some("lists"),
        Output::Value { value: Datum::Int(_) } => Some("numbers"),
        Output::Value { value: Datum::Name(_) | Datum::Other(_) } => Some("texts"),
        Output::Value { value: Datum::Map(_) } => Some("maps"),
        _ => None,
    }
}

/// Whether a model knows an operation, and can give its answer.
fn fits(model: ModelName, history: &History, operation: &Operation) -> bool {
    asks(model, history, operation) && answers(model, history, operation)
}

/// The names of the operation that asks whether something is in a set.
const CONTAINS: [&str; 4] = ["contains", "contains?", "member", "member?"];

/// The names of the operation that sets a mark.
const MARK: [&str; 2] = ["mark", "mark-read"];

/// Whether a model knows the question.
fn asks(model: ModelName, history: &History, operation: &Operation) -> bool {
    let symbols = &history.symbols;
    let is_named = |names: &[&str]| names.contains(&operation.input.f(symbols).trim_start_matches(':'));
    let is_number = |value: &Datum| matches!(value, Datum::Int(_));
    let is_text = |value: &Datum| text(*value, symbols).is_some();
    let is_made_of = |operations, wanted: &[What]| {
        parts(Datum::List(operations), symbols)
            .is_some_and(|parts| parts.iter().all(|part| wanted.contains(&part.what)))
    };
    match (model, &operation.input) {
        (ModelName::Conversation, input) => {
            matches!(input.object(), Object::Conversation | Object::Subscription)
        }
        (ModelName::Accounts, input) => input.object() == Object::Account,
        (ModelName::MultiRegister, Input::Txn { operations }) => {
            is_made_of(*operations, &[What::Read, What::Write])
        }
        (ModelName::ListAppend, Input::Txn { operations }) => {
            is_made_of(*operations, &[What::Read, What::Append]) && only_key(history, operation).is_some()
        }
        (ModelName::Mutex | ModelName::Queue | ModelName::MultiRegister, Input::Get) => false,
        (ModelName::Register | ModelName::CasRegister, Input::Write { .. })
        | (ModelName::CasRegister, Input::Cas { .. })
        | (ModelName::Mutex, Input::Acquire { .. } | Input::Release { .. })
        | (ModelName::Queue, Input::Enqueue { .. } | Input::Dequeue | Input::Drain)
        | (ModelName::ListAppend, Input::Append { .. })
        | (ModelName::Set, Input::Add { .. } | Input::Remove { .. })
        | (_, Input::Get) => true,
        (ModelName::Kv, Input::Put { value } | Input::Append { value }) => is_text(value),
        (ModelName::Set, Input::Other { .. }) => is_named(&CONTAINS),
        (ModelName::Counter, Input::Add { value }) => is_number(value),
        (ModelName::Counter, Input::Increment { by } | Input::Decrement { by }) => {
            is_number(by) || *by == Datum::Nil
        }
        (ModelName::Marks, Input::Other { value, .. }) => is_named(&MARK) && is_number(value),
        _ => false,
    }
}

/// Whether a model that knows the question can give the answer.
fn answers(model: ModelName, history: &History, operation: &Operation) -> bool {
    let is_list = |value: &Datum| matches!(value, Datum::List(_) | Datum::Nil);
    let is_number = |value: &Datum| matches!(value, Datum::Int(_) | Datum::Nil);
    match (model, &operation.input, operation.output()) {
        (_, _, None) => true,
        (ModelName::MultiRegister, ..) => is_answered(history, operation),
        (ModelName::ListAppend, Input::Txn { .. }, Some(Output::Value { value })) => {
            is_answered(history, operation)
                && parts(*value, &history.symbols).is_some_and(|parts| {
                    parts.iter().all(|part| part.what == What::Append || is_list(&part.value))
                })
        }
        (ModelName::ListAppend | ModelName::Set, Input::Get, Some(Output::Value { value }))
        | (ModelName::Queue, Input::Drain, Some(Output::Value { value })) => is_list(value),
        (ModelName::Counter | ModelName::Marks, Input::Get, Some(Output::Value { value })) => {
            is_number(value)
        }
        (ModelName::Kv, Input::Get, Some(Output::Value { value })) => {
            text(*value, &history.symbols).is_some()
        }
        (ModelName::Set, Input::Other { .. }, Some(Output::Value { value })) => {
            matches!(value, Datum::Bool(_))
        }
        _ => true,
    }
}

fn misfit(model: ModelName, history: &History, operation: &Operation) -> Misfit {
    let f = history.f(operation);
    let fitting: Vec<&str> = ModelName::ALL
        .into_iter()
        .filter(|model| fits(*model, history, operation))
        .map(ModelName::name)
        .collect();
    let others = match fitting.len() {
        0 => "no other model knows it either".to_owned(),
        1 => format!("the model {} knows it", fitting[0]),
        _ => format!("the models {} know it", explain::list(&fitting)),
    };
    let (what, does_not_fit) = match (asks(model, history, operation), operation.output()) {
        (true, Some(output)) => {
            let answer = output.to_json(&operation.input, &history.symbols);
            (format!("the answer {} to `{f}`", short(&answer.to_string())), "is none that fits the model")
        }
        _ => (
            format!("`{}`", short(&question(f, operation, &history.symbols))),
            "is no operation of the model",
        ),
    };
    Misfit { what, does_not_fit, index: operation.invoked.index, model, others }
}

fn question(f: &str, operation: &Operation, symbols: &Symbols) -> String {
    match operation.input.argument() {
        Datum::Nil => f.to_owned(),
        argument => format!("{f} {}", argument.text(symbols)),
    }
}

/// The most of a value that a complaint quotes, in characters.
const QUOTED_MAX: usize = 60;

fn short(text: &str) -> String {
    match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

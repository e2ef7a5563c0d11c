//! Transactions as histories have them: a list of parts, each a list of what is done, to which object, with which value.
//!
//! ```text
//! [["r", "x", null], ["append", "x", 3]]
//! ```
//!
//! An answer is the same list with the values that were read. What a part means, the models say.

use super::{Datum, History, Input, Operation, Output, Symbols};

/// A part of a transaction as a history has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) what: What,
    /// The object.
    pub(crate) key: Datum,
    pub(crate) value: Datum,
}

/// What a part of a transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Read,
    Write,
    Append,
}

/// The parts of a transaction; `None` if one of them is unknown.
pub(crate) fn parts(operations: Datum, symbols: &Symbols) -> Option<Vec<Part>> {
    let part = |part: &Datum| {
        let &[name, key, value] = part.items(symbols)? else { return None };
        let what = match name.key_text(symbols).trim_start_matches(':') {
            "r" | "read" => What::Read,
            "w" | "write" => What::Write,
            "append" => What::Append,
            _ => return None,
        };
        Some(Part { what, key, value })
    };
    operations.items(symbols)?.iter().map(part).collect()
}

/// The one object that a transaction is about.
pub(crate) fn only_key(history: &History, operation: &Operation) -> Option<Datum> {
    let Input::Txn { operations } = operation.input else { return None };
    let parts = parts(Datum::List(operations), &history.symbols)?;
    let first = parts.first()?.key;
    parts.iter().all(|part| part.key == first).then_some(first)
}

/// The values that a transaction has read, in order, if its answer fits it.
pub(crate) fn answers(history: &History, asked: &[Part], output: &Output) -> Option<Vec<Datum>> {
    let Output::Value { value } = output else { return None };
    let answered = parts(*value, &history.symbols)?;
    let fits = answered.len() == asked.len()
        && asked.iter().zip(&answered).all(|(asked, answered)| {
            (asked.what, asked.key) == (answered.what, answered.key)
                && (asked.what == What::Read || asked.value == answered.value)
        });
    let reads = answered.iter().filter(|part| part.what == What::Read);
    fits.then(|| reads.map(|part| part.value).collect())
}

/// Whether the answer to a transaction fits it.
pub(crate) fn is_answered(history: &History, operation: &Operation) -> bool {
    match (&operation.input, operation.output()) {
        (Input::Txn { operations }, Some(output)) => parts(Datum::List(*operations), &history.symbols)
            .is_some_and(|asked| answers(history, &asked, output).is_some()),
        _ => true,
    }
}

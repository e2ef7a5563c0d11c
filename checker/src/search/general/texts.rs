//! Entries of maps of texts in a history.

mod words;

use super::tell::{FAILED_MAX, Shape, Told};
use super::{Adapter, Push};
use crate::history::{
    self, Datum, History, Input, Operation, OperationId, Outcome as Ending, Output, Symbols,
};
use crate::limits::Limits;
use crate::model::OperationOf;
use crate::model::kv::{self, Kv};
use crate::model::register::{Initially, NilRead, Semantics};
use crate::search::kv::check_kv_counted;
use crate::search::{Contradiction, Outcome};

/// The text of a value, if it is one; nil is the empty one.
pub(crate) fn text(value: Datum, symbols: &Symbols) -> Option<&str> {
    match value {
        Datum::Nil => Some(""),
        Datum::Name(text) | Datum::Other(text) => Some(symbols.text(text)),
        _ => None,
    }
}

/// Entries: `put`, `append` and `get`.
pub(super) struct Entries<'h> {
    history: &'h History,
    model: Kv<'h>,
    semantics: Semantics,
}

impl<'h> Entries<'h> {
    pub(super) fn new(history: &'h History, semantics: Semantics) -> Self {
        let initial = match semantics.initially {
            Initially::Value(value) => text(value, &history.symbols).unwrap_or_default(),
            _ => "",
        };
        Entries { history, model: Kv { initial }, semantics }
    }
}

impl<'h> Adapter<'h> for Entries<'h> {
    type Model = Kv<'h>;

    fn model(&self) -> &Kv<'h> {
        &self.model
    }

    fn translate(&self, operation: &'h Operation, push: &mut Push<'_, Kv<'h>>) {
        let text = |value: Datum| text(value, &self.history.symbols);
        let asked = match operation.input {
            Input::Put { value } => text(value).map(kv::Input::Put),
            Input::Append { value } => text(value).map(kv::Input::Append),
            _ => Some(kv::Input::Get),
        };
        let Some(asked) = asked else { return };
        let output = match (&operation.outcome, asked) {
            (history::Outcome::Fail(_), _) => return,
            (history::Outcome::Info(_), _) => None,
            (history::Outcome::Ok(_), kv::Input::Put(_) | kv::Input::Append(_)) => Some(kv::Output::Done),
            (history::Outcome::Ok(Output::Value { value: Datum::Nil }), _) => match self.semantics.nil_read {
                NilRead::Anything => return,
                NilRead::Nil => Some(kv::Output::Value("")),
                NilRead::Initial => Some(kv::Output::Value(self.model.initial)),
            },
            (history::Outcome::Ok(Output::Value { value }), _) => match text(*value) {
                Some(text) => Some(kv::Output::Value(text)),
                None => return,
            },
            (history::Outcome::Ok(_), _) => return,
        };
        push(asked, output);
    }

    fn search(&self, operations: &[OperationOf<Kv<'h>>], told: bool, limits: &Limits<'_>) -> (Outcome, u64) {
        check_kv_counted(&self.model, operations, told, limits)
    }

    fn recognize(&self, told: &Told<'_, 'h, Self>, contradiction: &Contradiction) -> Option<Shape> {
        let word = |id: &OperationId| match self.history.operation(*id).input {
            Input::Put { value } | Input::Append { value } => text(value, &self.history.symbols),
            _ => None,
        };
        let has_failed = |id: &&OperationId| matches!(self.history.operation(**id).outcome, Ending::Fail(_));
        let failed: Vec<(OperationId, &str)> = told
            .ids
            .iter()
            .filter(has_failed)
            .filter_map(|id| Some((*id, word(id).filter(|word| !word.is_empty())?)))
            .collect();
        let failed_words: Vec<&str> = failed.iter().map(|(_, word)| *word).collect();
        let late = told.is_late(contradiction);
        let flaw = words::flaw(&self.model, &told.timed.operations, &failed_words, contradiction, late)?;
        let beside = failed.iter().filter(|(_, word)| flaw.failed.contains(word)).map(|(id, _)| *id);
        Some(Shape { kind: flaw.kind, why: flaw.why, beside: beside.take(FAILED_MAX).collect() })
    }
}

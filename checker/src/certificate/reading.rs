//! How a history was read where histories differ, without the history: what a certificate says of it.

use crate::history::{Datum, History};
use crate::model::register::{FailedCas, Initially, NilRead, Semantics};

/// What answers mean, and what there was at the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What a failure without an error proves.
    pub fail: FailedCas,
    /// What a read that answered nil has seen.
    pub nil: NilRead,
    /// What there was at the start.
    pub initially: Start,
}

/// What there was at the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Start {
    /// Nil, 0, or nothing.
    #[default]
    Nil,
    /// Nobody knows.
    Unknown,
    /// This JSON value.
    Value(String),
}

/// What stands behind `initial` if nobody knows the value at the start.
const UNKNOWN: &str = "unknown";

impl Reading {
    /// How a history was read.
    #[must_use]
    pub fn of(history: &History, semantics: Semantics) -> Self {
        let initially = match semantics.initially {
            Initially::Nil => Start::Nil,
            Initially::Unknown => Start::Unknown,
            Initially::Value(value) => Start::Value(value.text(&history.symbols)),
        };
        Reading { fail: semantics.failed_cas, nil: semantics.nil_read, initially }
    }

    /// The same in terms of a history, which learns the value at the start.
    ///
    /// # Errors
    /// What is wrong with that value.
    pub fn semantics(&self, history: &mut History) -> Result<Semantics, String> {
        let initially = match &self.initially {
            Start::Nil => Initially::Nil,
            Start::Unknown => Initially::Unknown,
            Start::Value(json) => Datum::from_json(json, &mut history.symbols)
                .map(Initially::Value)
                .map_err(|error| format!("`initial {json}` is not JSON: {error}"))?,
        };
        Ok(Semantics { failed_cas: self.fail, nil_read: self.nil, initially })
    }

    /// The lines of a certificate that say so: none for the usual reading.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.fail == FailedCas::ValueDiffered {
            lines.push("fail observed".to_owned());
        }
        match self.nil {
            NilRead::Nil => {}
            NilRead::Anything => lines.push("nil any".to_owned()),
            NilRead::Initial => lines.push("nil initial".to_owned()),
        }
        match &self.initially {
            Start::Nil => {}
            Start::Unknown => lines.push(format!("initial {UNKNOWN}")),
            Start::Value(json) => lines.push(format!("initial {json}")),
        }
        lines
    }

    /// Reads a line; whether it is one of these.
    pub(super) fn line(&mut self, line: &str) -> bool {
        match line.split_once(' ') {
            Some(("fail", "observed")) => self.fail = FailedCas::ValueDiffered,
            Some(("nil", "any")) => self.nil = NilRead::Anything,
            Some(("nil", "initial")) => self.nil = NilRead::Initial,
            Some(("initial", UNKNOWN)) => self.initially = Start::Unknown,
            Some(("initial", json)) => self.initially = Start::Value(json.to_owned()),
            _ => return false,
        }
        true
    }
}

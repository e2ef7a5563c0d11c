//! The switches that say how a history is read: the model, and what answers mean.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::check::Options;
use crate::fitting::ModelName;
use crate::history::{Datum, History};
use crate::model::register::{FailedCas, Initially, NilRead, Semantics};

#[derive(Debug, Clone, Args)]
pub(super) struct Switches {
    /// What the operations are about; then one that does not fit is an error. `auto` takes operations of a chat by their
    /// names and guesses a model for all others
    #[arg(long, value_name = "NAME", value_parser = models(), default_value = AUTO)]
    pub(super) model: Named,

    /// What it means that an operation failed without an error: that it did not happen, or that it saw a reason not to
    /// (a cas another value, a dequeue an empty queue, an acquisition a lock that is held)
    #[arg(long, value_enum, default_value_t = Fail::DidNotHappen)]
    fail: Fail,

    /// What a read that answered nil has seen
    #[arg(long, value_enum, default_value_t = Seen::Nil)]
    nil: Seen,

    /// The value at the start, as JSON [default: nil, 0, or nothing]
    #[arg(long, value_name = "VALUE")]
    initial: Option<String>,
}

/// The model that was named, if one was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named(pub(super) Option<ModelName>);

/// The word for no name.
const AUTO: &str = "auto";

fn models() -> impl TypedValueParser<Value = Named> {
    let models =
        ModelName::ALL.map(|model| PossibleValue::new(model.name()).help(model.about().trim_start()));
    let auto = PossibleValue::new(AUTO).help("What fits the operations");
    let values: Vec<PossibleValue> = std::iter::once(auto).chain(models).collect();
    PossibleValuesParser::new(values).map(|name| Named(name.parse().ok()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fail {
    /// It proves nothing else
    DidNotHappen,
    /// It is an observation
    Observed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Seen {
    /// Something that nobody wrote, or nil
    Nil,
    /// Anything: it proves nothing
    Any,
    /// What was there at the start
    Initial,
}

impl Switches {
    /// How the history is to be read.
    pub(super) fn options(&self, history: &mut History) -> Result<Options, String> {
        let initially = match &self.initial {
            None => Initially::Nil,
            Some(text) => {
                let value = Datum::from_json(text, &mut history.symbols);
                Initially::Value(value.map_err(|error| format!("--initial {text}: not JSON: {error}"))?)
            }
        };
        let failed_cas = match self.fail {
            Fail::DidNotHappen => FailedCas::NotApplied,
            Fail::Observed => FailedCas::ValueDiffered,
        };
        let nil_read = match self.nil {
            Seen::Nil => NilRead::Nil,
            Seen::Any => NilRead::Anything,
            Seen::Initial => NilRead::Initial,
        };
        Ok(Options { model: self.model.0, semantics: Semantics { nil_read, failed_cas, initially } })
    }
}

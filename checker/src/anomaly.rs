//! An anomaly: a contradiction in the evidence, with the few operations that prove it.
//!
//! A decider finds that something is impossible and names the operations; [`Anomaly::of_scene`] adds what a
//! person needs: the full operations with their places in the history, and a drawing.

mod kind;

pub use kind::AnomalyKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::evidence::StateDigest;
use crate::evidence::trace::TraceEvent;
use crate::explain::{self, Scene};
use crate::history::{History, Moment, OperationId, Outcome, Symbol};

/// One contradiction and its proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// What kind of contradiction.
    pub kind: AnomalyKind,
    /// The name of the kind in Jepsen's vocabulary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elle: Option<String>,
    /// The conversation, account or register.
    pub key: Option<String>,
    /// If the contradiction rests on one event having come before another: the time between them, in ns. The wider,
    /// the less a reader doubts the recorder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin_ns: Option<u64>,
    /// The contradiction in one sentence.
    pub sentence: String,
    /// The operations that contradict each other, in the order of their invocation.
    pub operations: Vec<Witness>,
    /// The lines of the nodes' traces that contradict each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<TraceEvent>,
    /// The digests that contradict each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<StateDigest>,
    /// A picture of it, at most [`explain::WIDTH`] columns wide.
    pub drawing: String,
}

/// An operation as a proof shows it: complete, and readable without the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Witness {
    /// The index of the invocation in the history.
    pub index: u32,
    /// The index of the completion.
    pub completed_index: Option<u32>,
    /// The process.
    pub process: u64,
    /// The node it talked to.
    pub node: Option<String>,
    /// The operation's name.
    pub f: String,
    /// The object.
    pub key: Option<String>,
    /// What was asked.
    pub value: Value,
    /// `ok`, `fail` or `info`.
    pub r#type: String,
    /// What was answered.
    pub result: Value,
    /// Why it failed or why nobody knows.
    pub error: Option<String>,
    /// When it was invoked, in ns since the start of the run.
    pub invoked: u64,
    /// When it completed, in ns since the start of the run.
    pub completed: Option<u64>,
}

impl Witness {
    fn new(history: &History, id: OperationId) -> Self {
        let operation = history.operation(id);
        let text = |symbol: Symbol| history.text(symbol).to_owned();
        let (r#type, result, error) = match &operation.outcome {
            Outcome::Ok(output) => ("ok", output.to_json(&operation.input, &history.symbols), None),
            Outcome::Fail(error) => ("fail", Value::Null, error.map(text)),
            Outcome::Info(error) => ("info", Value::Null, error.map(text)),
        };
        Witness {
            index: operation.invoked.index,
            completed_index: operation.completed.map(|completed| completed.index),
            process: operation.process,
            node: operation.node.map(text),
            f: history.f(operation).to_owned(),
            key: operation.key.map(text),
            value: operation.input.to_json(&history.symbols),
            r#type: r#type.to_owned(),
            result,
            error,
            invoked: operation.invoked.time,
            completed: operation.completed.map(|completed| completed.time),
        }
    }
}

impl Anomaly {
    /// An anomaly proven by the operations of a scene.
    #[must_use]
    pub fn of_scene(kind: AnomalyKind, scene: &Scene<'_>, sentence: impl Into<String>) -> Self {
        let history = scene.history();
        Anomaly {
            operations: scene.ids().iter().map(|id| Witness::new(history, *id)).collect(),
            drawing: scene.draw(),
            key: scene.key().map(|key| history.text(key).to_owned()),
            ..Self::bare(kind, sentence.into())
        }
    }

    /// The same anomaly, which rests on `first` having come before `second`.
    #[must_use]
    pub fn with_margin(mut self, first: Moment, second: Moment) -> Self {
        self.margin_ns = second.time.checked_sub(first.time);
        self
    }

    /// An anomaly proven by lines of the nodes' traces.
    #[must_use]
    pub fn of_trace(kind: AnomalyKind, trace: Vec<TraceEvent>, sentence: impl Into<String>) -> Self {
        let drawing = explain::draw_trace(&trace);
        Anomaly { trace, drawing, ..Self::bare(kind, sentence.into()) }
    }

    /// An anomaly proven by digests of the nodes' states.
    #[must_use]
    pub fn of_digests(kind: AnomalyKind, digests: Vec<StateDigest>, sentence: impl Into<String>) -> Self {
        let drawing = explain::draw_digests(&digests);
        Anomaly { digests, drawing, ..Self::bare(kind, sentence.into()) }
    }

    fn bare(kind: AnomalyKind, sentence: String) -> Self {
        Anomaly {
            kind,
            elle: kind.elle().map(str::to_owned),
            key: None,
            margin_ns: None,
            sentence,
            operations: Vec::new(),
            trace: Vec::new(),
            digests: Vec::new(),
            drawing: String::new(),
        }
    }
}

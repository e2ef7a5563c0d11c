//! What a proof shows: operations and faults, complete, and readable without the history.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::explain::{Scene, Stood, letter, printable};
use crate::history::{History, OperationId, Outcome, Symbol};

/// An operation as a proof shows it: complete, and readable without the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Witness {
    /// The letter that the drawing and the sentence have for it: `A`.
    #[serde(default)]
    pub label: String,
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
    /// The question and the answer in words, long answers abridged to what matters here.
    #[serde(default)]
    pub text: String,
    /// Whether it is shown beside the proof, because it is spoken of: the others contradict each other, whether this one
    /// took effect in its time or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context: bool,
}

impl Witness {
    pub(super) fn new(scene: &Scene<'_>, position: usize, id: OperationId) -> Self {
        let history = scene.history();
        let operation = history.operation(id);
        let text = |symbol: Symbol| history.text(symbol).to_owned();
        let (r#type, result, error) = match &operation.outcome {
            Outcome::Ok(output) => ("ok", output.to_json(&operation.input, &history.symbols), None),
            Outcome::Fail(error) => ("fail", Value::Null, error.map(text)),
            Outcome::Info(error) => ("info", Value::Null, error.map(text)),
        };
        Witness {
            label: letter(position),
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
            text: printable(&scene.describe(operation)).into_owned(),
            context: scene.is_beside(id),
        }
    }

    /// Who did it, and where: `client 5 on n2`.
    #[must_use]
    pub fn client(&self) -> String {
        match &self.node {
            Some(node) => format!("client {} on {}", self.process, printable(node)),
            None => format!("client {}", self.process),
        }
    }
}

/// A fault and its window of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The verb: `kill`, `pause`, `partition`.
    pub f: String,
    /// The nodes it struck.
    pub nodes: Vec<String>,
    /// When it was put in place, in ns since the start of the run.
    pub began: u64,
    /// When it was lifted; `None` if the history ends before.
    pub ended: Option<u64>,
    /// The index of its first line in the history.
    pub began_index: u32,
    /// The index of its second line.
    pub ended_index: Option<u32>,
}

impl Window {
    pub(super) fn new(history: &History, fault: &Stood<'_>) -> Self {
        Window {
            f: fault.name.to_owned(),
            nodes: fault.nodes.iter().map(|node| history.text(*node).to_owned()).collect(),
            began: fault.began.time,
            ended: fault.ended.map(|ended| ended.time),
            began_index: fault.began.index,
            ended_index: fault.ended.map(|ended| ended.index),
        }
    }

    /// What struck whom: `partition n1 n2`.
    #[must_use]
    pub fn name(&self) -> String {
        let words: Vec<&str> = std::iter::once(&self.f).chain(&self.nodes).map(String::as_str).collect();
        printable(&words.join(" ")).into_owned()
    }
}

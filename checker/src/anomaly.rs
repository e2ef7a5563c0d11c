//! An anomaly: a contradiction in the evidence, with the few operations that prove it.
//!
//! A decider finds that something is impossible and names the operations; [`Anomaly::of_scene`] adds what a
//! person needs: the full operations with their places in the history, and a drawing.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::evidence::StateDigest;
use crate::evidence::trace::TraceEvent;
use crate::explain::{self, Scene};
use crate::history::{History, Moment, OperationId, Outcome, Symbol};

/// The kinds of contradiction, the gravest first: this order decides which one becomes the headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnomalyKind {
    /// A message was acknowledged, and a later read of its place does not show it, nor does any read after that.
    Lost,
    /// A message is there, and a subscription that was followed to its end never delivered it.
    LostTail,
    /// Two nodes became leader in one term.
    TwoLeaders,
    /// A node voted for two candidates in one term.
    TwoVotes,
    /// Two nodes arrived at different states from the same log.
    Diverged,
    /// Two nodes committed different entries at one index, or a node's commit was undone.
    CommitChanged,
    /// A node's term went back.
    TermWentBack,
    /// A subscription passed over a message and went on behind it.
    PollSkip,
    /// Two messages have one number, and both are shown: the log has forked.
    Conflict,
    /// One message has two numbers, and both places keep showing it.
    Duplicate,
    /// A message has two cursors, or a cursor two messages.
    InconsistentCursor,
    /// A subscription delivered a message again.
    DuplicateDelivery,
    /// A subscription went back: it delivered what is in front of what it had delivered.
    NonmonotonicPoll,
    /// An account was created while it existed.
    DuplicateCreate,
    /// One message has one number at one time and another at another.
    Moved,
    /// An operation that certainly did not happen has an effect.
    AbortedRead,
    /// A message was shown that nobody had sent, or before it was sent; or an account that nobody had created.
    Phantom,
    /// A message was shown in a conversation it was not sent to.
    WrongConversation,
    /// A read does not show what had been acknowledged or shown before it began, but a later read does.
    StaleRead,
    /// A message got a number that is not greater than one proven before the send began.
    LateAppend,
    /// A number below the conversation's last that no message can hold.
    Hole,
    /// A page has more messages than asked for.
    OverlongPage,
    /// A page is not the range asked for, or not in ascending order without gaps.
    WrongPage,
    /// The stated last number contradicts the page itself.
    WrongHead,
    /// No order of the operations explains their answers.
    NotLinearizable,
}

impl AnomalyKind {
    /// All the kinds there are, the gravest first.
    pub const ALL: [AnomalyKind; 24] = [
        AnomalyKind::Lost,
        AnomalyKind::LostTail,
        AnomalyKind::TwoLeaders,
        AnomalyKind::TwoVotes,
        AnomalyKind::Diverged,
        AnomalyKind::CommitChanged,
        AnomalyKind::TermWentBack,
        AnomalyKind::PollSkip,
        AnomalyKind::Conflict,
        AnomalyKind::Duplicate,
        AnomalyKind::InconsistentCursor,
        AnomalyKind::DuplicateDelivery,
        AnomalyKind::NonmonotonicPoll,
        AnomalyKind::Moved,
        AnomalyKind::AbortedRead,
        AnomalyKind::Phantom,
        AnomalyKind::WrongConversation,
        AnomalyKind::StaleRead,
        AnomalyKind::LateAppend,
        AnomalyKind::Hole,
        AnomalyKind::OverlongPage,
        AnomalyKind::WrongPage,
        AnomalyKind::WrongHead,
        AnomalyKind::NotLinearizable,
    ];

    /// The stable name, in kebab case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            AnomalyKind::Lost => "lost",
            AnomalyKind::LostTail => "lost-tail",
            AnomalyKind::PollSkip => "poll-skip",
            AnomalyKind::InconsistentCursor => "inconsistent-cursor",
            AnomalyKind::DuplicateDelivery => "duplicate-delivery",
            AnomalyKind::NonmonotonicPoll => "nonmonotonic-poll",
            AnomalyKind::TwoLeaders => "two-leaders",
            AnomalyKind::TwoVotes => "two-votes",
            AnomalyKind::Diverged => "diverged",
            AnomalyKind::CommitChanged => "commit-changed",
            AnomalyKind::TermWentBack => "term-went-back",
            AnomalyKind::Conflict => "conflict",
            AnomalyKind::Duplicate => "duplicate",
            AnomalyKind::DuplicateCreate => "duplicate-create",
            AnomalyKind::Moved => "moved",
            AnomalyKind::AbortedRead => "aborted-read",
            AnomalyKind::Phantom => "phantom",
            AnomalyKind::WrongConversation => "wrong-conversation",
            AnomalyKind::StaleRead => "stale-read",
            AnomalyKind::LateAppend => "late-append",
            AnomalyKind::Hole => "hole",
            AnomalyKind::OverlongPage => "overlong-page",
            AnomalyKind::WrongPage => "wrong-page",
            AnomalyKind::WrongHead => "wrong-head",
            AnomalyKind::NotLinearizable => "not-linearizable",
        }
    }

    /// The name that Jepsen's checkers and Elle use for it, where there is one.
    ///
    /// Source: Jepsen's `set-full`, `total-queue` and Kafka checkers; Kingsbury and Alvaro, "Elle: Inferring
    /// Isolation Anomalies from Experimental Observations", VLDB 2020.
    #[must_use]
    pub fn elle(self) -> Option<&'static str> {
        match self {
            AnomalyKind::Lost => Some("lost-write"),
            AnomalyKind::Conflict => Some("incompatible-order"),
            AnomalyKind::Duplicate => Some("duplicate-elements"),
            AnomalyKind::Moved | AnomalyKind::InconsistentCursor => Some("inconsistent-offsets"),
            AnomalyKind::LostTail => Some("unseen"),
            AnomalyKind::PollSkip => Some("poll-skip"),
            AnomalyKind::NonmonotonicPoll => Some("nonmonotonic-poll"),
            AnomalyKind::DuplicateDelivery => Some("duplicate"),
            AnomalyKind::AbortedRead => Some("G1a"),
            AnomalyKind::Phantom => Some("unexpected"),
            AnomalyKind::StaleRead => Some("G-single-realtime"),
            AnomalyKind::LateAppend => Some("G0-realtime"),
            AnomalyKind::TwoLeaders
            | AnomalyKind::TwoVotes
            | AnomalyKind::Diverged
            | AnomalyKind::CommitChanged
            | AnomalyKind::TermWentBack
            | AnomalyKind::DuplicateCreate
            | AnomalyKind::WrongConversation
            | AnomalyKind::Hole
            | AnomalyKind::OverlongPage
            | AnomalyKind::WrongPage
            | AnomalyKind::WrongHead
            | AnomalyKind::NotLinearizable => None,
        }
    }
}

impl fmt::Display for AnomalyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

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

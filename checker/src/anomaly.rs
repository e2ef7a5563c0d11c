//! An anomaly: a contradiction in the evidence, with the few operations that prove it.
//!
//! A decider finds that something is impossible and names the operations; [`Anomaly::of_scene`] adds what a
//! person needs: the full operations with their places in the history and a letter each, the faults of that time, why it
//! is impossible, where to look next, and a drawing.

mod kind;
mod own;
mod witness;

pub use kind::AnomalyKind;
pub use own::Told;
use serde::{Deserialize, Serialize};
pub use witness::{Window, Witness};

use crate::evidence::StateDigest;
use crate::evidence::trace::TraceEvent;
use crate::explain::{self, Scene, Style};
use crate::history::{History, Moment, OperationId};

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
    /// What happened, in one sentence that names the operations by who did what.
    pub sentence: String,
    /// Why that is impossible: the promise that is broken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// If orders were searched: why each operation that could come next in the order that came farthest cannot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// What to look at next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub look_at: String,
    /// The operations that contradict each other, in the order of their invocation.
    pub operations: Vec<Witness>,
    /// The faults of that time, those that began last before the trouble.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Window>,
    /// How many faults there were meanwhile besides.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub faults_omitted: u64,
    /// The lines of the nodes' traces that contradict each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<TraceEvent>,
    /// The digests that contradict each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<StateDigest>,
    /// A picture of it, at most [`explain::WIDTH`] columns wide. [`Anomaly::draw`] draws it in other widths.
    pub drawing: String,
}

/// Why an operation cannot come next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The letter of the operation.
    pub operation: String,
    /// Why the model refuses it in the state that is reached then.
    pub why: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Anomaly {
    /// An anomaly proven by the operations of a scene.
    #[must_use]
    pub fn of_scene(kind: AnomalyKind, scene: &Scene<'_>, sentence: impl Into<String>) -> Self {
        let history = scene.history();
        let ids = scene.ids().iter().enumerate();
        let mut anomaly = Anomaly {
            operations: ids.map(|(position, id)| Witness::new(scene, position, *id)).collect(),
            faults: scene.faults().iter().map(|fault| Window::new(history, fault)).collect(),
            faults_omitted: scene.other_faults() as u64,
            key: scene.key().map(|key| history.text(key).to_owned()),
            ..Self::bare(kind, sentence.into())
        };
        anomaly.look_at = explain::look_at(&anomaly, anomaly.operations.len().saturating_sub(1));
        anomaly.finish()
    }

    /// The same anomaly, which rests on `first` having come before `second`.
    #[must_use]
    pub fn with_margin(mut self, first: Moment, second: Moment) -> Self {
        self.margin_ns = second.time.checked_sub(first.time);
        self
    }

    /// The same anomaly, of which this operation gave the answer that cannot be.
    #[must_use]
    pub fn with_suspect(mut self, history: &History, suspect: OperationId) -> Self {
        let index = history.operation(suspect).invoked.index;
        if let Some(position) = self.operations.iter().position(|shown| shown.index == index) {
            self.look_at = explain::look_at(&self, position);
        }
        self
    }

    /// The same anomaly, with the reasons for which none of its operations can come next: the event that invoked each,
    /// and why. Of an operation that is not shown, nothing is said.
    #[must_use]
    pub fn with_refusals(mut self, refusals: impl IntoIterator<Item = (u32, String)>) -> Self {
        let mut by_label: Vec<(String, Vec<String>)> = Vec::new();
        for (index, why) in refusals {
            let Some(shown) = self.operations.iter().find(|shown| shown.index == index) else { continue };
            match by_label.iter_mut().find(|(label, _)| *label == shown.label) {
                Some((_, reasons)) => reasons.push(why),
                None => by_label.push((shown.label.clone(), vec![why])),
            }
        }
        let refusal = |(operation, reasons): (String, Vec<String>)| Refusal {
            operation,
            why: explain::alternatives(&reasons),
        };
        self.refusals = by_label.into_iter().map(refusal).collect();
        self
    }

    /// An anomaly proven by lines of the nodes' traces.
    #[must_use]
    pub fn of_trace(kind: AnomalyKind, trace: Vec<TraceEvent>, sentence: impl Into<String>) -> Self {
        let mut anomaly = Anomaly { trace, ..Self::bare(kind, sentence.into()) };
        anomaly.look_at = explain::look_at(&anomaly, 0);
        anomaly.finish()
    }

    /// An anomaly proven by digests of the nodes' states.
    #[must_use]
    pub fn of_digests(kind: AnomalyKind, digests: Vec<StateDigest>, sentence: impl Into<String>) -> Self {
        let mut anomaly = Anomaly { digests, ..Self::bare(kind, sentence.into()) };
        anomaly.look_at = explain::look_at(&anomaly, 0);
        anomaly.finish()
    }

    /// The picture of it: the operations as bars over time under the faults of that time, or what the nodes wrote down.
    #[must_use]
    pub fn draw(&self, style: Style) -> String {
        explain::draw(self, style)
    }

    /// The sentence, with the letter of each operation where it is named first.
    #[must_use]
    pub fn told(&self) -> String {
        explain::lettered(self)
    }

    fn bare(kind: AnomalyKind, sentence: String) -> Self {
        Anomaly {
            kind,
            elle: kind.elle().map(str::to_owned),
            key: None,
            margin_ns: None,
            sentence: explain::printable(&sentence).into_owned(),
            why: kind.why().to_owned(),
            refusals: Vec::new(),
            look_at: String::new(),
            operations: Vec::new(),
            faults: Vec::new(),
            faults_omitted: 0,
            trace: Vec::new(),
            digests: Vec::new(),
            drawing: String::new(),
        }
    }

    fn finish(mut self) -> Self {
        self.drawing = self.draw(Style { width: explain::WIDTH, ..Style::default() });
        self
    }
}

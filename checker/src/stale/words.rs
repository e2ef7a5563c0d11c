//! What is wrong with a stale read, as a sentence with the operations that prove it.

use super::Wrong;
use super::across::Reached;
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::explain::{Scene, the_read};
use crate::history::{Entry, History, Input, Operation, OperationId};
use crate::log::page;

impl Wrong {
    pub(super) fn kind(self) -> AnomalyKind {
        match self {
            Wrong::Overlong => AnomalyKind::OverlongPage,
            Wrong::Page => AnomalyKind::WrongPage,
            Wrong::Phantom { .. } => AnomalyKind::Phantom,
            Wrong::Aborted { .. } => AnomalyKind::AbortedRead,
            Wrong::Misplaced { .. } => AnomalyKind::WrongConversation,
            Wrong::Conflict { .. } => AnomalyKind::Conflict,
            Wrong::Moved { .. } => AnomalyKind::Moved,
            Wrong::Dirty { .. } => AnomalyKind::DirtyRead,
            Wrong::Back { .. } | Wrong::Behind { .. } => AnomalyKind::MonotonicReads,
        }
    }

    /// The other operation that proves it; of several the last.
    fn other(self) -> Option<OperationId> {
        match self {
            Wrong::Behind { reached, .. } => Some(reached.by),
            Wrong::Overlong | Wrong::Page => None,
            Wrong::Phantom { later, .. } => later,
            Wrong::Aborted { send, .. } | Wrong::Misplaced { send, .. } => Some(send),
            Wrong::Conflict { by, .. } | Wrong::Moved { by, .. } => Some(by),
            Wrong::Dirty { shown: told } | Wrong::Back { before: told } => Some(told.by),
        }
    }

    fn entry(self) -> Option<Entry> {
        match self {
            Wrong::Phantom { entry, .. }
            | Wrong::Aborted { entry, .. }
            | Wrong::Misplaced { entry, .. }
            | Wrong::Conflict { entry, .. }
            | Wrong::Moved { entry, .. } => Some(entry),
            Wrong::Overlong
            | Wrong::Page
            | Wrong::Dirty { .. }
            | Wrong::Back { .. }
            | Wrong::Behind { .. } => None,
        }
    }
}

/// The anomaly. `read` is the stale read, but of one that another read contradicts, that other read.
pub(super) fn tell(history: &History, read: OperationId, wrong: Wrong) -> Anomaly {
    let operation = history.operation(read);
    let sends = match wrong {
        Wrong::Behind { reached, missing, .. } => vec![missing, reached.send],
        _ => Vec::new(),
    };
    let proof: Vec<OperationId> = sends.into_iter().chain(wrong.other()).chain([read]).collect();
    let mut scene = Scene::new(history, operation.key, &proof);
    if let Some(Entry { id, seq, .. }) = wrong.entry() {
        scene = scene.about(id, seq);
    }
    let sentence = format!("{} {}", the_read(history, operation), words(history, &scene, read, wrong));
    let anomaly = Anomaly::of_scene(wrong.kind(), &scene, sentence);
    match (wrong, wrong.other().and_then(|other| history.operation(other).completed)) {
        (Wrong::Dirty { .. } | Wrong::Back { .. } | Wrong::Behind { .. }, Some(ended)) => {
            anomaly.with_margin(ended, operation.invoked)
        }
        _ => anomaly,
    }
}

fn words(history: &History, scene: &Scene<'_>, read: OperationId, wrong: Wrong) -> String {
    let operation = history.operation(read);
    let shows = |Entry { id, seq, .. }: Entry| format!("shows {} as number {seq}", history.text(id));
    let source = |by: OperationId| match history.operation(by).input {
        Input::Send { id } => format!("the acknowledgement of {}", history.text(id)),
        _ => the_read(history, history.operation(by)),
    };
    match wrong {
        Wrong::Overlong => match operation.input {
            Input::StaleRead { range } => {
                format!("shows more than the {} messages asked for", page::limit(range))
            }
            _ => "shows more messages than asked for".to_owned(),
        },
        Wrong::Page => "shows another page than was asked for, or one with gaps".to_owned(),
        Wrong::Phantom { entry, later: None } => format!("{}, which nobody has sent", shows(entry)),
        Wrong::Phantom { entry, later: Some(send) } => {
            let sent = scene.at(history.operation(send).invoked);
            format!(
                "{} and ended at {}, but that was sent only at {sent}",
                shows(entry),
                scene.ended(operation)
            )
        }
        Wrong::Aborted { entry, send } => {
            let failed = scene.ended(history.operation(send));
            format!("{}, but that send failed at {failed}, so it never happened", shows(entry))
        }
        Wrong::Misplaced { entry, send } => {
            let to = history.operation(send).key.map_or("nowhere", |key| history.text(key));
            format!("{}, which was sent to {to}", shows(entry))
        }
        Wrong::Conflict { entry, other, by } => {
            format!("{}, but by {} that number is {}", shows(entry), source(by), history.text(other))
        }
        Wrong::Moved { entry, seq, by } => {
            format!("{}, but by {} it is number {seq}", shows(entry), source(by))
        }
        Wrong::Dirty { shown } => {
            let first = history.operation(shown.by);
            format!(
                "began at {} and ended before number {}, which {} had shown at {}: that was not committed",
                scene.at(operation.invoked),
                shown.head,
                the_read(history, first),
                scene.ended(first)
            )
        }
        Wrong::Behind { reached, seq, missing } => behind(history, scene, operation, reached, (seq, missing)),
        Wrong::Back { before } => {
            let first = history.operation(before.by);
            format!(
                "began at {} and ended before number {}, which {} had shown at {} through the same node",
                scene.at(operation.invoked),
                before.head,
                the_read(history, first),
                scene.ended(first)
            )
        }
    }
}

/// What a read says through a node that had come further.
fn behind(
    history: &History,
    scene: &Scene<'_>,
    read: &Operation,
    reached: Reached,
    (seq, missing): (u64, OperationId),
) -> String {
    let [first, later, missing] = [reached.by, reached.send, missing].map(|id| history.operation(id));
    let to = later.key.map_or("nowhere", |key| history.text(key));
    format!(
        "began at {} and ended before number {seq}, which was acknowledged at {}; but {} had shown through the same node \
         at {} what was sent to {to} only after that, at {}",
        scene.at(read.invoked),
        scene.ended(missing),
        the_read(history, first),
        scene.ended(first),
        scene.at(later.invoked)
    )
}

//! What is told of an object that is not linearizable, in the words of the history.

use super::Adapter;
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::direct::Violation;
use crate::history::{Datum, History, OperationId, Outcome, Symbol};
use crate::search::Contradiction;
use crate::search::keys::{self, Timed, after, name, no_order};

/// The most operations that failed which are shown beside.
pub(super) const FAILED_MAX: usize = 2;

/// What a contradiction looks like.
pub(super) struct Shape {
    pub(super) kind: AnomalyKind,
    /// What is wrong about the operation that cannot be, as the end of a sentence. Without it, the search has the word.
    pub(super) why: Option<String>,
    /// What is worth showing beside.
    pub(super) beside: Vec<OperationId>,
}

/// What it takes to tell of one object.
pub(super) struct Told<'a, 'h, A: Adapter<'h>> {
    pub(super) history: &'h History,
    pub(super) key: Option<Symbol>,
    /// All operations on it, those that failed too.
    pub(super) ids: &'a [OperationId],
    pub(super) timed: &'a Timed<A::Model>,
    pub(super) adapter: &'a A,
}

impl<'h, A: Adapter<'h>> Told<'_, 'h, A> {
    fn name(&self, position: usize) -> String {
        name(self.history, self.key, self.timed.ids[position])
    }

    /// What a decider found.
    pub(super) fn violation(&self, violation: Violation) -> Anomaly {
        let Violation { kind, blocked, after: before, ref why, value, ref context, .. } = violation;
        let ids = &self.timed.ids;
        let order = before.and_then(|before| after(self.history, self.key, ids[before], ids[blocked]));
        let mut sentence = match order {
            Some(order) if why.starts_with("but ") => format!("{order}, {why}"),
            Some(order) => format!("{order}, and {}", why.trim_start_matches("and ")),
            None => format!("{} {}", self.name(blocked), why.trim_start_matches("and ")),
        };
        // Who showed the other thing is known if nobody else is a part of the proof.
        let others = violation.operations.iter().filter(|other| **other != blocked);
        if let [other] = others.collect::<Vec<_>>()[..] {
            let other = self.name(*other);
            sentence = sentence.replace("where another shows", &format!("where {other} shows"));
        }
        let failed = match kind {
            AnomalyKind::Phantom => value.map(|value| self.failed(value, blocked)).unwrap_or_default(),
            AnomalyKind::TwoHolders | AnomalyKind::NotHeld => self.failed_between(before, blocked),
            _ => Vec::new(),
        };
        let mut kind = kind;
        if let Some(first) = failed.first() {
            if kind == AnomalyKind::Phantom {
                kind = AnomalyKind::AbortedRead;
            }
            let first = name(self.history, self.key, *first);
            sentence = format!("{sentence}; {first} certainly did not happen");
        }
        let context: Vec<OperationId> = context.iter().map(|position| ids[*position]).collect();
        let suspect = ids[blocked];
        let shown = distinct([self.timed.shown(&violation.into_contradiction()), failed].concat());
        let anomaly = keys::anomaly(kind, self.history, self.key, &shown, &context, sentence);
        anomaly.with_suspect(self.history, suspect)
    }

    /// What the search found.
    pub(super) fn contradiction(&self, contradiction: &Contradiction) -> Anomaly {
        let shown = self.timed.shown(contradiction);
        let blocked = contradiction.blocked;
        let operation = &self.timed.operations[blocked];
        let end = operation.returned.unwrap_or(u32::MAX);
        let from_nowhere = self.adapter.shows(operation).into_iter().find(|value| {
            !self.ids.iter().any(|id| {
                let other = self.history.operation(*id);
                let failed = matches!(other.outcome, Outcome::Fail(_));
                !failed && other.invoked.index < end && self.adapter.makes(other, *value)
            })
        });
        let no_order = || no_order(self.history, self.key, &self.timed.ids, contradiction);
        let mut beside_it = Vec::new();
        let (kind, failed, sentence) = if let Some(value) = from_nowhere {
            let text = value.told(&self.history.symbols);
            let blocked_name = self.name(blocked);
            let failed = self.failed(value, blocked);
            match failed.is_empty() {
                true => {
                    let sentence = format!("{blocked_name} shows {text}, which nobody had made");
                    (AnomalyKind::Phantom, failed, sentence)
                }
                false => {
                    let sentence =
                        format!("{blocked_name} shows {text}, which only operations that failed made");
                    (AnomalyKind::AbortedRead, failed, sentence)
                }
            }
        } else if let Some(Shape { kind, why, beside }) = self.adapter.recognize(self, contradiction) {
            let sentence = why.map_or_else(no_order, |why| format!("{} {why}", self.name(blocked)));
            beside_it = beside;
            (kind, Vec::new(), sentence)
        } else {
            (self.kind(contradiction), Vec::new(), no_order())
        };
        // That they failed is a part of the proof.
        let proof = distinct([shown, failed].concat());
        keys::anomaly(kind, self.history, self.key, &proof, &beside_it, sentence)
    }

    /// Whether the operation that cannot be began after all the others had completed.
    pub(super) fn is_late(&self, contradiction: &Contradiction) -> bool {
        let operations = &self.timed.operations;
        let begin = operations[contradiction.blocked].invoked;
        let others = contradiction.operations.iter().filter(|other| **other != contradiction.blocked);
        let mut ends = others.map(|other| operations[*other].returned.unwrap_or(u32::MAX)).peekable();
        ends.peek().is_some() && ends.all(|end| end < begin)
    }

    /// A read that began after all the others had completed is stale; anything else has no name.
    fn kind(&self, contradiction: &Contradiction) -> AnomalyKind {
        let is_read = !self.adapter.shows(&self.timed.operations[contradiction.blocked]).is_empty();
        let is_stale = is_read && self.is_late(contradiction);
        if is_stale { AnomalyKind::StaleRead } else { AnomalyKind::NotLinearizable }
    }

    /// A few operations that failed between two others, and that would have explained the later one of a lock.
    fn failed_between(&self, before: Option<usize>, blocked: usize) -> Vec<OperationId> {
        let begin = before.map_or(0, |before| self.timed.operations[before].invoked);
        let end = self.timed.operations[blocked].returned.unwrap_or(u32::MAX);
        let asked = self.history.operation(self.timed.ids[blocked]).input;
        let is_failed = |id: &OperationId| {
            let other = self.history.operation(*id);
            matches!(other.outcome, Outcome::Fail(_))
                && std::mem::discriminant(&other.input) != std::mem::discriminant(&asked)
                && other.invoked.index < end
                && other.completed.is_some_and(|completed| completed.index > begin)
        };
        self.ids.iter().copied().filter(is_failed).take(FAILED_MAX).collect()
    }

    /// A few operations that failed, and that would have made `value` before `blocked` ended.
    fn failed(&self, value: Datum, blocked: usize) -> Vec<OperationId> {
        let end = self.timed.operations[blocked].returned.unwrap_or(u32::MAX);
        let is_failed = |id: &OperationId| {
            let operation = self.history.operation(*id);
            matches!(operation.outcome, Outcome::Fail(_))
                && operation.invoked.index < end
                && self.adapter.makes(operation, value)
        };
        self.ids.iter().copied().filter(is_failed).take(FAILED_MAX).collect()
    }
}

/// Each operation once: one may stand for several.
fn distinct(mut ids: Vec<OperationId>) -> Vec<OperationId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

//! Committed entries and the states they leave.

use std::collections::{BTreeMap, HashMap};

use super::{Narrator, Place};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::evidence::trace::{StateHash, TraceEvent};

/// What was seen of the log and of the state so far.
///
/// Only the lowest index of each kind of disagreement is told: what follows from it is no news.
#[derive(Debug, Default)]
pub(super) struct Agreement<'e> {
    /// By index: the first line about the entry, and its term.
    entries: HashMap<u64, (u64, Place<'e>)>,
    /// By index and term: the first state after the entry.
    states: HashMap<(u64, u64), (StateHash, Place<'e>)>,
    /// By index: two lines that name different entries.
    changed: BTreeMap<u64, [Place<'e>; 2]>,
    /// By index: two lines that name different states after the same entry.
    diverged: BTreeMap<u64, [Place<'e>; 2]>,
}

impl<'e> Agreement<'e> {
    /// Takes a line; returns how many bytes were kept of it.
    pub(super) fn see(&mut self, place: Place<'e>) -> u64 {
        let (index, term) = match place.event() {
            TraceEvent::Commit { index, term, .. }
            | TraceEvent::Applied { index, term, .. }
            | TraceEvent::Members { index, term, .. }
            | TraceEvent::SnapshotMade { index, term, .. }
            | TraceEvent::SnapshotInstalled { index, term, .. } => (*index, *term),
            _ => return 0,
        };
        let known = self.entries.len() + self.states.len();
        let (first_term, first) = *self.entries.entry(index).or_insert((term, place));
        if first_term != term {
            self.changed.entry(index).or_insert([first, place]);
        }
        if let TraceEvent::Applied { state, .. } = place.event() {
            let (first_state, first) = *self.states.entry((index, term)).or_insert((*state, place));
            if first_state != *state {
                self.diverged.entry(index).or_insert([first, place]);
            }
        }
        let kept = self.entries.len() + self.states.len() - known;
        2 * (kept * size_of::<((u64, u64), (StateHash, Place<'_>))>()) as u64
    }

    pub(super) fn anomalies(&self, narrator: &Narrator<'_>) -> Vec<Anomaly> {
        let changed = self.changed.iter().next().map(|(index, lines)| changed(narrator, *index, *lines));
        let diverged = self.diverged.iter().next().map(|(index, lines)| diverged(narrator, *index, *lines));
        diverged.into_iter().chain(changed).collect()
    }
}

fn changed(narrator: &Narrator<'_>, index: u64, [first, second]: [Place<'_>; 2]) -> Anomaly {
    let entry = |place: Place<'_>| {
        let (term, how) = match place.event() {
            TraceEvent::Commit { term, .. } => (*term, "committed"),
            TraceEvent::Applied { term, .. } | TraceEvent::Members { term, .. } => (*term, "applied"),
            TraceEvent::SnapshotMade { term, .. } => (*term, "made a snapshot of"),
            TraceEvent::SnapshotInstalled { term, .. } => (*term, "installed a snapshot of"),
            _ => unreachable!("only lines about committed entries are compared"),
        };
        format!("{} {how} an entry of term {term} ({})", place.node(), narrator.place(place))
    };
    let sentence = format!("the log has two entries at index {index}: {}, {}", entry(first), entry(second));
    Anomaly::of_trace(AnomalyKind::CommitChanged, lines(first, second), sentence)
}

fn diverged(narrator: &Narrator<'_>, index: u64, [first, second]: [Place<'_>; 2]) -> Anomaly {
    let sentence = if first.node() == second.node() {
        format!(
            "{} arrived at two states with the same log up to index {index} ({}, and {})",
            first.node(),
            narrator.place(first),
            narrator.place(second)
        )
    } else {
        format!(
            "{} ({}) and {} ({}) applied the same log up to index {index} and have different states",
            first.node(),
            narrator.place(first),
            second.node(),
            narrator.place(second)
        )
    };
    Anomaly::of_trace(AnomalyKind::Diverged, lines(first, second), sentence)
}

fn lines(first: Place<'_>, second: Place<'_>) -> Vec<TraceEvent> {
    vec![first.event().clone(), second.event().clone()]
}

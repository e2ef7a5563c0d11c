//! Whether a run was interesting: a green run in which nothing happened proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use checker::evidence::Evidence;
use checker::evidence::trace::TraceEvent;
use checker::history::{History, Outcome};

use super::file::ReachRecord;
use crate::metrics::{Metrics, Window};
use crate::run::event::{RunEvent, TimedEvent};
use crate::scenario::count::Count;
use crate::scenario::plan::{Plan, Reach};

/// What the plan wants to be reached, and what was. Without load, nothing was.
pub(super) fn judge(
    plan: &Plan,
    evidence: &Evidence,
    events: &[TimedEvent],
    metrics: Option<&Metrics>,
) -> Vec<ReachRecord> {
    let record = |(goal, wanted): (&Reach, &u64)| {
        let reached = metrics.map_or(0, |metrics| match goal {
            Reach::LeaderChanges => leader_changes(evidence, metrics.window),
            Reach::OkDuringFaults => metrics.ok_during_faults,
            Reach::FaultsInstalled => effects(events).filter(|counts| !counts.is_empty()).count() as u64,
            Reach::SnapshotInstalled => evidence.snapshots_installed(),
            Reach::Count(count) => effects(events).filter_map(|counts| counts.get(count)).sum(),
            Reach::Operations => metrics.ok + metrics.fail,
        });
        ReachRecord { name: goal.to_string(), wanted: *wanted, reached }
    };
    plan.reach.iter().map(record).collect()
}

/// Faults were planned, and none of them did anything.
pub(super) fn nothing_struck(plan: &Plan, events: &[TimedEvent]) -> bool {
    let is_planned = !plan.strikes.is_empty();
    is_planned && effects(events).all(BTreeMap::is_empty)
}

/// What each fault did. One that was never lifted is not known to have done anything.
fn effects(events: &[TimedEvent]) -> impl Iterator<Item = &BTreeMap<Count, u64>> {
    events.iter().filter_map(|timed| match &timed.event {
        RunEvent::FaultLifted { counts, .. } => Some(counts),
        _ => None,
    })
}

/// How many terms got a leader during the load, by the nodes' own traces.
fn leader_changes(evidence: &Evidence, window: Window) -> u64 {
    let started = evidence.history.started_unix_ns().unwrap_or(0);
    let load = started.saturating_add(window.from)..started.saturating_add(window.to);
    let events = evidence.traces.iter().flat_map(|trace| &trace.events);
    let terms: BTreeSet<u64> = events
        .filter_map(|event| match event {
            TraceEvent::Leader { term, at, .. } if load.contains(at) => Some(*term),
            _ => None,
        })
        .collect();
    terms.len() as u64
}

/// The kinds of operations that were tried and of which none succeeded.
pub(super) fn never_succeeded(history: &History) -> Vec<String> {
    let mut tried = BTreeSet::new();
    let mut succeeded = BTreeSet::new();
    for operation in history.operations() {
        let f = history.f(operation);
        tried.insert(f);
        if matches!(operation.outcome, Outcome::Ok(_)) {
            succeeded.insert(f);
        }
    }
    tried.difference(&succeeded).map(|f| (*f).to_owned()).collect()
}

//! Whether a run was interesting: a green run in which nothing happened proves nothing.

use std::collections::BTreeSet;

use checker::evidence::Evidence;
use checker::evidence::trace::TraceEvent;
use checker::history::{History, Outcome};

use super::file::ReachRecord;
use crate::metrics::{Metrics, Window};
use crate::scenario::plan::{Plan, Reach};

/// What the plan wants to be reached, and what was. Without load, nothing was.
pub(super) fn judge(plan: &Plan, evidence: &Evidence, metrics: Option<&Metrics>) -> Vec<ReachRecord> {
    let record = |(goal, wanted): (&Reach, &u64)| {
        let reached = metrics.map_or(0, |metrics| match goal {
            Reach::LeaderChanges => leader_changes(evidence, metrics.window),
            Reach::OkDuringFaults => metrics.ok_during_faults,
            Reach::FaultsInstalled => evidence.history.faults().len() as u64,
            Reach::Operations => metrics.ok + metrics.fail,
        });
        ReachRecord { name: goal.to_string(), wanted: *wanted, reached }
    };
    plan.reach.iter().map(record).collect()
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

//! Whether a run was interesting: a green run in which nothing happened proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use checker::evidence::Evidence;
use checker::evidence::trace::TraceEvent;
use checker::history::{History, Outcome};

use super::file::ReachRecord;
use crate::metrics::{Metrics, Window};
use crate::nemesis::fault_of;
use crate::run::event::{RunEvent, TimedEvent};
use crate::scenario::count::Count;
use crate::scenario::plan::{Plan, Reach};
use crate::scenario::step::Action;
use crate::scenario::verb::Deed;

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
            Reach::FaultsInstalled => lifted(events).filter(|one| !one.counts.is_empty()).count() as u64,
            Reach::SnapshotInstalled => evidence.snapshots_installed(),
            Reach::Count(count) => lifted(events).filter_map(|one| one.counts.get(count)).sum(),
            Reach::Operations => metrics.ok + metrics.fail,
            Reach::Struck(name) => struck(name, plan, evidence, events),
        });
        ReachRecord { name: goal.to_string(), wanted: *wanted, reached }
    };
    plan.reach.iter().map(record).collect()
}

/// Faults were planned, and none of them did anything.
pub(super) fn nothing_struck(plan: &Plan, events: &[TimedEvent]) -> bool {
    let is_planned = !plan.strikes.is_empty();
    is_planned && lifted(events).all(|one| one.counts.is_empty())
}

/// The names of the strikes that did something.
pub(super) fn effective(events: &[TimedEvent]) -> BTreeSet<&str> {
    lifted(events).filter(|one| !one.counts.is_empty()).map(|one| one.strike).collect()
}

/// A strike that is over, and what it did. One that was never lifted is not known to have done anything.
struct Lifted<'e> {
    strike: &'e str,
    nodes: &'e [String],
    counts: &'e BTreeMap<Count, u64>,
}

fn lifted(events: &[TimedEvent]) -> impl Iterator<Item = Lifted<'_>> {
    events.iter().filter_map(|timed| match &timed.event {
        RunEvent::FaultLifted { fault, nodes, counts, .. } => Some(Lifted { strike: fault, nodes, counts }),
        _ => None,
    })
}

/// How often the fault or step `name` did what it is for.
fn struck(name: &str, plan: &Plan, evidence: &Evidence, events: &[TimedEvent]) -> u64 {
    let timed = plan.strikes.iter().filter(|strike| strike.fault == name);
    let timed = timed.map(|strike| (strike.name.clone(), strike.verb.deeds()));
    let steps = plan.steps.iter().filter(|step| step.name == name).flat_map(|step| {
        let deeds = step.action.deeds();
        // A stop is a fault for each of its nodes.
        let names = match step.action {
            Action::Stop(_) => plan.cluster.node_names().iter().map(|node| fault_of(name, node)).collect(),
            _ => vec![name.to_owned()],
        };
        names.into_iter().map(move |strike| (strike, deeds.clone()))
    });
    let is_done = |(strike, deeds): &(String, Vec<Deed>)| {
        let of_it = |one: &Lifted<'_>| one.strike == strike && has_struck(one, deeds, evidence, events);
        lifted(events).any(|one| of_it(&one))
    };
    timed.chain(steps).filter(is_done).count() as u64
}

/// Each of the deeds is proven.
fn has_struck(one: &Lifted<'_>, deeds: &[Deed], evidence: &Evidence, events: &[TimedEvent]) -> bool {
    let is_proven = |deed: &Deed| {
        let counted = deed.proof().iter().any(|count| one.counts.contains_key(count));
        counted && (!deed.ends_in_snapshot() || got_snapshot(one, evidence, events))
    };
    !deeds.is_empty() && deeds.iter().all(is_proven)
}

/// A node that was struck replaced its state by a snapshot after the fault had begun.
fn got_snapshot(one: &Lifted<'_>, evidence: &Evidence, events: &[TimedEvent]) -> bool {
    let began = events.iter().find_map(|timed| match &timed.event {
        RunEvent::FaultInstalled { fault, .. } if fault == one.strike => Some(timed.at),
        _ => None,
    });
    let Some(began) = began else { return false };
    let began = evidence.history.started_unix_ns().unwrap_or(0).saturating_add(began);
    let of_struck = evidence.traces.iter().filter(|trace| one.nodes.contains(&trace.node));
    let mut events = of_struck.flat_map(|trace| &trace.events);
    events.any(|event| matches!(event, TraceEvent::SnapshotInstalled { at, .. } if *at >= began))
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use checker::evidence::NodeTrace;
    use checker::history::History;

    use super::*;
    use crate::scenario::file::ScenarioFile;

    const SCENARIO: &str = "\
version: 1
name: story
workload: { kind: conversation }
run: { duration: 30s }
faults:
  - { name: bridge, at: 1s, for: 2s, partition: { shape: bridge } }
  - { name: kill-leader, every: 8s, kill: { target: leader, restart-after: 1s } }
  - { name: away, at: 20s, for: 5s, partition: { shape: until-snapshot } }
  - { name: slow-and-held, at: 27s, for: 1s, network: { from: leader, to: all, delay: 20ms, hold: true } }
steps:
  - { name: halt, stop: 'random:2' }
checks: [linearizable]
reach: { struck: { bridge: 1, kill-leader: 3, away: 1, slow-and-held: 1, halt: 2 } }
";

    fn lifted(at: u64, strike: &str, node: &str, counts: &[(Count, u64)]) -> [TimedEvent; 2] {
        let (fault, verb, nodes) = (strike.to_owned(), "any".to_owned(), vec![node.to_owned()]);
        let counts = counts.iter().copied().collect();
        let installed =
            RunEvent::FaultInstalled { fault: fault.clone(), verb: verb.clone(), nodes: nodes.clone() };
        let lifted = RunEvent::FaultLifted { fault, verb, nodes, effect: String::new(), counts };
        [TimedEvent { at, event: installed }, TimedEvent { at: at + 10, event: lifted }]
    }

    /// How often each fault has struck, in the order of their names, by what is known.
    fn struck_by(events: &[TimedEvent], snapshots: &[(&str, u64)]) -> Vec<u64> {
        let file = ScenarioFile::parse(Path::new("story.yaml"), SCENARIO, &[]);
        let plan = Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), 1);
        let trace = |(node, at): &(&str, u64)| {
            let node = (*node).to_owned();
            let installed = TraceEvent::SnapshotInstalled { at: *at, node: node.clone(), index: 9, term: 1 };
            NodeTrace { node, events: vec![installed], lines: vec![1] }
        };
        let mut history = History::new();
        history.set_started_unix_ns(1_000);
        let evidence =
            Evidence { history, traces: snapshots.iter().map(trace).collect(), ..Evidence::default() };
        let of = |name| struck(name, &plan, &evidence, events);
        ["away", "bridge", "halt", "kill-leader", "slow-and-held"].map(of).to_vec()
    }

    #[test]
    fn each_fault_is_proven_by_what_it_did_itself() {
        let events = [
            lifted(10, "bridge#1", "n1", &[(Count::LinksStruck, 4)]),
            lifted(20, "kill-leader#1", "n1", &[(Count::Kills, 1)]),
            // It found nobody alive, and says so.
            lifted(30, "kill-leader#2", "n2", &[]),
            // What another fault counts is no proof.
            lifted(40, "kill-leader#3", "n3", &[(Count::LinksStruck, 9)]),
            lifted(50, "slow-and-held#1", "n1", &[(Count::BytesHeld, 9)]),
            lifted(60, "halt-n4", "n4", &[(Count::Restarts, 1)]),
            lifted(70, "halt-n5", "n5", &[(Count::Restarts, 1)]),
        ];
        assert_eq!(
            struck_by(&events.concat(), &[]),
            [0, 1, 2, 1, 0],
            "a held link does not prove a slow one"
        );
        let both = lifted(50, "slow-and-held#1", "n1", &[(Count::BytesHeld, 9), (Count::BytesSlowed, 9)]);
        assert_eq!(struck_by(&both, &[]), [0, 0, 0, 0, 1]);
    }

    #[test]
    fn a_cut_until_a_snapshot_is_proven_by_the_snapshot_of_whom_it_cut() {
        let away = lifted(500, "away#1", "n3", &[(Count::LinksStruck, 8)]);
        assert_eq!(struck_by(&away, &[])[0], 0, "nobody got one");
        assert_eq!(struck_by(&away, &[("n2", 1_600)])[0], 0, "somebody else did");
        assert_eq!(struck_by(&away, &[("n3", 1_400)])[0], 0, "it was before");
        assert_eq!(struck_by(&away, &[("n3", 1_600)])[0], 1);
        let nothing = lifted(500, "away#1", "n3", &[]);
        assert_eq!(struck_by(&nothing, &[("n3", 1_600)])[0], 0);
    }
}

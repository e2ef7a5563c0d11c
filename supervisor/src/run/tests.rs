//! Whole runs on a system that is faked: what is recorded, in which order, and that nothing is left behind.

mod binary;
mod live;
mod steps;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use checker::history::{History, Outcome};

use super::event::TimedEvent;
use super::stop::{Stopper, stop};
use super::*;
use crate::judge::Verdict;
use crate::scenario::file::ScenarioFile;
use crate::system::fake::FakeSystem;

const SCENARIO: &str = "\
version: 1
name: fake
cluster: { nodes: 3 }
workload: { kind: conversation, clients: 4, operation-timeout: 50ms }
run: { warmup: 50ms, duration: 600ms, settle: 5s }
checks: [linearizable, durable]
";

/// Keeps what it sees, and gives a signal when the load begins.
#[derive(Default)]
struct Witness {
    events: RefCell<Vec<TimedEvent>>,
    at_load: RefCell<Option<Stopper>>,
}

impl Observer for Witness {
    fn event(&self, timed: &TimedEvent) {
        if (timed.event == RunEvent::Phase { phase: Phase::Load })
            && let Some(stopper) = self.at_load.borrow_mut().take()
        {
            stopper.stop();
        }
        self.events.borrow_mut().push(timed.clone());
    }
}

impl Watcher for Witness {
    fn tick(&self, _elapsed: Duration, _tally: Tally) {}
}

/// What came of a run.
struct Played {
    report: RunReport,
    events: Vec<RunEvent>,
    _runs: tempfile::TempDir,
}

impl Played {
    fn verdict(&self) -> &VerdictFile {
        self.report.verdict.as_ref().expect("the run was judged")
    }

    /// The events in words, without what differs from run to run.
    fn words(&self) -> Vec<String> {
        let word = |event: &RunEvent| match event {
            RunEvent::Phase { phase } => Some(phase.label().to_owned()),
            RunEvent::FaultInstalled { verb, nodes, .. } => Some(format!("{verb} {}", nodes.join(" "))),
            RunEvent::FaultSkipped { verb, why, .. } => Some(format!("{verb} skipped: {why}")),
            RunEvent::FaultLifted { effect, .. } => Some(effect.clone()),
            RunEvent::NodeExited { node, expected: false, .. } => Some(format!("{node} ended by itself")),
            RunEvent::StepMet { seen, .. } => Some(seen.split(':').next().unwrap_or_default().to_owned()),
            RunEvent::StepUnmet { step, .. } => Some(format!("{step} is not met")),
            RunEvent::Healed { .. } => Some("healed".to_owned()),
            RunEvent::NotHealed { .. } => Some("not healed".to_owned()),
            RunEvent::ViolationSeen { check, anomaly, .. } => Some(format!("{check}: {anomaly}")),
            RunEvent::Interrupted => Some("interrupted".to_owned()),
            _ => None,
        };
        self.events.iter().filter_map(word).collect()
    }

    fn history(&self) -> History {
        read(self.report.directory.path())
    }

    fn assert_no_process_is_left(&self) {
        for event in &self.events {
            if let RunEvent::NodeStarted { node, pid, .. } = event {
                assert!(
                    !Path::new(&format!("/proc/{pid}")).exists(),
                    "{node}, process {pid}, outlived its run"
                );
            }
        }
    }
}

fn read(directory: &Path) -> History {
    let read = checker::rundir::read(directory).expect("what was recorded is a history");
    assert_eq!(read.notes, Vec::<String>::new());
    read.evidence.history
}

async fn play(system: FakeSystem, more: &str, overrides: &[&str]) -> Played {
    play_with(system, more, overrides, false).await
}

async fn play_with(system: FakeSystem, more: &str, overrides: &[&str], is_interrupted: bool) -> Played {
    let runs = tempfile::tempdir().unwrap();
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let text = format!("{SCENARIO}{more}");
    let file = ScenarioFile::parse(Path::new("fake.yaml"), &text, &overrides);
    let plan = Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), 7);
    let witness = Rc::new(Witness::default());
    let (stopper, interrupt) = stop();
    let _never = if is_interrupted {
        witness.at_load.replace(Some(stopper));
        None
    } else {
        Some(stopper)
    };
    let settings = RunSettings {
        plan: Rc::new(plan),
        system: Rc::new(system),
        scenario_text: text,
        runs: runs.path().to_owned(),
        node_binary: Some("/bin/sh".into()),
        replay_of: None,
        namespace: None,
        interrupt,
    };
    let watcher = Rc::clone(&witness) as Rc<dyn Watcher>;
    let report =
        tokio::task::LocalSet::new().run_until(run(settings, watcher)).await.expect("a run directory");
    let events = witness.events.borrow().iter().map(|timed| timed.event.clone()).collect();
    let played = Played { report, events, _runs: runs };
    played.assert_no_process_is_left();
    played
}

#[tokio::test]
async fn a_run_goes_through_its_phases_and_passes() {
    let faults = "faults:\n  - { at: 100ms, kill: { target: n2, restart-after: 100ms } }\n  \
                  - { at: 350ms, for: 50ms, pause: { target: n3 } }\n";
    let played = play(FakeSystem::unreliable(10, 5), faults, &[]).await;
    assert_eq!(
        played.words(),
        [
            "start",
            "prepare",
            "warm-up",
            "load",
            "kill n2",
            "restarted n2",
            "pause n3",
            "resumed n3",
            "heal",
            "healed",
            "final reads",
            "stop",
            "check"
        ]
    );
    let verdict = played.verdict();
    assert_eq!(verdict.verdict, Verdict::Pass, "{verdict:#?}");
    assert_eq!(verdict.faults.len(), 2);
    assert!(verdict.faults.iter().all(|fault| fault.ended > Some(fault.began)));
}

#[tokio::test]
async fn whatever_the_outcomes_the_record_is_a_history_and_each_unknown_ends_its_process() {
    let played = play(FakeSystem::unreliable(20, 20), "", &[]).await;
    let history = played.history();
    let of = |kind: fn(&Outcome) -> bool| history.operations().iter().filter(|o| kind(&o.outcome)).count();
    let unknown = of(|outcome| matches!(outcome, Outcome::Info(_)));
    assert!(
        unknown > 5 && of(|outcome| matches!(outcome, Outcome::Fail(_))) > 5,
        "{unknown} of unknown outcome"
    );
    let processes: std::collections::BTreeSet<_> = history.operations().iter().map(|o| o.process).collect();
    // 4 workers and 3 final readers begin with one process each.
    assert!(processes.len() <= 7 + unknown && processes.len() >= unknown, "{}", processes.len());
    assert_eq!(played.verdict().checks[0].verdict, checker::verdict::Verdict::Valid);
}

#[tokio::test]
async fn a_run_that_is_interrupted_heals_and_is_judged() {
    let faults = "faults:\n  - { at: 1ms, kill: { target: n2 } }\n";
    let played = play_with(FakeSystem::new(), faults, &["run.duration=600s"], true).await;
    let words = played.words();
    assert_eq!(words[words.len() - 6..], ["interrupted", "heal", "healed", "final reads", "stop", "check"]);
    let verdict = played.verdict();
    assert_eq!((verdict.verdict, verdict.interrupted), (Verdict::Inconclusive, true));
    assert_eq!(verdict.reason, "the run was interrupted");
}

#[tokio::test]
async fn a_run_beyond_its_limit_is_our_failure_and_leaves_no_process() {
    // Started again, it never listens.
    let system = FakeSystem::new().beginning_again("exec sleep 600");
    let faults = "faults:\n  - { at: 10ms, kill: { target: n2, restart-after: 100ms } }\n";
    let played = play(system, faults, &["timeout=2s", "run.settle=1s"]).await;
    let failure = played.report.failure.as_ref().expect("the limit was hit").to_string();
    assert!(failure.starts_with("the run did not end within timeout = 2000 ms"), "{failure}");
    assert_eq!(played.verdict().verdict, Verdict::Error);
    assert_eq!(played.words().last().map(String::as_str), Some("check"));
    assert_eq!(played.history().faults()[0].ended, None, "it was never lifted");
}

#[tokio::test]
async fn nodes_that_never_listen_are_our_failure_and_those_that_do_and_end_are_theirs() {
    let played = play(FakeSystem::new().beginning("echo 'no such option' >&2; exit 2"), "", &[]).await;
    let failure = played.report.failure.as_ref().expect("nothing was started").to_string();
    assert!(
        failure.contains("could not start node n1: it ended before it listened: no such option"),
        "{failure}"
    );
    assert_eq!(played.verdict().verdict, Verdict::Error);

    // They live until the load has begun, however slow the machine is; standard error is in the run directory.
    let log = "$(readlink /proc/$$/fd/2)";
    let dying = format!(
        r#"until grep -q '"load"' "$(dirname "{log}")/../../events.jsonl"; do sleep 0.02; done; exit 3"#
    );
    let played = play(FakeSystem::new().living(&dying), "", &[]).await;
    assert_eq!(played.verdict().signature.as_deref(), Some("liveness/node-ended"));
    let reason = &played.verdict().reason;
    // All of them end at once; which end is seen first is the machine's affair.
    let named = ["n1", "n2", "n3"]
        .map(|node| format!("{node} ended by itself: exit code 3; see nodes/{node}/log.jsonl"))
        .iter()
        .any(|sentence| reason.ends_with(sentence));
    assert!(named, "{reason}");
}

#[tokio::test]
async fn a_node_that_does_not_come_back_is_a_violation() {
    let system = FakeSystem::new().beginning_again("echo 'the log is corrupt' >&2; exit 5");
    let faults = "faults:\n  - { at: 50ms, kill: { target: n2, restart-after: 50ms } }\n";
    let played = play(system, faults, &[]).await;
    let words = played.words().join("\n");
    assert!(
        words.contains("n2 did not come back: it ended before it listened: the log is corrupt"),
        "{words}"
    );
    assert!(words.contains("not healed"), "{words}");
    let verdict = played.verdict();
    assert_eq!((verdict.verdict, verdict.signature.as_deref()), (Verdict::Fail, Some("liveness/node-ended")));
    assert!(played.report.failure.is_none());
}

#[tokio::test]
async fn a_node_that_serves_no_final_read_is_a_violation() {
    let played = play(FakeSystem::new().closed("n3"), "", &["run.settle=300ms"]).await;
    let words = played.words();
    assert_eq!(words[words.len() - 5..], ["healed", "final reads", "not healed", "stop", "check"]);
    let verdict = played.verdict();
    let signature = verdict.signature.as_deref();
    assert_eq!((verdict.verdict, signature), (Verdict::Fail, Some("liveness/not-healed")));
    assert!(verdict.reason.contains("through n3: refused: this node serves nobody"), "{}", verdict.reason);
}

#[tokio::test]
async fn overlapping_strikes_on_one_node_leave_it_running() {
    let faults = "\
faults:
  - { name: kill, at: 50ms, kill: { target: n2, restart-after: 100ms } }
  - { name: again, at: 50ms, kill: { target: n2, restart-after: 150ms } }
  - { name: pause, at: 50ms, for: 200ms, pause: { target: n2 } }
  - { name: restart, at: 50ms, restart: { target: n2 } }
  - { name: late, at: 51ms, kill: { target: n2, restart-after: 100ms } }
";
    let played = play(FakeSystem::new(), faults, &[]).await;
    let verdict = played.verdict();
    assert_eq!(verdict.verdict, Verdict::Pass, "{verdict:#?}");
    let starts = played
        .events
        .iter()
        .filter(|event| matches!(event, RunEvent::NodeStarted { node, .. } if node == "n2"));
    assert_eq!(starts.count(), 2, "{:?}", played.words());
    // One death is one kill, however many strikes wanted it.
    let words = played.words().join(", ");
    assert!(words.contains("n2 had ended already"), "{words}");
    let kills = played.events.iter().filter_map(|event| match event {
        RunEvent::FaultLifted { counts, .. } => counts.get(&crate::scenario::count::Count::Kills),
        _ => None,
    });
    assert_eq!(kills.sum::<u64>(), 1, "{words}");
}

#[tokio::test]
async fn a_node_that_survives_a_signal_is_restarted_all_the_same() {
    let system = FakeSystem::new().living("trap '' USR1; while :; do sleep 0.05; done");
    let faults = "faults:\n  - { at: 50ms, kill: { target: n2, signal: USR1, restart-after: 50ms } }\n";
    let played = play(system, faults, &[]).await;
    assert!(played.words().contains(&"restarted n2, which had survived".to_owned()), "{:?}", played.words());
    assert_eq!(played.verdict().verdict, Verdict::Pass, "{:#?}", played.verdict());
}

#[tokio::test]
async fn a_strike_that_finds_nobody_is_skipped_and_said() {
    let faults = "faults:\n  - { name: headless, every: 100ms, times: 2, kill: { target: leader } }\n";
    let played = play(FakeSystem::new(), faults, &[]).await;
    assert!(played.words().contains(&"kill skipped: no leader is known".to_owned()), "{:?}", played.words());
    let verdict = played.verdict();
    assert_eq!(verdict.notes, ["headless#2: kill skipped, no leader is known"], "{:?}", played.words());
}

#[tokio::test]
async fn a_fault_that_did_nothing_does_not_count_as_one_that_struck() {
    // These nodes are shells that send nothing, so there is nothing that a cut could hold.
    let more = "\
faults:
  - { name: cut, at: 50ms, for: 100ms, partition: { isolate: n3 } }
  - { name: kill, at: 200ms, kill: { target: n2, restart-after: 50ms } }
reach: { faults-installed: 2, kills: 1 }
";
    let played = play(FakeSystem::new(), more, &[]).await;
    let words = played.words();
    assert!(words.contains(&"0 of 4 directions struck: nothing was sent".to_owned()), "{words:?}");
    let verdict = played.verdict();
    assert_eq!(verdict.verdict, Verdict::Inconclusive, "{verdict:#?}");
    assert_eq!(verdict.reason, "reach: faults-installed is 1, wanted at least 2");
    let kills = verdict.reached.iter().find(|reach| reach.name == "kills").expect("it was wanted");
    assert!(kills.met(), "{kills:?}");
}

//! What a person reads when a run is over.
//!
//! The texts are beside this file; `UPDATE_GOLDEN=1` writes them anew, and the difference is then for review.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use checker::check::{CheckName, check};
use checker::evidence::Evidence;
use checker::history::timeline;
use checker::limits::Limits;
use checker::report::WIDTH;
use checker::verdict::CheckResult;

use super::*;
use crate::environment::Environment;
use crate::judge::{FaultRecord, NodeEnd, ReachRecord, ThresholdRecord};
use crate::metrics::{Latency, Metrics, Window};
use crate::run::event::{RunEvent, TimedEvent};
use crate::scenario::file::ScenarioFile;
use crate::scenario::plan::Plan;

const SCENARIO: &str = "\
version: 1
name: leader-kill
workload: { kind: conversation }
run: { duration: 10s }
checks: [linearizable, durable, one-leader-per-term, convergence]
";

/// Compares with the text in `terminal/<name>.txt`.
fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/report/terminal/{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
}

/// A verdict of a run of which nothing is known yet.
fn blank(more: &str) -> VerdictFile {
    let text = format!("{SCENARIO}{more}");
    let file = ScenarioFile::parse(Path::new("scenarios/leader-kill.yaml"), &text, &[]);
    let plan = Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), 7);
    let environment = Environment::here(None, "2026-11-21T09:00:00Z");
    let mut verdict = VerdictFile::new(&plan, Path::new("runs/leader-kill/one"), &environment);
    verdict.checks = plan
        .checks
        .iter()
        .map(|name| CheckResult { ms: Some(21), ..CheckResult::valid(*name, 6_012, 4) })
        .collect();
    verdict
}

/// The history of a stale read under a fault.
fn stale_history() -> Evidence {
    let history = timeline::parse(
        "p0: |-send a=1-|  |-send b=2-|
         p1:                             |-read [a]-|  |-read [a b]-|",
    );
    Evidence { history: history.expect("the drawing is one"), ..Evidence::default() }
}

fn with_load(verdict: &mut VerdictFile) {
    let mut metrics =
        Metrics::of(&stale_history().history, Window { from: 0, to: 10_020_000_000 }, &BTreeSet::new());
    metrics.operations = 6_012;
    (metrics.ok, metrics.fail, metrics.info, metrics.ok_per_second) = (5_980, 20, 12, 596.8);
    metrics.latency_ok_ns =
        Some(Latency { p50: 2_100_000, p95: 9_000_000, p99: 31_000_000, max: 912_000_000 });
    metrics.longest_outage_ns = 1_204_000_000;
    verdict.metrics = Some(metrics);
    let strike = |number: u64| FaultRecord {
        fault: format!("kill-leader#{number}"),
        verb: "kill".to_owned(),
        nodes: vec![format!("n{number}")],
        began: number * 2_000_000_000,
        ended: Some(number * 2_000_000_000 + 900_000_000),
    };
    verdict.faults = (1..=5).map(strike).collect();
    let reach = |name: &str, wanted, reached| ReachRecord { name: name.to_owned(), wanted, reached };
    verdict.reached = vec![reach("leader-changes", 3, 5), reach("operations", 4_000, 6_000)];
    let (threshold, measured) = ("longest-outage < 3s".to_owned(), "1.204 s".to_owned());
    verdict.thresholds = vec![ThresholdRecord { threshold, measured, met: true }];
}

#[test]
fn a_run_that_passes() {
    let mut verdict = blank("");
    with_load(&mut verdict);
    verdict.checks[1] = verdict.checks[1]
        .clone()
        .with_count("acknowledged", 3_020)
        .with_count("attempts", 3_031)
        .with_count("lost", 0);
    verdict.liveness = Liveness::of(&[healed(812)]);
    (verdict.verdict, verdict.expected) = (Verdict::Pass, true);
    verdict.reason = "every check is valid".to_owned();
    assert_golden("pass", &render(&verdict, "runs/leader-kill/one"));
}

#[test]
fn a_run_with_a_violation() {
    let mut verdict = blank("");
    with_load(&mut verdict);
    verdict.checks[0] = check(&stale_history(), &[CheckName::Linearizable], &Limits::none()).remove(0);
    // The words are the checker's, and tested there.
    let anomaly = &mut verdict.checks[0].anomalies[0];
    anomaly.sentence = "the read began after the send of b was acknowledged and does not show it".to_owned();
    anomaly.operations.clear();
    anomaly.drawing = "client 0  ├─send b─┤\nclient 1              ├─read a─┤\n".to_owned();
    anomaly.why = "A read shows what was acknowledged before it began.".to_owned();
    anomaly.look_at = "Who answered the read?".to_owned();
    verdict.checks[0].reason = Some(anomaly.sentence.clone());
    verdict.checks[0].anomalies_total = 3;
    verdict.checks[1] = CheckResult::unknown(CheckName::Durable, "no final read succeeded", 0, 0);
    verdict.liveness = Liveness::of(&[healed(812)]);
    verdict.verdict = Verdict::Fail;
    verdict.reason = format!("linearizable: {}", verdict.checks[0].reason.as_deref().unwrap());
    verdict.notes = vec!["kill-leader#6: kill skipped, no leader is known".to_owned()];
    assert_golden("violation", &render(&verdict, "runs/leader-kill/one"));
}

#[test]
fn a_run_whose_node_crashed_and_which_reached_nothing() {
    let mut verdict = blank("");
    with_load(&mut verdict);
    verdict.reached[0].reached = 0;
    verdict.thresholds[0].met = false;
    let end = NodeEnd { node: "n2".to_owned(), at: 5, status: "exit code 70".to_owned() };
    verdict.liveness = crashed(&end);
    verdict.verdict = Verdict::Fail;
    verdict.reason = format!("liveness: {}", verdict.liveness.reason.as_deref().unwrap());
    assert_golden("crash", &render(&verdict, "runs/leader-kill/one"));
}

#[test]
fn a_run_that_never_began() {
    let mut verdict = blank("");
    for check in &mut verdict.checks {
        *check = CheckResult { ms: Some(0), ..CheckResult::unknown(check.name, "nothing to check", 0, 0) };
    }
    verdict.note_failure("could not start node n1: /bin/nothing: No such file or directory (os error 2)");
    assert_golden("error", &render(&verdict, "runs/leader-kill/one"));
}

#[test]
fn the_headline_says_when_the_verdict_is_not_the_one_that_was_expected() {
    let hunt = "expect: { fail: { check: linearizable, anomaly: stale-read, within-seeds: 5 } }\n";
    let line = |more: &str, kind, expected| {
        let verdict = VerdictFile { verdict: kind, expected, reason: "because".to_owned(), ..blank(more) };
        render_headline(&verdict)
    };
    assert_eq!(line("", Verdict::Pass, true), "PASS  leader-kill, seed 7: because\n");
    assert_eq!(line("", Verdict::Fail, false), "FAIL  leader-kill, seed 7: because\n");
    assert_eq!(
        line(hunt, Verdict::Fail, true),
        "FAIL  leader-kill, seed 7: because\n      as the scenario expects: linearizable/stale-read\n"
    );
    assert_eq!(
        line(hunt, Verdict::Pass, false),
        "PASS  leader-kill, seed 7: because\n      not what the scenario expects: linearizable/stale-read\n"
    );
}

#[test]
fn long_lists_are_wrapped_under_their_label() {
    let items: Vec<String> = (0..12).map(|n| format!("kill n{n} at {n}.00 s")).collect();
    let text = list("faults", items.iter().cloned());
    assert!(text.lines().count() > 1, "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= WIDTH && line.ends_with([',', 's']), "no item is broken: {text}");
    }
    assert_eq!(list("faults", std::iter::empty()), "");
}

#[test]
fn long_sentences_are_wrapped_and_commands_are_not() {
    let mut verdict = blank("");
    verdict.verdict = Verdict::Fail;
    verdict.reason = ["sentence"; 30].join(" ");
    verdict.notes = vec![verdict.reason.clone()];
    verdict.reproduce = format!("cargo run -- run {}.yaml", "long".repeat(40));
    let text = render(&verdict, "runs/leader-kill/one");
    let (long, short): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.chars().count() > WIDTH);
    assert_eq!(long, [format!("  reproduce  {}", verdict.reproduce)], "{text}");
    assert!(short.contains(&&*format!("      {}", ["sentence"; 10].join(" "))), "{text}");
}

fn healed(after_ms: u64) -> TimedEvent {
    TimedEvent { at: 9, event: RunEvent::Healed { after_ms } }
}

fn crashed(end: &NodeEnd) -> Liveness {
    let node = end.node.clone();
    let started = RunEvent::NodeStarted {
        node: node.clone(),
        pid: 1,
        generation: 1,
        listen: String::new(),
        peer_listen: String::new(),
    };
    let exited = RunEvent::NodeExited { node, status: end.status.clone(), expected: false };
    Liveness::of(&[TimedEvent { at: 1, event: started }, TimedEvent { at: end.at, event: exited }])
}

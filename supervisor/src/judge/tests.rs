//! What outweighs what, and which exit code goes with it.

use std::collections::BTreeSet;

use checker::anomaly::AnomalyKind;
use checker::history::timeline;

use super::*;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::scenario::file::ScenarioFile;

const SCENARIO: &str = "\
version: 1
name: calm
workload: { kind: conversation }
run: { duration: 10s }
checks: [linearizable, durable]
";

fn plan(more: &str) -> Plan {
    let text = format!("{SCENARIO}{more}");
    let file = ScenarioFile::parse(Path::new("scenarios/calm.yaml"), &text, &[]);
    Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), 7)
}

/// A run in which everything was well, changed by `change`, and what is concluded from it.
fn concluded(expect: &str, change: impl FnOnce(&mut VerdictFile)) -> VerdictFile {
    let plan = plan(expect);
    let environment = Environment::here(None, "2026-11-21T09:00:00Z");
    let mut verdict = VerdictFile::new(&plan, Path::new("runs/calm/one"), &environment);
    verdict.checks = plan.checks.iter().map(|name| CheckResult::valid(*name, 10, 2)).collect();
    verdict.liveness = Liveness::judge(Vec::new(), Some(Ok(12)));
    change(&mut verdict);
    verdict.conclude(&plan.expect);
    verdict
}

/// The result of the real check on a history with a stale read.
fn stale_read() -> CheckResult {
    let history = timeline::parse(
        "p0: |-send a=1-|  |-send b=2-|
         p1:                             |-read [a]-|  |-read [a b]-|",
    );
    let evidence = Evidence { history: history.expect("the drawing is one"), ..Evidence::default() };
    check(&evidence, &[CheckName::Linearizable], &Limits::none()).remove(0)
}

#[test]
fn what_is_well_passes() {
    let verdict = concluded("", |_| {});
    assert_eq!((verdict.verdict, verdict.exit()), (Verdict::Pass, Exit::Expected));
    assert_eq!(verdict.signature, None);
}

#[test]
fn a_violation_outweighs_everything() {
    let mut verdict = concluded("", |verdict| {
        verdict.checks[0] = stale_read();
        verdict.checks[1] = CheckResult::unknown(CheckName::Durable, "there is no final read", 0, 0);
        verdict.interrupted = true;
        verdict.never_succeeded = vec!["send".to_owned()];
    });
    assert_eq!((verdict.verdict, verdict.exit()), (Verdict::Fail, Exit::Violated));
    assert_eq!(verdict.signature.as_deref(), Some("linearizable/stale-read"));
    verdict.note_failure("the disk is full");
    assert_eq!(
        (verdict.verdict, verdict.exit()),
        (Verdict::Fail, Exit::Violated),
        "ours does not hide theirs"
    );
}

#[test]
fn doubt_is_inconclusive_and_never_a_pass() {
    let doubts: [fn(&mut VerdictFile); 5] = [
        |verdict| verdict.checks[1] = CheckResult::unknown(CheckName::Durable, "no final read", 0, 0),
        |verdict| verdict.liveness = Liveness::judge(Vec::new(), None),
        |verdict| verdict.interrupted = true,
        |verdict| verdict.never_succeeded = vec!["send".to_owned()],
        |verdict| {
            verdict.reached = vec![ReachRecord { name: "leader-changes".to_owned(), wanted: 3, reached: 2 }];
        },
    ];
    for doubt in doubts {
        let verdict = concluded("", doubt);
        assert_eq!(
            (verdict.verdict, verdict.exit()),
            (Verdict::Inconclusive, Exit::Inconclusive),
            "{verdict:?}"
        );
    }
}

#[test]
fn a_cluster_that_dies_or_does_not_heal_has_failed() {
    let verdict = concluded("", |verdict| {
        let end = NodeEnd { node: "n2".to_owned(), at: 5, status: "exit code 70".to_owned() };
        verdict.liveness = Liveness::judge(vec![end], Some(Ok(12)));
    });
    assert_eq!((verdict.verdict, verdict.exit()), (Verdict::Fail, Exit::Violated));
    assert_eq!(verdict.signature.as_deref(), Some("liveness/node-ended"));
    let verdict = concluded("", |verdict| {
        verdict.liveness = Liveness::judge(Vec::new(), Some(Err("no leader".to_owned())));
    });
    assert_eq!((verdict.verdict, verdict.exit()), (Verdict::Fail, Exit::Violated));
}

#[test]
fn a_threshold_alone_has_an_exit_of_its_own() {
    let missed = |verdict: &mut VerdictFile| {
        let (threshold, measured) = ("ok-ratio > 0.8".to_owned(), "0.5000".to_owned());
        verdict.thresholds = vec![ThresholdRecord { threshold, measured, met: false }];
    };
    let verdict = concluded("", missed);
    assert_eq!((verdict.verdict, verdict.exit()), (Verdict::Fail, Exit::Thresholds));
    assert_eq!(verdict.signature.as_deref(), Some("threshold/ok-ratio"));
}

#[test]
fn an_expected_failure_must_be_the_one_that_is_expected() {
    let expect = |anomaly: &str| {
        format!("expect: {{ fail: {{ check: linearizable, anomaly: {anomaly}, within-seeds: 5 }} }}\n")
    };
    let caught = concluded(&expect("stale-read"), |verdict| verdict.checks[0] = stale_read());
    assert_eq!((caught.verdict, caught.exit()), (Verdict::Fail, Exit::Expected));
    assert_eq!(caught.checks[0].anomalies[0].kind, AnomalyKind::StaleRead);
    let another = concluded(&expect("lost"), |verdict| verdict.checks[0] = stale_read());
    assert_eq!(another.exit(), Exit::Violated);
    let missed = concluded(&expect("stale-read"), |_| {});
    assert_eq!((missed.verdict, missed.exit()), (Verdict::Pass, Exit::Violated), "a bug that is not caught");
}

#[test]
fn a_failure_of_ours_hides_no_violation_and_is_hidden_by_nothing_else() {
    let after = |expect: &str, change: fn(&mut VerdictFile)| {
        let mut verdict = concluded(expect, change);
        verdict.note_failure("the disk is full");
        (verdict.verdict, verdict.exit())
    };
    let caught = |verdict: &mut VerdictFile| verdict.checks[0] = stale_read();
    let slow = |verdict: &mut VerdictFile| {
        let (threshold, measured) = ("ok-ratio > 0.8".to_owned(), "0.5000".to_owned());
        verdict.thresholds = vec![ThresholdRecord { threshold, measured, met: false }];
    };
    let hunt = "expect: { fail: { check: linearizable, anomaly: stale-read, within-seeds: 5 } }\n";
    assert_eq!(after("", caught), (Verdict::Fail, Exit::Violated));
    assert_eq!(after("", slow), (Verdict::Error, Exit::Harness));
    assert_eq!(after("", |_| {}), (Verdict::Error, Exit::Harness));
    assert_eq!(after(hunt, caught), (Verdict::Error, Exit::Harness), "what is expected is no news");
    assert_eq!(after(hunt, |_| {}), (Verdict::Error, Exit::Harness));
}

#[test]
fn the_way_to_see_it_again_is_part_of_the_verdict() {
    let verdict = concluded("", |_| {});
    assert_eq!(verdict.reproduce, "cargo run --release -- run scenarios/calm.yaml --seed 7");
    assert_eq!(verdict.recheck, "cargo run --release -- check runs/calm/one");
}

#[test]
fn every_kind_of_failure_is_named_and_the_gravest_first() {
    let verdict = concluded("", |verdict| {
        verdict.checks[0] = stale_read();
        let end = NodeEnd { node: "n2".to_owned(), at: 5, status: "exit code 70".to_owned() };
        verdict.liveness = Liveness::judge(vec![end], Some(Ok(12)));
        let (threshold, measured) = ("ok-ratio > 0.8".to_owned(), "0.5000".to_owned());
        verdict.thresholds = vec![ThresholdRecord { threshold, measured, met: false }];
    });
    let kinds = ["linearizable/stale-read", "liveness/node-ended", "threshold/ok-ratio"];
    assert_eq!(verdict.kinds(), kinds);
    assert_eq!(verdict.signature.as_deref(), Some(kinds[0]));
    assert_eq!(concluded("", |_| {}).kinds(), Vec::<String>::new());
}

#[test]
fn a_failure_has_a_time_after_the_warm_up() {
    let mut verdict = concluded("", |verdict| {
        verdict.checks[0] = stale_read();
        let end = NodeEnd { node: "n2".to_owned(), at: 2_000_000, status: "exit code 70".to_owned() };
        verdict.liveness = Liveness::judge(vec![end], Some(Ok(12)));
    });
    assert_eq!(verdict.failed_after("linearizable/stale-read"), None, "there was no load");
    let history = timeline::parse("p0: |-send a=1-|").expect("the drawing is one");
    verdict.metrics = Some(Metrics::of(&history, Window { from: 500_000, to: 3_000_000 }, &BTreeSet::new()));
    let proof = verdict.checks[0].anomalies[0].operations.iter().filter_map(|witness| witness.completed);
    let complete = proof.max().expect("the operations completed");
    let after = Duration::from_nanos(complete.saturating_sub(500_000));
    assert_eq!(verdict.failed_after("linearizable/stale-read"), Some(after));
    assert_eq!(verdict.failed_after("liveness/node-ended"), Some(Duration::from_nanos(1_500_000)));
    assert_eq!(verdict.failed_after("durable/lost"), None);
}

//! Children that are shells, which say what a run would say.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::run::stop::{Stopper, stop};
use crate::scenario::file::ScenarioFile;
use crate::suite::case::Ending;

const SCENARIO: &str = "\
version: 1
name: calm
workload: { kind: conversation }
run: { duration: 10s }
checks: [linearizable]
";

/// Runs a case whose child is this shell script.
async fn run_script(script: &str, interrupt: Stop, watch: &dyn Fn(&Value)) -> CaseReport {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("child");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let changes = ["run.duration=1s".to_owned()];
    let file = ScenarioFile::parse(Path::new("scenarios/calm.yaml"), SCENARIO, &changes).unwrap();
    let runner = ChildRunner { program, out: "runs".into(), node_binary: None, interrupt };
    runner.run(&Case { file, seed: 7 }, watch).await
}

fn quiet() -> (Stopper, Stop) {
    stop()
}

fn verdict(seed: u64, verdict: &str, reason: &str) -> Value {
    json!({
        "format": 1, "scenario": "calm", "seed": seed, "verdict": verdict, "expected": verdict == "pass",
        "reason": reason, "signature": null, "metrics": { "operations": 12, "longest_outage_ns": 5, "ok": 12 },
        "reproduce": format!("again {seed}"), "recheck": "check",
    })
}

#[tokio::test]
async fn verdicts_events_and_complaints_are_told_apart() {
    let script = format!(
        "echo '{}' >&2\necho 'supervisor: the disk is full' >&2\necho '{:#}'\necho '{:#}'\nexit 1",
        json!({ "at": 1, "kind": "began", "seed": 8, "directory": "runs/calm/two" }),
        verdict(7, "pass", "every check is valid"),
        verdict(8, "fail", "message 3 is lost"),
    );
    let (_stopper, interrupt) = quiet();
    let seen = RefCell::new(Vec::new());
    let report = run_script(&script, interrupt, &|event| seen.borrow_mut().push(event["kind"].clone())).await;
    assert_eq!(seen.into_inner(), ["began"]);
    assert_eq!(report.ending(), Ending::Violated);
    assert_eq!(report.attempts.len(), 2);
    let telling = report.telling().unwrap();
    assert_eq!((telling.seed, telling.operations), (8, 12));
    assert_eq!(telling.directory.as_deref(), Some("runs/calm/two"));
    assert_eq!(telling.reproduce.as_deref(), Some("again 8"));
    assert_eq!(report.reason(), "message 3 is lost; the disk is full");
}

#[tokio::test]
async fn a_child_gets_the_scenario_the_seed_and_the_changes() {
    let (_stopper, interrupt) = quiet();
    let report = run_script("echo \"$@\" >&2; exit 4", interrupt, &|_| ()).await;
    let expected = format!(
        "run --seed 7 --set run.duration=1s --out runs --progress json -o json {PARENT_OPTION} {} -- scenarios/calm.yaml",
        getpid()
    );
    assert_eq!((report.exit, report.reason()), (Some(Exit::Harness), expected));
}

#[tokio::test]
async fn however_a_child_ends_it_is_reported_in_words() {
    let reason = async |script: &str| {
        let (_stopper, interrupt) = quiet();
        let report = run_script(script, interrupt, &|_| ()).await;
        assert_eq!(report.exit, Some(Exit::Harness));
        report.reason()
    };
    assert_eq!(reason("kill -9 $$").await, "the run ended with signal 9 (SIGKILL)");
    assert_eq!(reason("echo oh >&2; exit 70").await, "oh; the run ended with exit code 70");
    assert_eq!(reason("echo '{\"seed\": 7, \"verd'; exit 99").await, "the run ended with exit code 99");

    let (_stopper, interrupt) = quiet();
    let runner = ChildRunner { program: "/nowhere".into(), out: "runs".into(), node_binary: None, interrupt };
    let file = ScenarioFile::parse(Path::new("calm.yaml"), SCENARIO, &[]).unwrap();
    let report = runner.run(&Case { file, seed: 7 }, &|_| ()).await;
    assert_eq!(report.reason(), "could not start /nowhere: No such file or directory (os error 2)");
}

#[tokio::test]
async fn an_interrupt_is_passed_on_and_the_child_reports() {
    let (stopper, interrupt) = quiet();
    let event = json!({ "at": 1, "kind": "interrupted" });
    // It says so when its trap stands, for a signal that comes before would end it.
    let script =
        format!("trap 'echo healed >&2; exit 130' INT\necho '{event}' >&2\nwhile :; do sleep 0.05; done");
    let report = run_script(&script, interrupt, &|_| stopper.stop()).await;
    assert_eq!((report.exit, report.ending()), (Some(Exit::Interrupted), Ending::NotRun));
    assert_eq!(report.reason(), "healed");
}

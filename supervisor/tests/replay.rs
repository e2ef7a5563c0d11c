//! Runs of the real program that are done again: the same plan, byte for byte.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const SCENARIO: &str = "\
version: 1
name: short
cluster: { nodes: 3 }
workload: { kind: conversation, clients: 2..6, rate: 50/s..100/s }
run: { warmup: 200ms..400ms, duration: 2s..3s, settle: 20s }
faults:
  - { name: kill, at: 500ms..900ms, kill: { target: follower, restart-after: 300ms } }
checks: [linearizable, durable, one-leader-per-term, convergence]
reach: { faults-installed: 1 }
";

fn supervisor(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    command.output().expect("the supervisor starts")
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_replay_does_exactly_the_same_plan() {
    let place = tempfile::tempdir().expect("a temporary directory");
    fs::write(place.path().join("short.yaml"), SCENARIO).expect("a scenario file");
    let drawn = supervisor(place.path(), &["plan", "short.yaml", "--seed", "5", "-o", "yaml"]);
    assert_eq!(drawn.status.code(), Some(0), "{}", text(&drawn));

    let ran = supervisor(place.path(), &["run", "short.yaml", "--seed", "5", "-o", "json"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
    let original = fs::canonicalize(place.path().join("runs/latest")).expect("a link to the run");
    let plan = fs::read(original.join("plan.yaml")).expect("a plan");
    assert_eq!(drawn.stdout, plan, "what is drawn is what is done");

    // The scenario is not needed any more.
    fs::remove_file(place.path().join("short.yaml")).expect("the scenario is there");
    let replayed = supervisor(place.path(), &["replay", "runs/latest", "-o", "json", "--progress", "none"]);
    assert_eq!(replayed.status.code(), Some(0), "{}", text(&replayed));
    let again = fs::canonicalize(place.path().join("runs/latest")).expect("a link to the run");
    assert_ne!(again, original);
    assert_eq!(fs::read(again.join("plan.yaml")).expect("a plan"), plan);
    assert_eq!(fs::read_to_string(again.join("scenario.yaml")).expect("a scenario"), SCENARIO);

    let verdict = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).expect("a verdict");
    let (first, second) = (verdict(&ran), verdict(&replayed));
    assert_eq!(first["plan_hash"], second["plan_hash"]);
    assert!(text(&replayed).contains(second["plan_hash"].as_str().expect("a hash")), "{}", text(&replayed));
    assert_eq!(first["reproduce"], "cargo run --release -- run short.yaml --seed 5");
    let name = again.strip_prefix(fs::canonicalize(place.path()).expect("a directory")).expect("below");
    assert_eq!(second["reproduce"], format!("cargo run --release -- replay {}", name.display()));
    let environment = fs::read(again.join("env.json")).expect("an environment");
    let environment: Value = serde_json::from_slice(&environment).expect("JSON");
    let of = environment["replay_of"].as_str().expect("a path");
    assert_eq!(fs::canonicalize(place.path().join(of)).expect("a plan"), original.join("plan.yaml"));
}

#[test]
fn a_plan_that_cannot_be_carried_out_is_refused_before_anything_starts() {
    let place = tempfile::tempdir().expect("a temporary directory");
    fs::write(place.path().join("short.yaml"), SCENARIO).expect("a scenario file");
    let drawn = supervisor(place.path(), &["plan", "short.yaml", "--seed", "5", "-o", "yaml"]);
    let plan = String::from_utf8(drawn.stdout).expect("text");
    let refused = |from: &str, to: &str, code, why: &str| {
        fs::write(place.path().join("edited.yaml"), plan.replace(from, to)).expect("a plan");
        let output = supervisor(place.path(), &["replay", "edited.yaml"]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{}", text(&output));
        assert!(text(&output).contains(why), "{}", text(&output));
    };
    refused("clients:", "client:", 2, "supervisor: edited.yaml:");
    refused("target: follower", "target: foreman", 2, "unknown target `foreman`");
    refused("inject-bug: null", "inject-bug: no-such-bug", 2, "inject-bug: no-such-bug\n");
    refused(
        "inject-bug: null",
        "inject-bug: stale-reed",
        2,
        "unknown bug `stale-reed`; did you mean `stale-read`?",
    );
    assert!(!place.path().join("runs").exists());
}

#[test]
fn a_run_that_has_not_failed_is_not_made_smaller() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let calm =
        SCENARIO.replace("2s..3s", "500ms").replace("500ms..900ms", "50ms").replace("300ms }", "50ms }");
    fs::write(place.path().join("short.yaml"), calm).expect("a scenario file");
    let ran = supervisor(place.path(), &["run", "short.yaml", "--seed", "5"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
    let shrunk = supervisor(place.path(), &["shrink", "runs/latest"]);
    assert_eq!((shrunk.status.code(), shrunk.stdout.len()), (Some(2), 0), "{}", text(&shrunk));
    assert!(text(&shrunk).contains("runs/latest has not failed (pass: "), "{}", text(&shrunk));
    let plan = supervisor(place.path(), &["shrink", "runs/latest/plan.yaml"]);
    assert_eq!(plan.status.code(), Some(2), "{}", text(&plan));
    assert!(text(&plan).contains("is a file"), "{}", text(&plan));
}

/// The bug shows without any fault and with few clients, so the smaller plan has neither.
#[cfg(feature = "bugs")]
#[test]
fn a_planted_bug_is_made_smaller_and_still_found() {
    let scenario = "\
version: 1
name: stale
cluster: { nodes: 3, inject-bug: stale-read }
workload: { kind: conversation, clients: 16, routing: any, keys: 2, mix: { send: 20, read: 80 } }
run: { warmup: 500ms, duration: 6s, settle: 20s }
faults:
  - { name: pause, every: 1500ms, for: 200ms, pause: { target: follower } }
checks: [linearizable, durable, one-leader-per-term, convergence]
reach: { faults-installed: 1 }
expect:
  fail: { check: linearizable, anomaly: stale-read, within-seeds: 5 }
";
    let place = tempfile::tempdir().expect("a temporary directory");
    fs::write(place.path().join("stale.yaml"), scenario).expect("a scenario file");
    let ran = supervisor(place.path(), &["run", "stale.yaml", "--seed", "1"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
    let arguments = ["shrink", "runs/latest", "--within", "4m", "--tries", "2", "-o", "json"];
    let shrunk = supervisor(place.path(), &arguments);
    assert_eq!(shrunk.status.code(), Some(0), "{}", text(&shrunk));
    let report: Value = serde_json::from_slice(&shrunk.stdout).expect("a report");
    assert_eq!(report["signature"], "linearizable/stale-read");
    assert_eq!(report["confirmed"], true);
    let size = |of: &str, what: &str| report[of][what].as_u64().expect("a number");
    assert_eq!(report["after"]["strikes"].as_array().expect("strikes").len(), 0, "{report:#}");
    assert!(size("after", "load_ms") <= size("before", "load_ms"), "{report:#}");
    assert!(report["measured"]["failed"].as_u64().is_some_and(|failed| failed > 0), "{report:#}");

    let evidence = place.path().join(report["evidence"].as_str().expect("a run that shows it"));
    let checked =
        supervisor(place.path(), &["check", evidence.to_str().expect("a path of text"), "-o", "json"]);
    let verdict: Value = serde_json::from_slice(&checked.stdout).expect("a verdict");
    assert_eq!(verdict["signature"], "linearizable/stale-read", "{verdict:#}");

    let line = report["replay"].as_str().expect("a line");
    let (program, arguments) = line.split_once(" -- ").expect("a line of cargo");
    assert_eq!(program, "cargo run --release --features bugs");
    let mut words: Vec<&str> = arguments.split(' ').collect();
    words.extend(["--repeat", "10", "--progress", "none", "-o", "json"]);
    assert!(!line.contains("latest"), "the line must outlive the next run: {line}");
    let replayed = supervisor(place.path(), &words);
    let found = text(&replayed).contains("\"signature\": \"linearizable/stale-read\"");
    assert!(found, "{}", text(&replayed));
    assert!(text(&replayed).contains(report["after"]["plan_hash"].as_str().expect("a hash")));
}

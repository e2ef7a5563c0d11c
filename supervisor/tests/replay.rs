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
    let run = original.to_str().expect("a path of text");
    let replayed = supervisor(place.path(), &["replay", run, "-o", "json", "--progress", "none"]);
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
    refused("inject-bug: null", "inject-bug: no-such-bug", 4, "no-such-bug");
    assert!(!place.path().join("runs").exists());
}

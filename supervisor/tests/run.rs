//! Whole runs of the real program: what it leaves behind, and how it ends.
//!
//! The clusters are small and the runs short; what they must show is the path, not the endurance.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// How long anything may take that a test waits for. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run that is long enough to be interrupted.
const LONG: &str = "\
version: 1
name: long
cluster: { nodes: 3 }
workload: { kind: conversation, clients: 4, rate: 100/s }
run: { warmup: 1s, duration: 60s, settle: 20s }
checks: [linearizable, durable, one-leader-per-term, convergence]
";

/// A place of its own for each test, with a scenario in it.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn with(name: &str, scenario: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::write(directory.path().join(name), scenario).expect("a scenario file");
        Self { directory }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn supervisor(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    fn run_to_end(&self, arguments: &[&str]) -> Output {
        self.supervisor(arguments).output().expect("the supervisor starts")
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.supervisor(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the supervisor starts")
    }

    /// The directory of the only run of `scenario`, once there is one.
    fn run_directory(&self, scenario: &str) -> PathBuf {
        let runs = self.path().join("runs").join(scenario);
        wait_for("a run directory", || fs::read_dir(&runs).ok()?.next()?.ok().map(|entry| entry.path()))
    }

    /// The events of a run so far, of one kind.
    fn events(directory: &Path, kind: &str) -> Vec<Value> {
        let text = fs::read_to_string(directory.join("events.jsonl")).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["kind"] == kind).collect()
    }

    /// The processes of all nodes of a run, once the load has begun.
    fn node_pids(directory: &Path) -> Vec<i32> {
        wait_for("the load", || {
            let phases = Self::events(directory, "phase");
            phases.iter().any(|event| event["phase"] == "load").then_some(())
        });
        let pid = |event: &Value| event["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        Self::events(directory, "node-started").iter().filter_map(pid).collect()
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, &mut look)
}

fn wait_within<T>(limit: Duration, what: &str, look: &mut dyn FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come within {limit:?}");
        sleep(Duration::from_millis(20));
    }
}

/// The process exists and is not a zombie that nobody has reaped yet.
fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_run_passes_and_leaves_evidence_but_no_process() {
    let scenario = "\
version: 1
name: short
cluster: { nodes: 3 }
workload: { kind: conversation, clients: 4, rate: 100/s }
run: { warmup: 500ms, duration: 4s, settle: 20s }
faults:
  - name: kill-leader
    at: 1s
    kill: { target: leader, restart-after: 1s }
checks: [linearizable, durable, one-leader-per-term, convergence]
reach: { leader-changes: 1, faults-installed: 1, operations: 10 }
";
    let place = Place::with("short.yaml", scenario);
    let output = place.run_to_end(&["run", "short.yaml", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("PASS  short, seed 1"), "{}", text(&output));

    let run = fs::canonicalize(place.path().join("runs/latest")).expect("a link to the run");
    for file in ["scenario.yaml", "plan.yaml", "env.json", "history.jsonl", "events.jsonl", "verdict.json"] {
        assert!(run.join(file).is_file(), "{file} is missing");
    }
    for pid in Place::node_pids(&run) {
        assert!(!is_alive(pid), "node process {pid} outlived its run");
    }
    assert!(!run.join("nodes/n1/data").exists(), "the data of a run that passed is of no use");

    let again = place.run_to_end(&["check", "runs/latest", "-o", "json"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again));
    let judged = |bytes: &[u8]| {
        let mut verdict: Value = serde_json::from_slice(bytes).expect("a verdict");
        for check in verdict["checks"].as_array_mut().expect("checks") {
            check["ms"] = Value::Null;
        }
        verdict["recheck"] = Value::Null;
        verdict
    };
    let saved = fs::read(run.join("verdict.json")).expect("a verdict");
    assert_eq!(judged(&again.stdout), judged(&saved), "the same evidence gives the same verdict");
}

#[test]
fn no_node_outlives_a_supervisor_that_was_killed_and_what_it_recorded_can_be_judged() {
    let place = Place::with("long.yaml", LONG);
    let mut supervisor = place.start(&["run", "long.yaml", "--seed", "1"]);
    let run = place.run_directory("long");
    let nodes = Place::node_pids(&run);
    assert_eq!(nodes.len(), 3);
    wait_for("some operations", || {
        let history = fs::read_to_string(run.join("history.jsonl")).ok()?;
        (history.lines().count() > 100).then_some(())
    });
    supervisor.kill().expect("kill -9");
    supervisor.wait().expect("the supervisor is gone");
    wait_within(Duration::from_secs(2), "the end of every node", &mut || {
        nodes.iter().all(|pid| !is_alive(*pid)).then_some(())
    });

    let checked = place.run_to_end(&["check", run.to_str().expect("a path of text"), "-o", "json"]);
    assert_eq!(checked.status.code(), Some(3), "cut short, so inconclusive: {}", text(&checked));
    let verdict: Value = serde_json::from_slice(&checked.stdout).expect("a verdict");
    assert_eq!(verdict["checks"][0]["name"], "linearizable");
    assert_eq!(verdict["checks"][0]["verdict"], "valid", "{verdict:#}");
    assert!(verdict["checks"][0]["operations"].as_u64().is_some_and(|operations| operations > 20));

    // `latest` is the run that was killed, and the next one needs no cleaning.
    let latest = || fs::canonicalize(place.path().join("runs/latest")).expect("a link");
    assert_eq!(latest(), fs::canonicalize(&run).expect("the run"));
    let next = place.run_to_end(&["run", "long.yaml", "--set", "run.duration=1s", "--seed", "1"]);
    assert_eq!(next.status.code(), Some(0), "{}", text(&next));
    assert_ne!(latest(), fs::canonicalize(&run).expect("the run"), "the newest run is another one");
    assert!(latest().join("verdict.json").is_file());
    assert!(!place.path().join("runs/latest-failed").exists(), "no run ended other than expected");
}

#[test]
fn an_interrupt_heals_checks_and_reports() {
    let place = Place::with("long.yaml", LONG);
    let mut supervisor = place.start(&["run", "long.yaml", "--seed", "1"]);
    let run = place.run_directory("long");
    let nodes = Place::node_pids(&run);
    let pid = i32::try_from(supervisor.id()).expect("a pid");
    kill(Pid::from_raw(pid), Signal::SIGINT).expect("the supervisor is there");
    let status = supervisor.wait().expect("the supervisor ends");
    assert_eq!(status.code(), Some(130));
    let verdict = fs::read_to_string(run.join("verdict.json")).expect("a verdict");
    let verdict: Value = serde_json::from_str(&verdict).expect("JSON");
    assert_eq!(verdict["interrupted"], true);
    let judged = |name: &str| {
        let checks = verdict["checks"].as_array().expect("checks");
        checks.iter().find(|check| check["name"] == name).expect("the check")["verdict"].clone()
    };
    assert_eq!(judged("durable"), "valid", "the final reads were done: {verdict:#}");
    assert!(nodes.iter().all(|pid| !is_alive(*pid)));
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_starts() {
    let bug = LONG.replace("nodes: 3", "nodes: 3, inject-bug: no-such-bug");
    let place = Place::with("long.yaml", &bug);
    let output = place.run_to_end(&["run", "long.yaml"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("unknown bug `no-such-bug`"), "{}", text(&output));
    let output = place.run_to_end(&["run", "lang.yaml"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(!place.path().join("runs").exists());
}

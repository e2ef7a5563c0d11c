//! Suites of the real program: what runs, what is said of it, and how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quick_junit::Report;
use serde_json::Value;

/// How long anything may take that a test waits for. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// A scenario that passes in a few seconds. One node, for what is tested is the suite, and there may be little to run
/// it on.
fn scenario(name: &str, tags: &str, more: &str) -> String {
    format!(
        "\
version: 1
name: {name}
tags: [{tags}]
cluster: {{ nodes: 1 }}
workload: {{ kind: conversation, clients: 2, rate: 50/s }}
run: {{ warmup: 500ms, duration: 1s, settle: 20s }}
checks: [linearizable, durable]
{more}"
    )
}

/// A place of its own for each test.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn with(scenarios: &[(&str, String)]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (path, text) in scenarios {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            fs::write(path, text).expect("a scenario file");
        }
        Self { directory }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn supervisor(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for variable in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
            command.env_remove(variable);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.supervisor(arguments).output().expect("the supervisor starts")
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.supervisor(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the supervisor starts")
    }

    /// Name and exit of each scenario of the last suite.
    fn record(&self) -> Vec<(String, Option<u64>)> {
        let text = fs::read_to_string(self.path().join("runs/suite.json")).expect("a record");
        let record: Value = serde_json::from_str(&text).expect("JSON");
        let scenarios = record["scenarios"].as_array().expect("scenarios");
        scenarios
            .iter()
            .map(|scenario| {
                (scenario["scenario"].as_str().expect("a name").to_owned(), scenario["exit"].as_u64())
            })
            .collect()
    }
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn named(expected: &[(&str, Option<u64>)]) -> Vec<(String, Option<u64>)> {
    expected.iter().map(|(name, exit)| ((*name).to_owned(), *exit)).collect()
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come within {PATIENCE:?}");
        sleep(Duration::from_millis(20));
    }
}

/// Goal that no run reaches.
const UNREACHABLE: &str = "reach: { operations: 1000000 }\n";

#[test]
fn a_suite_runs_what_it_finds_says_what_failed_and_runs_that_again() {
    let place = Place::with(&[
        ("scenarios/a/good.yaml", scenario("good", "ci", "")),
        ("scenarios/b/idle.yaml", scenario("idle", "ci, weak", UNREACHABLE)),
        ("scenarios/slow.yaml", scenario("slow", "ci, weak", "thresholds: [latency.ok.p99 < 1us]\n")),
        ("scenarios/other.yaml", scenario("other", "bug", "")),
    ]);
    let arguments = [
        "suite",
        "scenarios",
        "--tag",
        "ci and not bug",
        "--seed",
        "3",
        "--jobs",
        "2",
        "--junit",
        "out/junit.xml",
    ];
    let summary = place.path().join("summary.md");
    let mut command = place.supervisor(&arguments);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output().expect("the supervisor starts");
    let (stdout, stderr) = (said(&output.stdout), said(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "inconclusive is graver than a threshold: {stdout}{stderr}");
    assert_eq!(place.record(), named(&[("good", Some(0)), ("idle", Some(3)), ("slow", Some(6))]));

    assert!(stderr.contains("/3] PASS  good, seed 3 ("), "{stderr}");
    assert!(!stdout.contains("good"), "what passed is counted only: {stdout}");
    assert!(stdout.contains("INCONCLUSIVE  idle, seed 3: "), "{stdout}");
    assert!(stdout.contains("THRESHOLDS  slow, seed 3: "), "{stdout}");
    assert!(
        stdout.contains("reproduce  cargo run --release -- run scenarios/slow.yaml --seed 3\n"),
        "{stdout}"
    );
    assert!(stdout.contains(": 1 as expected, 1 inconclusive, 1 missed a threshold\n"), "{stdout}");
    assert!(
        stdout.contains("::error file=scenarios/b/idle.yaml,line=2,title=idle%3A inconclusive::"),
        "{stdout}"
    );
    assert!(fs::read_to_string(summary).expect("a summary").contains("| ❌ THRESHOLDS | slow | 3 |"));
    let junit = fs::read_to_string(place.path().join("out/junit.xml")).expect("a report");
    let junit = Report::deserialize_from_str(&junit).expect("JUnit");
    assert_eq!((junit.tests, junit.failures, junit.errors), (3, 1, 1));
    let directory = stdout.lines().find_map(|line| line.trim().strip_prefix("run        ")).expect("a run");
    assert!(place.path().join(directory).join("verdict.json").is_file(), "{directory}");

    // What failed is run again, with its seed, and only what still fails remains.
    fs::write(place.path().join("scenarios/slow.yaml"), scenario("slow", "ci, weak", "")).expect("writable");
    let output = place.run(&["suite", "--rerun-failed", "--progress", "none"]);
    assert_eq!(output.status.code(), Some(3), "{}{}", said(&output.stdout), said(&output.stderr));
    assert_eq!(place.record(), named(&[("idle", Some(3)), ("slow", Some(0))]));
    assert!(said(&output.stdout).contains("INCONCLUSIVE  idle, seed 3: "), "{}", said(&output.stdout));
    assert!(output.stderr.is_empty(), "{}", said(&output.stderr));
}

#[test]
fn after_a_failure_nothing_more_is_run_if_so_wished_and_the_outcome_is_one_object() {
    let place =
        Place::with(&[("s/a.yaml", scenario("a", "ci", UNREACHABLE)), ("s/b.yaml", scenario("b", "ci", ""))]);
    let output = place.run(&["suite", "s", "--fail-fast", "-o", "json", "--set", "run.duration=500ms"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output.stderr));
    let object: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!((&object["format"], &object["exit"]), (&Value::from(1), &Value::from(3)));
    assert_eq!(place.record(), named(&[("a", Some(3)), ("b", None)]));
    let reproduce = object["scenarios"][0]["attempts"][0]["reproduce"].as_str().expect("a command");
    assert!(reproduce.ends_with("--set 'run.duration=500ms'"), "{reproduce}");
}

#[test]
fn a_broken_scenario_is_reported_and_the_others_are_run() {
    let crash = "faults: [{ at: 100ms, for: 100ms, crash: { target: all, at: append-befor-sync } }]\n";
    let place = Place::with(&[
        ("s/bad.yaml", scenario("bad", "ci", "rech: {}\n")),
        ("s/good.yaml", scenario("good", "ci", "")),
        ("s/misspelt.yaml", scenario("misspelt", "ci", crash)),
        ("s/worse.yaml", "version: 1\n".to_owned()),
    ]);
    let output = place.run(&["suite", "s", "--tag", "ci", "--junit", "junit.xml", "--github"]);
    let (stdout, stderr) = (said(&output.stdout), said(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{stdout}{stderr}");
    let expected = [("bad", Some(2)), ("good", Some(0)), ("misspelt", Some(2)), ("worse", Some(2))];
    assert_eq!(place.record(), named(&expected));
    assert!(stderr.contains("s/bad.yaml:8:1: ") && stderr.contains("s/worse.yaml:"), "{stderr}");
    assert!(stdout.contains("REFUSED  bad: s/bad.yaml:8:1: unknown field `rech`"), "{stdout}");
    assert!(stdout.contains("did you mean `append-before-sync`?"), "{stdout}");
    assert!(stdout.contains(": 1 as expected, 3 refused\n"), "{stdout}");
    assert!(stdout.contains("::error file=s/bad.yaml,line=8,title=bad%3A refused::"), "{stdout}");
    let junit = fs::read_to_string(place.path().join("junit.xml")).expect("a report");
    let junit = Report::deserialize_from_str(&junit).expect("JUnit");
    assert_eq!((junit.tests, junit.failures, junit.errors), (4, 0, 3));

    // A file that cannot be read is a failure, too, after which nothing begins if so wished.
    let output = place.run(&["suite", "s", "--fail-fast", "--progress", "none"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output.stderr));
    assert_eq!(place.record()[1], ("good".to_owned(), None));
    fs::remove_dir_all(place.path().join("runs")).expect("it is there");
    for broken in ["bad", "misspelt", "worse"] {
        fs::remove_file(place.path().join(format!("s/{broken}.yaml"))).expect("it is there");
    }
    let refused: [(&[&str], &str); 5] = [
        (&["suite", "s", "--tag", "ci and"], "column 7: expected a tag, `not` or `(`"),
        (&["suite", "s", "--tag", "slow"], "--tag selects none of 1 scenarios; their tags are: ci"),
        (
            &["suite", "s", "--rerun-failed"],
            "--rerun-failed needs the record of a suite: could not read runs/suite.json",
        ),
        (&["suite", "runs"], "could not read runs: No such file or directory"),
        (&["suite"], "could not read scenarios/ci: No such file or directory"),
    ];
    for (arguments, expected) in refused {
        let output = place.run(arguments);
        let stderr = said(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    assert!(!place.path().join("runs").exists());
}

#[test]
fn a_run_that_cannot_start_is_an_error_of_the_testbed() {
    let place = Place::with(&[("s/good.yaml", scenario("good", "ci", ""))]);
    let output = place.run(&["suite", "s", "--node-binary", "/bin/false", "--progress", "none"]);
    let stdout = said(&output.stdout);
    assert_eq!(output.status.code(), Some(4), "{stdout}{}", said(&output.stderr));
    assert!(stdout.contains("ERROR  good, seed "), "{stdout}");
    assert!(stdout.contains("could not start node"), "{stdout}");
    assert!(
        stdout.contains("1 scenario in ") && stdout.ends_with(": 1 ended in an error of the testbed\n"),
        "{stdout}"
    );
}

/// The only run of a scenario whose load has begun, and the processes of its nodes.
fn nodes_under_load(place: &Place, scenario: &str) -> (PathBuf, Vec<i32>) {
    let runs = place.path().join("runs").join(scenario);
    wait_for("the load", || {
        let run = fs::read_dir(&runs).ok()?.next()?.ok()?.path();
        let text = fs::read_to_string(run.join("events.jsonl")).ok()?;
        let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        events.iter().find(|event| event["phase"] == "load")?;
        let pids = events.iter().filter(|event| event["kind"] == "node-started");
        let pids = pids.filter_map(|event| i32::try_from(event["pid"].as_i64()?).ok()).collect();
        Some((run, pids))
    })
}

/// The process exists and is not a zombie that nobody has reaped yet.
fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

#[test]
fn an_interrupt_lets_the_run_report_and_a_kill_leaves_no_process_and_nothing_to_clean() {
    let place = Place::with(&[
        ("s/a.yaml", scenario("a", "ci", "").replace("duration: 1s", "duration: 60s")),
        ("s/b.yaml", scenario("b", "ci", "")),
    ]);
    let mut suite = place.start(&["suite", "s", "--out", "runs"]);
    let (run, _) = nodes_under_load(&place, "a");
    kill(Pid::from_raw(suite.id().cast_signed()), Signal::SIGINT).expect("the suite is there");
    assert_eq!(suite.wait().expect("the suite ends").code(), Some(130));
    let verdict = fs::read_to_string(run.join("verdict.json")).expect("a verdict");
    assert_eq!(serde_json::from_str::<Value>(&verdict).expect("JSON")["interrupted"], true);
    assert_eq!(place.record(), named(&[("a", Some(130)), ("b", None)]));
    fs::remove_dir_all(place.path().join("runs/a")).expect("the run is there");

    let mut suite = place.start(&["suite", "s", "--out", "runs"]);
    let (run, nodes) = nodes_under_load(&place, "a");
    assert_eq!(nodes.len(), 1);
    suite.kill().expect("kill -9");
    suite.wait().expect("the suite is gone");
    wait_for("the end of every node", || nodes.iter().all(|pid| !is_alive(*pid)).then_some(()));
    let latest = fs::canonicalize(place.path().join("runs/latest")).expect("a link");
    assert_eq!(latest, fs::canonicalize(&run).expect("the run"), "the newest run is the one that was killed");

    // The next suite needs no cleaning, and begins with what had not ended.
    let again = place.run(&["suite", "--rerun-failed", "--set", "run.duration=1s", "--progress", "none"]);
    assert_eq!(again.status.code(), Some(0), "{}{}", said(&again.stdout), said(&again.stderr));
    assert_eq!(place.record(), named(&[("a", Some(0)), ("b", Some(0))]));
    let latest = fs::canonicalize(place.path().join("runs/latest")).expect("a link");
    assert!(latest.parent().is_some_and(|parent| parent.ends_with("runs/b")), "{}", latest.display());
}

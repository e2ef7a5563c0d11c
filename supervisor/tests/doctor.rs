//! The doctor: what it prints, and that it ends nothing but what is ours and has lost its supervisor.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

fn supervisor(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
    command.args(arguments).current_dir(place).stdin(Stdio::null());
    command
}

fn doctor(place: &Path, arguments: &[&str]) -> Output {
    let mut command = supervisor(place, &["doctor"]);
    command.args(arguments).output().expect("the supervisor starts")
}

fn examination(place: &Path, arguments: &[&str]) -> Value {
    let output = doctor(place, &[&["-o", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).expect("one object")
}

/// A process that looks like a node whose supervisor is this test: a shell under the name of the supervisor.
struct Fake(Child);

impl Fake {
    fn start(place: &Path, program: &str, verb: &str) -> Self {
        let shell = place.join(program);
        if !shell.exists() {
            // By another process: a file that this one has open for writing cannot be executed, nor while a child that
            // another test starts still holds it.
            let copied = Command::new("cp").arg("/bin/sh").arg(&shell).status().expect("cp starts");
            assert!(copied.success(), "a shell");
        }
        // A shell that is told to run `__node` looks for a script of that name here.
        fs::write(place.join(verb), "echo began\nread -r _\n").expect("a script");
        let mut command = Command::new(shell);
        command.arg0("/proc/self/exe").args([verb, "--node-id", "n1"]).current_dir(place);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the shell starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it was asked for as a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("it says something");
        assert_eq!(line, "began\n");
        Self(child)
    }

    fn pid(&self) -> u64 {
        self.0.id().into()
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("it is a child").is_some()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn what_is_printed_has_the_same_shape_in_both_forms() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let examination = examination(place.path(), &[]);
    assert_eq!(examination["format"], 1);
    assert_eq!((&examination["ready"], &examination["cleaned"]), (&Value::from(true), &Value::from(false)));
    let findings = examination["findings"].as_array().expect("findings");
    let names: Vec<&str> = findings.iter().filter_map(|finding| finding["name"].as_str()).collect();
    let expected = [
        "cores",
        "memory",
        "disk-space",
        "disk-sync",
        "open-files",
        "loopback",
        "ports",
        "death-signal",
        "clock",
        "kernel-network",
        "node",
        "planted-bugs",
    ];
    assert_eq!(names, expected);
    for finding in findings {
        let keys: Vec<&String> = finding.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["name", "state", "found", "follows", "mend"]);
        assert!(["good", "limited"].contains(&finding["state"].as_str().expect("a word")), "{finding}");
    }
    let leftovers = examination["leftovers"].as_object().expect("leftovers");
    assert_eq!(leftovers.keys().collect::<Vec<_>>(), ["processes", "files", "unfinished_runs"]);

    let output = doctor(place.path(), &[]);
    let text = String::from_utf8(output.stdout).expect("text");
    for name in expected {
        assert!(text.lines().any(|line| line.split_whitespace().nth(1) == Some(name)), "{name}: {text}");
    }
    assert!(text.ends_with("the default scenarios can run here\n"), "{text}");
    assert!(!place.path().join("runs").exists(), "nothing is made");
}

#[test]
fn where_no_run_can_be_recorded_the_exit_says_so() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let output = doctor(place.path(), &["--out", "/proc/self/runs"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("CANNOT   disk-sync        could not write to /proc/"), "{text}");
}

/// One test, for what one examination removes another would miss.
#[test]
fn only_nodes_that_lost_their_supervisor_are_ended() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let place = place.path();
    let mut orphan = Fake::start(place, "supervisor", "__node");
    let mut other_verb = Fake::start(place, "supervisor", "__nodes");
    let mut other_program = Fake::start(place, "shell", "__node");
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let mut up = supervisor(place, &["up", "--nodes", "1", "--port", &port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the supervisor starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(up.stdout.take().expect("it was asked for as a pipe"));
    stdout.read_line(&mut line).expect("it says where its nodes are");
    let words: Vec<&str> = line.split_whitespace().collect();
    let node: u64 = words.get(3).and_then(|pid| pid.parse().ok()).unwrap_or_else(|| panic!("no pid: {line}"));

    let pids = |examination: &Value| -> Vec<u64> {
        let processes = examination["leftovers"]["processes"].as_array().expect("processes");
        processes.iter().filter_map(|process| process["pid"].as_u64()).collect()
    };
    let found = pids(&examination(place, &[]));
    assert!(found.contains(&orphan.pid()), "{found:?}");
    for innocent in [other_verb.pid(), other_program.pid(), node] {
        assert!(!found.contains(&innocent), "{found:?}");
    }
    assert!(!orphan.has_ended(), "to look is not to remove");

    // The orphan is a child of this test, so it remains as a zombie, which has ended.
    let cleaned = examination(place, &["--clean"]);
    assert_eq!(cleaned["cleaned"], true);
    assert!(pids(&cleaned).contains(&orphan.pid()));
    assert!(orphan.has_ended());
    assert!(!other_verb.has_ended() && !other_program.has_ended());
    assert!(Path::new(&format!("/proc/{node}/fd/0")).exists(), "the node has its supervisor, and lives");
    assert!(!pids(&examination(place, &[])).contains(&orphan.pid()));

    kill(Pid::from_raw(up.id().cast_signed()), Signal::SIGINT).expect("the supervisor is there");
    assert_eq!(up.wait().expect("it ends").code(), Some(130));
}

//! What a person reads who asks for help, with the exit codes that scripts rely on.
//!
//! `UPDATE_GOLDEN=1` writes the texts anew; the difference is then for review.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn supervisor(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_supervisor"));
    command.args(arguments).env_remove("COLUMNS").output().expect("the supervisor starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn help_says_what_there_is_and_how_it_ends() {
    let mut different = Vec::new();
    for command in
        ["", "run", "suite", "mutants", "replay", "shrink", "plan", "check", "validate", "doctor", "up"]
    {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = supervisor(&arguments);
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "help is a result");
        let help = text(&output.stdout);
        let name = if command.is_empty() { "supervisor" } else { command };
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/help/{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &help).expect("the directory is writable");
        } else if fs::read_to_string(&golden).unwrap_or_default() != help {
            different.push(format!("{}:\n{help}", golden.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn wrong_usage_is_said_on_standard_error_and_ends_in_2() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let empty = directory.path().to_str().expect("a path of text");
    let no_run = format!(
        "supervisor: {empty} is no run directory: it has neither a plan.yaml nor a history.jsonl nor a history.bin\n"
    );
    let no_plan = format!("supervisor: {empty} is no run directory: it has no plan.yaml\n");
    let cases: [(&[&str], &str); 10] = [
        (&[], "Usage: supervisor"),
        (&["run"], "required arguments were not provided"),
        (&["run", "nowhere.yaml"], "supervisor: could not read nowhere.yaml: No such file or directory"),
        (&["run", "x.yaml", "--repeat", "0"], "0 is not in 1.."),
        (&["check", "nowhere"], "supervisor: could not read nowhere: No such file or directory"),
        (&["check", empty], &no_run),
        (&["replay", "nowhere"], "supervisor: could not read nowhere: No such file or directory"),
        (&["replay", empty], &no_plan),
        (&["shrink", empty], &no_plan),
        (&["shrink", empty, "--within", "10"], "`10` has no unit; write a unit, e.g. 10s"),
    ];
    for (arguments, expected) in cases {
        let output = supervisor(arguments);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

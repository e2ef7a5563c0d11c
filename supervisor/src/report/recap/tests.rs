//! A suite in which everything went in another way, as a person, JUnit and GitHub get to see it.

use std::path::Path;

use super::*;
use crate::exit::Exit;
use crate::judge::Verdict;
use crate::scenario::file::ScenarioFile;
use crate::suite::case::{Attempt, Case};

/// Compares with the text in the file `name` beside this one; `UPDATE_GOLDEN=1` writes it anew.
pub(crate) fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/recap").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
}

fn case(name: &str) -> Case {
    let text = format!(
        "version: 1\nname: {name}\nworkload: {{ kind: conversation }}\nrun: {{ duration: 10s }}\nchecks:\n  - linearizable\n  - durable\n"
    );
    let path = format!("scenarios/ci/{name}.yaml");
    let file = ScenarioFile::parse(Path::new(&path), &text, &[]);
    Case { file: file.unwrap_or_else(|errors| panic!("{errors}")), seed: 7 }
}

fn attempt(scenario: &str, verdict: Verdict, reason: &str) -> Attempt {
    Attempt {
        verdict,
        expected: verdict == Verdict::Pass,
        operations: 1_234,
        longest_outage_ns: Some(40_000_000),
        directory: Some(format!("runs/{scenario}/one")),
        reproduce: Some(format!("cargo run --release -- run scenarios/ci/{scenario}.yaml --seed 7")),
        ..Attempt::failed(7, reason)
    }
}

/// A suite with one scenario of every ending.
pub(crate) fn colourful() -> Record {
    let ended = |name: &str, exit, verdict, signature: Option<&str>, reason: &str| {
        let attempt = Attempt { signature: signature.map(str::to_owned), ..attempt(name, verdict, reason) };
        CaseReport::ended(&case(name), exit, 41.5, vec![attempt])
    };
    let long = "durable: message c3-17 of alice:bob was acknowledged as number 41 at 9.293 s, 100 % sure, and is \
                in none of the final reads <of & any> node";
    let unstarted = CaseReport {
        note: Some("could not create runs/full: No space left on device (os error 28)".to_owned()),
        ..CaseReport::ended(&case("full"), Exit::Harness, 0.1, Vec::new())
    };
    let reports = vec![
        ended("calm", Exit::Expected, Verdict::Pass, None, "every check is valid"),
        ended("leader-kill", Exit::Violated, Verdict::Fail, Some("durable/lost"), long),
        ended("bug", Exit::Violated, Verdict::Pass, None, "every check is valid"),
        ended(
            "idle",
            Exit::Inconclusive,
            Verdict::Inconclusive,
            None,
            "leader-changes 0 of 3 was not reached",
        ),
        ended(
            "slow",
            Exit::Thresholds,
            Verdict::Fail,
            Some("threshold/longest-outage"),
            "longest-outage < 3s does not hold: 4.2 s",
        ),
        unstarted,
        CaseReport::not_run(&case("last"), "another scenario had failed"),
    ];
    let mut reports = reports;
    // A hunt that found nothing: no seed showed what was expected.
    reports[2].attempts[0].expected = false;
    Record::new("2026-11-21T09:00:00Z", 192.4, reports)
}

#[test]
fn what_failed_is_said_with_its_reason_and_how_to_see_it_again() {
    assert_golden("recap.txt", &render(&colourful()));
}

#[test]
fn a_suite_without_failures_is_one_line() {
    let mut record = colourful();
    record.scenarios.truncate(1);
    assert_eq!(render(&record), "1 scenario in 3 min 12 s: 1 as expected\n");
}

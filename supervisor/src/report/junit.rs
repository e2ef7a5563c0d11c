//! A suite as JUnit XML, which every CI reads.
//!
//! | ending | element |
//! |---|---|
//! | as expected | none: passed |
//! | violated, or an expected failure that did not show | `<failure>`, its type the signature: `linearizable/stale-read` |
//! | only thresholds missed | `<failure type="threshold/…">` |
//! | inconclusive | `<error type="inconclusive">`: nothing is known against the system, but the test did not do its work |
//! | the file is no scenario | `<error type="scenario">` |
//! | the testbed failed | `<error type="harness">` |
//! | not run to its end | `<skipped>` |
//!
//! A `<failure>` is thus always about the system, and an `<error>` never is; CI is red for both. A test case is named as
//! its scenario, its class is the directory of the file; `system-out` has the run directory and the line that does the
//! run again, of every run where there were several.

use std::path::Path;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::recap::{headline, ways};
use crate::suite::case::{CaseReport, Ending};
use crate::suite::record::Record;

/// The whole document.
#[must_use]
pub fn render(record: &Record) -> String {
    let mut suite = TestSuite::new("supervisor suite");
    suite.set_time(seconds(record.seconds));
    suite.add_test_cases(record.scenarios.iter().map(test_case));
    let mut report = Report::new("hearsay");
    report.set_time(seconds(record.seconds));
    report.add_test_suite(suite);
    report.to_string().expect("a document in memory can be written")
}

fn test_case(report: &CaseReport) -> TestCase {
    let mut case = TestCase::new(report.scenario.as_str(), status(report));
    case.set_classname(class_name(&report.source));
    case.set_time(seconds(report.seconds));
    case.extra.insert("file".into(), report.source.as_str().into());
    case.extra.insert("line".into(), report.line.to_string().into());
    let runs: Vec<String> = report
        .attempts
        .iter()
        .map(|attempt| {
            let directory = attempt.directory.as_deref().unwrap_or("unknown");
            let again = attempt.reproduce.as_deref().unwrap_or("unknown");
            format!(
                "seed {}: {}\nrun        {directory}\nreproduce  {again}\n",
                attempt.seed,
                attempt.verdict.word()
            )
        })
        .collect();
    if !runs.is_empty() {
        case.set_system_out(runs.join("\n"));
    }
    case
}

fn status(report: &CaseReport) -> TestCaseStatus {
    let signature = report.telling().and_then(|attempt| attempt.signature.as_deref());
    let (kind, r#type) = match report.ending() {
        Ending::Expected => return TestCaseStatus::success(),
        Ending::NotRun => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(report.reason());
            return status;
        }
        Ending::Violated => (NonSuccessKind::Failure, signature.unwrap_or("expectation")),
        Ending::Thresholds => (NonSuccessKind::Failure, signature.unwrap_or("threshold")),
        Ending::Inconclusive => (NonSuccessKind::Error, "inconclusive"),
        Ending::Refused => (NonSuccessKind::Error, "scenario"),
        Ending::Error => (NonSuccessKind::Error, "harness"),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(r#type);
    status.set_message(report.reason());
    status.set_description(headline(report) + &ways(report).join("\n"));
    status
}

/// The directory of a scenario, as the classes of other languages are written: `scenarios.ci`.
fn class_name(source: &str) -> String {
    let directory = Path::new(source).parent().unwrap_or(Path::new(""));
    let parts: Vec<_> = directory
        .components()
        .filter_map(|part| match part {
            std::path::Component::Normal(name) => Some(name.to_string_lossy()),
            _ => None,
        })
        .collect();
    if parts.is_empty() { "scenarios".to_owned() } else { parts.join(".") }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::recap::tests::{assert_golden, colourful};

    #[test]
    fn every_ending_has_its_element_and_the_document_reads_back() {
        let text = render(&colourful());
        assert_golden("junit.xml", &text);
        let report = Report::deserialize_from_str(&text).unwrap();
        assert_eq!((report.tests, report.failures, report.errors, report.skipped), (7, 3, 2, 1));
        let suite = &report.test_suites[0];
        let kinds: Vec<String> = suite
            .test_cases
            .iter()
            .map(|case| match &case.status {
                TestCaseStatus::Success { .. } => "passed".to_owned(),
                TestCaseStatus::Skipped { .. } => "skipped".to_owned(),
                TestCaseStatus::NonSuccess { kind, ty, .. } => {
                    format!("{kind:?} {}", ty.as_ref().map_or("", |ty| ty.as_str()))
                }
            })
            .collect();
        let expected = [
            "passed",
            "Failure durable/lost",
            "Failure expectation",
            "Error inconclusive",
            "Failure threshold/longest-outage",
            "Error harness",
            "skipped",
        ];
        assert_eq!(kinds, expected);
        let failed = &suite.test_cases[1];
        assert_eq!(failed.classname.as_ref().map(|name| name.as_str()), Some("scenarios.ci"));
        assert_eq!(failed.time, Some(Duration::from_millis(41_500)));
        let out = failed.system_out.as_ref().unwrap().as_str();
        assert!(out.contains("run        runs/leader-kill/one\n"), "{out}");
        assert!(
            out.contains("reproduce  cargo run --release -- run scenarios/ci/leader-kill.yaml --seed 7"),
            "{out}"
        );
    }

    #[test]
    fn classes_are_directories_however_they_were_named() {
        assert_eq!(class_name("calm.yaml"), "scenarios");
        assert_eq!(class_name("./scenarios/ci/calm.yaml"), "scenarios.ci");
        assert_eq!(class_name("../calm.yaml"), "scenarios");
    }
}

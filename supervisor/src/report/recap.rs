//! The end of a suite, for a person: what failed, why, and how to see it again. What did not fail is counted.
//!
//! ```text
//! FAIL  leader-kill, seed 7: durable: message c3-17 was acknowledged and is not there
//!       run        runs/leader-kill/2026-11-21T12-07-11Z-seed7
//!       reproduce  cargo run --release -- run scenarios/ci/leader-kill.yaml --seed 7
//!
//! 7 scenarios in 3 min 12 s: 6 as expected, 1 violated
//! ```

use checker::report::wrap;

use super::words::{minutes, tally};
use crate::suite::case::{CaseReport, Ending};
use crate::suite::record::Record;

/// The endings of a suite, gravest first, with the word for the scenario and the words for their number.
const ENDINGS: [(Ending, &str, &str); 7] = [
    (Ending::Expected, "PASS", "as expected"),
    (Ending::Violated, "FAIL", "violated"),
    (Ending::Refused, "REFUSED", "refused"),
    (Ending::Error, "ERROR", "ended in an error of the testbed"),
    (Ending::Inconclusive, "INCONCLUSIVE", "inconclusive"),
    (Ending::Thresholds, "THRESHOLDS", "missed a threshold"),
    (Ending::NotRun, "NOT RUN", "not run to the end"),
];

/// The word for an ending.
#[must_use]
pub fn word(ending: Ending) -> &'static str {
    ENDINGS.iter().find(|(known, _, _)| *known == ending).map_or("", |(_, word, _)| word)
}

/// What failed, a paragraph each, and the line that counts everything.
#[must_use]
pub fn render(record: &Record) -> String {
    let mut paragraphs: Vec<String> = record.failed().map(failure).collect();
    paragraphs.push(summary(record) + "\n");
    paragraphs.join("\n")
}

/// What happened to a scenario, in one sentence with its word before it.
#[must_use]
pub fn headline(report: &CaseReport) -> String {
    let word = word(report.ending());
    let sentence = format!("{}{}: {}", report.scenario, report.seed_in_words(), report.reason());
    wrap(&format!("{word}  "), &sentence, word.len() + 2)
}

/// Where the evidence is and what does it again, if there is either; a line each, never wrapped.
#[must_use]
pub fn ways(report: &CaseReport) -> Vec<String> {
    let Some(attempt) = report.telling() else { return Vec::new() };
    let run = attempt.directory.as_ref().map(|directory| format!("run        {directory}"));
    let again = attempt.reproduce.as_ref().map(|command| format!("reproduce  {command}"));
    run.into_iter().chain(again).collect()
}

fn failure(report: &CaseReport) -> String {
    let indent = word(report.ending()).len() + 2;
    let ways = ways(report).into_iter().map(|line| format!("{:indent$}{line}\n", ""));
    headline(report) + &ways.collect::<String>()
}

/// `7 scenarios in 3 min 12 s: 6 as expected, 1 violated`.
#[must_use]
pub fn summary(record: &Record) -> String {
    let count = |ending| record.scenarios.iter().filter(|report| report.ending() == ending).count();
    let parts: Vec<String> = ENDINGS
        .iter()
        .map(|(ending, _, words)| (count(*ending), words))
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    let scenarios = tally(record.scenarios.len(), "scenario", "scenarios");
    format!("{scenarios} in {}: {}", minutes(record.seconds), parts.join(", "))
}

#[cfg(test)]
pub(super) mod tests;

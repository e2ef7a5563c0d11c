//! One scenario of a batch, and what came of it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::judge::{Verdict, VerdictFile};
use crate::scenario::file::{Place, ScenarioFile};

/// A scenario to be run.
#[derive(Debug, Clone)]
pub struct Case {
    /// What to run.
    pub file: ScenarioFile,
    /// The seed of its first run.
    pub seed: u64,
}

/// What came of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its seed.
    pub seed: u64,
    /// About the system; [`Verdict::Error`] when there is none.
    pub verdict: Verdict,
    /// The verdict is the one that the scenario expects.
    pub expected: bool,
    /// The verdict in a sentence, or why there is none.
    pub reason: String,
    /// The kind of a failure: `linearizable/stale-read`.
    pub signature: Option<String>,
    /// Every kind of failure that was found; the signature is the first of them.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// How many operations the load had.
    pub operations: u64,
    /// The longest time without a success, if there was a load.
    pub longest_outage_ns: Option<u64>,
    /// The run directory, as a person would type it, if it is known.
    pub directory: Option<String>,
    /// The command that does it again, if there is one.
    pub reproduce: Option<String>,
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseReport {
    /// Its name.
    pub scenario: String,
    /// Its file, as it was named.
    pub source: String,
    /// The line of the file that says what was violated, from 1.
    pub line: usize,
    /// The seed of its first run; none for a file that is no scenario.
    pub seed: Option<u64>,
    /// How it ended; none when it was not run, or not to its end.
    pub exit: Option<Exit>,
    /// How long it took.
    pub seconds: f64,
    /// Its runs, in order: several where a failure is hunted.
    pub attempts: Vec<Attempt>,
    /// Why it was not run, or what went wrong beside the runs.
    pub note: Option<String>,
}

/// How a scenario ended, for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As expected.
    Expected,
    /// Something is violated, or an expected failure did not show.
    Violated,
    /// Too slow, or not there for too long.
    Thresholds,
    /// Nobody can say.
    Inconclusive,
    /// The file is no scenario.
    Refused,
    /// The testbed failed.
    Error,
    /// Not run to its end.
    NotRun,
}

impl Attempt {
    /// The run in `directory` that ended in `verdict`.
    #[must_use]
    pub fn of(verdict: &VerdictFile, directory: &str) -> Self {
        let metrics = verdict.metrics.as_ref();
        Self {
            seed: verdict.seed,
            verdict: verdict.verdict,
            expected: verdict.expected,
            reason: verdict.reason.clone(),
            signature: verdict.signature.clone(),
            kinds: verdict.found.clone(),
            operations: metrics.map_or(0, |metrics| metrics.operations),
            longest_outage_ns: metrics.map(|metrics| metrics.longest_outage_ns),
            directory: Some(directory.to_owned()),
            reproduce: Some(verdict.reproduce.clone()),
        }
    }

    /// A run that came to no verdict.
    #[must_use]
    pub fn failed(seed: u64, why: &str) -> Self {
        Self {
            seed,
            verdict: Verdict::Error,
            expected: false,
            reason: why.to_owned(),
            signature: None,
            kinds: Vec::new(),
            operations: 0,
            longest_outage_ns: None,
            directory: None,
            reproduce: None,
        }
    }
}

impl CaseReport {
    /// A case that has not been run, with the reason.
    #[must_use]
    pub fn not_run(case: &Case, why: &str) -> Self {
        Self {
            scenario: case.file.name.value.clone(),
            source: case.file.source.clone(),
            line: line_of(&case.file, None),
            seed: Some(case.seed),
            exit: None,
            seconds: 0.0,
            attempts: Vec::new(),
            note: Some(why.to_owned()),
        }
    }

    /// A file that is not run, because it is no scenario or because it cannot be run here: the exit that goes with that,
    /// the line that says so, and why.
    #[must_use]
    pub fn refused(source: &Path, exit: Exit, line: usize, why: &str) -> Self {
        let stem = source.file_stem().unwrap_or(source.as_os_str());
        Self {
            scenario: stem.to_string_lossy().into_owned(),
            source: source.display().to_string(),
            line,
            seed: None,
            exit: Some(exit),
            seconds: 0.0,
            attempts: Vec::new(),
            note: Some(why.to_owned()),
        }
    }

    /// Its seed in words, for a headline: `, seed 7`; nothing for a file that is no scenario.
    #[must_use]
    pub fn seed_in_words(&self) -> String {
        let seed = self.telling().map(|attempt| attempt.seed).or(self.seed);
        seed.map(|seed| format!(", seed {seed}")).unwrap_or_default()
    }

    /// A case that ended.
    #[must_use]
    pub fn ended(case: &Case, exit: Exit, seconds: f64, attempts: Vec<Attempt>) -> Self {
        let mut report = Self { exit: Some(exit), seconds, attempts, note: None, ..Self::not_run(case, "") };
        let signature = report.telling().and_then(|attempt| attempt.signature.clone());
        report.line = line_of(&case.file, signature.as_deref());
        report
    }

    /// How it ended.
    #[must_use]
    pub fn ending(&self) -> Ending {
        match self.exit {
            Some(Exit::Expected) => Ending::Expected,
            Some(Exit::Violated) => Ending::Violated,
            Some(Exit::Thresholds) => Ending::Thresholds,
            Some(Exit::Inconclusive) => Ending::Inconclusive,
            Some(Exit::Usage) => Ending::Refused,
            Some(Exit::Harness | Exit::Bug) => Ending::Error,
            Some(Exit::Interrupted | Exit::Terminated) | None => Ending::NotRun,
        }
    }

    /// The run that says why it ended so: the gravest that was not as expected, and the last of several that are
    /// alike; the last if all were.
    #[must_use]
    pub fn telling(&self) -> Option<&Attempt> {
        let gravity = |attempt: &Attempt| match attempt.verdict {
            _ if attempt.expected => 0,
            Verdict::Pass => 1,
            Verdict::Inconclusive => 2,
            Verdict::Error => 3,
            Verdict::Fail => 4,
        };
        match self.ending() {
            Ending::Expected => self.attempts.last(),
            _ => self.attempts.iter().max_by_key(|attempt| gravity(attempt)),
        }
    }

    /// Why it ended so, in a sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        let said = self.telling().map(|attempt| {
            let is_missing = attempt.verdict == Verdict::Pass && !attempt.expected;
            if is_missing { MISSING.to_owned() } else { attempt.reason.clone() }
        });
        match (said, &self.note) {
            (Some(said), Some(note)) => format!("{said}; {note}"),
            (Some(said), None) => said,
            (None, Some(note)) => note.clone(),
            (None, None) => "it said nothing".to_owned(),
        }
    }
}

/// What is wrong with a run that passed and should not have.
const MISSING: &str = "every check is valid, but the scenario expects a failure";

/// The line of the scenario that says what was violated: the check, as far as the signature names one.
fn line_of(file: &ScenarioFile, signature: Option<&str>) -> usize {
    let check = signature.and_then(|signature| signature.split('/').next());
    let place = check.and_then(|name| file.checks.iter().find(|check| check.value.name() == name));
    let place = place.map_or(file.name.place, |check| check.place);
    match place {
        Place::File { line, .. } => line,
        Place::Override(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const SCENARIO: &str = "\
version: 1
name: calm
workload: { kind: conversation }
run: { duration: 10s }
checks:
  - linearizable
  - durable
";

    fn case() -> Case {
        let file = ScenarioFile::parse(Path::new("scenarios/calm.yaml"), SCENARIO, &[]);
        Case { file: file.unwrap_or_else(|errors| panic!("{errors}")), seed: 7 }
    }

    fn attempt(verdict: Verdict, expected: bool, reason: &str) -> Attempt {
        Attempt { verdict, expected, ..Attempt::failed(7, reason) }
    }

    #[test]
    fn the_gravest_run_tells_why_and_points_at_the_line_of_its_check() {
        let lost = Attempt {
            signature: Some("durable/lost".to_owned()),
            ..attempt(Verdict::Fail, false, "message 3 is lost")
        };
        let attempts = vec![
            attempt(Verdict::Pass, true, "every check is valid"),
            lost,
            attempt(Verdict::Inconclusive, false, "nothing was reached"),
        ];
        let report = CaseReport::ended(&case(), Exit::Violated, 3.0, attempts);
        assert_eq!((report.ending(), report.line), (Ending::Violated, 7));
        assert_eq!(report.reason(), "message 3 is lost");
        let passed =
            CaseReport::ended(&case(), Exit::Expected, 3.0, vec![attempt(Verdict::Pass, true, "fine")]);
        assert_eq!((passed.ending(), passed.line), (Ending::Expected, 2));
    }

    #[test]
    fn a_bug_that_no_seed_shows_is_said_to_be_missing() {
        let attempts = vec![attempt(Verdict::Pass, false, "every check is valid")];
        let report = CaseReport::ended(&case(), Exit::Violated, 3.0, attempts);
        assert_eq!(report.reason(), MISSING);
        let report = CaseReport::not_run(&case(), "interrupted");
        assert_eq!((report.ending(), report.reason()), (Ending::NotRun, "interrupted".to_owned()));
    }
}

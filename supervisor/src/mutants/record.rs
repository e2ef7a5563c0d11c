//! `mutants.json`: the trials that were made, beside their runs.
//!
//! It is written anew after every trial. A trial that stands in it is not made again, as long as the scenario, what is
//! changed in it and the seed are the same.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trial::{Purpose, Trial};
use crate::harness::HarnessFailure;
use crate::judge::Verdict;
use crate::suite::case::CaseReport;

/// The name of the file, in the directory of all runs.
const FILE: &str = "mutants.json";

/// The version that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// A trial that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Why.
    pub purpose: Purpose,
    /// The bug it is about.
    pub bug: String,
    /// The scenario's name.
    pub scenario: String,
    /// The fault that was left out, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
    /// What was changed in the scenario.
    pub changes: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// What the run came to.
    pub verdict: Verdict,
    /// It shows what was looked for: the failure that the scenario expects, or any where it expects none.
    pub caught: bool,
    /// Every kind of failure that it shows, as `durable/lost`.
    pub kinds: Vec<String>,
    /// How long the run took, in seconds, with start, final reads and check.
    pub seconds: f64,
    /// The verdict in a sentence.
    pub reason: String,
    /// Where the run is.
    pub directory: Option<String>,
}

/// All trials that were made in one directory of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format.
    pub format: u32,
    /// The trials, in the order in which they ended.
    pub made: Vec<Made>,
}

impl Made {
    /// What came of a trial.
    #[must_use]
    pub fn of(trial: &Trial, report: &CaseReport) -> Self {
        let attempt = report.telling();
        let directory = attempt.and_then(|attempt| attempt.directory.clone());
        let kinds = attempt.map(|attempt| attempt.kinds.clone()).unwrap_or_default();
        let found = attempt.map_or(Verdict::Error, |attempt| attempt.verdict);
        Self {
            purpose: trial.purpose,
            bug: trial.bug.clone(),
            scenario: trial.case.file.name.value.clone(),
            without: trial.without.clone(),
            changes: trial.case.file.overrides.clone(),
            seed: trial.case.seed,
            verdict: found,
            caught: match trial.purpose {
                Purpose::Own | Purpose::Calm | Purpose::Without => {
                    attempt.is_some_and(|attempt| attempt.expected)
                }
                Purpose::General | Purpose::Clean | Purpose::Legal | Purpose::Invisible => {
                    found == Verdict::Fail
                }
            },
            kinds,
            seconds: report.seconds,
            reason: report.reason(),
            directory,
        }
    }

    /// Whether this is what came of `trial`, when it was made.
    #[must_use]
    pub fn is_of(&self, trial: &Trial) -> bool {
        let file = &trial.case.file;
        (self.purpose, &self.bug, self.seed) == (trial.purpose, &trial.bug, trial.case.seed)
            && self.scenario == file.name.value
            && self.changes == file.overrides
    }
}

impl Record {
    /// A record of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { format: FORMAT, made: Vec::new() }
    }

    /// Where the record in `runs` is.
    #[must_use]
    pub fn path(runs: &Path) -> PathBuf {
        runs.join(FILE)
    }

    /// Reads the record in `runs`; an empty one if there is none.
    ///
    /// # Errors
    /// If there is one that cannot be understood.
    pub fn load(runs: &Path) -> Result<Self, HarnessFailure> {
        let path = Self::path(runs);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::new()),
            Err(error) => return Err(HarnessFailure::file("read", &path)(error)),
        };
        let record: Self = serde_json::from_str(&text)
            .map_err(|error| HarnessFailure::Check { path: path.clone(), why: error.to_string() })?;
        if record.format == FORMAT {
            return Ok(record);
        }
        let why = format!("it is of format {}, and only format {FORMAT} is known", record.format);
        Err(HarnessFailure::Check { path, why })
    }

    /// Replaces the record in `runs` in one step.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, runs: &Path) -> Result<(), HarnessFailure> {
        fs::create_dir_all(runs).map_err(HarnessFailure::file("create", runs))?;
        let path = Self::path(runs);
        let fresh = runs.join(format!(".{FILE}.new-{}", std::process::id()));
        fs::write(&fresh, self.to_json()).map_err(HarnessFailure::file("write", &fresh))?;
        fs::rename(&fresh, &path).map_err(HarnessFailure::file("replace", path))
    }

    /// One object and a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a record is plain data") + "\n"
    }

    /// The trials of `trials` that are not in it.
    #[must_use]
    pub fn missing(&self, trials: Vec<Trial>) -> Vec<Trial> {
        let is_known = |trial: &Trial| self.made.iter().any(|made| made.is_of(trial));
        trials.into_iter().filter(|trial| !is_known(trial)).collect()
    }
}

impl Default for Record {
    fn default() -> Self {
        Self::new()
    }
}

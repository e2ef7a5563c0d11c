//! `suite.json`: what came of the last suite, beside the runs it made.
//!
//! It is written anew after every scenario, so that a suite that was killed leaves what it knows; what had not ended
//! stands in it as not run.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::case::{CaseReport, Ending};
use crate::exit::Exit;
use crate::harness::HarnessFailure;

/// The name of the file, in the directory of all runs.
const FILE: &str = "suite.json";

/// The version that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// What came of a suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format.
    pub format: u32,
    /// When it began, in RFC 3339.
    pub began: String,
    /// How long it took.
    pub seconds: f64,
    /// The gravest exit of its scenarios.
    pub exit: Exit,
    /// The scenarios, in order.
    pub scenarios: Vec<CaseReport>,
}

impl Record {
    /// The record of a suite that came so far.
    #[must_use]
    pub fn new(began: &str, seconds: f64, scenarios: Vec<CaseReport>) -> Self {
        let ended = scenarios.iter().filter(|report| report.ending() != Ending::NotRun);
        let exit = ended.filter_map(|report| report.exit).fold(Exit::Expected, Exit::gravest);
        Self { format: FORMAT, began: began.to_owned(), seconds, exit, scenarios }
    }

    /// Where the record of the suites in `runs` is.
    #[must_use]
    pub fn path(runs: &Path) -> PathBuf {
        runs.join(FILE)
    }

    /// Replaces the record in `runs` in one step, so that a reader finds the old one or the new one.
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

    /// Reads the record in `runs`.
    ///
    /// # Errors
    /// If there is none, or it cannot be understood.
    pub fn load(runs: &Path) -> Result<Self, HarnessFailure> {
        let path = Self::path(runs);
        let text = fs::read_to_string(&path).map_err(HarnessFailure::file("read", &path))?;
        let record: Self = serde_json::from_str(&text)
            .map_err(|error| HarnessFailure::Check { path: path.clone(), why: error.to_string() })?;
        if record.format == FORMAT {
            return Ok(record);
        }
        let why = format!("it is of format {}, and only format {FORMAT} is known", record.format);
        Err(HarnessFailure::Check { path, why })
    }

    /// One object and a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a record is plain data") + "\n"
    }

    /// What did not end as expected, or was not run.
    pub fn failed(&self) -> impl Iterator<Item = &CaseReport> {
        self.scenarios.iter().filter(|report| report.ending() != Ending::Expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::file::ScenarioFile;
    use crate::suite::case::{Attempt, Case};

    fn report(exit: Option<Exit>) -> CaseReport {
        let text = "version: 1\nname: calm\nworkload: { kind: conversation }\nrun: { duration: 10s }\nchecks: [linearizable]\n";
        let file = ScenarioFile::parse(Path::new("calm.yaml"), text, &[]).unwrap();
        let case = Case { file, seed: 7 };
        match exit {
            Some(exit) => CaseReport::ended(&case, exit, 2.5, vec![Attempt::failed(7, "because")]),
            None => CaseReport::not_run(&case, "its turn has not come"),
        }
    }

    #[test]
    fn what_is_saved_is_read_again_and_knows_what_failed() {
        let exits = [Some(Exit::Expected), Some(Exit::Thresholds), None, Some(Exit::Harness)];
        let record = Record::new("2026-11-21T09:00:00Z", 9.0, exits.map(report).to_vec());
        assert_eq!(record.exit, Exit::Harness, "what was not run says nothing");
        let runs = tempfile::tempdir().unwrap();
        let inner = runs.path().join("not/there/yet");
        record.save(&inner).unwrap();
        record.save(&inner).unwrap();
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1, "nothing is left beside it");
        let again = Record::load(&inner).unwrap();
        assert_eq!(again, record);
        let failed: Vec<_> = again.failed().map(|report| report.exit).collect();
        assert_eq!(failed, [Some(Exit::Thresholds), None, Some(Exit::Harness)]);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let runs = tempfile::tempdir().unwrap();
        assert!(matches!(Record::load(runs.path()), Err(HarnessFailure::File { action: "read", .. })));
        let mut record = Record::new("2026-11-21T09:00:00Z", 9.0, Vec::new());
        record.format = 2;
        record.save(runs.path()).unwrap();
        let why = Record::load(runs.path()).unwrap_err().to_string();
        assert!(why.ends_with("it is of format 2, and only format 1 is known"), "{why}");
    }
}

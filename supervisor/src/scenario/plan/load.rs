//! A plan from its file, with the line and column of what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Plan, PlanError};
use crate::scenario::file::{ScenarioErrors, Spot, refuse_at};

/// Why a plan could not be loaded.
#[derive(Debug, Error)]
pub enum PlanLoadError {
    /// The file could not be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not a plan, or not one that can be run.
    #[error(transparent)]
    Plan(#[from] ScenarioErrors),
}

impl Plan {
    /// Reads the plan of the file at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, is not a plan, or breaks an invariant of [`Plan`]. The last two say where.
    pub fn load(path: &Path) -> Result<Self, PlanLoadError> {
        let text = fs::read_to_string(path)
            .map_err(|source| PlanLoadError::Read { path: path.to_owned(), source })?;
        Ok(Self::parse(path, &text)?)
    }

    /// The one thing that is wrong with the plan in the file at `path`, the field `at`, shown as a compiler would.
    #[must_use]
    pub fn refuse(path: &Path, text: &str, at: &str, message: String) -> ScenarioErrors {
        refuse_at(&path.display().to_string(), text, Spot::Path(at), message)
    }

    /// Reads the text of the file at `path`. Nothing is read from disk.
    ///
    /// # Errors
    /// As [`Plan::from_yaml`]; the error shows the line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ScenarioErrors> {
        let source = path.display().to_string();
        Self::from_yaml(text).map_err(|error| match &error {
            PlanError::Form(cause) => {
                let message = format!("{error}: {}", without_place(&cause.to_string()));
                let word = message.split('`').nth(1);
                let spot =
                    cause.location().map_or(Spot::Path(""), |at| Spot::From(at.line(), at.column(), word));
                refuse_at(&source, text, spot, message.clone())
            }
            PlanError::Sense { at, .. } => refuse_at(&source, text, Spot::Path(at), error.to_string()),
        })
    }
}

/// The message of a YAML error without the line and column behind it, which are shown anyway.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::file::ScenarioFile;

    const SCENARIO: &str = "\
version: 1
name: calm
workload: { kind: conversation }
run: { duration: 30s }
faults:
  - { every: 8s, kill: { target: leader, restart-after: 1s } }
checks: [linearizable]
";

    /// What is said of the plan after an edit, behind the place that is named, which must be in the edit.
    fn refused(from: &str, to: &str) -> String {
        let file = ScenarioFile::parse(Path::new("calm.yaml"), SCENARIO, &[]).unwrap();
        let text = Plan::resolve(&file, 1).to_yaml();
        let position = text.find(from).unwrap_or_else(|| panic!("no {from} in {text}"));
        let before = &text[..position];
        let column = 1 + before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        let error = Plan::parse(Path::new("runs/x/plan.yaml"), &text.replacen(from, to, 1)).unwrap_err();
        let error = error.to_string();
        let line = format!("runs/x/plan.yaml:{}:", before.lines().count());
        let rest = error.strip_prefix(&line).unwrap_or_else(|| panic!("{line} is not where {error}"));
        let (named, rest) = rest.split_once(": ").unwrap();
        assert!(named.parse::<usize>().unwrap() >= column, "{error}");
        assert!(rest.contains(to), "the line is not shown: {error}");
        rest.to_owned()
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_line_and_column() {
        let nobody = refused("nodes: 5", "nodes: 0");
        let lines: Vec<&str> = nobody.lines().collect();
        assert!(lines[0].starts_with("not a plan that can be run: 0 nodes"), "{nobody}");
        assert!(lines[1].ends_with(" |   nodes: 0"), "{nobody}");
        assert_eq!(lines[2].find('^'), lines[1].rfind('0'), "{nobody}");
        let out_of_order = refused("at: 16s", "at: 1s");
        assert!(
            out_of_order.starts_with("not a plan that can be run: strikes out of order"),
            "{out_of_order}"
        );
        let typo = refused("warmup:", "warmap:");
        assert!(typo.starts_with("not a plan: run: unknown field `warmap`"), "{typo}");
        assert!(!typo.contains("at line"), "{typo}");
        assert!(refused("settle: 10s", "settle: 10").contains("`10` has no unit"));
        assert!(refused("target: leader", "target: lieder").contains("unknown target `lieder`"));
    }

    #[test]
    fn what_is_no_yaml_at_all_is_refused_too() {
        for text in ["", "no plan", "a: [", "\t- x", "version: 1\n"] {
            let error = Plan::parse(Path::new("plan.yaml"), text).unwrap_err().to_string();
            assert!(error.starts_with("plan.yaml:"), "{text:?}: {error}");
        }
    }
}

//! What is wrong with a scenario, and where.
//!
//! An error is shown as a compiler would: `path:line:column`, a sentence, the line itself and carets under the text
//! that is meant.
//!
//! ```text
//! scenarios/x.yaml:12:3: unknown field `rat` in `workload`; did you mean `rate`?
//!    12 |   rat: 200/s
//!       |   ^^^
//!       = expected one of: kind, clients, rate
//! ```

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::place::{Place, Placed};
use super::suggest;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// Where.
    pub place: Place,
    /// What, in one line, with the offending text.
    pub message: String,
    /// What would be right, in one line.
    pub help: Option<String>,
}

impl ScenarioError {
    /// A word that is none of `known`; `what` says what it stands for.
    #[must_use]
    pub fn unknown_word(said: &Placed<String>, what: &str, known: &[&str]) -> Self {
        let question = suggest::question(&said.value, known.iter().copied());
        let message = format!("unknown {what} `{}`{question}", said.value);
        Self { place: said.place, message, help: Some(format!("expected one of: {}", known.join(", "))) }
    }
}

/// Everything that is wrong with a scenario, in the order of the file; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioErrors {
    path: String,
    lines: Vec<String>,
    overrides: Vec<String>,
    errors: Vec<ScenarioError>,
}

impl ScenarioErrors {
    pub(super) fn new(path: &str, text: &str, overrides: &[String], mut errors: Vec<ScenarioError>) -> Self {
        assert!(!errors.is_empty(), "a scenario without an error is not refused");
        errors.sort_by_key(|error| error.place);
        errors.dedup();
        let lines = text.lines().map(str::to_owned).collect();
        Self { path: path.to_owned(), lines, overrides: overrides.to_vec(), errors }
    }

    /// The errors, in the order of the file.
    #[must_use]
    pub fn errors(&self) -> &[ScenarioError] {
        &self.errors
    }

    /// The first line that is wrong; 1 where the command line is.
    #[must_use]
    pub fn first_line(&self) -> usize {
        let line = |error: &ScenarioError| match error.place {
            Place::File { line, .. } => Some(line),
            Place::Override(_) => None,
        };
        self.errors.iter().find_map(line).unwrap_or(1)
    }

    /// The errors in one line, without excerpts: `x.yaml:12:3: unknown field; x.yaml:14:1: missing field`.
    #[must_use]
    pub fn in_a_line(&self) -> String {
        let of_error = |error: &ScenarioError| format!("{}: {}", self.where_is(error), error.message);
        self.errors.iter().map(of_error).collect::<Vec<_>>().join("; ")
    }

    fn where_is(&self, error: &ScenarioError) -> String {
        match error.place {
            Place::File { line, column, .. } => format!("{}:{line}:{column}", self.path),
            Place::Override(index) => format!("{}: --set {}", self.path, self.overrides[index]),
        }
    }
}

impl fmt::Display for ScenarioErrors {
    /// Every error with its excerpt, without a line break at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{}: {}", self.where_is(error), error.message)?;
            if let Place::File { line, column, width } = error.place {
                self.excerpt(f, line, column, width)?;
            }
            if let Some(help) = &error.help {
                write!(f, "\n{:5} = {help}", "")?;
            }
        }
        Ok(())
    }
}

impl ScenarioErrors {
    fn excerpt(&self, f: &mut fmt::Formatter<'_>, line: usize, column: usize, width: usize) -> fmt::Result {
        let Some(text) = self.lines.get(line - 1) else { return Ok(()) };
        // A tab would move the carets away from what they mean.
        let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let shown = shown.trim_end();
        let room = shown.chars().count().saturating_sub(column - 1).max(1);
        write!(
            f,
            "\n{line:5} | {shown}\n{:5} | {:skip$}{:^<carets$}",
            "",
            "",
            "",
            skip = column - 1,
            carets = width.min(room)
        )
    }
}

impl std::error::Error for ScenarioErrors {}

/// Why a scenario could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("could not read {}{}", path.display(), did_you_mean(suggestion.as_deref()))]
    Read {
        /// The file.
        path: PathBuf,
        /// A file of a similar name beside it.
        suggestion: Option<String>,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not a scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioErrors),
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

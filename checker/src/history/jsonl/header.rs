//! The first line of a history.

use serde::{Deserialize, Serialize};

use super::error::{JsonlError, Problem};
use crate::history::History;

/// What the header's `format` says.
pub const FORMAT: &str = "hearsay-history";

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// The first line. Fields that a later writer may add are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`VERSION`].
    pub version: u32,
    /// When the run started, in ns of the Unix epoch: the zero of every `time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_unix_ns: Option<u64>,
    /// What there was at the start, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initially: Option<Initially>,
}

/// What there was when a history began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initially {
    /// None of the accounts that the history speaks of. (Conversations and registers are always new.)
    Empty,
}

impl Header {
    /// The header of a history that starts at a time, if it is known, in ns of the Unix epoch.
    #[must_use]
    pub fn new(started_unix_ns: Option<u64>) -> Self {
        Header { format: FORMAT.to_owned(), version: VERSION, started_unix_ns, initially: None }
    }

    /// The same header, which says that there was no account when the history began.
    #[must_use]
    pub fn initially_empty(self) -> Self {
        Header { initially: Some(Initially::Empty), ..self }
    }

    /// The header of a history that is already there.
    pub(in crate::history) fn of(history: &History) -> Self {
        let header = Header::new(history.started_unix_ns());
        if history.is_initially_empty() { header.initially_empty() } else { header }
    }

    /// Tells a history what its header says.
    pub(in crate::history) fn describe(&self, history: &mut History) {
        if let Some(started) = self.started_unix_ns {
            history.set_started_unix_ns(started);
        }
        if self.initially == Some(Initially::Empty) {
            history.set_initially_empty();
        }
    }

    /// The header that a first line is.
    pub(super) fn parse(text: &[u8]) -> Result<Self, JsonlError> {
        if text.is_empty() {
            return Err(Problem::Empty.at(1, 1));
        }
        let header: Header = serde_json::from_slice(text)
            .map_err(|error| Problem::NotAHistory(crate::json::message(&error)).at(1, error.column()))?;
        if header.format != FORMAT {
            return Err(Problem::NotAHistory(format!("its format is `{}`", header.format)).at(1, 1));
        }
        if header.version != VERSION {
            return Err(Problem::Version(header.version).at(1, 1));
        }
        Ok(header)
    }
}

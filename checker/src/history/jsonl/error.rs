//! Why a history cannot be read, and where.

use std::io;

use thiserror::Error;

use super::header::{FORMAT, VERSION};
use crate::history::HistoryError;

/// Why a history cannot be read, and where. Lines and columns count from 1; what is wrong with a line as a whole is at
/// its column 1.
#[derive(Debug, Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct JsonlError {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Debug, Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("could not be read: {0}")]
    Read(io::Error),
    /// There is not even a header.
    #[error("the file is empty; a history begins with {{\"format\":\"{FORMAT}\",\"version\":{VERSION}}}")]
    Empty,
    /// The first line is no header of a history.
    #[error("not a history: {0}; the first line must be {{\"format\":\"{FORMAT}\",\"version\":{VERSION}}}")]
    NotAHistory(String),
    /// The history is of a version that this program does not know.
    #[error("version {0} of the history format is unknown; this program reads version {VERSION}")]
    Version(u32),
    /// A line is longer than any event, in bytes.
    #[error("the line is longer than {0} bytes, which no event has")]
    TooLong(usize),
    /// A line is not JSON.
    #[error("{0}")]
    Syntax(String),
    /// A line is not an event, or its value does not fit its operation.
    #[error("{0}")]
    Event(String),
    /// A line is an event that the history refuses.
    #[error("{0}")]
    Refused(HistoryError),
}

impl Problem {
    pub(super) fn at(self, line: u64, column: usize) -> JsonlError {
        // The end of an empty line is its column 0.
        JsonlError { line, column: column.max(1), problem: self }
    }
}

/// An unfinished line, as a killed writer leaves it; it was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// The line, from 1.
    pub line: u64,
}

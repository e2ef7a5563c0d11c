//! Why a binary history cannot be read, and where.

use std::io;

use thiserror::Error;

use crate::history::HistoryError;

/// Why a history cannot be read, and where.
#[derive(Debug, Error)]
#[error("byte {offset}: {problem}")]
pub struct BinaryError {
    /// The place in the file, from 0: of the record or, if a block is damaged as a whole, of the block.
    pub offset: u64,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a file.
#[derive(Debug, Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error("could not be read: {0}")]
    Read(io::Error),
    /// It begins with other bytes.
    #[error("not a binary history: it does not begin with its eight bytes")]
    NotAHistory,
    /// It ends before its first block does.
    #[error("the file ends before its header does")]
    NoHeader,
    /// The header is not one.
    #[error("the header cannot be used: {0}")]
    Header(String),
    /// A length with a wrong checksum, or one that no block has.
    #[error("a block that seems to have {0} bytes: the file is damaged")]
    Length(u32),
    /// What is in a block has a wrong checksum.
    #[error("the checksum of the block is wrong: the file is damaged")]
    Checksum,
    /// A block with the right checksum has something in it that no writer writes.
    #[error("{0}")]
    Record(&'static str),
    /// The value of an operation is none of this operation.
    #[error("value of `{f}`: {message}")]
    Value {
        /// The operation.
        f: String,
        /// What is wrong with it.
        message: String,
    },
    /// An event that the history refuses.
    #[error("{0}")]
    Refused(HistoryError),
}

impl Problem {
    pub(super) fn at(self, offset: u64) -> BinaryError {
        BinaryError { offset, problem: self }
    }
}

/// An unfinished block at the end, as a killed writer leaves it; it was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn {
    /// Where it begins, from 0.
    pub offset: u64,
}

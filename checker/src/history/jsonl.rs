//! `history.jsonl`: a header line, then one event a line, in real-time order.
//!
//! ```text
//! {"format":"hearsay-history","version":1,"started_unix_ns":1794992400000000000}
//! {"index":0,"time":41203456,"process":3,"type":"invoke","f":"send","key":"alice:bob","value":{"id":"c3-17"},"node":"n2"}
//! {"index":1,"time":43100200,"process":3,"type":"ok","f":"send","key":"alice:bob","value":{"id":"c3-17","seq":9},"node":"n2"}
//! ```
//!
//! The fields are Jepsen's. A recorder writes each line before it goes on ([`Writer::append`]), so that a process
//! killed in the middle leaves a readable file: an unfinished last line is passed over and reported as [`Torn`].
//! Everything else that does not parse, or that [`History`] refuses, is an error with its line and, where the
//! parser knows it, its column.
//!
//! The header may also say `"initially":"empty"`: of the accounts that the history speaks of, none existed when the run
//! started. Otherwise any may have existed.
//!
//! The `value` of each operation is described at [`Input`](super::Input) and [`Output`](super::Output); a line of the nemesis has any value, of
//! which `{"nodes":["n1"]}` is understood.

mod error;
mod event;
mod header;
mod line;
#[cfg(test)]
mod tests;
mod write;

use std::io::{BufRead, Read};

pub use error::{JsonlError, Problem, Torn};
pub use event::{Event, EventRef, Process, Type};
pub use header::{FORMAT, Header, Initially, VERSION};
pub use write::{Writer, events, write};

use super::History;
use super::blocks::OPERATION_BYTES_MAX;

/// Takes a history line by line, for whoever has the lines as they are written.
#[derive(Debug, Default)]
pub struct Reader {
    pub(crate) history: History,
    lines: u64,
}

impl Reader {
    /// Takes the next line; whether it ends with a line feed does not matter.
    ///
    /// # Errors
    /// [`JsonlError`] if it cannot be used. The history is unchanged then.
    pub fn line(&mut self, text: &[u8]) -> Result<(), JsonlError> {
        self.lines += 1;
        let line = self.lines;
        if line == 1 {
            Header::parse(text)?.describe(&mut self.history);
            return Ok(());
        }
        line::push(&mut self.history, text).map_err(|refusal| refusal.problem.at(line, refusal.column))
    }

    /// What was taken so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The history, when there is nothing more to come.
    #[must_use]
    pub fn into_history(self) -> History {
        self.history
    }
}

/// Reads a history.
///
/// # Errors
/// [`JsonlError`] for the first line that cannot be used, an unfinished last one excepted.
pub fn read(input: impl BufRead) -> Result<(History, Option<Torn>), JsonlError> {
    read_into(History::new(), input)
}

pub(super) fn read_into(
    history: History,
    input: impl BufRead,
) -> Result<(History, Option<Torn>), JsonlError> {
    read_lines(history, input, OPERATION_BYTES_MAX)
}

fn read_lines(
    history: History,
    mut input: impl BufRead,
    bytes_max: usize,
) -> Result<(History, Option<Torn>), JsonlError> {
    let mut text = Vec::new();
    let mut reader = Reader { history, lines: 0 };
    for line in 1.. {
        text.clear();
        let mut limited = input.by_ref().take(bytes_max as u64 + 1);
        let length =
            limited.read_until(b'\n', &mut text).map_err(|error| Problem::Read(error).at(line, 1))?;
        if length > bytes_max {
            return Err(Problem::TooLong(bytes_max).at(line, 1));
        }
        if line > 1 && length == 0 {
            break;
        }
        match reader.line(&text) {
            Ok(()) => {}
            // Only the writer's death can end a file in the middle of a line. Whole JSON of a wrong shape is not torn.
            Err(JsonlError { problem: Problem::Syntax(_), .. }) if text.last() != Some(&b'\n') => {
                return Ok((reader.into_history(), Some(Torn { line })));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((reader.into_history(), None))
}

//! The Raft trace of a node, `trace.jsonl`: one JSON object a line, appended across restarts.
//!
//! A node writes down what it promised and what it knows: what it found on its disk, a vote when it is durable, leadership
//! when it is won, entries when they are appended and when they are durable, what is removed from the log, commits, the
//! hash of its state after an entry was applied, changes of the members, and snapshots. A node killed in mid-write leaves a torn line, at
//! the end or before its next `start`; it is passed over and reported as [`Torn`]. Anything else that does not
//! parse is an error.

mod event;

use std::io::BufRead;

use thiserror::Error;

pub use crate::history::jsonl::Torn;
pub use event::{EntryHashes, LogPlace, StateHash, TraceEvent};

/// Why a trace cannot be read, and where. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TraceError {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: usize,
    /// What is wrong with it.
    pub message: String,
}

/// What stands in a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The events, in the order in which they were written.
    pub events: Vec<TraceEvent>,
    /// The line of each of them, from 1.
    pub lines: Vec<u64>,
    /// The lines that a killed node left unfinished.
    pub torn: Vec<Torn>,
}

impl Trace {
    fn push(&mut self, line: u64, event: TraceEvent) {
        self.events.push(event);
        self.lines.push(line);
    }
}

/// Reads a trace.
///
/// # Errors
/// [`TraceError`] for the first line that cannot be read, a torn one excepted.
pub fn read(mut input: impl BufRead) -> Result<Trace, TraceError> {
    let mut trace = Trace::default();
    // The error of the line before, which is torn only if the file ends there or the node starts again.
    let mut broken = None;
    let mut text = Vec::new();
    let mut line = 0;
    loop {
        line += 1;
        let whole = text.last() == Some(&b'\n');
        text.clear();
        let length = input.read_until(b'\n', &mut text).map_err(|error| {
            let message = format!("could not be read: {error}");
            TraceError { line, column: 1, message }
        })?;
        if length == 0 {
            return match broken {
                Some(error) if whole => Err(error),
                Some(_) | None => Ok(trace),
            };
        }
        match (serde_json::from_slice(&text), broken.take()) {
            (Ok(TraceEvent::Start { at, node }), _) => trace.push(line, TraceEvent::Start { at, node }),
            (Ok(event), None) => trace.push(line, event),
            (Ok(_) | Err(_), Some(error)) => return Err(error),
            (Err(error), None) => {
                let (column, message) = (error.column().max(1), crate::json::message(&error));
                let refusal = TraceError { line, column, message };
                // Whole JSON of a wrong shape was never torn.
                if error.is_data() {
                    return Err(refusal);
                }
                trace.torn.push(Torn { line });
                match start_behind_torn(&text) {
                    Some(start) => trace.push(line, start),
                    None => broken = Some(refusal),
                }
            }
        }
    }
}

/// The `start` that a restarted node has appended to a torn line.
fn start_behind_torn(text: &[u8]) -> Option<TraceEvent> {
    let begin = text.iter().rposition(|byte| *byte == b'{')?;
    let event = serde_json::from_slice(&text[begin..]).ok()?;
    matches!(event, TraceEvent::Start { .. }).then_some(event)
}

#[cfg(test)]
mod tests;

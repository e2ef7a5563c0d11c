//! The log checker on a binary history that is read from front to back: no history is ever in memory, only what the
//! [ledger](super::ledger) remembers.

use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;

use super::keys::Keys;
use super::ledger::{Answer, Asked, Known, Ledger, Open, Page, Repeated, Violation};
use crate::history::binary::{self, BinaryError, Event, Learned, Problem, Reader, Torn, What};

/// What was read and checked.
#[derive(Debug)]
pub struct Streamed {
    /// How many operations were invoked, of whatever kind.
    pub operations: u32,
    /// How many conversations there are.
    pub conversations: usize,
    /// The violations. Operations are named by their place among the invocations, as in a
    /// [`History`](crate::history::History), and conversations by their key's number among the names of the file.
    pub violations: Vec<Found>,
    /// The messages that were sent twice.
    pub repeated: Vec<Repeated>,
    /// About how many bytes were remembered.
    pub bytes: u64,
    /// What was left of an unfinished block at the end.
    pub torn: Option<Torn>,
}

/// A violation in the conversation of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The key's number among the names of the file.
    pub key: Option<u32>,
    /// What was found.
    pub violation: Violation,
}

/// What a process is doing.
#[derive(Debug, Default)]
enum Doing {
    #[default]
    Nothing,
    /// An operation on a conversation.
    Asked(Open),
    /// Another operation.
    Else,
}

/// Processes below this number have a place in a table.
const DENSE_MAX: u64 = 1 << 20;

/// Checks all conversations of a history. `found` hears of each violation when it is certain, and may end the reading.
///
/// # Errors
/// [`BinaryError`] for what no writer writes, and for what no recorder sees: a process that does two things at once,
/// or completes what it has not begun.
pub fn check(
    input: impl Read,
    mut found: impl FnMut(&Found) -> ControlFlow<()>,
) -> Result<Streamed, BinaryError> {
    let mut reader = Reader::new(input)?;
    let mut stream = Stream::default();
    let mut violations = Vec::new();
    while let Some(event) = reader.next(|_| {})? {
        let event = stream.event(&event);
        if let Some(violation) = event.map_err(|problem| BinaryError { offset: reader.offset(), problem })? {
            violations.push(violation);
            if found(&violation).is_break() {
                break;
            }
        }
    }
    for violation in stream.ledger.finish() {
        let violation = stream.named(violation);
        violations.push(violation);
        if found(&violation).is_break() {
            break;
        }
    }
    let Stream { ledger, keys, operations, .. } = stream;
    Ok(Streamed {
        operations,
        conversations: keys.len(),
        violations,
        repeated: ledger.repeated().to_vec(),
        bytes: ledger.bytes() + keys.bytes(),
        torn: reader.torn(),
    })
}

#[derive(Debug, Default)]
struct Stream {
    ledger: Ledger,
    keys: Keys,
    operations: u32,
    dense: Vec<Doing>,
    sparse: HashMap<u64, Doing>,
}

impl Stream {
    fn event(&mut self, event: &Event<'_>) -> Result<Option<Found>, Problem> {
        match event.what {
            What::Invoked { key, asked, .. } => {
                let operation = self.operations;
                self.operations += 1;
                let asked = match asked {
                    binary::Asked::Send { id } => Asked::Send { message: id },
                    binary::Asked::Read { range, .. } => Asked::Read(range),
                    binary::Asked::Delete { seq } => Asked::Delete { seq },
                    binary::Asked::Other { .. } => return self.begin(event.process, Doing::Else),
                };
                let conversation = self.keys.number(key);
                let open = self.ledger.invoke(operation, conversation, asked);
                self.begin(event.process, Doing::Asked(open))
            }
            What::Completed(learned) => {
                let answer = answer(learned);
                match std::mem::take(self.doing(event.process)) {
                    Doing::Nothing => Err(Problem::Record("a process completes what it has not begun")),
                    Doing::Else => Ok(None),
                    Doing::Asked(open) => {
                        let judged = self.ledger.complete(open, answer);
                        Ok(judged.err().map(|violation| self.named(violation)))
                    }
                }
            }
            What::Fault { .. } => Ok(None),
        }
    }

    fn begin(&mut self, process: u64, doing: Doing) -> Result<Option<Found>, Problem> {
        match std::mem::replace(self.doing(process), doing) {
            Doing::Nothing => Ok(None),
            Doing::Asked(_) | Doing::Else => Err(Problem::Record("a process does two things at once")),
        }
    }

    fn doing(&mut self, process: u64) -> &mut Doing {
        match usize::try_from(process) {
            Ok(place) if process < DENSE_MAX => {
                if self.dense.len() <= place {
                    self.dense.resize_with(place + 1, Doing::default);
                }
                &mut self.dense[place]
            }
            _ => self.sparse.entry(process).or_default(),
        }
    }

    fn named(&self, violation: Violation) -> Found {
        Found { key: self.keys.key(violation.conversation), violation }
    }
}

fn answer(learned: Learned<'_>) -> Answer<'_> {
    match learned {
        Learned::Sent { seq } => Answer::Sent { seq },
        Learned::Page(binary::Page { head, ids, first, seqs, tombstones }) => {
            let first = if seqs.is_empty() { first } else { 0 };
            Answer::Page(Page { first, messages: ids, tombstones, head, known: Known::default() })
        }
        Learned::Done => Answer::Deleted,
        Learned::Failed { .. } => Answer::Failed,
        Learned::Other { .. } | Learned::Unknown { .. } => Answer::Unknown,
    }
}

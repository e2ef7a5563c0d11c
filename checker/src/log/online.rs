//! The log checker for whoever has events as they happen: a live run, a file that is read from front to back.
//!
//! ```
//! use checker::anomaly::AnomalyKind;
//! use checker::history::{Input, OperationId, Outcome, Output, PageRange, Symbols};
//! use checker::log::online::Online;
//!
//! let mut symbols = Symbols::default();
//! let (room, id) = (symbols.intern("room"), symbols.intern("c1-1"));
//! let mut online = Online::new();
//!
//! let send = online.invoke(OperationId::new(0), Some(room), &Input::Send { id }).unwrap();
//! let acknowledged = Outcome::Ok(Output::Sent { seq: 1 });
//! assert_eq!(online.complete(send, &acknowledged), None);
//!
//! let range = PageRange::After { seq: 0, limit: 20 };
//! let read = online.invoke(OperationId::new(1), Some(room), &Input::Read { range, last: false }).unwrap();
//! let empty = Outcome::Ok(Output::Page { entries: Box::new([]), head: 0 });
//! let violation = online.complete(read, &empty).unwrap();
//! assert_eq!(violation.kind, AnomalyKind::StaleRead);
//! assert_eq!((violation.operation, violation.others()), (OperationId::new(1), &[OperationId::new(0)][..]));
//! ```
//!
//! A violation is returned with the event that makes it certain. Only what needs the end of the history, above all
//! numbers that nobody can have, comes from [`Online::finish`].
//!
//! # Caveats
//! The first impossible event need not be what a person should hear first. [`check`](super::check), which has the whole
//! history, tells the same violations in words.

use super::keys::Keys;
use super::ledger::{Answer, Asked, Known, Ledger, Open, Page};
use crate::anomaly::AnomalyKind;
use crate::history::{Entry, Input, OperationId, Outcome, Output, Symbol};
use crate::limits::{Budget, Exceeded};

/// An online checker of all conversations of a history.
#[derive(Debug, Default)]
pub struct Online {
    ledger: Ledger,
    keys: Keys,
    operations: u64,
    shown: Shown,
}

/// The page at hand, by numbers; kept only because its memory can be used again.
#[derive(Debug, Default)]
struct Shown {
    messages: Vec<u32>,
    tombstones: Vec<u32>,
}

impl Shown {
    fn page(&mut self, entries: &[Entry], head: u64) -> Page<'_> {
        self.messages.clear();
        self.tombstones.clear();
        let mut first = entries.first().map_or(0, |entry| entry.seq);
        let mut expected = first;
        for (place, entry) in (0..).zip(entries) {
            self.messages.push(entry.id.number());
            if entry.deleted {
                self.tombstones.push(place);
            }
            if entry.seq != expected {
                first = 0;
            }
            expected = expected.wrapping_add(1);
        }
        Page { first, messages: &self.messages, tombstones: &self.tombstones, head, known: Known::default() }
    }
}

/// An operation that was invoked. Completing it takes this, so no operation completes twice.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an operation that was invoked is completed, if only by the end of the history"]
pub struct Begun(Open);

/// What has been found impossible first in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The conversation.
    pub key: Option<Symbol>,
    /// What it looks like at first sight.
    pub kind: AnomalyKind,
    /// The number it is about; 0 if it is about a page as a whole.
    pub seq: u64,
    /// The operation that cannot be.
    pub operation: OperationId,
    others: Vec<OperationId>,
}

impl Violation {
    /// The operations that it contradicts, if it takes any: at most three.
    #[must_use]
    pub fn others(&self) -> &[OperationId] {
        &self.others
    }

    /// All operations that prove it, in the order of their invocation.
    #[must_use]
    pub fn operations(&self) -> Vec<OperationId> {
        let mut operations: Vec<_> = self.others.iter().copied().chain([self.operation]).collect();
        operations.sort_unstable();
        operations
    }
}

/// A message that was sent twice, so that nothing is proven in the conversations that it was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated {
    /// The message's id.
    pub id: Symbol,
    /// Its first send.
    pub first: OperationId,
    /// The other send.
    pub again: OperationId,
}

impl Online {
    /// A checker that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An operation begins. Returns what completes it, or nothing if it is not about a conversation. `id` must be
    /// greater than those of all operations before; symbols must be of one table.
    ///
    /// # Panics
    /// After 2^32 - 1 events.
    pub fn invoke(&mut self, id: OperationId, key: Option<Symbol>, input: &Input) -> Option<Begun> {
        let asked = match input {
            Input::Send { id } => Asked::Send { message: id.number() },
            Input::Read { range, .. } => Asked::Read(*range),
            Input::Delete { seq } => Asked::Delete { seq: *seq },
            _ => return None,
        };
        self.operations += 1;
        let conversation = self.keys.number(key.map(Symbol::number));
        Some(Begun(self.ledger.invoke(id.number(), conversation, asked)))
    }

    /// An operation completes. Returns the violation that is certain now, if this is the first in its conversation;
    /// after that nothing is judged there.
    ///
    /// # Panics
    /// After 2^32 - 1 events, or if `begun` is of another checker.
    pub fn complete(&mut self, begun: Begun, outcome: &Outcome) -> Option<Violation> {
        let answer = match outcome {
            Outcome::Ok(Output::Sent { seq }) => Answer::Sent { seq: *seq },
            Outcome::Ok(Output::Page { entries, head }) => Answer::Page(self.shown.page(entries, *head)),
            Outcome::Ok(Output::Done) => Answer::Deleted,
            Outcome::Fail(_) => Answer::Failed,
            Outcome::Ok(_) | Outcome::Info(_) => Answer::Unknown,
        };
        let found = self.ledger.complete(begun.0, answer);
        found.err().map(|violation| self.named(&violation))
    }

    /// The history ends. Returns the violations that are certain only now, in the order in which the conversations
    /// began.
    pub fn finish(&mut self) -> Vec<Violation> {
        self.ledger.finish().iter().map(|violation| self.named(violation)).collect()
    }

    /// [`finish`](Self::finish) within what is left of a budget: what was found until then, and whether it sufficed.
    pub(super) fn finish_within(
        &mut self,
        budget: &mut Budget<'_>,
    ) -> (Vec<Violation>, Result<(), Exceeded>) {
        let mut found = Vec::new();
        let finished = self.ledger.finish_within(budget, &mut found);
        (found.iter().map(|violation| self.named(violation)).collect(), finished)
    }

    fn named(&self, violation: &super::ledger::Violation) -> Violation {
        Violation {
            key: self.keys.key(violation.conversation).map(Symbol::new),
            kind: violation.kind,
            seq: violation.seq,
            operation: OperationId::new(violation.operation),
            others: violation.others().iter().map(|other| OperationId::new(*other)).collect(),
        }
    }

    /// The conversation that operations with this key are about, if there was one: its number in the order in which
    /// conversations began.
    #[must_use]
    pub fn position(&self, key: Option<Symbol>) -> Option<usize> {
        self.keys.find(key.map(Symbol::number)).map(|number| number as usize)
    }

    /// How many operations on conversations began.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// How many conversations there are.
    #[must_use]
    pub fn conversations(&self) -> u64 {
        self.keys.len() as u64
    }

    /// The messages that were sent twice: their conversations are not judged from there on.
    pub fn repeated(&self) -> impl Iterator<Item = Repeated> {
        self.ledger.repeated().iter().map(|repeated| Repeated {
            id: Symbol::new(repeated.message),
            first: OperationId::new(repeated.first),
            again: OperationId::new(repeated.again),
        })
    }

    /// About how many bytes this needs.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.ledger.bytes() + self.keys.bytes()
    }
}

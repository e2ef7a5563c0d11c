//! Certificates: an order of all operations that anybody can check, without trust in whoever found it.
//!
//! A verdict of `valid` says that there is an order of the operations on each object that agrees with real time and
//! explains every answer. A certificate is that order. [`issue`] finds it, by the same deciders that give verdicts;
//! [`replay`] follows it, with the sequential objects and nothing of the deciders, and accepts or names the first
//! operation that does not fit. A history that is not linearizable has no certificate that is accepted.
//!
//! # The format
//! Text, a word or a few on each line, so that a complaint can name a line:
//!
//! ```text
//! hearsay-certificate 1
//! events 948
//! object conversation "alice:bob"
//! 0
//! 5
//! left-out
//! 44
//! object register "x"
//! 7
//! end
//! ```
//!
//! - `events` is the number of events of the history, so that a certificate of another one is noticed.
//! - `object` begins an object: what it is, `conversation`, `register` or `account`, and its key, as JSON (`null` if it
//!   has none).
//! - Then come the operations on it, in the order in which they took effect. An operation is named by the number of the
//!   event that invoked it: `index` in history.jsonl, where it is on line `index` + 2.
//! - `left-out` begins those that are not in the order: what failed, and what nobody knows to have happened.
//! - A list of accounts is read by each account that it speaks of, so it may stand in many objects.
//! - `end` is the last line; without it the file is torn.

mod issue;
mod log;
mod replay;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::str::FromStr;

pub(crate) use issue::ObjectOrder;
pub use issue::{NotIssued, issue};
pub use replay::{Refused, Replayed, replay};
pub use text::{ReadError, read, write};

use crate::history::{Input, Object};

/// An order of the operations on each object of a history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// The number of events of the history.
    pub events: u32,
    /// The objects.
    pub objects: Vec<Sequence>,
}

/// The order of the operations on one object, each named by the event that invoked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// What the object is.
    pub kind: Kind,
    /// Its key.
    pub key: Option<String>,
    /// The operations that took effect, in that order.
    pub order: Vec<u32>,
    /// The others.
    pub left_out: Vec<u32>,
    /// The line on which the object begins, from 1; 0 if the certificate was not read from a file.
    pub line: usize,
}

/// What an object is called: `` register `x` ``.
fn name(kind: Kind, key: Option<&str>) -> String {
    key.map_or_else(|| format!("{kind} without a key"), |key| format!("{kind} `{key}`"))
}

impl Sequence {
    fn name(&self) -> String {
        name(self.kind, self.key.as_deref())
    }

    /// The line of an operation of the order, by its position there.
    fn line_of(&self, position: usize) -> usize {
        self.line + 1 + position
    }

    /// The line of an operation that is left out, by its position there.
    fn line_of_left_out(&self, position: usize) -> usize {
        self.line + 2 + self.order.len() + position
    }
}

/// What an object of a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A log of messages.
    Conversation,
    /// A cell with a value.
    Register,
    /// A name that exists or not.
    Account,
}

impl Kind {
    /// The kind of object that an operation is about, if certificates speak of it.
    fn of(input: &Input) -> Option<Kind> {
        match input.object() {
            Object::Conversation => Some(Kind::Conversation),
            Object::Register => Some(Kind::Register),
            Object::Account => Some(Kind::Account),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Conversation => "conversation",
            Kind::Register => "register",
            Kind::Account => "account",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let all = [Kind::Conversation, Kind::Register, Kind::Account];
        all.into_iter().find(|kind| kind.name() == name).ok_or(())
    }
}

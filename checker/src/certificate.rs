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
//! - `fail observed`, `nil any` or `nil initial`, and `initial` with a JSON value say how the history was read, where it was
//!   not read in the usual way ([`Reading`]). Whoever accepts the certificate accepts that.
//! - `object` begins an object: what it is (`conversation`, `account`, `register`, or the name of another model), and its
//!   key, as JSON (`null` if it has none). Behind that may stand the name that transactions have for it, also as JSON.
//! - Then come the operations on it, in the order in which they took effect. An operation is named by the number of the
//!   event that invoked it: `index` in history.jsonl, where it is on line `index` + 2.
//! - `left-out` begins those that are not in the order: what failed, and what nobody knows to have happened.
//! - A drain of a queue takes out one element after the other, so it stands in the order once for each.
//! - A list of accounts is read by each account that it speaks of, so it may stand in many objects.
//! - `end` is the last line; without it the file is torn.

mod issue;
mod log;
mod reading;
mod replay;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::str::FromStr;

pub(crate) use issue::ObjectOrder;
pub use issue::{NotIssued, issue};
pub use reading::Reading;
pub use replay::{NotAccepted, Refused, Replayed, replay};
pub use text::{ReadError, read, write};

use crate::fitting::ModelName;
use crate::history::{Object, Operation};

/// An order of the operations on each object of a history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// The number of events of the history.
    pub events: u32,
    /// How it was read.
    pub reading: Reading,
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
    /// What transactions call it, as JSON; `None` if they do not.
    pub part: Option<String>,
    /// The operations that took effect, in that order.
    pub order: Vec<u32>,
    /// The others.
    pub left_out: Vec<u32>,
    /// The line on which the object begins, from 1; 0 if the certificate was not read from a file.
    pub line: usize,
}

impl Sequence {
    fn empty(kind: Kind, key: Option<String>, part: Option<String>) -> Self {
        Sequence { kind, key, part, order: Vec::new(), left_out: Vec::new(), line: 0 }
    }

    /// What the object is called: `` register `x` ``.
    fn name(&self) -> String {
        match (&self.key, &self.part) {
            (Some(key), None) => format!("{} `{key}`", self.kind),
            (None, Some(part)) => format!("{} {part}", self.kind),
            (Some(key), Some(part)) => format!("{} {part} of `{key}`", self.kind),
            (None, None) => format!("{} without a key", self.kind),
        }
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

/// Makes the kinds from the table below.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)+) => {
        /// What an object of a certificate is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl Kind {
            const ALL: [Kind; [$($name),+].len()] = [$(Kind::$kind),+];

            fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A log of messages.
    Conversation = "conversation",
    /// A name that exists or not.
    Account = "account",
    /// A cell with a value.
    Register = "register",
    /// Several cells that transactions read and write.
    MultiRegister = "multi-register",
    /// A lock.
    Mutex = "mutex",
    /// A queue.
    Queue = "queue",
    /// A list that is appended to.
    List = "list-append",
    /// A text of a map.
    Text = "kv",
    /// A set.
    Set = "set",
    /// A number that is added to.
    Counter = "counter",
    /// A number that only goes forward.
    Mark = "marks",
}

impl Kind {
    /// The kind of object that an operation is about, if operations on objects of all sorts are about `general`.
    fn of(operation: &Operation, general: Kind) -> Option<Kind> {
        match operation.input.object() {
            Object::Conversation => Some(Kind::Conversation),
            Object::Account => Some(Kind::Account),
            Object::Subscription => None,
            Object::Register | Object::General | Object::Unknown => Some(general),
        }
    }

    /// What the objects of a model are, if an operation on them does not say so itself.
    fn general(model: ModelName) -> Option<Kind> {
        Some(match model {
            ModelName::Conversation | ModelName::Accounts => return None,
            ModelName::Register | ModelName::CasRegister => Kind::Register,
            ModelName::MultiRegister => Kind::MultiRegister,
            ModelName::Mutex => Kind::Mutex,
            ModelName::Queue => Kind::Queue,
            ModelName::ListAppend => Kind::List,
            ModelName::Kv => Kind::Text,
            ModelName::Set => Kind::Set,
            ModelName::Counter => Kind::Counter,
            ModelName::Marks => Kind::Mark,
        })
    }

    /// Whether it is one of those of which operations do not say what they are about.
    fn is_general(self) -> bool {
        !matches!(self, Kind::Conversation | Kind::Account)
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
        Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(())
    }
}

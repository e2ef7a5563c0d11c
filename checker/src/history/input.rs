//! What a client asks, and what it asks it of.

use super::datum::Datum;
use super::operation::Output;
use super::symbol::{List, Symbol, Symbols};

/// What a client asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Append a message to the conversation `key`. Ids are unique in the history.
    Send {
        /// The message's id, chosen by the client.
        id: Symbol,
    },
    /// Read a page of the conversation `key`.
    Read {
        /// Which messages.
        range: PageRange,
        /// Whether it is a final read.
        last: bool,
    },
    /// Read a page of the conversation `key` as the node has it that is asked, which may be late: a prefix of the log.
    StaleRead {
        /// Which messages.
        range: PageRange,
    },
    /// Replace the message `seq` of the conversation `key` by a tombstone.
    Delete {
        /// The message's number.
        seq: u64,
    },
    /// Take what a subscription to the inbox `key` has delivered. A conversation belongs to the inbox of each of the
    /// names that its key is made of, joined by `:`; one whose key is a single name belongs to the inbox of that name.
    Poll {
        /// Who subscribes; `None` is the process.
        subscriber: Option<Symbol>,
        /// The cursor after which the subscription reads on. `None` is where it was, for its first poll the beginning.
        after: Option<u64>,
        /// Whether it is asked after all faults were lifted, and the last of these says that nothing more is to come.
        last: bool,
    },
    /// Create the account `key`.
    CreateAccount,
    /// Delete the account `key`.
    DeleteAccount,
    /// Log in to the account `key`.
    Login,
    /// List the accounts in ascending order of their names.
    ListAccounts {
        /// Only names that match: `*` stands for any text, `?` for any one character. `None` is all names.
        pattern: Option<Symbol>,
        /// Only names greater than this one.
        after: Option<Symbol>,
        /// At most so many names; `None` is no limit.
        limit: Option<u32>,
        /// Whether it is a final list.
        last: bool,
    },
    /// Read the object `key`: the whole of it.
    Get,
    /// Set the object `key`. Nil is the value of a register that nobody wrote.
    Write {
        /// The new value.
        value: Datum,
    },
    /// Compare the object `key` with `from` and, if equal, set it to `to`.
    Cas {
        /// The value expected.
        from: Datum,
        /// The new value.
        to: Datum,
    },
    /// Set the entry `key` of a map.
    Put {
        /// The new value.
        value: Datum,
    },
    /// Append to the text or the list `key`.
    Append {
        /// What comes behind what is there.
        value: Datum,
    },
    /// Add to the object `key`: an element to a set, or a number to a counter.
    Add {
        /// The element or the number.
        value: Datum,
    },
    /// Remove an element from the set `key`.
    Remove {
        /// The element.
        value: Datum,
    },
    /// Put an element into the queue `key`.
    Enqueue {
        /// The element.
        value: Datum,
    },
    /// Take an element out of the queue `key`.
    Dequeue,
    /// Take all elements out of the queue `key`.
    Drain,
    /// Take the lock `key`.
    Acquire {
        /// Who takes it, if that is said.
        holder: Datum,
    },
    /// Give the lock `key` back.
    Release {
        /// Who gives it back, or the token that he got, if that is said.
        holder: Datum,
    },
    /// Add to the counter `key`.
    Increment {
        /// How much; nil is 1.
        by: Datum,
    },
    /// Subtract from the counter `key`.
    Decrement {
        /// How much; nil is 1.
        by: Datum,
    },
    /// Do several things at once.
    Txn {
        /// A list of micro-operations: each is a list of its name, its object and its value.
        operations: List,
    },
    /// An operation this version does not know. It is kept so that no check passes over it in silence.
    Other {
        /// The operation's name.
        f: Symbol,
        /// Its argument.
        value: Datum,
    },
}

impl Input {
    /// The name of the operation as histories spell it.
    #[must_use]
    pub fn f<'a>(&self, symbols: &'a Symbols) -> &'a str {
        match self {
            Input::Send { .. } => "send",
            Input::Read { .. } | Input::StaleRead { .. } | Input::Get => "read",
            Input::Delete { .. } => "delete",
            Input::Poll { .. } => "poll",
            Input::CreateAccount => "create-account",
            Input::DeleteAccount => "delete-account",
            Input::Login => "login",
            Input::ListAccounts { .. } => "list-accounts",
            Input::Write { .. } => "write",
            Input::Cas { .. } => "cas",
            Input::Put { .. } => "put",
            Input::Append { .. } => "append",
            Input::Add { .. } => "add",
            Input::Remove { .. } => "remove",
            Input::Enqueue { .. } => "enqueue",
            Input::Dequeue => "dequeue",
            Input::Drain => "drain",
            Input::Acquire { .. } => "acquire",
            Input::Release { .. } => "release",
            Input::Increment { .. } => "increment",
            Input::Decrement { .. } => "decrement",
            Input::Txn { .. } => "txn",
            Input::Other { f, .. } => symbols.text(*f),
        }
    }

    /// The kind of object the operation is about.
    #[must_use]
    pub fn object(&self) -> Object {
        match self {
            Input::Send { .. } | Input::Read { .. } | Input::StaleRead { .. } | Input::Delete { .. } => {
                Object::Conversation
            }
            Input::Poll { .. } => Object::Subscription,
            Input::CreateAccount | Input::DeleteAccount | Input::Login | Input::ListAccounts { .. } => {
                Object::Account
            }
            Input::Get | Input::Write { .. } | Input::Cas { .. } => Object::Register,
            Input::Put { .. }
            | Input::Append { .. }
            | Input::Add { .. }
            | Input::Remove { .. }
            | Input::Enqueue { .. }
            | Input::Dequeue
            | Input::Drain
            | Input::Acquire { .. }
            | Input::Release { .. }
            | Input::Increment { .. }
            | Input::Decrement { .. }
            | Input::Txn { .. } => Object::General,
            Input::Other { .. } => Object::Unknown,
        }
    }

    /// Whether `output` is an answer to this kind of operation.
    #[must_use]
    pub fn accepts(&self, output: &Output) -> bool {
        match self {
            Input::Send { .. } => matches!(output, Output::Sent { .. }),
            Input::Read { .. } | Input::StaleRead { .. } => matches!(output, Output::Page { .. }),
            Input::Poll { .. } => matches!(output, Output::Polled { .. }),
            Input::ListAccounts { .. } => matches!(output, Output::Names { .. }),
            Input::Get | Input::Dequeue | Input::Drain | Input::Txn { .. } | Input::Other { .. } => {
                matches!(output, Output::Value { .. })
            }
            Input::Put { .. }
            | Input::Append { .. }
            | Input::Add { .. }
            | Input::Remove { .. }
            | Input::Enqueue { .. }
            | Input::Acquire { .. }
            | Input::Release { .. }
            | Input::Increment { .. }
            | Input::Decrement { .. } => matches!(output, Output::Done | Output::Value { .. }),
            Input::Delete { .. }
            | Input::CreateAccount
            | Input::DeleteAccount
            | Input::Login
            | Input::Write { .. }
            | Input::Cas { .. } => matches!(output, Output::Done),
        }
    }
}

/// The kinds of object a history can be about; each has a model of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A totally ordered log of messages.
    Conversation,
    /// A name that exists or not.
    Account,
    /// A cell with a value.
    Register,
    /// What is told to somebody of the messages of an inbox, in the order of the log.
    Subscription,
    /// A map, a list, a set, a queue, a lock, a counter or several objects: what it is, the model decides.
    General,
    /// Something this version has no model for.
    Unknown,
}

/// Which messages a read asks for. Numbers begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRange {
    /// The first `limit` messages with a number greater than `seq`.
    After {
        /// The number before the page; 0 is the beginning.
        seq: u64,
        /// At most so many messages.
        limit: u32,
    },
    /// The last `limit` messages with a number smaller than `seq`, in ascending order.
    Before {
        /// The number behind the page.
        seq: u64,
        /// At most so many messages.
        limit: u32,
    },
}

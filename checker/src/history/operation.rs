//! One operation of a client: what it asked, when, and what it learned.

use super::datum::Datum;
use super::symbol::{List, Symbol, Symbols};

/// A place in the history: which event, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The event's number in the history, dense from 0. This decides the order of two events, also when their
    /// times are equal. In `history.jsonl` it is on line `index + 2`.
    pub index: u32,
    /// Nanoseconds since the start of the run.
    pub time: u64,
}

/// The number of an operation in its history, dense from 0 in the order of invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub(crate) u32);

impl OperationId {
    /// The number of the operation with this position. Whoever has a [`History`](super::History) gets it there.
    #[must_use]
    pub fn new(number: u32) -> Self {
        OperationId(number)
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// The position of the operation in [`History::operations`](super::History::operations).
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operation: an invocation and, if it came, the completion.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The logical client. A process does one thing at a time, and nothing after an indefinite outcome.
    pub process: u64,
    /// The node the client talked to, where that is known.
    pub node: Option<Symbol>,
    /// The object: a conversation, an account name or a register.
    pub key: Option<Symbol>,
    /// What was asked.
    pub input: Input,
    /// When it was asked: recorded before the request left.
    pub invoked: Moment,
    /// What was learned. [`Outcome::Info`] as long as nothing was.
    pub outcome: Outcome,
    /// When the outcome was recorded, after the answer had come; `None` if the history ends before.
    pub completed: Option<Moment>,
}

impl Operation {
    /// The answer, if the operation succeeded.
    #[must_use]
    pub fn output(&self) -> Option<&Output> {
        match &self.outcome {
            Outcome::Ok(output) => Some(output),
            Outcome::Fail(_) | Outcome::Info(_) => None,
        }
    }

    /// Whether this was asked after all faults were lifted: by its answer durability and convergence are judged.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.input, Input::Read { last: true, .. } | Input::ListAccounts { last: true, .. })
    }

    /// Whether the operation had returned, with whatever outcome, before `moment`.
    #[must_use]
    pub fn returned_before(&self, moment: Moment) -> bool {
        self.completed.is_some_and(|completed| completed.index < moment.index)
    }
}

/// What a client learned about its operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It happened, and this is the answer.
    Ok(Output),
    /// It certainly did not happen. The error's code (the text up to the first `:`) may itself be evidence:
    /// `already-exists` says that the account existed.
    Fail(Option<Symbol>),
    /// Nobody knows: it may have happened, may happen later, or never.
    Info(Option<Symbol>),
}

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

/// What a successful operation answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// The message has this number in its conversation.
    Sent {
        /// Its number, from 1.
        seq: u64,
    },
    /// A page of a conversation. It may be short: forward the first, backward the last of the messages asked for,
    /// where a node bounds the bytes of an answer.
    Page {
        /// The messages, as the node listed them; not none of them if there are some.
        entries: Box<[Entry]>,
        /// The number of the conversation's last message when it was read; 0 if it was empty.
        head: u64,
    },
    /// What a subscription delivered, in its order.
    Polled {
        /// The deliveries.
        deliveries: Box<[Delivery]>,
    },
    /// The accounts listed.
    Names {
        /// Their names, as the node listed them.
        names: Box<[Symbol]>,
    },
    /// What was read, taken or done, or whatever else was answered.
    Value {
        /// The value.
        value: Datum,
    },
    /// Done; there is nothing more to say.
    Done,
}

/// One message on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the conversation.
    pub seq: u64,
    /// Its id.
    pub id: Symbol,
    /// Whether only a tombstone is left of it.
    pub deleted: bool,
}

/// One message that a subscription delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The place of the message in the log: the subscriber's position after it.
    pub cursor: u64,
    /// The conversation.
    pub key: Symbol,
    /// The message's number there.
    pub seq: u64,
    /// Its id.
    pub id: Symbol,
}

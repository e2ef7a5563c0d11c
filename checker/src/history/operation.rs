//! One operation of a client: what it asked, when, and what it learned.

use super::datum::Datum;
use super::input::Input;
use super::symbol::Symbol;

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

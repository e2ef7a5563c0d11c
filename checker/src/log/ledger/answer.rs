//! What operations learn, by numbers.

use super::usual::Known;

/// What an operation learned.
#[derive(Debug, Clone, Copy)]
pub enum Answer<'a> {
    /// The message has this number.
    Sent {
        /// Its number, from 1.
        seq: u64,
    },
    /// A page.
    Page(Page<'a>),
    /// The message is a tombstone.
    Deleted,
    /// It certainly did not happen.
    Failed,
    /// Nobody knows: it may have happened, may happen later, or never.
    Unknown,
}

/// A page of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The number of the first message shown; 0 if the numbers do not ascend without gaps, and anything if there is
    /// no message.
    pub first: u64,
    /// The messages, by number of the caller.
    pub messages: &'a [u32],
    /// Which of them are tombstones: their positions on the page, ascending.
    pub tombstones: &'a [u32],
    /// The number of the conversation's last message.
    pub head: u64,
    /// What [`Ledger::look_ahead`](super::Ledger::look_ahead) told of this page, if it was asked.
    pub known: Known,
}

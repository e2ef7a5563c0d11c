//! Conversations: one totally ordered log of messages for each pair of names.
//!
//! Messages are numbered from 1 without holes, for as long as the pair of names exists: a name that is deleted and
//! created again goes on in the same log, so that the other person reads on where they were.
//!
//! Its new owner must not read what the former owner wrote and was sent. So a conversation remembers for each side which
//! life of the name took part last, and the first sequence that was sent by or to it. A life that the conversation does
//! not know has read nothing of it and sees it as empty; one that it knows sees it from that sequence on. While a name
//! is free nobody can send to it, so what comes after a life's first message is all that life's own.
//!
//! # What it does not do
//! * It does not remove a conversation that nobody can read any more.

use std::ops::ControlFlow;

use proto::chat::Code;
use proto::log::{ConversationRecord, MessageRecord, Reply, Sent, Side};

use super::Entry;
use super::attempt::Attempt;
use super::key::{Key, range};
use super::name::{ConversationName, Name};
use super::page::Budget;
use super::record;
use super::reply::{refused, sent};
use super::session::Caller;
use super::tables::{Direction, StoreError, Tables, TablesMut};
use super::{account, inbox};

/// Which part of a conversation a page shows. Whichever it is, the page is oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The last messages.
    Last,
    /// The first messages with a greater sequence.
    After(u64),
    /// The nearest messages with a smaller sequence.
    Before(u64),
}

/// Some messages of a conversation, as one person sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The name of the conversation.
    pub conversation: ConversationName,
    /// Sequences and messages, oldest first, without holes. Fewer than the limit when the part ends, or when more would
    /// exceed [`super::page::PAGE_BYTES_MAX`].
    pub messages: Vec<(u64, MessageRecord)>,
    /// The last sequence; 0 when the reader sees nothing of the conversation.
    pub head: u64,
}

/// A page of the conversation of `caller` and `with`. `None` when there is no such account and nothing to see.
///
/// # Errors
/// A fault of the local disk.
pub fn page(
    tables: &dyn Tables,
    caller: &Caller,
    with: &Name,
    part: Part,
    limit: usize,
) -> Result<Option<Page>, StoreError> {
    let conversation = ConversationName::of(&caller.name, with);
    let key = Key::Conversation { conversation: conversation.as_str() };
    let record: ConversationRecord = record::get(tables, &key)?.unwrap_or_default();
    let side = if caller.name <= *with { record.low } else { record.high };
    let Some(side) = side.filter(|side| side.account_id == caller.account_id) else {
        let empty = Page { conversation, messages: Vec::new(), head: 0 };
        return Ok(account::find(tables, with)?.map(|_| empty));
    };
    let end = record.head.saturating_add(1);
    let (sequences, direction) = match part {
        Part::Last => (side.from..end, Direction::Backward),
        Part::After(after) => (side.from.max(after.saturating_add(1))..end, Direction::Forward),
        Part::Before(before) => (side.from..end.min(before), Direction::Backward),
    };
    let mut budget = Budget::new(limit);
    let mut messages = Vec::new();
    let range = range::messages(conversation.as_str(), sequences);
    record::scan(tables, &range, direction, &mut |key, message: MessageRecord| {
        if let Key::Message { sequence, .. } = key {
            if !budget.takes(&message) {
                return ControlFlow::Break(());
            }
            messages.push((sequence, message));
        }
        ControlFlow::Continue(())
    })?;
    if direction == Direction::Backward {
        messages.reverse();
    }
    Ok(Some(Page { conversation, messages, head: record.head }))
}

pub(super) fn send(
    tables: &mut dyn TablesMut,
    entry: &Entry,
    caller: &Caller,
    to: &Name,
    body: String,
    attempt: &Attempt,
) -> Result<Reply, StoreError> {
    let Some(receiver) = account::find(tables, to)? else {
        return Ok(refused(Code::NotFound, format!("no account is named {to}")));
    };
    let conversation = ConversationName::of(&caller.name, to);
    let key = Key::Conversation { conversation: conversation.as_str() };
    let mut record: ConversationRecord = record::get(tables, &key)?.unwrap_or_default();
    let sequence = record.head + 1;
    let (low_id, high_id) = if caller.name <= *to {
        (caller.account_id, receiver.account_id)
    } else {
        (receiver.account_id, caller.account_id)
    };
    record.head = sequence;
    record.low = Some(take_part(record.low, low_id, sequence));
    record.high = Some(take_part(record.high, high_id, sequence));
    record::put(tables, &key, &record)?;

    let message = MessageRecord {
        from: caller.name.as_str().to_owned(),
        body,
        time_ms: entry.now_ms,
        client_id: attempt.client_id().to_owned(),
        client_sequence: attempt.sequence(),
    };
    let key = Key::Message { conversation: conversation.as_str(), sequence };
    record::put(tables, &key, &message)?;
    inbox::put(tables, caller.account_id, entry.index, &conversation, sequence)?;
    if receiver.account_id != caller.account_id {
        inbox::put(tables, receiver.account_id, entry.index, &conversation, sequence)?;
    }
    let conversation = conversation.into_string();
    Ok(sent(Sent { conversation, sequence, time_ms: entry.now_ms }))
}

/// The side of a life that takes part in `sequence`: a new life begins there.
fn take_part(side: Option<Side>, account_id: u64, sequence: u64) -> Side {
    side.filter(|side| side.account_id == account_id).unwrap_or(Side { account_id, from: sequence })
}

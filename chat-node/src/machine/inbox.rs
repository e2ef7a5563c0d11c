//! The inbox: what one life of an account sent and received, in the order of the log.
//!
//! An entry is filed under the log index of its message, which is also the cursor of a subscription: it means the same
//! on every node, and grows with every message.

use std::ops::ControlFlow;

use proto::log::{InboxRecord, MessageRecord};

use super::key::{Key, range};
use super::name::ConversationName;
use super::page::Budget;
use super::record;
use super::tables::{Direction, StoreError, Tables, TablesMut};

/// How many entries of lives that ended are removed with one entry of the log, at most. A message brings two.
const SWEPT_MAX: usize = 16;

/// A message, as its sender or receiver is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The log index of the message.
    pub cursor: u64,
    /// The name of the conversation.
    pub conversation: String,
    /// The place in the conversation.
    pub sequence: u64,
    /// The message.
    pub message: MessageRecord,
}

/// The first messages with cursors greater than `after`: at most `limit`, and no more than fit a page.
///
/// # Errors
/// A fault of the local disk.
pub fn events(
    tables: &dyn Tables,
    account_id: u64,
    after: u64,
    limit: usize,
) -> Result<Vec<Event>, StoreError> {
    let mut entries = Vec::new();
    let range = range::inbox(account_id, after);
    record::scan(tables, &range, Direction::Forward, &mut |key, record: InboxRecord| {
        if let Key::Inbox { index, .. } = key {
            entries.push((index, record));
        }
        if entries.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut budget = Budget::new(limit);
    let mut events = Vec::with_capacity(entries.len());
    for (cursor, InboxRecord { conversation, sequence }) in entries {
        let key = Key::Message { conversation: &conversation, sequence };
        let message: MessageRecord = record::expect(tables, &key)?;
        if !budget.takes(&message) {
            break;
        }
        events.push(Event { cursor, conversation, sequence, message });
    }
    Ok(events)
}

pub(super) fn put(
    tables: &mut dyn TablesMut,
    account_id: u64,
    index: u64,
    conversation: &ConversationName,
    sequence: u64,
) -> Result<(), StoreError> {
    let entry = InboxRecord { conversation: conversation.as_str().to_owned(), sequence };
    record::put(tables, &Key::Inbox { account_id, index }, &entry)
}

/// Removes some entries of a life that ended.
pub(super) fn sweep(tables: &mut dyn TablesMut) -> Result<(), StoreError> {
    let mut ended = None;
    record::scan(tables, &range::ended(), Direction::Forward, &mut |key, (): ()| {
        if let Key::Ended { account_id } = key {
            ended = Some(account_id);
        }
        ControlFlow::Break(())
    })?;
    let Some(account_id) = ended else { return Ok(()) };
    let mut indexes = Vec::new();
    let range = range::inbox(account_id, 0);
    record::scan(tables, &range, Direction::Forward, &mut |key, _: InboxRecord| {
        if let Key::Inbox { index, .. } = key {
            indexes.push(index);
        }
        if indexes.len() < SWEPT_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    for index in &indexes {
        record::remove(tables, &Key::Inbox { account_id, index: *index })?;
    }
    if indexes.len() < SWEPT_MAX {
        record::remove(tables, &Key::Ended { account_id })?;
    }
    Ok(())
}

//! Topics: one short text for each conversation, which either person sets and both see.
//!
//! A topic is a register. It counts how often it was set, and a command may expect a version or a text: if the topic is
//! another one when the command is applied, nothing changes, and the refusal says what was found.
//!
//! It belongs to the two lives of the names that share it. When one of them ends and its name is created again, the pair
//! is another one and begins without a topic, so that a new owner sees nothing of the former one.
//!
//! # What it does not do
//! * It does not remove a topic that nobody can see any more; the next pair's topic takes its place.

use proto::chat::Code;
use proto::log::set_topic::Expected;
use proto::log::{Reply, TopicRecord, TopicSet};

use super::Entry;
use super::account;
use super::key::Key;
use super::name::{ConversationName, Name};
use super::record;
use super::reply::{refused, topic_set};
use super::session::Caller;
use super::tables::{StoreError, Tables, TablesMut};

/// The topic of a conversation, as one of its people sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The name of the conversation.
    pub conversation: ConversationName,
    /// The text; empty when there is none.
    pub text: String,
    /// How often it was set; 0 when it never was.
    pub version: u64,
    /// Who set it last; empty when nobody did.
    pub by: String,
    /// When, in Unix milliseconds of log time.
    pub time_ms: u64,
}

/// The topic of the conversation of `caller` and `with`. `None` when there is no account `with`.
///
/// # Errors
/// A fault of the local disk.
pub fn find(tables: &dyn Tables, caller: &Caller, with: &Name) -> Result<Option<Topic>, StoreError> {
    let Some(other) = account::find(tables, with)? else { return Ok(None) };
    let conversation = ConversationName::of(&caller.name, with);
    let record = current(tables, &conversation, lives(caller, with, other.account_id))?;
    let TopicRecord { text, version, by, time_ms, .. } = record;
    Ok(Some(Topic { conversation, text, version, by, time_ms }))
}

pub(super) fn set(
    tables: &mut dyn TablesMut,
    entry: &Entry,
    caller: &Caller,
    with: &Name,
    text: String,
    expected: Option<&Expected>,
) -> Result<Reply, StoreError> {
    let Some(other) = account::find(tables, with)? else {
        return Ok(refused(Code::NotFound, format!("no account is named {with}")));
    };
    let conversation = ConversationName::of(&caller.name, with);
    let (low_id, high_id) = lives(caller, with, other.account_id);
    let before = current(tables, &conversation, (low_id, high_id))?;
    let is_met = match expected {
        None => true,
        Some(Expected::ExpectedVersion(version)) => *version == before.version,
        Some(Expected::ExpectedText(text)) => *text == before.text,
    };
    if !is_met {
        let what = format!("the topic is another one by now, of version {}", before.version);
        return Ok(refused(Code::Conflict, what));
    }
    let version = before.version.saturating_add(1);
    let by = caller.name.as_str().to_owned();
    let after = TopicRecord { text, version, by, time_ms: entry.now_ms, low_id, high_id };
    record::put(tables, &Key::Topic { conversation: conversation.as_str() }, &after)?;
    let conversation = conversation.into_string();
    Ok(topic_set(TopicSet { conversation, version, time_ms: entry.now_ms }))
}

/// The lives of the two names, in the order of the names.
fn lives(caller: &Caller, with: &Name, with_id: u64) -> (u64, u64) {
    if caller.name <= *with { (caller.account_id, with_id) } else { (with_id, caller.account_id) }
}

/// The topic that these two lives share; one that was never set if they share none.
fn current(
    tables: &dyn Tables,
    conversation: &ConversationName,
    lives: (u64, u64),
) -> Result<TopicRecord, StoreError> {
    let key = Key::Topic { conversation: conversation.as_str() };
    let record: Option<TopicRecord> = record::get(tables, &key)?;
    Ok(record.filter(|record| (record.low_id, record.high_id) == lives).unwrap_or_default())
}

//! Where each record lives: the one place that builds and parses keys.
//!
//! A key is a tag byte, then fields in an order that makes every scan of the machine one range. Numbers are eight bytes,
//! big-endian, so that they sort as numbers. A text in the middle of a key is preceded by its length in one byte, and a
//! text at its end needs none, so no text can run into the field after it, whatever bytes it holds.
//!
//! Tags are never used again. `0x00` is not the machine's: consensus keeps its own book-keeping there.

use std::ops::Range;

/// The length of a token's hash (SHA-256), in bytes.
pub(super) const TOKEN_HASH_BYTES: usize = 32;

/// The key of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    /// Log time.
    Clock,
    /// An account, by name.
    Account { name: &'a str },
    /// A session, by the hash of its token.
    Session { token_hash: &'a [u8; TOKEN_HASH_BYTES] },
    /// Sessions in the order in which they expire.
    Expiry { at_ms: u64, token_hash: &'a [u8; TOKEN_HASH_BYTES] },
    /// A conversation, by name.
    Conversation { conversation: &'a str },
    /// A message, by its place in its conversation.
    Message { conversation: &'a str, sequence: u64 },
    /// The topic of a conversation.
    Topic { conversation: &'a str },
    /// What one life of an account sent and received, by log index.
    Inbox { account_id: u64, index: u64 },
    /// What is remembered of a client.
    Client { scope: u64, client_id: &'a str },
    /// The outcome of one attempt of a client.
    Outcome { scope: u64, client_id: &'a str, sequence: u64 },
    /// Clients in the order in which they were last used.
    Idle { since_ms: u64, scope: u64, client_id: &'a str },
    /// Lives that ended, whose inbox is still to be swept.
    Ended { account_id: u64 },
}

const CLOCK: u8 = 0x01;
const ACCOUNT: u8 = 0x02;
const SESSION: u8 = 0x03;
const EXPIRY: u8 = 0x04;
const CONVERSATION: u8 = 0x05;
const MESSAGE: u8 = 0x06;
const INBOX: u8 = 0x07;
const CLIENT: u8 = 0x08;
const OUTCOME: u8 = 0x09;
const IDLE: u8 = 0x0a;
const ENDED: u8 = 0x0b;
const TOPIC: u8 = 0x0c;

impl<'a> Key<'a> {
    /// The bytes of the key.
    pub(crate) fn encode(&self) -> Vec<u8> {
        match *self {
            Key::Clock => Writer::new(CLOCK),
            Key::Account { name } => Writer::new(ACCOUNT).rest(name),
            Key::Session { token_hash } => Writer::new(SESSION).bytes(token_hash),
            Key::Expiry { at_ms, token_hash } => Writer::new(EXPIRY).number(at_ms).bytes(token_hash),
            Key::Conversation { conversation } => Writer::new(CONVERSATION).rest(conversation),
            Key::Message { conversation, sequence } => {
                Writer::new(MESSAGE).text(conversation).number(sequence)
            }
            Key::Topic { conversation } => Writer::new(TOPIC).rest(conversation),
            Key::Inbox { account_id, index } => Writer::new(INBOX).number(account_id).number(index),
            Key::Client { scope, client_id } => Writer::new(CLIENT).number(scope).rest(client_id),
            Key::Outcome { scope, client_id, sequence } => {
                Writer::new(OUTCOME).number(scope).text(client_id).number(sequence)
            }
            Key::Idle { since_ms, scope, client_id } => {
                Writer::new(IDLE).number(since_ms).number(scope).rest(client_id)
            }
            Key::Ended { account_id } => Writer::new(ENDED).number(account_id),
        }
        .0
    }

    /// The key that `bytes` are, if they are one.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        let mut reader = Reader(rest);
        let key = match *tag {
            CLOCK => Key::Clock,
            ACCOUNT => Key::Account { name: reader.rest()? },
            SESSION => Key::Session { token_hash: reader.bytes()? },
            EXPIRY => Key::Expiry { at_ms: reader.number()?, token_hash: reader.bytes()? },
            CONVERSATION => Key::Conversation { conversation: reader.rest()? },
            MESSAGE => Key::Message { conversation: reader.text()?, sequence: reader.number()? },
            TOPIC => Key::Topic { conversation: reader.rest()? },
            INBOX => Key::Inbox { account_id: reader.number()?, index: reader.number()? },
            CLIENT => Key::Client { scope: reader.number()?, client_id: reader.rest()? },
            OUTCOME => Key::Outcome {
                scope: reader.number()?,
                client_id: reader.text()?,
                sequence: reader.number()?,
            },
            IDLE => {
                Key::Idle { since_ms: reader.number()?, scope: reader.number()?, client_id: reader.rest()? }
            }
            ENDED => Key::Ended { account_id: reader.number()? },
            _ => return None,
        };
        reader.0.is_empty().then_some(key)
    }
}

/// The key ranges that the machine scans.
pub(crate) mod range {
    use super::{ENDED, EXPIRY, IDLE, Key, OUTCOME, Range, Writer};

    /// Accounts whose names begin with `prefix` and sort after `after`.
    pub(crate) fn accounts(prefix: &str, after: &str) -> Range<Vec<u8>> {
        let first = Key::Account { name: prefix }.encode();
        // The byte 0xff occurs in no name, so it ends every range of names.
        let to = [first.as_slice(), &[0xff]].concat();
        let next = [Key::Account { name: after }.encode().as_slice(), &[0]].concat();
        let from = if after.is_empty() { first } else { first.max(next) };
        from..to
    }

    /// Messages of a conversation with `from <= sequence < to`.
    pub(crate) fn messages(conversation: &str, sequences: Range<u64>) -> Range<Vec<u8>> {
        let key = |sequence| Key::Message { conversation, sequence }.encode();
        key(sequences.start)..key(sequences.end)
    }

    /// What one life sent and received at log indexes greater than `after`.
    pub(crate) fn inbox(account_id: u64, after: u64) -> Range<Vec<u8>> {
        let first = Key::Inbox { account_id, index: after.saturating_add(1) }.encode();
        // One byte longer than the greatest key of this life.
        let to = [Key::Inbox { account_id, index: u64::MAX }.encode().as_slice(), &[0]].concat();
        first..to
    }

    /// Outcomes of all clients.
    pub(crate) fn all_outcomes() -> Range<Vec<u8>> {
        vec![OUTCOME]..vec![OUTCOME + 1]
    }

    /// Outcomes of one client with sequences below `below`.
    pub(crate) fn outcomes(scope: u64, client_id: &str, below: u64) -> Range<Vec<u8>> {
        let key = |sequence| Key::Outcome { scope, client_id, sequence }.encode();
        key(0)..key(below)
    }

    /// Sessions that expire before `before_ms`.
    pub(crate) fn expiring(before_ms: u64) -> Range<Vec<u8>> {
        Writer::new(EXPIRY).0..Writer::new(EXPIRY).number(before_ms).0
    }

    /// Clients that were last used before `before_ms`.
    pub(crate) fn idle(before_ms: u64) -> Range<Vec<u8>> {
        Writer::new(IDLE).0..Writer::new(IDLE).number(before_ms).0
    }

    /// All lives that ended.
    pub(crate) fn ended() -> Range<Vec<u8>> {
        vec![ENDED]..vec![ENDED + 1]
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn new(tag: u8) -> Self {
        let mut bytes = Vec::with_capacity(48);
        bytes.push(tag);
        Self(bytes)
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(mut self, text: &str) -> Self {
        self.0.push(u8::try_from(text.len()).expect("every text in a key is checked to be short"));
        self.bytes(text.as_bytes())
    }

    fn rest(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn bytes(&mut self) -> Option<&'a [u8; TOKEN_HASH_BYTES]> {
        self.take(TOKEN_HASH_BYTES)?.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::from(*self.take(1)?.first()?);
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn rest(&mut self) -> Option<&'a str> {
        let rest = self.take(self.0.len())?;
        std::str::from_utf8(rest).ok()
    }
}

#[cfg(test)]
mod tests;

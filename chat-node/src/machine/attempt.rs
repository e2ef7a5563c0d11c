//! Exactly once: an operation that is tried again is the same operation.
//!
//! A client draws a `client_id` at random and numbers its operations from 1. The outcome of each is kept under
//! `(scope, client_id, sequence)`, where the scope is the life of the account that acts, or `NAME_SPACE` for the
//! creation of accounts. A retry gets the kept outcome, whatever has happened since; refusals that depended on the state
//! are outcomes too. With each new operation the client says below which number it has had every answer, and those
//! outcomes are forgotten.
//!
//! # What bounds it
//! * A client may be at most [`OPEN_ATTEMPTS_MAX`] ahead of its first unanswered operation, so no more outcomes are kept.
//! * A client that began nothing new for more than [`IDLE_MS_MIN`] of log time is evicted, a few with each entry.
//!
//! # What follows for a client
//! * A client that is unknown and says that it had answers was evicted: its attempt is refused as forgotten, since it
//!   may be a retry. If it is not one, the client takes a new `client_id` and begins at 1.
//! * No attempt may be retried for longer than [`IDLE_MS_MIN`]: a first operation says nothing of earlier answers, so
//!   after an eviction it looks new.
//!
//! # What it does not do
//! * It does not guard against wall clocks. Log time is the wall clock of whoever leads: one that jumps forward by more
//!   than [`IDLE_MS_MIN`] evicts who was idle for a moment, and a first operation that is tried again across the jump is
//!   applied twice. No node can tell such a jump from a leader before it that was late, or from a machine that slept.

use std::ops::ControlFlow;

use proto::chat::Code;
use proto::log::{ClientRecord, Refusal, Reply};

use super::key::{Key, range};
use super::record;
use super::reply::{refusal, refused};
use super::tables::{Direction, StoreError, Tables, TablesMut};

/// The longest client id, in bytes.
pub const CLIENT_ID_BYTES_MAX: usize = 64;

/// How many operations of one client may be under way at once.
pub const OPEN_ATTEMPTS_MAX: u64 = 256;

/// A client is remembered at least so long after its last new operation, in milliseconds of log time.
pub const IDLE_MS_MIN: u64 = 24 * HOUR_MS;

/// The last use of a client is known to the hour, so that a busy client is not filed anew with each operation.
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// How many clients are evicted with one entry, at most. An entry brings at most one new client.
const EVICTED_MAX: usize = 2;

/// The scope of commands that no account acts in. Account ids are log indexes, and the first entry of a log is never a
/// command, so no account has this id.
pub(super) const NAME_SPACE: u64 = 0;

/// Which try of which operation a command is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    client_id: String,
    sequence: u64,
    answered_below: u64,
}

impl Attempt {
    /// Takes what a client sent as an attempt.
    ///
    /// # Errors
    /// A [`Code::Invalid`] that says what is wrong with it.
    pub fn parse(client_id: &str, sequence: u64, answered_below: u64) -> Result<Self, Refusal> {
        // A client that says nothing has had no answers.
        let answered_below = answered_below.max(1);
        let wrong = if !(1..=CLIENT_ID_BYTES_MAX).contains(&client_id.len()) {
            format!("an attempt's client_id is 1 to {CLIENT_ID_BYTES_MAX} bytes")
        } else if sequence == 0 || sequence == u64::MAX {
            format!("an attempt's sequence is at least 1 and less than {}", u64::MAX)
        } else if answered_below > sequence {
            "an attempt's answered_below is at most its sequence".to_owned()
        } else if sequence - answered_below >= OPEN_ATTEMPTS_MAX {
            format!("a client has at most {OPEN_ATTEMPTS_MAX} unanswered attempts")
        } else {
            return Ok(Self { client_id: client_id.to_owned(), sequence, answered_below });
        };
        Err(refusal(Code::Invalid, wrong))
    }

    /// The client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The number of the operation.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    fn client_key(&self, scope: u64) -> Key<'_> {
        Key::Client { scope, client_id: &self.client_id }
    }

    fn outcome_key(&self, scope: u64) -> Key<'_> {
        Key::Outcome { scope, client_id: &self.client_id, sequence: self.sequence }
    }
}

/// What is known of an attempt.
pub(super) enum Memory {
    /// It was not made before.
    New,
    /// It was, with this outcome.
    Kept(Reply),
    /// It may have been; nobody knows any more.
    Forgotten,
}

pub(super) fn forgotten() -> Reply {
    refused(Code::AttemptForgotten, "the outcome of this attempt is no longer kept")
}

/// What is known of `attempt`. Changes nothing.
pub(super) fn recall(tables: &dyn Tables, scope: u64, attempt: &Attempt) -> Result<Memory, StoreError> {
    let client: Option<ClientRecord> = record::get(tables, &attempt.client_key(scope))?;
    match client {
        None if attempt.answered_below > 1 => Ok(Memory::Forgotten),
        None => Ok(Memory::New),
        Some(client) if attempt.sequence < client.answered_below => Ok(Memory::Forgotten),
        Some(_) => {
            let outcome = record::get(tables, &attempt.outcome_key(scope))?;
            Ok(outcome.map_or(Memory::New, Memory::Kept))
        }
    }
}

/// Keeps the outcome of a new attempt, and forgets those that the client has had.
pub(super) fn keep(
    tables: &mut dyn TablesMut,
    scope: u64,
    attempt: &Attempt,
    reply: &Reply,
    now_ms: u64,
) -> Result<(), StoreError> {
    let key = attempt.client_key(scope);
    let before: Option<ClientRecord> = record::get(tables, &key)?;
    let answered_below = before.map_or(0, |client| client.answered_below).max(attempt.answered_below);
    let after = ClientRecord { answered_below, last_used_ms: now_ms - now_ms % HOUR_MS };

    if before.is_some_and(|client| client.answered_below < answered_below) {
        forget(tables, scope, &attempt.client_id, answered_below)?;
    }
    if before.map(|client| client.last_used_ms) != Some(after.last_used_ms) {
        let idle = |since_ms| Key::Idle { since_ms, scope, client_id: &attempt.client_id };
        if let Some(client) = before {
            record::remove(tables, &idle(client.last_used_ms))?;
        }
        record::put(tables, &idle(after.last_used_ms), &())?;
    }
    if before != Some(after) {
        record::put(tables, &key, &after)?;
    }
    record::put(tables, &attempt.outcome_key(scope), reply)
}

/// Removes the outcomes of all clients, which no machine does: a planted bug.
pub(crate) fn forget_all(tables: &mut dyn TablesMut) -> Result<(), StoreError> {
    let mut keys = Vec::new();
    let range = range::all_outcomes();
    tables.scan(&range.start, &range.end, Direction::Forward, &mut |key, _| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    })?;
    keys.iter().try_for_each(|key| tables.remove(key))
}

/// Removes the outcomes of one client below `below`.
fn forget(tables: &mut dyn TablesMut, scope: u64, client_id: &str, below: u64) -> Result<(), StoreError> {
    let mut sequences = Vec::new();
    let range = range::outcomes(scope, client_id, below);
    record::scan(tables, &range, Direction::Forward, &mut |key, _: Reply| {
        if let Key::Outcome { sequence, .. } = key {
            sequences.push(sequence);
        }
        ControlFlow::Continue(())
    })?;
    for sequence in sequences {
        record::remove(tables, &Key::Outcome { scope, client_id, sequence })?;
    }
    Ok(())
}

/// Evicts the clients that were idle for longest. A client goes at once with all its outcomes: with half of them it
/// would take a retry for a new operation.
pub(super) fn evict(tables: &mut dyn TablesMut, now_ms: u64) -> Result<(), StoreError> {
    // The last use was up to an hour after the time that is filed.
    let before_ms = now_ms.saturating_sub(IDLE_MS_MIN + HOUR_MS);
    let mut idle = Vec::new();
    record::scan(tables, &range::idle(before_ms), Direction::Forward, &mut |key, (): ()| {
        if let Key::Idle { since_ms, scope, client_id } = key {
            idle.push((since_ms, scope, client_id.to_owned()));
        }
        if idle.len() < EVICTED_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    for (since_ms, scope, client_id) in idle {
        let client_id = client_id.as_str();
        forget(tables, scope, client_id, u64::MAX)?;
        record::remove(tables, &Key::Client { scope, client_id })?;
        record::remove(tables, &Key::Idle { since_ms, scope, client_id })?;
    }
    Ok(())
}

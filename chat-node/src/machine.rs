//! The replicated chat as a deterministic machine: commands in, replies out.
//!
//! Every replica applies the same entries in the same order to the same records, so every replica gives the same replies
//! and holds the same bytes. [`apply`] knows no clock, no chance, no file and no order but that of keys: time and ids
//! come inside the proposal. It is total: whatever the bytes, it answers; what it cannot understand or may not do is a
//! refusal, which is a reply like any other. An `Err` is a fault of this node's own disk, and the node stops.
//!
//! The state is one ordered map of records ([`tables`]); `key` says where each lives and `record` what its bytes are.
//! Work per entry is bounded: an index is kept wherever something must be found, and what nobody needs any more
//! (expired sessions, idle clients, inboxes of deleted accounts) is swept up a few records at a time.
//!
//! # Retries and authentication, in this order
//! A command of a person carries the hash of a session token. The session says whose it is, and so in whose name the
//! attempt was made (`attempt`); only if the attempt is new must the session also be live. So a retry gets the first
//! outcome even when the session ended in between, by the deletion of the account that is being retried, say. The other
//! order would answer such a retry "not authenticated", which a client must read as "certainly not done", and it would
//! be a lie. Nothing is given away: the outcome goes to the holder of the token that brought it about, and a token that
//! is void changes nothing. For the same reason a session's record outlives the session by as long as attempts are
//! remembered. A refusal for want of a live session is not kept: it leaves the attempt free to be made again.
//!
//! # What it does not do
//! * It does not know passwords: it keeps hashes that the service made and checked.
//! * It does not judge the leader's clock: see `clock`.

pub mod account;
pub mod attempt;
mod clock;
pub mod command;
pub mod conversation;
pub mod inbox;
mod key;
pub mod name;
pub mod page;
pub mod pattern;
mod record;
pub(crate) mod reply;
pub mod session;
pub mod tables;
pub mod topic;

use proto::chat::Code;
use proto::log::{Proposal, Reply};

use crate::bug::{Bug, Bugs};
use attempt::{Attempt, Memory, NAME_SPACE};
use command::Action;
use key::Key;
use reply::{IntoReply as _, refused};
use session::{Caller, Standing};
use tables::{StoreError, TablesMut};

/// Where in the log a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The log index. It is what cursors and the ids of accounts are made of.
    pub index: u64,
    /// What is wrong with the machine on purpose.
    pub bugs: Bugs,
}

/// Whether `key` is that of a conversation's own record, which says how far it goes.
pub(crate) fn is_conversation(key: &[u8]) -> bool {
    matches!(Key::parse(key), Some(Key::Conversation { .. }))
}

/// What the machine knows of the entry that it applies.
struct Entry {
    index: u64,
    now_ms: u64,
    bugs: Bugs,
}

/// Applies one entry of the log: an encoded `hearsay.log.v1.Proposal`.
///
/// # Errors
/// A fault of the local disk. What was written to `tables` is then part of no state, and must not be committed.
pub fn apply(tables: &mut dyn TablesMut, context: Applied, proposal: &[u8]) -> Result<Reply, StoreError> {
    let Ok(proposal) = <Proposal as prost::Message>::decode(proposal) else {
        return Ok(refused(Code::Invalid, "the proposal does not decode"));
    };
    let now_ms = clock::advance(tables, proposal.time_ms)?;
    let entry = Entry { index: context.index, now_ms, bugs: context.bugs };
    let reply = match command::parse(&proposal.command) {
        Ok(action) => run(tables, &entry, &proposal.actor, action)?,
        Err(refusal) => refusal.into_reply(),
    };
    session::sweep(tables, now_ms)?;
    attempt::evict(tables, now_ms)?;
    inbox::sweep(tables)?;
    Ok(reply)
}

fn run(tables: &mut dyn TablesMut, entry: &Entry, actor: &[u8], action: Action) -> Result<Reply, StoreError> {
    match action {
        Action::CreateAccount { attempt, name, password_hash } => {
            let memory = attempt::recall(tables, NAME_SPACE, &attempt)?;
            once(tables, entry, memory, NAME_SPACE, &attempt, |tables| {
                account::create(tables, entry, &name, password_hash)
            })
        }
        Action::DeleteAccount { attempt } => {
            as_caller(tables, entry, actor, &attempt, |tables, caller| account::delete(tables, caller))
        }
        Action::OpenSession(open) => session::open(tables, entry, &open),
        Action::CloseSession { everywhere } => match actor.try_into() {
            Ok(token_hash) => session::close(tables, entry, token_hash, everywhere),
            Err(_) => Ok(session::not_authenticated()),
        },
        Action::Send { attempt, to, body } => as_caller(tables, entry, actor, &attempt, |tables, caller| {
            conversation::send(tables, entry, caller, &to, body, &attempt)
        }),
        Action::SetTopic { attempt, with, text, expected } => {
            as_caller(tables, entry, actor, &attempt, |tables, caller| {
                topic::set(tables, entry, caller, &with, text, expected.as_ref())
            })
        }
    }
}

/// Carries out an attempt of the person that `actor` stands for, once.
fn as_caller(
    tables: &mut dyn TablesMut,
    entry: &Entry,
    actor: &[u8],
    attempt: &Attempt,
    act: impl FnOnce(&mut dyn TablesMut, &Caller) -> Result<Reply, StoreError>,
) -> Result<Reply, StoreError> {
    let Ok(token_hash) = actor.try_into() else { return Ok(session::not_authenticated()) };
    let Some((caller, standing)) = session::find(tables, token_hash, entry.now_ms)? else {
        return Ok(session::not_authenticated());
    };
    match attempt::recall(tables, caller.account_id, attempt)? {
        Memory::New if standing != Standing::Live => Ok(session::not_authenticated()),
        memory => once(tables, entry, memory, caller.account_id, attempt, |tables| act(tables, &caller)),
    }
}

/// Carries out an attempt, unless it was made before.
fn once(
    tables: &mut dyn TablesMut,
    entry: &Entry,
    memory: Memory,
    scope: u64,
    attempt: &Attempt,
    act: impl FnOnce(&mut dyn TablesMut) -> Result<Reply, StoreError>,
) -> Result<Reply, StoreError> {
    match memory {
        Memory::Kept(reply) if !entry.bugs.has(Bug::ForgetAttempts) => Ok(reply),
        Memory::Forgotten => Ok(attempt::forgotten()),
        Memory::New | Memory::Kept(_) => {
            let reply = act(tables)?;
            attempt::keep(tables, scope, attempt, &reply, entry.now_ms)?;
            Ok(reply)
        }
    }
}

#[cfg(test)]
mod tests;

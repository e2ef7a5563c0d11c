//! Sessions: what a token stands for.
//!
//! A session is filed under the SHA-256 of its token; the token itself is never replicated. It ends when it is logged
//! out, when the account is logged out everywhere or deleted, or when log time reaches its expiry. None of these removes
//! the record: it stays for `KEPT_MS` after the expiry, so that a retry with a token that is void by now still finds
//! the outcome of its first attempt.
//!
//! # Caveats
//! * Expiry is in log time alone, on reads too, so that it is one fact for all nodes. In a cluster where nobody writes
//!   anything, log time stands still and nothing expires.

use std::ops::ControlFlow;

use proto::chat::Code;
use proto::log::{Reply, SessionRecord};

use super::attempt::IDLE_MS_MIN;
use super::command::OpenSession;
use super::key::{Key, TOKEN_HASH_BYTES, range};
use super::name::Name;
use super::record;
use super::reply::{done, refused, session_opened};
use super::tables::{Direction, StoreError, Tables, TablesMut};
use super::{Entry, account, clock};

/// How long a session's record stays after its expiry, in milliseconds of log time: not shorter than the outcomes of its
/// attempts are remembered.
const KEPT_MS: u64 = IDLE_MS_MIN + 60 * 60 * 1_000;

/// How many expired sessions are removed with one entry, at most. An entry opens at most one.
const SWEPT_MAX: usize = 2;

/// The SHA-256 of a token.
pub type TokenHash = [u8; TOKEN_HASH_BYTES];

/// Who acts: one life of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name.
    pub name: Name,
    /// The life of it that logged in.
    pub account_id: u64,
}

/// What is left of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its token is good.
    Live,
    /// It was logged out by itself.
    LoggedOut,
    /// Its time is over.
    Expired,
    /// It ended with all sessions of its account.
    EndedWithAccount,
}

/// Who the token belongs to, if its session lives.
///
/// # Errors
/// A fault of the local disk.
pub fn caller(tables: &dyn Tables, token_hash: &TokenHash) -> Result<Option<Caller>, StoreError> {
    let now_ms = clock::now_ms(tables)?;
    Ok(find(tables, token_hash, now_ms)?
        .and_then(|(caller, standing)| (standing == Standing::Live).then_some(caller)))
}

/// Who the token belongs to or belonged to, and what is left of its session. `None` when nothing is known of it.
pub(super) fn find(
    tables: &dyn Tables,
    token_hash: &TokenHash,
    now_ms: u64,
) -> Result<Option<(Caller, Standing)>, StoreError> {
    let Some(session) = record::get::<SessionRecord>(tables, &Key::Session { token_hash })? else {
        return Ok(None);
    };
    let name = Name::parse(&session.name)
        .map_err(|refusal| record::corrupt(format!("the name in a session: {}", refusal.message)))?;
    let same_life = account::find(tables, &name)?
        .filter(|account| account.account_id == session.account_id)
        .is_some_and(|account| account.sessions_from <= session.opened);
    let standing = if !same_life {
        Standing::EndedWithAccount
    } else if session.closed {
        Standing::LoggedOut
    } else if session.expires_ms <= now_ms {
        Standing::Expired
    } else {
        Standing::Live
    };
    Ok(Some((Caller { name, account_id: session.account_id }, standing)))
}

pub(super) fn not_authenticated() -> Reply {
    refused(Code::NotAuthenticated, "the session has ended, or never was: log in")
}

pub(super) fn open(
    tables: &mut dyn TablesMut,
    entry: &Entry,
    open: &OpenSession,
) -> Result<Reply, StoreError> {
    let OpenSession { name, account_id, token_hash, lifetime_ms } = open;
    let Some(account) = account::find(tables, name)? else {
        return Ok(refused(Code::NotFound, format!("no account is named {name}")));
    };
    if account.account_id != *account_id {
        let what = format!("{name} is another account since the password was checked");
        return Ok(refused(Code::WrongPassword, what));
    }
    if record::get::<SessionRecord>(tables, &Key::Session { token_hash })?.is_some() {
        return Ok(refused(Code::Exists, "the token is in use"));
    }
    let expires_ms = entry.now_ms.saturating_add(*lifetime_ms);
    let session = SessionRecord {
        name: name.as_str().to_owned(),
        account_id: *account_id,
        expires_ms,
        opened: entry.index,
        closed: false,
    };
    record::put(tables, &Key::Session { token_hash }, &session)?;
    record::put(tables, &Key::Expiry { at_ms: expires_ms, token_hash }, &())?;
    Ok(session_opened(expires_ms))
}

/// Ends one session, or all of its account.
///
/// There is no attempt to tell a retry by, so it is idempotent instead: what has ended already is done. Only a token
/// that ended by itself alone, or that nobody knows, cannot end the other sessions.
pub(super) fn close(
    tables: &mut dyn TablesMut,
    entry: &Entry,
    token_hash: &TokenHash,
    everywhere: bool,
) -> Result<Reply, StoreError> {
    let Some((caller, standing)) = find(tables, token_hash, entry.now_ms)? else {
        return Ok(not_authenticated());
    };
    match (standing, everywhere) {
        (Standing::Live, true) => account::end_sessions(tables, entry, &caller)?,
        (Standing::Live, false) => {
            let key = Key::Session { token_hash };
            let mut session: SessionRecord = record::expect(tables, &key)?;
            session.closed = true;
            record::put(tables, &key, &session)?;
        }
        (Standing::LoggedOut | Standing::Expired, true) => return Ok(not_authenticated()),
        (Standing::LoggedOut | Standing::Expired, false) | (Standing::EndedWithAccount, _) => {}
    }
    Ok(done())
}

/// Removes what expired so long ago that no retry needs it.
pub(super) fn sweep(tables: &mut dyn TablesMut, now_ms: u64) -> Result<(), StoreError> {
    let mut expired = Vec::new();
    let range = range::expiring(now_ms.saturating_sub(KEPT_MS));
    record::scan(tables, &range, Direction::Forward, &mut |key, (): ()| {
        if let Key::Expiry { at_ms, token_hash } = key {
            expired.push((at_ms, *token_hash));
        }
        if expired.len() < SWEPT_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    for (at_ms, token_hash) in &expired {
        record::remove(tables, &Key::Session { token_hash })?;
        record::remove(tables, &Key::Expiry { at_ms: *at_ms, token_hash })?;
    }
    Ok(())
}

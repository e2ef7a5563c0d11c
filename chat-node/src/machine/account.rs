//! Accounts: names that people own.
//!
//! A name has lives. The id of a life is the log index that created it, so it never comes again, and all that belongs to
//! a person is bound to it rather than to the name: sessions, the inbox, remembered attempts, and the part of each
//! conversation that may be read (see [`super::conversation`]). Deleting an account is therefore the removal of one
//! record: whatever else belonged to that life is out of reach at once, and is swept up later.

use std::ops::ControlFlow;

use proto::chat::Code;
use proto::log::{AccountRecord, Reply};

use super::Entry;
use super::key::{Key, range};
use super::name::Name;
use super::pattern::Pattern;
use super::record;
use super::reply::{done, refused};
use super::session::Caller;
use super::tables::{Direction, StoreError, Tables, TablesMut};

/// The account of that name, if it lives.
///
/// # Errors
/// A fault of the local disk.
pub fn find(tables: &dyn Tables, name: &Name) -> Result<Option<AccountRecord>, StoreError> {
    record::get(tables, &Key::Account { name: name.as_str() })
}

/// One page of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// In order.
    pub names: Vec<String>,
    /// There are more after the last one here.
    pub more: bool,
}

/// The first `limit` names that match `pattern` and sort after `after`. Looks at every account that shares the
/// pattern's beginning.
///
/// # Errors
/// A fault of the local disk.
pub fn list(tables: &dyn Tables, pattern: &Pattern, after: &str, limit: usize) -> Result<Names, StoreError> {
    let mut page = Names { names: Vec::new(), more: false };
    let range = range::accounts(pattern.prefix(), after);
    record::scan(tables, &range, Direction::Forward, &mut |key, _: AccountRecord| {
        let Key::Account { name } = key else { return ControlFlow::Continue(()) };
        if !pattern.matches(name) {
            return ControlFlow::Continue(());
        }
        if page.names.len() == limit {
            page.more = true;
            return ControlFlow::Break(());
        }
        page.names.push(name.to_owned());
        ControlFlow::Continue(())
    })?;
    Ok(page)
}

pub(super) fn create(
    tables: &mut dyn TablesMut,
    entry: &Entry,
    name: &Name,
    password_hash: String,
) -> Result<Reply, StoreError> {
    if find(tables, name)?.is_some() {
        return Ok(refused(Code::Exists, format!("the name {name} is taken")));
    }
    let account = AccountRecord {
        password_hash,
        account_id: entry.index,
        created_ms: entry.now_ms,
        sessions_from: entry.index,
    };
    record::put(tables, &Key::Account { name: name.as_str() }, &account)?;
    Ok(done())
}

pub(super) fn delete(tables: &mut dyn TablesMut, caller: &Caller) -> Result<Reply, StoreError> {
    record::remove(tables, &Key::Account { name: caller.name.as_str() })?;
    record::put(tables, &Key::Ended { account_id: caller.account_id }, &())?;
    Ok(done())
}

/// Makes every session of the account void that was opened before this entry.
pub(super) fn end_sessions(
    tables: &mut dyn TablesMut,
    entry: &Entry,
    caller: &Caller,
) -> Result<(), StoreError> {
    let key = Key::Account { name: caller.name.as_str() };
    let mut account: AccountRecord = record::expect(tables, &key)?;
    account.sessions_from = entry.index;
    record::put(tables, &key, &account)
}

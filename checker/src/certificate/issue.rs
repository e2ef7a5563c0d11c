//! Finding the order that a certificate states.

use std::collections::{BTreeMap, HashSet};

use thiserror::Error;

use super::{Certificate, Kind, Sequence, log};
use crate::history::{History, Input, OperationId, Symbol};
use crate::limits::Limits;
use crate::model::accounts::Initially;
use crate::model::register::Semantics;
use crate::search;

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotIssued {
    /// An object has no order, or none was found within the limits.
    #[error("there is no order of the operations on `{key}`: {why}")]
    NoOrder {
        /// The object.
        key: String,
        /// Why.
        why: String,
    },
    /// An operation that certificates say nothing about.
    #[error("a certificate says nothing about `{f}`, which is invoked at event {index}")]
    Unknown {
        /// The operation.
        f: String,
        /// The event.
        index: u32,
    },
}

/// The order of the operations on one object, as a decider found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectOrder {
    pub(crate) key: Option<Symbol>,
    pub(crate) order: Vec<OperationId>,
}

/// Finds an order of the operations on each object.
///
/// Only of a history whose verdict is valid does it say anything: of any other, the certificate is refused, or there is
/// none. Polls are not in it: what subscriptions deliver has no place in the order.
///
/// # Errors
/// [`NotIssued`] if there is no order, or none was found within the limits.
pub fn issue(history: &History, limits: &Limits<'_>) -> Result<Certificate, NotIssued> {
    for operation in history.operations() {
        let is_poll = matches!(operation.input, Input::Poll { .. });
        if !is_poll && Kind::of(&operation.input).is_none() {
            let (f, index) = (history.f(operation).to_owned(), operation.invoked.index);
            return Err(NotIssued::Unknown { f, index });
        }
    }
    let mut objects = Vec::new();
    for (key, ids) in by_key(history, Kind::Conversation) {
        let order = log::order(history, &ids);
        objects.push(sequence(history, Kind::Conversation, &ids, &ObjectOrder { key, order }));
    }
    let registers = by_key(history, Kind::Register);
    for found in search::register_orders(history, Semantics::default(), limits)? {
        let ids = registers.get(&found.key).map_or(&[][..], Vec::as_slice);
        objects.push(sequence(history, Kind::Register, ids, &found));
    }
    let initially = if history.is_initially_empty() { Initially::Absent } else { Initially::Unknown };
    let accounts = by_key(history, Kind::Account);
    for found in search::account_orders(history, initially, limits)? {
        let ids = accounts.get(&found.key).map_or(&[][..], Vec::as_slice);
        objects.push(sequence(history, Kind::Account, ids, &found));
    }
    Ok(Certificate { events: history.next_index(), objects })
}

/// The operations on objects of a kind, each object's in the order of their invocation.
fn by_key(history: &History, kind: Kind) -> BTreeMap<Option<Symbol>, Vec<OperationId>> {
    let mut by_key: BTreeMap<Option<Symbol>, Vec<OperationId>> = BTreeMap::new();
    for id in history.ids() {
        let operation = history.operation(id);
        let is_list = matches!(operation.input, Input::ListAccounts { .. });
        if Kind::of(&operation.input) == Some(kind) && !is_list {
            by_key.entry(operation.key).or_default().push(id);
        }
    }
    by_key
}

/// The order as a certificate has it; of `ids`, what is not in it is left out.
fn sequence(history: &History, kind: Kind, ids: &[OperationId], found: &ObjectOrder) -> Sequence {
    let index = |id: &OperationId| history.operation(*id).invoked.index;
    let placed: HashSet<OperationId> = found.order.iter().copied().collect();
    Sequence {
        kind,
        key: found.key.map(|key| history.text(key).to_owned()),
        order: found.order.iter().map(index).collect(),
        left_out: ids.iter().filter(|id| !placed.contains(id)).map(index).collect(),
        line: 0,
    }
}

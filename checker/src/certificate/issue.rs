//! Finding the order that a certificate states.

use std::collections::{BTreeMap, HashSet};

use thiserror::Error;

use super::{Certificate, Kind, Reading, Sequence, log};
use crate::check::Options;
use crate::fitting::{self, Misfit};
use crate::history::transaction::only_key;
use crate::history::{Datum, History, Input, Object, Operation, OperationId, Symbol};
use crate::limits::Limits;
use crate::model::accounts::Initially;
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
    /// An operation that no model knows, or none together with the others.
    #[error("no model knows `{f}`, which is invoked at event {index}, together with the other operations")]
    Unknown {
        /// The operation.
        f: String,
        /// The event.
        index: u32,
    },
    /// An operation that does not fit the model that was named.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

/// The order of the operations on one object, as a decider found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectOrder {
    pub(crate) key: Option<Symbol>,
    /// What transactions call it, nil if they do not.
    pub(crate) part: Datum,
    pub(crate) order: Vec<OperationId>,
}

/// Finds an order of the operations on each object of a history, which was read as the options say.
///
/// Only of a history whose verdict is valid does it say anything: of any other, the certificate is refused, or there is
/// none. Polls are not in it: what subscriptions deliver has no place in the order.
///
/// # Errors
/// [`NotIssued`] if there is no order, or none was found within the limits.
pub fn issue(history: &History, options: &Options, limits: &Limits<'_>) -> Result<Certificate, NotIssued> {
    let Options { model, semantics } = *options;
    let choice = fitting::choose(history, model, limits)?;
    // What fits no model is judged only if it is about registers.
    let general = choice.model.and_then(Kind::general).unwrap_or(Kind::Register);
    let is_known = |operation: &&Operation| {
        choice.model.is_some() || !matches!(operation.input.object(), Object::General | Object::Unknown)
    };
    if let Some(unknown) = history.operations().iter().find(|operation| !is_known(operation)) {
        let (f, index) = (history.f(unknown).to_owned(), unknown.invoked.index);
        return Err(NotIssued::Unknown { f, index });
    }
    let mut objects = by_object(history, general);
    let conversations = |((kind, key, part), ids): (&Name, &Vec<OperationId>)| {
        let order = || log::order(history, ids);
        (*kind == Kind::Conversation).then(|| (*kind, ObjectOrder { key: *key, part: *part, order: order() }))
    };
    let mut orders: Vec<(Kind, ObjectOrder)> = objects.iter().filter_map(conversations).collect();
    let by_model = choice
        .model
        .and_then(|model| search::general_orders(history, model, semantics, fitting::is_general, limits));
    let general_orders = match by_model {
        Some(orders) => orders?,
        None => search::register_orders(history, semantics, limits)?,
    };
    orders.extend(general_orders.into_iter().map(|order| (general, order)));
    let initially = if history.is_initially_empty() { Initially::Absent } else { Initially::Unknown };
    let accounts = search::account_orders(history, initially, limits)?;
    orders.extend(accounts.into_iter().map(|order| (Kind::Account, order)));
    let objects = orders.into_iter().map(|(kind, found)| {
        let ids = objects.remove(&(kind, found.key, found.part)).unwrap_or_default();
        sequence(history, kind, &ids, &found)
    });
    let objects: Vec<Sequence> = objects.collect();
    Ok(Certificate { events: history.next_index(), reading: Reading::of(history, semantics), objects })
}

/// What tells one object from the others: its kind, its key, and what transactions call it.
pub(super) type Name = (Kind, Option<Symbol>, Datum);

/// The operations of a history by their objects, each object's in the order of their invocation; lists of accounts, which
/// are about many, are left out.
pub(super) fn by_object(history: &History, general: Kind) -> BTreeMap<Name, Vec<OperationId>> {
    let mut by_object: BTreeMap<Name, Vec<OperationId>> = BTreeMap::new();
    for id in history.ids() {
        let operation = history.operation(id);
        let Some(kind) = Kind::of(operation, general) else { continue };
        if matches!(operation.input, Input::ListAccounts { .. }) {
            continue;
        }
        let part = if kind == Kind::List { only_key(history, operation) } else { None };
        by_object.entry((kind, operation.key, part.unwrap_or_default())).or_default().push(id);
    }
    by_object
}

/// The order as a certificate has it; of `ids`, what is not in it is left out.
fn sequence(history: &History, kind: Kind, ids: &[OperationId], found: &ObjectOrder) -> Sequence {
    let index = |id: &OperationId| history.operation(*id).invoked.index;
    let placed: HashSet<OperationId> = found.order.iter().copied().collect();
    Sequence {
        kind,
        key: found.key.map(|key| history.text(key).to_owned()),
        part: (found.part != Datum::Nil).then(|| found.part.text(&history.symbols)),
        order: found.order.iter().map(index).collect(),
        left_out: ids.iter().filter(|id| !placed.contains(id)).map(index).collect(),
        line: 0,
    }
}

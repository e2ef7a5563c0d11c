//! Whether there is an order, by trying all of them.
//!
//! This is slow and has nothing in common with [`search`](crate::search) on purpose: every order that real time allows is
//! extended by every operation that may come next, and nothing is remembered.

use crate::model::{Model, OperationOf};

/// The operations that must be in an order, by position, at most 32 of them. The others may be, in their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Required(u32);

impl Required {
    /// These.
    pub(crate) fn of(positions: impl IntoIterator<Item = usize>) -> Self {
        Required(positions.into_iter().fold(0, |all, position| all | 1 << position))
    }

    /// Those that completed.
    pub(crate) fn completed<I, O>(operations: &[crate::model::Operation<I, O>]) -> Self {
        Self::of((0..operations.len()).filter(|position| operations[*position].returned.is_some()))
    }
}

/// Whether `model` allows an order of the operations that agrees with real time.
///
/// # Panics
/// If there are more than 32 operations.
pub(crate) fn has_order<M: Model>(model: &M, operations: &[OperationOf<M>], required: Required) -> bool {
    assert!(operations.len() <= 32, "all orders of {} operations are too many", operations.len());
    model.initial().iter().any(|state| extend(model, operations, state, 0, required.0))
}

/// Whether the order of the operations in `placed`, which led to `state`, can be extended.
fn extend<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    state: &M::State,
    placed: u32,
    required: u32,
) -> bool {
    required & !placed == 0
        || (0..operations.len()).any(|next| {
            placed & 1 << next == 0
                && may_be_next(operations, next, placed, required)
                && model
                    .step(state, &operations[next].input, operations[next].output.as_ref())
                    .is_some_and(|state| extend(model, operations, &state, placed | 1 << next, required))
        })
}

/// Whether real time allows `next`: nothing required and not placed returned before it, and nothing placed began after
/// it.
fn may_be_next<I, O>(
    operations: &[crate::model::Operation<I, O>],
    next: usize,
    placed: u32,
    required: u32,
) -> bool {
    let operation = &operations[next];
    operations.iter().enumerate().all(|(other, it)| {
        if placed & 1 << other != 0 {
            operation.returned.is_none_or(|returned| returned > it.invoked)
        } else {
            required & 1 << other == 0 || it.returned.is_none_or(|returned| returned > operation.invoked)
        }
    })
}

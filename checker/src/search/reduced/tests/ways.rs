//! Depth first and breadth first, each by itself: together, the one can hide what the other does wrong.

use std::cell::Cell;

use crate::differential::{Sampled, Sampler, compare};
use crate::limits::{Budget, Limits};
use crate::model::Operation;
use crate::search::reduced::frontier::Frontier;
use crate::search::reduced::plan::Plan;
use crate::search::reduced::{Found, Machine, breadth, depth};

/// Whether breadth first finds an order, and whether depth first does. No more than 64 operations may be pending.
pub(in crate::search) fn both_ways<I, O, M: Machine>(
    machine: &mut M,
    operations: &[Operation<I, O>],
) -> (bool, bool) {
    let limits = Limits::none();
    let mut budget = Budget::new(&limits);
    let initial = machine.initial();
    let answered = |position: usize| operations[position].returned.is_some();
    let plan = Plan::new(machine, operations, answered, 0, &mut budget).expect("there is no limit");
    let frontier = Frontier::<M, 1>::new(machine, &plan, &mut budget);
    let mut frontier = frontier.expect("there is no limit");
    let deep = depth::search(&mut frontier, &initial).unwrap_or_else(|_| panic!("there is no limit"));
    frontier.restart();
    let broad = breadth::search(&mut frontier, &initial).unwrap_or_else(|_| panic!("there is no limit"));
    (matches!(broad, Found::Order(_)), deep.is_some())
}

/// Compares breadth first with exhaustive search. Depth first may give up, and must not find what there is not.
#[track_caller]
pub(in crate::search) fn compare_both<S: Sampler>(
    name: &str,
    sampler: &S,
    both: impl Fn(&S::Model, &[Sampled<S>]) -> (bool, bool),
) {
    let [orders, deep] = [Cell::new(0_u64), Cell::new(0_u64)];
    compare(&format!("{name}, breadth first"), sampler, |model, operations| {
        let (has_order, is_deep) = both(model, operations);
        assert!(has_order || !is_deep, "{name}: depth first found an order of {operations:?}");
        orders.set(orders.get() + u64::from(has_order));
        deep.set(deep.get() + u64::from(is_deep));
        has_order
    });
    let (orders, deep) = (orders.get(), deep.get());
    println!("{name}: {deep} of {orders} orders were found depth first");
    assert!(2 * deep >= orders, "{name}: depth first finds {deep} of {orders} orders");
}

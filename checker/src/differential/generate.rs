//! Random histories: as an honest object would have left them, and bent.
//!
//! The simulation has a few operations under way and at each turn invokes one, lets one take effect, or lets one
//! return. Some never return, and of those some took effect.

use super::random::Random;
use super::{Sampled, Sampler};
use crate::model::{Model, Operation};

/// How a history is made.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// The fewest operations.
    pub(crate) operations_min: usize,
    /// The most operations.
    pub(crate) operations_max: usize,
    /// The most operations under way at once. Each history has its own number, up to this. Those that never return do
    /// not count.
    pub(crate) pending_max: usize,
    /// How many of a hundred operations never return.
    pub(crate) info_percent: usize,
    /// Of a history that is bent, one of so many answers is replaced by any answer, some with another question.
    pub(crate) lies_one_in: usize,
    /// The most times that two neighbouring events of a history that is bent change places.
    pub(crate) swaps_max: usize,
}

impl Shape {
    /// Small enough to try all orders, bent so that a part of the histories is not linearizable.
    pub(crate) fn small() -> Self {
        Shape {
            operations_min: 3,
            operations_max: 7,
            pending_max: 4,
            info_percent: 12,
            lies_one_in: 4,
            swaps_max: 4,
        }
    }
}

/// A history that some order explains.
pub(crate) fn honest<S: Sampler>(sampler: &S, random: &mut Random, shape: &Shape) -> Vec<Sampled<S>> {
    let model = sampler.model();
    let count = shape.operations_min + random.below(shape.operations_max - shape.operations_min + 1);
    let pending_max = 1 + random.below(shape.pending_max);
    let mut operations: Vec<Sampled<S>> = Vec::with_capacity(count);
    let mut state = random.pick(&model.initial());
    // Under way: not yet done, or done.
    let mut pending: Vec<(usize, bool)> = Vec::new();
    let mut place = 0;
    while operations.len() < count || !pending.is_empty() {
        let may_invoke = operations.len() < count && pending.len() < pending_max;
        if may_invoke && (pending.is_empty() || random.one_in(3)) {
            pending.push((operations.len(), false));
            let input = sampler.ask(random, operations.len());
            operations.push(Operation { input, output: None, invoked: place, returned: None });
            place += 1;
            continue;
        }
        let chosen = random.below(pending.len());
        let (number, done) = pending[chosen];
        let is_info = random.chance(shape.info_percent);
        let operation = &mut operations[number];
        if done {
            pending.swap_remove(chosen);
            if is_info {
                operation.output = None;
            } else {
                operation.returned = Some(place);
                place += 1;
            }
            continue;
        }
        if !is_info {
            sampler.inform(&state, &mut operation.input);
        }
        // An object that cannot answer may be able to later; but nobody waits for ever.
        let answer = sampler.answer(random, &state, &operation.input);
        match answer {
            Some(answer) if !is_info => {
                let next = model.step(&state, &operation.input, Some(&answer));
                state = next.unwrap_or_else(|| {
                    panic!("{answer:?} is no answer to {:?} in {state:?}", operation.input)
                });
                operation.output = Some(answer);
                pending[chosen].1 = true;
            }
            None if !is_info && !random.one_in(4) => {}
            _ => drop(pending.swap_remove(chosen)),
        }
    }
    operations
}

/// A history that an honest object would have left, bent in half of the cases.
pub(crate) fn any<S: Sampler>(sampler: &S, random: &mut Random, shape: &Shape) -> Vec<Sampled<S>> {
    if random.one_in(2) { honest(sampler, random, shape) } else { bent(sampler, random, shape) }
}

/// A history that an honest object would have left, bent.
pub(crate) fn bent<S: Sampler>(sampler: &S, random: &mut Random, shape: &Shape) -> Vec<Sampled<S>> {
    let mut operations = honest(sampler, random, shape);
    for (number, operation) in operations.iter_mut().enumerate() {
        if operation.output.is_some() && random.one_in(shape.lies_one_in) {
            if random.one_in(3) {
                operation.input = sampler.ask(random, number);
            }
            operation.output = Some(sampler.lie(random, &operation.input));
        }
    }
    for _ in 0..random.below(shape.swaps_max + 1) {
        swap(random, &mut operations);
    }
    operations
}

/// Lets two events that follow one another change places, if they are of two operations.
fn swap<I, O>(random: &mut Random, operations: &mut [Operation<I, O>]) {
    let events =
        operations.len() + operations.iter().filter(|operation| operation.returned.is_some()).count();
    if events < 2 {
        return;
    }
    let place = random.below(events - 1) as u32;
    let has =
        |operation: &Operation<I, O>, place| operation.invoked == place || operation.returned == Some(place);
    if operations.iter().any(|operation| has(operation, place) && has(operation, place + 1)) {
        return;
    }
    let other = |at: u32| match at {
        at if at == place => place + 1,
        at if at == place + 1 => place,
        at => at,
    };
    for operation in operations {
        operation.invoked = other(operation.invoked);
        operation.returned = operation.returned.map(other);
    }
}

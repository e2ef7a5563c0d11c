//! The search against exhaustive search on small random histories, and contradictions by hand.

use std::collections::HashSet;

use super::*;
use crate::history::{Datum, Symbols};
use crate::model::Operation;
use crate::model::accounts::{self, Account, Presence};
use crate::model::register::{self, NilRead, Register};

/// Whether there is an order, by trying all of them: what is in `required` must be placed, the rest may be.
fn has_order<M: Model>(model: &M, operations: &[OperationOf<M>], required: &HashSet<usize>) -> bool {
    fn extend<M: Model>(
        model: &M,
        operations: &[OperationOf<M>],
        state: &M::State,
        placed: &mut Vec<usize>,
        required: &HashSet<usize>,
    ) -> bool {
        if required.iter().all(|position| placed.contains(position)) {
            return true;
        }
        let agrees = |placed: &[usize], next: usize| {
            // Nothing that must be placed completed before, and nothing placed was invoked after.
            let before =
                |other: usize| operations[other].returned.is_some_and(|end| end < operations[next].invoked);
            let after =
                |other: usize| operations[next].returned.is_some_and(|end| end < operations[other].invoked);
            !required.iter().any(|other| !placed.contains(other) && before(*other))
                && !placed.iter().any(|other| after(*other))
        };
        for next in 0..operations.len() {
            if placed.contains(&next) || !agrees(placed, next) {
                continue;
            }
            let operation = &operations[next];
            if let Some(state) = model.step(state, &operation.input, operation.output.as_ref()) {
                placed.push(next);
                if extend(model, operations, &state, placed, required) {
                    return true;
                }
                placed.pop();
            }
        }
        false
    }
    model.initial().iter().any(|state| extend(model, operations, state, &mut Vec::new(), required))
}

fn completed<I, O>(operations: &[Operation<I, O>]) -> HashSet<usize> {
    (0..operations.len()).filter(|position| operations[*position].returned.is_some()).collect()
}

/// Panics unless `order` is one that the model allows and that agrees with real time.
fn assert_order<M: Model>(model: &M, operations: &[OperationOf<M>], order: &[usize]) {
    for (place, next) in order.iter().enumerate() {
        let returned = operations[*next].returned.unwrap_or(u32::MAX);
        assert!(order[..place].iter().all(|other| operations[*other].invoked < returned), "{order:?}");
        assert!(!order[..place].contains(next), "{order:?}");
    }
    let allowed = model.initial().into_iter().any(|initial| {
        order
            .iter()
            .try_fold(initial, |state, next| {
                model.step(&state, &operations[*next].input, operations[*next].output.as_ref())
            })
            .is_some()
    });
    assert!(allowed, "{order:?}");
}

/// Compares the search with exhaustive search; whether there is an order.
fn compare<M: Model>(model: &M, operations: &[OperationOf<M>]) -> bool {
    let required = completed(operations);
    let expected = has_order(model, operations, &required);
    match check(model, operations, &Limits::none()) {
        Outcome::Linearizable(order) => {
            assert!(expected, "{operations:#?} has no order, but {order:?} was found");
            assert_order(model, operations, &order);
            assert!(required.iter().all(|position| order.contains(position)), "{order:?} of {operations:#?}");
        }
        Outcome::NotLinearizable(contradiction) => {
            assert!(!expected, "{operations:#?} has an order, but {contradiction:?} was found");
            assert_contradiction(model, operations, &contradiction);
        }
        Outcome::Unknown(unknown) => panic!("{unknown:?} without limits"),
    }
    expected
}

/// Compares the search with exhaustive search where only some of the completed operations must be placed.
fn compare_part<M: Model>(model: &M, operations: &[OperationOf<M>], random: &mut Random) {
    let mut required = completed(operations);
    required.retain(|_| random.one_in(2));
    let problem =
        Problem::new(model, operations, model.initial(), |position| required.contains(&position), 0);
    let limits = Limits::none();
    let mut budget = Budget::new(&limits);
    let found = Walk::new(&problem, &mut budget).find().expect("there is no limit");
    let expected = has_order(model, operations, &required);
    assert_eq!(found.is_some(), expected, "{required:?} of {operations:#?}");
    found.inspect(|order| assert_order(model, operations, order));
}

/// What a contradiction says of itself: after everything that completed before, its operations have no order, whatever
/// the others do.
fn assert_contradiction<M: Model>(model: &M, operations: &[OperationOf<M>], contradiction: &Contradiction) {
    assert!(contradiction.operations.contains(&contradiction.blocked), "{contradiction:?}");
    assert!(!contradiction.refusals.is_empty(), "{contradiction:?} of {operations:#?}");
    let since = contradiction.operations.iter().map(|position| operations[*position].invoked).min();
    let past = |position: &usize| operations[*position].returned < since;
    let required = completed(operations).into_iter().filter(past);
    let required: HashSet<usize> = required.chain(contradiction.operations.iter().copied()).collect();
    assert!(!has_order(model, operations, &required), "{contradiction:?} of {operations:#?}");
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A random history: the answers are those of the object at a random moment of each operation, and a few are changed.
fn history<M: Model>(
    random: &mut Random,
    model: &M,
    length: usize,
    inputs: &[M::Input],
    outputs: &[M::Output],
) -> Vec<OperationOf<M>> {
    // Distinct places in time: each operation takes three of them, the middle one for its effect.
    let reach = 1 + random.below(3 * length);
    let mut times: Vec<(u64, usize, usize)> = Vec::new();
    for operation in 0..length {
        let begin = random.below(3 * length);
        let mut places = [0; 3].map(|_: i32| begin + random.below(reach));
        places.sort_unstable();
        times.extend(places.iter().enumerate().map(|(which, place)| {
            (((*place as u64) << 32) | ((operation as u64) << 16) | which as u64, operation, which)
        }));
    }
    times.sort_unstable();
    let mut operations: Vec<OperationOf<M>> = (0..length)
        .map(|_| Operation {
            input: inputs[random.below(inputs.len())].clone(),
            output: None,
            invoked: 0,
            returned: None,
        })
        .collect();
    let initial = model.initial();
    let mut state = initial[random.below(initial.len())].clone();
    for (place, (_, number, which)) in (0..).zip(times) {
        let operation = &mut operations[number];
        match which {
            0 => operation.invoked = place,
            1 => {
                let possible: Vec<&M::Output> = outputs
                    .iter()
                    .filter(|output| model.step(&state, &operation.input, Some(output)).is_some())
                    .collect();
                // Some that get no answer have no effect either.
                if !possible.is_empty() && !random.one_in(8) {
                    let output = random.pick(&possible);
                    state = model.step(&state, &operation.input, Some(output)).unwrap();
                    operation.output = Some(output.clone());
                }
            }
            _ => operation.returned = Some(place),
        }
    }
    for operation in &mut operations {
        if random.one_in(2 * length) {
            operation.output = Some(outputs[random.below(outputs.len())].clone());
        }
        if operation.output.is_none() || random.one_in(6) {
            (operation.output, operation.returned) = (None, None);
        }
    }
    operations
}

/// Runs many comparisons and asserts that both answers occur.
fn compare_many<M: Model>(model: &M, runs: u64, inputs: &[M::Input], outputs: &[M::Output]) {
    let mut linearizable = 0;
    for seed in 0..runs {
        let mut random = Random(seed);
        let length = 2 + random.below(6);
        let operations = history(&mut random, model, length, inputs, outputs);
        linearizable += u64::from(compare(model, &operations));
        compare_part(model, &operations, &mut random);
    }
    let share = linearizable * 100 / runs;
    assert!((50..90).contains(&share), "{share} % of the random histories are linearizable");
}

#[test]
fn registers_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let values = [Datum::Nil, Datum::Int(1), Datum::Int(2)];
    let writes = values.map(register::Input::Write);
    let cas = values.iter().flat_map(|from| values.map(|to| register::Input::Cas { from: *from, to }));
    let inputs: Vec<_> = [register::Input::Read; 3].into_iter().chain(writes).chain(cas).collect();
    let outputs: Vec<_> = [register::Output::Done, register::Output::Differed]
        .into_iter()
        .chain(values.map(register::Output::Value))
        .collect();
    for nil_read in [NilRead::Nil, NilRead::Anything] {
        compare_many(&Register::new(&symbols, nil_read), 5_000, &inputs, &outputs);
    }
}

#[test]
fn accounts_agree_with_exhaustive_search() {
    let inputs = [accounts::Input::Create, accounts::Input::Delete, accounts::Input::Login];
    let outputs = [
        accounts::Output::Done,
        accounts::Output::Seen(Presence::Present),
        accounts::Output::Seen(Presence::Absent),
    ];
    for initially in [accounts::Initially::Unknown, accounts::Initially::Absent] {
        compare_many(&Account { initially }, 5_000, &inputs, &outputs);
    }
}

//! The search against exhaustive search on small random histories.

use std::collections::HashSet;

use super::*;
use crate::differential::exhaustive::{Required, has_order};
use crate::differential::generate::{self, Shape};
use crate::differential::random::Random;
use crate::differential::{Sampler, compare, histories, seeds};
use crate::history::{Datum, Symbols};
use crate::model::accounts::{Account, Initially};
use crate::model::register::NilRead;
use crate::model::samples::{Accounts, Registers};

fn agrees<S: Sampler>(name: &str, sampler: &S) {
    compare(name, sampler, |model, operations| check(model, operations, &Limits::none()));
}

#[test]
fn registers_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let registers = |nil_read| Registers::new(&symbols, nil_read);
    agrees("register, nil is nil", &registers(NilRead::Nil));
    agrees("register, nil is anything", &registers(NilRead::Anything));
    agrees("register, unique values", &registers(NilRead::Nil).unique());
    agrees("register, no cas", &registers(NilRead::Nil).without_cas());
}

#[test]
fn accounts_agree_with_exhaustive_search() {
    agrees("account", &Accounts::default());
    agrees("new account", &Accounts(Account { initially: Initially::Absent }));
}

/// Compares the search with exhaustive search where only some of the completed operations must be placed, as when a
/// contradiction is made smaller.
fn part_agrees<S: Sampler>(name: &str, sampler: &S) {
    let model = sampler.model();
    for seed in seeds(histories()) {
        let mut random = Random(seed);
        let operations = generate::any(sampler, &mut random, &Shape::small());
        let mut required: HashSet<usize> =
            (0..operations.len()).filter(|position| operations[*position].returned.is_some()).collect();
        required.retain(|_| random.one_in(2));
        let mut budget = Budget::new(&Limits::none());
        let initial = model.initial().into();
        let is_required = |position: usize| required.contains(&position);
        let problem = Problem::new(model, &operations, initial, is_required, 0, &mut budget);
        let problem = problem.expect("there is no limit");
        let found = Walk::new(&problem, &mut budget).find().expect("there is no limit");
        let expected = has_order(model, &operations, Required::of(required.iter().copied()));
        assert_eq!(found.is_some(), expected, "{name}, seed {seed}: {required:?} of {operations:#?}");
    }
}

#[test]
fn parts_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    part_agrees("register", &Registers::new(&symbols, NilRead::Nil));
    part_agrees("account", &Accounts::default());
}

/// What one thing after the other does to a queue; the last two overlap.
#[test]
fn what_is_kept_to_choose_from_contradicts_itself() {
    use crate::model::queue::{Input, Output, Queue};
    let symbols = Symbols::default();
    let put = |value| (Input::Enqueue(Datum::Int(value)), Output::Done);
    let take = |value| (Input::Dequeue, Output::Value(Datum::Int(value)));
    let asked =
        [put(1), take(1), put(1), put(1), put(0), take(1), put(0), put(1), put(2), take(0)].into_iter();
    let mut operations: Vec<crate::model::Operation<Input, Output>> = (0..)
        .zip(asked)
        .map(|(number, (input, output))| crate::model::Operation {
            input,
            output: Some(output),
            invoked: 2 * number,
            returned: Some(2 * number + 1),
        })
        .collect();
    (operations[8].returned, operations[9].invoked) = (Some(18), 17);
    let Outcome::NotLinearizable(contradiction) = check(&Queue::new(&symbols), &operations, &Limits::none())
    else {
        panic!("0 was not in front")
    };
    assert_eq!(contradiction.blocked, 9);
    let required = Required::of(contradiction.operations.iter().copied().chain(0..8));
    assert!(!has_order(&Queue::new(&symbols), &operations, required), "{contradiction:?}");
}

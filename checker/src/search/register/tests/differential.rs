//! Every way to decide a register, against exhaustive search and against the walk.

use std::cell::Cell;

use crate::differential::generate::{self, Shape};
use crate::differential::random::Random;
use crate::differential::{Sampler, compare, histories, look_at_order, seeds};
use crate::history::{Datum, Symbols};
use crate::limits::{Budget, Limits};
use crate::model::OperationOf;
use crate::model::register::{NilRead, Register, Value};
use crate::model::samples::Registers;
use crate::search::reduced::tests::ways::{both_ways, compare_both};
use crate::search::register::decide::{check_register, check_repeated};
use crate::search::register::machine::Numbered;
use crate::search::register::unique;
use crate::search::{Outcome, check};

fn dispatched(model: &Register<'_>, operations: &[OperationOf<Register<'_>>]) -> Outcome {
    check_register(model, operations, &Limits::none())
}

fn repeated(model: &Register<'_>, operations: &[OperationOf<Register<'_>>]) -> Outcome {
    check_repeated(model, operations, true, &Limits::none()).0
}

fn values(count: i64) -> Vec<Value> {
    [Datum::Nil].into_iter().chain((1..count).map(Datum::Int)).collect()
}

#[test]
fn unique_values_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let all = values(12);
    let registers = || Registers::new(&symbols, NilRead::Nil).unique();
    let linear = Cell::new(0);
    let counted = |model: &Register<'_>, operations: &[OperationOf<Register<'_>>]| {
        let decision = unique::decide(model, operations, &mut Budget::new(&Limits::none()));
        linear.set(linear.get() + u64::from(decision.expect("there is no limit").is_some()));
        dispatched(model, operations)
    };
    compare("register, written once", &registers().without_cas(), counted);
    compare("register, written once or set by cas", &registers(), counted);
    compare("register, written once, unknown at the start", &registers().starting_with(&all), counted);
    let share = linear.get() * 100 / (3 * histories());
    assert!(share >= 60, "{share} % were decided in linear time");
}

#[test]
fn repeated_values_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let few = values(3);
    let registers = |nil_read| Registers::new(&symbols, nil_read);
    compare("register", &registers(NilRead::Nil), dispatched);
    compare("register, nil is anything", &registers(NilRead::Anything), dispatched);
    compare("register, unknown at the start", &registers(NilRead::Nil).starting_with(&few), dispatched);
    compare("register, no cas", &registers(NilRead::Nil).without_cas(), dispatched);
    compare("register, unique values searched", &registers(NilRead::Nil).unique(), repeated);
}

#[test]
fn each_way_of_the_reduced_search_agrees_with_exhaustive_search() {
    let symbols = Symbols::default();
    let few = values(3);
    let registers = || Registers::new(&symbols, NilRead::Nil);
    let both = |model: &Register<'_>, operations: &[OperationOf<Register<'_>>]| {
        let numbered = Numbered::new(*model, operations, &mut Budget::new(&Limits::none()));
        both_ways(&mut numbered.expect("there is no limit"), operations)
    };
    compare_both("register", &registers(), both);
    compare_both("register, no cas", &registers().without_cas(), both);
    compare_both("register, unknown at the start", &registers().starting_with(&few), both);
}

/// Histories that are too long to try all orders.
#[test]
fn longer_histories_agree_with_the_walk() {
    let symbols = Symbols::default();
    let registers = || Registers::new(&symbols, NilRead::Nil);
    let shape = |info_percent| Shape {
        operations_min: 10,
        operations_max: 24,
        pending_max: 7,
        info_percent,
        lies_one_in: 12,
        swaps_max: 4,
    };
    for (sampler, info_percent) in
        [(registers(), 4), (registers(), 30), (registers().without_cas(), 10), (registers().unique(), 10)]
    {
        let mut bad = 0;
        for seed in seeds(histories() / 50) {
            let operations = generate::any(&sampler, &mut Random(seed), &shape(info_percent));
            let expected = check(sampler.model(), &operations, &Limits::none());
            for found in [dispatched, repeated].map(|decide| decide(sampler.model(), &operations)) {
                match (&expected, found) {
                    (Outcome::Linearizable(_), Outcome::Linearizable(order)) => {
                        if let Err(wrong) = look_at_order(sampler.model(), &operations, &order) {
                            panic!("seed {seed}: {wrong}: {operations:#?}");
                        }
                    }
                    (Outcome::NotLinearizable(_), Outcome::NotLinearizable(_)) => bad += 1,
                    (_, found) => panic!("seed {seed}: {found:?}, not {expected:?}: {operations:#?}"),
                }
            }
        }
        let percent = bad * 50 / (histories() / 50);
        assert!(
            histories() < 100_000 || (4..=60).contains(&percent),
            "{percent} % of the histories are not linearizable"
        );
    }
}

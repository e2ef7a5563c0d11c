//! The deciders against exhaustive search, with the models that only the search decides beside them.

use std::cell::Cell;

use super::*;
use crate::differential::{Sampled, Sampler, compare};
use crate::history::Symbols;
use crate::model::counter::Counter;
use crate::model::list::List;
use crate::model::marks::Marks;
use crate::model::multi_register::MultiRegister;
use crate::model::queue::Queue;
use crate::model::register::NilRead;
use crate::model::samples::{Asks, Counters, Entries, Lists, Locks, Markers, MultiRegisters, Queues, Sets};
use crate::model::set::Set;

/// Compares a decider that must decide everything itself.
fn decides<S: Sampler>(
    name: &str,
    sampler: &S,
    decide: impl Fn(&S::Model, &[Sampled<S>], &Limits<'_>, &mut Budget<'_>) -> Result<Answer, Exceeded>,
) {
    compare(name, sampler, |model, operations| {
        let check =
            |model: &S::Model, operations: &[Sampled<S>], limits: &Limits<'_>, budget: &mut Budget<'_>| {
                let answer = decide(model, operations, limits, budget)?;
                assert_ne!(answer, Answer::NotMine, "{name}");
                Ok(answer)
            };
        check_with(model, operations, check)
    });
}

/// Compares a decider that decides some histories, and leaves the others to the search.
fn decides_some<S: Sampler>(
    name: &str,
    sampler: &S,
    decide: impl Fn(&S::Model, &[Sampled<S>], &Limits<'_>, &mut Budget<'_>) -> Result<Answer, Exceeded>,
) {
    let [mine, all] = [Cell::new(0), Cell::new(0)];
    compare(name, sampler, |model, operations| {
        check_with(model, operations, |model: &S::Model, operations: &[Sampled<S>], limits, budget| {
            let answer = decide(model, operations, limits, budget)?;
            mine.set(mine.get() + u64::from(answer != Answer::NotMine));
            all.set(all.get() + 1);
            Ok(answer)
        })
    });
    assert!(mine.get() > 0 && mine.get() < all.get(), "{name}: {} of {} decided", mine.get(), all.get());
}

fn check_with<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    decide: impl FnOnce(&M, &[OperationOf<M>], &Limits<'_>, &mut Budget<'_>) -> Result<Answer, Exceeded>,
) -> Outcome {
    check(model, operations, decide, &Limits::none())
}

/// Compares the search, where there is no decider.
fn searched<S: Sampler>(name: &str, sampler: &S) {
    compare(name, sampler, |model, operations| search::check(model, operations, &Limits::none()));
}

#[test]
fn counters_agree_with_exhaustive_search() {
    let counters = |initial, amounts, tells| Counters { counter: Counter { initial }, amounts, tells };
    decides("counter, units", &counters(0, &[1], false), counter::decide);
    decides("counter, threes", &counters(7, &[3], false), counter::decide);
    decides_some("counter, up and down", &counters(0, &[1, 1, 1, -1, 2], false), counter::decide);
    searched("counter, answers", &counters(0, &[1, 2], true));
}

#[test]
fn marks_agree_with_exhaustive_search() {
    decides("marks", &Markers::default(), marks::decide);
    decides("marks, later", &Markers { marks: Marks { initial: 2 }, ..Markers::default() }, marks::decide);
    decides_some("marks, answers", &Markers { tells: true, ..Markers::default() }, marks::decide);
}

#[test]
fn locks_agree_with_exhaustive_search() {
    decides("mutex", &Locks::default(), mutex::decide);
    decides("mutex, refusals", &Locks { refuses: true, ..Locks::default() }, mutex::decide);
}

#[test]
fn queues_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let queues = |unique, empties| Queues { queue: Queue::new(&symbols), unique, empties };
    decides("queue", &queues(true, false), queue::decide);
    decides_some("queue, empty", &queues(true, true), queue::decide);
    decides_some("queue, repeats", &queues(false, true), queue::decide);
}

#[test]
fn sets_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let sets = |asks, unique| Sets { set: Set::new(&symbols), asks, unique };
    decides("set, growing", &sets(Asks::Growing, true), set::decide);
    decides("set, growing, repeats", &sets(Asks::Growing, false), set::decide);
    decides("set, elements", &sets(Asks::Elements, true), set::decide);
    decides("set, elements, repeats", &sets(Asks::Elements, false), set::decide);
    decides_some("set, everything", &sets(Asks::All, false), set::decide);
}

#[test]
fn lists_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let lists = |unique, micros_max| Lists { list: List::new(&symbols), unique, micros_max };
    decides("list", &lists(true, 1), list::decide);
    decides("list, transactions", &lists(true, 3), list::decide);
    decides_some("list, repeats", &lists(false, 2), list::decide);
}

#[test]
fn what_is_only_searched_agrees_with_exhaustive_search() {
    let symbols = Symbols::default();
    let registers = |nil_read| MultiRegisters::new(MultiRegister::new(&symbols, nil_read, Datum::Nil));
    searched("multi-register", &registers(NilRead::Nil));
    searched("multi-register, nil is anything", &registers(NilRead::Anything));
    searched("kv", &Entries::default());
}

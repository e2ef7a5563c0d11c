//! The check of a history against exhaustive search, every model by its name.
//!
//! A history is made of one or two objects of a few operations each, and written down: with failures, with completions
//! that say that nobody knows, and with events at equal times. What must come out follows from the operations as they
//! were sampled. So this compares everything from the history on: what an answer means under the switches, which
//! operations belong together, which decider is asked, and what the check says.

use super::random::Random;
use super::record::Recorder;
use super::tally::Tally;
use super::{Sampled, Sampler, histories, sampled, seeds};
use crate::check::{CheckName, Options, check_with};
use crate::evidence::Evidence;
use crate::history::timeline;
use crate::history::{Datum, Symbols};
use crate::limits::Limits;
use crate::model::Operation;
use crate::model::accounts::{Account, Initially as AccountInitially};
use crate::model::counter::Counter;
use crate::model::list::List;
use crate::model::multi_register::MultiRegister;
use crate::model::queue::Queue;
use crate::model::register::{FailedCas, Initially, NilRead, Semantics};
use crate::model::samples::{
    Accounts, Asks, Counters, Entries, Lists, Locks, Markers, MultiRegisters, Queues, Registers, Sets,
    UniqueEntries,
};
use crate::model::set::Set;
use crate::verdict::Verdict;

/// What is compared here takes longer than a decider alone, so one in so many histories is enough.
const HISTORIES_ONE_IN: u64 = 5;

/// One of so many operations fails.
const FAILS_ONE_IN: usize = 12;

/// Compares what the check says of small random histories with what exhaustive search finds.
#[track_caller]
fn agrees<S: Sampler + Sync>(name: &str, sampler: &S, semantics: Semantics, initially_empty: bool) {
    // There is nothing to share out, and waking threads would take most of the time.
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("there is a thread");
    let tally = one.install(|| {
        let mut tally = Tally::default();
        for seed in seeds(histories() / HISTORIES_ONE_IN) {
            let (objects, expected) = judged(name, seed, sampler, semantics, initially_empty);
            tally.count(&objects, expected);
        }
        tally
    });
    tally.conclude(&format!("{} {name}", sampler.named()));
}

/// Compares one history: the operations on each of its objects, and whether there is an order.
fn judged<S: Sampler>(
    name: &str,
    seed: u64,
    sampler: &S,
    semantics: Semantics,
    initially_empty: bool,
) -> (Vec<Vec<Sampled<S>>>, bool) {
    let mut random = Random(seed);
    let mut recorder = Recorder::new(semantics, random.pick(&[0, 1, 1000]));
    if initially_empty {
        recorder.history.set_initially_empty();
    }
    let mut expected = true;
    let mut objects = Vec::new();
    for object in 0..1 + random.below(2) {
        let (mut operations, has_order) = sampled(sampler, &mut random, &sampler.shape());
        expected &= has_order;
        let failed = fail(sampler, &mut random, &mut operations);
        recorder.record(sampler, &mut random, &format!("k{object}"), &operations, &failed);
        objects.push(operations);
    }
    let evidence = Evidence { history: recorder.history, ..Evidence::default() };
    let options = Options { model: Some(sampler.named()), semantics };
    let result = check_with(&evidence, CheckName::Linearizable, &options, &Limits::none());
    let verdict = if expected { Verdict::Valid } else { Verdict::Invalid };
    let is_proven = result.anomalies.iter().all(|anomaly| !anomaly.operations.is_empty());
    assert!(
        result.verdict == verdict && is_proven,
        "{name}, seed {seed}: {result:#?} instead of {verdict}\n{}",
        timeline::draw(&evidence.history)
    );
    (objects, expected)
}

/// Adds operations that fail, at any times between the others: whatever they ask, they did not happen.
fn fail<S: Sampler>(sampler: &S, random: &mut Random, operations: &mut Vec<Sampled<S>>) -> Vec<usize> {
    let mut failed = Vec::new();
    for _ in 0..operations.len() {
        if !random.one_in(FAILS_ONE_IN) {
            continue;
        }
        let last = operations.iter().flat_map(|operation| [Some(operation.invoked), operation.returned]);
        let last = last.flatten().max().unwrap_or(0);
        // Between the others: everything from a place on is moved by one, twice.
        let mut at = [random.below(last + 2), random.below(last + 2)];
        at.sort_unstable();
        at[1] += 1;
        for place in at {
            for operation in &mut *operations {
                operation.invoked += u32::from(operation.invoked >= place);
                operation.returned = operation.returned.map(|end| end + u32::from(end >= place));
            }
        }
        failed.push(operations.len());
        let input = sampler.ask(random, operations.len());
        operations.push(Operation { input, output: None, invoked: at[0], returned: Some(at[1]) });
    }
    failed
}

/// A comparison with the usual switches, and with both of the others turned.
#[track_caller]
fn agrees_either_way<S: Sampler + Sync>(name: &str, sampler: &S, semantics: Semantics) {
    agrees(name, sampler, semantics, false);
    let turned = Semantics { nil_read: NilRead::Anything, failed_cas: FailedCas::ValueDiffered, ..semantics };
    agrees(&format!("{name}, switches turned"), sampler, turned, false);
}

const OBSERVED: Semantics =
    Semantics { nil_read: NilRead::Nil, failed_cas: FailedCas::ValueDiffered, initially: Initially::Nil };

const ANYTHING: Semantics = Semantics { nil_read: NilRead::Anything, ..OBSERVED };

#[test]
fn registers_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let registers = |nil_read| Registers::new(&symbols, nil_read);
    // The last is one that no operation speaks of, unless it reads it.
    let few = [Datum::Nil, Datum::Int(1), Datum::Int(2), Datum::Int(1000)];
    let one = [Datum::Int(1)];
    let unknown = Semantics { initially: Initially::Unknown, ..Semantics::default() };
    let given = Semantics { initially: Initially::Value(one[0]), ..Semantics::default() };
    agrees("", &registers(NilRead::Nil).without_cas(), Semantics::default(), false);
    agrees("written once", &registers(NilRead::Nil).without_cas().unique(), Semantics::default(), false);
    agrees("", &registers(NilRead::Nil), Semantics::default(), false);
    agrees("written once", &registers(NilRead::Nil).unique(), Semantics::default(), false);
    agrees("fail is seen", &registers(NilRead::Nil), OBSERVED, false);
    agrees("fail is seen, nil is anything", &registers(NilRead::Anything), ANYTHING, false);
    agrees("unknown at the start", &registers(NilRead::Nil).starting_with(&few), unknown, false);
    agrees("1 at the start", &registers(NilRead::Nil).starting_with(&one), given, false);
}

#[test]
fn several_registers_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let registers = |nil_read, initial| MultiRegisters::new(MultiRegister::new(&symbols, nil_read, initial));
    agrees("", &registers(NilRead::Nil, Datum::Nil), Semantics::default(), false);
    agrees("nil is anything", &registers(NilRead::Anything, Datum::Nil), ANYTHING, false);
}

#[test]
fn accounts_agree_with_exhaustive_search() {
    let accounts = |initially| Accounts(Account { initially });
    agrees("", &accounts(AccountInitially::Unknown), Semantics::default(), false);
    agrees("new", &accounts(AccountInitially::Absent), Semantics::default(), true);
}

#[test]
fn entries_agree_with_exhaustive_search() {
    agrees("", &Entries::default(), Semantics::default(), false);
    agrees("each text once", &UniqueEntries::starting_with(""), Semantics::default(), false);
}

#[test]
fn numbers_agree_with_exhaustive_search() {
    let counters = |initial, amounts, tells| Counters { counter: Counter { initial }, amounts, tells };
    let seven = Semantics { initially: Initially::Value(Datum::Int(7)), ..Semantics::default() };
    agrees("units", &counters(0, &[1], false), Semantics::default(), false);
    agrees("up and down, answers", &counters(7, &[1, 1, 1, -1, 2], true), seven, false);
    agrees("", &Markers::default(), Semantics::default(), false);
    agrees_either_way("", &Locks::default(), Semantics::default());
    agrees_either_way("refusals", &Locks { refuses: true, ..Locks::default() }, Semantics::default());
}

#[test]
fn collections_agree_with_exhaustive_search() {
    let symbols = Symbols::default();
    let queues = |unique, empties| Queues { queue: Queue::new(&symbols), unique, empties };
    agrees("", &queues(true, false), Semantics::default(), false);
    agrees_either_way("empty", &queues(true, true), Semantics::default());
    agrees("repeats", &queues(false, true), Semantics::default(), false);
    let sets = |asks, unique| Sets { set: Set::new(&symbols), asks, unique };
    agrees_either_way("growing", &sets(Asks::Growing, true), Semantics::default());
    agrees("elements", &sets(Asks::Elements, false), Semantics::default(), false);
    agrees_either_way("everything", &sets(Asks::All, false), Semantics::default());
    let lists = |unique, micros_max| Lists { list: List::new(&symbols), unique, micros_max };
    agrees_either_way("", &lists(true, 1), Semantics::default());
    agrees("transactions", &lists(true, 3), Semantics::default(), false);
    agrees("repeats", &lists(false, 2), Semantics::default(), false);
}

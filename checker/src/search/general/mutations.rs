//! Large valid histories of each model, with one lie told about one object: the check must name that lie and no other.
//!
//! A few small ones run always. `cargo test --release -p checker each_lie_is_named_rightly_in_large -- --ignored
//! --nocapture` tells each lie a hundred times, or `CHECKER_LIES` times, in histories of a hundred thousand operations, and
//! prints a table.

mod accounts;
mod entries;
mod lists;
mod numbers;
mod queues;
mod registers;
mod sets;

use std::time::{Duration, Instant};

use crate::anomaly::AnomalyKind;
use crate::check::{CheckName, Options, check_with};
use crate::differential::generate::{self, Shape};
use crate::differential::random::Random;
use crate::differential::record::Recorder;
use crate::differential::{Sampled, Sampler, lies};
use crate::evidence::Evidence;
use crate::history::{Datum, Symbols};
use crate::limits::Limits;
use crate::model::Operation;
use crate::model::register::Semantics;

/// How large the histories are, and how many.
#[derive(Clone, Copy)]
struct Size {
    histories: usize,
    objects: usize,
    operations: usize,
}

const SMALL: Size = Size { histories: 5, objects: 4, operations: 100 };

/// A hundred histories of a hundred thousand operations, or as many as `CHECKER_LIES` says.
fn large() -> Size {
    Size { histories: lies(), objects: 250, operations: 400 }
}

/// A lie that was told.
struct Lied {
    /// The operations that were changed: the proof must show one of them.
    about: Vec<usize>,
    /// The operations that failed from then on.
    failed: Vec<usize>,
}

impl Lied {
    /// About the answer of an operation.
    fn of(about: usize) -> Self {
        Lied { about: vec![about], failed: Vec::new() }
    }

    /// An operation was seen that failed.
    fn failed(about: usize) -> Self {
        Lied { about: vec![about], failed: vec![about] }
    }
}

/// Tells a lie about some operations, if it finds a place for it.
type Lie<S> = fn(&mut Random, &mut Vec<Sampled<S>>) -> Option<Lied>;

/// Tells a lie in many histories, and expects that it is found out each time.
#[track_caller]
fn tells<S: Sampler>(
    (name, sampler): (&str, &S),
    size: Size,
    info_percent: usize,
    (told_as, expected): (&str, AnomalyKind),
    lie: Lie<S>,
) {
    let shape = Shape {
        operations_min: size.operations,
        operations_max: size.operations,
        pending_max: 5,
        info_percent,
        ..Shape::small()
    };
    let options = Options { model: Some(sampler.named()), semantics: Semantics::default() };
    let (mut told, mut seed, mut times) = (0, 0, Vec::new());
    while told < size.histories {
        assert!(seed < 5 * size.histories as u64, "{name}: no place for the lie `{told_as}`");
        let mut random = Random(seed);
        seed += 1;
        let victim = random.below(size.objects);
        let mut recorder = Recorder::new(options.semantics, 1000);
        let mut lied = None;
        for object in 0..size.objects {
            let mut operations = generate::honest(sampler, &mut random, &shape);
            let found = if object == victim { lie(&mut random, &mut operations) } else { None };
            let failed = found.as_ref().map_or(&[][..], |found| &found.failed);
            let ids = recorder.record(sampler, &mut random, &format!("k{object}"), &operations, failed);
            lied = lied
                .or(found.map(|found| found.about.into_iter().map(|about| ids[about]).collect::<Vec<_>>()));
        }
        let Some(about) = lied else { continue };
        told += 1;
        let about: Vec<u32> =
            about.into_iter().map(|id| recorder.history.operation(id).invoked.index).collect();
        let evidence = Evidence { history: recorder.history, ..Evidence::default() };
        let (result, time) =
            timed(|| check_with(&evidence, CheckName::Linearizable, &options, &Limits::none()));
        times.push(time);
        let told_of = || format!("{name}, seed {}, {told_as}", seed - 1);
        let [anomaly] = &result.anomalies[..] else {
            panic!("{}: {:?} {:?}: {:?}", told_of(), result.verdict, result.reason, result.anomalies)
        };
        let sentence = &anomaly.sentence;
        let key = Some(format!("k{victim}"));
        assert_eq!((anomaly.kind, &anomaly.key), (expected, &key), "{}: {sentence}", told_of());
        assert!(
            anomaly.operations.iter().any(|shown| about.contains(&shown.index)),
            "{}: the proof lacks the operation of index {about:?}: {sentence}\n{}",
            told_of(),
            anomaly.drawing
        );
    }
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!("{name:<15} {told_as:<22} {:<18} {told:>3} of {told:<3} {median:>8.1?}", expected.name());
}

/// What something comes to, and how long it takes.
#[expect(clippy::disallowed_methods, reason = "it is told how long a check takes, and that decides nothing")]
fn timed<T>(something: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let result = something();
    (result, begin.elapsed())
}

/// The positions of the operations that are so, in random order.
fn shuffled<I, O>(
    random: &mut Random,
    operations: &[Operation<I, O>],
    wanted: impl Fn(&Operation<I, O>) -> bool,
) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..operations.len()).filter(|at| wanted(&operations[*at])).collect();
    for at in (1..positions.len()).rev() {
        positions.swap(at, random.below(at + 1));
    }
    positions
}

fn ends<I, O>(operation: &Operation<I, O>) -> u32 {
    operation.returned.unwrap_or(u32::MAX)
}

/// The operations with which no other one overlaps.
fn quiet<I, O>(operations: &[Operation<I, O>]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..operations.len()).collect();
    places.sort_by_key(|place| operations[*place].invoked);
    let mut quiet = Vec::new();
    let mut busy_until = 0;
    for (number, place) in places.iter().enumerate() {
        let (from, to) = (operations[*place].invoked, ends(&operations[*place]));
        let next = places.get(number + 1).map(|next| operations[*next].invoked);
        if (number == 0 || busy_until < from) && next.is_none_or(|next| to < next) {
            quiet.push(*place);
        }
        busy_until = busy_until.max(to);
    }
    quiet
}

/// Adds an operation right behind a place, before everything that comes later; its position.
fn insert<I, O>(operations: &mut Vec<Operation<I, O>>, end: u32, input: I, output: O) -> usize {
    for operation in &mut *operations {
        operation.invoked += if operation.invoked > end { 2 } else { 0 };
        operation.returned = operation.returned.map(|at| if at > end { at + 2 } else { at });
    }
    operations.push(Operation { input, output: Some(output), invoked: end + 1, returned: Some(end + 2) });
    operations.len() - 1
}

/// A value that nobody has written.
const NOWHERE: i64 = 1_000_000_007;

fn on_registers(size: Size) {
    registers::registers(size);
    registers::several(size);
}

fn on_texts_and_accounts(size: Size) {
    entries::entries(size);
    accounts::accounts(size);
}

fn on_numbers(size: Size) {
    numbers::counters(size);
    numbers::markers(size);
    numbers::locks(size);
}

fn on_collections(size: Size) {
    queues::queues(size);
    sets::sets(size);
    lists::lists(size);
}

#[test]
fn each_lie_is_named_rightly() {
    on_registers(SMALL);
    on_texts_and_accounts(SMALL);
    on_numbers(SMALL);
    on_collections(SMALL);
}

#[test]
#[ignore = "minutes, and only with optimization"]
fn each_lie_is_named_rightly_in_large_histories_of_registers() {
    on_registers(large());
}

#[test]
#[ignore = "minutes, and only with optimization"]
fn each_lie_is_named_rightly_in_large_histories_of_texts_and_accounts() {
    on_texts_and_accounts(large());
}

#[test]
#[ignore = "minutes, and only with optimization"]
fn each_lie_is_named_rightly_in_large_histories_of_numbers() {
    on_numbers(large());
}

#[test]
#[ignore = "minutes, and only with optimization"]
fn each_lie_is_named_rightly_in_large_histories_of_collections() {
    on_collections(large());
}

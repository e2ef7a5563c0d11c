//! Large valid histories of each model, with one lie told about one object: the check must name that lie and no other.
//!
//! A few small ones run always. `cargo test --release -p checker mutations -- --ignored --nocapture` tells each lie a
//! hundred times in histories of a hundred thousand operations, and prints a table.

mod lists;
mod numbers;
mod queues;
mod sets;

use crate::anomaly::AnomalyKind;
use crate::check::{CheckName, check_one};
use crate::differential::Sampled;
use crate::differential::generate::{self, Shape};
use crate::differential::random::Random;
use crate::differential::record::{Recorded, Recorder};
use crate::evidence::Evidence;
use crate::history::{Datum, Symbols};
use crate::limits::Limits;
use crate::model::Operation;

/// How large the histories are, and how many.
#[derive(Clone, Copy)]
struct Size {
    histories: usize,
    objects: usize,
    operations: usize,
}

const SMALL: Size = Size { histories: 5, objects: 4, operations: 100 };
const LARGE: Size = Size { histories: 100, objects: 250, operations: 400 };

/// Tells a lie about some operations, if it finds a place for it; the operations that failed from then on.
type Lie<S> = fn(&mut Random, &mut Vec<Sampled<S>>) -> Option<Vec<usize>>;

/// Tells a lie in many histories, and expects that it is found out each time.
#[track_caller]
fn tells<S: Recorded>(
    name: &str,
    sampler: &S,
    size: Size,
    info_percent: usize,
    expected: AnomalyKind,
    lie: Lie<S>,
) {
    let shape = Shape {
        operations_min: size.operations,
        operations_max: size.operations,
        pending_max: 5,
        info_percent,
        ..Shape::small()
    };
    let (mut told, mut seed) = (0, 0);
    while told < size.histories {
        assert!(seed < 5 * size.histories as u64, "{name}: no place for the lie of {expected}");
        let mut random = Random(seed);
        seed += 1;
        let victim = random.below(size.objects);
        let mut recorder = Recorder::default();
        let mut found = None;
        for object in 0..size.objects {
            let mut operations = generate::honest(sampler, &mut random, &shape);
            if object == victim {
                found = lie(&mut random, &mut operations);
            }
            let failed = found.as_ref().filter(|_| object == victim);
            recorder.record::<S>(&format!("k{object}"), &operations, failed.map_or(&[], |failed| failed));
        }
        if found.is_none() {
            continue;
        }
        told += 1;
        let evidence = Evidence { history: recorder.history, ..Evidence::default() };
        let result = check_one(&evidence, CheckName::Linearizable, &Limits::none());
        let [anomaly] = &result.anomalies[..] else {
            panic!(
                "{name}, seed {}: {:?} instead of {expected}: {:?}",
                seed - 1,
                result.verdict,
                result.reason
            )
        };
        let key = Some(format!("k{victim}"));
        let sentence = &anomaly.sentence;
        assert_eq!((anomaly.kind, &anomaly.key), (expected, &key), "{name}, seed {}: {sentence}", seed - 1);
    }
    println!("{name:<10} {:<18} {told} of {told}", expected.name());
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

/// A value that nobody has written.
const NOWHERE: i64 = 1_000_000_007;

fn all(size: Size) {
    numbers::counters(size);
    numbers::markers(size);
    numbers::locks(size);
    queues::queues(size);
    sets::sets(size);
    lists::lists(size);
}

#[test]
fn each_lie_is_named_rightly() {
    all(SMALL);
}

#[test]
#[ignore = "minutes, and only with optimization"]
fn each_lie_is_named_rightly_in_large_histories() {
    all(LARGE);
}

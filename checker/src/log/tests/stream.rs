//! The checker that reads a file as it goes finds what the one with a history in memory finds.

use std::ops::ControlFlow;

use super::generate::{Shape, history, simulate};
use crate::history::{History, Step, binary};
use crate::log::online::{Begun, Online};
use crate::log::stream;

/// Kind, operations and number of each violation, in the order in which they become certain.
type Told = Vec<(crate::anomaly::AnomalyKind, Vec<usize>, u64)>;

fn online(history: &History) -> Told {
    let (mut online, mut open, mut found) = (Online::new(), Vec::<Option<Begun>>::new(), Vec::new());
    for step in history.steps() {
        match step {
            Step::Invoked(id) => {
                let operation = history.operation(id);
                open.push(online.invoke(id, operation.key, &operation.input));
            }
            Step::Completed(id) => {
                let begun = open[id.index()].take().unwrap();
                found.extend(online.complete(begun, &history.operation(id).outcome));
            }
        }
    }
    found.extend(online.finish());
    let indexes = |violation: &crate::log::online::Violation| {
        violation.operations().iter().map(|operation| operation.index()).collect()
    };
    found.iter().map(|violation| (violation.kind, indexes(violation), violation.seq)).collect()
}

fn streamed(history: &History) -> Told {
    let mut file = Vec::new();
    binary::write(history, &mut file).unwrap();
    let mut told = Vec::new();
    let streamed = stream::check(&*file, |found| {
        let violation = &found.violation;
        let mut operations: Vec<usize> =
            violation.others().iter().chain([&violation.operation]).map(|other| *other as usize).collect();
        operations.sort_unstable();
        told.push((violation.kind, operations, violation.seq));
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((streamed.operations as usize, streamed.torn), (history.operations().len(), None));
    told
}

#[test]
fn a_file_is_judged_like_a_history() {
    let (mut valid, mut invalid) = (0, 0);
    for seed in 0..300 {
        let shape = Shape {
            processes: 4,
            operations: 40,
            info_percent: 8,
            delete_percent: 10,
            limit_max: 6,
            final_reads: 1,
            forgets: (seed % 2) as usize,
        };
        let history = history(&simulate(seed, &shape));
        let told = streamed(&history);
        assert_eq!(told, online(&history), "seed {seed}");
        if told.is_empty() { valid += 1 } else { invalid += 1 }
    }
    assert!(valid > 100 && invalid > 50, "{valid} valid, {invalid} not");
}

#[test]
fn who_has_heard_enough_stops_the_reading() {
    let sends = "p0: |-send a=1 @x-|  |-read [] @x-|  |-send b=1 @y-|  |-read [] @y-|";
    let history = crate::history::timeline::parse(sends).unwrap();
    let mut file = Vec::new();
    binary::write(&history, &mut file).unwrap();
    let streamed = stream::check(&*file, |_| ControlFlow::Break(())).unwrap();
    assert_eq!((streamed.violations.len(), streamed.operations, streamed.conversations), (1, 2, 1));
    let streamed = stream::check(&*file, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((streamed.violations.len(), streamed.operations, streamed.conversations), (2, 4, 2));
}

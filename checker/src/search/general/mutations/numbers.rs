//! Lies about counters, marks and locks.

use super::*;
use crate::model::samples::{Counters, Locks, Markers};
use crate::model::{counter, marks, mutex};

pub(super) fn counters(size: Size) {
    let sampler = Counters { counter: counter::Counter { initial: 0 }, amounts: &[1], tells: false };
    fn is_read(operation: &Operation<counter::Input, counter::Output>) -> bool {
        matches!(operation.output, Some(counter::Output::Value(_)))
    }
    tells("counter", &sampler, size, 1, AnomalyKind::StaleRead, |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        let is_done = |operation: &&Operation<counter::Input, counter::Output>| {
            operation.input == counter::Input::Add(1) && ends(operation) < operations[read].invoked
        };
        let done = operations.iter().filter(is_done).count() as i64;
        operations[read].output = Some(counter::Output::Value(random.below(done.max(1))));
        (done > 0).then(Vec::new)
    });
    tells("counter", &sampler, size, 1, AnomalyKind::Phantom, |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        let is_begun = |operation: &&Operation<counter::Input, counter::Output>| {
            operation.input == counter::Input::Add(1) && operation.invoked < ends(&operations[read])
        };
        let begun = operations.iter().filter(is_begun).count() as i64;
        operations[read].output = Some(counter::Output::Value(begun + 1 + random.below(3_i64)));
        Some(Vec::new())
    });
}

pub(super) fn markers(size: Size) {
    let sampler = Markers { unique: true, ..Markers::default() };
    fn is_read(operation: &Operation<marks::Input, marks::Output>) -> bool {
        matches!(operation.output, Some(marks::Output::Value(_)))
    }
    tells("marks", &sampler, size, 1, AnomalyKind::StaleRead, |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        let marked: Vec<i64> = operations
            .iter()
            .filter(|operation| ends(operation) < operations[read].invoked)
            .filter_map(|operation| match operation.input {
                marks::Input::Mark(number) => Some(number),
                marks::Input::Read => None,
            })
            .collect();
        let most = marked.iter().copied().max()?;
        let less: Vec<i64> = marked.into_iter().filter(|number| *number < most).collect();
        operations[read].output = Some(marks::Output::Value(*less.get(random.below(less.len().max(1)))?));
        Some(Vec::new())
    });
    tells("marks", &sampler, size, 1, AnomalyKind::Phantom, |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        operations[read].output = Some(marks::Output::Value(NOWHERE));
        Some(Vec::new())
    });
    tells("marks", &sampler, size, 1, AnomalyKind::AbortedRead, |random, operations| {
        shuffled(random, operations, |operation| {
            matches!(operation.input, marks::Input::Mark(_)) && operation.returned.is_some()
        })
        .into_iter()
        .find(|mark| {
            let marks::Input::Mark(number) = operations[*mark].input else { return false };
            operations.iter().any(|other| other.output == Some(marks::Output::Value(number)))
        })
        .map(|mark| vec![mark])
    });
}

pub(super) fn locks(size: Size) {
    let sampler = Locks::default();
    // Those that got no answer could as well have done it.
    fn answered(operations: &mut Vec<Operation<mutex::Input, mutex::Output>>) {
        operations.retain(|operation| operation.output.is_some());
    }
    fn pick(
        random: &mut Random,
        operations: &[Operation<mutex::Input, mutex::Output>],
        wanted: mutex::Input,
    ) -> Option<usize> {
        // Something of the other sort must follow with which nothing overlaps: what does overlap could change places, and
        // so on to the end, and make up for it.
        let last = quiet(operations)
            .into_iter()
            .map(|place| &operations[place])
            .filter(|other| other.input != wanted)
            .map(|other| other.invoked)
            .max()?;
        shuffled(random, operations, |operation| operation.input == wanted && ends(operation) < last)
            .first()
            .copied()
    }
    /// The operations with which no other one overlaps.
    fn quiet(operations: &[Operation<mutex::Input, mutex::Output>]) -> Vec<usize> {
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
    tells("mutex", &sampler, size, 0, AnomalyKind::TwoHolders, |random, operations| {
        answered(operations);
        pick(random, operations, mutex::Input::Release).map(|release| vec![release])
    });
    tells("mutex", &sampler, size, 0, AnomalyKind::NotHeld, |random, operations| {
        answered(operations);
        pick(random, operations, mutex::Input::Acquire).map(|acquire| vec![acquire])
    });
}

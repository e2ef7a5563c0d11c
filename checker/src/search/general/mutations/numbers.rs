//! Lies about counters, marks and locks.

use super::*;
use crate::model::samples::{Counters, Locks, Markers};
use crate::model::{counter, marks, mutex};

type Counted = Operation<counter::Input, counter::Output>;

pub(super) fn counters(size: Size) {
    let sampler = Counters { counter: counter::Counter { initial: 0 }, amounts: &[1], tells: false };
    let model = ("counter", &sampler);
    fn is_read(operation: &Counted) -> bool {
        matches!(operation.output, Some(counter::Output::Value(_)))
    }
    fn adds(operations: &[Counted], wanted: impl Fn(&Counted) -> bool) -> i64 {
        let is_add = |operation: &&Counted| operation.input == counter::Input::Add(1) && wanted(operation);
        operations.iter().filter(is_add).count() as i64
    }
    tells(model, size, 1, ("too little", AnomalyKind::StaleRead), |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        let done = adds(operations, |add| ends(add) < operations[read].invoked);
        operations[read].output = Some(counter::Output::Value(random.below(done.max(1))));
        (done > 0).then(|| Lied::of(read))
    });
    tells(model, size, 1, ("too much", AnomalyKind::Phantom), |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        let begun = adds(operations, |add| add.invoked < ends(&operations[read]));
        operations[read].output = Some(counter::Output::Value(begun + 1 + random.below(3_i64)));
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("below the start", AnomalyKind::Phantom), |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        operations[read].output = Some(counter::Output::Value(-1 - random.below(3_i64)));
        Some(Lied::of(read))
    });
}

type Marked = Operation<marks::Input, marks::Output>;

pub(super) fn markers(size: Size) {
    let sampler = Markers { unique: true, ..Markers::default() };
    let model = ("marks", &sampler);
    fn is_read(operation: &Marked) -> bool {
        matches!(operation.output, Some(marks::Output::Value(_)))
    }
    fn mark(operation: &Marked) -> Option<i64> {
        match operation.input {
            marks::Input::Mark(number) => Some(number),
            marks::Input::Read => None,
        }
    }
    tells(model, size, 1, ("goes back", AnomalyKind::StaleRead), |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        let before = operations.iter().filter(|other| ends(other) < operations[read].invoked);
        let marked: Vec<i64> = before.filter_map(mark).collect();
        let most = marked.iter().copied().max()?;
        let less: Vec<i64> = marked.into_iter().filter(|number| *number < most).collect();
        operations[read].output = Some(marks::Output::Value(*less.get(random.below(less.len().max(1)))?));
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("never marked", AnomalyKind::Phantom), |random, operations| {
        let read = *shuffled(random, operations, is_read).first()?;
        operations[read].output = Some(marks::Output::Value(NOWHERE));
        Some(Lied::of(read))
    });
    tells(model, size, 1, ("mark failed", AnomalyKind::AbortedRead), |random, operations| {
        shuffled(random, operations, |operation| mark(operation).is_some() && operation.returned.is_some())
            .into_iter()
            .find(|at| {
                let seen = mark(&operations[*at]).map(marks::Output::Value);
                operations.iter().any(|other| other.output == seen)
            })
            .map(Lied::failed)
    });
}

type Locked = Operation<mutex::Input, mutex::Output>;

pub(super) fn locks(size: Size) {
    let sampler = Locks::default();
    let model = ("mutex", &sampler);
    // Those that got no answer could as well have done it.
    fn answered(operations: &mut Vec<Locked>) {
        operations.retain(|operation| operation.output.is_some());
    }
    /// An operation with which nothing overlaps, nor with the one that comes after it: what does overlap could change
    /// places, and so on to the end, and make up for it.
    fn pick(random: &mut Random, operations: &[Locked], wanted: mutex::Input) -> Option<usize> {
        let quiet = quiet(operations);
        let is_next = |place: usize| {
            let end = ends(&operations[place]);
            let next =
                operations.iter().filter(|other| other.invoked > end).min_by_key(|other| other.invoked);
            next.is_some_and(|next| quiet.iter().any(|other| operations[*other].invoked == next.invoked))
        };
        let picked: Vec<usize> = quiet
            .iter()
            .copied()
            .filter(|place| operations[*place].input == wanted && is_next(*place))
            .collect();
        picked.get(random.below(picked.len().max(1))).copied()
    }
    /// An operation of which nobody could have had the answer at its time: with `wanted` it would be the second one in a
    /// row, and nothing overlaps with any of them.
    fn second(random: &mut Random, operations: &mut Vec<Locked>, wanted: mutex::Input) -> Option<Lied> {
        answered(operations);
        let quiet = quiet(operations);
        let pairs: Vec<usize> =
            quiet.iter().copied().filter(|place| operations[*place].input == wanted).collect();
        let before = *pairs.get(random.below(pairs.len().max(1)))?;
        let end = ends(&operations[before]);
        Some(Lied::of(insert(operations, end, wanted, mutex::Output::Done)))
    }
    tells(model, size, 0, ("two hold it", AnomalyKind::TwoHolders), |random, operations| {
        second(random, operations, mutex::Input::Acquire)
    });
    tells(model, size, 0, ("given back twice", AnomalyKind::NotHeld), |random, operations| {
        second(random, operations, mutex::Input::Release)
    });
    tells(model, size, 0, ("release failed", AnomalyKind::TwoHolders), |random, operations| {
        answered(operations);
        pick(random, operations, mutex::Input::Release).map(Lied::failed)
    });
    tells(model, size, 0, ("acquire failed", AnomalyKind::NotHeld), |random, operations| {
        answered(operations);
        pick(random, operations, mutex::Input::Acquire).map(Lied::failed)
    });
}

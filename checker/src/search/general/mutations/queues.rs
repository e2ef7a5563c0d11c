//! Lies about queues.

use super::*;
use crate::model::queue;
use crate::model::samples::Queues;

type Taken = Operation<queue::Input, queue::Output>;

fn is_taken(operation: &Taken) -> bool {
    matches!(operation.output, Some(queue::Output::Value(_)))
}

fn answered(operations: &mut Vec<Taken>) {
    operations.retain(|operation| operation.output.is_some());
}

fn put(operations: &[Taken], dequeue: usize) -> Option<(u32, u32)> {
    let Some(queue::Output::Value(value)) = operations[dequeue].output else { return None };
    let enqueue = operations.iter().find(|other| other.input == queue::Input::Enqueue(value))?;
    Some((enqueue.invoked, ends(enqueue)))
}

pub(super) fn queues(size: Size) {
    let symbols = Symbols::default();
    let sampler = Queues { queue: queue::Queue::new(&symbols), unique: true, empties: false };
    let model = ("queue", &sampler);
    // A dequeue without an answer may have taken what is missing.
    tells(model, size, 0, ("taken twice", AnomalyKind::Duplicate), |random, operations| {
        answered(operations);
        let taken = shuffled(random, operations, is_taken);
        let is_later = |pair: &[usize]| ends(&operations[pair[1]]) < operations[pair[0]].invoked;
        let [one, other] = taken.windows(2).find(|pair| is_later(pair))? else { return None };
        let (one, other) = (*one, *other);
        operations[one].output = operations[other].output;
        Some(Lied::of(one))
    });
    tells(model, size, 0, ("never put in", AnomalyKind::Phantom), |random, operations| {
        answered(operations);
        let dequeue = *shuffled(random, operations, is_taken).first()?;
        operations[dequeue].output = Some(queue::Output::Value(Datum::Int(NOWHERE)));
        Some(Lied::of(dequeue))
    });
    tells(model, size, 0, ("enqueue failed", AnomalyKind::AbortedRead), |random, operations| {
        answered(operations);
        shuffled(random, operations, |operation| operation.input != queue::Input::Dequeue)
            .into_iter()
            .find(|enqueue| {
                let queue::Input::Enqueue(value) = operations[*enqueue].input else { return false };
                operations.iter().any(|other| other.output == Some(queue::Output::Value(value)))
            })
            .map(Lied::failed)
    });
    tells(model, size, 0, ("wrong order", AnomalyKind::Reordered), |random, operations| {
        answered(operations);
        let taken = shuffled(random, operations, is_taken);
        let puts: Vec<(usize, (u32, u32))> =
            taken.into_iter().filter_map(|dequeue| Some((dequeue, put(operations, dequeue)?))).collect();
        // One was put in and taken out before the other, which was already on its way in by then.
        let passes = |(one, one_put): (usize, (u32, u32)), (other, other_put): (usize, (u32, u32))| {
            let end = ends(&operations[one]);
            one_put.1 < other_put.0 && other_put.0 < end && end < operations[other].invoked
        };
        let (one, other) = puts
            .iter()
            .find_map(|one| puts.iter().find(|other| passes(*one, **other)).map(|other| (one.0, other.0)))?;
        let late = operations[other].output;
        operations[other].output = operations[one].output;
        operations[one].output = late;
        Some(Lied { about: vec![one, other], failed: Vec::new() })
    });
    let empties = Queues { queue: queue::Queue::new(&symbols), unique: true, empties: true };
    tells(("queue", &empties), size, 0, ("found empty", AnomalyKind::StaleRead), |random, operations| {
        answered(operations);
        // Between an enqueue and the dequeue of its value, which is behind it.
        shuffled(random, operations, is_taken).into_iter().find_map(|dequeue| {
            let (_, end) = put(operations, dequeue)?;
            (end < operations[dequeue].invoked).then_some(())?;
            Some(Lied::of(insert(operations, end, queue::Input::Dequeue, queue::Output::Empty)))
        })
    });
    tells(model, size, 0, ("element lost", AnomalyKind::Lost), |random, operations| {
        answered(operations);
        let taken = shuffled(random, operations, is_taken);
        let last = taken.iter().filter_map(|dequeue| put(operations, *dequeue)).map(|put| put.0).max()?;
        let gone =
            taken.into_iter().find(|dequeue| put(operations, *dequeue).is_some_and(|put| put.1 < last))?;
        let queue::Output::Value(value) = operations[gone].output.take()? else { return None };
        operations.remove(gone);
        operations.iter().position(|other| other.input == queue::Input::Enqueue(value)).map(Lied::of)
    });
}

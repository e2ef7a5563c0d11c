//! An order for a queue that shows none of the patterns.

use super::Value;

/// The order of all operations: the values, and the times at which the queue was empty, ascending.
pub(super) fn build(values: Vec<Value>, empties: Vec<(u32, usize)>) -> Vec<usize> {
    let mut order = Vec::with_capacity(2 * values.len() + empties.len());
    let mut moments: Vec<u32> = empties.iter().map(|(moment, _)| *moment).collect();
    moments.dedup();
    // A value belongs into the first epoch in which it must have been put in.
    let mut epochs: Vec<Vec<Value>> = vec![Vec::new(); moments.len() + 1];
    for known in values {
        epochs[moments.partition_point(|moment| *moment < known.put.1)].push(known);
    }
    let mut empties = empties.into_iter().peekable();
    let mut begin = 0;
    for (number, mut epoch) in epochs.into_iter().enumerate() {
        for known in &mut epoch {
            known.put.0 = known.put.0.max(begin);
            known.taken.0 = known.taken.0.max(begin);
        }
        place(epoch, &mut order);
        if let Some(moment) = moments.get(number) {
            while let Some((_, empty)) = empties.next_if(|(at, _)| at == moment) {
                order.push(empty);
            }
            begin = *moment;
        }
    }
    order
}

/// The order of what belongs between two moments at which the queue is empty.
fn place(values: Vec<Value>, order: &mut Vec<usize>) {
    let mut placed: Vec<(u32, bool, usize, usize)> = Vec::with_capacity(2 * values.len());
    let (mut put, mut taken) = (0, 0);
    for (number, known) in queue(values).into_iter().enumerate() {
        put = put.max(known.put.0);
        placed.push((put, false, number, known.enqueue));
        if let Some(dequeue) = known.dequeue {
            taken = taken.max(known.taken.0).max(put);
            placed.push((taken, true, number, dequeue));
        }
    }
    placed.sort_unstable();
    order.extend(placed.into_iter().map(|(_, _, _, operation)| operation));
}

/// The values in the order in which they went through the queue.
fn queue(values: Vec<Value>) -> Vec<Value> {
    // By when each was put in and taken out at the latest, and at the earliest.
    let sorted = |key: fn(&Value) -> u32| {
        let mut numbers: Vec<usize> = (0..values.len()).collect();
        numbers.sort_unstable_by_key(|number| key(&values[*number]));
        numbers
    };
    let ends = [sorted(|known| known.put.1), sorted(|known| known.taken.1)];
    let begins = [sorted(|known| known.put.0), sorted(|known| known.taken.0)];
    let end = |side: usize, known: &Value| if side == 0 { known.put.1 } else { known.taken.1 };
    let begin = |side: usize, known: &Value| if side == 0 { known.put.0 } else { known.taken.0 };
    let (mut first_end, mut next_begin) = ([0, 0], [0, 0]);
    let mut gone = vec![false; values.len()];
    // On how many sides nothing must come in front of a value.
    let mut free = vec![0_u8; values.len()];
    let mut ready: Vec<usize> = Vec::new();
    let mut order = Vec::with_capacity(values.len());
    while order.len() < values.len() {
        for side in [0, 1] {
            while ends[side].get(first_end[side]).is_some_and(|number| gone[*number]) {
                first_end[side] += 1;
            }
            let first =
                ends[side].get(first_end[side]).map_or(u32::MAX, |number| end(side, &values[*number]));
            while let Some(number) = begins[side].get(next_begin[side])
                && (begin(side, &values[*number]) < first || first == u32::MAX)
            {
                next_begin[side] += 1;
                free[*number] += 1;
                if free[*number] == 2 {
                    ready.push(*number);
                }
            }
        }
        let number = ready.pop().expect("a queue without the patterns has a value that comes first");
        gone[number] = true;
        order.push(values[number]);
    }
    order
}

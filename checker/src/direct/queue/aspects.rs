//! The patterns that no queue shows.

use super::{Operation, Value};
use crate::anomaly::AnomalyKind;
use crate::direct::{Violation, returned};
use crate::history::Datum;
use crate::model::queue::{Input, Queue};

/// The first pattern: nobody put it in.
pub(super) fn from_nowhere(model: &Queue<'_>, dequeue: usize, value: Datum) -> Violation {
    let why = format!("took out {}, which nobody had put in", model.text(value));
    Violation::alone(AnomalyKind::Phantom, dequeue, why).about(value)
}

/// The first pattern: somebody put it in later.
pub(super) fn too_early(model: &Queue<'_>, dequeue: usize, known: Value) -> Violation {
    let why = format!("took out {} before anybody began to put it in", model.text(known.value));
    Violation::alone(AnomalyKind::Phantom, dequeue, why).beside(known.enqueue).about(known.value)
}

/// The second pattern.
pub(super) fn twice(
    model: &Queue<'_>,
    operations: &[Operation<'_>],
    one: usize,
    other: usize,
    value: Datum,
) -> Violation {
    let why = format!("took out {} again", model.text(value));
    let [first, second] =
        if returned(&operations[one]) < returned(&operations[other]) { [one, other] } else { [other, one] };
    let is_apart = returned(&operations[first]) < operations[second].invoked;
    let violation = Violation::behind(AnomalyKind::Duplicate, first, second, why).about(value);
    Violation { after: violation.after.filter(|_| is_apart), ..violation }
}

/// Lets dequeues of which nobody knows the answer take what must have been taken: those values that were never taken
/// out although something behind them was. The most urgent value gets the dequeue that began first; if that is too late
/// or there is none, there are too few.
pub(super) fn match_lost_answers(
    model: &Queue<'_>,
    operations: &[Operation<'_>],
    values: &mut [Value],
    mut lost_answers: Vec<usize>,
) -> Option<Violation> {
    // For each place, what was put in behind it and taken out first: where it was put in, and who it is.
    let mut behind: Vec<(u32, usize)> =
        (0..values.len()).map(|number| (values[number].put.0, number)).collect();
    behind.sort_unstable();
    for at in (1..behind.len()).rev() {
        if values[behind[at].1].taken.1 < values[behind[at - 1].1].taken.1 {
            behind[at - 1].1 = behind[at].1;
        }
    }
    let passed_by = |known: &Value| behind.get(behind.partition_point(|(put, _)| *put <= known.put.1));
    let mut missing: Vec<(u32, usize, usize)> = (0..values.len())
        .filter(|number| values[*number].dequeue.is_none())
        .filter_map(|number| passed_by(&values[number]).map(|(_, second)| (number, *second)))
        .map(|(number, second)| (values[second].taken.1, number, second))
        .filter(|(deadline, _, _)| *deadline < u32::MAX)
        .collect();
    missing.sort_unstable();
    lost_answers.sort_unstable_by_key(|dequeue| operations[*dequeue].invoked);
    for (at, (deadline, number, second)) in missing.iter().enumerate() {
        match lost_answers.get(at).filter(|dequeue| operations[**dequeue].invoked < *deadline) {
            Some(dequeue) => values[*number].take(*dequeue, operations),
            None => {
                // All that compete for the few dequeues show that they do not suffice.
                let violation = passed(model, operations, &values[*number], &values[*second]);
                let rivals = missing[..at].iter().filter(|_| !lost_answers.is_empty());
                return Some(rivals.fold(violation, |violation, (_, number, second)| {
                    let second = &values[*second];
                    let violation = violation.with(values[*number].enqueue);
                    second.dequeue.into_iter().fold(violation, Violation::with).beside(second.enqueue)
                }));
            }
        }
    }
    None
}

/// The third pattern.
pub(super) fn out_of_order(
    model: &Queue<'_>,
    operations: &[Operation<'_>],
    values: &[Value],
) -> Option<Violation> {
    let mut by_put: Vec<&Value> = values.iter().collect();
    by_put.sort_unstable_by_key(|known| known.put.1);
    let mut by_begin: Vec<&Value> = values.iter().filter(|known| known.taken.1 < u32::MAX).collect();
    by_begin.sort_unstable_by_key(|known| known.put.0);
    let mut before = by_put.into_iter().peekable();
    // Of all that was put in before, what was taken out last.
    let mut last: Option<&Value> = None;
    for second in by_begin {
        while let Some(first) = before.next_if(|first| first.put.1 < second.put.0) {
            if last.is_none_or(|last| first.taken.0 > last.taken.0) {
                last = Some(first);
            }
        }
        if let Some(first) = last.filter(|first| first.taken.0 > second.taken.1) {
            return Some(passed(model, operations, first, second));
        }
    }
    None
}

/// `second` passed `first` by.
fn passed(model: &Queue<'_>, operations: &[Operation<'_>], first: &Value, second: &Value) -> Violation {
    let [one, other] = [first, second].map(|known| model.text(known.value));
    let taken = second.dequeue.expect("only what was taken out passes something by");
    let late = first.dequeue.filter(|dequeue| operations[*dequeue].output.is_some());
    let (kind, blocked, why) = match late {
        Some(late) => {
            let why = format!("took out {one} after {other}, though {one} was put in before {other}");
            (AnomalyKind::Reordered, late, why)
        }
        None => {
            let why = format!("took out {other}, though {one} was put in before it and never taken out");
            (AnomalyKind::Lost, taken, why)
        }
    };
    let violation = Violation { blocked, ..Violation::alone(kind, taken, why) }.with(first.enqueue);
    // Who took the first one out did so later. That matters only if somebody else could have done it in time.
    let end = returned(&operations[taken]);
    let could_take = |other: &Operation<'_>| {
        other.input == Input::Dequeue && other.output.is_none() && other.invoked < end
    };
    let violation = match late {
        Some(late) if operations.iter().any(could_take) => violation.with(late),
        Some(late) => violation.beside(late),
        None => violation,
    };
    violation.beside(second.enqueue).about(first.value)
}

/// For each time that the queue was said to be empty, the place behind which it was; or the fourth pattern.
pub(super) fn empty_moments(
    model: &Queue<'_>,
    operations: &[Operation<'_>],
    values: &[Value],
    empties: &[usize],
) -> Result<Vec<(u32, usize)>, Box<Violation>> {
    // From the end of its enqueue to the beginning of its dequeue a value is certainly in the queue. What is covered is
    // put together: where a stretch begins, where it ends, and what reaches farthest.
    let inside = |known: &Value| (known.put.1, known.taken.0);
    let mut certain: Vec<&Value> = values.iter().filter(|known| inside(known).0 < inside(known).1).collect();
    certain.sort_unstable_by_key(|known| inside(known));
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for known in &certain {
        let (begin, end) = inside(known);
        match stretches.last_mut() {
            Some(stretch) if begin < stretch.1 => stretch.1 = stretch.1.max(end),
            _ => stretches.push((begin, end)),
        }
    }
    let mut moments = Vec::with_capacity(empties.len());
    for empty in empties {
        let (begin, end) = (operations[*empty].invoked, returned(&operations[*empty]));
        // Just behind its invocation it was empty, or just behind the end of the stretch around that.
        let at = stretches.partition_point(|stretch| stretch.0 < begin);
        let around = at.checked_sub(1).map(|at| stretches[at]).filter(|stretch| stretch.1 > begin);
        let moment = around.map_or(begin, |stretch| stretch.1);
        if moment > end {
            return Err(never_empty(model, operations, &certain, *empty).into());
        }
        moments.push((moment, *empty));
    }
    moments.sort_unstable();
    Ok(moments)
}

/// The values that take turns in being inside while the queue is said to be empty.
fn never_empty(
    model: &Queue<'_>,
    operations: &[Operation<'_>],
    certain: &[&Value],
    empty: usize,
) -> Violation {
    let (begin, end) = (operations[empty].invoked, returned(&operations[empty]));
    let mut turns: Vec<&Value> = Vec::new();
    let mut reached = begin;
    let mut waiting = certain.iter().peekable();
    let mut farthest: Option<&Value> = None;
    while reached < end {
        while let Some(next) = waiting.next_if(|next| next.put.1 < reached) {
            if farthest.is_none_or(|farthest| next.taken.0 > farthest.taken.0) {
                farthest = Some(next);
            }
        }
        let Some(next) = farthest.filter(|next| next.taken.0 > reached) else { break };
        reached = next.taken.0;
        turns.push(next);
    }
    if let [only] = turns[..] {
        let kind = if only.dequeue.is_none() { AnomalyKind::Lost } else { AnomalyKind::StaleRead };
        let why = format!("and found nothing, though {} was inside", model.text(only.value));
        return Violation::behind(kind, only.enqueue, empty, why).about(only.value);
    }
    let texts: Vec<String> = turns.iter().map(|known| model.text(known.value)).collect();
    let why = format!("found nothing, though one after the other {} were inside", texts.join(", "));
    let violation = Violation::alone(AnomalyKind::StaleRead, empty, why);
    turns.iter().fold(violation, |violation, known| violation.with(known.enqueue))
}

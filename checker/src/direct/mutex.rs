//! Locks: acquisitions and releases take turns, everything as late as it can be, the most urgent first.
//!
//! The events are walked in order. An operation takes effect when it returns. If the lock is not in the state that it
//! needs then, the operation of the other sort that returns first, of those under way, takes effect in front of it; one
//! that never returns is left for last. This loses nothing: two operations under way that cancel each other out can
//! still do so when the first of them returns, whatever the state is then. A refusal is an observation, which is made at
//! the first moment that allows it.
//!
//! Derived here; compared with exhaustive search in the tests.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Answer, Event, Violation, events, returned};
use crate::anomaly::AnomalyKind;
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::OperationOf;
use crate::model::mutex::{Input, Lock, Mutex, Output};
use crate::search::{self, Contradiction, Outcome};

type Operation = OperationOf<Mutex>;

/// A walk through the events.
struct Walk<'a> {
    operations: &'a [Operation],
    state: Lock,
    order: Vec<usize>,
    done: Vec<bool>,
    /// The acquisitions and the releases under way, those that return first on top.
    pending: [BinaryHeap<Reverse<(u32, usize)>>; 2],
    /// The refusals under way that wait for the lock to be free, and to be held.
    waiting: [Vec<usize>; 2],
}

/// Decides whether the operations on one lock are linearizable, in n log n.
///
/// # Errors
/// If a limit was hit.
pub fn decide(
    _model: &Mutex,
    operations: &[Operation],
    limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Result<Answer, Exceeded> {
    let events = events(operations, budget)?;
    budget.allocate((operations.len() * 2 * size_of::<(u32, usize)>()) as u64)?;
    let mut walk = Walk {
        operations,
        state: Lock::Free,
        order: Vec::with_capacity(operations.len()),
        done: vec![false; operations.len()],
        pending: Default::default(),
        waiting: Default::default(),
    };
    for event in events {
        budget.step()?;
        match event {
            Event::Invoked(number) => walk.invoked(number),
            Event::Returned(number) if !walk.returned(number) => {
                return Ok(Answer::Violation(violation(operations, number, limits)));
            }
            Event::Returned(_) => {}
        }
    }
    Ok(Answer::Order(walk.order))
}

fn sort(input: Input) -> usize {
    match input {
        Input::Acquire => 0,
        Input::Release => 1,
    }
}

impl Walk<'_> {
    /// The state that an operation needs in front of it.
    fn needed(&self, number: usize) -> Lock {
        let (before, after) = Mutex::turn(self.operations[number].input);
        if self.is_refusal(number) { after } else { before }
    }

    fn is_refusal(&self, number: usize) -> bool {
        self.operations[number].output == Some(Output::Refused)
    }

    fn invoked(&mut self, number: usize) {
        if !self.is_refusal(number) {
            let operation = &self.operations[number];
            self.pending[sort(operation.input)].push(Reverse((returned(operation), number)));
        } else if self.needed(number) == self.state {
            self.done[number] = true;
            self.order.push(number);
        } else {
            self.waiting[self.needed(number) as usize].push(number);
        }
    }

    /// Whether the operation took effect, or could.
    fn returned(&mut self, number: usize) -> bool {
        if !self.done[number] && self.needed(number) != self.state {
            let other = match self.state {
                Lock::Free => Input::Acquire,
                Lock::Held => Input::Release,
            };
            let mut next = None;
            while let Some(Reverse((_, candidate))) = self.pending[sort(other)].pop() {
                if !self.done[candidate] {
                    next = Some(candidate);
                    break;
                }
            }
            let Some(next) = next else { return false };
            self.place(next);
        }
        if !self.done[number] {
            self.place(number);
        }
        true
    }

    /// Takes a turn, and makes the observations that waited for it.
    fn place(&mut self, number: usize) {
        let (before, after) = Mutex::turn(self.operations[number].input);
        debug_assert_eq!(self.state, before, "turns are taken when it is time");
        self.state = after;
        self.done[number] = true;
        self.order.push(number);
        for refusal in std::mem::take(&mut self.waiting[after as usize]) {
            self.done[refusal] = true;
            self.order.push(refusal);
        }
    }
}

/// The most steps for finding the few operations that show what is wrong, about a second.
const STEPS_MAX: u64 = 5_000_000;

/// Why `number` cannot return. What it takes to show it, the search finds: nothing after that matters.
fn violation(operations: &[Operation], number: usize, limits: &Limits<'_>) -> Violation {
    let end = returned(&operations[number]);
    let (numbers, prefix): (Vec<usize>, Vec<Operation>) = operations
        .iter()
        .enumerate()
        .filter(|(_, operation)| operation.invoked < end)
        .map(|(number, operation)| {
            (
                number,
                Operation { returned: operation.returned.filter(|returned| *returned <= end), ..*operation },
            )
        })
        .unzip();
    let limits = Limits { steps: limits.steps.min(STEPS_MAX), ..*limits };
    let (proof, blocked) = match search::check(&Mutex, &prefix, &limits) {
        Outcome::NotLinearizable(Contradiction { operations, blocked, .. }) => (operations, blocked),
        // The verdict stands; only the operations that show it are missing.
        Outcome::Linearizable(_) | Outcome::Unknown(_) => {
            let blocked = numbers.partition_point(|other| *other < number);
            (vec![blocked], blocked)
        }
    };
    let is_refusal = prefix[blocked].output == Some(Output::Refused);
    let (kind, why) = match (prefix[blocked].input, is_refusal) {
        (Input::Acquire, false) => {
            (AnomalyKind::TwoHolders, "took the lock, and nobody could have given it back")
        }
        (Input::Release, true) => {
            (AnomalyKind::TwoHolders, "found the lock free, and nobody could have given it back")
        }
        (Input::Release, false) | (Input::Acquire, true) => {
            (AnomalyKind::NotHeld, "found the lock held, and nobody could have taken it")
        }
    };
    let after = proof.iter().copied().filter(|other| returned(&prefix[*other]) < prefix[blocked].invoked);
    let after = after.max_by_key(|other| prefix[*other].returned).filter(|_| proof.len() == 2);
    let violation = Violation::alone(kind, numbers[blocked], why);
    let after = after.map(|after| numbers[after]);
    Violation {
        operations: proof.into_iter().map(|position| numbers[position]).collect(),
        after,
        ..violation
    }
}

//! Counters whose additions are all of one amount: everything as late as it can be, the most urgent first.
//!
//! As nothing is ever taken away, only how many additions have happened matters. The events are walked in order.
//! An addition takes effect when it returns, or earlier if a read that returns needs it; of those that are under way
//! then, the one that returns first is taken, so that those which never return are left for last. This loses nothing:
//! whatever another choice could do later, this one can still do, because it has done less, and what it has not done
//! yet has more time. A read is answered at the first moment at which its number is there.
//!
//! Derived here; compared with exhaustive search in the tests.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::{Answer, Event, Violation, events, returned};
use crate::anomaly::AnomalyKind;
use crate::history::Datum;
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::OperationOf;
use crate::model::counter::{Counter, Input, Output};

type Operation = OperationOf<Counter>;

/// A walk through the events.
struct Walk<'a> {
    operations: &'a [Operation],
    initial: i64,
    /// What every addition adds; positive.
    amount: i64,
    value: i64,
    order: Vec<usize>,
    done: Vec<bool>,
    /// The additions under way, the one that returns first on top.
    pending: BinaryHeap<Reverse<(u32, usize)>>,
    /// The reads under way by the number that they need.
    waiting: BTreeMap<i64, Vec<usize>>,
}

/// Decides whether the operations on one counter are linearizable, in n log n, if all additions are of one positive
/// amount and do not answer with a number.
///
/// # Errors
/// If a limit was hit.
pub fn decide(
    model: &Counter,
    operations: &[Operation],
    _limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Result<Answer, Exceeded> {
    let mut amounts = operations.iter().filter_map(|operation| match (operation.input, operation.output) {
        (Input::Add(_), Some(Output::Value(_))) => Some(0),
        (Input::Add(amount), _) => Some(amount),
        (Input::Read, _) => None,
    });
    let amount = amounts.next().unwrap_or(1);
    let reach = i64::try_from(operations.len()).ok().and_then(|count| amount.checked_mul(count));
    if amount <= 0
        || amounts.any(|other| other != amount)
        || reach.and_then(|reach| reach.checked_add(model.initial)).is_none()
    {
        return Ok(Answer::NotMine);
    }
    let events = events(operations, budget)?;
    budget.allocate((operations.len() * 2 * size_of::<(u32, usize)>()) as u64)?;
    let mut walk = Walk {
        operations,
        initial: model.initial,
        amount,
        value: model.initial,
        order: Vec::with_capacity(operations.len()),
        done: vec![false; operations.len()],
        pending: BinaryHeap::new(),
        waiting: BTreeMap::new(),
    };
    for event in events {
        budget.step()?;
        let went = match event {
            Event::Invoked(number) => walk.invoked(number),
            Event::Returned(number) => walk.returned(number),
        };
        if let Err(violation) = went {
            return Ok(Answer::Violation(violation));
        }
    }
    Ok(Answer::Order(walk.order))
}

impl Walk<'_> {
    fn seen(&self, number: usize) -> Option<i64> {
        match self.operations[number].output {
            Some(Output::Value(value)) => Some(value),
            Some(Output::Done) | None => None,
        }
    }

    /// Whether enough additions would lead to this number.
    fn is_a_step(&self, value: i64) -> bool {
        value.checked_sub(self.initial).is_some_and(|added| added >= 0 && added % self.amount == 0)
    }

    fn invoked(&mut self, number: usize) -> Result<(), Violation> {
        match (self.operations[number].input, self.seen(number)) {
            (Input::Add(_), _) => {
                self.pending.push(Reverse((returned(&self.operations[number]), number)));
            }
            (Input::Read, Some(value)) if value == self.value => self.place(number),
            (Input::Read, Some(value)) if !self.is_a_step(value) => return Err(self.beyond(number, value)),
            (Input::Read, Some(value)) if value < self.value => return Err(self.stale(number, value)),
            (Input::Read, Some(value)) => self.waiting.entry(value).or_default().push(number),
            // Nobody knows what it saw.
            (Input::Read, None) => {}
        }
        Ok(())
    }

    fn returned(&mut self, number: usize) -> Result<(), Violation> {
        let needed = self.seen(number).unwrap_or(self.value);
        while !self.done[number] {
            let is_enough = self.operations[number].input == Input::Read && self.value >= needed;
            let next = if is_enough { None } else { self.pending.pop() };
            let Some(Reverse((_, next))) = next else { return Err(self.beyond(number, needed)) };
            if !self.done[next] {
                self.value += self.amount;
                self.place(next);
                for read in self.waiting.remove(&self.value).unwrap_or_default() {
                    self.place(read);
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, number: usize) {
        self.done[number] = true;
        self.order.push(number);
    }

    /// A read of less than what had certainly been added before it began.
    fn stale(&self, read: usize, value: i64) -> Violation {
        if value < self.initial || (value.wrapping_sub(self.initial)).wrapping_rem(self.amount) != 0 {
            return self.beyond(read, value);
        }
        let invoked = self.operations[read].invoked;
        // Another read that saw more before is easier to see than many additions.
        let more = self.order.iter().copied().find(|other| {
            self.seen(*other).is_some_and(|seen| seen > value) && returned(&self.operations[*other]) < invoked
        });
        let violation = match more {
            Some(more) => Violation::behind(AnomalyKind::StaleRead, more, read, format!("and says {value}")),
            None => {
                let why =
                    format!("says {value}, when {} had certainly been reached before it began", self.value);
                // The last that was added before says how far it had come.
                let is_before = |other: &&usize| {
                    matches!(self.operations[**other].input, Input::Add(_))
                        && returned(&self.operations[**other]) < invoked
                };
                let last = self.order.iter().rev().find(is_before);
                let violation = Violation::alone(AnomalyKind::StaleRead, read, why);
                last.into_iter().fold(violation, |violation, last| violation.beside(*last))
            }
        };
        violation.about(Datum::Int(value))
    }

    /// A read of more than what can have been added before it returned, or of what is never reached.
    fn beyond(&self, read: usize, value: i64) -> Violation {
        let amount = self.amount;
        let why = match self.is_a_step(value) {
            true => format!("says {value}, but before it ended no more than {} could be reached", self.value),
            false => format!("says {value}, which is never reached from {} by adding {amount}", self.initial),
        };
        Violation::alone(AnomalyKind::Phantom, read, why).about(Datum::Int(value))
    }
}

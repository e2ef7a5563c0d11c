//! The order of the operations on one conversation.
//!
//! If the conversation is linearizable, its order is nearly told by the answers:
//! - the message with number `p + 1` comes after that with number `p`, and a read that ends at `p` between the two;
//! - numbers that nobody has shown are given to sends of which nobody knows the outcome, both in the order of time;
//! - of the deletes of a message, the first to be invoked takes effect first. It comes after the reads that show the
//!   message alive and before those that show the tombstone, the other deletes, and the end of each that was acknowledged.
//!
//! What is left free is put as it was invoked. That never leads astray: if nothing that may come next could, because
//! something had completed before all of it began, then what that one waits for would be among what may come next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use crate::history::{Entry, History, Input, OperationId, Outcome, Output, Symbol};

/// The order of the operations `ids`, which are all on one conversation. What it says holds only if the conversation is
/// linearizable.
pub(super) fn order(history: &History, ids: &[OperationId]) -> Vec<OperationId> {
    let said = Said::of(history, ids);
    let sends = said.sends(history, ids);
    let send =
        |number: u64| usize::try_from(number.checked_sub(1)?).ok().and_then(|at| sends.get(at)).copied();
    let mut waits = Waits::default();
    for (one, next) in sends.iter().zip(sends.iter().skip(1)) {
        waits.edge(*one, *next);
    }
    sends.iter().for_each(|send| waits.add(*send));
    // What ends behind the last message that there can be has no place.
    for (head, read) in said.reads.iter().filter(|(head, _)| *head <= sends.len() as u64) {
        waits.add(*read);
        send(*head).into_iter().for_each(|send| waits.edge(send, *read));
        send(*head + 1).into_iter().for_each(|next| waits.edge(*read, next));
    }
    for (number, tomb) in said.tombs.iter().filter(|(_, tomb)| tomb.is_certain) {
        let (Some(send), [first, others @ ..]) = (send(*number), &tomb.deletes[..]) else { continue };
        waits.edge(send, *first);
        others.iter().chain(&tomb.dead).for_each(|later| waits.edge(*first, *later));
        tomb.alive.iter().for_each(|read| waits.edge(*read, *first));
    }
    waits.sorted(history)
}

/// What the answers say.
#[derive(Debug, Default)]
struct Said {
    /// The send of each number that is known.
    numbers: BTreeMap<u64, OperationId>,
    /// The reads by their heads, and of one head as they were invoked.
    reads: Vec<(u64, OperationId)>,
    /// The messages that somebody wanted to delete, by number.
    tombs: BTreeMap<u64, Tomb>,
    last: u64,
}

/// A message that somebody wanted to delete.
#[derive(Debug, Default)]
struct Tomb {
    /// The deletes that did not fail, as they were invoked.
    deletes: Vec<OperationId>,
    /// Whether one of them certainly took effect.
    is_certain: bool,
    alive: Vec<OperationId>,
    dead: Vec<OperationId>,
}

impl Said {
    fn of(history: &History, ids: &[OperationId]) -> Self {
        let mut said = Said::default();
        let mut sends: HashMap<Symbol, OperationId> = HashMap::new();
        for id in ids {
            let operation = history.operation(*id);
            match (&operation.input, &operation.outcome) {
                (Input::Send { id: message }, _) => {
                    sends.insert(*message, *id);
                }
                (Input::Delete { seq }, Outcome::Ok(_) | Outcome::Info(_)) => {
                    let tomb = said.tombs.entry(*seq).or_default();
                    tomb.deletes.push(*id);
                    if operation.output().is_some() {
                        tomb.is_certain = true;
                        said.last = said.last.max(*seq);
                    }
                }
                _ => {}
            }
        }
        for id in ids {
            match history.operation(*id).output() {
                Some(Output::Sent { seq }) => {
                    said.numbers.insert(*seq, *id);
                    said.last = said.last.max(*seq);
                }
                Some(Output::Page { entries, head }) => {
                    said.reads.push((*head, *id));
                    said.last = said.last.max(*head);
                    entries.iter().for_each(|entry| said.entry(*id, entry, &sends));
                }
                _ => {}
            }
        }
        said.reads.sort_unstable();
        // A mad number is no reason to count up to it: there are no more messages than sends.
        said.last = said.last.min(sends.len() as u64);
        said
    }

    fn entry(&mut self, read: OperationId, entry: &Entry, sends: &HashMap<Symbol, OperationId>) {
        if let Some(send) = sends.get(&entry.id) {
            self.numbers.insert(entry.seq, *send);
        }
        if let Some(tomb) = self.tombs.get_mut(&entry.seq) {
            tomb.is_certain |= entry.deleted;
            if entry.deleted { tomb.dead.push(read) } else { tomb.alive.push(read) }
        }
    }

    /// The send of each number from 1, up to the first that none can have.
    fn sends(&self, history: &History, ids: &[OperationId]) -> Vec<OperationId> {
        let mut shown: Vec<OperationId> = self.numbers.values().copied().collect();
        shown.sort_unstable();
        let may_fill = |id: &&OperationId| {
            let operation = history.operation(**id);
            let is_send = matches!(operation.input, Input::Send { .. });
            is_send && matches!(operation.outcome, Outcome::Info(_)) && shown.binary_search(*id).is_err()
        };
        let mut fillers = ids.iter().filter(may_fill);
        (1..=self.last)
            .map_while(|number| self.numbers.get(&number).or_else(|| fillers.next()).copied())
            .collect()
    }
}

/// Which operation waits for which.
#[derive(Debug, Default)]
struct Waits {
    /// How many each waits for.
    waits_for: BTreeMap<OperationId, usize>,
    then: HashMap<OperationId, Vec<OperationId>>,
}

impl Waits {
    fn add(&mut self, operation: OperationId) {
        self.waits_for.entry(operation).or_default();
    }

    fn edge(&mut self, first: OperationId, second: OperationId) {
        self.add(first);
        *self.waits_for.entry(second).or_default() += 1;
        self.then.entry(first).or_default().push(second);
    }

    /// All of them, each behind what it waits for, as they were invoked where that leaves a choice.
    fn sorted(mut self, history: &History) -> Vec<OperationId> {
        let invoked = |id: OperationId| Reverse((history.operation(id).invoked, id));
        let free = self.waits_for.iter().filter(|(_, count)| **count == 0);
        let mut next: BinaryHeap<_> = free.map(|(id, _)| invoked(*id)).collect();
        let mut order = Vec::with_capacity(self.waits_for.len());
        while let Some(Reverse((_, id))) = next.pop() {
            order.push(id);
            for then in self.then.remove(&id).unwrap_or_default() {
                let count = self.waits_for.get_mut(&then).expect("what waits was added");
                *count -= 1;
                if *count == 0 {
                    next.push(invoked(then));
                }
            }
        }
        order
    }
}

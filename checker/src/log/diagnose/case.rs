//! Everything that was said about one conversation, by message and by number.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use crate::history::{
    Entry, History, Input, Moment, Operation, OperationId, Outcome, Output, PageRange, Step, Symbol,
};
use crate::limits::{Budget, Exceeded};
use crate::log::page;

/// The evidence about one conversation.
pub(super) struct Case<'a> {
    pub(super) history: &'a History,
    pub(super) key: Option<Symbol>,
    /// The send of each message, of whatever conversation.
    pub(super) sends: &'a HashMap<Symbol, OperationId>,
    /// The successful reads, in the order of their invocation.
    pub(super) readings: Vec<Reading<'a>>,
    /// Where each message was shown.
    pub(super) places: BTreeMap<Symbol, Vec<Place>>,
    /// Which messages each number was said to have.
    pub(super) holders: BTreeMap<u64, Vec<Symbol>>,
    /// What was proven when a send of this conversation began.
    pub(super) floors: BTreeMap<OperationId, Floor>,
    /// The deletes of each number, in the order of their invocation.
    pub(super) deletes: BTreeMap<u64, Vec<OperationId>>,
}

/// The bytes of an entry of an ordered map, whose nodes are about half full where keys ascend.
pub(super) const fn entry_bytes<K, V>() -> u64 {
    2 * size_of::<(K, V)>() as u64
}

/// The bytes that a list takes which is seldom longer than one element, beside its entry in a map.
const LIST_MIN: u64 = 16;

/// The bytes that are remembered of a message with a number.
const PLACE_BYTES: u64 = entry_bytes::<Symbol, Vec<Place>>()
    + size_of::<Place>() as u64
    + entry_bytes::<u64, Vec<Symbol>>()
    + LIST_MIN;

/// A successful read.
pub(super) struct Reading<'a> {
    pub(super) id: OperationId,
    pub(super) operation: &'a Operation,
    pub(super) range: PageRange,
    pub(super) entries: &'a [Entry],
    pub(super) head: u64,
    pub(super) floor: Floor,
}

/// The greatest number proven by what had returned, and what proved it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Floor {
    pub(super) seq: u64,
    pub(super) proof: Option<OperationId>,
}

/// A number that a message was said to have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) seq: u64,
    /// The acknowledgement or read that said so and returned first.
    pub(super) first: OperationId,
    /// When that returned.
    pub(super) known: Moment,
    /// The read that said so and began last.
    pub(super) last_read: Option<OperationId>,
    /// A final read that said so.
    pub(super) final_read: Option<OperationId>,
}

impl Place {
    /// Whether the message was known to have this number before the read began.
    pub(super) fn known_before(&self, reading: &Reading<'_>) -> bool {
        self.known.index < reading.operation.invoked.index
    }
}

impl Reading<'_> {
    /// The numbers that the page speaks about.
    pub(super) fn covers(&self) -> RangeInclusive<u64> {
        page::covered(self.range, self.head, self.entries)
    }

    /// Whether the page shows the message at this number.
    pub(super) fn shows(&self, message: Symbol, seq: u64) -> bool {
        self.covers().contains(&seq)
            && self.entries.iter().any(|entry| (entry.seq, entry.id) == (seq, message))
    }
}

impl<'a> Case<'a> {
    pub(super) fn new(
        history: &'a History,
        sends: &'a HashMap<Symbol, OperationId>,
        key: Option<Symbol>,
    ) -> Self {
        Case {
            history,
            key,
            sends,
            readings: Vec::new(),
            places: BTreeMap::new(),
            holders: BTreeMap::new(),
            floors: BTreeMap::new(),
            deletes: BTreeMap::new(),
        }
    }

    /// Takes in everything that was said.
    pub(super) fn take_in(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let mut floor = Floor::default();
        for step in self.history.steps() {
            budget.step()?;
            let (Step::Invoked(id) | Step::Completed(id)) = step;
            let operation = self.history.operation(id);
            if operation.key != self.key {
                continue;
            }
            match step {
                Step::Invoked(id) => self.invoked(id, operation, floor, budget)?,
                Step::Completed(id) => {
                    let proven = self.completed(id, operation, budget)?;
                    if proven > floor.seq {
                        floor = Floor { seq: proven, proof: Some(id) };
                    }
                }
            }
        }
        Ok(())
    }

    fn invoked(
        &mut self,
        id: OperationId,
        operation: &'a Operation,
        floor: Floor,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        match (&operation.input, &operation.outcome) {
            (Input::Send { .. }, _) => {
                budget.allocate(entry_bytes::<OperationId, Floor>())?;
                self.floors.insert(id, floor);
            }
            (Input::Read { range, .. }, Outcome::Ok(Output::Page { entries, head })) => {
                let (range, head) = (*range, *head);
                budget.push(&mut self.readings, Reading { id, operation, range, entries, head, floor })?;
            }
            (Input::Delete { seq }, _) => {
                budget.allocate(entry_bytes::<u64, Vec<OperationId>>() + LIST_MIN)?;
                self.deletes.entry(*seq).or_default().push(id);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes in what an operation says when it completes, and returns the number that it proves.
    fn completed(
        &mut self,
        id: OperationId,
        operation: &Operation,
        budget: &mut Budget<'_>,
    ) -> Result<u64, Exceeded> {
        let Some(known) = operation.completed else { return Ok(0) };
        Ok(match (&operation.input, &operation.outcome) {
            (Input::Send { id: message }, Outcome::Ok(Output::Sent { seq })) => {
                self.shown(*message, *seq, id, known, None, budget)?;
                *seq
            }
            (Input::Read { .. }, Outcome::Ok(Output::Page { entries, head })) => {
                budget.spend(entries.len() as u64)?;
                for entry in entries {
                    self.shown(entry.id, entry.seq, id, known, Some(operation), budget)?;
                }
                *head
            }
            (Input::Delete { seq }, Outcome::Ok(Output::Done)) => *seq,
            _ => 0,
        })
    }

    fn shown(
        &mut self,
        message: Symbol,
        seq: u64,
        id: OperationId,
        known: Moment,
        read: Option<&Operation>,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        let places = self.places.entry(message).or_default();
        // A message of very many numbers is worth as many steps.
        budget.ticks(places.len() as u64 / 8)?;
        let number = match places.iter().position(|place| place.seq == seq) {
            Some(number) => number,
            None => {
                budget.allocate(PLACE_BYTES)?;
                if places.is_empty() {
                    places.reserve_exact(1);
                }
                places.push(Place { seq, first: id, known, last_read: None, final_read: None });
                self.holders.entry(seq).or_default().push(message);
                places.len() - 1
            }
        };
        let Some(read) = read else { return Ok(()) };
        let place = &mut places[number];
        // Operations are numbered by invocation.
        place.last_read = place.last_read.max(Some(id));
        if read.is_final() {
            place.final_read = Some(id);
        }
        Ok(())
    }

    /// The place of a message at a number.
    pub(super) fn place(&self, message: Symbol, seq: u64) -> Option<&Place> {
        self.places.get(&message)?.iter().find(|place| place.seq == seq)
    }

    pub(super) fn operation(&self, id: OperationId) -> &'a Operation {
        self.history.operation(id)
    }
}

//! What is known of each message, from everything that anybody was told.

use std::collections::btree_map::Entry as Place;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use super::deliveries;
use crate::history::{Delivery, History, Input, OperationId, Output, Step, Symbol};
use crate::limits::{Budget, Exceeded};

/// A message that is there: its id, and the operation that proved it first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proven {
    pub(super) message: Symbol,
    pub(super) by: OperationId,
}

/// The messages of a history.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The send of each message.
    sends: HashMap<Symbol, OperationId>,
    repeated: BTreeSet<Symbol>,
    /// By conversation and number.
    numbers: BTreeMap<Symbol, BTreeMap<u64, Proven>>,
    /// Where each message was first said to be, and by what.
    places: HashMap<Symbol, (Symbol, u64, OperationId)>,
    /// The first cursor of each message, and the poll that delivered it.
    cursors: HashMap<(Symbol, u64), (u64, OperationId)>,
    /// The first message of each cursor.
    by_cursor: BTreeMap<u64, (Symbol, u64, OperationId)>,
    /// The polls that delivered more than any before: the greatest cursor, and the index of the completion.
    seen: Vec<(u64, u32)>,
}

impl Known {
    /// Goes through the completions in their order, so that the first to prove something is the earliest.
    pub(super) fn of(history: &History, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let mut known = Known::default();
        for step in history.steps() {
            budget.step()?;
            match step {
                Step::Invoked(id) => {
                    if let Input::Send { id: message } = history.operation(id).input {
                        budget.room_in_map(&mut known.sends)?;
                        if known.sends.insert(message, id).is_some() {
                            known.repeated.insert(message);
                        }
                    }
                }
                Step::Completed(id) => known.learn(history, id, budget)?,
            }
        }
        Ok(known)
    }

    fn learn(&mut self, history: &History, id: OperationId, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let operation = history.operation(id);
        match (&operation.input, operation.output(), operation.key) {
            (Input::Send { id: message }, Some(Output::Sent { seq }), Some(key)) => {
                self.prove(key, *seq, *message, id, budget)
            }
            (Input::Read { .. }, Some(Output::Page { entries, .. }), Some(key)) => {
                budget.spend(entries.len() as u64)?;
                let live = entries.iter().filter(|entry| !entry.deleted);
                live.into_iter().try_for_each(|entry| self.prove(key, entry.seq, entry.id, id, budget))
            }
            (Input::Poll { .. }, Some(Output::Polled { .. }), _) => self.hear(history, id, budget),
            _ => Ok(()),
        }
    }

    fn hear(&mut self, history: &History, id: OperationId, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let delivered = deliveries(history, id);
        let completed = history.operation(id).completed;
        if let (Some(greatest), Some(completed)) = (delivered.iter().map(|d| d.cursor).max(), completed) {
            // What was seen earlier and reaches as far says more.
            if self.seen.last().is_none_or(|(before, _)| *before < greatest) {
                budget.push(&mut self.seen, (greatest, completed.index))?;
            }
        }
        for Delivery { cursor, key, seq, id: message } in delivered {
            budget.step()?;
            self.prove(*key, *seq, *message, id, budget)?;
            budget.room_in_map(&mut self.cursors)?;
            self.cursors.entry((*key, *seq)).or_insert((*cursor, id));
            budget.allocate(2 * size_of::<(u64, (Symbol, u64, OperationId))>() as u64)?;
            self.by_cursor.entry(*cursor).or_insert((*key, *seq, id));
        }
        Ok(())
    }

    fn prove(
        &mut self,
        key: Symbol,
        seq: u64,
        message: Symbol,
        by: OperationId,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        budget.room_in_map(&mut self.places)?;
        self.places.entry(message).or_insert((key, seq, by));
        if let Place::Vacant(place) = self.numbers.entry(key).or_default().entry(seq) {
            place.insert(Proven { message, by });
            budget.allocate(2 * size_of::<(u64, Proven)>() as u64)?;
        }
        Ok(())
    }

    pub(super) fn has_messages(&self) -> bool {
        !self.numbers.is_empty()
    }

    pub(super) fn repeated(&self) -> impl Iterator<Item = Symbol> {
        self.repeated.iter().copied()
    }

    pub(super) fn is_repeated(&self, message: Symbol) -> bool {
        self.repeated.contains(&message)
    }

    pub(super) fn send_of(&self, message: Symbol) -> Option<OperationId> {
        self.sends.get(&message).copied()
    }

    /// The message with this number.
    pub(super) fn number(&self, key: Symbol, seq: u64) -> Option<Proven> {
        self.numbers.get(&key)?.get(&seq).copied()
    }

    /// Where the message was first said to be.
    pub(super) fn place(&self, message: Symbol) -> Option<(Symbol, u64, OperationId)> {
        self.places.get(&message).copied()
    }

    /// The cursor that the message with this number was first delivered with.
    pub(super) fn cursor(&self, key: Symbol, seq: u64) -> Option<(u64, OperationId)> {
        self.cursors.get(&(key, seq)).copied()
    }

    /// The message that was first delivered with this cursor.
    pub(super) fn at(&self, cursor: u64) -> Option<(Symbol, u64, OperationId)> {
        self.by_cursor.get(&cursor).copied()
    }

    /// The messages with a cursor between two, by the first delivery of each cursor.
    pub(super) fn between(&self, after: u64, before: u64) -> impl Iterator<Item = (u64, Symbol, u64)> {
        let cursors = (Bound::Excluded(after), Bound::Excluded(before.max(after.saturating_add(1))));
        self.by_cursor.range(cursors).map(|(cursor, (key, seq, _))| (*cursor, *key, *seq))
    }

    /// The conversations of an inbox of which a message is known.
    pub(super) fn conversations(
        &self,
        history: &History,
        inbox: Symbol,
        budget: &mut Budget<'_>,
    ) -> Result<Vec<Symbol>, Exceeded> {
        let mut own = Vec::new();
        for key in self.numbers.keys() {
            budget.tick()?;
            if belongs(history, *key, inbox) {
                own.push(*key);
            }
        }
        Ok(own)
    }

    /// The messages from a number on that were proven before the event `before`.
    pub(super) fn from(
        &self,
        key: Symbol,
        seq: u64,
        before: u32,
        history: &History,
    ) -> impl Iterator<Item = u64> {
        let proven_before = move |proven: &Proven| {
            history.operation(proven.by).completed.is_some_and(|completed| completed.index < before)
        };
        let numbers = self.numbers.get(&key).into_iter().flat_map(move |numbers| numbers.range(seq..));
        numbers.filter(move |(_, proven)| proven_before(proven)).map(|(seq, _)| *seq)
    }

    /// Whether the message with this number certainly has a greater cursor.
    pub(super) fn is_after(
        &self,
        history: &History,
        cursor: u64,
        key: Symbol,
        seq: u64,
        budget: &mut Budget<'_>,
    ) -> Result<bool, Exceeded> {
        if cursor == 0 {
            return Ok(true);
        }
        if let Some((own, _)) = self.cursor(key, seq) {
            return Ok(own > cursor);
        }
        // The nearest one in front of it of which the cursor is known.
        let numbers = self.numbers.get(&key);
        for (before, _) in numbers.into_iter().flat_map(|numbers| numbers.range(..seq).rev()) {
            budget.tick()?;
            match self.cursor(key, *before) {
                Some((before, _)) if before > cursor => return Ok(true),
                Some(_) => break,
                None => {}
            }
        }
        let seen = self.seen.get(self.seen.partition_point(|(greatest, _)| *greatest < cursor));
        let seen = seen.map(|(_, index)| *index);
        let sent = self.number(key, seq).and_then(|proven| self.send_of(proven.message));
        Ok(match (seen, sent) {
            (Some(seen), Some(sent)) => history.operation(sent).invoked.index > seen,
            _ => false,
        })
    }
}

/// Whether the conversation is told to the inbox: the inbox's name is one of those that make up the conversation's.
pub(super) fn belongs(history: &History, key: Symbol, inbox: Symbol) -> bool {
    key == inbox || history.text(key).split(':').any(|name| name == history.text(inbox))
}

//! What everybody says of the messages and their numbers.

use std::collections::{BTreeSet, HashMap};

use super::Wrong;
use crate::history::{Entry, History, Input, Operation, OperationId, Outcome, Output, Symbol};
use crate::limits::{Budget, Exceeded};

/// The conversation of an operation.
type Key = Option<Symbol>;

/// The messages of a history, as acknowledgements and reads number them: first those that are not stale, then the stale
/// ones as they come.
#[derive(Debug, Default)]
pub(super) struct Claims {
    sends: HashMap<Symbol, OperationId>,
    repeated: BTreeSet<Symbol>,
    /// By conversation and number: the message, and who says so.
    numbers: HashMap<(Key, u64), (Symbol, OperationId)>,
    /// By conversation and message: the number, and who says so.
    places: HashMap<(Key, Symbol), (u64, OperationId)>,
}

impl Claims {
    /// What acknowledgements and the reads say that are not stale.
    pub(super) fn of(history: &History, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let mut claims = Claims::default();
        for id in history.ids() {
            let operation = history.operation(id);
            budget.step()?;
            match (&operation.input, operation.output()) {
                (Input::Send { id: message }, answer) => {
                    budget.room_in_map(&mut claims.sends)?;
                    if claims.sends.insert(*message, id).is_some() {
                        claims.repeated.insert(*message);
                    }
                    if let Some(Output::Sent { seq }) = answer {
                        claims.claim(operation.key, *message, *seq, id, budget)?;
                    }
                }
                (Input::Read { .. }, Some(Output::Page { entries, .. })) => {
                    budget.spend(entries.len() as u64)?;
                    claims.add(operation.key, entries, id, budget)?;
                }
                _ => {}
            }
        }
        Ok(claims)
    }

    /// Takes in what a read shows; what was said before stands.
    pub(super) fn add(
        &mut self,
        key: Key,
        entries: &[Entry],
        by: OperationId,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        entries.iter().try_for_each(|entry| self.claim(key, entry.id, entry.seq, by, budget))
    }

    fn claim(
        &mut self,
        key: Key,
        message: Symbol,
        seq: u64,
        by: OperationId,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        budget.room_in_map(&mut self.numbers)?;
        self.numbers.entry((key, seq)).or_insert((message, by));
        budget.room_in_map(&mut self.places)?;
        self.places.entry((key, message)).or_insert((seq, by));
        Ok(())
    }

    /// The messages whose id was used twice, of which nothing can be said.
    pub(super) fn repeated(&self) -> impl Iterator<Item = Symbol> {
        self.repeated.iter().copied()
    }

    /// What speaks against a message on the page of a stale read.
    pub(super) fn contradict(&self, history: &History, read: &Operation, entry: Entry) -> Option<Wrong> {
        if self.repeated.contains(&entry.id) {
            return None;
        }
        let Some(&send) = self.sends.get(&entry.id) else {
            return Some(Wrong::Phantom { entry, later: None });
        };
        let sent = history.operation(send);
        if sent.key != read.key {
            return Some(Wrong::Misplaced { entry, send });
        }
        if read.completed.is_some_and(|completed| completed.index < sent.invoked.index) {
            return Some(Wrong::Phantom { entry, later: Some(send) });
        }
        if matches!(sent.outcome, Outcome::Fail(_)) {
            return Some(Wrong::Aborted { entry, send });
        }
        let (key, seq) = (read.key, entry.seq);
        if let Some(&(other, by)) = self.numbers.get(&(key, seq)).filter(|(message, _)| *message != entry.id)
        {
            return Some(Wrong::Conflict { entry, other, by });
        }
        let place = self.places.get(&(key, entry.id)).filter(|(place, _)| *place != seq);
        place.map(|&(seq, by)| Wrong::Moved { entry, seq, by })
    }
}

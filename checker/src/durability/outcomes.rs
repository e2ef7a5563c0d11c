//! What became of each message over the whole run: the outcomes and the latencies of Jepsen's `set-full`.
//!
//! A message is *known* from its acknowledgement on, or from the end of the first read that showed it. Of the reads that
//! say something about it, the one that began last and showed it, and the one that began last and did not, decide:
//!
//! | outcome | when |
//! |---|---|
//! | `stable` | it was shown, and after that never missed |
//! | `lost` | it was missed last, by a read that began after it was known |
//! | `never-read` | neither |
//!
//! The stable latency is the time from when it was known to the beginning of the last read that missed it: 0, if none
//! did. A stable message with a greater one is `stale` too. The lost latency is the time from when it was known to the
//! beginning of the last read that showed it.
//!
//! A read misses what is behind its head, and the message whose number another one has. So a read costs O(1), beside the
//! messages that it shows, and a message O(log n). Reads that may be late say nothing here.
//!
//! Source: `jepsen.checker/set-full`. Its test for duplicates (`(< v 1)`, at c4c7473) is never true, so it reports none;
//! here they are found.

use std::collections::HashMap;

use crate::history::{Entry, History, Input, Moment, OperationId, Output, Symbol};
use crate::limits::{Budget, Exceeded, sort_by_key};
use crate::verdict::Quantiles;

type Key = Option<Symbol>;

/// The messages of a history by what became of them.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    pub(super) stable: u64,
    pub(super) stale: u64,
    pub(super) lost: u64,
    pub(super) never_read: u64,
    pub(super) stable_latency: Option<Quantiles>,
    pub(super) lost_latency: Option<Quantiles>,
}

/// What is known of one message.
#[derive(Debug, Default)]
struct Message {
    known: Option<Moment>,
    seq: Option<u64>,
    /// The beginning of the last read that showed it.
    present: Option<Moment>,
}

/// One conversation.
#[derive(Debug, Default)]
struct Conversation {
    /// In the order of the sends.
    sent: Vec<Symbol>,
    messages: HashMap<Symbol, Message>,
    /// The head and the beginning of each read.
    heads: Vec<(u64, Moment)>,
    /// The first message that was shown at each number.
    holders: HashMap<u64, Symbol>,
    /// Where several were: the beginning of the last read that showed each of the others.
    others: HashMap<u64, Vec<(Symbol, Moment)>>,
}

impl Outcomes {
    pub(super) fn of(history: &History, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let mut conversations: Vec<Conversation> = Vec::new();
        let mut by_key: HashMap<Key, usize> = HashMap::new();
        for id in history.ids() {
            let operation = history.operation(id);
            if !matches!(operation.input, Input::Send { .. } | Input::Read { .. }) {
                continue;
            }
            budget.step()?;
            let number = *by_key.entry(operation.key).or_insert_with(|| {
                conversations.push(Conversation::default());
                conversations.len() - 1
            });
            conversations[number].take(history, id, budget)?;
        }
        let mut outcomes = Outcomes::default();
        let (mut stable, mut lost) = (Vec::new(), Vec::new());
        for conversation in &mut conversations {
            conversation.judge(&mut outcomes, &mut stable, &mut lost, budget)?;
        }
        outcomes.stable_latency = Quantiles::of(&mut stable);
        outcomes.lost_latency = Quantiles::of(&mut lost);
        Ok(outcomes)
    }
}

impl Conversation {
    fn take(&mut self, history: &History, id: OperationId, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let operation = history.operation(id);
        match (&operation.input, operation.output()) {
            (Input::Send { id: message }, answer) => {
                budget.push(&mut self.sent, *message)?;
                budget.room_in_map(&mut self.messages)?;
                let known = self.messages.entry(*message).or_default();
                if let (Some(Output::Sent { seq }), Some(completed)) = (answer, operation.completed) {
                    known.know(*seq, completed);
                }
            }
            (Input::Read { .. }, Some(Output::Page { entries, head })) => {
                budget.spend(entries.len() as u64)?;
                budget.allocate(size_of::<(u64, Moment)>() as u64)?;
                self.heads.push((*head, operation.invoked));
                let Some(completed) = operation.completed else { return Ok(()) };
                for entry in entries {
                    self.show(*entry, operation.invoked, completed, budget)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads are taken in the order of their invocation, so the last to show a message is the one that began last.
    fn show(
        &mut self,
        Entry { seq, id, .. }: Entry,
        began: Moment,
        completed: Moment,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        budget.room_in_map(&mut self.messages)?;
        budget.room_in_map(&mut self.holders)?;
        let message = self.messages.entry(id).or_default();
        message.know(seq, completed);
        message.present = Some(began);
        if *self.holders.entry(seq).or_insert(id) != id {
            budget.room_in_map(&mut self.others)?;
            let others = self.others.entry(seq).or_default();
            budget.ticks(others.len() as u64)?;
            match others.iter_mut().find(|(other, _)| *other == id) {
                Some((_, last)) => *last = began,
                None => budget.push(others, (id, began))?,
            }
        }
        Ok(())
    }

    fn judge(
        &mut self,
        outcomes: &mut Outcomes,
        stable: &mut Vec<u64>,
        lost: &mut Vec<u64>,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        // The beginning of the last of those reads that ended at a head or in front of it.
        sort_by_key(budget, &mut self.heads, |head| *head)?;
        let mut last = None;
        for (_, began) in &mut self.heads {
            last = last.max(Some(*began));
            *began = last.expect("there is at least this one");
        }
        for id in &self.sent {
            budget.step()?;
            let message = &self.messages[id];
            let Some(known) = message.known else {
                outcomes.never_read += 1;
                continue;
            };
            let absent = message.seq.and_then(|seq| self.absent(*id, seq));
            match (message.present, absent) {
                (Some(present), absent) if absent < Some(present) => {
                    let latency = absent.map_or(0, |absent| (absent.time + 1).saturating_sub(known.time));
                    outcomes.stable += 1;
                    outcomes.stale += u64::from(latency > 0);
                    stable.push(latency);
                }
                (present, Some(absent)) if absent > known => {
                    outcomes.lost += 1;
                    lost.push(present.map_or(0, |present| (present.time + 1).saturating_sub(known.time)));
                }
                _ => outcomes.never_read += 1,
            }
        }
        Ok(())
    }

    /// The beginning of the last read that misses a message.
    fn absent(&self, id: Symbol, seq: u64) -> Option<Moment> {
        let shorter = self.heads.partition_point(|(head, _)| *head < seq);
        let by_head = shorter.checked_sub(1).map(|last| self.heads[last].1);
        let holder = self.holders.get(&seq).filter(|holder| **holder != id);
        let by_holder = holder.and_then(|holder| self.messages.get(holder)?.present);
        let others = self.others.get(&seq).into_iter().flatten();
        let by_others = others.filter(|(other, _)| *other != id).map(|(_, began)| *began).max();
        by_head.max(by_holder).max(by_others)
    }
}

impl Message {
    fn know(&mut self, seq: u64, at: Moment) {
        self.seq.get_or_insert(seq);
        self.known = Some(self.known.map_or(at, |known| known.min(at)));
    }
}

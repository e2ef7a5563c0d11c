//! What a node has applied of one conversation, it has applied of all others: there is one log.
//!
//! A read through a node shows a message, so the node has applied it, and with it everything in front of it in the log. A
//! message that was acknowledged before that one was sent is in front of it, whatever conversation it is in. So later reads
//! through the same node show it, in one life of the node.
//!
//! Only acknowledged messages are compared; of all others nobody knows where they are. O(log n) for each read.

use std::collections::HashMap;

use crate::evidence::lives::Lives;
use crate::history::{History, Input, OperationId, Output, Step, Symbol};
use crate::limits::{Budget, Exceeded, sort_by_key};

type Key = Option<Symbol>;

/// A message with its number and a time that belongs to it, as the index of an event.
#[derive(Debug, Clone, Copy)]
struct Message {
    seq: u64,
    index: u32,
    send: OperationId,
}

/// How far a node has come, as one read shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// The read.
    pub(super) by: OperationId,
    /// Of the messages that are there then, the one that was sent last.
    pub(super) send: OperationId,
    /// Where it was sent.
    index: u32,
}

/// The acknowledged messages of all conversations, and how far each node has come.
#[derive(Debug, Default)]
pub(super) struct Across {
    /// With the times of the acknowledgements. Both times and numbers ascend: an earlier greater one says more.
    acknowledged: HashMap<Key, Vec<Message>>,
    /// By their numbers, each with the last of those up to there that was sent, and when.
    sent: HashMap<Key, Vec<Message>>,
    nodes: HashMap<Symbol, Reached>,
}

impl Across {
    pub(super) fn of(history: &History, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let mut across = Across::default();
        for step in history.steps() {
            budget.tick()?;
            let Step::Completed(send) = step else { continue };
            let operation = history.operation(send);
            let (Input::Send { .. }, Some(Output::Sent { seq }), Some(completed)) =
                (&operation.input, operation.output(), operation.completed)
            else {
                continue;
            };
            let (seq, key) = (*seq, operation.key);
            budget.room_in_map(&mut across.acknowledged)?;
            let acknowledged = across.acknowledged.entry(key).or_default();
            if acknowledged.last().is_none_or(|last| last.seq < seq) {
                budget.push(acknowledged, Message { seq, index: completed.index, send })?;
            }
            budget.room_in_map(&mut across.sent)?;
            let sent = across.sent.entry(key).or_default();
            budget.push(sent, Message { seq, index: operation.invoked.index, send })?;
        }
        #[expect(clippy::iter_over_hash_type, reason = "each conversation is sorted by itself")]
        for sent in across.sent.values_mut() {
            sort_by_key(budget, sent, |message| (message.seq, message.index))?;
            let mut last: Option<Message> = None;
            for message in sent {
                budget.tick()?;
                let latest = last.filter(|last| last.index > message.index).unwrap_or(*message);
                (message.index, message.send) = (latest.index, latest.send);
                last = Some(*message);
            }
        }
        Ok(across)
    }

    /// How far a node has come, as far as reads have shown.
    pub(super) fn reached(&self, node: Option<Symbol>) -> Option<Reached> {
        self.nodes.get(&node?).copied()
    }

    /// A read that ended shows a conversation up to a number. In each life of a node counts what shows most.
    pub(super) fn read(
        &mut self,
        history: &History,
        by: OperationId,
        head: u64,
        lives: &Lives<'_>,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        let operation = history.operation(by);
        let Some(node) = operation.node else { return Ok(()) };
        let sent = self.sent.get(&operation.key).map_or(&[][..], Vec::as_slice);
        let shown = sent.partition_point(|message| message.seq <= head);
        let Some(&Message { index, send, .. }) = shown.checked_sub(1).map(|last| &sent[last]) else {
            return Ok(());
        };
        budget.room_in_map(&mut self.nodes)?;
        let new = Reached { by, send, index };
        let last = self.nodes.entry(node).or_insert(new);
        if last.index <= index || !lives.is_one(history.operation(last.by), operation) {
            *last = new;
        }
        Ok(())
    }

    /// The message behind `head` that a node which had come so far must show of a conversation: its number, and its send.
    pub(super) fn missing(&self, key: Key, head: u64, reached: Reached) -> Option<(u64, OperationId)> {
        let acknowledged = self.acknowledged.get(&key)?;
        let first = acknowledged.get(acknowledged.partition_point(|message| message.seq <= head))?;
        (first.index < reached.index).then_some((first.seq, first.send))
    }
}

//! One subscription, followed poll by poll.

use std::collections::BTreeMap;

use super::known::{Known, belongs};
use super::{deliveries, known};
use crate::history::{Delivery, History, Input, Moment, Operation, OperationId, Outcome, Symbol};
use crate::limits::{Budget, Exceeded};

/// Something that a subscription must not do. `poll` is where it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A message that nobody had sent when the poll ended; the send is one that came later.
    Phantom { poll: OperationId, delivery: Delivery, later: Option<OperationId> },
    /// A message whose send failed.
    Aborted { poll: OperationId, delivery: Delivery, send: OperationId },
    /// A message of another conversation than it was sent to.
    Misplaced { poll: OperationId, delivery: Delivery, send: OperationId },
    /// A message that is none of this inbox's.
    Stranger { poll: OperationId, delivery: Delivery, inbox: Symbol },
    /// Another message has its number, by another operation.
    Conflict { poll: OperationId, delivery: Delivery, other: Symbol, by: OperationId },
    /// The message has another number, by another operation.
    Moved { poll: OperationId, delivery: Delivery, seq: u64, by: OperationId },
    /// The message has another cursor, by another poll.
    OtherCursor { poll: OperationId, delivery: Delivery, cursor: u64, by: OperationId },
    /// The cursor has another message, by another poll.
    OtherMessage { poll: OperationId, delivery: Delivery, key: Symbol, seq: u64, by: OperationId },
    /// It was delivered before, by the first poll; or it is not behind the cursor that the poll was to go on after.
    Again { poll: OperationId, delivery: Delivery, first: Option<OperationId>, after: u64 },
    /// It comes after something with a greater cursor.
    CursorBack { poll: OperationId, delivery: Delivery, after: u64 },
    /// It comes after something with a greater number.
    NumberBack { poll: OperationId, delivery: Delivery, after: u64 },
    /// `count` messages in front of it were not delivered, the first of them with the number `first`.
    Skipped { poll: OperationId, delivery: Delivery, first: u64, count: u64 },
    /// A read that began after the poll ended in front of what it had delivered.
    Early { poll: OperationId, delivery: Delivery, read: OperationId },
    /// A message in front of the cursor that the subscription had reached was not delivered.
    PassedOver { poll: OperationId, key: Symbol, seq: u64, cursor: u64, reached: u64 },
    /// `count` messages from the number `first` on were never delivered, as the last poll shows.
    Lost { poll: OperationId, key: Symbol, first: u64, count: u64 },
}

impl Wrong {
    /// Under which count it goes, and for how many messages.
    pub(super) fn count(&self) -> (&'static str, u64) {
        match self {
            Wrong::Phantom { .. }
            | Wrong::Aborted { .. }
            | Wrong::Misplaced { .. }
            | Wrong::Stranger { .. } => ("unexpected", 1),
            Wrong::Conflict { .. }
            | Wrong::Moved { .. }
            | Wrong::OtherCursor { .. }
            | Wrong::OtherMessage { .. } => ("disagreeing", 1),
            Wrong::Again { .. } => ("duplicated", 1),
            Wrong::CursorBack { .. } | Wrong::NumberBack { .. } => ("reordered", 1),
            Wrong::Skipped { count, .. } => ("skipped", *count),
            Wrong::PassedOver { .. } => ("skipped", 1),
            Wrong::Early { .. } => ("early", 1),
            Wrong::Lost { count, .. } => ("lost", *count),
        }
    }
}

/// The memory that following a poll takes, in bytes, at most.
pub(super) fn bytes_of(operation: &Operation) -> u64 {
    let Some(crate::history::Output::Polled { deliveries }) = operation.output() else { return 0 };
    (deliveries.len() * 3 * size_of::<(Symbol, u64, OperationId)>()) as u64
}

/// Where a subscription is.
#[derive(Debug)]
pub(super) struct Subscription<'h> {
    history: &'h History,
    inbox: Symbol,
    /// After which cursor it began, or began anew.
    start: u64,
    /// The greatest cursor that it delivered since, `start` at first.
    position: u64,
    /// The number that each conversation goes on with.
    next: BTreeMap<Symbol, u64>,
    /// What it delivered since it began, and by which poll.
    delivered: BTreeMap<(Symbol, u64), OperationId>,
    last_poll: Option<OperationId>,
}

impl<'h> Subscription<'h> {
    pub(super) fn new(history: &'h History, inbox: Symbol) -> Self {
        let (next, delivered) = (BTreeMap::new(), BTreeMap::new());
        Subscription { history, inbox, start: 0, position: 0, next, delivered, last_poll: None }
    }

    /// Follows the next poll, and tells what is wrong with it.
    pub(super) fn poll(
        &mut self,
        poll: OperationId,
        known: &Known,
        budget: &mut Budget<'_>,
    ) -> Result<Vec<Wrong>, Exceeded> {
        let Input::Poll { after, .. } = self.history.operation(poll).input else { return Ok(Vec::new()) };
        // Whoever goes on elsewhere than where the subscription was has begun anew.
        if let Some(after) = after.filter(|after| *after != self.position) {
            (self.start, self.position) = (after, after);
            self.next.clear();
            self.delivered.clear();
        }
        self.last_poll = Some(poll);
        let asked_after = self.position;
        let mut wrongs = Vec::new();
        for delivery in deliveries(self.history, poll) {
            budget.tick()?;
            match self.stranger(poll, *delivery, known) {
                Some(wrong @ Wrong::Stranger { .. }) => {
                    wrongs.push(wrong);
                    continue;
                }
                Some(wrong) => wrongs.push(wrong),
                None => {
                    wrongs.extend(self.disagrees(poll, *delivery, known));
                    wrongs.extend(self.disorder(poll, *delivery, asked_after, known, budget)?);
                }
            }
            self.take(poll, *delivery);
        }
        Ok(wrongs)
    }

    /// What was proven to be there when the last poll began, and was not delivered. `None` if nobody knows the end.
    pub(super) fn drain(
        &self,
        known: &Known,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Vec<Wrong>>, Exceeded> {
        let Some(poll) = self.last_poll else { return Ok(None) };
        let operation = self.history.operation(poll);
        let (Input::Poll { last: true, .. }, Outcome::Ok(_)) = (&operation.input, &operation.outcome) else {
            return Ok(None);
        };
        let mut missing = Vec::new();
        for key in known.conversations(self.history, self.inbox, budget)? {
            let from = self.next.get(&key).copied();
            let (mut first, mut count) = (None, 0);
            // Of a conversation that it has delivered nothing of, what may be in front of its start is not due.
            for seq in known.from(key, from.unwrap_or(1), operation.invoked.index, self.history) {
                budget.step()?;
                if from.is_some() || known.is_after(self.history, self.start, key, seq, budget)? {
                    first = first.or(Some(seq));
                    count += 1;
                }
            }
            missing.extend(first.map(|first| Wrong::Lost { poll, key, first, count }));
        }
        Ok(Some(missing))
    }

    /// The messages between where it began and where it is that it was not told of, as the cursors tell that others were
    /// given. Of a subscription that was drained this is known already.
    pub(super) fn passed_over(&self, known: &Known, budget: &mut Budget<'_>) -> Result<Vec<Wrong>, Exceeded> {
        let Some(poll) = self.last_poll else { return Ok(Vec::new()) };
        let mut wrongs = Vec::new();
        for (cursor, key, seq) in known.between(self.start, self.position) {
            budget.step()?;
            // A gap in the numbers of a conversation was told where it was.
            let is_behind = self.next.get(&key).is_none_or(|next| seq >= *next);
            if is_behind
                && belongs(self.history, key, self.inbox)
                && !self.delivered.contains_key(&(key, seq))
            {
                wrongs.push(Wrong::PassedOver { poll, key, seq, cursor, reached: self.position });
            }
        }
        Ok(wrongs)
    }

    /// Whether it can be delivered here at all.
    fn stranger(&self, poll: OperationId, delivery: Delivery, known: &Known) -> Option<Wrong> {
        let (history, inbox) = (self.history, self.inbox);
        if !belongs(history, delivery.key, inbox) {
            return Some(Wrong::Stranger { poll, delivery, inbox });
        }
        let Some(send) = known.send_of(delivery.id) else {
            return Some(Wrong::Phantom { poll, delivery, later: None });
        };
        if known.is_repeated(delivery.id) {
            return None;
        }
        let sent = history.operation(send);
        let ended = history.operation(poll).completed;
        if ended.is_some_and(|ended: Moment| sent.invoked.index > ended.index) {
            return Some(Wrong::Phantom { poll, delivery, later: Some(send) });
        }
        match (&sent.outcome, sent.key) {
            (_, key) if key != Some(delivery.key) => Some(Wrong::Misplaced { poll, delivery, send }),
            (Outcome::Fail(_), _) => Some(Wrong::Aborted { poll, delivery, send }),
            _ => None,
        }
    }

    /// Whether somebody else was told something else.
    fn disagrees(&self, poll: OperationId, delivery: Delivery, known: &Known) -> Option<Wrong> {
        let Delivery { cursor, key, seq, id } = delivery;
        if known.is_repeated(id) {
            return None;
        }
        if let Some(known::Proven { message: other, by }) = known.number(key, seq).filter(|p| p.message != id)
        {
            return Some(Wrong::Conflict { poll, delivery, other, by });
        }
        if let Some((_, seq, by)) = known.place(id).filter(|(place, at, _)| (*place, *at) != (key, seq)) {
            return Some(Wrong::Moved { poll, delivery, seq, by });
        }
        if let Some((cursor, by)) = known.cursor(key, seq).filter(|(first, _)| *first != cursor) {
            return Some(Wrong::OtherCursor { poll, delivery, cursor, by });
        }
        let other = known.at(cursor).filter(|(place, at, _)| (*place, *at) != (key, seq));
        other.map(|(key, seq, by)| Wrong::OtherMessage { poll, delivery, key, seq, by })
    }

    /// Whether it comes out of its turn.
    fn disorder(
        &self,
        poll: OperationId,
        delivery: Delivery,
        asked_after: u64,
        known: &Known,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Wrong>, Exceeded> {
        let Delivery { cursor, key, seq, .. } = delivery;
        let first = self.delivered.get(&(key, seq)).copied();
        if first.is_some() || cursor <= asked_after {
            return Ok(Some(Wrong::Again { poll, delivery, first, after: asked_after }));
        }
        if cursor <= self.position {
            return Ok(Some(Wrong::CursorBack { poll, delivery, after: self.position }));
        }
        let next = match self.next.get(&key) {
            Some(next) => *next,
            None if self.start == 0 => 1,
            None => {
                // The first that is certainly behind the start.
                let mut first = seq;
                while first > 1
                    && known.number(key, first - 1).is_some()
                    && known.is_after(self.history, self.start, key, first - 1, budget)?
                {
                    budget.tick()?;
                    first -= 1;
                }
                first
            }
        };
        Ok(match seq {
            _ if seq > next => Some(Wrong::Skipped { poll, delivery, first: next, count: seq - next }),
            _ if seq < next => Some(Wrong::NumberBack { poll, delivery, after: next - 1 }),
            _ => None,
        })
    }

    /// Goes on behind it, whatever was wrong: what follows from one fault is no other.
    fn take(&mut self, poll: OperationId, delivery: Delivery) {
        let Delivery { cursor, key, seq, .. } = delivery;
        self.delivered.entry((key, seq)).or_insert(poll);
        self.position = self.position.max(cursor);
        let next = self.next.entry(key).or_default();
        *next = (*next).max(seq.saturating_add(1));
    }
}

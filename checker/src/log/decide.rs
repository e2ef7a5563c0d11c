//! The one walk over the events that decides; see the module above for why it suffices.

use std::collections::HashMap;

use super::page;
use crate::anomaly::AnomalyKind;
use crate::history::{Entry, History, Input, OperationId, Outcome, Output, PageRange, Symbol};

/// What has been found impossible first in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Violation {
    /// The conversation.
    pub(super) key: Option<Symbol>,
    /// What it looks like at first sight.
    pub(super) kind: AnomalyKind,
    /// The operation that cannot be.
    pub(super) operation: OperationId,
    /// The operation that had proven the contrary, if it takes one.
    pub(super) against: Option<OperationId>,
    /// The number it is about; 0 if it is about a page as a whole.
    pub(super) seq: u64,
}

/// The state of the walk: a few words per message and per operation.
pub(super) struct Decider<'a> {
    history: &'a History,
    conversations: Vec<Conversation>,
    by_key: HashMap<Option<Symbol>, usize>,
    /// By the index of the message's symbol.
    messages: Vec<Option<Message>>,
    /// `F` of the operation's conversation when it was invoked, by the operation's index.
    floors: Vec<u64>,
    operations: u64,
    doubts: Vec<String>,
}

/// One conversation.
struct Conversation {
    key: Option<Symbol>,
    /// `F`: the greatest number proven by operations that have returned.
    proven: u64,
    /// The operation that proved it.
    proof: Option<OperationId>,
    /// The message of each number, from 1; `None` as long as nobody has shown it.
    ids: Vec<Option<Symbol>>,
    /// The numbers that were not known when `F` passed them, ascending, with the operation that passed them.
    holes: Vec<(u64, OperationId)>,
    /// Its sends, in the order of their invocation.
    sends: Vec<OperationId>,
    violation: Option<Violation>,
    /// Whether an id was used twice, so that what follows proves nothing.
    spoiled: bool,
}

/// A message that was sent.
#[derive(Clone, Copy)]
struct Message {
    conversation: usize,
    send: OperationId,
    /// Its number, once somebody has shown it.
    seq: Option<u64>,
    refused: bool,
}

impl<'a> Decider<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        Decider {
            history,
            conversations: Vec::new(),
            by_key: HashMap::new(),
            messages: Vec::new(),
            floors: Vec::new(),
            operations: 0,
            doubts: Vec::new(),
        }
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) fn keys(&self) -> u64 {
        self.conversations.len() as u64
    }

    /// What was found, in the order of the conversations' first operations.
    pub(super) fn violations(&self) -> Vec<Violation> {
        self.conversations.iter().filter_map(|conversation| conversation.violation).collect()
    }

    pub(super) fn doubts(&self) -> Vec<String> {
        self.doubts.clone()
    }

    /// An operation begins. Returns the bytes that are needed to remember it.
    pub(super) fn invoke(&mut self, id: OperationId) -> u64 {
        self.operations += 1;
        let operation = self.history.operation(id);
        let number = self.conversation(operation.key);
        let conversation = &mut self.conversations[number];
        if self.floors.len() <= id.index() {
            self.floors.resize(id.index() + 1, 0);
        }
        self.floors[id.index()] = conversation.proven;
        if let Input::Send { id: message } = operation.input {
            conversation.sends.push(id);
            self.sent(message, number, id);
        }
        (size_of::<u64>() + size_of::<OperationId>() + size_of::<Message>()) as u64
    }

    fn conversation(&mut self, key: Option<Symbol>) -> usize {
        *self.by_key.entry(key).or_insert_with(|| {
            self.conversations.push(Conversation {
                key,
                proven: 0,
                proof: None,
                ids: Vec::new(),
                holes: Vec::new(),
                sends: Vec::new(),
                violation: None,
                spoiled: false,
            });
            self.conversations.len() - 1
        })
    }

    fn sent(&mut self, id: Symbol, conversation: usize, send: OperationId) {
        if self.messages.len() <= id.index() {
            self.messages.resize(id.index() + 1, None);
        }
        match self.messages[id.index()] {
            None => {
                self.messages[id.index()] = Some(Message { conversation, send, seq: None, refused: false });
            }
            Some(first) => {
                self.conversations[first.conversation].spoiled = true;
                self.conversations[conversation].spoiled = true;
                self.doubts.push(format!(
                    "message `{}` is sent twice, at index {} and {}: ids must be unique",
                    self.history.text(id),
                    self.history.operation(first.send).invoked.index,
                    self.history.operation(send).invoked.index,
                ));
            }
        }
    }

    /// An operation completes. Returns the bytes that are needed to remember what it showed.
    pub(super) fn complete(&mut self, id: OperationId) -> u64 {
        let operation = self.history.operation(id);
        let number = self.by_key[&operation.key];
        if self.conversations[number].violation.is_some() || self.conversations[number].spoiled {
            return 0;
        }
        let before = self.conversations[number].ids.len();
        let found = match (&operation.input, &operation.outcome) {
            (Input::Send { id: message }, Outcome::Ok(Output::Sent { seq })) => {
                self.show(number, id, *message, *seq).and_then(|()| self.prove(number, id, *seq))
            }
            (Input::Send { id: message }, Outcome::Fail(_)) => self.refuse(number, id, *message),
            (Input::Read { range, .. }, Outcome::Ok(Output::Page { entries, head })) => {
                self.read(number, id, *range, entries, *head)
            }
            _ => Ok(()),
        };
        let conversation = &mut self.conversations[number];
        conversation.violation = found.err();
        ((conversation.ids.len() - before) * size_of::<Option<Symbol>>()) as u64
    }

    fn read(
        &mut self,
        number: usize,
        id: OperationId,
        range: PageRange,
        entries: &[Entry],
        head: u64,
    ) -> Result<(), Violation> {
        let conversation = &self.conversations[number];
        let violation =
            |kind, against, seq| Err(Violation { key: conversation.key, kind, operation: id, against, seq });
        if entries.len() > page::limit(range) as usize {
            return violation(AnomalyKind::OverlongPage, None, 0);
        }
        if !entries.iter().map(|entry| entry.seq).eq(page::covered(range, head, entries)) {
            return violation(AnomalyKind::WrongPage, None, 0);
        }
        if head < self.floors[id.index()] {
            return violation(AnomalyKind::StaleRead, conversation.proof, conversation.proven);
        }
        if let Some(entry) = entries.iter().find(|entry| entry.deleted) {
            self.doubts.push(format!(
                "no rule here judges the tombstone of `{}` at index {}",
                self.history.text(entry.id),
                self.history.operation(id).invoked.index,
            ));
        }
        for entry in entries {
            self.show(number, id, entry.id, entry.seq)?;
        }
        self.prove(number, id, head)
    }

    /// An operation that completes shows a message at a number.
    fn show(&mut self, number: usize, id: OperationId, message: Symbol, seq: u64) -> Result<(), Violation> {
        let conversation = &mut self.conversations[number];
        let violation = |kind, against| {
            let key = conversation.key;
            Err(Violation { key, kind, operation: id, against, seq })
        };
        let Some(Some(sent)) = self.messages.get_mut(message.index()) else {
            return violation(AnomalyKind::Phantom, None);
        };
        if sent.conversation != number {
            return violation(AnomalyKind::WrongConversation, Some(sent.send));
        }
        if sent.refused {
            return violation(AnomalyKind::AbortedRead, Some(sent.send));
        }
        match sent.seq {
            Some(known) if known == seq => return Ok(()),
            Some(_) => return violation(AnomalyKind::Moved, Some(sent.send)),
            None => {}
        }
        if seq <= self.floors[sent.send.index()] {
            return violation(AnomalyKind::LateAppend, Some(sent.send));
        }
        // A number needs as many sends before it; this also bounds the memory that a mad number can claim.
        if seq > conversation.sends.len() as u64 {
            return violation(AnomalyKind::Hole, conversation.sends.last().copied());
        }
        let slot = usize::try_from(seq - 1).expect("a number is at most the count of sends in memory");
        if conversation.ids.len() <= slot {
            conversation.ids.resize(slot + 1, None);
        }
        if let Some(other) = conversation.ids[slot] {
            let against = self.messages[other.index()].map(|other| other.send);
            return violation(AnomalyKind::Conflict, against);
        }
        conversation.ids[slot] = Some(message);
        sent.seq = Some(seq);
        Ok(())
    }

    /// An operation that completes proves that the conversation has reached a number.
    fn prove(&mut self, number: usize, id: OperationId, seq: u64) -> Result<(), Violation> {
        let conversation = &mut self.conversations[number];
        if seq > conversation.sends.len() as u64 {
            let against = conversation.sends.last().copied();
            return Err(Violation {
                key: conversation.key,
                kind: AnomalyKind::Hole,
                operation: id,
                against,
                seq,
            });
        }
        if seq <= conversation.proven {
            return Ok(());
        }
        for passed in conversation.proven + 1..=seq {
            let slot = usize::try_from(passed - 1).expect("a number is at most the count of sends in memory");
            if conversation.ids.get(slot).is_none_or(Option::is_none) {
                conversation.holes.push((passed, id));
            }
        }
        conversation.proven = seq;
        conversation.proof = Some(id);
        Ok(())
    }

    fn refuse(&mut self, number: usize, id: OperationId, message: Symbol) -> Result<(), Violation> {
        let sent = self.messages[message.index()].as_mut().expect("what completes was invoked");
        sent.refused = true;
        match sent.seq {
            None => Ok(()),
            Some(seq) => {
                let key = self.conversations[number].key;
                Err(Violation { key, kind: AnomalyKind::AbortedRead, operation: id, against: None, seq })
            }
        }
    }

    /// The history ends: the numbers that nobody has shown need sends of which nobody knows the outcome.
    pub(super) fn finish(&mut self) {
        for number in 0..self.conversations.len() {
            if self.conversations[number].violation.is_none() && !self.conversations[number].spoiled {
                self.conversations[number].violation = self.unfilled(number);
            }
        }
    }

    fn unfilled(&self, number: usize) -> Option<Violation> {
        let conversation = &self.conversations[number];
        let may_fill = |send: &&OperationId| {
            let operation = self.history.operation(**send);
            let Input::Send { id } = operation.input else { return false };
            let unplaced = self.messages[id.index()].is_some_and(|message| message.seq.is_none());
            matches!(operation.outcome, Outcome::Info(_)) && unplaced
        };
        let mut fillers = conversation.sends.iter().filter(may_fill);
        for (seq, passed_by) in &conversation.holes {
            let slot = usize::try_from(seq - 1).expect("a number is at most the count of sends in memory");
            if conversation.ids.get(slot).is_some_and(Option::is_some) {
                continue;
            }
            let against = fillers.next().copied();
            if against.is_none_or(|filler| self.floors[filler.index()] >= *seq) {
                let (key, operation) = (conversation.key, *passed_by);
                return Some(Violation { key, kind: AnomalyKind::Hole, operation, against, seq: *seq });
            }
        }
        None
    }
}

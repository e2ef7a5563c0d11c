//! The log checker itself, on numbers alone: it is fed events as they happen and remembers a few bytes per message.
//!
//! Operations, conversations and messages are dense numbers that the caller hands out, so nothing is hashed and
//! nothing is text. Whoever has typed operations and symbols uses [`Online`](super::online::Online) instead, which
//! hands them out; the module [above](super) says why the conditions suffice.
//!
//! | what | bytes |
//! |---|---|
//! | a message that was sent | 12: its send, its conversation, its number or where its send is |
//! | a number of a conversation | 4: its message |
//! | an operation that is under way, or a send of unknown outcome | 32 |
//! | a number that was passed before anybody showed it | 8 |
//!
//! | a message that somebody wanted to delete | about 120 |
//! | a message of a conversation in which somebody wanted to delete one | 12 |
//!
//! An event costs constant time and, for a page, the comparison of its ids with those that are known: one `memcmp` as
//! long as they agree.

mod answer;
mod conversation;
mod deletes;
mod ending;
mod message;
mod order;
mod slots;
mod usual;
mod violation;

pub use answer::{Answer, Page};
use conversation::{Conversation, Standing};
use deletes::Deletes;
use message::{Message, Place};
pub use slots::{Asked, Open};
use slots::{Slot, Slots};
pub use usual::Known;
use violation::Completing;
pub use violation::Violation;

use super::page;
use crate::anomaly::AnomalyKind;
use crate::history::PageRange;

/// What is known of all conversations; see the module above.
#[derive(Debug, Default)]
pub struct Ledger {
    conversations: Vec<Conversation>,
    messages: Vec<Message>,
    slots: Slots,
    /// The number of events so far.
    clock: u32,
    repeated: Vec<Repeated>,
    /// Bytes of the conversations, beside what is counted by length.
    conversation_bytes: u64,
}

/// A message that was sent twice. Nothing is judged any more in the conversations that it was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated {
    /// The message.
    pub message: u32,
    /// Its first send.
    pub first: u32,
    /// The other send.
    pub again: u32,
}

impl Ledger {
    /// A ledger of no conversation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An operation begins. Its number must be greater than those of all operations before it. Conversations and
    /// messages have a few bytes for each number up to the greatest.
    ///
    /// # Panics
    /// After 2^32 - 1 events.
    #[inline]
    pub fn invoke(&mut self, operation: u32, conversation: u32, asked: Asked) -> Open {
        self.tick();
        if self.conversations.len() <= conversation as usize {
            self.conversations.resize_with(conversation as usize + 1, Conversation::default);
        }
        let known = &mut self.conversations[conversation as usize];
        let slot = Slot { operation, conversation, floor: known.proven, began: self.clock, asked };
        let open = self.slots.take(slot);
        match asked {
            Asked::Send { message } => {
                known.sends += 1;
                self.sent(message, conversation, operation, open.slot());
            }
            Asked::Delete { seq } => self.delete(&slot.into(), seq),
            Asked::Read(_) => {}
        }
        open
    }

    #[inline]
    fn sent(&mut self, message: u32, conversation: u32, send: u32, slot: u32) {
        if self.messages.len() == message as usize {
            // The usual case: messages are numbered in the order in which they are sent.
            self.messages.push(Message { send, conversation, place: Place::Flying(slot).pack() });
            return;
        }
        if self.messages.len() < message as usize {
            self.messages.resize(message as usize + 1, Message::UNSENT);
        }
        let known = &mut self.messages[message as usize];
        if known.place() == Place::Unsent {
            *known = Message { send, conversation, place: Place::Flying(slot).pack() };
            return;
        }
        self.repeated.push(Repeated { message, first: known.send, again: send });
        self.conversations[known.conversation as usize].spoil();
        self.conversations[conversation as usize].spoil();
    }

    #[cold]
    fn delete(&mut self, by: &Completing, seq: u64) {
        let conversation = &mut self.conversations[by.conversation as usize];
        let Some(seq) = delible(seq) else { return };
        if conversation.standing == Standing::Good {
            let base = conversation.proven;
            let deletes = conversation.deletes.get_or_insert_with(|| Box::new(Deletes::new(base)));
            let before = deletes.bytes();
            deletes.begin(seq, by);
            self.conversation_bytes += deletes.bytes() - before;
        }
    }

    /// An operation completes. An answer that does not fit what was asked says nothing.
    ///
    /// # Errors
    /// The [`Violation`] that is certain now. A conversation has at most one: after it nothing is judged there.
    ///
    /// # Panics
    /// After 2^32 - 1 events, or if `open` is of another ledger.
    #[inline]
    pub fn complete(&mut self, open: Open, answer: Answer<'_>) -> Result<(), Violation> {
        self.tick();
        if self.is_usual(&open, &answer) {
            self.slots.free(open);
            return Ok(());
        }
        self.complete_unusual(open, answer)
    }

    #[cold]
    fn complete_unusual(&mut self, open: Open, answer: Answer<'_>) -> Result<(), Violation> {
        let slot = *self.slots.get(&open);
        let by = Completing::from(slot);
        let is_good = self.conversations[slot.conversation as usize].standing == Standing::Good;
        let found = if is_good { self.judge(&by, slot.asked, answer) } else { Ok(()) };
        if found.is_err() {
            self.conversations[by.conversation as usize].standing = Standing::Contradicted;
        }
        // A send of unknown outcome may be shown later, and then its floor matters.
        if matches!(answer, Answer::Sent { .. } | Answer::Failed) || !self.flies(&slot, open.slot()) {
            self.slots.free(open);
        }
        found
    }

    fn judge(&mut self, by: &Completing, asked: Asked, answer: Answer<'_>) -> Result<(), Violation> {
        match (asked, answer) {
            (Asked::Send { message }, Answer::Sent { seq }) => {
                self.show(by, message, seq)?;
                self.prove(by, seq)
            }
            (Asked::Send { message }, Answer::Failed) => self.refuse(by, message),
            (Asked::Read(range), Answer::Page(page)) => self.page(by, range, &page),
            (Asked::Delete { seq }, Answer::Deleted) => {
                let Some(number) = delible(seq) else {
                    return Err(by.violation(
                        if seq == 0 { AnomalyKind::Phantom } else { AnomalyKind::Hole },
                        seq,
                        [],
                    ));
                };
                self.prove(by, seq)?;
                let now = self.clock;
                self.with_deletes(by, |deletes| deletes.succeed(number, by, now))
            }
            (Asked::Delete { seq }, Answer::Failed) => {
                let Some(number) = delible(seq) else { return Ok(()) };
                self.with_deletes(by, |deletes| deletes.fail(number, by))
            }
            _ => Ok(()),
        }
    }

    /// Notes something about the deletes of a conversation, if there were any.
    fn with_deletes(
        &mut self,
        by: &Completing,
        note: impl FnOnce(&mut Deletes) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let Some(deletes) = &mut self.conversations[by.conversation as usize].deletes else { return Ok(()) };
        let before = deletes.bytes();
        let found = note(deletes);
        self.conversation_bytes += deletes.bytes() - before;
        found
    }

    /// Whether the slot is that of a send whose message nobody has shown.
    fn flies(&self, slot: &Slot, number: u32) -> bool {
        let Asked::Send { message } = slot.asked else { return false };
        self.messages[message as usize].place() == Place::Flying(number)
    }

    fn page(&mut self, by: &Completing, range: PageRange, shown: &Page<'_>) -> Result<(), Violation> {
        let conversation = &self.conversations[by.conversation as usize];
        let &Page { first, messages, head, .. } = shown;
        if messages.len() > page::limit(range) as usize {
            return Err(by.violation(AnomalyKind::OverlongPage, 0, []));
        }
        if !page::fits(range, head, first, messages.len()) {
            return Err(by.violation(AnomalyKind::WrongPage, 0, []));
        }
        if head < u64::from(by.floor) {
            let (proof, seq) = (conversation.proof(), conversation.proven.into());
            return Err(by.violation(AnomalyKind::StaleRead, seq, proof));
        }
        if !conversation.shows(first, messages) {
            for (seq, message) in (first..).zip(messages) {
                if !conversation_shows(&self.conversations, by, seq, *message) {
                    self.show(by, *message, seq)?;
                }
            }
        }
        self.prove(by, head)?;
        if self.conversations[by.conversation as usize].deletes.is_some() {
            let now = self.clock;
            return self.with_deletes(by, |deletes| deletes.page(shown, by, now));
        }
        match shown.tombstones {
            [] => Ok(()),
            [first_dead, ..] => {
                Err(by.violation(AnomalyKind::Phantom, first.saturating_add(u64::from(*first_dead)), []))
            }
        }
    }

    /// An operation that completes shows a message at a number.
    fn show(&mut self, by: &Completing, message: u32, seq: u64) -> Result<(), Violation> {
        let violation = |kind, others: &[u32]| Err(by.violation(kind, seq, others.iter().copied()));
        let sent = self.messages.get(message as usize).copied().unwrap_or(Message::UNSENT);
        let place = sent.place();
        if place == Place::Unsent {
            return violation(AnomalyKind::Phantom, &[]);
        }
        if sent.conversation != by.conversation {
            return violation(AnomalyKind::WrongConversation, &[sent.send]);
        }
        let slot = match place {
            Place::Unsent | Place::Refused => return violation(AnomalyKind::AbortedRead, &[sent.send]),
            Place::At(known) if u64::from(known) == seq => return Ok(()),
            Place::At(_) => return violation(AnomalyKind::Moved, &[sent.send]),
            Place::Flying(slot) => slot,
        };
        let &Slot { floor, began, .. } = self.slots.at(slot);
        let conversation = &mut self.conversations[by.conversation as usize];
        if seq <= u64::from(floor) {
            let others = conversation.proof().into_iter().chain([sent.send]);
            return Err(by.violation(AnomalyKind::LateAppend, seq, others));
        }
        // A number needs as many sends before it; this also bounds the memory that a mad number can claim.
        let Some(seq) = conversation.number(seq) else { return violation(AnomalyKind::Hole, &[]) };
        match conversation.place(seq, message) {
            Ok(grown) => self.conversation_bytes += grown,
            Err(other) => {
                let other = self.messages[other as usize].send;
                return violation(AnomalyKind::Conflict, &[sent.send, other]);
            }
        }
        if let Some(deletes) = &mut conversation.deletes {
            deletes.levels.called(seq, began);
        }
        self.messages[message as usize].place = Place::At(seq).pack();
        Ok(())
    }

    /// An operation that completes proves that the conversation has reached a number.
    fn prove(&mut self, by: &Completing, seq: u64) -> Result<(), Violation> {
        let conversation = &mut self.conversations[by.conversation as usize];
        let Some(seq) = conversation.number(seq) else {
            return Err(by.violation(AnomalyKind::Hole, seq, []));
        };
        self.conversation_bytes += conversation.prove(seq, by.operation, self.clock);
        Ok(())
    }

    fn refuse(&mut self, by: &Completing, message: u32) -> Result<(), Violation> {
        let sent = &mut self.messages[message as usize];
        if let Place::At(seq) = sent.place() {
            return Err(by.violation(AnomalyKind::AbortedRead, seq.into(), []));
        }
        sent.place = Place::Refused.pack();
        Ok(())
    }

    /// The messages that were sent twice.
    #[must_use]
    pub fn repeated(&self) -> &[Repeated] {
        &self.repeated
    }

    /// The number of events so far.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.clock
    }

    /// About how many bytes this needs.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let conversations = self.conversations.len() * size_of::<Conversation>();
        let messages = self.messages.len() * size_of::<Message>();
        (conversations + messages + self.slots.bytes()) as u64 + self.conversation_bytes
    }

    #[inline]
    fn tick(&mut self) {
        self.clock = self.clock.checked_add(1).expect("events are counted in a u32");
    }
}

/// Whether it is known already that the conversation of an operation has a message at a number.
fn conversation_shows(conversations: &[Conversation], by: &Completing, seq: u64, message: u32) -> bool {
    conversations[by.conversation as usize].shows(seq, &[message])
}

/// A number that a message can have, which is then deleted by it.
fn delible(seq: u64) -> Option<u32> {
    u32::try_from(seq).ok().filter(|seq| *seq > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_the_table_says() {
        assert_eq!(size_of::<Message>(), 12);
        assert_eq!(size_of::<Slot>(), 32);
    }

    #[test]
    fn slots_are_used_again() {
        let mut ledger = Ledger::new();
        for number in 0..1000 {
            let open = ledger.invoke(number, 0, Asked::Send { message: number });
            ledger.complete(open, Answer::Sent { seq: u64::from(number) + 1 }).unwrap();
        }
        let expected = 1000 * (size_of::<Message>() + 4) + size_of::<Conversation>();
        assert!(ledger.bytes() <= (expected + 2 * size_of::<Slot>()) as u64, "{}", ledger.bytes());
    }
}

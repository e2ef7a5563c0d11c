//! The events that nearly all are, judged with a handful of comparisons each.
//!
//! Of a log that keeps its word nearly every send is acknowledged with the next number, and nearly every page shows
//! what is known already. These take the short way. It finds no violation: whatever is not exactly so is left as it
//! was for the long way, and what the short way does is what the long way would have done, step by step.

use super::{Answer, Asked, Ledger, Open, Page, Place};
use crate::history::PageRange;
use crate::log::page;

/// Whether a page is known to show nothing new; see [`Ledger::look_ahead`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known(bool);

impl Ledger {
    /// Whether these messages are known already to have the numbers from `first` on.
    ///
    /// What is known stays known, so this may be asked before the page's turn comes. That is worth while for whoever
    /// has many events at hand: asked one after the other, these questions wait for memory together, while an event
    /// that is judged waits alone.
    #[must_use]
    #[inline]
    pub fn look_ahead(&self, conversation: u32, first: u64, messages: &[u32]) -> Known {
        let conversation = self.conversations.get(conversation as usize);
        Known(conversation.is_some_and(|conversation| conversation.shows(first, messages)))
    }

    /// Whether the event is a usual one, which is all done then.
    #[inline]
    pub(super) fn is_usual(&mut self, open: &Open, answer: &Answer<'_>) -> bool {
        match (self.slots.get(open).asked, answer) {
            (Asked::Read(range), Answer::Page(page)) => self.is_usual_page(open, range, page),
            (Asked::Send { message }, Answer::Sent { seq }) => self.is_next(open, message, *seq),
            _ => false,
        }
    }

    /// Whether a page is what was asked for, and shows and proves nothing new.
    #[inline]
    fn is_usual_page(&self, open: &Open, range: PageRange, shown: &Page<'_>) -> bool {
        let slot = self.slots.get(open);
        let conversation = &self.conversations[slot.conversation as usize];
        let &Page { first, messages, tombstones, head, known: Known(known) } = shown;
        conversation.is_plain()
            && messages.len() <= page::limit(range) as usize
            && page::fits(range, head, first, messages.len())
            && (u64::from(slot.floor)..=conversation.proven.into()).contains(&head)
            && tombstones.is_empty()
            && (known || conversation.shows(first, messages))
    }

    /// Whether a message of which nobody knew gets the next number; if so, it has it now.
    #[inline]
    fn is_next(&mut self, open: &Open, message: u32, seq: u64) -> bool {
        let slot = self.slots.get(open);
        let conversation = &mut self.conversations[slot.conversation as usize];
        let place = &mut self.messages[message as usize].place;
        let is_next = conversation.is_plain()
            && *place == Place::Flying(open.slot()).pack()
            && conversation.append(seq, message, slot.operation);
        if is_next {
            *place = Place::At(conversation.proven).pack();
            self.conversation_bytes += size_of::<u32>() as u64;
        }
        is_next
    }
}

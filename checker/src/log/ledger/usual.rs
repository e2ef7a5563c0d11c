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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differential::random::Random;

    /// What is asked for, and answered when the operation takes effect, which is when it completes.
    struct Asking {
        open: [Open; 2],
        conversation: usize,
        asked: Asked,
    }

    /// A conversation, and what it answers; seldom the truth.
    fn answer(random: &mut Random, log: &mut Vec<u32>, asked: Asked) -> (Vec<u32>, u64, u64) {
        let (mut shown, mut first) = (Vec::new(), 0);
        match asked {
            Asked::Send { message } => log.push(message),
            Asked::Read(range) => {
                let expected = page::expected(range, log.len() as u64);
                first = *expected.start();
                shown.extend(expected.map(|seq| log[seq as usize - 1]));
            }
            Asked::Delete { .. } => {}
        }
        let mut head = log.len() as u64;
        match random.below(200) {
            0 => head += 1,
            1 => head = head.saturating_sub(1),
            2 if shown.len() > 1 => shown.swap(0, 1),
            3 => shown.push(random.below(40)),
            4 => first += 1,
            5 => drop(shown.pop()),
            _ => {}
        }
        (shown, first, head)
    }

    /// The same events for two ledgers, one of which never takes the short way. Returns how many events were usual.
    fn compare(random: &mut Random) -> usize {
        let [mut short, mut long] = [Ledger::new(), Ledger::new()];
        let (mut logs, mut asking) = ([Vec::new(), Vec::new()], Vec::new());
        let (mut operations, mut messages, mut usual) = (0, 0, 0);
        for _ in 0..300 {
            if asking.len() < 4 && random.chance(50) {
                let conversation = random.below(2_usize);
                let (seq, limit) = (random.below(12), 1 + random.below(8));
                let asked = match random.below(100) {
                    0..45 => Asked::Send { message: messages },
                    45..75 => Asked::Read(PageRange::After { seq, limit }),
                    75..99 => Asked::Read(PageRange::Before { seq, limit }),
                    _ => Asked::Delete { seq },
                };
                messages += u32::from(matches!(asked, Asked::Send { .. }));
                let open = [&mut short, &mut long]
                    .map(|ledger| ledger.invoke(operations, conversation as u32, asked));
                operations += 1;
                asking.push(Asking { open, conversation, asked });
                continue;
            }
            if asking.is_empty() {
                continue;
            }
            let Asking { open: [one, other], conversation, asked } =
                asking.swap_remove(random.below(asking.len()));
            let (shown, first, head) = answer(random, &mut logs[conversation], asked);
            let tells = |known| match asked {
                Asked::Send { .. } => Answer::Sent { seq: head },
                Asked::Delete { .. } => Answer::Deleted,
                Asked::Read(_) => {
                    Answer::Page(Page { first, messages: &shown, tombstones: &[], head, known })
                }
            };
            let known = short.look_ahead(conversation as u32, first, &shown);
            let known = if random.chance(50) { known } else { Known::default() };
            let answer = match random.below(40) {
                0 => Answer::Unknown,
                1 => Answer::Failed,
                _ => tells(known),
            };
            short.tick();
            long.tick();
            let is_usual = short.is_usual(&one, &answer);
            let found = if is_usual {
                short.slots.free(one);
                Ok(())
            } else {
                short.complete_unusual(one, answer)
            };
            usual += usize::from(is_usual);
            assert_eq!(found, long.complete_unusual(other, answer));
            assert_eq!(short.bytes(), long.bytes());
        }
        assert_eq!(short.finish(), long.finish());
        usual
    }

    #[test]
    fn the_short_way_does_what_the_long_way_does() {
        let mut random = Random(5);
        let usual: usize = (0..2000).map(|_| compare(&mut random)).sum();
        assert!(usual > 60_000, "{usual} events took the short way");
    }
}

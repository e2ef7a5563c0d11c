//! One conversation: which message has which number, and how far it is proven.

use super::deletes::Deletes;
use super::slots::Slot;

/// What is known of one conversation.
///
/// It fills one line of the processor's cache: with many conversations, nearly every event finds its own one cold.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Conversation {
    /// The message of each number, from 1; [`NOBODY`] as long as nobody has shown it.
    ids: Vec<u32>,
    /// `F`: the greatest number proven by operations that have returned.
    pub(super) proven: u32,
    /// The operation that proved it; of no meaning as long as nothing is proven.
    proof: u32,
    /// How many sends have begun.
    pub(super) sends: u32,
    /// The numbers that were not known when `F` passed them, if there were any.
    holes: Option<Box<Holes>>,
    /// What is known of deletes, if there were any.
    pub(super) deletes: Option<Box<Deletes>>,
    pub(super) standing: Standing,
}

/// In place of a message, where nobody knows of one. No caller reaches this number: each message takes two events.
const NOBODY: u32 = u32::MAX;

/// Whether a conversation is still judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// Nothing was found so far.
    #[default]
    Good,
    /// A violation was found.
    Contradicted,
    /// An id was used twice, so that what follows proves nothing.
    Spoiled,
}

/// The numbers that were not known when `F` passed them, ascending.
#[derive(Debug, Default)]
struct Holes {
    list: Vec<Hole>,
}

/// A number that was not known when `F` passed it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hole {
    pub(super) seq: u32,
    /// The operation that passed it.
    pub(super) passed_by: u32,
}

impl Conversation {
    /// Whether it is still judged, and nobody wanted to delete anything.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.standing == Standing::Good && self.deletes.is_none()
    }

    pub(super) fn spoil(&mut self) {
        if self.standing == Standing::Good {
            self.standing = Standing::Spoiled;
        }
    }

    /// The operation that proved the greatest number that is proven.
    pub(super) fn proof(&self) -> Option<u32> {
        (self.proven > 0).then_some(self.proof)
    }

    /// A number that the conversation can have by now.
    pub(super) fn number(&self, seq: u64) -> Option<u32> {
        u32::try_from(seq).ok().filter(|seq| *seq <= self.sends)
    }

    /// Whether these messages are known to have the numbers from `first` on.
    #[inline]
    pub(super) fn shows(&self, first: u64, messages: &[u32]) -> bool {
        let Some(from) = first.checked_sub(1).and_then(|from| usize::try_from(from).ok()) else {
            return messages.is_empty();
        };
        let known = from.checked_add(messages.len()).and_then(|to| self.ids.get(from..to));
        known == Some(messages)
    }

    /// Notes that an operation proves a number and which message has it, if it is the next after those that are known
    /// and after those that are proven, and a send can have it. Else this returns false and changes nothing.
    #[inline]
    pub(super) fn append(&mut self, seq: u64, message: u32, operation: u32) -> bool {
        let known = self.ids.len() as u64;
        let is_next = known == u64::from(self.proven) && self.proven < self.sends && seq == known + 1;
        if is_next {
            self.ids.push(message);
            self.proven += 1;
            self.proof = operation;
        }
        is_next
    }

    /// Notes which message has a number from 1 on. Returns by how many bytes this grew, or else the other message
    /// that has the number.
    pub(super) fn place(&mut self, seq: u32, message: u32) -> Result<u64, u32> {
        let (slot, before) = (seq as usize - 1, self.ids.len());
        if before == slot {
            self.ids.push(message);
            return Ok(size_of::<u32>() as u64);
        }
        if before <= slot {
            self.ids.resize(slot + 1, NOBODY);
        }
        if self.ids[slot] != NOBODY {
            return Err(self.ids[slot]);
        }
        self.ids[slot] = message;
        Ok(((self.ids.len() - before) * size_of::<u32>()) as u64)
    }

    /// Notes that an operation proves a number with an event. Returns by how many bytes this grew.
    pub(super) fn prove(&mut self, seq: u32, operation: u32, now: u32) -> u64 {
        if seq <= self.proven {
            return 0;
        }
        if seq == self.proven + 1 && self.deletes.is_none() && self.is_known(seq) {
            (self.proven, self.proof) = (seq, operation);
            return 0;
        }
        let mut grown = 0;
        for passed in self.proven + 1..=seq {
            if !self.is_known(passed) {
                let hole = Hole { seq: passed, passed_by: operation };
                self.holes.get_or_insert_default().list.push(hole);
                grown += size_of::<Hole>() as u64;
            }
            if let Some(deletes) = &mut self.deletes {
                deletes.levels.passed(passed, now);
            }
        }
        self.proven = seq;
        self.proof = operation;
        grown
    }

    /// How many numbers were not known when `F` passed them.
    pub(super) fn holes(&self) -> usize {
        self.hole_list().len()
    }

    fn hole_list(&self) -> &[Hole] {
        self.holes.as_ref().map_or(&[], |holes| &holes.list)
    }

    fn is_known(&self, seq: u32) -> bool {
        self.ids.get(seq as usize - 1).is_some_and(|message| *message != NOBODY)
    }

    /// Gives the numbers that nobody has shown to sends of unknown outcome, the first to the first: no other choice
    /// lets the conversation grow earlier. To be asked when [`unfilled`](Self::unfilled) has found nothing.
    pub(super) fn fill(&mut self, sends: &[Slot]) {
        let mut fillers = sends.iter();
        for number in 0..self.holes() {
            let seq = self.hole_list()[number].seq;
            if !self.is_known(seq)
                && let (Some(filler), Some(deletes)) = (fillers.next(), &mut self.deletes)
            {
                deletes.levels.called(seq, filler.began);
            }
        }
    }

    /// The first number that nobody has shown and that none of the sends of unknown outcome can have, with the one
    /// that is left and began too late. `sends` are in the order of their invocation.
    pub(super) fn unfilled(&self, sends: &[Slot]) -> Option<(Hole, Option<Slot>)> {
        let mut fillers = sends.iter().copied();
        let empty = self.hole_list().iter().filter(|hole| !self.is_known(hole.seq));
        empty.map(|hole| (*hole, fillers.next())).find(|(hole, filler)| {
            // A send that begins when F has passed the number cannot have it.
            filler.is_none_or(|filler| filler.floor >= hole.seq)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fills_one_line() {
        assert_eq!(size_of::<Conversation>(), 64);
    }
}

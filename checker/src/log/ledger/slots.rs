//! Operations that are under way, and sends of unknown outcome.

use crate::history::PageRange;

/// What an operation asks of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Append a message.
    Send {
        /// The message, by number of the caller.
        message: u32,
    },
    /// Read a page.
    Read(PageRange),
    /// Replace a message by a tombstone.
    Delete {
        /// The message's number in the conversation.
        seq: u64,
    },
}

/// An operation that was invoked. Completing it takes this, so no operation completes twice.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an operation that was invoked is completed, if only by the end of the history"]
pub struct Open(u32);

impl Open {
    #[inline]
    pub(super) fn slot(&self) -> u32 {
        self.0
    }
}

/// What is remembered of an operation that is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) operation: u32,
    pub(super) conversation: u32,
    /// `F` when it was invoked.
    pub(super) floor: u32,
    /// The event of its invocation.
    pub(super) began: u32,
    pub(super) asked: Asked,
}

/// The slots. One that is free is used again.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Those that are free say what they said last.
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Slots {
    #[inline]
    pub(super) fn take(&mut self, slot: Slot) -> Open {
        if let Some(number) = self.free.pop() {
            self.slots[number as usize] = slot;
            return Open(number);
        }
        self.slots.push(slot);
        Open(u32::try_from(self.slots.len() - 1).expect("there are fewer operations than events"))
    }

    #[inline]
    pub(super) fn get(&self, open: &Open) -> &Slot {
        self.at(open.0)
    }

    #[inline]
    pub(super) fn at(&self, number: u32) -> &Slot {
        &self.slots[number as usize]
    }

    #[inline]
    pub(super) fn free(&mut self, open: Open) {
        self.free.push(open.0);
    }

    /// All slots, by number; nothing names those that are free.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Slot)> {
        (0..).zip(&self.slots)
    }

    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>() + self.free.len() * size_of::<u32>()
    }
}

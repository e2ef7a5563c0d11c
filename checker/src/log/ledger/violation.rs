//! What a ledger finds, and the operation with which it finds it.

use std::fmt;

use super::slots::Slot;
use crate::anomaly::AnomalyKind;

/// The most operations that a violation names beside the one at which it became certain.
const OTHERS_MAX: usize = 3;

/// What has been found impossible first in a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// The conversation, by number of the caller.
    pub conversation: u32,
    /// What it looks like at first sight.
    pub kind: AnomalyKind,
    /// The number it is about; 0 if it is about a page as a whole.
    pub seq: u64,
    /// The operation that cannot be.
    pub operation: u32,
    others: [u32; OTHERS_MAX],
    others_len: u8,
}

impl Violation {
    pub(super) fn new(
        conversation: u32,
        kind: AnomalyKind,
        seq: u64,
        operation: u32,
        contradicting: impl IntoIterator<Item = u32>,
    ) -> Self {
        let (mut others, mut others_len) = ([0; OTHERS_MAX], 0);
        for other in contradicting {
            let known = others[..usize::from(others_len)].contains(&other) || other == operation;
            if !known && usize::from(others_len) < OTHERS_MAX {
                others[usize::from(others_len)] = other;
                others_len += 1;
            }
        }
        Violation { conversation, kind, seq, operation, others, others_len }
    }

    /// The operations that it contradicts, if it takes any.
    #[must_use]
    pub fn others(&self) -> &[u32] {
        &self.others[..usize::from(self.others_len)]
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Violation")
            .field("conversation", &self.conversation)
            .field("kind", &self.kind)
            .field("seq", &self.seq)
            .field("operation", &self.operation)
            .field("others", &self.others())
            .finish()
    }
}

/// An operation that completes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Completing {
    pub(super) operation: u32,
    pub(super) conversation: u32,
    /// `F` when it was invoked.
    pub(super) floor: u32,
    /// The event of its invocation.
    pub(super) began: u32,
}

impl From<Slot> for Completing {
    fn from(Slot { operation, conversation, floor, began, .. }: Slot) -> Self {
        Completing { operation, conversation, floor, began }
    }
}

impl Completing {
    pub(super) fn violation(
        &self,
        kind: AnomalyKind,
        seq: u64,
        others: impl IntoIterator<Item = u32>,
    ) -> Violation {
        Violation::new(self.conversation, kind, seq, self.operation, others)
    }
}

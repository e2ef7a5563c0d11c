//! What is certain only when the history has ended: numbers that nobody can have, and deletes without an order.

use super::conversation::{Conversation, Standing};
use super::slots::Slot;
use super::{Ledger, Violation, order};
use crate::anomaly::AnomalyKind;

impl Ledger {
    /// The history ends: the numbers that nobody has shown need sends of which nobody knows the outcome, and deletes
    /// need an order. Returns what is certain now, by conversation.
    pub fn finish(&mut self) -> Vec<Violation> {
        let mut flying: Vec<Vec<Slot>> = vec![Vec::new(); self.conversations.len()];
        for (number, slot) in self.slots.iter() {
            if self.flies(slot, number) {
                flying[slot.conversation as usize].push(*slot);
            }
        }
        let mut found = Vec::new();
        for (number, mut sends) in (0..).zip(flying) {
            let conversation = &mut self.conversations[number as usize];
            if conversation.standing != Standing::Good {
                continue;
            }
            sends.sort_unstable_by_key(|send| send.operation);
            let violation = unfilled(number, conversation, &sends).or_else(|| {
                conversation.fill(&sends);
                disordered(number, conversation)
            });
            if let Some(violation) = violation {
                conversation.standing = Standing::Contradicted;
                found.push(violation);
            }
        }
        found
    }
}

/// A number that nobody can have.
fn unfilled(number: u32, conversation: &Conversation, sends: &[Slot]) -> Option<Violation> {
    let (hole, latest) = conversation.unfilled(sends)?;
    let latest = latest.map(|send| send.operation);
    Some(Violation::new(number, AnomalyKind::Hole, hole.seq.into(), hole.passed_by, latest))
}

/// Deletes that no order explains.
fn disordered(number: u32, conversation: &Conversation) -> Option<Violation> {
    let deletes = conversation.deletes.as_ref()?;
    let found = order::contradiction(deletes, conversation.proven)?;
    let operation = found.operations.first().copied().or(conversation.proof())?;
    let seq = found.seq.into();
    Some(Violation::new(number, AnomalyKind::NotLinearizable, seq, operation, found.operations))
}

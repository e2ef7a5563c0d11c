//! What is certain only when the history has ended: numbers that nobody can have, and deletes without an order.

use super::conversation::{Conversation, Standing};
use super::slots::Slot;
use super::{Ledger, Violation, order};
use crate::anomaly::AnomalyKind;
use crate::limits::{Budget, Exceeded, Limits};

impl Ledger {
    /// The history ends: the numbers that nobody has shown need sends of which nobody knows the outcome, and deletes
    /// need an order. Returns what is certain now, by conversation.
    pub fn finish(&mut self) -> Vec<Violation> {
        let mut found = Vec::new();
        let finished = self.finish_within(&mut Budget::new(&Limits::none()), &mut found);
        finished.expect("there is no limit");
        found
    }

    /// [`finish`](Self::finish) within what is left of a budget; what was found until then is in `found`.
    pub(crate) fn finish_within(
        &mut self,
        budget: &mut Budget<'_>,
        found: &mut Vec<Violation>,
    ) -> Result<(), Exceeded> {
        budget.allocate((self.conversations.len() * size_of::<Vec<Slot>>()) as u64)?;
        let mut flying: Vec<Vec<Slot>> = vec![Vec::new(); self.conversations.len()];
        for (number, slot) in self.slots.iter() {
            budget.tick()?;
            if self.flies(slot, number) {
                budget.push(&mut flying[slot.conversation as usize], *slot)?;
            }
        }
        for (number, mut sends) in (0..).zip(flying) {
            let conversation = &mut self.conversations[number as usize];
            budget.ticks(1 + conversation.holes() as u64 + sends.len() as u64)?;
            if conversation.standing != Standing::Good {
                continue;
            }
            sends.sort_unstable_by_key(|send| send.operation);
            let violation = match unfilled(number, conversation, &sends) {
                Some(violation) => Some(violation),
                None => {
                    conversation.fill(&sends);
                    disordered(number, conversation, budget)?
                }
            };
            if let Some(violation) = violation {
                conversation.standing = Standing::Contradicted;
                found.push(violation);
            }
        }
        Ok(())
    }
}

/// A number that nobody can have.
fn unfilled(number: u32, conversation: &Conversation, sends: &[Slot]) -> Option<Violation> {
    let (hole, latest) = conversation.unfilled(sends)?;
    let latest = latest.map(|send| send.operation);
    Some(Violation::new(number, AnomalyKind::Hole, hole.seq.into(), hole.passed_by, latest))
}

/// Deletes that no order explains.
fn disordered(
    number: u32,
    conversation: &Conversation,
    budget: &mut Budget<'_>,
) -> Result<Option<Violation>, Exceeded> {
    let Some(deletes) = &conversation.deletes else { return Ok(None) };
    let Some(found) = order::contradiction(deletes, conversation.proven, budget)? else { return Ok(None) };
    let operation = found.operations.first().copied().or(conversation.proof());
    let seq = found.seq.into();
    Ok(operation.map(|operation| {
        Violation::new(number, AnomalyKind::NotLinearizable, seq, operation, found.operations)
    }))
}

//! The order of the operations on one conversation.
//!
//! If the conversation is linearizable, its order is nearly told by the answers: the message with number `p + 1` comes
//! after that with number `p`, and a read that ends at `p` comes between the two. What reads that end at one number do
//! among themselves is free, so they come as they were invoked. Only the numbers that nobody has shown are given to
//! sends of which nobody knows the outcome, both in the order of time.

use std::collections::{BTreeMap, HashMap};

use crate::history::{History, Input, OperationId, Outcome, Output, Symbol};

/// The order of the operations `ids`, which are all on one conversation. What it says holds only if the conversation is
/// linearizable.
pub(super) fn order(history: &History, ids: &[OperationId]) -> Vec<OperationId> {
    let mut sends: HashMap<Symbol, OperationId> = HashMap::new();
    let mut numbers: BTreeMap<u64, OperationId> = BTreeMap::new();
    let mut reads: BTreeMap<u64, Vec<OperationId>> = BTreeMap::new();
    for id in ids {
        if let Input::Send { id: message } = history.operation(*id).input {
            sends.insert(message, *id);
        }
    }
    let mut last = 0;
    for id in ids {
        let operation = history.operation(*id);
        match (&operation.input, operation.output()) {
            (Input::Send { .. }, Some(Output::Sent { seq })) => {
                numbers.insert(*seq, *id);
                last = last.max(*seq);
            }
            (Input::Read { .. }, Some(Output::Page { entries, head })) => {
                reads.entry(*head).or_default().push(*id);
                last = last.max(*head);
                for entry in entries {
                    if let Some(send) = sends.get(&entry.id) {
                        numbers.insert(entry.seq, *send);
                    }
                }
            }
            _ => {}
        }
    }
    let shown: Vec<OperationId> = {
        let mut shown: Vec<OperationId> = numbers.values().copied().collect();
        shown.sort_unstable();
        shown
    };
    let is_open = |id: &&OperationId| {
        let operation = history.operation(**id);
        matches!((&operation.input, &operation.outcome), (Input::Send { .. }, Outcome::Info(_)))
            && shown.binary_search(*id).is_err()
    };
    // The first to be invoked fills the first gap.
    let mut fillers = ids.iter().filter(is_open);
    let mut order = Vec::with_capacity(ids.len());
    order.extend(reads.remove(&0).unwrap_or_default());
    for number in 1..=last {
        // As many numbers as there are operations at most: without a send for each, there is no order.
        let Some(send) = numbers.get(&number).or_else(|| fillers.next()) else { break };
        order.push(*send);
        order.extend(reads.remove(&number).unwrap_or_default());
    }
    order
}

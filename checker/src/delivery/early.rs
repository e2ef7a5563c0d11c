//! Delivered before it can be read: what a subscription tells is committed, so whoever reads later reads it.
//!
//! etcd keeps the same as a rule of its own for its watches (its issue 19998). One comparison for each read: with the
//! greatest number that had been delivered when the read began.

use std::collections::HashMap;

use super::deliveries;
use super::subscription::Wrong;
use crate::history::{Delivery, History, Input, OperationId, Output, Step, Symbol};
use crate::limits::{Budget, Exceeded};

/// The reads that end before what had been delivered when they began.
pub(super) fn check(history: &History, budget: &mut Budget<'_>) -> Result<Vec<Wrong>, Exceeded> {
    let mut delivered: HashMap<Symbol, (OperationId, Delivery)> = HashMap::new();
    // By read that is under way.
    let mut begun: HashMap<OperationId, (OperationId, Delivery)> = HashMap::new();
    let mut wrongs = Vec::new();
    for step in history.steps() {
        budget.step()?;
        let (Step::Invoked(id) | Step::Completed(id)) = step;
        let operation = history.operation(id);
        match (step, &operation.input) {
            (Step::Invoked(_), Input::Read { .. }) => {
                let known = operation.key.and_then(|key| delivered.get(&key));
                budget.room_in_map(&mut begun)?;
                begun.extend(known.map(|known| (id, *known)));
            }
            (Step::Completed(_), Input::Read { .. }) => {
                let Some((poll, delivery)) = begun.remove(&id) else { continue };
                if let Some(Output::Page { head, .. }) = operation.output()
                    && *head < delivery.seq
                {
                    wrongs.push(Wrong::Early { poll, delivery, read: id });
                }
            }
            (Step::Completed(_), Input::Poll { .. }) => {
                for delivery in deliveries(history, id) {
                    budget.tick()?;
                    budget.room_in_map(&mut delivered)?;
                    let greatest = delivered.entry(delivery.key).or_insert((id, *delivery));
                    if greatest.1.seq < delivery.seq {
                        *greatest = (id, *delivery);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(wrongs)
}

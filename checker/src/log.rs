//! Conversations: is every send and every page explained by one growing log?
//!
//! The object is a list. A send appends a message, whose number is its position from 1; a read returns a range of
//! numbers, and the head: the length of the list at that moment. Because every answer tells positions, the
//! question, which is NP-complete for objects in general (Gibbons and Korach, 1997), is answered here in one walk
//! over the events, in constant time per operation and message shown.
//!
//! # How
//! Let `F` be the greatest number that operations which have *returned* prove to exist. An operation that began when
//! `F` was `f` has its point after all of those, so:
//! - a read's head is at least `f`, else the read is stale; its page is what was asked for, or its beginning;
//! - a send's number is greater than `f`, else it was appended too late;
//! - all acknowledgements and pages agree about which message has which number, each message has one, and it was
//!   sent before it was seen, to this conversation, and not refused;
//! - a message is alive until it is deleted, and then never again;
//! - a number up to `F` that nobody has shown is held by a send of which nobody knows the outcome, and that began
//!   before `F` passed it. Both sorted by time, the k-th such number needs the k-th such send.
//!
//! These conditions are also sufficient: the points can then be placed one after the other. [`ledger`] checks them as
//! the events come, and the tests compare it with exhaustive search; [`online`] feeds it with typed
//! operations, [`stream`] with a file. Deletes
//! need an order of their own, which is looked for at the end. Only if something fails does `diagnose` look at the
//! conversation again, without haste, to tell the person what happened rather than what was noticed first: if a
//! message is gone for good, the stale heads and reused numbers that follow from it are no news.
//!
//! # Caveats
//! * Message ids must be unique in the history. That is verified: a repeated id makes the verdict unknown.
//! * A conversation is empty when the history begins.
//! * A delete that fails says nothing but that it did not happen, whatever its error is.
//! * Subscriptions are not judged here. A subscription may be late, so it has no place in the order of the operations;
//!   what it delivers is for [`delivery`](crate::delivery) to judge.

mod diagnose;
mod keys;
pub mod ledger;
pub mod online;
pub(crate) mod page;
pub mod stream;
#[cfg(test)]
pub(crate) mod tests;

use online::{Begun, Online, Violation};

use crate::findings::Findings;
use crate::history::{History, Object, Outcome, Output, Step};
use crate::limits::{Budget, Exceeded, Limits};

/// The most conversations whose violations are explained.
const DIAGNOSES_MAX: usize = 8;

/// The most messages that were sent twice that are named.
const REPEATED_NAMED_MAX: usize = 8;

/// Checks all conversations of a history.
#[must_use]
pub fn check(history: &History, limits: &Limits<'_>) -> Findings {
    let mut budget = Budget::new(limits);
    let (mut online, mut violations) = (Online::new(), Vec::new());
    let walked = walk(&mut online, &mut violations, history, &mut budget);
    violations.sort_by_key(|violation| online.position(violation.key));
    let mut findings = Findings {
        operations: online.operations(),
        keys: online.conversations(),
        doubts: repeated(&online, history),
        ..Findings::default()
    };
    // What was remembered of the conversations is of no use any more, and an explanation needs room.
    drop(online);
    findings.peak_bytes = budget.peak();
    drop(budget);
    let explained = violations.len().min(DIAGNOSES_MAX);
    // However many steps the decision took, an explanation has its own; time is one for all.
    let mut patience = Budget::new(&Limits { steps: u64::MAX, ..*limits });
    let (anomalies, total) = diagnose::diagnose(history, &violations[..explained], &mut patience);
    findings.anomalies = anomalies;
    findings.anomalies_total = total + (violations.len() - explained) as u64;
    if let Err(exceeded) = walked {
        findings.doubts.push(format!("{exceeded} after {} operations of conversations", findings.operations));
    }
    findings.peak_bytes = findings.peak_bytes.max(patience.peak());
    findings
}

/// Feeds the checker with the whole history.
fn walk(
    online: &mut Online,
    violations: &mut Vec<Violation>,
    history: &History,
    budget: &mut Budget<'_>,
) -> Result<(), Exceeded> {
    let mut open: Vec<Option<Begun>> = Vec::new();
    for step in history.steps() {
        let (Step::Invoked(id) | Step::Completed(id)) = step;
        let operation = history.operation(id);
        if operation.input.object() != Object::Conversation {
            continue;
        }
        budget.step()?;
        let before = online.bytes();
        match step {
            Step::Invoked(id) => {
                open.resize_with(id.index(), || None);
                open.push(online.invoke(id, operation.key, &operation.input));
                budget.allocate(size_of::<Option<Begun>>() as u64)?;
            }
            Step::Completed(id) => {
                // A read that may be late has no place in the order.
                if let Some(begun) = open[id.index()].take() {
                    if let Outcome::Ok(Output::Page { entries, .. }) = &operation.outcome {
                        budget.ticks(entries.len() as u64)?;
                    }
                    violations.extend(online.complete(begun, &operation.outcome));
                }
            }
        }
        budget.allocate(online.bytes().saturating_sub(before))?;
    }
    let (found, finished) = online.finish_within(budget);
    violations.extend(found);
    finished
}

fn repeated(online: &Online, history: &History) -> Vec<String> {
    let index = |id| history.operation(id).invoked.index;
    let tell = |repeated: online::Repeated| {
        format!(
            "message `{}` is sent twice, at index {} and {}: ids must be unique",
            history.text(repeated.id),
            index(repeated.first),
            index(repeated.again),
        )
    };
    let mut repeated = online.repeated();
    let mut doubts: Vec<String> = repeated.by_ref().take(REPEATED_NAMED_MAX).map(tell).collect();
    match repeated.count() {
        0 => {}
        others => doubts.push(format!("{others} more messages are sent twice")),
    }
    doubts
}

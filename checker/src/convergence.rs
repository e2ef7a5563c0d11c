//! Did all nodes arrive at the same state?
//!
//! Two kinds of evidence, both taken after the faults were lifted:
//!
//! - **Digests.** A node hashes its state after it has applied the log up to some index. At one index all digests are
//!   equal. Digests of different indexes say nothing about each other, so there must be an index of which every node
//!   gave one.
//! - **Final reads.** Every node is asked for every conversation. Where two answers show the same number, they show the
//!   same message; and what was acknowledged before a read began is not missing from it.
//! - **Final lists.** Every node is asked for the accounts. An account that one answer shows and another does not is a
//!   contradiction.
//!
//! A conversation may still grow between two final reads: a send of which nobody knows the outcome may come late. So a
//! longer answer is not a contradiction by itself; nor is an account whose creation or deletion may come late.
//!
//! The nodes are those that gave a digest, left a trace or were talked to by a client, and have not departed before the
//! end.

mod digests;
mod final_lists;
mod final_reads;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::evidence::Evidence;
use crate::findings::Findings;
use crate::limits::{Budget, Limits};

/// Checks digests, final reads and final lists.
///
/// Unknown if a node gave no digest, if there is no index of which all nodes gave one, or if a final read or list failed
/// and was not made up for.
#[must_use]
pub fn check(evidence: &Evidence, limits: &Limits<'_>) -> Findings {
    let mut findings = digests::check(evidence);
    let mut budget = Budget::new(limits);
    for compare in [final_reads::check, final_lists::check] {
        let compared = compare(&evidence.history, &mut budget).unwrap_or_else(|exceeded| Findings {
            doubts: vec![format!("{exceeded} while the final reads were compared")],
            ..Findings::default()
        });
        findings = findings.and(compared);
    }
    findings.keys = evidence.remaining().len() as u64;
    findings.peak_bytes = budget.peak();
    findings
}

/// What was asked for at the end and never answered, by what was asked and whether it was answered.
fn unanswered(answers: &BTreeMap<String, bool>) -> Option<String> {
    let mut failed = answers.iter().filter(|(_, answered)| !**answered).map(|(asked, _)| asked);
    let first = failed.next()?;
    let more = match failed.count() {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    Some(format!("no final {first} succeeded{more}"))
}

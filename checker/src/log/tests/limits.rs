//! Explaining what is wrong with a conversation keeps to the limits, as deciding it does.

use std::sync::atomic::{AtomicU64, Ordering};

use super::generate::{Outcome, Shape, Simulated, What, history, simulate};
use crate::history::History;
use crate::limits::{Limits, STEPS_PER_QUESTION};
use crate::log::check;

const OPERATIONS: u64 = 1500;

/// A conversation of some size of which very much is wrong: from its middle on, the pages show every message one
/// number too late, leave some out, and begin with one that nobody sent.
fn very_wrong() -> History {
    let shape = Shape {
        processes: 6,
        operations: OPERATIONS,
        info_percent: 0,
        delete_percent: 5,
        limit_max: 60,
        final_reads: 3,
        forgets: 40,
    };
    let mut plan = simulate(3, &shape);
    let middle = plan.len() / 2;
    for (number, operation) in plan.iter_mut().enumerate().skip(middle) {
        bend(number as u64, operation);
    }
    history(&plan)
}

fn bend(number: u64, operation: &mut Simulated) {
    if operation.outcome != Outcome::Ok {
        return;
    }
    if let What::Read { entries, head, .. } = &mut operation.what {
        match number % 3 {
            0 => entries.iter_mut().for_each(|(seq, _)| *seq += 1),
            1 => entries.retain(|(seq, _)| seq % 7 > 0),
            _ => {}
        }
        if let Some((_, id)) = entries.first_mut().filter(|_| number.is_multiple_of(5)) {
            *id = 1_000_000 + number;
        }
        *head += number % 2;
    }
}

/// How often the time is asked for if it is over after so many questions, and how many anomalies are found.
fn asked(history: &History, patience: u64) -> (u64, usize) {
    let asked = AtomicU64::new(0);
    let expired = || asked.fetch_add(1, Ordering::Relaxed) >= patience;
    let findings = check(history, &Limits { expired: &expired, ..Limits::none() });
    (asked.into_inner(), findings.anomalies.len())
}

#[test]
fn whoever_asks_for_the_time_and_hears_that_it_is_over_stops() {
    let history = very_wrong();
    let (questions, _) = asked(&history, u64::MAX);
    // Of what is known of each message and each page, every rule looks at all.
    assert!(questions > 40 * OPERATIONS / STEPS_PER_QUESTION, "{questions} questions");
    let mut is_found = false;
    for patience in (0..questions).step_by(questions as usize / 50) {
        let (asked, anomalies) = asked(&history, patience);
        // The walk, the list of sends and the explanation may each hear it once.
        assert!((patience + 1..=patience + 3).contains(&asked), "{asked} questions after {patience}");
        assert!(anomalies > 0 || !is_found, "what was found sooner is told after {patience} questions too");
        is_found = anomalies > 0;
    }
    assert!(is_found);
}

#[test]
fn what_an_explanation_remembers_is_paid_for() {
    let history = very_wrong();
    let whole = check(&history, &Limits::none());
    // Were a part of it free, a little less than all would do.
    for memory in (0..=10).map(|tenths| whole.peak_bytes * tenths / 10) {
        let findings = check(&history, &Limits { memory, ..Limits::none() });
        assert!(findings.peak_bytes <= memory, "{} of {memory} bytes", findings.peak_bytes);
        if memory < whole.peak_bytes {
            assert_ne!(findings.anomalies, whole.anomalies, "{memory} bytes suffice");
        } else {
            assert_eq!(findings.anomalies, whole.anomalies);
        }
        assert!(!findings.anomalies.is_empty() || !findings.doubts.is_empty());
    }
}

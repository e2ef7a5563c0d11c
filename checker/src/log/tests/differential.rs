//! The walk against exhaustive search, on very many small random histories.

use super::generate::{Outcome, Range, Shape, Simulated, What, history, simulate};
use crate::differential::random::Random;
use crate::differential::tally::Tally;
use crate::differential::{histories, seeds};
use crate::limits::Limits;

/// Whether some order of the operations explains everything, by trying them all.
fn exhaustive(plan: &[Simulated]) -> bool {
    let operations: Vec<&Simulated> = plan
        .iter()
        .filter(|operation| match (&operation.what, operation.outcome) {
            (_, Outcome::Ok) | (What::Send { .. } | What::Delete { .. }, Outcome::Info) => true,
            (_, Outcome::Fail) | (What::Read { .. }, Outcome::Info) => false,
        })
        .collect();
    search(&operations, 0, &mut Vec::new(), 0)
}

/// Extends a linearization of the operations in `done` whose sends have made `log`, and whose deletes are the bits of
/// `dead`.
fn search(operations: &[&Simulated], done: u32, log: &mut Vec<u64>, dead: u64) -> bool {
    let open = |number: usize| done & (1 << number) == 0;
    let returned = |operation: &Simulated| match operation.outcome {
        Outcome::Ok => operation.completed,
        Outcome::Fail | Outcome::Info => u64::MAX,
    };
    let pending: Vec<usize> = (0..operations.len()).filter(|number| open(*number)).collect();
    // What is left and may never have happened need not be ordered.
    if pending.iter().all(|number| operations[*number].outcome == Outcome::Info) {
        return true;
    }
    let first_return = pending.iter().map(|number| returned(operations[*number])).min().unwrap_or(u64::MAX);
    pending.into_iter().filter(|number| operations[*number].invoked < first_return).any(|number| {
        let operation = operations[number];
        match &operation.what {
            What::Send { id, seq } => {
                if operation.outcome == Outcome::Ok && *seq != log.len() as u64 + 1 {
                    return false;
                }
                log.push(*id);
                let explained = search(operations, done | 1 << number, log, dead);
                log.pop();
                explained
            }
            What::Delete { seq } => {
                let exists = *seq >= 1 && *seq <= log.len() as u64;
                // One that nobody knows of may also have found nothing to delete.
                let dead = if exists { dead | 1 << seq } else { dead };
                (exists || operation.outcome == Outcome::Info)
                    && search(operations, done | 1 << number, log, dead)
            }
            What::Read { range, entries, head, dead: shown, .. } => {
                *head == log.len() as u64
                    && entries.iter().all(|(seq, _)| (dead >> seq & 1 == 1) == shown.contains(seq))
                    && is_page(entries, &super::generate::page(log, *range), *range)
                    && search(operations, done | 1 << number, log, dead)
            }
        }
    })
}

/// Whether `entries` are what was `asked` for, or a part of it with which a client can go on.
fn is_page(entries: &[(u64, u64)], asked: &[(u64, u64)], range: Range) -> bool {
    let part = match range {
        Range::After(..) => asked.starts_with(entries),
        Range::Before(..) => asked.ends_with(entries),
    };
    part && entries.is_empty() == asked.is_empty()
}

/// Changes a number or a message somewhere, so that a part of the histories is not linearizable.
fn bend(random: &mut Random, plan: &mut [Simulated], deletes: bool) {
    let number = random.below(plan.len() as u64) as usize;
    match random.below(6) {
        0 => plan[number].outcome = [Outcome::Ok, Outcome::Fail, Outcome::Info][random.below(3) as usize],
        1 => {
            // An earlier end or a later beginning makes the real-time order stricter.
            let operation = &mut plan[number];
            let length = operation.completed - operation.invoked;
            let cut = random.below(length.max(1));
            if random.chance(50) { operation.completed -= cut } else { operation.invoked += cut }
        }
        _ => match &mut plan[number].what {
            What::Send { seq, .. } | What::Delete { seq } => {
                *seq = (*seq + random.below(3)).saturating_sub(1);
            }
            What::Read { entries, dead, .. } if deletes && random.chance(60) && !entries.is_empty() => {
                // Another version of a message.
                let (seq, _) = entries[random.below(entries.len() as u64) as usize];
                if dead.contains(&seq) { dead.retain(|other| *other != seq) } else { dead.push(seq) }
            }
            What::Read { entries, head, range, .. } => match random.below(5) {
                0 => *head = (*head + random.below(3)).saturating_sub(1),
                1 if !entries.is_empty() => drop(entries.pop()),
                2 if !entries.is_empty() => {
                    let at = random.below(entries.len() as u64) as usize;
                    entries[at].1 = random.below(8);
                }
                3 => {
                    // A whole, consistent, older state.
                    *head = random.below(*head + 1);
                    entries.retain(|(seq, _)| seq <= head);
                    if let Range::Before(..) = range {
                        *range = Range::After(0, 100);
                        entries.clear();
                    }
                }
                _ if entries.len() > 1 => entries.swap(0, 1),
                _ => {}
            },
        },
    }
}

#[test]
fn the_walk_agrees_with_exhaustive_search() {
    agrees("conversation", 0);
}

#[test]
fn the_walk_agrees_with_exhaustive_search_when_messages_are_deleted() {
    agrees("conversation with deletes", 35);
}

/// Compares the two.
#[track_caller]
fn agrees(name: &str, delete_percent: u64) {
    let mut tally = Tally::default();
    let mut backward = 0;
    for seed in seeds(histories()) {
        let mut random = Random(seed);
        let plan = recorded(&mut random, delete_percent);
        let expected = exhaustive(&plan);
        let history = history(&plan);
        let findings = crate::log::check(&history, &Limits::none());
        assert_eq!(findings.doubts, Vec::<String>::new());
        assert_eq!(
            findings.anomalies.is_empty(),
            expected,
            "seed {seed}: {:#?}\n{}",
            findings.anomalies,
            crate::history::timeline::draw(&history)
        );
        let pairs = || plan.iter().flat_map(|one| plan.iter().map(move |other| (one, other)));
        let overlaps =
            pairs().any(|(one, other)| one.invoked < other.invoked && other.invoked < one.completed);
        let crashed = plan.iter().any(|operation| operation.outcome == Outcome::Info);
        let goes_back =
            |operation: &Simulated| matches!(operation.what, What::Read { range: Range::Before(..), .. });
        backward += u64::from(plan.iter().any(goes_back));
        tally.add(plan.len(), overlaps, crashed, expected);
    }
    tally.conclude(name);
    assert!(10 * backward >= histories(), "{name}: {backward} histories have a page that goes back");
}

/// A history that a recorder can have written, bent in most cases.
fn recorded(random: &mut Random, delete_percent: u64) -> Vec<Simulated> {
    loop {
        let shape = Shape {
            processes: 2 + random.below(3),
            operations: 3 + random.below(5) + if delete_percent > 0 { random.below(2) } else { 0 },
            info_percent: 10 + random.below(25),
            delete_percent,
            limit_max: 4,
            final_reads: random.below(2),
            forgets: if random.chance(10) { 1 } else { 0 },
        };
        let mut plan = simulate(random.bits(), &shape);
        for _ in 0..random.below(5) {
            bend(random, &mut plan, delete_percent > 0);
        }
        if recordable(&plan) {
            return plan;
        }
    }
}

/// Whether a process still does one thing at a time, and nothing after `info`; times must stay distinct.
fn recordable(plan: &[Simulated]) -> bool {
    let mut times: Vec<u64> = plan.iter().flat_map(|o| [o.invoked, o.completed]).collect();
    times.sort_unstable();
    let distinct = times.windows(2).all(|pair| pair[0] < pair[1]);
    let dead_goes_on = plan.iter().enumerate().any(|(number, operation)| {
        let later = plan[number + 1..].iter().any(|later| later.process == operation.process);
        operation.outcome == Outcome::Info && later
    });
    distinct && !dead_goes_on
}

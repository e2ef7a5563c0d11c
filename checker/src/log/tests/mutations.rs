//! Valid histories of some size, with one lie put into one conversation of each: the check must tell that lie and no
//! other, and show who told it.
//!
//! Small ones run always. `cargo test --release -p checker each_lie_is_named_rightly_in_large -- --ignored --nocapture`
//! tells each lie a hundred times in histories of a hundred thousand operations, and prints a table.

use std::time::{Duration, Instant};

use super::generate::{Outcome, Range, Shape, Simulated, What, record, simulate};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::differential::lies;
use crate::differential::random::Random;
use crate::history::{History, OperationId};
use crate::limits::Limits;

/// How large the histories are, and how many.
#[derive(Clone, Copy)]
struct Size {
    histories: usize,
    conversations: usize,
    operations: u64,
}

const SMALL: Size = Size { histories: 12, conversations: 2, operations: 160 };

/// A hundred histories of a hundred thousand operations, or as many as `CHECKER_LIES` says.
fn large() -> Size {
    Size { histories: lies(), conversations: 50, operations: 2000 }
}

/// Puts a lie into the operations on a conversation, if it finds a place for it; the operations of which the proof must
/// show one.
type Lie = fn(&mut Random, &mut Vec<Simulated>) -> Option<Vec<usize>>;

fn simulated(random: &mut Random, size: Size, delete_percent: u64) -> Vec<(String, Vec<Simulated>)> {
    let shape = Shape {
        processes: 6,
        operations: size.operations,
        info_percent: 4,
        delete_percent,
        limit_max: 12,
        final_reads: 5,
        forgets: 0,
    };
    let rooms = 0..size.conversations;
    rooms.map(|room| (format!("room{room}"), simulate(random.bits(), &shape))).collect()
}

fn check(history: &History) -> Vec<Anomaly> {
    let findings = crate::log::check(history, &Limits::none());
    assert_eq!(findings.doubts, Vec::<String>::new());
    findings.anomalies
}

/// Tells a lie in many histories, of which so many percent are deletes, and expects that it is found out each time.
#[track_caller]
fn tells(size: Size, delete_percent: u64, (told_as, expected): (&str, AnomalyKind), lie: Lie) {
    let (mut told, mut seed, mut times) = (0, 0, Vec::new());
    while told < size.histories {
        assert!(seed < 20 * size.histories as u64, "no place for the lie `{told_as}`");
        let mut random = Random(seed);
        seed += 1;
        let mut rooms = simulated(&mut random, size, delete_percent);
        let victim = random.below(rooms.len());
        let Some(about) = lie(&mut random, &mut rooms[victim].1) else { continue };
        told += 1;
        let (history, ids) = record(&rooms);
        let index = |id: OperationId| history.operation(id).invoked.index;
        let about: Vec<u32> = about.into_iter().map(|number| index(ids[victim][number])).collect();
        let (anomalies, time) = timed(|| check(&history));
        times.push(time);
        let told_of = || format!("seed {}, {told_as}: {anomalies:#?}", seed - 1);
        let is_it = |anomaly: &Anomaly| {
            anomaly.kind == expected
                && anomaly.key.as_ref() == Some(&rooms[victim].0)
                && anomaly.operations.iter().any(|shown| about.contains(&shown.index))
        };
        assert!(!anomalies.is_empty() && anomalies.iter().all(is_it), "{about:?}, {}", told_of());
    }
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!(
        "{:<15} {told_as:<22} {:<18} {told:>3} of {told:<3} {median:>8.1?}",
        "conversation",
        expected.name()
    );
}

/// What something comes to, and how long it takes.
#[expect(clippy::disallowed_methods, reason = "it is told how long a check takes, and that decides nothing")]
fn timed<T>(something: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let result = something();
    (result, begin.elapsed())
}

/// An operation that is so.
fn pick(random: &mut Random, plan: &[Simulated], wanted: impl Fn(&Simulated) -> bool) -> Option<usize> {
    let all: Vec<usize> = (0..plan.len()).filter(|number| wanted(&plan[*number])).collect();
    (!all.is_empty()).then(|| all[random.below(all.len())])
}

/// An acknowledged send.
fn acknowledged(random: &mut Random, plan: &[Simulated]) -> Option<usize> {
    pick(random, plan, |operation| {
        operation.outcome == Outcome::Ok && matches!(operation.what, What::Send { .. })
    })
}

/// A successful read with at least `messages` messages that is not final, so that later reads tell better.
fn read(random: &mut Random, plan: &[Simulated], messages: usize) -> Option<usize> {
    pick(random, plan, |operation| match &operation.what {
        What::Read { entries, last: false, .. } => {
            operation.outcome == Outcome::Ok && entries.len() >= messages
        }
        _ => false,
    })
}

/// What a read shows.
fn entries(operation: &mut Simulated) -> Option<&mut Vec<(u64, u64)>> {
    match &mut operation.what {
        What::Read { entries, .. } => Some(entries),
        What::Send { .. } | What::Delete { .. } => None,
    }
}

/// The last number of the conversation.
fn last(plan: &[Simulated]) -> Option<u64> {
    let heads = plan.iter().filter_map(|operation| match operation.what {
        What::Read { head, .. } => Some(head),
        What::Send { .. } | What::Delete { .. } => None,
    });
    heads.max()
}

/// The send of a message.
fn send(plan: &[Simulated], message: u64) -> Option<usize> {
    plan.iter().position(|operation| matches!(operation.what, What::Send { id, .. } if id == message))
}

fn all(size: Size) {
    losses(size);
    pages(size);
    identities(size);
    numbers(size);
    deletes(size);
}

#[test]
fn each_lie_is_named_rightly() {
    all(SMALL);
}

#[test]
#[ignore = "minutes, and only with optimization"]
fn each_lie_is_named_rightly_in_large_histories_of_conversations() {
    all(large());
}

fn losses(size: Size) {
    tells(size, 0, ("lost everywhere", AnomalyKind::Lost), |random, plan| {
        let lost = acknowledged(random, plan)?;
        let What::Send { id: message, seq } = plan[lost].what else { return None };
        // Without its last message, a page would only be short.
        if Some(seq) == last(plan) {
            return None;
        }
        let since = plan[lost].completed;
        let mut about = vec![lost];
        for (number, operation) in plan.iter_mut().enumerate().filter(|(_, it)| it.completed > since) {
            if let What::Read { entries, .. } = &mut operation.what
                && entries.iter().any(|(_, id)| *id == message)
            {
                entries.retain(|(_, id)| *id != message);
                about.push(number);
            }
        }
        Some(about)
    });
    tells(size, 0, ("old state", AnomalyKind::StaleRead), |random, plan| {
        let number = read(random, plan, 1)?;
        let begin = plan[number].invoked;
        let known = plan.iter().filter_map(|operation| match operation.what {
            What::Send { seq, .. } if operation.outcome == Outcome::Ok && operation.completed < begin => {
                Some(seq)
            }
            _ => None,
        });
        let known = known.max()?;
        let What::Read { entries, head, range, .. } = &mut plan[number].what else { return None };
        *head = random.below(known);
        entries.retain(|(seq, _)| seq <= head);
        // A backward page of an older state would show other messages.
        matches!(range, Range::After(..)).then(|| vec![number])
    });
}

fn pages(size: Size) {
    tells(size, 0, ("page too long", AnomalyKind::OverlongPage), |random, plan| {
        let number = read(random, plan, 2)?;
        let What::Read { range, entries, .. } = &mut plan[number].what else { return None };
        let (Range::After(_, limit) | Range::Before(_, limit)) = range;
        *limit = entries.len() as u64 - 1;
        Some(vec![number])
    });
    tells(size, 0, ("page out of order", AnomalyKind::WrongPage), |random, plan| {
        let number = read(random, plan, 2)?;
        entries(&mut plan[number])?.swap(0, 1);
        Some(vec![number])
    });
    tells(size, 0, ("another range", AnomalyKind::WrongPage), |random, plan| {
        let number = read(random, plan, 2)?;
        let What::Read { range, entries, .. } = &mut plan[number].what else { return None };
        match range {
            Range::After(seq, _) => *seq = entries[0].0,
            Range::Before(seq, _) => *seq = entries[entries.len() - 1].0,
        }
        Some(vec![number])
    });
    tells(size, 0, ("head too small", AnomalyKind::WrongHead), |random, plan| {
        let number = read(random, plan, 1)?;
        let begin = plan[number].invoked;
        let What::Read { head, entries, .. } = &mut plan[number].what else { return None };
        let shown = entries.last()?.0;
        *head = shown - 1;
        // What was proven before it began would make it stale besides.
        let is_known = plan.iter().any(|other| {
            other.completed < begin
                && match &other.what {
                    What::Send { seq, .. } => other.outcome == Outcome::Ok && *seq >= shown,
                    What::Read { head, .. } => other.outcome == Outcome::Ok && *head >= shown,
                    What::Delete { .. } => false,
                }
        });
        (!is_known).then(|| vec![number])
    });
}

fn identities(size: Size) {
    tells(size, 0, ("two change places", AnomalyKind::Moved), |random, plan| {
        let number = read(random, plan, 4)?;
        let entries = entries(&mut plan[number])?;
        let (one, other) = (entries[0].1, entries[3].1);
        (entries[0].1, entries[3].1) = (other, one);
        Some(vec![number])
    });
    tells(size, 0, ("one behind others", AnomalyKind::Moved), |random, plan| {
        let number = read(random, plan, 4)?;
        let entries = entries(&mut plan[number])?;
        let mut ids: Vec<u64> = entries.iter().map(|(_, id)| *id).collect();
        ids[..3].rotate_left(1);
        for (entry, id) in entries.iter_mut().zip(ids) {
            entry.1 = id;
        }
        Some(vec![number])
    });
    tells(size, 0, ("twice on a page", AnomalyKind::Duplicate), |random, plan| {
        let number = read(random, plan, 3)?;
        let entries = entries(&mut plan[number])?;
        entries[2].1 = entries[0].1;
        Some(vec![number])
    });
    tells(size, 0, ("never sent", AnomalyKind::Phantom), |random, plan| {
        let number = read(random, plan, 1)?;
        entries(&mut plan[number])?[0].1 = 999_999;
        Some(vec![number])
    });
    tells(size, 0, ("send refused", AnomalyKind::AbortedRead), |random, plan| {
        let number = read(random, plan, 1)?;
        let message = entries(&mut plan[number])?[0].1;
        let refused = send(plan, message)?;
        // A process that got `info` has no successor under its number, so only an `ok` can be turned.
        (plan[refused].outcome == Outcome::Ok).then(|| {
            plan[refused].outcome = Outcome::Fail;
            vec![refused]
        })
    });
}

fn numbers(size: Size) {
    /// Adds a send behind everything else, in a millisecond from then on.
    fn add(plan: &mut Vec<Simulated>, (from, to): (u64, u64), seq: u64, outcome: Outcome) -> usize {
        let id = 900_000 + plan.len() as u64;
        let (invoked, completed) = (1_000_000_000 + from, 1_000_000_000 + to);
        plan.push(Simulated { process: id, invoked, completed, what: What::Send { id, seq }, outcome });
        plan.len() - 1
    }
    tells(size, 0, ("one number for two", AnomalyKind::Conflict), |_, plan| {
        // Under way at one time, so that neither is late.
        let next = last(plan)? + 1;
        Some(vec![add(plan, (0, 5), next, Outcome::Ok), add(plan, (1, 6), next, Outcome::Ok)])
    });
    tells(size, 0, ("number given late", AnomalyKind::LateAppend), |_, plan| {
        let next = last(plan)? + 1;
        // Of this one nobody knows, so that the one that comes next may be the second.
        add(plan, (0, 9), 0, Outcome::Info);
        add(plan, (1, 3), next + 1, Outcome::Ok);
        Some(vec![add(plan, (4, 6), next, Outcome::Ok)])
    });
    tells(size, 0, ("number nobody has", AnomalyKind::Hole), |_, plan| {
        let number = last(plan)? + 1 + plan.len() as u64;
        Some(vec![add(plan, (0, 1), number, Outcome::Ok)])
    });
}

fn deletes(size: Size) {
    tells(size, 5, ("delete undone", AnomalyKind::Resurrected), |random, plan| {
        let deleted = pick(random, plan, |operation| {
            operation.outcome == Outcome::Ok && matches!(operation.what, What::Delete { .. })
        })?;
        let (since, What::Delete { seq: number }) = (plan[deleted].completed, plan[deleted].what.clone())
        else {
            return None;
        };
        let mut about = vec![deleted];
        for (place, operation) in plan.iter_mut().enumerate().filter(|(_, it)| it.completed > since) {
            if let What::Read { dead, .. } = &mut operation.what
                && dead.contains(&number)
            {
                dead.retain(|seq| *seq != number);
                about.push(place);
            }
        }
        Some(about)
    });
    tells(size, 5, ("delete refused", AnomalyKind::AbortedRead), |random, plan| {
        let number = read(random, plan, 1)?;
        let What::Read { dead, .. } = &plan[number].what else { return None };
        let number = *dead.first()?;
        let deletes = |operation: &Simulated| matches!(operation.what, What::Delete { seq } if seq == number);
        let deletes: Vec<usize> = (0..plan.len()).filter(|at| deletes(&plan[*at])).collect();
        let [refused] = deletes[..] else { return None };
        (plan[refused].outcome == Outcome::Ok).then(|| {
            plan[refused].outcome = Outcome::Fail;
            vec![refused]
        })
    });
}

#[test]
fn messages_that_the_log_forgets_are_lost_whatever_takes_their_numbers() {
    let mut messages = 0;
    for seed in 0..25 {
        let shape = Shape {
            processes: 6,
            operations: 160,
            info_percent: 4,
            delete_percent: 0,
            limit_max: 12,
            final_reads: 5,
            forgets: 3,
        };
        let (history, _) = record(&[("room".to_owned(), simulate(seed, &shape))]);
        let kinds: Vec<AnomalyKind> = check(&history).iter().map(|anomaly| anomaly.kind).collect();
        assert!(kinds.iter().all(|kind| *kind == AnomalyKind::Lost), "seed {seed}: {kinds:?}");
        messages += kinds.len();
    }
    assert!(messages > 50, "{messages} messages were lost in 25 histories");
}

//! Valid histories of some size, with one lie put into each: the check must tell that lie and no other.

use super::generate::{Outcome, Shape, Simulated, What, history, simulate};
use crate::anomaly::AnomalyKind;
use crate::differential::random::Random;
use crate::limits::Limits;

const SHAPE: Shape = Shape {
    processes: 6,
    operations: 160,
    info_percent: 4,
    delete_percent: 0,
    limit_max: 12,
    final_reads: 5,
    forgets: 0,
};

const SEEDS: u64 = 25;

/// Puts a lie into a history, if it finds a place for it.
type Lie = fn(&mut Random, &mut Vec<Simulated>) -> Option<()>;

fn tells(lie: Lie, expected: AnomalyKind) {
    tells_with(0, lie, expected, SEEDS / 2);
}

/// The same for histories of which so many percent are deletes; the lie finds a place in more than `least` of them.
fn tells_with(delete_percent: u64, lie: Lie, expected: AnomalyKind, least: u64) {
    let mut random = Random(11);
    let mut told = 0;
    for seed in 0..SEEDS {
        let mut plan = simulate(seed, &Shape { delete_percent, ..SHAPE });
        assert_eq!(kinds(&plan), [], "seed {seed} is valid before the lie");
        if lie(&mut random, &mut plan).is_none() {
            continue;
        }
        let kinds = kinds(&plan);
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == expected), "seed {seed}: {kinds:?}");
        told += 1;
    }
    assert!(told > least, "the lie was told in {told} of {SEEDS} histories");
}

fn kinds(plan: &[Simulated]) -> Vec<AnomalyKind> {
    let findings = crate::log::check(&history(plan), &Limits::none());
    assert_eq!(findings.doubts, Vec::<String>::new());
    findings.anomalies.iter().map(|anomaly| anomaly.kind).collect()
}

/// An acknowledged message: its id, its number, when it was acknowledged.
fn acknowledged(random: &mut Random, plan: &[Simulated]) -> Option<(u64, u64, u64)> {
    let sends: Vec<_> = plan
        .iter()
        .filter_map(|operation| match operation.what {
            What::Send { id, seq } if operation.outcome == Outcome::Ok => {
                Some((id, seq, operation.completed))
            }
            _ => None,
        })
        .collect();
    (!sends.is_empty()).then(|| sends[random.below(sends.len() as u64) as usize])
}

/// A successful read with at least `messages` messages that is not final, so that later reads tell better.
fn read<'a>(random: &mut Random, plan: &'a mut [Simulated], messages: usize) -> Option<&'a mut Simulated> {
    let mut reads: Vec<_> = plan
        .iter_mut()
        .filter(|operation| match &operation.what {
            What::Read { entries, last: false, .. } => {
                operation.outcome == Outcome::Ok && entries.len() >= messages
            }
            _ => false,
        })
        .collect();
    (!reads.is_empty()).then(|| reads.swap_remove(random.below(reads.len() as u64) as usize))
}

#[test]
fn an_acknowledged_message_removed_from_every_later_read_is_lost() {
    tells(
        |random, plan| {
            let (message, seq, since) = acknowledged(random, plan)?;
            // Without its last message, a page would only be short.
            let last = plan.iter().filter_map(|operation| match operation.what {
                What::Read { head, .. } => Some(head),
                What::Send { .. } | What::Delete { .. } => None,
            });
            if Some(seq) == last.max() {
                return None;
            }
            for operation in plan.iter_mut().filter(|operation| operation.completed > since) {
                if let What::Read { entries, .. } = &mut operation.what {
                    entries.retain(|(_, id)| *id != message);
                }
            }
            Some(())
        },
        AnomalyKind::Lost,
    );
}

#[test]
fn messages_that_the_log_forgets_are_lost_whatever_takes_their_numbers() {
    let mut messages = 0;
    for seed in 0..SEEDS {
        let kinds = kinds(&simulate(seed, &Shape { forgets: 3, ..SHAPE }));
        assert!(kinds.iter().all(|kind| *kind == AnomalyKind::Lost), "seed {seed}: {kinds:?}");
        messages += kinds.len();
    }
    assert!(messages > 2 * SEEDS as usize, "{messages} messages were lost in {SEEDS} histories");
}

#[test]
fn two_messages_that_change_places_in_a_page_have_moved() {
    tells(
        |random, plan| {
            let What::Read { entries, .. } = &mut read(random, plan, 4)?.what else { return None };
            let (one, other) = (entries[0].1, entries[3].1);
            (entries[0].1, entries[3].1) = (other, one);
            Some(())
        },
        AnomalyKind::Moved,
    );
}

#[test]
fn a_message_that_moves_behind_others_takes_them_along() {
    tells(
        |random, plan| {
            let What::Read { entries, .. } = &mut read(random, plan, 4)?.what else { return None };
            let mut ids: Vec<u64> = entries.iter().map(|(_, id)| *id).collect();
            ids[..3].rotate_left(1);
            for (entry, id) in entries.iter_mut().zip(ids) {
                entry.1 = id;
            }
            Some(())
        },
        AnomalyKind::Moved,
    );
}

#[test]
fn a_read_of_an_old_state_is_stale() {
    tells(
        |random, plan| {
            let sends: Vec<(u64, u64)> = plan
                .iter()
                .filter_map(|operation| match operation.what {
                    What::Send { seq, .. } if operation.outcome == Outcome::Ok => {
                        Some((operation.completed, seq))
                    }
                    _ => None,
                })
                .collect();
            let read = read(random, plan, 1)?;
            let known = sends.iter().filter(|(at, _)| *at < read.invoked).map(|(_, seq)| *seq).max()?;
            let What::Read { entries, head, .. } = &mut read.what else { return None };
            *head = random.below(known);
            entries.retain(|(seq, _)| seq <= head);
            // A backward page of an older state would show other messages.
            matches!(read.what, What::Read { range: super::generate::Range::After(..), .. }).then_some(())
        },
        AnomalyKind::StaleRead,
    );
}

#[test]
fn an_id_that_stands_twice_on_a_page_is_a_duplicate() {
    tells(
        |random, plan| {
            let What::Read { entries, .. } = &mut read(random, plan, 3)?.what else { return None };
            entries[2].1 = entries[0].1;
            Some(())
        },
        AnomalyKind::Duplicate,
    );
}

#[test]
fn a_message_that_nobody_sent_is_a_phantom() {
    tells(
        |random, plan| {
            let What::Read { entries, .. } = &mut read(random, plan, 1)?.what else { return None };
            entries[0].1 = 9999;
            Some(())
        },
        AnomalyKind::Phantom,
    );
}

#[test]
fn a_refused_send_that_is_shown_is_an_aborted_read() {
    tells(
        |random, plan| {
            let What::Read { entries, .. } = &read(random, plan, 1)?.what else { return None };
            let message = entries[0].1;
            let send =
                |operation: &&mut Simulated| matches!(operation.what, What::Send { id, .. } if id == message);
            let operation = plan.iter_mut().find(send)?;
            // A process that got `info` has no successor under its number, so only an `ok` can be turned.
            (operation.outcome == Outcome::Ok).then(|| operation.outcome = Outcome::Fail)
        },
        AnomalyKind::AbortedRead,
    );
}

#[test]
fn a_tombstone_that_is_alive_again_in_every_later_read_is_resurrected() {
    let mut random = Random(5);
    let mut told = 0;
    for seed in 0..SEEDS {
        let mut plan = simulate(seed, &Shape { delete_percent: 5, ..SHAPE });
        assert_eq!(kinds(&plan), [], "seed {seed} is valid before the lie");
        let deleted: Vec<(u64, u64)> = plan
            .iter()
            .filter_map(|operation| match operation.what {
                What::Delete { seq } if operation.outcome == Outcome::Ok => Some((operation.completed, seq)),
                _ => None,
            })
            .collect();
        let Some((since, number)) = deleted.get(random.below(deleted.len().max(1) as u64) as usize).copied()
        else {
            continue;
        };
        for operation in plan.iter_mut().filter(|operation| operation.completed > since) {
            if let What::Read { dead, .. } = &mut operation.what {
                dead.retain(|seq| *seq != number);
            }
        }
        assert_eq!(kinds(&plan), [AnomalyKind::Resurrected], "seed {seed}");
        told += 1;
    }
    assert!(told > SEEDS / 2, "the lie was told in {told} of {SEEDS} histories");
}

#[test]
fn a_refused_delete_that_is_shown_is_an_aborted_read() {
    tells_with(
        5,
        |random, plan| {
            let What::Read { dead, .. } = &read(random, plan, 1)?.what else { return None };
            let number = *dead.first()?;
            let delete =
                |operation: &&mut Simulated| matches!(operation.what, What::Delete { seq } if seq == number);
            let mut deletes: Vec<_> = plan.iter_mut().filter(delete).collect();
            let [operation] = &mut deletes[..] else { return None };
            (operation.outcome == Outcome::Ok).then(|| operation.outcome = Outcome::Fail)
        },
        AnomalyKind::AbortedRead,
        3,
    );
}

//! Messages that should not be there, messages with two numbers, numbers with two messages.

use std::cmp::Reverse;

use super::case::Place;
use super::{Diagnosis, Proof, words};
use crate::anomaly::AnomalyKind;
use crate::history::{OperationId, Outcome, Symbol};

/// Messages that were shown but never sent, not yet sent, sent to another conversation, or refused.
pub(super) fn strangers(diagnosis: &mut Diagnosis<'_>) {
    let case = &diagnosis.case;
    let kind = |message: Symbol, place: &Place| {
        let Some(send) = case.sends.get(&message) else { return Some(AnomalyKind::Phantom) };
        let sent = case.operation(*send);
        match sent.outcome {
            _ if sent.key != case.key => Some(AnomalyKind::WrongConversation),
            _ if place.known.index < sent.invoked.index => Some(AnomalyKind::Phantom),
            Outcome::Fail(_) => Some(AnomalyKind::AbortedRead),
            Outcome::Ok(_) | Outcome::Info(_) => None,
        }
    };
    let found: Vec<(AnomalyKind, Symbol, Place)> = case
        .places
        .iter()
        .filter_map(|(message, places)| Some((kind(*message, &places[0])?, *message, places[0])))
        .collect();
    for (kind, message, place) in found {
        let send = diagnosis.case.sends.get(&message).copied();
        let mut proof = Proof::of(kind, send.into_iter().chain([place.first])).about(message, place.seq);
        if let (AnomalyKind::Phantom, Some(send)) = (kind, send) {
            proof = proof.order(place.known, diagnosis.case.operation(send).invoked);
        }
        diagnosis.explained.insert(message);
        diagnosis.report(&proof, |case, scene| match (kind, send) {
            (AnomalyKind::WrongConversation, Some(send)) => {
                words::wrong_conversation(case, message, &place, send)
            }
            (AnomalyKind::AbortedRead, Some(send)) => words::aborted(case, scene, message, &place, send),
            _ => words::phantom(case, scene, message, &place, send),
        });
    }
}

/// Messages with two numbers: duplicates if both places keep showing them, else they have moved.
pub(super) fn two_numbers(diagnosis: &mut Diagnosis<'_>) {
    let mut twice: Vec<(Symbol, Place, Place)> = Vec::new();
    for (&message, places) in &diagnosis.case.places {
        // The two that became known first: there the trouble began.
        if let [one, other, ..] = places[..]
            && !diagnosis.explained.contains(&message)
        {
            twice.push((message, one, other));
        }
    }
    // What moves passes others, which then move a little too: the one that moved farthest is to blame.
    twice.sort_by_key(|(_, one, other)| Reverse(one.seq.abs_diff(other.seq)));
    for (message, one, other) in twice {
        let at_once = both_at_once(diagnosis, message);
        let duplicate = at_once.is_some() || both_stay(diagnosis, message, &one, &other);
        let kind = if duplicate { AnomalyKind::Duplicate } else { AnomalyKind::Moved };
        let operations = [one.first, other.first].into_iter().chain(at_once.map(|(read, _)| read));
        let proof = Proof::of(kind, operations).about(message, other.seq);
        diagnosis.explained.insert(message);
        diagnosis.report(&proof, |case, scene| match at_once {
            Some((read, seqs)) => words::doubled_at_once(case, message, seqs, read),
            None if duplicate => words::doubled(case, message, &one, &other),
            None => words::moved(case, scene, message, &one, &other),
        });
    }
}

/// A page that shows the message at two numbers.
fn both_at_once(diagnosis: &Diagnosis<'_>, message: Symbol) -> Option<(OperationId, (u64, u64))> {
    diagnosis.case.readings.iter().find_map(|reading| {
        let mut seqs = reading.entries.iter().filter(|entry| entry.id == message).map(|entry| entry.seq);
        Some((reading.id, (seqs.next()?, seqs.next()?)))
    })
}

/// Whether reads have shown the message at both numbers, and no page has anything else there.
fn both_stay(diagnosis: &Diagnosis<'_>, message: Symbol, one: &Place, other: &Place) -> bool {
    let kept = |place: &Place| {
        let alone = diagnosis.case.holders[&place.seq].as_slice() == [message];
        place.last_read.is_some() && alone
    };
    kept(one) && kept(other)
}

/// Numbers at which two messages were shown.
pub(super) fn two_messages(diagnosis: &mut Diagnosis<'_>) {
    let case = &diagnosis.case;
    let mut found = Vec::new();
    for (&seq, holders) in &case.holders {
        if let [one, other, ..] = diagnosis.unexplained(holders)[..] {
            let place = |message| *case.place(message, seq).expect("a holder has the place");
            found.push((seq, (one, place(one)), (other, place(other))));
        }
    }
    for (seq, one, other) in found {
        let places = [&one.1, &other.1];
        let firsts = places.map(|place| place.first).into_iter();
        let operations = firsts.chain(places.into_iter().filter_map(|place| place.last_read));
        let proof = Proof::of(AnomalyKind::Conflict, operations).about(one.0, seq);
        diagnosis.report(&proof, |case, _| words::conflict(case, seq, &one, &other));
    }
}

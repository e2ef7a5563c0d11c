//! Messages that should not be there, messages with two numbers, numbers with two messages.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::case::{Place, entry_bytes};
use super::{Diagnosis, Proof, words};
use crate::anomaly::AnomalyKind;
use crate::history::{OperationId, Outcome, Symbol};
use crate::limits::{Budget, Exceeded};

/// Messages that were shown but never sent, not yet sent, sent to another conversation, or refused.
pub(super) fn strangers(diagnosis: &mut Diagnosis<'_>, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
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
    let mut found: Vec<(AnomalyKind, Symbol, Place)> = Vec::new();
    for (message, places) in &case.places {
        budget.step()?;
        if let Some(kind) = kind(*message, &places[0]) {
            budget.push(&mut found, (kind, *message, places[0]))?;
        }
    }
    for (kind, message, place) in found {
        budget.step()?;
        let send = diagnosis.case.sends.get(&message).copied();
        let mut proof = match kind {
            // Whoever sent it later has nothing to do with it.
            AnomalyKind::Phantom => Proof::of(kind, [place.first]).beside(send),
            _ => Proof::of(kind, send.into_iter().chain([place.first])),
        };
        proof = proof.about(message, place.seq);
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
    Ok(())
}

/// Messages with two numbers: duplicates if both places keep showing them, else they have moved.
pub(super) fn two_numbers(diagnosis: &mut Diagnosis<'_>, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
    let mut twice: Vec<(Symbol, Place, Place)> = Vec::new();
    for (&message, places) in &diagnosis.case.places {
        budget.step()?;
        // The two that became known first: there the trouble began.
        if let [one, other, ..] = places[..]
            && !diagnosis.explained.contains(&message)
        {
            budget.push(&mut twice, (message, one, other))?;
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let doubled = doubled(diagnosis, budget)?;
    // What moves passes others, which then move a little too: the one that moved farthest is to blame.
    twice.sort_by_key(|(_, one, other)| Reverse(one.seq.abs_diff(other.seq)));
    for (message, one, other) in twice {
        budget.step()?;
        let at_once = doubled.get(&message).copied();
        let duplicate = at_once.is_some() || both_stay(diagnosis, message, &one, &other);
        let kind = if duplicate { AnomalyKind::Duplicate } else { AnomalyKind::Moved };
        let firsts = [one.first, other.first];
        let proof = match at_once {
            Some((read, _)) => Proof::of(kind, [read]).beside(firsts),
            None => Proof::of(kind, firsts),
        };
        let proof = proof.about(message, other.seq);
        diagnosis.explained.insert(message);
        diagnosis.report(&proof, |case, scene| match at_once {
            Some((read, seqs)) => words::doubled_at_once(case, message, seqs, read),
            None if duplicate => words::doubled(case, message, &one, &other),
            None => words::moved(case, scene, message, &one, &other),
        });
    }
    Ok(())
}

/// The first page that shows a message at two numbers, and the first two numbers there.
type AtOnce = (OperationId, (u64, u64));

/// The messages that a page shows at two numbers.
fn doubled(diagnosis: &Diagnosis<'_>, budget: &mut Budget<'_>) -> Result<BTreeMap<Symbol, AtOnce>, Exceeded> {
    let mut doubled = BTreeMap::new();
    let mut shown = HashMap::new();
    for reading in &diagnosis.case.readings {
        budget.spend(1 + reading.entries.len() as u64)?;
        shown.clear();
        for entry in reading.entries {
            budget.room_in_map(&mut shown)?;
            let Some(first) = shown.insert(entry.id, entry.seq) else { continue };
            if let Entry::Vacant(vacant) = doubled.entry(entry.id) {
                budget.allocate(entry_bytes::<Symbol, AtOnce>())?;
                vacant.insert((reading.id, (first, entry.seq)));
            }
        }
    }
    Ok(doubled)
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
pub(super) fn two_messages(diagnosis: &mut Diagnosis<'_>, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
    let case = &diagnosis.case;
    let mut found = Vec::new();
    for (&seq, holders) in &case.holders {
        budget.spend(1 + holders.len() as u64)?;
        if let [one, other, ..] = diagnosis.unexplained(holders)[..] {
            let place = |message| *case.place(message, seq).expect("a holder has the place");
            budget.push(&mut found, (seq, (one, place(one)), (other, place(other))))?;
        }
    }
    for (seq, one, other) in found {
        budget.step()?;
        let places = [&one.1, &other.1];
        let last_reads = places.into_iter().filter_map(|place| place.last_read);
        let proof = Proof::of(AnomalyKind::Conflict, places.map(|place| place.first)).beside(last_reads);
        let proof = proof.about(one.0, seq);
        diagnosis.report(&proof, |case, _| words::conflict(case, seq, &one, &other));
    }
    Ok(())
}

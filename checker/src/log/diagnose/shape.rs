//! Pages that are not what was asked for, sends that came too late, numbers that nobody holds.

use super::absence::Missed;
use super::case::Reading;
use super::{Diagnosis, Proof, words};
use crate::anomaly::AnomalyKind;
use crate::history::Entry;
use crate::limits::{Budget, Exceeded};
use crate::log::online::Violation;
use crate::log::page;

/// Tells which pages contradict their own question or their own head.
pub(super) fn pages(
    diagnosis: &mut Diagnosis<'_>,
    missed: &Missed,
    budget: &mut Budget<'_>,
) -> Result<(), Exceeded> {
    let mut found = Vec::new();
    for (number, reading) in diagnosis.case.readings.iter().enumerate() {
        budget.spend(1 + reading.entries.len() as u64)?;
        if reading.entries.len() > page::limit(reading.range) as usize {
            let what = format!("{} came", reading.entries.len());
            budget.push(&mut found, (AnomalyKind::OverlongPage, number, what))?;
        } else if !missed.contains_key(&number)
            && let Some((kind, what)) = misfit(diagnosis, reading, budget)?
        {
            budget.push(&mut found, (kind, number, what))?;
        }
    }
    for (kind, number, what) in found {
        budget.step()?;
        let proof = Proof::of(kind, [diagnosis.case.readings[number].id]);
        diagnosis.report(&proof, |case, _| words::page(case, &case.readings[number], &what));
    }
    Ok(())
}

/// What is wrong with a page by itself, apart from the messages whose fate is told.
fn misfit(
    diagnosis: &Diagnosis<'_>,
    reading: &Reading<'_>,
    budget: &mut Budget<'_>,
) -> Result<Option<(AnomalyKind, String)>, Exceeded> {
    let wrong = |what: String| Ok(Some((AnomalyKind::WrongPage, what)));
    let expected = reading.covers();
    let told = |entry: &&Entry| diagnosis.explained.contains(&entry.id);
    let shown: Vec<u64> =
        reading.entries.iter().filter(|entry| !told(entry)).map(|entry| entry.seq).collect();
    if let Some(seq) = shown.iter().find(|seq| **seq > reading.head) {
        return Ok(Some((AnomalyKind::WrongHead, format!("the page shows number {seq}"))));
    }
    if let Some(pair) = shown.windows(2).find(|pair| pair[0] >= pair[1]) {
        return wrong(format!("the page shows number {} after {}", pair[1], pair[0]));
    }
    if let Some(seq) = shown.iter().find(|seq| !expected.contains(seq)) {
        return wrong(format!("the page shows number {seq}"));
    }
    let mut shown = shown.into_iter().peekable();
    for seq in expected {
        budget.tick()?;
        if shown.next_if_eq(&seq).is_none() && !accounted(diagnosis, seq) {
            return wrong(format!("the page leaves out number {seq}"));
        }
    }
    Ok(None)
}

/// Whether a number's absence is explained by what became of its message.
fn accounted(diagnosis: &Diagnosis<'_>, seq: u64) -> bool {
    let holders = diagnosis.case.holders.get(&seq);
    holders.is_some_and(|holders| holders.iter().any(|holder| diagnosis.explained.contains(holder)))
}

/// Tells which messages got a number that had been proven before they were sent.
pub(super) fn late_appends(diagnosis: &mut Diagnosis<'_>, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
    let case = &diagnosis.case;
    let mut found = Vec::new();
    for (&seq, holders) in &case.holders {
        budget.step()?;
        let [message] = holders[..] else { continue };
        let send = case.sends.get(&message).filter(|_| !diagnosis.explained.contains(&message));
        let Some(&send) = send else { continue };
        if let Some(before) = case.floors[&send].proof.filter(|_| seq <= case.floors[&send].seq) {
            budget.push(&mut found, (before, send, message, seq))?;
        }
    }
    for (before, send, message, seq) in found {
        budget.step()?;
        let case = &diagnosis.case;
        let place = case.place(message, seq).expect("a holder has the place");
        // Who shows its number says that it was sent.
        let proof = Proof::of(AnomalyKind::LateAppend, [before, place.first]).beside([send]);
        let mut proof = proof.about(message, seq);
        if let Some(completed) = case.operation(before).completed {
            proof = proof.order(completed, case.operation(send).invoked);
        }
        diagnosis.report(&proof, |case, scene| words::late(case, scene, before, send, seq));
    }
    Ok(())
}

/// Tells the event at which the walk stopped.
pub(super) fn as_found(diagnosis: &mut Diagnosis<'_>, violation: &Violation) {
    let proof = Proof::of(violation.kind, violation.operations());
    diagnosis.report(&proof, |case, scene| words::as_found(case, scene, violation));
}

//! Messages that were deleted and are alive, and tombstones that nobody asked for.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::case::{Case, Reading, entry_bytes};
use super::{Diagnosis, Proof};
use crate::anomaly::AnomalyKind;
use crate::explain::{Scene, client, the_read};
use crate::history::{Input, Moment, OperationId, Outcome, Symbol};
use crate::limits::{Budget, Exceeded};

/// The pages that speak about a message that somebody wanted to delete, by their positions in the case.
#[derive(Debug, Default)]
struct Pages {
    alive: Vec<usize>,
    dead: Vec<usize>,
}

/// Tells which messages are alive after they were deleted, and which tombstones nobody asked for.
pub(super) fn tombstones(diagnosis: &mut Diagnosis<'_>, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
    for (seq, pages) in pages(&diagnosis.case, budget)? {
        budget.spend(1 + (pages.alive.len() + pages.dead.len()) as u64)?;
        let case = &diagnosis.case;
        let message = case.holders.get(&seq).and_then(|holders| holders.first()).copied();
        if message.is_some_and(|message| diagnosis.explained.contains(&message)) {
            continue;
        }
        let unasked = unasked(case, seq, &pages);
        if let Some((kind, operations, read)) = unasked {
            let proof = about(Proof::of(kind, operations.iter().copied().chain([read])), message, seq);
            diagnosis.report(&proof, |case, scene| words_unasked(case, scene, seq, &operations, read));
        } else if let Some(alive) = alive(case, seq, &pages) {
            let kind = if alive.again.is_some() { AnomalyKind::StaleRead } else { AnomalyKind::Resurrected };
            let read = &case.readings[alive.reading];
            let proof = Proof::of(kind, [alive.known_by, read.id]).beside(alive.again);
            let proof = about(proof, message, seq).order(alive.known, read.operation.invoked);
            diagnosis.report(&proof, |case, scene| words_alive(case, scene, seq, &alive));
        }
    }
    Ok(())
}

fn about(proof: Proof, message: Option<Symbol>, seq: u64) -> Proof {
    match message {
        Some(message) => proof.about(message, seq),
        None => proof,
    }
}

/// What pages say about the numbers of which somebody wanted to delete the message, or of which there is a tombstone.
fn pages(case: &Case<'_>, budget: &mut Budget<'_>) -> Result<BTreeMap<u64, Pages>, Exceeded> {
    budget.ticks(case.deletes.len() as u64)?;
    budget.allocate(case.deletes.len() as u64 * entry_bytes::<u64, Pages>())?;
    let mut pages: BTreeMap<u64, Pages> = case.deletes.keys().map(|seq| (*seq, Pages::default())).collect();
    for reading in &case.readings {
        budget.spend(1 + reading.entries.len() as u64)?;
        for entry in reading.entries.iter().filter(|entry| entry.deleted) {
            if let Entry::Vacant(vacant) = pages.entry(entry.seq) {
                budget.allocate(entry_bytes::<u64, Pages>())?;
                vacant.insert(Pages::default());
            }
        }
    }
    for (number, reading) in case.readings.iter().enumerate() {
        budget.spend(1 + reading.entries.len() as u64)?;
        for entry in reading.entries {
            if let Some(pages) = pages.get_mut(&entry.seq) {
                budget.push(if entry.deleted { &mut pages.dead } else { &mut pages.alive }, number)?;
            }
        }
    }
    Ok(pages)
}

/// When a page ended.
fn ended(reading: &Reading<'_>) -> Option<Moment> {
    reading.operation.completed
}

/// A tombstone that was shown before any delete began that did not fail: the failed deletes, and the page.
fn unasked(case: &Case<'_>, seq: u64, pages: &Pages) -> Option<(AnomalyKind, Vec<OperationId>, OperationId)> {
    let first = pages.dead.iter().map(|dead| &case.readings[*dead]).min_by_key(|reading| ended(reading))?;
    let began_before = |id: &&OperationId| Some(case.operation(**id).invoked) < ended(first);
    let deletes = case.deletes.get(&seq).map_or(&[][..], Vec::as_slice);
    let (failed, others): (Vec<OperationId>, Vec<OperationId>) = deletes
        .iter()
        .filter(began_before)
        .partition(|id| matches!(case.operation(**id).outcome, Outcome::Fail(_)));
    if !others.is_empty() {
        return None;
    }
    let kind = if failed.is_empty() { AnomalyKind::Phantom } else { AnomalyKind::AbortedRead };
    Some((kind, failed.into_iter().take(1).collect(), first.id))
}

/// A message that is shown alive after it was known to be deleted.
struct Alive {
    /// The delete or page that first proved it to be deleted, and when that returned.
    known_by: OperationId,
    known: Moment,
    /// The first page that shows it alive, by its position in the case.
    reading: usize,
    /// A later page that shows the tombstone again.
    again: Option<OperationId>,
}

fn alive(case: &Case<'_>, seq: u64, pages: &Pages) -> Option<Alive> {
    let deletes = case.deletes.get(&seq).into_iter().flatten().copied();
    let deletes = deletes.filter(|id| matches!(case.operation(*id).outcome, Outcome::Ok(_)));
    let dead = pages.dead.iter().map(|dead| case.readings[*dead].id);
    let proven = deletes.chain(dead).filter_map(|id| Some((case.operation(id).completed?, id)));
    let (known, known_by) = proven.min()?;
    let began = |number: &usize| case.readings[*number].operation.invoked;
    let mut late = pages.alive.iter().copied().filter(|alive| began(alive) > known);
    let reading = late.next()?;
    let last = late.next_back().unwrap_or(reading);
    let again = pages.dead.iter().find(|dead| began(dead) > began(&last));
    Some(Alive { known_by, known, reading, again: again.map(|dead| case.readings[*dead].id) })
}

fn message(case: &Case<'_>, seq: u64) -> String {
    match case.holders.get(&seq).and_then(|holders| holders.first()) {
        Some(id) => format!("message {}, number {seq},", case.history.text(*id)),
        None => format!("number {seq}"),
    }
}

fn words_alive(case: &Case<'_>, scene: &Scene<'_>, seq: u64, alive: &Alive) -> String {
    let Alive { known_by, known, reading, again } = *alive;
    let (message, at) = (message(case, seq), scene.at(known));
    let by = case.operation(known_by);
    let known = match by.input {
        Input::Delete { .. } => {
            format!("the delete of {message} by {} was acknowledged at {at}", client(case.history, by))
        }
        _ => format!("{message} was shown as deleted at {at} by {}", the_read(case.history, by)),
    };
    let read = case.readings[reading].operation;
    let (began, read) = (scene.at(read.invoked), the_read(case.history, read));
    let then = match again {
        Some(again) => {
            format!("{} shows the tombstone again", the_read(case.history, case.operation(again)))
        }
        None => "no later read shows the tombstone".to_owned(),
    };
    format!("{known}; {read} began at {began} and shows it alive; {then}")
}

fn words_unasked(
    case: &Case<'_>,
    scene: &Scene<'_>,
    seq: u64,
    failed: &[OperationId],
    read: OperationId,
) -> String {
    let (message, read) = (message(case, seq), case.operation(read));
    let at = scene.ended(read);
    let shown = format!("{}, which ended at {at}, shows {message} as deleted", the_read(case.history, read));
    match failed.first().map(|failed| case.operation(*failed)) {
        Some(failed) => {
            let (who, ended) = (client(case.history, failed), scene.ended(failed));
            format!("{shown}, but its delete by {who} failed at {ended}, so it never happened")
        }
        None => format!("{shown}, but nobody had asked for that"),
    }
}

/// Why deletes and pages contradict each other that only together cannot be.
pub(super) fn words_order(case: &Case<'_>, seq: u64) -> String {
    let heads = case.readings.iter().filter_map(|reading| {
        let entry = reading.entries.iter().find(|entry| entry.seq == seq)?;
        Some((reading.head, entry.deleted))
    });
    let (dead, alive): (Vec<_>, Vec<_>) = heads.partition(|(_, deleted)| *deleted);
    match (dead.iter().min(), alive.iter().max()) {
        (Some((dead, _)), Some((alive, _))) if dead < alive => format!(
            "{} is deleted in a conversation that ends at number {dead}, and alive in one that ends at number {alive}",
            message(case, seq)
        ),
        _ => "no order of these operations explains which messages the pages show as deleted".to_owned(),
    }
}

//! Messages that were known and then missing from a read: from its page, or behind its head.
//!
//! A log that forgets its end makes every later read short by every message forgotten, so the pairs of the two are
//! never listed: what is behind a head is found by the order of the numbers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;

use super::case::{Case, Place, Reading, entry_bytes};
use super::{Diagnosis, Proof, words};
use crate::anomaly::AnomalyKind;
use crate::history::{Entry, Moment, OperationId, Symbol};
use crate::limits::{Budget, Exceeded};
use crate::verdict::ANOMALIES_MAX;

/// A page that does not show a message where it was known to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Absence {
    /// The read, by its position in the case.
    reading: usize,
    seq: u64,
    /// Whether another message stands in its place, whose fate is told.
    excused: bool,
}

const ABSENCE: u64 = size_of::<Absence>() as u64;

/// The bytes of the first absence of a message: lists begin with room for four.
const FIRST_ABSENCE: u64 = entry_bytes::<Symbol, Vec<Absence>>() + 4 * ABSENCE;

/// By the positions of reads: the messages that their pages miss but that are not lost, with their numbers.
pub(super) type Missed = BTreeMap<usize, Vec<(u64, Symbol)>>;

/// All that is missing from pages, by message, in the order of the reads.
pub(super) fn from_pages(
    diagnosis: &Diagnosis<'_>,
    budget: &mut Budget<'_>,
) -> Result<BTreeMap<Symbol, Vec<Absence>>, Exceeded> {
    let mut absences: BTreeMap<Symbol, Vec<Absence>> = BTreeMap::new();
    for (number, reading) in diagnosis.case.readings.iter().enumerate() {
        budget.spend(1 + reading.entries.len() as u64)?;
        let Some(page) = covered(diagnosis, reading).filter(|page| !page.is_empty()) else { continue };
        let shown: HashMap<u64, Symbol> = reading.entries.iter().map(|entry| (entry.seq, entry.id)).collect();
        for (&seq, holders) in diagnosis.case.holders.range(page) {
            budget.step()?;
            let instead = shown.get(&seq);
            for message in diagnosis.unexplained(holders) {
                if instead != Some(&message) && known_before(&diagnosis.case, message, seq, reading) {
                    let excused = instead.is_some_and(|instead| diagnosis.explained.contains(instead));
                    let absences = absences.entry(message).or_default();
                    budget.allocate(if absences.is_empty() { FIRST_ABSENCE } else { 2 * ABSENCE })?;
                    absences.push(Absence { reading: number, seq, excused });
                }
            }
        }
    }
    Ok(absences)
}

/// The numbers that a page speaks about, unless it is a page of other numbers: that one says nothing about these.
fn covered(diagnosis: &Diagnosis<'_>, reading: &Reading<'_>) -> Option<RangeInclusive<u64>> {
    let page = reading.covers();
    let other = |entry: &Entry| !page.contains(&entry.seq) && !diagnosis.explained.contains(&entry.id);
    (!reading.entries.iter().any(other)).then_some(page)
}

/// Whether it was certain before the read began that the number is taken, and by this message.
fn known_before(case: &Case<'_>, message: Symbol, seq: u64, reading: &Reading<'_>) -> bool {
    let place = case.place(message, seq).expect("a holder has the place");
    place.known_before(reading) || (seq <= reading.floor.seq && case.holders[&seq].as_slice() == [message])
}

/// The reads by their heads: for each head, the last read that ends there or earlier.
struct Heads(Vec<(u64, usize)>);

impl Heads {
    fn of(readings: &[Reading<'_>]) -> Self {
        let mut heads: Vec<(u64, usize)> =
            readings.iter().enumerate().map(|(number, reading)| (reading.head, number)).collect();
        heads.sort_unstable();
        let mut last = 0;
        for (_, number) in &mut heads {
            last = last.max(*number);
            *number = last;
        }
        Heads(heads)
    }

    /// The last read that ends before a number.
    fn last_before(&self, seq: u64) -> Option<usize> {
        let shorter = self.0.partition_point(|(head, _)| *head < seq);
        Some(self.0[shorter.checked_sub(1)?].1)
    }
}

/// Tells which messages are gone for good; returns the reads whose pages miss others.
pub(super) fn lost(
    diagnosis: &mut Diagnosis<'_>,
    absences: &BTreeMap<Symbol, Vec<Absence>>,
    budget: &mut Budget<'_>,
) -> Result<Missed, Exceeded> {
    let heads = Heads::of(&diagnosis.case.readings);
    let mut missed = Missed::new();
    let mut found = Vec::new();
    for (&message, places) in &diagnosis.case.places {
        budget.step()?;
        // What has two numbers is told already.
        let [place] = places[..] else { continue };
        if diagnosis.explained.contains(&message) {
            continue;
        }
        let absences = absences.get(&message).map_or(&[][..], Vec::as_slice);
        let short = heads.last_before(place.seq).filter(|number| {
            known_before(&diagnosis.case, message, place.seq, &diagnosis.case.readings[*number])
        });
        let Some(last) = absences.last().map(|absence| absence.reading).max(short) else { continue };
        let gone_since = diagnosis.case.readings[last].id;
        if place.final_read.is_none() && place.last_read < Some(gone_since) {
            // Only what will be shown is worth a search.
            let shown = found.len() < ANOMALIES_MAX;
            let first = if shown { first_without(&diagnosis.case, message, &place, absences) } else { None };
            budget.push(&mut found, (message, place, first.unwrap_or(last), last))?;
            continue;
        }
        for absence in absences.iter().filter(|absence| !absence.excused) {
            budget.step()?;
            budget.allocate(entry_bytes::<u64, Symbol>())?;
            missed.entry(absence.reading).or_default().push((absence.seq, message));
        }
    }
    for (message, place, first, last) in found {
        budget.step()?;
        diagnosis.explained.insert(message);
        let readings = &diagnosis.case.readings;
        let beside = [readings[last].id].into_iter().chain(place.last_read);
        let proof = absent(AnomalyKind::Lost, &place, &readings[first]).beside(beside);
        let proof = proof.about(message, place.seq);
        diagnosis.report(&proof, |case, scene| {
            let [first, last] = [first, last].map(|reading| &case.readings[reading]);
            words::lost(case, scene, message, &place, first, last)
        });
    }
    Ok(missed)
}

/// The first read that should have shown the message and did not; if possible one that began when the message was
/// known, for then it takes two operations to see it.
fn first_without(case: &Case<'_>, message: Symbol, place: &Place, absences: &[Absence]) -> Option<usize> {
    let from = case.readings.partition_point(|reading| !place.known_before(reading));
    let short = (from..case.readings.len()).find(|number| {
        let reading = &case.readings[*number];
        reading.head < place.seq && known_before(case, message, place.seq, reading)
    });
    let on_page = absences.iter().map(|absence| absence.reading);
    let known = on_page.clone().find(|reading| *reading >= from);
    known.into_iter().chain(short).min().or(on_page.min())
}

/// The proof that a read lacks what was known before it began.
fn absent(kind: AnomalyKind, place: &Place, reading: &Reading<'_>) -> Proof {
    let proof = |operations: &[OperationId]| Proof::of(kind, operations.iter().copied()).suspect(reading.id);
    match reading.floor.proof {
        _ if place.known_before(reading) => {
            proof(&[place.first, reading.id]).order(place.known, reading.operation.invoked)
        }
        // That the number was taken is enough for a read that ends in front of it; who has it was said later.
        Some(taken) if reading.head < place.seq => proof(&[taken, reading.id]).beside([place.first]),
        taken => Proof::of(kind, [place.first, reading.id].into_iter().chain(taken)).suspect(reading.id),
    }
}

/// The most messages that one read misses of which the clearest is chosen.
const CHOICE: usize = 32;

/// Tells which reads show an old state; first the one that is oldest.
pub(super) fn stale(
    diagnosis: &mut Diagnosis<'_>,
    missed: &Missed,
    budget: &mut Budget<'_>,
) -> Result<(), Exceeded> {
    let mut found = stale_reads(diagnosis, missed, budget)?;
    let age = |stale: &Stale| {
        let reading = &diagnosis.case.readings[stale.reading];
        let place = stale.message.map(|(_, place)| place).filter(|place| place.known_before(reading));
        place.map(|place| reading.operation.invoked.time - place.known.time)
    };
    found.sort_by_key(|stale| Reverse(age(stale)));
    // Another read that misses the same message is a worse example than one that misses another.
    let mut told = HashSet::new();
    let is_new = |stale: &Stale| told.insert(stale.message.map(|(message, _)| message));
    let (first, again): (Vec<Stale>, Vec<Stale>) = found.into_iter().partition(is_new);
    for stale in first.iter().chain(&again) {
        budget.step()?;
        tell_stale(diagnosis, stale);
    }
    Ok(())
}

/// A read of an old state.
struct Stale {
    /// The read, by its position in the case.
    reading: usize,
    /// A message that it misses; `None` if nobody knows which message has the number that it misses.
    message: Option<(Symbol, Place)>,
}

fn stale_reads(
    diagnosis: &Diagnosis<'_>,
    missed: &Missed,
    budget: &mut Budget<'_>,
) -> Result<Vec<Stale>, Exceeded> {
    let case = &diagnosis.case;
    let mut known = Known::of(diagnosis, budget)?;
    let mut found = Vec::new();
    for (number, reading) in case.readings.iter().enumerate() {
        // The messages among which the clearest is chosen are worth something too.
        budget.spend(if reading.head < reading.floor.seq { CHOICE as u64 } else { 1 })?;
        known.advance(reading.operation.invoked);
        let behind = (reading.head < reading.floor.seq).then(|| reading.head + 1..=reading.floor.seq);
        let on_page = missed.get(&number).into_iter().flatten();
        let on_page = on_page.filter(|(seq, _)| known.by_seq.contains_key(seq)).copied().take(CHOICE);
        let behind_head = behind.clone().into_iter().flat_map(|behind| known.behind(behind));
        let places = on_page
            .chain(behind_head)
            .map(|(seq, message)| (message, *case.place(message, seq).expect("a holder has the place")));
        let clearest = places.min_by_key(|(_, place)| (!place.known_before(reading), place.known));
        if clearest.is_some() || behind.is_some_and(|behind| case.holders.range(behind).next().is_none()) {
            budget.push(&mut found, Stale { reading: number, message: clearest })?;
        }
    }
    Ok(found)
}

fn tell_stale(diagnosis: &mut Diagnosis<'_>, stale: &Stale) {
    let case = &diagnosis.case;
    let reading = &case.readings[stale.reading];
    let Some((message, place)) = stale.message else {
        let proven = reading.floor.proof;
        let mut proof = Proof::of(AnomalyKind::StaleRead, proven.into_iter().chain([reading.id]));
        if let Some(completed) = proven.and_then(|proven| case.operation(proven).completed) {
            proof = proof.order(completed, reading.operation.invoked);
        }
        diagnosis.report(&proof, |case, scene| words::stale_head(case, scene, &case.readings[stale.reading]));
        return;
    };
    // A read that showed it before is all the proof it takes that it was there to be seen.
    let is_shown = case.sends.get(&message) != Some(&place.first);
    // Only what will be shown is worth a search.
    let shown_by = if is_shown || !diagnosis.is_drawn(AnomalyKind::StaleRead) {
        None
    } else {
        shown_by(case, stale.reading, message, place.seq)
    };
    let proof = absent(AnomalyKind::StaleRead, &place, reading).beside(shown_by).about(message, place.seq);
    diagnosis.report(&proof, |case, scene| {
        words::stale(case, scene, message, &place, &case.readings[stale.reading], shown_by)
    });
}

/// A read that shows the message: the first one that began after the read at `position`, else the first of all.
fn shown_by(case: &Case<'_>, position: usize, message: Symbol, seq: u64) -> Option<OperationId> {
    let (before, after) = case.readings.split_at(position);
    let mut in_order = after.iter().chain(before);
    in_order.find(|reading| reading.shows(message, seq)).map(|reading| reading.id)
}

/// The messages of which nothing is told, by number, as far as their place is certain at a moment that moves on.
struct Known {
    by_seq: BTreeMap<u64, Symbol>,
    /// Those whose number was another message's before, the last to become known first.
    later: Vec<(Moment, u64, Symbol)>,
}

impl Known {
    /// The first few messages with numbers in a range, and the last one: that is the proof's own, if an
    /// acknowledgement proved the range.
    fn behind(&self, range: RangeInclusive<u64>) -> impl Iterator<Item = (u64, Symbol)> {
        let mut messages = self.by_seq.range(range).map(|(seq, message)| (*seq, *message));
        let last = messages.next_back();
        messages.take(CHOICE).chain(last)
    }

    fn of(diagnosis: &Diagnosis<'_>, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let mut known = Known { by_seq: BTreeMap::new(), later: Vec::new() };
        for (&seq, holders) in &diagnosis.case.holders {
            budget.spend(1 + holders.len() as u64)?;
            let [message] = diagnosis.unexplained(holders)[..] else { continue };
            budget.allocate(entry_bytes::<u64, Symbol>())?;
            if holders.len() == 1 {
                // Once the number is proven, it can only be this one.
                known.by_seq.insert(seq, message);
            } else {
                let place = diagnosis.case.place(message, seq).expect("a holder has the place");
                known.later.push((place.known, seq, message));
            }
        }
        known.later.sort_unstable_by(|one, other| other.cmp(one));
        Ok(known)
    }

    fn advance(&mut self, now: Moment) {
        while let Some((_, seq, message)) = self.later.pop_if(|(known, _, _)| known.index < now.index) {
            self.by_seq.insert(seq, message);
        }
    }
}

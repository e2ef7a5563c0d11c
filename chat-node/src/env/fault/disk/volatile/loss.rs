//! What of the unsynced changes is on the disk when the power fails. Pure; it does no I/O.
//!
//! # The model
//! A disk writes sectors of [`SECTOR_BYTES`], each whole or not at all, in any order ([`Keep::Some`]); or it writes in
//! order and dies in the middle of one write, perhaps in the middle of a sector ([`Keep::Torn`]). With [`Keep::Some`]:
//!
//! * The new length of a file is kept or lost as one. When it is lost and a sector beyond the old length is kept, the
//!   file reaches to the end of what is kept.
//! * A file that was cut is cut on the disk before anything is that was written behind the cut.
//! * A file that was never synced is there when anything of it is.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::unsynced::{Change, SECTOR_BYTES, Unsynced, What, length, place};

/// What a power failure keeps of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Everything: a process that was killed, on a system that lives on.
    Everything,
    /// Nothing.
    Nothing,
    /// A subset of the sectors, in no order, drawn from `seed`.
    Some {
        /// Decides which.
        seed: u64,
    },
    /// All writes in order up to one, of which a part is kept, drawn from `seed`.
    Torn {
        /// Decides which.
        seed: u64,
    },
}

/// What became of what was not synced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loss {
    /// Bytes that were written, not synced, and are lost.
    pub bytes_lost: u64,
    /// Bytes that were written, not synced, and are on the disk all the same.
    pub bytes_kept: u64,
    /// Sectors with unsynced bytes of which at least one is lost.
    pub sectors_lost: u64,
    /// Sectors with unsynced bytes, all of which are kept.
    pub sectors_kept: u64,
    /// One write was kept in part.
    pub torn: bool,
}

impl Loss {
    /// Counts the unsynced bytes of a file. `kept` says how many of a range of bytes, which one change wrote within one
    /// sector, are kept.
    fn count(&mut self, file: &Unsynced, kept: impl Fn(u64, Range<u64>) -> u64) {
        let mut sectors: BTreeMap<u64, bool> = BTreeMap::new();
        for (&at, piece) in file.newest() {
            for (sector, part) in sectors_of(at, at + length(&piece.bytes)) {
                let bytes = part.end - part.start;
                let kept = kept(piece.order, part);
                self.bytes_kept += kept;
                self.bytes_lost += bytes - kept;
                *sectors.entry(sector).or_insert(true) &= kept == bytes;
            }
        }
        for kept in sectors.into_values() {
            *if kept { &mut self.sectors_kept } else { &mut self.sectors_lost } += 1;
        }
    }
}

/// The sectors that `at..end` touches, with the part of it in each.
fn sectors_of(at: u64, end: u64) -> impl Iterator<Item = (u64, Range<u64>)> {
    (at / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES))
        .map(move |sector| (sector, at.max(sector * SECTOR_BYTES)..end.min((sector + 1) * SECTOR_BYTES)))
}

/// What is to be done to each file on the disk, by name, and what that comes to.
pub(super) type Decision = (Vec<(String, Vec<What>)>, Loss);

/// Decides what is kept of `files`.
pub(super) fn decide(files: &BTreeMap<String, Unsynced>, keep: Keep) -> Decision {
    let mut loss = Loss::default();
    let all =
        |file: &Unsynced| if file.changes().is_empty() { Vec::new() } else { file.image().steps().collect() };
    let steps = match keep {
        Keep::Everything => {
            files.values().for_each(|file| loss.count(file, |_, part| part.end - part.start));
            files.iter().map(|(name, file)| (name.clone(), all(file))).collect()
        }
        Keep::Nothing => {
            files.values().for_each(|file| loss.count(file, |_, _| 0));
            Vec::new()
        }
        Keep::Some { seed } => {
            files.iter().map(|(name, file)| (name.clone(), some(name, file, seed, &mut loss))).collect()
        }
        Keep::Torn { seed } => torn(files, seed, &mut loss),
    };
    (steps, loss)
}

/// A number that depends on all of these and nothing else.
fn draw(seed: u64, name: &str, what: &str, number: u64) -> u64 {
    let mut hash = xxhash_rust::xxh3::Xxh3::with_seed(seed);
    hash.update(&length(name.as_bytes()).to_le_bytes());
    hash.update(name.as_bytes());
    hash.update(what.as_bytes());
    hash.update(&number.to_le_bytes());
    hash.digest()
}

fn some(name: &str, file: &Unsynced, seed: u64, loss: &mut Loss) -> Vec<What> {
    if file.changes().is_empty() {
        return Vec::new();
    }
    let drawn = |sector: u64| draw(seed, name, "sector", sector).is_multiple_of(2);
    let kept: BTreeSet<u64> = file
        .newest()
        .iter()
        .flat_map(|(at, piece)| sectors_of(*at, at + length(&piece.bytes)).map(|(sector, _)| sector))
        .filter(|sector| drawn(*sector))
        .collect();
    loss.count(
        file,
        |_, part| if kept.contains(&(part.start / SECTOR_BYTES)) { part.end - part.start } else { 0 },
    );

    let was_cut = file.durable().is_some_and(|durable| file.cut() < durable);
    let behind_cut = kept.last().is_some_and(|last| (last + 1) * SECTOR_BYTES > file.cut());
    let length_kept = (was_cut && behind_cut) || draw(seed, name, "length", 0).is_multiple_of(2);
    let mut steps = Vec::new();
    if length_kept {
        steps.extend(was_cut.then_some(What::SetLength(file.cut())));
        steps.push(What::SetLength(file.length()));
    }
    for (&at, piece) in file.newest() {
        let sectors = sectors_of(at, at + length(&piece.bytes));
        for (_, part) in sectors.filter(|(sector, _)| kept.contains(sector)) {
            let bytes = piece.bytes.slice(place(part.start - at)..place(part.end - at));
            steps.push(What::Write(part.start, bytes));
        }
    }
    steps
}

fn torn(files: &BTreeMap<String, Unsynced>, seed: u64, loss: &mut Loss) -> Vec<(String, Vec<What>)> {
    let divisible = |change: &&Change| matches!(&change.what, What::Write(_, bytes) if bytes.len() > 1);
    let changes = || files.values().flat_map(Unsynced::changes);
    let mut orders: Vec<u64> = changes().filter(divisible).map(|change| change.order).collect();
    if orders.is_empty() {
        // Nothing that was written can be torn: the power fails between two changes.
        orders = changes().map(|change| change.order).collect();
    }
    orders.sort_unstable();
    let pick = |what: &str, choices: u64| draw(seed, "", what, 0) % choices;
    let choices = u64::try_from(orders.len()).expect("a count in memory fits 64 bits");
    let Some(last) = (choices > 0).then(|| orders[place(pick("write", choices))]) else { return Vec::new() };

    // How far the last write came, as an offset in its file.
    let reached = changes().find(|change| change.order == last).map_or(0, |change| match &change.what {
        What::SetLength(_) => 0,
        What::Write(at, bytes) => reached(*at, at + length(bytes), &pick),
    });
    let kept = |order: u64, part: Range<u64>| match order.cmp(&last) {
        Ordering::Less => part.end - part.start,
        Ordering::Equal => reached.clamp(part.start, part.end) - part.start,
        Ordering::Greater => 0,
    };
    let mut decided = Vec::new();
    for (name, file) in files {
        loss.count(file, kept);
        let mut steps = Vec::new();
        for change in file.changes().iter().filter(|change| change.order <= last) {
            match &change.what {
                what if change.order < last => steps.push(what.clone()),
                What::Write(at, bytes) if reached > *at => {
                    loss.torn = true;
                    steps.push(What::Write(*at, bytes.slice(..place(reached - at))));
                }
                What::Write(..) | What::SetLength(_) => {}
            }
        }
        decided.push((name.clone(), steps));
    }
    decided
}

/// Where the write of `at..end` was cut off: at the edge of a sector or within one.
fn reached(at: u64, end: u64, pick: &impl Fn(&str, u64) -> u64) -> u64 {
    if end - at < 2 {
        return at;
    }
    let (first, last) = (at / SECTOR_BYTES + 1, (end - 1) / SECTOR_BYTES);
    if first <= last && pick("edge", 2) == 0 {
        (first + pick("sector", last - first + 1)) * SECTOR_BYTES
    } else {
        at + 1 + pick("byte", end - at - 1)
    }
}

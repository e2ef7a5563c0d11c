//! Deletes: which messages are tombstones, and since when.
//!
//! A message has two versions, and the first delete that takes effect makes the second: let `D` be its point. A page
//! that shows the message alive is before `D`, one that shows the tombstone is behind it. `D` is somewhere between the
//! first invocation of a delete of this message that did not fail and the first return that proves it, of a delete or
//! of a page; any such place is inside the interval of that first delete, and the other deletes change nothing.
//!
//! What two operations can contradict is found with the second one:
//! - a page that shows the message alive began before `D` was proven;
//! - a page that shows the tombstone returned after some delete that did not fail began, and its head is not below
//!   what was proven then;
//! - no page with a greater head shows the message alive than one that shows the tombstone.
//!
//! What it takes more operations for is left to [`order`](super::order) at the end. A page that began after `D` was
//! proven says nothing new there, so only what overlaps is remembered: for each message that somebody wanted to delete
//! the latest and the longest page that shows it alive, the first and the shortest that shows the tombstone, and a page
//! of its own only if it shows one message before and another behind their `D`.

use std::collections::BTreeMap;

use super::{Completing, Page, Violation};
use crate::anomaly::AnomalyKind;

/// What is known of the deletes of one conversation, since the first of them began.
#[derive(Debug)]
pub(super) struct Deletes {
    /// By number, the messages that somebody wanted to delete.
    pub(super) tombs: BTreeMap<u32, Tomb>,
    /// The pages that show one message before and another behind their `D`.
    pub(super) between: Vec<Between>,
    pub(super) levels: Levels,
}

/// A message that somebody wanted to delete.
#[derive(Debug, Default)]
pub(super) struct Tomb {
    /// The deletes that have not failed, in the order of their invocation.
    pub(super) tries: Vec<Try>,
    /// The first return that proves it to be deleted.
    pub(super) dead: Option<Proof>,
    /// The shortest page that shows the tombstone and began before that.
    pub(super) short: Option<Shown>,
    /// The last page to begin that shows it alive.
    pub(super) last_alive: Option<Proof>,
    /// The longest page that shows it alive.
    pub(super) long_alive: Option<Shown>,
}

/// A delete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try {
    pub(super) operation: u32,
    pub(super) began: u32,
    /// `F` when it was invoked.
    floor: u32,
}

/// An operation and one of its events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proof {
    pub(super) event: u32,
    pub(super) operation: u32,
}

/// A page and the length of the conversation that it saw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) head: u32,
    pub(super) operation: u32,
}

/// A page that is behind some deletes and before others, all of them not proven when it began.
#[derive(Debug)]
pub(super) struct Between {
    pub(super) operation: u32,
    pub(super) began: u32,
    pub(super) ended: u32,
    pub(super) head: u32,
    pub(super) dead: Box<[u32]>,
    pub(super) alive: Box<[u32]>,
}

/// For each length of the conversation, from that on which was proven when the first delete began: what bounds the
/// moment at which it was reached. Events before that moment bound nothing that depends on a delete.
#[derive(Debug, Default)]
pub(super) struct Levels {
    pub(super) base: u32,
    /// When the send of the message that made this length was invoked.
    pub(super) called: Vec<u32>,
    /// When the length was proven; [`Levels::NEVER`] if it was not.
    pub(super) passed: Vec<u32>,
    /// When the last page that saw this length began.
    pub(super) read: Vec<u32>,
}

impl Levels {
    pub(super) const NEVER: u32 = u32::MAX;

    fn at(column: &mut Vec<u32>, base: u32, length: u32, unknown: u32) -> Option<&mut u32> {
        let place = length.checked_sub(base)? as usize;
        if column.len() <= place {
            column.resize(place + 1, unknown);
        }
        Some(&mut column[place])
    }

    /// The message with this number was sent then.
    pub(super) fn called(&mut self, seq: u32, event: u32) {
        if let Some(called) = Self::at(&mut self.called, self.base, seq, 0) {
            *called = event;
        }
    }

    /// The length was proven then.
    pub(super) fn passed(&mut self, length: u32, event: u32) {
        if let Some(passed) = Self::at(&mut self.passed, self.base, length, Self::NEVER) {
            *passed = event;
        }
    }

    /// A page that began then saw this length.
    pub(super) fn read(&mut self, length: u32, event: u32) {
        if let Some(read) = Self::at(&mut self.read, self.base, length, 0) {
            *read = event.max(*read);
        }
    }
}

impl Deletes {
    /// No deletes yet in a conversation of which `base` messages are proven.
    pub(super) fn new(base: u32) -> Self {
        let levels = Levels { base, ..Levels::default() };
        Deletes { tombs: BTreeMap::new(), between: Vec::new(), levels }
    }

    /// A delete begins.
    pub(super) fn begin(&mut self, seq: u32, by: &Completing) {
        let Completing { operation, began, floor, .. } = *by;
        self.tombs.entry(seq).or_default().tries.push(Try { operation, began, floor });
    }

    /// A delete succeeds.
    pub(super) fn succeed(&mut self, seq: u32, by: &Completing, now: u32) -> Result<(), Violation> {
        let tomb = self.tombs.entry(seq).or_default();
        tomb.dead.get_or_insert(Proof { event: now, operation: by.operation });
        Ok(())
    }

    /// A delete fails, so that another one has to be the first.
    pub(super) fn fail(&mut self, seq: u32, by: &Completing) -> Result<(), Violation> {
        let tomb = self.tombs.entry(seq).or_default();
        tomb.tries.retain(|delete| delete.operation != by.operation);
        let Some(dead) = tomb.dead else { return Ok(()) };
        match tomb.tries.first() {
            Some(first) if first.began < dead.event => tomb.long_enough(seq, by),
            Some(_) | None => Err(by.violation(AnomalyKind::AbortedRead, seq.into(), [dead.operation])),
        }
    }

    /// A page of a conversation, which has been found to be in order as far as numbers go.
    pub(super) fn page(&mut self, shown: &Page<'_>, by: &Completing, now: u32) -> Result<(), Violation> {
        let number = |place: u64| u32::try_from(shown.first + place).expect("a number on a page is proven");
        let head = u32::try_from(shown.head).expect("a head is proven");
        self.levels.read(head, by.began);
        if shown.messages.is_empty() {
            return Ok(());
        }
        for place in shown.tombstones {
            let seq = number((*place).into());
            if !self.tombs.contains_key(&seq) {
                return Err(by.violation(AnomalyKind::Phantom, seq.into(), []));
            }
        }
        let (mut dead, mut alive) = (Vec::new(), Vec::new());
        let range = number(0)..=number(shown.messages.len() as u64 - 1);
        for (&seq, tomb) in self.tombs.range_mut(range) {
            let is_settled = tomb.dead.is_some_and(|dead| dead.event < by.began);
            let place = seq - number(0);
            if shown.tombstones.binary_search(&place).is_err() {
                tomb.alive(seq, by, head)?;
                alive.push(seq);
            } else if !is_settled {
                tomb.tombstone(seq, by, head, now)?;
                dead.push(seq);
            }
        }
        if !dead.is_empty() && !alive.is_empty() {
            let Completing { operation, began, .. } = *by;
            let (dead, alive) = (dead.into(), alive.into());
            self.between.push(Between { operation, began, ended: now, head, dead, alive });
        }
        Ok(())
    }

    /// About how many bytes this needs.
    pub(super) fn bytes(&self) -> u64 {
        let Levels { called, passed, read, .. } = &self.levels;
        let levels = (called.len() + passed.len() + read.len()) * size_of::<u32>();
        let tombs = self.tombs.len() * (size_of::<(u32, Tomb)>() + size_of::<Try>());
        (size_of::<Deletes>() + levels + tombs + self.between.len() * size_of::<Between>()) as u64
    }
}

impl Tomb {
    /// A page shows the message alive.
    fn alive(&mut self, seq: u32, by: &Completing, head: u32) -> Result<(), Violation> {
        if let Some(dead) = self.dead.filter(|dead| dead.event < by.began) {
            let others = [dead.operation].into_iter().chain(self.first());
            return Err(by.violation(AnomalyKind::Resurrected, seq.into(), others));
        }
        if let Some(short) = self.short.filter(|short| short.head < head) {
            let others = [short.operation].into_iter().chain(self.first());
            return Err(by.violation(AnomalyKind::Resurrected, seq.into(), others));
        }
        let operation = by.operation;
        if self.last_alive.is_none_or(|last| last.event < by.began) {
            self.last_alive = Some(Proof { event: by.began, operation });
        }
        if self.long_alive.is_none_or(|long| long.head < head) {
            self.long_alive = Some(Shown { head, operation });
        }
        Ok(())
    }

    /// A page that began before the message was proven to be deleted shows the tombstone.
    fn tombstone(&mut self, seq: u32, by: &Completing, head: u32, now: u32) -> Result<(), Violation> {
        if self.tries.is_empty() {
            return Err(by.violation(AnomalyKind::AbortedRead, seq.into(), []));
        }
        let operation = by.operation;
        self.dead.get_or_insert(Proof { event: now, operation });
        if self.short.is_none_or(|short| head < short.head) {
            self.short = Some(Shown { head, operation });
        }
        if let Some(long) = self.long_alive.filter(|long| long.head > head) {
            let others = [long.operation].into_iter().chain(self.first());
            return Err(by.violation(AnomalyKind::Resurrected, seq.into(), others));
        }
        self.long_enough(seq, by)
    }

    /// Whether the pages that show the tombstone saw all that was proven before any delete began.
    fn long_enough(&self, seq: u32, by: &Completing) -> Result<(), Violation> {
        match (self.short, self.tries.first()) {
            (Some(short), Some(first)) if short.head < first.floor => {
                let others = [short.operation, first.operation];
                Err(by.violation(AnomalyKind::Phantom, seq.into(), others))
            }
            _ => Ok(()),
        }
    }

    /// The first delete.
    pub(super) fn first(&self) -> Option<u32> {
        self.tries.first().map(|delete| delete.operation)
    }
}

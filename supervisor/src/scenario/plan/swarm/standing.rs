//! The faults that stand, and what they leave of the majority while members come and go.
//!
//! A fault that means a `minority` takes out more nodes of seven than of five. So each is weighed at every number of
//! members that there may be: a change counts from its beginning as one that may or may not have come about, and what
//! [`toll`] adds up is looked at for each number. A fault that stands while the number changes took its nodes of the old
//! number and counts among the new one, so there the most that each may have taken must fit into the fewest members.
//! Both the old and the new members then have a majority, as a change needs.
//!
//! One change runs at a time. Members are never fewer than the founders without one, even if nothing that was to be
//! added came; and they are at most founders and spares, which are at most [`NODES_MAX`].
//!
//! # Caveats
//! A change that the cluster does not carry out in its time although a majority is there all the while may come about
//! later, beside another one.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::GAP;
use super::toll::{self, Toll};
use crate::quorum::may_fail;
use crate::scenario::plan::NODES_MAX;
use crate::scenario::verb::{Disk, DiskVerb, Membership, Verb};

/// What a change does to the number of members, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    /// How many more there are.
    joining: usize,
    /// How many fewer.
    leaving: usize,
    /// How many spares it uses up.
    spares: usize,
}

impl Change {
    fn of(change: &Membership, nodes: usize) -> Self {
        let count = toll::changed(change, nodes);
        let none = Self { joining: 0, leaving: 0, spares: 0 };
        match change {
            Membership::Add => Self { joining: count, spares: count, ..none },
            Membership::Remove(_) => Self { leaving: count, ..none },
            Membership::Replace(_) | Membership::Wipe(_) => Self { spares: count, ..none },
        }
    }
}

/// What a fault costs the cluster, in the worst case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Burden {
    /// How many nodes it takes out, for each number of members.
    worst: [usize; NODES_MAX as usize + 1],
    /// What it changes of the members.
    pub(super) change: Option<Change>,
    /// A node may be gone for good with what it stored.
    pub(super) is_final: bool,
    /// For how long it stands where it ends by itself.
    pub(super) own_length: Duration,
    /// How long after it was lifted the nodes that it took out count again.
    pub(super) recovery: Duration,
}

impl Burden {
    /// The burden of `verb` for a cluster that may have up to `nodes` members.
    pub(super) fn of(verb: &Verb, nodes: usize) -> Self {
        let change = match verb {
            Verb::Membership(change) => Some(Change::of(change, nodes)),
            _ => None,
        };
        Self {
            worst: std::array::from_fn(|count| if count == 0 { 0 } else { Toll::of(verb, count).most }),
            change,
            is_final: matches!(verb, Verb::Disk(Disk { fault: DiskVerb::BitFlip(_), .. })),
            own_length: toll::own_length(verb, nodes),
            recovery: toll::recovery(verb),
        }
    }
}

/// A fault that stands from one time until another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stands {
    from: Duration,
    /// When it is lifted.
    until: Duration,
    /// When the nodes that it took out count again.
    out_until: Duration,
    burden: Burden,
    is_timed: bool,
}

impl Stands {
    pub(super) fn new(burden: Burden, from: Duration, until: Duration, is_timed: bool) -> Self {
        Self { from, until, out_until: until + burden.recovery, burden, is_timed }
    }

    fn shifts(&self) -> bool {
        self.burden.change.is_some_and(|change| change.joining + change.leaving > 0)
    }
}

/// All faults of a plan so far.
#[derive(Debug)]
pub(super) struct Standing {
    founders: usize,
    /// How many spares random faults may use.
    spares: usize,
    all: Vec<Stands>,
}

impl Standing {
    pub(super) fn new(founders: usize, spares: usize) -> Self {
        Self { founders, spares, all: Vec::new() }
    }

    pub(super) fn push(&mut self, fault: Stands) {
        self.all.push(fault);
    }

    /// How many random faults stand at `at`.
    pub(super) fn random_at(&self, at: Duration) -> usize {
        self.all.iter().filter(|one| !one.is_timed && one.until + GAP > at).count()
    }

    /// The next time after `at` at which something is lifted or counts again.
    pub(super) fn next_change(&self, at: Duration) -> Option<Duration> {
        let changes = self.all.iter().flat_map(|one| [one.until + GAP, one.out_until]);
        changes.filter(|change| *change > at).min()
    }

    /// Whether a random fault may stand as far as changes of members and last copies go.
    pub(super) fn allows(&self, new: &Stands) -> bool {
        if new.burden.is_final && self.all.iter().any(|one| !one.is_timed && one.burden.is_final) {
            return false;
        }
        let Some(wanted) = new.burden.change else { return true };
        let changes = || self.all.iter().filter_map(|one| Some((one, one.burden.change?)));
        if changes().any(|(one, _)| one.from < new.until + GAP && new.from < one.until + GAP) {
            return false;
        }
        let used: usize = changes().filter(|(one, _)| !one.is_timed).map(|(_, change)| change.spares).sum();
        let added: usize =
            changes().filter(|(one, _)| one.from <= new.from).map(|(_, change)| change.joining).sum();
        let removed: usize = changes().map(|(_, change)| change.leaving).sum();
        let leaves = removed + wanted.leaving;
        let few = self.founders.saturating_sub(1).max(1);
        used + wanted.spares <= self.spares
            && (wanted.leaving == 0 || (leaves <= added && few + leaves <= self.founders))
    }

    /// Whether a majority is left as long as `new` stands beside the others, and afterwards wherever one was left
    /// without it: other members may be fewer.
    pub(super) fn keeps_majority(&self, new: &Stands) -> bool {
        // What is missing grows only where a fault begins.
        let begins = self.all.iter().map(|one| one.from).filter(|from| *from > new.from);
        let mut moments = begins.filter(|from| *from < new.out_until || new.shifts()).chain([new.from]);
        let takes_none = new.burden.worst.iter().all(|worst| *worst == 0);
        takes_none
            || moments.all(|moment| {
                self.has_majority(moment, Some(new))
                    || (moment >= new.out_until && !self.has_majority(moment, None))
            })
    }

    fn has_majority(&self, moment: Duration, more: Option<&Stands>) -> bool {
        let begun = || self.all.iter().chain(more).filter(|one| one.from <= moment);
        let out = || begun().filter(|one| moment < one.out_until);
        let sizes = self.sizes(moment, more);
        let Some(oldest) =
            out().filter(|one| one.burden.worst.iter().any(|worst| *worst > 0)).map(|one| one.from).min()
        else {
            return true;
        };
        if begun().any(|one| one.shifts() && one.until > oldest) {
            let most = |one: &Stands| sizes.clone().map(|count| one.burden.worst[count]).max().unwrap_or(0);
            return out().map(most).sum::<usize>() <= may_fail(*sizes.start());
        }
        sizes
            .into_iter()
            .all(|count| out().map(|one| one.burden.worst[count]).sum::<usize>() <= may_fail(count))
    }

    /// How many members there may be at `moment`.
    fn sizes(&self, moment: Duration, more: Option<&Stands>) -> RangeInclusive<usize> {
        let begun = self.all.iter().chain(more).filter(|one| one.from <= moment);
        let (mut fewest, mut most) = (self.founders, self.founders);
        for change in begun.filter_map(|one| one.burden.change) {
            fewest = fewest.saturating_sub(change.leaving);
            most = (most + change.joining).min(usize::from(NODES_MAX));
        }
        fewest..=most
    }
}

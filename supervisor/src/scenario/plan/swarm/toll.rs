//! How many nodes a fault takes out.
//!
//! Whom a fault meets is known only when it strikes, so the count is of the worst and of the best case, over every state
//! of the cluster. A node is *out* when the others cannot count on it: it is dead, stands still, or is cut from the rest
//! in at least one direction, or cannot write. Slow, narrow and lossy links, resets, faults between clients and nodes,
//! wrong clocks and slow disks take nobody out.
//!
//! The worst case adds up. A fault of worst case `c` leaves `n-c` nodes that all hear each other; faults of `c` and `d`
//! that stand together leave at least `n-c-d` such nodes. So a majority can work together as long as the sum is at most
//! [`may_fail`]. Two shapes do not leave such a set and yet a majority around a node that it hears: `majorities-ring`
//! and `bridge`. They count for everything that may fail, so that nothing stands beside them.
//!
//! # Caveats
//! A change of members takes one node out while it runs: the one that joins may not have caught up when it is counted,
//! and the one that was wiped is not counted beside it, as it leaves in the same step. A change is taken to be over after
//! [`CHANGING`]. What it leaves of the number of members is the business of [`standing`](super::standing).
//!
//! A partition into explicit `groups` counts as those two shapes do, even where it leaves more.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::fabric::shape::Shape;
use crate::quorum::may_fail;
use crate::scenario::target::Target;
use crate::scenario::verb::{
    Crash, Disk, DiskVerb, Kill, Membership, Network, Partition, Party, Pause, Restart, Verb,
};

/// What a node that was dead may need, from its start until it counts again: to open its files and to hear a leader.
const COMING_BACK: Duration = Duration::from_secs(2);

/// What the change of one member may need, until who joins has caught up and who leaves has left: as long as the change
/// is asked for.
const CHANGING: Duration = Duration::from_secs(20);

/// A node that refuses its damaged disk does not come back: a year is longer than any load.
const FOR_GOOD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What a graceful restart may need: a node that stops answers what it was asked, and closes its files.
const RESTARTING: Duration = Duration::from_secs(6);

/// What lifting anything else may need.
const LIFTING: Duration = Duration::from_millis(250);

/// How many nodes a fault takes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) struct Toll {
    /// In the worst case.
    pub(in crate::scenario) most: usize,
    /// In the best case in which it strikes.
    pub(in crate::scenario) least: usize,
}

impl Toll {
    const NONE: Self = Self { most: 0, least: 0 };

    /// The toll of `verb` in a cluster of so many nodes.
    pub(in crate::scenario) fn of(verb: &Verb, nodes: usize) -> Self {
        match verb {
            Verb::Kill(Kill { target, .. })
            | Verb::Pause(Pause { target })
            | Verb::Restart(Restart { target }) => Self::from(meant(target, nodes)),
            Verb::Partition(Partition { shape, .. }) => of_shape(shape, nodes),
            Verb::Network(network) => of_links(network, nodes),
            Verb::Disk(Disk { fault: DiskVerb::Slow(_), .. })
            | Verb::Clock(_)
            | Verb::TransferLeader(_)
            | Verb::Snapshot(_) => Self::NONE,
            Verb::Membership(change) => Self { most: changed(change, nodes), least: 0 },
            Verb::Disk(Disk { target, .. }) => Self::from(meant(target, nodes)),
            // A node may never come to the point.
            Verb::Crash(Crash { target, .. }) => Self { least: 0, ..Self::from(meant(target, nodes)) },
        }
    }

    /// Whether this alone leaves no majority of `nodes`, whomever it meets.
    pub(in crate::scenario) fn breaks(self, nodes: usize) -> bool {
        self.least > may_fail(nodes)
    }
}

impl From<RangeInclusive<usize>> for Toll {
    fn from(nodes: RangeInclusive<usize>) -> Self {
        Self { most: *nodes.end(), least: *nodes.start() }
    }
}

/// How many members of `nodes` a change is about at most.
pub(super) fn changed(change: &Membership, nodes: usize) -> usize {
    change.target().map_or(1, |target| *meant(target, nodes).end())
}

/// How many nodes a target means, at least and at most.
fn meant(target: &Target, nodes: usize) -> RangeInclusive<usize> {
    match target {
        // While nobody leads, all may follow; and a node that does not answer in time is not known to.
        Target::Any | Target::Followers => 1..=nodes,
        Target::All => nodes..=nodes,
        Target::Named(names) => names.len()..=names.len(),
        target => {
            let count = target.count(nodes).expect("every other target is a number of nodes");
            count..=count
        }
    }
}

fn of_shape(shape: &Shape, nodes: usize) -> Toll {
    let exactly = |count: usize| Toll { most: count, least: count };
    match shape {
        Shape::One | Shape::OneWay | Shape::UntilSnapshot => exactly(1),
        // Of an even number no half is a majority.
        Shape::Halves => exactly(nodes / 2),
        Shape::LeaderInMinority | Shape::LeaderInMajority => exactly(may_fail(nodes)),
        Shape::MajoritiesRing | Shape::Bridge => Toll { most: may_fail(nodes), least: 0 },
        Shape::Isolate(target) => {
            // Those who are left out are the fewer, on whichever side; somebody is on each.
            let meant = meant(target, nodes);
            let sides = (*meant.start()).max(1)..=(*meant.end()).min(nodes.saturating_sub(1));
            let fewer = || sides.clone().map(|count| count.min(nodes - count));
            Toll { most: fewer().max().unwrap_or(0), least: fewer().min().unwrap_or(0) }
        }
        Shape::Groups(groups) => {
            let hears = |node: &String| {
                let with = groups.iter().filter(|group| group.contains(node)).flatten();
                with.collect::<std::collections::BTreeSet<_>>().len()
            };
            let best = groups.iter().flatten().map(hears).max().unwrap_or(0);
            if best > nodes / 2 { Toll { most: may_fail(nodes), least: 0 } } else { exactly(nodes) }
        }
    }
}

/// Links that are silent take out those at one of their ends; all links are gone without those of the smaller end.
fn of_links(network: &Network, nodes: usize) -> Toll {
    let (Party::Nodes(from), Party::Nodes(to)) = (&network.from, &network.to) else { return Toll::NONE };
    if !(network.hold || network.black_hole) {
        return Toll::NONE;
    }
    let (senders, receivers) = (meant(from, nodes), meant(to, nodes));
    let least = match (from, to) {
        (_, Target::All) => *senders.start(),
        (Target::All, _) => *receivers.start(),
        // Who is at both ends, or at none, is known only then.
        _ => 0,
    };
    Toll { most: (*senders.end()).min(*receivers.end()), least }
}

/// For how long a strike of `verb` at a cluster of `nodes` stands that was given no length.
pub(super) fn own_length(verb: &Verb, nodes: usize) -> Duration {
    match verb {
        Verb::Restart(_) => RESTARTING,
        // One after the other.
        Verb::Membership(change) => CHANGING * u32::try_from(changed(change, nodes)).unwrap_or(u32::MAX),
        _ => Duration::ZERO,
    }
}

/// How long after a fault was to be lifted the nodes count again.
pub(super) fn recovery(verb: &Verb) -> Duration {
    match verb {
        Verb::Disk(Disk { fault: DiskVerb::BitFlip(_), .. }) => FOR_GOOD,
        Verb::Kill(_) | Verb::Restart(_) | Verb::Disk(_) | Verb::Crash(_) => COMING_BACK,
        Verb::Membership(_) => COMING_BACK,
        Verb::Pause(_) | Verb::Partition(_) | Verb::Network(_) | Verb::Clock(_) => LIFTING,
        Verb::TransferLeader(_) | Verb::Snapshot(_) => LIFTING,
    }
}

//! What a fault can be for: each verb, and each way of a verb that does something of its own, once.
//!
//! A strike has struck when each of its deeds is proven, by what it counted when it was lifted: a partition by the
//! directions in which something was kept, a slow disk by the calls that came late. `reach: { struck: … }` asks for it fault by
//! fault, and a test of the project's scenarios asks for every deed that there is.

use super::{Call, Clock, Disk, DiskVerb, Loss, Membership, Network, Partition, Verb};
use crate::fabric::shape::Shape;
use crate::scenario::count::Count;
use crate::scenario::step::Action;
use crate::scenario::word::{Word, words};

words! {
    /// What a fault is for.
    pub enum Deed {
        /// Processes end.
        Kill = "kill",
        /// Processes stand still.
        Pause = "pause",
        /// Processes are stopped and started.
        Restart = "restart",
        /// One node on its own.
        PartitionOne = "partition.one",
        /// Two sides.
        PartitionHalves = "partition.halves",
        /// Each node sees a majority, each another one.
        PartitionMajoritiesRing = "partition.majorities-ring",
        /// Two sides, and a node that sees both.
        PartitionBridge = "partition.bridge",
        /// The leader on the smaller side.
        PartitionLeaderInMinority = "partition.leader-in-minority",
        /// The leader on the greater side.
        PartitionLeaderInMajority = "partition.leader-in-majority",
        /// A node that cannot send, or cannot hear.
        PartitionOneWay = "partition.one-way",
        /// A follower on its own, until it needs a snapshot.
        PartitionUntilSnapshot = "partition.until-snapshot",
        /// Nodes that a target means.
        PartitionIsolate = "partition.isolate",
        /// Nodes that are in no group together.
        PartitionGroups = "partition.groups",
        /// Any of these, in one direction.
        PartitionInOneDirection = "partition.in-one-direction",
        /// Bytes come late.
        NetworkDelay = "network.delay",
        /// Few bytes come.
        NetworkRate = "network.rate",
        /// Packets are lost.
        NetworkLoss = "network.loss",
        /// Bytes are kept.
        NetworkHold = "network.hold",
        /// Bytes vanish.
        NetworkBlackHole = "network.black-hole",
        /// Connections are reset.
        NetworkReset = "network.reset",
        /// Wall clocks are off.
        ClockJump = "clock.jump",
        /// Clocks of timers are ahead.
        ClockTimers = "clock.timers",
        /// Clocks run at another speed.
        ClockDrift = "clock.drift",
        /// Wall clocks jump to and fro.
        ClockStrobe = "clock.strobe",
        /// The power fails, and nothing is kept that was not synced.
        DiskPowerLossAll = "disk.power-loss.all",
        /// The power fails, and some of it is kept.
        DiskPowerLossSome = "disk.power-loss.some",
        /// The power fails in the middle of a write.
        DiskTornWrite = "disk.torn-write",
        /// Bits change at rest.
        DiskBitFlip = "disk.bit-flip",
        /// Reads fail.
        DiskReadError = "disk.io-error.read",
        /// Writes fail.
        DiskWriteError = "disk.io-error.write",
        /// Syncs fail.
        DiskSyncError = "disk.io-error.sync",
        /// There is no space left.
        DiskFull = "disk.full",
        /// Syncs come late.
        DiskSlow = "disk.slow",
        /// Syncs hang.
        DiskStuck = "disk.stuck",
        /// Processes end at points of their code.
        Crash = "crash",
        /// A spare joins.
        MembershipAdd = "membership.add",
        /// Nodes leave.
        MembershipRemove = "membership.remove",
        /// A spare takes the place of a node.
        MembershipReplace = "membership.replace",
        /// A node loses its disk.
        MembershipWipe = "membership.wipe",
        /// Another node leads.
        TransferLeader = "transfer-leader",
        /// Nodes make snapshots.
        Snapshot = "snapshot",
        /// Nodes go on with another program.
        Upgrade = "upgrade",
        /// Nodes are restarted in turn.
        RollingRestart = "rolling-restart",
        /// Nodes are stopped, and started by a later step.
        Stop = "stop",
    }
}

impl Deed {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied()
    }

    /// Its word: that of the verb, and of the way.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.word()
    }

    /// The figures of which one, not being 0, proves that it was done; see [`Deed::ends_in_snapshot`].
    #[must_use]
    pub fn proof(self) -> &'static [Count] {
        match self {
            Self::Kill => &[Count::Kills],
            Self::Pause => &[Count::Pauses],
            Self::Restart | Self::RollingRestart | Self::Stop => &[Count::Restarts],
            Self::PartitionOne
            | Self::PartitionHalves
            | Self::PartitionMajoritiesRing
            | Self::PartitionBridge
            | Self::PartitionLeaderInMinority
            | Self::PartitionLeaderInMajority
            | Self::PartitionOneWay
            | Self::PartitionUntilSnapshot
            | Self::PartitionIsolate
            | Self::PartitionGroups
            | Self::PartitionInOneDirection => &[Count::LinksStruck],
            Self::NetworkDelay => &[Count::BytesSlowed],
            Self::NetworkRate => &[Count::BytesSlowed, Count::PacketsDropped],
            Self::NetworkLoss => &[Count::PacketsDropped],
            Self::NetworkHold => &[Count::BytesHeld],
            Self::NetworkBlackHole => &[Count::BytesLost],
            Self::NetworkReset => &[Count::ConnectionsReset],
            Self::ClockJump | Self::ClockTimers | Self::ClockDrift | Self::ClockStrobe => &[Count::ClocksSet],
            Self::DiskPowerLossAll | Self::DiskPowerLossSome => &[Count::UnsyncedBytesDropped],
            Self::DiskTornWrite => &[Count::WritesTorn],
            Self::DiskBitFlip => &[Count::BitsFlipped],
            Self::DiskReadError | Self::DiskWriteError | Self::DiskSyncError | Self::DiskFull => {
                &[Count::DiskCallsStruck, Count::DiskFailures]
            }
            Self::DiskSlow | Self::DiskStuck => &[Count::DiskCallsStruck],
            Self::Crash => &[Count::Crashes],
            Self::MembershipAdd | Self::MembershipReplace => &[Count::MembersAdded],
            Self::MembershipRemove => &[Count::MembersRemoved],
            Self::MembershipWipe => &[Count::DisksWiped],
            Self::TransferLeader => &[Count::LeadersTransferred],
            Self::Snapshot => &[Count::SnapshotsForced],
            Self::Upgrade => &[Count::Upgrades],
        }
    }

    /// It is done only if a node that was struck got a snapshot afterwards, which is what it is for.
    #[must_use]
    pub fn ends_in_snapshot(self) -> bool {
        self == Self::PartitionUntilSnapshot
    }
}

impl Verb {
    /// What it is for; each must be proven for the strike to have struck.
    #[must_use]
    pub fn deeds(&self) -> Vec<Deed> {
        match self {
            Self::Kill(_) => vec![Deed::Kill],
            Self::Pause(_) => vec![Deed::Pause],
            Self::Restart(_) => vec![Deed::Restart],
            Self::Partition(partition) => of_partition(partition),
            Self::Network(network) => of_network(network),
            Self::Clock(clock) => of_clock(clock),
            Self::Disk(disk) => vec![of_disk(disk)],
            Self::Crash(_) => vec![Deed::Crash],
            Self::Membership(Membership::Add) => vec![Deed::MembershipAdd],
            Self::Membership(Membership::Remove(_)) => vec![Deed::MembershipRemove],
            Self::Membership(Membership::Replace(_)) => vec![Deed::MembershipReplace],
            Self::Membership(Membership::Wipe(_)) => vec![Deed::MembershipWipe],
            Self::TransferLeader(_) => vec![Deed::TransferLeader],
            Self::Snapshot(_) => vec![Deed::Snapshot],
        }
    }
}

impl Action {
    /// What it is for, as a fault; nothing, for a step that is none.
    #[must_use]
    pub fn deeds(&self) -> Vec<Deed> {
        match self {
            Self::Strike(strike) => strike.verb.deeds(),
            Self::Upgrade(_) => vec![Deed::Upgrade],
            Self::RollingRestart(_) => vec![Deed::RollingRestart],
            Self::Stop(_) => vec![Deed::Stop],
            Self::Wait(_) | Self::WaitFor(_) | Self::Assert(_) | Self::Start(_) | Self::Heal(_) => Vec::new(),
        }
    }
}

fn of_partition(Partition { shape, one_way }: &Partition) -> Vec<Deed> {
    let shape = match shape {
        Shape::One => Deed::PartitionOne,
        Shape::Halves => Deed::PartitionHalves,
        Shape::MajoritiesRing => Deed::PartitionMajoritiesRing,
        Shape::Bridge => Deed::PartitionBridge,
        Shape::LeaderInMinority => Deed::PartitionLeaderInMinority,
        Shape::LeaderInMajority => Deed::PartitionLeaderInMajority,
        Shape::OneWay => Deed::PartitionOneWay,
        Shape::UntilSnapshot => Deed::PartitionUntilSnapshot,
        Shape::Isolate(_) => Deed::PartitionIsolate,
        Shape::Groups(_) => Deed::PartitionGroups,
    };
    std::iter::once(shape).chain(one_way.then_some(Deed::PartitionInOneDirection)).collect()
}

fn of_network(Network { from: _, to: _, lag, rate, loss, hold, black_hole, reset }: &Network) -> Vec<Deed> {
    let all = [
        (lag.is_some(), Deed::NetworkDelay),
        (rate.is_some(), Deed::NetworkRate),
        (loss.is_some(), Deed::NetworkLoss),
        (*hold, Deed::NetworkHold),
        (*black_hole, Deed::NetworkBlackHole),
        (*reset, Deed::NetworkReset),
    ];
    said(all)
}

fn of_clock(Clock { target: _, jump, timers, drift, strobe, strobe_every: _ }: &Clock) -> Vec<Deed> {
    let all = [
        (jump.is_some(), Deed::ClockJump),
        (timers.is_some(), Deed::ClockTimers),
        (drift.is_some(), Deed::ClockDrift),
        (strobe.is_some(), Deed::ClockStrobe),
    ];
    said(all)
}

fn of_disk(Disk { target: _, fault }: &Disk) -> Deed {
    match fault {
        DiskVerb::PowerLoss(Loss::All) => Deed::DiskPowerLossAll,
        DiskVerb::PowerLoss(Loss::Some) => Deed::DiskPowerLossSome,
        DiskVerb::PowerLoss(Loss::Torn) => Deed::DiskTornWrite,
        DiskVerb::BitFlip(_) => Deed::DiskBitFlip,
        DiskVerb::IoError(Call::Read) => Deed::DiskReadError,
        DiskVerb::IoError(Call::Write) => Deed::DiskWriteError,
        DiskVerb::IoError(Call::Sync) => Deed::DiskSyncError,
        DiskVerb::Full => Deed::DiskFull,
        DiskVerb::Slow(_) => Deed::DiskSlow,
        DiskVerb::Stuck => Deed::DiskStuck,
    }
}

fn said(all: impl IntoIterator<Item = (bool, Deed)>) -> Vec<Deed> {
    all.into_iter().filter(|(is_said, _)| *is_said).map(|(_, deed)| deed).collect()
}

#[cfg(test)]
mod tests {
    use super::super::FaultKind;
    use super::*;

    #[test]
    fn the_word_of_a_deed_begins_with_that_of_its_verb() {
        let verbs: Vec<&str> =
            FaultKind::words().into_iter().chain(["upgrade", "rolling-restart", "stop"]).collect();
        for deed in Deed::all() {
            let verb = deed.name().split('.').next();
            assert!(verb.is_some_and(|verb| verbs.contains(&verb)), "{}", deed.name());
        }
        for verb in verbs {
            assert!(Deed::all().any(|deed| deed.name().split('.').next() == Some(verb)), "{verb}");
        }
    }

    #[test]
    fn every_shape_that_is_a_word_is_a_deed() {
        for word in Shape::words() {
            let shape: Shape = word.parse().unwrap();
            let deeds = of_partition(&Partition { shape, one_way: false });
            let names: Vec<&str> = deeds.iter().map(|deed| deed.name()).collect();
            assert_eq!(names, [format!("partition.{word}")]);
        }
    }
}

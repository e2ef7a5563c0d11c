//! Bugs that can be planted, to see whether a testbed finds them.
//!
//! They exist only in a build with the feature `bugs`, which says so in its version. Each bites in one line, or as few
//! as it takes, marked by [`Bugs::has`]; without the feature the set is always empty, and the compiler removes the line.
//!
//! # What it does not do
//! * It does not break what is under the node: disks, clocks and links are broken by `env::fault` and by the testbed. Most
//!   of these bugs bite only when that happens, as the ones they are modelled on did.
//! * It does not change the library of consensus. A bug inside of it is planted as the nearest one around it, and says so.

pub mod ahead;
pub mod disk;
pub mod habits;
pub mod heads;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A bug like one that a real system had; where one is known, it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// Entries of the log are acknowledged before they are on stable storage (NATS#7567, etcd#14370). Bites at a power
    /// failure.
    AckBeforeSync,
    /// A vote is not stored (robustmq#2039, PySyncObj#201). Bites when a node restarts within an election.
    ForgetVote,
    /// A leader's snapshot is declared, and the log purged behind it, before state and snapshot are on stable storage.
    /// Bites at a power failure.
    PurgeBeforeSnapshot,
    /// A damaged entry of the log is taken for its end (NATS#7549). Bites at a flipped bit.
    AcceptDamage,
    /// An error of a sync is not an error ("fsyncgate", PostgreSQL 2018). Bites at an error of the disk and a power failure
    /// after it.
    IgnoreSyncError,
    /// A node without data comes back as the voter that it was (RabbitMQ#12366). Bites at a wiped disk.
    RejoinWiped,
    /// A leader counts a follower that does not answer as one that has the entry (openraft#1802). Bites when a leader is
    /// cut off.
    CommitAlone,
    /// A node that takes a snapshot forgets the members in it (openraft#1808).
    ForgetMembers,
    /// A follower refuses every snapshot, so that one that has fallen behind the purged log stays behind (openraft#1828).
    RefuseSnapshot,
    /// A node gives its vote without a look at the candidate's log.
    VoteForAnyone,
    /// A leader that restarts goes on in its term without asking anybody, with what its disk kept of the log (the
    /// default of openraft 0.10.0-alpha.37).
    LeaderRestore,
    /// A linearizable read is answered from the node's own state, without asking whether it is the newest (etcd 2014,
    /// Consul#54).
    StaleRead,
    /// A leader answers reads alone as long as its clock says that its lease holds (openraft#1747, etcd#20418). Bites when
    /// the clock runs slow.
    TrustLease,
    /// A linearizable read asks which index it must see and does not wait until the node has applied it.
    ReadBeforeApply,
    /// A node answers reads before it has caught up with its own log (RedisRaft#18). Bites after a restart.
    ServeBeforeReplay,
    /// The outcomes of operations are not remembered, so one that is tried again is done again (Redpanda#3039,
    /// jetcd#1444).
    ForgetAttempts,
    /// An operation of which nobody knows the outcome is said to have failed.
    UnknownAsRefused,
    /// Each node puts its own clock into its state.
    LocalTime,
    /// A subscription that goes on after a cursor passes over the first message behind it (etcd#15271, etcd#17529).
    PollSkip,
    /// A subscription that goes on after a cursor tells the message at the cursor again (etcd#17247).
    PollAgain,
    /// The end of the log that a leader takes back stays in the file (a conflicting suffix that is not removed). Bites when
    /// a leader that was cut off restarts soon after it came back.
    KeepTruncated,
    /// A node applies its log to the end, and not only what is committed: what it shows may never have been
    /// (Redpanda#3036). Bites when a leader is cut off.
    ApplyUncommitted,
    /// A node that restarts takes itself for the only voter, and needs nobody's consent (RedisRaft#17, RethinkDB#5289). The
    /// nearest to a change of members that skips its joint step, which cannot be had without changing the library.
    RestartAlone,
    /// The outcomes of operations are not part of a snapshot (Redpanda#5355). Bites when a snapshot is installed.
    SnapshotWithoutOutcomes,
    /// The last sequence of a conversation is taken from a cache that a snapshot does not renew, so a sequence is given
    /// twice (Redpanda#3003, Redpanda#5026). Bites when a snapshot is installed.
    CachedHead,
    /// Every sync takes several times as long. Nothing is wrong with that.
    SlowSync,
    /// Proposals of different people overtake one another. Nothing is wrong with that: no order is promised between those
    /// that are under way at once.
    ReorderProposals,
    /// A leader hands its office over every few seconds. Nothing is wrong with that.
    RestlessLeader,
    /// Every entry is applied twice (RedisRaft#13, etcd#13766). Nobody can see it: what is tried again is done once.
    ApplyTwice,
    /// Temporary files of snapshots are not removed at a start. Nobody can see it until the disk is full.
    KeepTemporaries,
}

/// What a testbed is to say of a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It breaks a promise, and is to be caught.
    Wrong,
    /// It changes what happens and breaks no promise: whoever is flagged for it was wronged.
    Legal,
    /// It is a fault in the code, and clients and operators cannot tell within the length of a test.
    Invisible,
}

impl Bug {
    /// All that can be planted, in a build that can plant any.
    pub const ALL: [Bug; 30] = [
        Bug::AckBeforeSync,
        Bug::ForgetVote,
        Bug::PurgeBeforeSnapshot,
        Bug::AcceptDamage,
        Bug::IgnoreSyncError,
        Bug::RejoinWiped,
        Bug::CommitAlone,
        Bug::ForgetMembers,
        Bug::RefuseSnapshot,
        Bug::VoteForAnyone,
        Bug::LeaderRestore,
        Bug::StaleRead,
        Bug::TrustLease,
        Bug::ReadBeforeApply,
        Bug::ServeBeforeReplay,
        Bug::ForgetAttempts,
        Bug::UnknownAsRefused,
        Bug::LocalTime,
        Bug::PollSkip,
        Bug::PollAgain,
        Bug::KeepTruncated,
        Bug::ApplyUncommitted,
        Bug::RestartAlone,
        Bug::SnapshotWithoutOutcomes,
        Bug::CachedHead,
        Bug::SlowSync,
        Bug::ReorderProposals,
        Bug::RestlessLeader,
        Bug::ApplyTwice,
        Bug::KeepTemporaries,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Bug::AckBeforeSync => "ack-before-sync",
            Bug::ForgetVote => "forget-vote",
            Bug::PurgeBeforeSnapshot => "purge-before-snapshot",
            Bug::AcceptDamage => "accept-damage",
            Bug::IgnoreSyncError => "ignore-sync-error",
            Bug::RejoinWiped => "rejoin-wiped",
            Bug::CommitAlone => "commit-alone",
            Bug::ForgetMembers => "forget-members",
            Bug::RefuseSnapshot => "refuse-snapshot",
            Bug::VoteForAnyone => "vote-for-anyone",
            Bug::LeaderRestore => "leader-restore",
            Bug::StaleRead => "stale-read",
            Bug::TrustLease => "trust-lease",
            Bug::ReadBeforeApply => "read-before-apply",
            Bug::ServeBeforeReplay => "serve-before-replay",
            Bug::ForgetAttempts => "forget-attempts",
            Bug::UnknownAsRefused => "unknown-as-refused",
            Bug::LocalTime => "local-time",
            Bug::PollSkip => "poll-skip",
            Bug::PollAgain => "poll-again",
            Bug::KeepTruncated => "keep-truncated",
            Bug::ApplyUncommitted => "apply-uncommitted",
            Bug::RestartAlone => "restart-alone",
            Bug::SnapshotWithoutOutcomes => "snapshot-without-outcomes",
            Bug::CachedHead => "cached-head",
            Bug::SlowSync => "slow-sync",
            Bug::ReorderProposals => "reorder-proposals",
            Bug::RestlessLeader => "restless-leader",
            Bug::ApplyTwice => "apply-twice",
            Bug::KeepTemporaries => "keep-temporaries",
        }
    }

    /// What a testbed is to say of it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Bug::SlowSync | Bug::ReorderProposals | Bug::RestlessLeader => Kind::Legal,
            Bug::ApplyTwice | Bug::KeepTemporaries => Kind::Invisible,
            _ => Kind::Wrong,
        }
    }

    /// Its bit in a set.
    const fn bit(self) -> u64 {
        1 << self as u32
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A bug that cannot be planted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadBug {
    /// There is none of this name.
    #[error("there is no bug `{name}` to plant; there are: {}", names().join(", "))]
    NoSuch {
        /// The name.
        name: String,
    },
    /// The build has none at all.
    #[error("this build has no bugs to plant; build it with `--features bugs`")]
    Without,
}

impl FromStr for Bug {
    type Err = BadBug;

    fn from_str(name: &str) -> Result<Self, BadBug> {
        if !PLANTABLE {
            return Err(BadBug::Without);
        }
        let no_such = || BadBug::NoSuch { name: name.to_owned() };
        Bug::ALL.into_iter().find(|bug| bug.name() == name).ok_or_else(no_such)
    }
}

/// Whether this build can plant bugs.
pub const PLANTABLE: bool = cfg!(feature = "bugs");

/// The names of the bugs that this build can plant.
#[must_use]
pub fn names() -> Vec<&'static str> {
    if PLANTABLE { Bug::ALL.map(Bug::name).to_vec() } else { Vec::new() }
}

/// The bugs that are planted in a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bugs(u64);

impl Bugs {
    /// Plants `bugs`; none of them in a build without the feature.
    #[must_use]
    pub fn planted(bugs: &[Bug]) -> Self {
        Self(if PLANTABLE { bugs.iter().fold(0, |set, bug| set | bug.bit()) } else { 0 })
    }

    /// Whether `bug` is planted.
    #[must_use]
    pub const fn has(self, bug: Bug) -> bool {
        PLANTABLE && self.0 & bug.bit() != 0
    }

    /// The names of those that are planted.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        Bug::ALL.into_iter().filter(|bug| self.has(*bug)).map(|bug| bug.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_planted_only_where_that_was_built_in() {
        let planted = Bugs::planted(&[Bug::StaleRead, Bug::StaleRead]);
        assert_eq!(planted.has(Bug::StaleRead), PLANTABLE);
        assert!(!planted.has(Bug::PollSkip));
        assert_eq!(planted.names().len(), usize::from(PLANTABLE));
        let stale: Result<Bug, _> = "stale-read".parse();
        assert_eq!(stale, if PLANTABLE { Ok(Bug::StaleRead) } else { Err(BadBug::Without) });
        assert!("no-such".parse::<Bug>().is_err());
    }

    #[test]
    fn every_bug_has_a_bit_and_a_name_of_its_own() {
        let bits = Bug::ALL.iter().fold(0, |bits: u64, bug| bits | bug.bit());
        assert_eq!(bits.count_ones() as usize, Bug::ALL.len());
        let names: std::collections::BTreeSet<&str> = Bug::ALL.into_iter().map(Bug::name).collect();
        assert_eq!(names.len(), Bug::ALL.len());
    }
}

//! What a strike does, with nothing left to decide but whom it meets.
//!
//! A verb is written in three forms: as it was said (`scenario::file`), as it is planned (here; `plan.yaml` is this type
//! in YAML) and as it is carried out (`nemesis`, a module for each family).

mod deed;
mod kind;
mod membership;
mod network;
mod node;
mod process;

use serde::{Deserialize, Serialize};

use super::target::Target;
use super::unit::Time;
use super::word::Word;

pub use deed::Deed;
pub use kind::FaultKind;
pub use membership::{Membership, Snapshot, TransferLeader};
pub use network::{Lag, Network, Partition, Party};
pub use node::{Call, Clock, Crash, Disk, DiskVerb, Loss};
pub use process::{Kill, Pause, Restart};

/// What a strike does to its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// A signal.
    Kill(Kill),
    /// SIGSTOP, and SIGCONT later.
    Pause(Pause),
    /// A graceful stop and a new start.
    Restart(Restart),
    /// Nodes that do not hear each other.
    Partition(Partition),
    /// Links that are slow, narrow, held, lossy or reset.
    Network(Network),
    /// Clocks that are wrong.
    Clock(Clock),
    /// A disk that fails, or loses what it was not told to keep.
    Disk(Disk),
    /// A crash at a point of the code.
    Crash(Crash),
    /// Other members.
    Membership(#[serde(with = "serde_yaml::with::singleton_map")] Membership),
    /// Another leader.
    TransferLeader(TransferLeader),
    /// Snapshots on demand.
    Snapshot(Snapshot),
}

/// When a strike that was given no length is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It ends when it has been carried out.
    Itself,
    /// It stands until the heal.
    AtHeal,
}

impl Verb {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Kill(_) => FaultKind::Kill,
            Self::Pause(_) => FaultKind::Pause,
            Self::Restart(_) => FaultKind::Restart,
            Self::Partition(_) => FaultKind::Partition,
            Self::Network(_) => FaultKind::Network,
            Self::Clock(_) => FaultKind::Clock,
            Self::Disk(_) => FaultKind::Disk,
            Self::Crash(_) => FaultKind::Crash,
            Self::Membership(_) => FaultKind::Membership,
            Self::TransferLeader(_) => FaultKind::TransferLeader,
            Self::Snapshot(_) => FaultKind::Snapshot,
        }
    }

    /// Its word in scenarios and reports: `kill`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().word()
    }

    /// Its letter in a timeline.
    #[must_use]
    pub fn letter(&self) -> char {
        match self {
            Self::Kill(_) => 'K',
            Self::Pause(_) => 'P',
            Self::Restart(_) => 'R',
            Self::Partition(_) => 'X',
            Self::Network(_) => 'N',
            Self::Clock(_) => 'C',
            Self::Disk(_) => 'D',
            Self::Crash(_) => '!',
            Self::Membership(_) => 'M',
            Self::TransferLeader(_) => 'L',
            Self::Snapshot(_) => 'S',
        }
    }

    /// When it is over, if the strike says no length.
    #[must_use]
    pub fn end(&self) -> End {
        match self {
            Self::Kill(_)
            | Self::Pause(_)
            | Self::Partition(_)
            | Self::Clock(_)
            | Self::Disk(_)
            | Self::Crash(_) => End::AtHeal,
            Self::Restart(_) | Self::Membership(_) | Self::TransferLeader(_) | Self::Snapshot(_) => {
                End::Itself
            }
            Self::Network(network) if network.is_momentary() => End::Itself,
            Self::Network(_) => End::AtHeal,
        }
    }

    /// What it does and for how long, in words.
    #[must_use]
    pub fn describe(&self, lasts: Option<std::time::Duration>) -> String {
        let what = match self {
            Self::Kill(Kill { target, signal }) => {
                let then = match lasts {
                    Some(after) => format!("start again after {}", Time(after)),
                    None => "start again at the heal".to_owned(),
                };
                return format!("kill {target} with {signal}, {then}");
            }
            Self::Pause(Pause { target }) => format!("pause {target}"),
            Self::Restart(Restart { target }) => format!("restart {target}"),
            Self::Partition(partition) => partition.to_string(),
            Self::Network(network) => network.to_string(),
            Self::Clock(clock) => clock.to_string(),
            Self::Disk(disk) => disk.to_string(),
            Self::Crash(crash) => crash.to_string(),
            Self::Membership(change) => change.to_string(),
            Self::TransferLeader(transfer) => transfer.to_string(),
            Self::Snapshot(snapshot) => snapshot.to_string(),
        };
        match (lasts, self.end()) {
            (Some(lasts), _) => format!("{what} for {}", Time(lasts)),
            (None, End::AtHeal) => format!("{what} until the heal"),
            (None, End::Itself) => what,
        }
    }

    /// The nodes that it is aimed at, where that is a target.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Kill(Kill { target, .. })
            | Self::Pause(Pause { target })
            | Self::Restart(Restart { target }) => Some(target),
            Self::Clock(Clock { target, .. })
            | Self::Disk(Disk { target, .. })
            | Self::Crash(Crash { target, .. })
            | Self::TransferLeader(TransferLeader { to: target })
            | Self::Snapshot(Snapshot { target, .. }) => Some(target),
            Self::Membership(change) => change.target(),
            Self::Partition(_) | Self::Network(_) => None,
        }
    }
}

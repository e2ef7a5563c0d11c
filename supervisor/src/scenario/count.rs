//! What faults do, counted: the figures that prove that a fault struck.

use serde::{Deserialize, Serialize};

use super::word::Word;

/// Something that a fault did, and of which a number can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Count {
    /// Processes that were killed.
    Kills,
    /// Processes that were stopped where they stood.
    Pauses,
    /// Processes that were stopped gracefully and started again.
    Restarts,
    /// Processes that were stopped gracefully and went on as another program.
    Upgrades,
    /// Directions between two parties in which bytes were kept, slowed or lost, or connections refused to come about.
    LinksStruck,
    /// Bytes that were sent into silence, and arrived when it was over.
    BytesHeld,
    /// Bytes that vanished on their way.
    BytesLost,
    /// Packets that the kernel dropped.
    PacketsDropped,
    /// Bytes that came late.
    BytesSlowed,
    /// Connections that were reset.
    ConnectionsReset,
    /// Nodes whose clocks were set wrong.
    ClocksSet,
    /// Bytes that were written, not synced, and lost with the power or the process.
    UnsyncedBytesDropped,
    /// Power failures that tore a write in two.
    WritesTorn,
    /// Calls to a disk that failed, came late or hung.
    DiskCallsStruck,
    /// Nodes that ended because their disk failed.
    DiskFailures,
    /// Bits that changed at rest.
    BitsFlipped,
    /// Nodes that ended at a point of their code.
    Crashes,
    /// Nodes that became members with a vote.
    MembersAdded,
    /// Nodes that were members and left.
    MembersRemoved,
    /// Nodes that lost their disk.
    DisksWiped,
    /// Leaders that handed over to another node.
    LeadersTransferred,
    /// Snapshots that were made because a fault said so.
    SnapshotsForced,
}

impl Word for Count {
    const ALL: &'static [Self] = &[
        Self::Kills,
        Self::Pauses,
        Self::Restarts,
        Self::Upgrades,
        Self::LinksStruck,
        Self::BytesHeld,
        Self::BytesLost,
        Self::PacketsDropped,
        Self::BytesSlowed,
        Self::ConnectionsReset,
        Self::ClocksSet,
        Self::UnsyncedBytesDropped,
        Self::WritesTorn,
        Self::DiskCallsStruck,
        Self::DiskFailures,
        Self::BitsFlipped,
        Self::Crashes,
        Self::MembersAdded,
        Self::MembersRemoved,
        Self::DisksWiped,
        Self::LeadersTransferred,
        Self::SnapshotsForced,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Kills => "kills",
            Self::Pauses => "pauses",
            Self::Restarts => "restarts",
            Self::Upgrades => "upgrades",
            Self::LinksStruck => "links-struck",
            Self::BytesHeld => "bytes-held",
            Self::BytesLost => "bytes-lost",
            Self::PacketsDropped => "packets-dropped",
            Self::BytesSlowed => "bytes-slowed",
            Self::ConnectionsReset => "connections-reset",
            Self::ClocksSet => "clocks-set",
            Self::UnsyncedBytesDropped => "unsynced-bytes-dropped",
            Self::WritesTorn => "writes-torn",
            Self::DiskCallsStruck => "disk-calls-struck",
            Self::DiskFailures => "disk-failures",
            Self::BitsFlipped => "bits-flipped",
            Self::Crashes => "crashes",
            Self::MembersAdded => "members-added",
            Self::MembersRemoved => "members-removed",
            Self::DisksWiped => "disks-wiped",
            Self::LeadersTransferred => "leaders-transferred",
            Self::SnapshotsForced => "snapshots-forced",
        }
    }
}

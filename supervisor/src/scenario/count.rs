//! What faults do, counted: the figures that prove that a fault struck.

use super::word::words;

words! {
    /// Something that a fault did, and of which a number can be given.
    pub enum Count {
        /// Processes that were killed.
        Kills = "kills",
        /// Processes that were stopped where they stood.
        Pauses = "pauses",
        /// Processes that were stopped gracefully and started again.
        Restarts = "restarts",
        /// Processes that were stopped gracefully and went on as another program.
        Upgrades = "upgrades",
        /// Directions between two parties in which bytes were kept, slowed or lost, or connections refused to come about.
        LinksStruck = "links-struck",
        /// Bytes that were sent into silence, and arrived when it was over.
        BytesHeld = "bytes-held",
        /// Bytes that vanished on their way.
        BytesLost = "bytes-lost",
        /// Packets that the kernel dropped.
        PacketsDropped = "packets-dropped",
        /// Bytes that came late.
        BytesSlowed = "bytes-slowed",
        /// Connections that were reset.
        ConnectionsReset = "connections-reset",
        /// Nodes whose clocks were set wrong.
        ClocksSet = "clocks-set",
        /// Bytes that were written, not synced, and lost with the power or the process.
        UnsyncedBytesDropped = "unsynced-bytes-dropped",
        /// Power failures that tore a write in two.
        WritesTorn = "writes-torn",
        /// Calls to a disk that failed, came late or hung.
        DiskCallsStruck = "disk-calls-struck",
        /// Nodes that ended because their disk failed.
        DiskFailures = "disk-failures",
        /// Bits that changed at rest.
        BitsFlipped = "bits-flipped",
        /// Nodes that ended at a point of their code.
        Crashes = "crashes",
        /// Nodes that became members with a vote.
        MembersAdded = "members-added",
        /// Nodes that were members and left.
        MembersRemoved = "members-removed",
        /// Nodes that lost their disk.
        DisksWiped = "disks-wiped",
        /// Leaders that handed over to another node.
        LeadersTransferred = "leaders-transferred",
        /// Snapshots that were made because a fault said so.
        SnapshotsForced = "snapshots-forced",
    }
}

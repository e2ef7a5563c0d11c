//! The kinds of faults: every verb that a fault or a step can have, once.

use crate::scenario::word::words;

words! {
    /// A kind of faults: the verb that does it.
    pub enum FaultKind {
        /// Processes end.
        Kill = "kill",
        /// Processes stand still.
        Pause = "pause",
        /// Processes are stopped and started.
        Restart = "restart",
        /// Nodes do not hear each other.
        Partition = "partition",
        /// Links are slow, narrow, held, lossy or reset.
        Network = "network",
        /// Clocks are wrong.
        Clock = "clock",
        /// Disks fail, or lose what was not synced.
        Disk = "disk",
        /// Processes end at points of their code.
        Crash = "crash",
        /// Nodes join, leave, or lose their disks for good.
        Membership = "membership",
        /// Another node is to lead.
        TransferLeader = "transfer-leader",
        /// Nodes make snapshots.
        Snapshot = "snapshot",
    }
}

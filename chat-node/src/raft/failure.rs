//! Why a replica could not do what it was asked, and whether it may still happen.

use thiserror::Error;

use crate::machine::tables::StoreError;

/// What a read must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Everything that was acknowledged before the read began.
    Linearizable,
    /// What this very node has applied: a prefix of the log.
    Stale,
}

/// A replica could not do what it was asked.
///
/// A variant other than [`Failure::Unknown`] is a proof that the command was never proposed, so it is only made before
/// anything is handed to consensus. No error that consensus itself returns is such a proof.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// No leader is known, or it could not be reached. Never proposed.
    #[error("no leader can be reached")]
    NoLeader {
        /// The leader, when one is known.
        leader: Option<String>,
    },
    /// Too much is in flight. Never proposed.
    #[error("too many operations are in flight")]
    Overloaded,
    /// The node has not caught up with its own log yet. Never proposed.
    #[error("the node is starting")]
    Starting,
    /// The node is on its way out. Never proposed.
    #[error("the node is stopping")]
    Stopping,
    /// The node belongs to no cluster. Never proposed.
    #[error("{}", stranger(*removed))]
    NotAMember {
        /// It was a member, and was removed.
        removed: bool,
    },
    /// The read could not be confirmed, or not in time. Reads change nothing.
    #[error("the read could not be confirmed: {why}")]
    ReadUnavailable {
        /// What went wrong.
        why: String,
        /// The leader, when one is known.
        leader: Option<String>,
    },
    /// It was proposed, or may have been. It may be applied now, later, or never.
    #[error("the outcome is unknown: {why}")]
    Unknown {
        /// What went wrong.
        why: String,
        /// The leader, when one is known.
        leader: Option<String>,
    },
}

impl Failure {
    /// Whether the command was certainly never proposed, and never will be.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        !matches!(self, Failure::Unknown { .. })
    }

    /// The leader, when one is known.
    #[must_use]
    pub fn leader(&self) -> Option<&str> {
        match self {
            Failure::NoLeader { leader }
            | Failure::ReadUnavailable { leader, .. }
            | Failure::Unknown { leader, .. } => leader.as_deref(),
            Failure::Overloaded | Failure::Starting | Failure::Stopping | Failure::NotAMember { .. } => None,
        }
    }
}

fn stranger(removed: bool) -> &'static str {
    match removed {
        true => "the node was removed from the cluster, and serves nobody: ask another one",
        false => "the node waits to be added to a cluster: ask another one",
    }
}

/// A read that met a fault of the disk. The node stops because of it.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Failure::ReadUnavailable { why: error.to_string(), leader: None }
    }
}

//! What is done to the cluster as a whole: who is part of it, who leads it, when it makes a snapshot.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::scenario::target::Target;

/// The cluster gets other members. It ends when that has been done, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Membership {
    /// The next spare joins and gets a vote.
    Add,
    /// Nodes leave; each is stopped when it has left.
    Remove(Target),
    /// The next spare takes the place of a node, in one change; that node is stopped when it has left.
    Replace(Target),
    /// A node loses its process and its disk at once. Its name may have voted and must not come back, so the next spare
    /// takes its place.
    Wipe(Target),
}

/// Another node is to lead. It ends when it does, or could not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TransferLeader {
    /// Whom.
    pub to: Target,
}

/// Nodes make a snapshot now. It ends when they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Snapshot {
    /// Whom.
    pub target: Target,
    /// They also remove from their logs what the snapshot holds.
    pub purge: bool,
}

impl Membership {
    /// Its word in the format.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove(_) => "remove",
            Self::Replace(_) => "replace",
            Self::Wipe(_) => "wipe",
        }
    }

    /// It needs a spare.
    #[must_use]
    pub fn needs_spare(&self) -> bool {
        !matches!(self, Self::Remove(_))
    }

    /// The members that it is aimed at.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Add => None,
            Self::Remove(target) | Self::Replace(target) | Self::Wipe(target) => Some(target),
        }
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add => f.write_str("add a spare"),
            Self::Remove(target) => write!(f, "remove {target}"),
            Self::Replace(target) => write!(f, "replace {target} by a spare"),
            Self::Wipe(target) => write!(f, "wipe {target}, and replace it by a spare"),
        }
    }
}

impl fmt::Display for TransferLeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "let {} lead", self.to)
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purge = if self.purge { ", and purge the log" } else { "" };
        write!(f, "snapshot of {}{purge}", self.target)
    }
}

//! The types that consensus is instantiated with.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use openraft::EmptyNode;
use openraft::impls::leader_id_std;
use thiserror::Error;

use super::async_runtime::NodeRuntime;

openraft::declare_raft_types!(
    /// Standard Raft: a term has at most one leader, so a log id is a term and an index. Members are names; addresses
    /// are in each node's own table.
    ///
    /// Time and chance are the node's own; see [`super::async_runtime`].
    pub TypeConfig:
        D = Proposal,
        R = Answer,
        NodeId = NodeName,
        Node = EmptyNode,
        LeaderId = leader_id_std::LeaderId<u64, NodeName>,
        AsyncRuntime = NodeRuntime,
);

/// A place in the log.
pub type LogId = openraft::alias::LogIdOf<TypeConfig>;
/// A vote, or, when committed, a leadership.
pub type Vote = openraft::alias::VoteOf<TypeConfig>;
/// An entry of the log.
pub type Entry = openraft::alias::EntryOf<TypeConfig>;
/// Who is in the cluster.
pub type Membership = openraft::Membership<NodeName, EmptyNode>;
/// Who is in the cluster, and which entry says so.
pub type StoredMembership = openraft::alias::StoredMembershipOf<TypeConfig>;
/// What a snapshot holds.
pub type SnapshotMeta = openraft::alias::SnapshotMetaOf<TypeConfig>;

/// The name of a node: 1 to 32 of `a`-`z`, `0`-`9` and `-`. A name belongs to one log for ever: a node that lost its
/// disk comes back under a new one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Arc<str>);

/// A name that no node can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a node name: 1 to 32 of a-z, 0-9 and `-`")]
pub struct BadName(String);

impl NodeName {
    const LEN_MAX: usize = 32;

    /// Checks a name.
    ///
    /// # Errors
    /// [`BadName`] when it is not one.
    pub fn parse(name: &str) -> Result<Self, BadName> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > Self::LEN_MAX || !name.bytes().all(fits) {
            return Err(BadName(name.to_owned()));
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for NodeName {
    type Err = BadName;

    fn from_str(name: &str) -> Result<Self, BadName> {
        Self::parse(name)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The conformance suite of the library numbers its nodes.
#[cfg(test)]
impl From<u64> for NodeName {
    fn from(number: u64) -> Self {
        Self::parse(&format!("n{number}")).expect("a number makes a name")
    }
}

/// An encoded `hearsay.log.v1.Proposal`. Its own type because the log never looks inside.
#[derive(Clone, PartialEq, Eq)]
pub struct Proposal(pub Bytes);

impl fmt::Debug for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What the machine answered; `None` for an entry that is not for the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer(pub Option<proto::log::Reply>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        assert_eq!(NodeName::parse("n1").unwrap().as_str(), "n1");
        for bad in ["", "N1", "n 1", "n_1", "ä", &"n".repeat(33)] {
            assert!(NodeName::parse(bad).is_err(), "{bad}");
        }
    }
}

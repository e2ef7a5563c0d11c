//! Between the types of consensus and the messages that are on the wire and on the disk.
//!
//! Here are the parts that both have; [`rpc`] has the questions and answers between nodes.

pub mod rpc;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use openraft::EmptyNode;
use openraft::EntryPayload;
use proto::raft as pb;
use thiserror::Error;

use super::types::{Entry, LogId, Membership, NodeName, Proposal, SnapshotMeta, StoredMembership, Vote};

/// A message that no node of this version makes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// A field that is always set is missing.
    #[error("no {0}")]
    Missing(&'static str),
    /// A name that no node can have.
    #[error(transparent)]
    Name(#[from] super::types::BadName),
    /// Members that make no cluster.
    #[error("bad membership: {0}")]
    Membership(String),
    /// Bytes that are no message.
    #[error("undecodable: {0}")]
    Undecodable(#[from] prost::DecodeError),
    /// Entries that do not follow one another, or not the place that they were said to follow.
    #[error("entries with a hole before {0}")]
    Hole(u64),
    /// A frame that was not expected here.
    #[error("unexpected frame of kind {0}")]
    Kind(i32),
}

/// The message of a log id.
#[must_use]
pub fn log_id(id: &LogId) -> pb::LogId {
    pb::LogId { term: id.committed_leader_id().term, index: id.index() }
}

/// The log id of a message.
#[must_use]
pub fn parse_log_id(id: &pb::LogId) -> LogId {
    LogId::new(id.term.into(), id.index)
}

/// The message of a vote.
#[must_use]
pub fn vote(vote: &Vote) -> pb::Vote {
    pb::Vote {
        term: vote.leader_id.term,
        candidate: vote.leader_id.voted_for.as_str().to_owned(),
        committed: vote.committed,
    }
}

/// The vote of a message.
///
/// # Errors
/// It is missing, or the candidate is not a node name.
pub fn parse_vote(vote: Option<&pb::Vote>) -> Result<Vote, WireError> {
    let vote = vote.ok_or(WireError::Missing("vote"))?;
    let candidate = NodeName::parse(&vote.candidate)?;
    Ok(if vote.committed {
        Vote::new_committed(vote.term, candidate)
    } else {
        Vote::new(vote.term, candidate)
    })
}

/// The message of an entry.
#[must_use]
pub fn entry(entry: &Entry) -> pb::Entry {
    let payload = match &entry.payload {
        EntryPayload::Blank => None,
        EntryPayload::Normal(proposal) => Some(pb::entry::Payload::Proposal(proposal.0.to_vec())),
        EntryPayload::Membership(members) => Some(pb::entry::Payload::Membership(membership(members))),
    };
    pb::Entry { id: Some(log_id(&entry.log_id)), payload }
}

/// The entry of a message.
///
/// # Errors
/// Its id is missing, or its membership makes no cluster.
pub fn parse_entry(entry: pb::Entry) -> Result<Entry, WireError> {
    let id = parse_log_id(&entry.id.ok_or(WireError::Missing("entry id"))?);
    let payload = match entry.payload {
        None => EntryPayload::Blank,
        Some(pb::entry::Payload::Proposal(bytes)) => EntryPayload::Normal(Proposal(Bytes::from(bytes))),
        Some(pb::entry::Payload::Membership(members)) => {
            EntryPayload::Membership(parse_membership(&members)?)
        }
    };
    Ok(Entry { log_id: id, payload })
}

/// The message of a membership.
#[must_use]
pub fn membership(members: &Membership) -> pb::Membership {
    let names = |set: &BTreeSet<NodeName>| set.iter().map(|name| name.as_str().to_owned()).collect();
    pb::Membership {
        configs: members.get_joint_config().iter().map(|set| pb::Voters { nodes: names(set) }).collect(),
        nodes: members.nodes().map(|(name, _)| name.as_str().to_owned()).collect(),
    }
}

/// The membership of a message.
///
/// # Errors
/// A name is bad, a set of voters is empty, or a voter is not a member.
pub fn parse_membership(members: &pb::Membership) -> Result<Membership, WireError> {
    let configs = members
        .configs
        .iter()
        .map(|voters| {
            voters.nodes.iter().map(|name| NodeName::parse(name)).collect::<Result<BTreeSet<_>, _>>()
        })
        .collect::<Result<Vec<_>, _>>()?;
    let nodes = members
        .nodes
        .iter()
        .map(|name| Ok((NodeName::parse(name)?, EmptyNode::new())))
        .collect::<Result<BTreeMap<_, _>, WireError>>()?;
    Membership::new(configs, nodes).map_err(|error| WireError::Membership(error.to_string()))
}

/// The message of a membership and the entry that says so.
#[must_use]
pub fn stored_membership(stored: &StoredMembership) -> pb::StoredMembership {
    pb::StoredMembership {
        id: stored.log_id().as_ref().map(log_id),
        membership: stored.log_id().is_some().then(|| membership(stored.membership())),
    }
}

/// The membership of a message, and the entry that says so; an empty message is the membership before the first.
///
/// # Errors
/// It makes no cluster.
pub fn parse_stored_membership(stored: &pb::StoredMembership) -> Result<StoredMembership, WireError> {
    match &stored.membership {
        None => Ok(StoredMembership::default()),
        Some(members) => {
            Ok(StoredMembership::new(stored.id.as_ref().map(parse_log_id), parse_membership(members)?))
        }
    }
}

/// The membership of a cluster of `node` alone, as the entry `id` says.
#[must_use]
pub fn only_voter(node: &NodeName, id: Option<LogId>) -> StoredMembership {
    let members = Membership::new(
        vec![BTreeSet::from([node.clone()])],
        BTreeMap::from([(node.clone(), EmptyNode::new())]),
    );
    members.map_or_else(|_| StoredMembership::default(), |members| StoredMembership::new(id, members))
}

/// The message of what a snapshot holds.
#[must_use]
pub fn snapshot_head(meta: &SnapshotMeta, digest: u128) -> pb::SnapshotHead {
    pb::SnapshotHead {
        last: meta.last_log_id.as_ref().map(log_id),
        membership: Some(stored_membership(&meta.last_membership)),
        digest: digest.to_le_bytes().to_vec(),
    }
}

/// What a snapshot holds.
///
/// # Errors
/// Its membership makes no cluster.
pub fn parse_snapshot_head(head: &pb::SnapshotHead) -> Result<SnapshotMeta, WireError> {
    Ok(SnapshotMeta {
        last_log_id: head.last.as_ref().map(parse_log_id),
        last_membership: parse_stored_membership(
            head.membership.as_ref().unwrap_or(&pb::StoredMembership::default()),
        )?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> Membership {
        let set = |names: &[u64]| names.iter().map(|n| NodeName::from(*n)).collect::<BTreeSet<_>>();
        let nodes = [1, 2, 3, 4].into_iter().map(|n| (NodeName::from(n), EmptyNode::new()));
        Membership::new(vec![set(&[1, 2]), set(&[2, 3])], nodes.collect::<BTreeMap<_, _>>()).unwrap()
    }

    #[test]
    fn every_entry_survives_the_wire() {
        for payload in [
            EntryPayload::Blank,
            EntryPayload::Normal(Proposal(Bytes::from_static(b"hello"))),
            EntryPayload::Membership(members()),
        ] {
            let before = Entry { log_id: LogId::new(7.into(), 9), payload };
            let after = parse_entry(entry(&before)).unwrap();
            assert_eq!(before.log_id, after.log_id);
            assert_eq!(format!("{before:?}"), format!("{after:?}"));
        }
    }

    #[test]
    fn votes_and_memberships_survive_the_wire() {
        for before in [Vote::new(3, 1.into()), Vote::new_committed(3, 2.into())] {
            assert_eq!(parse_vote(Some(&vote(&before))).unwrap(), before);
        }
        for before in
            [StoredMembership::default(), StoredMembership::new(Some(LogId::new(2.into(), 5)), members())]
        {
            assert_eq!(parse_stored_membership(&stored_membership(&before)).unwrap(), before);
        }
    }
}

//! The questions and answers between nodes, as frames.

use openraft::raft::{
    AppendEntriesRequest, SnapshotResponse, StreamAppendError, StreamAppendResult, TransferLeaderError,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use prost::Message;
use proto::raft as pb;
use proto::raft::{Frame, Kind};

use super::{WireError, entry, log_id, parse_entry, parse_log_id, parse_vote, vote};
use crate::raft::failure::Failure;
use crate::raft::types::{Entry, NodeName, TypeConfig};

/// A frame of a message.
#[must_use]
pub fn frame(kind: Kind, message: &impl Message) -> Frame {
    Frame { kind: kind.into(), payload: message.encode_to_vec() }
}

/// The message in a frame.
///
/// # Errors
/// The frame is of another kind, or its payload does not decode.
pub fn open<M: Message + Default>(kind: Kind, frame: &Frame) -> Result<M, WireError> {
    if frame.kind != i32::from(kind) {
        return Err(WireError::Kind(frame.kind));
    }
    Ok(M::decode(frame.payload.as_slice())?)
}

/// The message of a request for votes.
#[must_use]
pub fn vote_request(request: &VoteRequest<TypeConfig>) -> pb::VoteRequest {
    pb::VoteRequest {
        vote: Some(vote(&request.vote)),
        last: request.last_log_id.as_ref().map(log_id),
        transfer: request.leadership_transfer,
    }
}

/// The request for votes of a message.
///
/// # Errors
/// It has no vote.
pub fn parse_vote_request(message: &pb::VoteRequest) -> Result<VoteRequest<TypeConfig>, WireError> {
    Ok(VoteRequest {
        vote: parse_vote(message.vote.as_ref())?,
        last_log_id: message.last.as_ref().map(parse_log_id),
        leadership_transfer: message.transfer,
    })
}

/// The message of an answer to a request for votes.
#[must_use]
pub fn vote_reply(reply: &VoteResponse<TypeConfig>) -> pb::VoteReply {
    pb::VoteReply {
        vote: Some(vote(&reply.vote)),
        granted: reply.vote_granted,
        last: reply.last_log_id.as_ref().map(log_id),
    }
}

/// The answer to a request for votes of a message.
///
/// # Errors
/// It has no vote.
pub fn parse_vote_reply(message: &pb::VoteReply) -> Result<VoteResponse<TypeConfig>, WireError> {
    Ok(VoteResponse {
        vote: parse_vote(message.vote.as_ref())?,
        vote_granted: message.granted,
        last_log_id: message.last.as_ref().map(parse_log_id),
    })
}

/// The message of a transfer of leadership.
#[must_use]
pub fn transfer_request(request: &TransferLeaderRequest<TypeConfig>) -> pb::TransferRequest {
    pb::TransferRequest {
        from: Some(vote(request.from_leader())),
        to: request.to_node_id().as_str().to_owned(),
        last: request.last_log_id().map(log_id),
    }
}

/// The transfer of leadership of a message.
///
/// # Errors
/// It has no vote, or its target is no node name.
pub fn parse_transfer_request(
    message: &pb::TransferRequest,
) -> Result<TransferLeaderRequest<TypeConfig>, WireError> {
    let from = parse_vote(message.from.as_ref())?;
    let to = NodeName::parse(&message.to)?;
    Ok(TransferLeaderRequest::new(from, to, message.last.as_ref().map(parse_log_id)))
}

/// The message of an answer to a transfer of leadership.
#[must_use]
pub fn transfer_reply(reply: &TransferLeaderResponse<TypeConfig>) -> pb::TransferReply {
    use pb::transfer_reply::Refusal;
    let refusal = match reply {
        Ok(()) => None,
        Err(TransferLeaderError::VoteChanged { actual, .. }) => Some(Refusal::VoteChanged(vote(actual))),
        Err(TransferLeaderError::LogNotFlushed { actual, .. }) => {
            Some(Refusal::NotFlushed(pb::NotFlushed { last: actual.as_ref().map(log_id) }))
        }
    };
    pb::TransferReply { refusal }
}

/// The answer of a message to the transfer `request`.
///
/// # Errors
/// It has a bad vote.
pub fn parse_transfer_reply(
    message: &pb::TransferReply,
    request: &TransferLeaderRequest<TypeConfig>,
) -> Result<TransferLeaderResponse<TypeConfig>, WireError> {
    use pb::transfer_reply::Refusal;
    Ok(match &message.refusal {
        None => Ok(()),
        Some(Refusal::VoteChanged(actual)) => Err(TransferLeaderError::VoteChanged {
            expected: request.from_leader().clone(),
            actual: parse_vote(Some(actual))?,
        }),
        Some(Refusal::NotFlushed(at)) => Err(TransferLeaderError::LogNotFlushed {
            expected: request.last_log_id().copied(),
            actual: at.last.as_ref().map(parse_log_id),
        }),
    })
}

/// The message of an append.
#[must_use]
pub fn append_request(request: &AppendEntriesRequest<TypeConfig>) -> pb::AppendRequest {
    pb::AppendRequest {
        vote: Some(vote(&request.vote)),
        previous: request.prev_log_id.as_ref().map(log_id),
        entries: request.entries.iter().map(entry).collect(),
        committed: request.leader_commit.as_ref().map(log_id),
    }
}

/// The append of a message.
///
/// # Errors
/// It has no vote, an entry is bad, or one is missing: the library would take entries with a hole.
pub fn parse_append_request(
    message: pb::AppendRequest,
) -> Result<AppendEntriesRequest<TypeConfig>, WireError> {
    let prev_log_id = message.previous.as_ref().map(parse_log_id);
    let entries: Vec<Entry> = message.entries.into_iter().map(parse_entry).collect::<Result<_, _>>()?;
    let begin = prev_log_id.map_or(0, |id| id.index() + 1);
    let indexes = entries.iter().map(|entry| entry.log_id.index());
    if let Some((found, _)) = indexes.zip(begin..).find(|(found, expected)| found != expected) {
        return Err(WireError::Hole(found));
    }
    Ok(AppendEntriesRequest {
        vote: parse_vote(message.vote.as_ref())?,
        prev_log_id,
        entries,
        leader_commit: message.committed.as_ref().map(parse_log_id),
    })
}

/// The message of an answer to an append.
#[must_use]
pub fn append_reply(reply: &StreamAppendResult<TypeConfig>) -> pb::AppendReply {
    use pb::append_reply::Outcome;
    let outcome = match reply {
        Ok(last) => Outcome::Matched(pb::Matched { last: last.as_ref().map(log_id) }),
        Err(StreamAppendError::Conflict(id)) => Outcome::Conflict(log_id(id)),
        Err(StreamAppendError::HigherVote(higher)) => Outcome::HigherVote(vote(higher)),
    };
    pb::AppendReply { outcome: Some(outcome) }
}

/// The answer to an append of a message.
///
/// # Errors
/// It is empty, or its vote is bad.
pub fn parse_append_reply(message: &pb::AppendReply) -> Result<StreamAppendResult<TypeConfig>, WireError> {
    use pb::append_reply::Outcome;
    Ok(match message.outcome.as_ref().ok_or(WireError::Missing("outcome"))? {
        Outcome::Matched(matched) => Ok(matched.last.as_ref().map(parse_log_id)),
        Outcome::Conflict(id) => Err(StreamAppendError::Conflict(parse_log_id(id))),
        Outcome::HigherVote(higher) => Err(StreamAppendError::HigherVote(parse_vote(Some(higher))?)),
    })
}

/// The message of an answer to a snapshot.
#[must_use]
pub fn snapshot_reply(reply: &SnapshotResponse<TypeConfig>) -> pb::SnapshotReply {
    pb::SnapshotReply { vote: Some(vote(&reply.vote)) }
}

/// The answer to a snapshot of a message.
///
/// # Errors
/// It has no vote.
pub fn parse_snapshot_reply(message: &pb::SnapshotReply) -> Result<SnapshotResponse<TypeConfig>, WireError> {
    Ok(SnapshotResponse::new(parse_vote(message.vote.as_ref())?))
}

/// The message of a failure.
#[must_use]
pub fn failure(failure: &Failure) -> pb::Failed {
    let (reason, why) = match failure {
        Failure::NoLeader { .. } => (pb::Reason::NoLeader, ""),
        Failure::Overloaded => (pb::Reason::Overloaded, ""),
        // What a node that starts is asked by a peer it answers; see the replica.
        Failure::Starting | Failure::Stopping | Failure::NotAMember { .. } => (pb::Reason::Stopping, ""),
        Failure::ReadUnavailable { why, .. } => (pb::Reason::ReadUnavailable, why.as_str()),
        Failure::Unknown { why, .. } => (pb::Reason::Unknown, why.as_str()),
    };
    pb::Failed {
        reason: reason.into(),
        why: why.to_owned(),
        leader: failure.leader().unwrap_or_default().to_owned(),
    }
}

/// The failure of a message. A reason of a later version is taken for the weakest, [`Failure::Unknown`].
#[must_use]
pub fn parse_failure(message: pb::Failed) -> Failure {
    let leader = Some(message.leader.clone()).filter(|leader| !leader.is_empty());
    match message.reason() {
        pb::Reason::Unknown => Failure::Unknown { why: message.why, leader },
        pb::Reason::NoLeader => Failure::NoLeader { leader },
        pb::Reason::Overloaded => Failure::Overloaded,
        // The node that stops is the leader, not the one that was asked: another one may do.
        pb::Reason::Stopping => Failure::NoLeader { leader },
        pb::Reason::ReadUnavailable => Failure::ReadUnavailable { why: message.why, leader },
    }
}

#[cfg(test)]
mod tests;

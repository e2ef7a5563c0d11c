//! The leader's side: what is asked of it here, or by a node that forwards.

use std::time::Duration;

use bytes::Bytes;
use openraft::ReadPolicy;
use openraft::errors::{ClientWriteError, Fatal, LinearizableReadError, RaftError};
use prost::Message as _;
use proto::log::{Proposal as ProposalMessage, Reply};
use proto::raft::{
    ForwardReply, ForwardRequest, ReadIndexReply, ReadIndexRequest, forward_reply, read_index_reply,
};

use super::Replica;
use crate::bug::Bug;
use crate::env::Instant;
use crate::raft::failure::Failure;
use crate::raft::types::{Proposal, TypeConfig};
use crate::raft::wire::rpc::failure as failed;

/// How long a node that forwards may ask the leader to wait, at most.
const WITHIN_MAX: Duration = Duration::from_secs(60);

impl Replica {
    /// Proposes here. From the call of the library on nothing is certain but its success.
    pub(super) async fn propose_here(
        &self,
        actor: Vec<u8>,
        command: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let env = self.env();
        let proposal = ProposalMessage { time_ms: env.unix_ms(), actor, command };
        let proposal = Proposal(Bytes::from(proposal.encode_to_vec()));
        let unknown =
            |why: String| Failure::Unknown { why, leader: self.leader().map(|name| name.to_string()) };
        match env.timeout_at(deadline, self.core().client_write(proposal)).await {
            Ok(Ok(written)) => {
                written.data.0.ok_or_else(|| unknown("the machine answered nothing".to_owned()))
            }
            Ok(Err(error)) => Err(unknown(write_fault(error))),
            Err(_) => Err(unknown("no majority confirmed it in time".to_owned())),
        }
    }

    /// Asks a majority whether this node leads, and returns the index that a linearizable read must see.
    pub(super) async fn read_index_here(&self, deadline: Instant) -> Result<u64, Failure> {
        let trusts = self.env().bugs.has(Bug::TrustLease);
        let policy = if trusts { ReadPolicy::LeaseRead } else { ReadPolicy::ReadIndex };
        let linearizer = self.core().get_read_linearizer(policy);
        let unavailable = |why: String| Failure::ReadUnavailable {
            why,
            leader: self.leader().map(|name| name.to_string()),
        };
        match self.env().timeout_at(deadline, linearizer).await {
            Ok(Ok(linearizer)) => Ok(linearizer.read_log_id().index()),
            Ok(Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward)))) => {
                Err(Failure::NoLeader { leader: forward.leader_id.map(|name| name.to_string()) })
            }
            Ok(Err(RaftError::APIError(LinearizableReadError::QuorumNotEnough(_)))) => {
                Err(unavailable("no majority confirms that this node leads".to_owned()))
            }
            Ok(Err(RaftError::Fatal(fault))) => Err(unavailable(ended(&fault))),
            Err(_) => Err(unavailable("no majority answered in time".to_owned())),
        }
    }

    /// Answers a node that forwards a proposal. It goes no further than here.
    pub(crate) async fn forwarded(&self, request: ForwardRequest) -> ForwardReply {
        let ForwardRequest { actor, command, within_ms } = request;
        let outcome = match self.leads() {
            Ok(()) => self.propose_here(actor, command, self.within(within_ms)).await,
            Err(failure) => Err(failure),
        };
        let outcome = match outcome {
            Ok(reply) => forward_reply::Outcome::Reply(reply.encode_to_vec()),
            Err(failure) => forward_reply::Outcome::Failed(failed(&failure)),
        };
        ForwardReply { outcome: Some(outcome) }
    }

    /// Answers a node that asks what a read must see.
    pub(crate) async fn asked_read_index(&self, request: ReadIndexRequest) -> ReadIndexReply {
        let outcome = match self.leads() {
            Ok(()) => self.read_index_here(self.within(request.within_ms)).await,
            Err(failure) => Err(failure),
        };
        let outcome = match outcome {
            Ok(index) => read_index_reply::Outcome::Index(index),
            Err(failure) => read_index_reply::Outcome::Failed(failed(&failure)),
        };
        ReadIndexReply { outcome: Some(outcome) }
    }

    /// Nothing was handed to the library yet: a failure here is definite.
    fn leads(&self) -> Result<(), Failure> {
        if self.retiring() {
            return Err(Failure::Stopping);
        }
        match self.leader() {
            Some(leader) if leader == *self.node() => Ok(()),
            leader => Err(Failure::NoLeader { leader: leader.map(|name| name.to_string()) }),
        }
    }

    fn within(&self, ms: u64) -> Instant {
        self.env().now() + Duration::from_millis(ms).min(WITHIN_MAX)
    }
}

/// What a person is told of a write that the library did not finish: not its own words, which speak to who calls it.
pub(super) fn write_fault(error: RaftError<TypeConfig, ClientWriteError<TypeConfig>>) -> String {
    match error {
        RaftError::APIError(
            ClientWriteError::ForwardToLeader(_) | ClientWriteError::LogEntryDiscarded(_),
        ) => "the leader lost its office before a majority confirmed it".to_owned(),
        RaftError::APIError(
            error @ (ClientWriteError::ChangeMembershipError(_) | ClientWriteError::PreconditionFailed(_)),
        ) => error.to_string(),
        RaftError::Fatal(fault) => ended(&fault),
    }
}

/// Why the library takes nothing more. What is wrong with a disk stands in the node's own log.
fn ended(fault: &Fatal<TypeConfig>) -> String {
    match fault {
        Fatal::Stopped => "the node is stopping".to_owned(),
        Fatal::Panicked | Fatal::StorageError(_) => "the node stops because of a fault".to_owned(),
    }
}

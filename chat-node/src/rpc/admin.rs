//! What an operator or a tester may ask of this node, over gRPC.

use proto::admin::admin_server::{Admin, AdminServer};
use proto::admin::{DigestReply, DigestRequest, Member, Role, StatusReply, StatusRequest};
use tonic::{Request, Response, Status};

use super::deadline::deadline;
use super::{REQUEST_BYTES_MAX, status};
use crate::raft;
use crate::service::Service;
use crate::service::consensus::Consensus;

/// Serves operators and testers.
#[derive(Debug)]
pub struct AdminRpc<C>(Service<C>);

impl<C: Consensus> AdminRpc<C> {
    /// The gRPC service over `service`.
    #[must_use]
    pub fn server(service: Service<C>) -> AdminServer<Self> {
        AdminServer::new(Self(service)).max_decoding_message_size(REQUEST_BYTES_MAX)
    }
}

#[tonic::async_trait]
impl<C: Consensus> Admin for AdminRpc<C> {
    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        Ok(Response::new(encode(self.0.status())))
    }

    async fn digest(&self, request: Request<DigestRequest>) -> Result<Response<DigestReply>, Status> {
        let deadline = deadline(self.0.env(), request.metadata());
        let DigestRequest { at_least, verify } = request.into_inner();
        let (index, digest) = self.0.digest(at_least, verify, deadline).await.map_err(status)?;
        Ok(Response::new(DigestReply { index, digest }))
    }

    async fn add_learner(
        &self,
        _: Request<proto::admin::AddLearnerRequest>,
    ) -> Result<Response<proto::admin::MembersReply>, Status> {
        Err(Status::unimplemented("this build cannot change the cluster"))
    }

    async fn change_members(
        &self,
        _: Request<proto::admin::ChangeMembersRequest>,
    ) -> Result<Response<proto::admin::MembersReply>, Status> {
        Err(Status::unimplemented("this build cannot change the cluster"))
    }

    async fn transfer_leader(
        &self,
        _: Request<proto::admin::TransferLeaderRequest>,
    ) -> Result<Response<proto::admin::TransferLeaderReply>, Status> {
        Err(Status::unimplemented("this build cannot change the cluster"))
    }

    async fn take_snapshot(
        &self,
        _: Request<proto::admin::TakeSnapshotRequest>,
    ) -> Result<Response<proto::admin::TakeSnapshotReply>, Status> {
        Err(Status::unimplemented("this build cannot change the cluster"))
    }
}

fn encode(status: raft::Status) -> StatusReply {
    let role = match status.role {
        raft::Role::Leader => Role::Leader,
        raft::Role::Candidate => Role::Candidate,
        raft::Role::Follower => Role::Follower,
        raft::Role::Learner => Role::Learner,
    };
    let member =
        |raft::Member { node, voter, address }| Member { node, voter, address: address.unwrap_or_default() };
    StatusReply {
        node: status.node,
        role: role.into(),
        term: status.term,
        leader: status.leader.unwrap_or_default(),
        last_log: status.last_log,
        committed: status.committed,
        applied: status.applied,
        snapshot: status.snapshot,
        purged: status.purged,
        members: status.members.into_iter().map(member).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        bugs: status.bugs,
        uptime_ms: status.uptime_ms,
    }
}

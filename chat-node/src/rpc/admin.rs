//! What an operator or a tester may ask of this node, over gRPC.

use prost::Message as _;
use proto::admin::admin_server::{Admin, AdminServer};
use proto::admin::{
    AddLearnerRequest, ChangeMembersRequest, DigestReply, DigestRequest, Member, MembersReply, Role,
    Standing, StatusReply, StatusRequest, TakeSnapshotReply, TakeSnapshotRequest, TransferLeaderReply,
    TransferLeaderRequest,
};
use proto::chat::ErrorDetail;
use tonic::{Request, Response, Status};

use super::deadline::deadline;
use super::{REQUEST_BYTES_MAX, status};
use crate::raft::{self, ChangeError, Failure};
use crate::service::Service;
use crate::service::consensus::{Consensus, Operate};

/// Serves operators and testers.
#[derive(Debug)]
pub struct AdminRpc<C, O> {
    service: Service<C>,
    operator: O,
}

impl<C: Consensus, O: Operate> AdminRpc<C, O> {
    /// The gRPC service over `service`, and over `operator` for what changes the cluster.
    #[must_use]
    pub fn server(service: Service<C>, operator: O) -> AdminServer<Self> {
        AdminServer::new(Self { service, operator }).max_decoding_message_size(REQUEST_BYTES_MAX)
    }
}

#[tonic::async_trait]
impl<C: Consensus, O: Operate> Admin for AdminRpc<C, O> {
    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        Ok(Response::new(encode(self.service.status())))
    }

    async fn digest(&self, request: Request<DigestRequest>) -> Result<Response<DigestReply>, Status> {
        let deadline = deadline(self.service.env(), request.metadata());
        let DigestRequest { at_least, verify } = request.into_inner();
        let (index, digest) = self.service.digest(at_least, verify, deadline).await.map_err(status)?;
        Ok(Response::new(DigestReply { index, digest }))
    }

    async fn add_learner(
        &self,
        request: Request<AddLearnerRequest>,
    ) -> Result<Response<MembersReply>, Status> {
        let deadline = deadline(self.service.env(), request.metadata());
        let members = self.operator.add_learner(&request.get_ref().node, deadline).await.map_err(refusal)?;
        Ok(Response::new(MembersReply { members: members.into_iter().map(member).collect() }))
    }

    async fn change_members(
        &self,
        request: Request<ChangeMembersRequest>,
    ) -> Result<Response<MembersReply>, Status> {
        let deadline = deadline(self.service.env(), request.metadata());
        let ChangeMembersRequest { promote, remove } = request.get_ref();
        let members = self.operator.change_members(promote, remove, deadline).await.map_err(refusal)?;
        Ok(Response::new(MembersReply { members: members.into_iter().map(member).collect() }))
    }

    async fn transfer_leader(
        &self,
        request: Request<TransferLeaderRequest>,
    ) -> Result<Response<TransferLeaderReply>, Status> {
        let deadline = deadline(self.service.env(), request.metadata());
        let (leader, term) =
            self.operator.transfer_leader(&request.get_ref().to, deadline).await.map_err(refusal)?;
        Ok(Response::new(TransferLeaderReply { leader, term }))
    }

    async fn take_snapshot(
        &self,
        request: Request<TakeSnapshotRequest>,
    ) -> Result<Response<TakeSnapshotReply>, Status> {
        let deadline = deadline(self.service.env(), request.metadata());
        let (index, purged) =
            self.operator.take_snapshot(request.get_ref().purge, deadline).await.map_err(refusal)?;
        Ok(Response::new(TakeSnapshotReply { index, purged }))
    }
}

/// Why nothing was changed, or may not have been. What is certain is said by the detail; a tool that knows only gRPC learns
/// whether to ask another node, to look first, or to ask for something else.
fn refusal(error: ChangeError) -> Status {
    let code = match &error {
        ChangeError::Name(_) | ChangeError::Nothing | ChangeError::Both { .. } => {
            tonic::Code::InvalidArgument
        }
        ChangeError::NotLeader { .. }
        | ChangeError::NoAddress { .. }
        | ChangeError::Silent { .. }
        | ChangeError::NoVoter
        | ChangeError::NoMajority { .. }
        | ChangeError::Learner { .. }
        | ChangeError::Unheard { .. }
        | ChangeError::NoHeir { .. }
        | ChangeError::Empty => tonic::Code::FailedPrecondition,
        ChangeError::NoMember { .. } => tonic::Code::NotFound,
        ChangeError::Voter { .. } | ChangeError::Leads { .. } => tonic::Code::AlreadyExists,
        ChangeError::InProgress => tonic::Code::Aborted,
        ChangeError::Unserved(Failure::Overloaded) => tonic::Code::ResourceExhausted,
        ChangeError::Unserved(_) | ChangeError::Unknown { .. } => tonic::Code::Unavailable,
        ChangeError::Late { .. } => tonic::Code::DeadlineExceeded,
    };
    let message = error.to_string();
    let leader = error.leader().unwrap_or_default().to_owned();
    let detail = ErrorDetail { code: error.code().into(), message: message.clone(), leader };
    Status::with_details(code, message, detail.encode_to_vec().into())
}

fn member(raft::Member { node, voter, address }: raft::Member) -> Member {
    Member { node, voter, address: address.unwrap_or_default() }
}

fn encode(status: raft::Status) -> StatusReply {
    let role = match status.role {
        raft::Role::Leader => Role::Leader,
        raft::Role::Candidate => Role::Candidate,
        raft::Role::Follower => Role::Follower,
        raft::Role::Learner => Role::Learner,
    };
    let standing = match status.standing {
        raft::Standing::Member => Standing::Member,
        raft::Standing::Waiting => Standing::Waiting,
        raft::Standing::Removed => Standing::Removed,
    };
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
        standing: standing.into(),
        changing: status.changing,
    }
}

//! What an operator or a tester may ask of one node. These never go elsewhere: it is this very node that is asked.

use std::time::Duration;

use proto::admin::{
    AddLearnerRequest, ChangeMembersRequest, DigestReply, DigestRequest, Member, StatusReply, StatusRequest,
    TakeSnapshotReply, TakeSnapshotRequest, TransferLeaderReply, TransferLeaderRequest,
};

use crate::endpoint::Endpoint;
use crate::error::Error;

/// What the node says of itself.
///
/// # Errors
///
/// Whatever went wrong with this one try.
pub async fn status(endpoint: &Endpoint, limit: Duration) -> Result<StatusReply, Error> {
    endpoint.execute(StatusRequest {}, limit).await
}

/// The digest of the node's state once it has applied `at_least`. With `verify` the node also computes it afresh from
/// every stored record.
///
/// # Errors
///
/// Whatever went wrong with this one try.
pub async fn digest(
    endpoint: &Endpoint,
    at_least: u64,
    verify: bool,
    limit: Duration,
) -> Result<DigestReply, Error> {
    endpoint.execute(DigestRequest { at_least, verify }, limit).await
}

/// Makes `node` a member without a vote, and waits until it has caught up with the log. The leader does; another node
/// refuses with [`Code::NoLeader`](proto::chat::Code::NoLeader), and [`Error::leader`] is who leads.
///
/// # Errors
///
/// Whatever went wrong with this one try. One that is not definite may have been applied, or may be yet.
pub async fn add_learner(endpoint: &Endpoint, node: &str, limit: Duration) -> Result<Vec<Member>, Error> {
    let request = AddLearnerRequest { node: node.to_owned() };
    Ok(endpoint.execute(request, limit).await?.members)
}

/// Gives votes to the learners `promote` and lets the members `remove` leave, in one change. The leader does, as in
/// [`add_learner`].
///
/// # Errors
///
/// Whatever went wrong with this one try. One that is not definite may have been applied, or may be yet.
pub async fn change_members(
    endpoint: &Endpoint,
    promote: &[String],
    remove: &[String],
    limit: Duration,
) -> Result<Vec<Member>, Error> {
    let request = ChangeMembersRequest { promote: promote.to_vec(), remove: remove.to_vec() };
    Ok(endpoint.execute(request, limit).await?.members)
}

/// Lets `to` lead, or, when that is empty, the voter that has the most of the log, and waits until it does. The leader
/// hands over, as in [`add_learner`].
///
/// # Errors
///
/// Whatever went wrong with this one try. One that is not definite may have been applied, or may be yet.
pub async fn transfer_leader(
    endpoint: &Endpoint,
    to: &str,
    limit: Duration,
) -> Result<TransferLeaderReply, Error> {
    endpoint.execute(TransferLeaderRequest { to: to.to_owned() }, limit).await
}

/// Has the node make a snapshot of all that it has applied, and waits until it is durable. With `purge` the node also
/// removes from its log what the snapshot holds.
///
/// # Errors
///
/// Whatever went wrong with this one try.
pub async fn take_snapshot(
    endpoint: &Endpoint,
    purge: bool,
    limit: Duration,
) -> Result<TakeSnapshotReply, Error> {
    endpoint.execute(TakeSnapshotRequest { purge }, limit).await
}

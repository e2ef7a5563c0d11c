//! What a node answers to the other nodes.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use openraft::Snapshot;
use openraft::async_runtime::WatchReceiver as _;
use openraft::raft::VoteRequest;
use proto::raft::{Frame, InviteReply, InviteRequest, Kind, MembersReply, MembersRequest, SnapshotOffer};

use super::machine_store::SnapshotData;
use super::replica::Replica;
use super::types::{LogId, StoredMembership, TypeConfig};
use super::wire::rpc::{
    append_reply, frame, open, parse_append_request, parse_transfer_request, parse_vote_request,
    snapshot_reply, transfer_reply, vote_reply,
};
use super::wire::{WireError, parse_snapshot_head, parse_vote, stored_membership};
use crate::bug::Bug;
use crate::env::current;
use crate::env::disk::DiskFile;
use crate::env::fault::CrashPoint;
use crate::env::transport::{Handler, HandlerError, Incoming};
use crate::machine::tables::StoreError;
use crate::store::snapshot;

/// Answers the other nodes for one replica.
pub struct PeerHandler(Replica);

impl PeerHandler {
    /// Answers for `replica`.
    #[must_use]
    pub fn new(replica: Replica) -> Arc<Self> {
        Arc::new(Self(replica))
    }
}

fn refused(error: impl ToString) -> HandlerError {
    HandlerError(error.to_string())
}

/// What a node answers that has no data and was not invited: its votes, if it gave any, are lost.
fn uninvited() -> HandlerError {
    refused("this node waits to be added to a cluster")
}

async fn answer(replica: Replica, question: Frame) -> Result<Frame, HandlerError> {
    let core = replica.core();
    match question.kind() {
        Kind::Vote | Kind::PreVote | Kind::Transfer if !replica.invited() => Err(uninvited()),
        kind @ Kind::Vote => {
            let request = vote_asked(&replica, &open(kind, &question).map_err(refused)?)?;
            Ok(frame(kind, &vote_reply(&core.vote(request).await.map_err(refused)?)))
        }
        kind @ Kind::PreVote => {
            let request = vote_asked(&replica, &open(kind, &question).map_err(refused)?)?;
            Ok(frame(kind, &vote_reply(&core.pre_vote(request).await.map_err(refused)?)))
        }
        kind @ Kind::Transfer => {
            let request =
                parse_transfer_request(&open(kind, &question).map_err(refused)?).map_err(refused)?;
            Ok(frame(kind, &transfer_reply(&core.handle_transfer_leader(request).await.map_err(refused)?)))
        }
        kind @ Kind::Forward => {
            Ok(frame(kind, &replica.forwarded(open(kind, &question).map_err(refused)?).await))
        }
        kind @ Kind::ReadIndex => {
            Ok(frame(kind, &replica.asked_read_index(open(kind, &question).map_err(refused)?).await))
        }
        kind @ Kind::Invite => {
            let InviteRequest {} = open(kind, &question).map_err(refused)?;
            replica.accept_invitation();
            Ok(frame(kind, &InviteReply {}))
        }
        kind @ Kind::Members => {
            let MembersRequest {} = open(kind, &question).map_err(refused)?;
            let metrics = core.server_metrics().borrow_watched().clone();
            let committed = Some(stored_membership(&metrics.committed_membership_config));
            Ok(frame(kind, &MembersReply { committed }))
        }
        Kind::Unspecified | Kind::Append | Kind::Snapshot | Kind::Chunk => {
            Err(refused(WireError::Kind(question.kind)))
        }
    }
}

/// The request of a candidate, which says how far its log goes.
fn vote_asked(
    replica: &Replica,
    request: &proto::raft::VoteRequest,
) -> Result<VoteRequest<TypeConfig>, HandlerError> {
    let mut request = parse_vote_request(request).map_err(refused)?;
    if replica.env().bugs.has(Bug::VoteForAnyone) {
        request.last_log_id = Some(LogId::new(request.vote.leader_id.term.into(), u64::MAX));
    }
    Ok(request)
}

impl Handler for PeerHandler {
    fn call(&self, question: Frame) -> BoxFuture<'static, Result<Frame, HandlerError>> {
        current::within(self.0.env().runtime.clone(), answer(self.0.clone(), question)).boxed()
    }

    fn append(&self, frames: Incoming) -> BoxStream<'static, Result<Frame, HandlerError>> {
        if !self.0.invited() {
            return futures::stream::iter([Err(uninvited())]).boxed();
        }
        let replica = self.0.clone();
        // What cannot be read ends the pipeline; what was read before it is answered. The library would wait for the
        // next request for ever, even after it was shut down.
        let requests = frames.take_until(self.0.ended()).scan((), move |(), received| {
            replica.hear();
            let request =
                received.ok().map(|received| open(Kind::Append, &received).and_then(parse_append_request));
            if let Some(Err(error)) = &request {
                tracing::warn!(%error, "a peer sent an append that cannot be read");
            }
            std::future::ready(request.and_then(Result::ok))
        });
        let replies = self.0.core().stream_append(requests);
        replies
            .map(|reply| match reply {
                Ok(reply) => Ok(frame(Kind::Append, &append_reply(&reply))),
                Err(fatal) => Err(refused(fatal)),
            })
            .boxed()
    }

    fn snapshot(&self, frames: Incoming) -> BoxFuture<'static, Result<Frame, HandlerError>> {
        receive(self.0.clone(), frames).boxed()
    }
}

/// The disk could not take or show a snapshot. That is not the sender's fault: the node stops.
fn failed(replica: &Replica, fault: StoreError) -> HandlerError {
    refused(replica.state().report(fault))
}

/// Receives a snapshot into a file of its own, verifies the whole, and only then hands it over.
///
/// A snapshot that is torn or damaged is refused, and may be sent again: what came over the network is in doubt first.
/// An error of the disk stops the node, as it does everywhere.
async fn receive(replica: Replica, mut frames: Incoming) -> Result<Frame, HandlerError> {
    if !replica.invited() {
        return Err(uninvited());
    }
    let first = frames.next().await.ok_or_else(|| refused("an empty snapshot"))?.map_err(refused)?;
    let offer: SnapshotOffer = open(Kind::Snapshot, &first).map_err(refused)?;
    let leader = parse_vote(offer.vote.as_ref()).map_err(refused)?;
    let head = offer.head.ok_or_else(|| refused(WireError::Missing("head")))?;
    let mut meta = parse_snapshot_head(&head).map_err(refused)?;
    let bugs = replica.env().bugs;
    if bugs.has(Bug::RefuseSnapshot) {
        return Err(refused("this node takes no snapshots"));
    }
    if bugs.has(Bug::ForgetMembers) {
        meta.last_membership = StoredMembership::default();
    }

    let name = replica.state().temporary();
    let disk = replica.env().disk.clone();
    let received = async {
        let file = write(&replica, &name, frames).await?;
        drop(file);
        let (checked, disk) = (name.clone(), disk.clone());
        let read = replica.env().blocking(move || snapshot::read(&*disk, &checked, &mut |_, _| Ok(()))).await;
        let found = read.ok_or_else(|| refused("the node is stopping"))?.map_err(|fault| match fault {
            StoreError::Corrupt { .. } => refused(fault),
            StoreError::Io { .. } => failed(&replica, fault),
        })?;
        if found.applied != head.last || found.membership != head.membership {
            return Err(refused("the snapshot is another one than was offered"));
        }
        let snapshot = Snapshot { meta, snapshot: SnapshotData::Received(name.clone()) };
        replica.core().install_full_snapshot(leader, snapshot).await.map_err(refused)
    }
    .await;
    // It is there only if it was not installed: the node had it, or more, already.
    snapshot::remove(&*disk, &name).map_err(|fault| failed(&replica, fault))?;
    received.map(|reply| frame(Kind::Snapshot, &snapshot_reply(&reply)))
}

async fn write(
    replica: &Replica,
    name: &str,
    mut frames: Incoming,
) -> Result<Box<dyn DiskFile>, HandlerError> {
    let stopping = || refused("the node is stopping");
    let disk = &*replica.env().disk;
    let failed = |error| failed(replica, snapshot::write_error(disk, name, error));
    let mut file = disk.create(name).map_err(failed)?;
    while let Some(received) = frames.next().await {
        let received = received.map_err(refused)?;
        replica.hear();
        if received.kind() != Kind::Chunk {
            return Err(refused(WireError::Kind(received.kind)));
        }
        let write = move || {
            file.write_all(&received.payload)?;
            Ok::<_, std::io::Error>(file)
        };
        file = replica.env().blocking(write).await.ok_or_else(stopping)?.map_err(failed)?;
        replica.env().crash_points.reach(CrashPoint::InstallMidReceive);
    }
    let sync = move || {
        file.sync()?;
        Ok::<_, std::io::Error>(file)
    };
    replica.env().blocking(sync).await.ok_or_else(stopping)?.map_err(failed)
}

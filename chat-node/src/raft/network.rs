//! The other nodes, as the library of consensus wants them, over [`crate::env::Transport`].
//!
//! Appends are a pipeline: requests are sent as they come, answers come in their order, and the first error ends it.
//! A pipeline in which nothing is answered for a while is given up; the library opens another. What was still to be sent
//! on the old one is dropped with it: both would read what is next from one place.

mod pipeline;

use std::io::Read as _;
use std::time::Duration;

use futures::future::{BoxFuture, Either, select};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{
    Backoff, NetBackoff, NetSnapshot, NetStreamAppend, NetTransferLeader, NetVote, RPCOption,
};
use openraft::raft::{
    AppendEntriesRequest, SnapshotResponse, StreamAppendResult, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{EmptyNode, OptionalSend, RaftNetworkFactory};
use proto::raft::{Frame, Kind};

use self::pipeline::{Pipeline, Sent};
use super::machine_store::SnapshotData;
use super::types::{NodeName, TypeConfig, Vote};
use super::wire::rpc::{
    append_request, frame, open, parse_snapshot_reply, parse_transfer_reply, parse_vote_reply,
    transfer_request, vote_request,
};
use super::wire::{WireError, snapshot_head, vote};
use crate::env::transport::TransportError;
use crate::env::{Env, Instant};

/// How long after a failure a follower that cannot be reached is tried again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(250));
/// How much of a snapshot a frame carries.
const CHUNK_BYTES: usize = 256 << 10;

type RpcError = RPCError<TypeConfig>;
type AppendResults<'s> = BoxStream<'s, Result<StreamAppendResult<TypeConfig>, RpcError>>;

/// Makes connections.
#[derive(Debug, Clone)]
pub struct Network {
    env: Env,
}

impl Network {
    /// The network of a node.
    #[must_use]
    pub fn new(env: Env) -> Self {
        Self { env }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Connection;

    async fn new_client(&mut self, target: NodeName, _: &EmptyNode) -> Connection {
        Connection { env: self.env.clone(), peer: target }
    }
}

/// The way to one node. The connections themselves are the transport's.
#[derive(Debug)]
pub struct Connection {
    env: Env,
    peer: NodeName,
}

impl Connection {
    fn deadline(&self, option: &RPCOption) -> Instant {
        self.env.now() + option.soft_ttl()
    }

    async fn call(&self, question: Frame, option: &RPCOption) -> Result<Frame, RpcError> {
        let deadline = self.deadline(option);
        self.env.transport.call(self.peer.as_str(), question, deadline).await.map_err(rpc_error)
    }
}

fn rpc_error(error: TransportError) -> RpcError {
    match error {
        TransportError::Unreachable { .. } => RPCError::Unreachable(Unreachable::new(&error)),
        TransportError::Lost { .. } | TransportError::Timeout { .. } => {
            RPCError::Network(NetworkError::new(&error))
        }
    }
}

fn wire_error(error: WireError) -> RpcError {
    RPCError::Network(NetworkError::new(&error))
}

impl NetBackoff<TypeConfig> for Connection {
    fn backoff(&self) -> Option<Backoff> {
        let (first, last) = BACKOFF;
        Some(Backoff::new(std::iter::successors(Some(first), move |delay| Some((*delay * 2).min(last)))))
    }
}

impl NetVote<TypeConfig> for Connection {
    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let answer = self.call(frame(Kind::Vote, &vote_request(&request)), &option).await?;
        open(Kind::Vote, &answer).and_then(|reply| parse_vote_reply(&reply)).map_err(wire_error)
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let answer = self.call(frame(Kind::PreVote, &vote_request(&request)), &option).await?;
        open(Kind::PreVote, &answer).and_then(|reply| parse_vote_reply(&reply)).map_err(wire_error)
    }
}

impl NetTransferLeader<TypeConfig> for Connection {
    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RpcError> {
        let answer = self.call(frame(Kind::Transfer, &transfer_request(&request)), &option).await?;
        open(Kind::Transfer, &answer)
            .and_then(|reply| parse_transfer_reply(&reply, &request))
            .map_err(wire_error)
    }
}

impl NetStreamAppend<TypeConfig> for Connection {
    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> BoxFuture<'s, Result<AppendResults<'s>, RpcError>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        let sent = Sent::default();
        let (env, times) = (self.env.clone(), sent.clone());
        let frames = input.scan((), move |(), request| {
            let goes = times.push(env.now(), &request);
            std::future::ready(goes.then(|| frame(Kind::Append, &append_request(&request))))
        });
        Box::pin(async move {
            let deadline = self.deadline(&option);
            let opened = self.env.transport.append(self.peer.as_str(), frames.boxed(), deadline).await;
            let pipeline = Pipeline {
                env: self.env.clone(),
                peer: self.peer.clone(),
                sent,
                answers: opened.map_err(rpc_error)?,
            };
            let results: AppendResults<'s> = futures::stream::unfold(Some(pipeline), |pipeline| async {
                let mut pipeline = pipeline?;
                let result = pipeline.next().await?;
                let goes_on = matches!(result, Ok(Ok(_)));
                Some((result, goes_on.then_some(pipeline)))
            })
            .boxed();
            Ok(results)
        })
    }
}

impl NetSnapshot<TypeConfig> for Connection {
    type SnapshotData = SnapshotData;

    async fn full_snapshot(
        &mut self,
        leader: Vote,
        snapshot: openraft::alias::SnapshotOf<TypeConfig, SnapshotData>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let SnapshotData::Stored(file) = snapshot.snapshot else {
            let why = NetworkError::from_string("only the newest snapshot is sent");
            return Err(StreamingError::Network(why));
        };
        // The digest is in the file; the offer is for the node to see early what it gets.
        let offer = proto::raft::SnapshotOffer {
            vote: Some(vote(&leader)),
            head: Some(snapshot_head(&snapshot.meta, 0)),
        };
        let first = futures::stream::iter([frame(Kind::Snapshot, &offer)]);
        let frames = first.chain(chunks(self.env.clone(), file)).boxed();
        let sending = self.env.transport.snapshot(self.peer.as_str(), frames, self.deadline(&option));
        let answer = match select(sending, std::pin::pin!(cancel)).await {
            Either::Left((answer, _)) => answer.map_err(rpc_error)?,
            Either::Right((closed, _)) => return Err(StreamingError::Closed(closed)),
        };
        let reply = open(Kind::Snapshot, &answer).and_then(|reply| parse_snapshot_reply(&reply));
        Ok(reply.map_err(wire_error)?)
    }
}

/// A snapshot's file in pieces. An error of the disk ends it early, and the receiver sees that it is torn.
fn chunks(env: Env, file: Box<dyn std::io::Read + Send>) -> impl Stream<Item = Frame> + Send {
    futures::stream::unfold(Some(file), move |file| {
        let env = env.clone();
        async move {
            let mut file = file?;
            let read = env.blocking(move || {
                let mut bytes = Vec::with_capacity(CHUNK_BYTES);
                let limit = u64::try_from(CHUNK_BYTES).expect("a chunk's size fits 64 bits");
                let read = file.by_ref().take(limit).read_to_end(&mut bytes);
                read.map(|_| (bytes, file))
            });
            match read.await? {
                Ok((bytes, _)) if bytes.is_empty() => None,
                Ok((payload, file)) => Some((Frame { kind: Kind::Chunk.into(), payload }, Some(file))),
                Err(error) => {
                    tracing::warn!(%error, "cannot read the snapshot to send it");
                    None
                }
            }
        }
    })
}

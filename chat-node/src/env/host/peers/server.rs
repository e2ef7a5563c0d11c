//! The gRPC side of what peers send: frames in, frames out. It holds no logic.

use std::sync::Arc;

use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use proto::raft::Frame;
use proto::raft::peer_server::Peer;
use tonic::{Request, Response, Status, Streaming};

use crate::env::transport::{Handler, HandlerError, Incoming, TransportError};

/// The service over a handler.
pub(super) struct Service(pub(super) Arc<dyn Handler>);

impl From<HandlerError> for Status {
    /// The one code that says: the connection is well, the node refused.
    fn from(error: HandlerError) -> Self {
        Status::failed_precondition(error.0)
    }
}

#[tonic::async_trait]
impl Peer for Service {
    async fn call(&self, question: Request<Frame>) -> Result<Response<Frame>, Status> {
        Ok(Response::new(self.0.call(question.into_inner()).await?))
    }

    type AppendStream = BoxStream<'static, Result<Frame, Status>>;

    async fn append(
        &self,
        frames: Request<Streaming<Frame>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        let answers = self.0.append(incoming(frames.into_inner()));
        Ok(Response::new(answers.map(|answer| answer.map_err(Status::from)).boxed()))
    }

    async fn snapshot(&self, frames: Request<Streaming<Frame>>) -> Result<Response<Frame>, Status> {
        let answer = self.0.snapshot(incoming(frames.into_inner())).boxed();
        Ok(Response::new(answer.await?))
    }
}

fn incoming(frames: Streaming<Frame>) -> Incoming {
    let lost = |status: Status| TransportError::Lost { peer: "the peer".to_owned(), why: status.to_string() };
    frames.map(move |frame| frame.map_err(lost)).boxed()
}

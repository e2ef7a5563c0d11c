//! The other nodes, as names that frames can be sent to.
//!
//! A transport carries encoded frames and knows nothing of what is in them; what they mean is in [`crate::raft`].

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use proto::raft::Frame;
use thiserror::Error;

use super::Instant;

/// Why a peer did not answer.
#[derive(Debug, Clone, Error)]
pub enum TransportError {
    /// No connection could be made: the peer has certainly seen nothing of this.
    #[error("cannot reach {peer}: {why}")]
    Unreachable {
        /// The peer's name.
        peer: String,
        /// What the system said.
        why: String,
    },
    /// The connection broke, or the peer failed. It may have seen everything.
    #[error("lost {peer}: {why}")]
    Lost {
        /// The peer's name.
        peer: String,
        /// What the transport said.
        why: String,
    },
    /// The deadline passed. The peer may have seen everything.
    #[error("no answer from {peer} in time")]
    Timeout {
        /// The peer's name.
        peer: String,
    },
}

/// Frames that arrive, until the connection ends or breaks.
pub type Incoming = BoxStream<'static, Result<Frame, TransportError>>;

/// A way to the other nodes. Connections are its own business: it keeps them, and dials again when they break.
///
/// It has the frames that it is given no longer than somebody waits for an answer: when the future is dropped, or the
/// answers are, the frames are dropped before that returns, and the peer sees their end.
pub trait Transport: Send + Sync + 'static {
    /// Asks one question.
    fn call(
        &self,
        peer: &str,
        question: Frame,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Frame, TransportError>>;

    /// Opens a pipeline; `deadline` is for the opening only. Its answers come in the order of `frames`.
    fn append(
        &self,
        peer: &str,
        frames: BoxStream<'static, Frame>,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Incoming, TransportError>>;

    /// Sends a snapshot on a connection of its own, so that it holds up nothing else.
    fn snapshot(
        &self,
        peer: &str,
        frames: BoxStream<'static, Frame>,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Frame, TransportError>>;

    /// The address of `peer` in this node's own table, if it has one.
    fn address(&self, peer: &str) -> Option<String>;

    /// Hands what peers send to `handler` from now on, until [`Transport::stop`].
    fn serve(&self, handler: Arc<dyn Handler>);

    /// Stops serving, drops every connection that was dialled, and what is still to be sent: what a stream of frames
    /// holds is free when this returns.
    fn stop(&self);
}

/// The node refused or could not answer a frame; the text is for people.
#[derive(Debug, Clone, Error)]
#[error("{0}")]
pub struct HandlerError(pub String);

/// Answers what peers send. The transport's side of [`Transport`]'s three methods.
pub trait Handler: Send + Sync + 'static {
    /// Answers one question.
    fn call(&self, question: Frame) -> BoxFuture<'static, Result<Frame, HandlerError>>;

    /// Answers a pipeline, in order.
    fn append(&self, frames: Incoming) -> BoxStream<'static, Result<Frame, HandlerError>>;

    /// Receives a snapshot, and answers once it is installed.
    fn snapshot(&self, frames: Incoming) -> BoxFuture<'static, Result<Frame, HandlerError>>;
}

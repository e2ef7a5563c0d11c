//! What the tests of this module share: an environment in a directory of its own, and a machine that counts.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use proto::raft::Frame;
use tempfile::TempDir;

use super::machine_store::Apply;
use crate::bug::Bugs;
use crate::env::transport::{Handler, Incoming, Transport, TransportError};
use crate::env::{CrashPoints, Disk, Env, HostDisk, HostRuntime, Instant, Runtime};

/// A transport that reaches nobody.
pub(crate) struct Nowhere;

fn unreachable<T: Send + 'static>(peer: &str) -> BoxFuture<'static, Result<T, TransportError>> {
    let error = TransportError::Unreachable { peer: peer.to_owned(), why: "there is nobody".to_owned() };
    Box::pin(async { Err(error) })
}

impl Transport for Nowhere {
    fn call(&self, peer: &str, _: Frame, _: Instant) -> BoxFuture<'static, Result<Frame, TransportError>> {
        unreachable(peer)
    }

    fn append(
        &self,
        peer: &str,
        _: BoxStream<'static, Frame>,
        _: Instant,
    ) -> BoxFuture<'static, Result<Incoming, TransportError>> {
        unreachable(peer)
    }

    fn snapshot(
        &self,
        peer: &str,
        _: BoxStream<'static, Frame>,
        _: Instant,
    ) -> BoxFuture<'static, Result<Frame, TransportError>> {
        unreachable(peer)
    }

    fn address(&self, _: &str) -> Option<String> {
        None
    }

    fn serve(&self, _: Arc<dyn Handler>) {}

    fn stop(&self) {}
}

/// An environment over `directory`, without peers.
pub(crate) fn env(directory: &TempDir) -> Env {
    env_on(HostDisk::open(directory.path()).unwrap())
}

/// An environment over `disk`, without peers.
pub(crate) fn env_on(disk: impl Disk) -> Env {
    env_with(Arc::new(HostRuntime::current()), disk)
}

/// An environment over `runtime` and `disk`, without peers.
pub(crate) fn env_with(runtime: Arc<dyn Runtime>, disk: impl Disk) -> Env {
    let crash_points = CrashPoints::new(runtime.clone());
    let disk = Arc::new(disk);
    Env { runtime, transport: Arc::new(Nowhere), disk, crash_points, bugs: Bugs::default() }
}

/// A machine that keeps each proposal under its index, and answers with the index.
pub(crate) fn keeper() -> Apply {
    Arc::new(|tables, index, proposal| {
        let mut key = vec![1];
        key.extend_from_slice(&index.to_be_bytes());
        tables.put(&key, proposal)?;
        let sent = proto::log::Sent { conversation: String::new(), sequence: index, time_ms: 0 };
        Ok(proto::log::Reply { outcome: Some(proto::log::reply::Outcome::Sent(sent)) })
    })
}

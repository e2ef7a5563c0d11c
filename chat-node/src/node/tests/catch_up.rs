//! A follower that is sent snapshots while what the leader was about to send it is purged.

use std::sync::Mutex;

use futures::future::BoxFuture;
use futures::stream::BoxStream;

use super::*;
use crate::env::Transport;
use crate::env::transport::{Handler, Incoming, TransportError};

/// A transport whose open pipelines to a peer can be made to bring no answer any more.
#[derive(Clone)]
pub(super) struct Mutable {
    inner: Arc<dyn Transport>,
    /// How often each peer was muted.
    muted: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Mutable {
    pub(super) fn over(inner: Arc<dyn Transport>) -> Self {
        Self { inner, muted: Arc::default() }
    }

    /// What was opened to `peer` so far brings no answer. What is opened later does.
    fn mute(&self, peer: &str) {
        *self.muted.lock().unwrap().entry(peer.to_owned()).or_default() += 1;
    }

    fn mutes(&self, peer: &str) -> u64 {
        self.muted.lock().unwrap().get(peer).copied().unwrap_or_default()
    }
}

impl Transport for Mutable {
    fn call(
        &self,
        peer: &str,
        question: Frame,
        deadline: crate::env::Instant,
    ) -> BoxFuture<'static, Result<Frame, TransportError>> {
        self.inner.call(peer, question, deadline)
    }

    fn append(
        &self,
        peer: &str,
        frames: BoxStream<'static, Frame>,
        deadline: crate::env::Instant,
    ) -> BoxFuture<'static, Result<Incoming, TransportError>> {
        let (this, peer) = (self.clone(), peer.to_owned());
        let opening = self.inner.append(&peer, frames, deadline);
        Box::pin(async move {
            let (answers, mutes) = (opening.await?, this.mutes(&peer));
            Ok(answers.filter(move |_| std::future::ready(this.mutes(&peer) == mutes)).boxed())
        })
    }

    fn snapshot(
        &self,
        peer: &str,
        frames: BoxStream<'static, Frame>,
        deadline: crate::env::Instant,
    ) -> BoxFuture<'static, Result<Frame, TransportError>> {
        self.inner.snapshot(peer, frames, deadline)
    }

    fn address(&self, peer: &str) -> Option<String> {
        self.inner.address(peer)
    }

    fn serve(&self, handler: Arc<dyn Handler>) {
        self.inner.serve(handler);
    }

    fn stop(&self) {
        self.inner.stop();
    }
}

/// How many entries are written before the leader hears nothing: more than one request carries, so that whoever reads
/// what was purged from the beginning finds nothing of what it may ask for.
const HISTORY: u64 = 600;

impl Cluster {
    /// Proposes about so many entries on the leader, as many at a time as it takes, and returns its status.
    fn write(&self, entries: u64) -> crate::raft::Status {
        let leader = self.leader();
        let replica = self.replica(&leader);
        let proposed = (0..entries).map(|number| {
            let command = Command { client_id: "test".to_owned(), sequence: number, ..Command::default() };
            replica.propose(Vec::new(), command, Self::deadline())
        });
        let proposed = futures::stream::iter(proposed).buffer_unordered(32);
        // One that fails, as when leaders change, is not missed.
        self.runtime.block_on(proposed.for_each(|_| std::future::ready(())));
        replica.status()
    }
}

/// The leader gives up a pipeline, and sends a snapshot because what comes next is purged. Requests that only tell what
/// is committed go on meanwhile, on pipelines of their own: the one that was given up must not read theirs. Which of the
/// two comes first is left to the scheduler, so this is done a few times.
#[test]
fn a_follower_whose_answers_are_lost_until_a_purge_catches_up() {
    let cluster = Cluster::new(3, Compaction { snapshot_entries: 50, keep_entries: 5 });
    cluster.until("a history", |cluster| (cluster.write(50).purged > HISTORY).then_some(()));
    for _ in 0..5 {
        let (leader, follower) = (cluster.leader(), cluster.follower());
        let heard = cluster.replica(&leader).status().last_log;
        cluster.members[&leader].transport.mute(&follower);
        let purged = cluster.until("a purge", |cluster| {
            // More than it keeps, before it gives up the pipeline.
            let status = cluster.write(20);
            (status.purged > heard || status.node != leader).then_some(status.purged)
        });
        cluster.until("another purge, of what the follower has", |cluster| {
            let status = cluster.write(10);
            (status.purged > purged + 100 || status.node != leader).then_some(())
        });
        cluster.converge();
    }
}

//! The beginning and the end of a node's part in the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;
use openraft::errors::{Fatal, InitializeError, RaftError};
use openraft::{Config, EmptyNode, RaftMetrics, SnapshotPolicy};

use super::log_store::LogStore;
use super::machine_store::MachineStore;
use super::network::Network;
use super::replica::{Core, Replica};
use super::types::{NodeName, TypeConfig};
use crate::bug::{Bug, Bugs};
use crate::env::{Env, current, watch};

/// How often a leader is heard of, in milliseconds.
const HEARTBEAT_MS: u64 = 100;
/// How long a follower waits for its leader before it asks for votes, in milliseconds: drawn between the two. A vote is
/// only given when the leader was not heard of for the longer one, so a new leader comes within about a second.
const ELECTION_MS: (u64, u64) = (300, 450);
/// How many entries an append request carries at most.
const REQUEST_ENTRIES_MAX: u64 = 512;
/// How long a snapshot may take on its way. Whether the other side is there at all, the pings of the connection find out.
const SNAPSHOT_MS_MAX: u64 = 10 * 60 * 1000;
/// How long a leader that stops waits for another one to take over.
const HAND_OVER: Duration = Duration::from_millis(1500);

/// When a node makes snapshots, and what it keeps of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compaction {
    /// A snapshot is made every so many entries.
    pub snapshot_entries: u64,
    /// So many entries that a snapshot holds stay in the log, for followers that are a little behind.
    pub keep_entries: u64,
}

impl Default for Compaction {
    fn default() -> Self {
        Self { snapshot_entries: 10_000, keep_entries: 1_000 }
    }
}

/// What the library of consensus is told.
fn config(compaction: Compaction, bugs: Bugs) -> Config {
    let (election_timeout_min, election_timeout_max) = ELECTION_MS;
    Config {
        cluster_name: "hearsay".to_owned(),
        heartbeat_interval: HEARTBEAT_MS,
        election_timeout_min,
        election_timeout_max,
        max_payload_entries: REQUEST_ENTRIES_MAX,
        install_snapshot_timeout: SNAPSHOT_MS_MAX,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(compaction.snapshot_entries),
        max_in_snapshot_log_to_keep: compaction.keep_entries,
        // A follower that is further behind than one snapshot and what is kept is better off with the snapshot.
        replication_lag_threshold: compaction.snapshot_entries + compaction.keep_entries,
        enable_pre_vote: Some(true),
        // A restarted leader must ask for votes again. The default lets it go on in its term with what is left of its
        // log, and what was not flushed yet is gone: it then gives a second entry the id of a first one that followers
        // have, and replicas diverge, after a plain kill -9.
        enable_leader_restore: Some(bugs.has(Bug::LeaderRestore)),
        ..Config::default()
    }
}

/// Starts the library over the stores.
///
/// # Errors
/// A store failed, or what it holds makes no sense.
pub(crate) async fn start(
    env: &Env,
    node: &NodeName,
    compaction: Compaction,
    log: LogStore,
    state: MachineStore,
) -> Result<Core, String> {
    let config = config(compaction, env.bugs).validate().map_err(|error| error.to_string())?;
    let network = Network::new(env.clone());
    // All tasks of the library are started in here, by it or by one another.
    let core = Core::new(node.clone(), Arc::new(config), network, log, state);
    current::within(env.runtime.clone(), core).await.map_err(|error| error.to_string())
}

/// Founds a cluster of `members`. Every founder does so with the same members; one that was already reached by the
/// cluster need not.
///
/// # Errors
/// This node is not one of them, or a store failed.
pub(crate) async fn found(core: &Core, members: &BTreeSet<NodeName>) -> Result<(), String> {
    let members: BTreeMap<NodeName, EmptyNode> =
        members.iter().map(|name| (name.clone(), EmptyNode::new())).collect();
    match core.initialize(members).await {
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Says when the node has caught up with the log that it started with, whose last index is `last`: a leader has committed
/// as much, and it is applied. Everything that the node may have shown before it was restarted is then in its state.
///
/// The library's own `wait_for_recovery` compares with the end of the log as it grows, which a node under load may never
/// reach.
pub(crate) fn readiness(env: &Env, core: &Core, last: Option<u64>) -> watch::Receiver<bool> {
    let (tx, ready) = watch::channel(false);
    let core = core.clone();
    env.spawn(async move {
        let committed =
            |metrics: &RaftMetrics<TypeConfig>| metrics.cluster_committed.as_ref().map(|id| id.index());
        let covered = core
            .wait(None)
            .metrics(
                |metrics| committed(metrics).is_some() && committed(metrics) >= last,
                "the log is committed",
            )
            .await;
        let caught_up = match covered {
            Ok(metrics) => core.wait(None).applied_index_at_least(committed(&metrics), "and applied").await,
            Err(error) => Err(error),
        };
        match caught_up {
            Ok(_) => tx.send(true),
            // The node stops before it was ready.
            Err(error) => tracing::debug!(%error, "never ready"),
        }
    });
    ready
}

/// Waits until the library stops, and returns why if it was not asked to.
pub(crate) async fn stopped(core: Core) -> Option<String> {
    let mut metrics = core.metrics();
    loop {
        match &metrics.borrow_watched().running_state {
            Ok(()) => {}
            Err(Fatal::Stopped) => return None,
            Err(fatal) => return Some(fatal.to_string()),
        }
        if metrics.changed().await.is_err() {
            return None;
        }
    }
}

/// Lets another node lead, if this one does, and waits until it does.
pub(crate) async fn hand_over(replica: &Replica) {
    let metrics = replica.metrics();
    if !metrics.state.is_leader() {
        return;
    }
    let Some(heir) = replica.heir(&metrics) else { return };
    tracing::info!(%heir, "hands over the leadership");
    if replica.core().trigger().transfer_leader(heir).await.is_err() {
        return;
    }
    let deadline = replica.env().now() + HAND_OVER;
    let mut metrics = replica.core().metrics();
    let handed_over =
        async { while metrics.borrow_watched().state.is_leader() && metrics.changed().await.is_ok() {} };
    if replica.env().timeout_at(deadline, handed_over).await.is_err() {
        tracing::warn!("nobody took over the leadership in time");
    }
}

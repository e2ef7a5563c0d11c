//! One node, from its start to its end.
//!
//! [`Node::start`] verifies the files, starts the stores, the library of consensus and the answers to peers, in this
//! order; [`Node::stop`] ends them in the other. Several nodes can live in one process: a node knows nothing but its
//! [`Env`] and its [`NodeConfig`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::bug::{self, Bug};
use crate::env::{Env, watch};
use crate::machine::tables::StoreError;
use crate::raft::Replica;
use crate::raft::lifecycle::{self, Compaction};
use crate::raft::log_store::LogStore;
use crate::raft::machine_store::{Apply, MachineStore};
use crate::raft::peer::PeerHandler;
use crate::raft::replica::Parts;
use crate::raft::types::NodeName;
use crate::store::{Faults, snapshot};
use crate::trace::{Event, Trace};

/// How long consensus may take to stop, and then the files to close.
const CLOSE: Duration = Duration::from_secs(5);

/// What a node must be told.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Its name.
    pub node: NodeName,
    /// Who founds the cluster, by name. Only looked at by a node that was never part of one.
    pub founders: BTreeSet<NodeName>,
    /// Found a cluster if this node was never part of one. A node alone does so in any case.
    pub init: bool,
    /// Wait to be added to a cluster if this node was never part of one.
    pub join: bool,
    /// When snapshots are made, and what is kept of the log.
    pub compaction: Compaction,
    /// How many proposals and reads may be in flight.
    pub in_flight_max: usize,
}

/// A node that could not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// A file is corrupt, or the disk failed.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The node was never part of a cluster, and was told neither to found one nor to wait for one.
    #[error(
        "the data directory is empty, and neither `--init` nor `--join` was given: a node that lost its data must come \
         back under a new name, because its old name may have voted; give `--init` to found a new cluster, or `--join` \
         to wait until this node is added to one"
    )]
    Pristine,
    /// The library refused.
    #[error("cannot take part in the cluster: {0}")]
    Consensus(String),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Why a node cannot go on.
#[derive(Debug, Clone, Error)]
pub enum Failed {
    /// A file is corrupt, or the disk failed.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The library stopped.
    #[error("consensus stopped: {0}")]
    Consensus(String),
}

/// A running node.
pub struct Node {
    replica: Replica,
    faults: Faults,
    closed: [watch::Receiver<()>; 2],
}

impl Node {
    /// Starts a node, whose machine is `apply`.
    ///
    /// # Errors
    /// It is [`StartError`]'s to say. Nothing is left running.
    pub async fn start(env: Env, config: NodeConfig, apply: Apply, trace: Trace) -> Result<Self, StartError> {
        let env = Env { disk: bug::disk::over(env.disk.clone(), env.bugs), ..env };
        let faults = Faults::default();
        let log = LogStore::open(&env, &config.node, faults.clone(), trace.clone()).await?;
        let joins = log.pristine && config.join;
        let alone = config.founders.len() == 1;
        let comes_back = env.bugs.has(Bug::RejoinWiped) && !config.init;
        if log.pristine && !config.init && !alone && !joins && !comes_back {
            return Err(StartError::Pristine);
        }
        let state = MachineStore::open(&env, log.store.clone(), apply, faults.clone(), trace.clone())?;
        trace.write(&Event::Start);
        let snapshot = snapshot::newest(&*env.disk)?.and_then(|head| head.applied);
        trace.write_with(|| Event::recovered(&log.contents, snapshot));
        let why = |why| faults.get().map_or(StartError::Consensus(why), StartError::Store);
        let reader = state.store.reader();
        let core = lifecycle::start(&env, &config.node, config.compaction, log.store, state.store)
            .await
            .map_err(why)?;
        if log.pristine && !joins && !comes_back {
            lifecycle::found(&core, &config.founders).await.map_err(why)?;
        }
        let replica = Replica::new(Parts {
            env: env.clone(),
            node: config.node,
            ready: lifecycle::readiness(&env, &core, log.last),
            core,
            state: reader,
            in_flight_max: config.in_flight_max,
            joins,
        });
        bug::habits::start(&replica);
        env.transport.serve(PeerHandler::new(replica.clone()));
        Ok(Self { replica, faults, closed: [log.closed, state.closed] })
    }

    /// The node's part in the cluster.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Waits until the node cannot go on. It answers nothing after that.
    pub async fn failed(&self) -> Failed {
        let fault = std::pin::pin!(self.faults.wait());
        let stopped = std::pin::pin!(lifecycle::stopped(self.replica.core().clone()));
        match futures::future::select(fault, stopped).await {
            futures::future::Either::Left((fault, _)) => Failed::Store(fault),
            futures::future::Either::Right((why, fault)) => {
                // A fault of the disk stops the library, too; the fault is the cause.
                match self.faults.get() {
                    Some(fault) => Failed::Store(fault),
                    None => match why {
                        Some(why) => Failed::Consensus(why),
                        None => Failed::Store(fault.await),
                    },
                }
            }
        }
    }

    /// Takes in nothing more, and lets another node lead. What is in flight goes on.
    pub async fn retire(&self) {
        self.replica.retire();
        lifecycle::hand_over(&self.replica).await;
    }

    /// Stops the node: retires it, makes the state durable, closes the files. Calls that it still answers do not hold it
    /// up: what they wait for does not come any more, and they are told so.
    ///
    /// Returns whether all of that was done in time. What was not is repaired when the node is started again.
    pub async fn stop(self) -> bool {
        self.retire().await;
        let Self { replica, faults: _, closed } = self;
        let env = replica.env().clone();
        replica.end();
        env.transport.stop();
        // Consensus waits for a vote that is being stored, which a disk that does not answer never is.
        let mut in_time = true;
        match env.timeout_at(env.now() + CLOSE, replica.core().shutdown()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "consensus did not stop well"),
            Err(_) => {
                in_time = false;
                tracing::warn!("consensus did not stop in time; does the disk answer?");
            }
        }
        drop(replica);
        let deadline = env.now() + CLOSE;
        for mut file in closed {
            // The receiver sees the end of the watch, never a value.
            if env.timeout_at(deadline, file.changed()).await.is_err() {
                in_time = false;
                tracing::warn!("a file did not close in time; it is repaired when it is opened");
            }
        }
        in_time
    }
}

#[cfg(test)]
mod tests;

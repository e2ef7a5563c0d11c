//! What the rest of the node may ask of the cluster, on any of its nodes.
//!
//! A proposal goes to the leader: here when this node leads, otherwise by one hop to the node that does, which says that
//! it is one and goes no further. A linearizable read asks the leader up to where the log is committed (the leader
//! confirms with a majority that it still leads), waits until this node has applied that much, and reads here.
//!
//! # What an error proves
//! Until a proposal is handed to the library, or to a connection, nothing has happened, and the failure says so. From
//! then on every failure is [`Failure::Unknown`]: no error of the library proves that the entry is not in some log that
//! a later leader brings to all.

mod ask;
mod finish;
mod leader;
mod members;
mod serve;
mod snapshot;
mod standing;
mod transfer;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use openraft::async_runtime::WatchReceiver as _;
use openraft::{Raft, RaftMetrics};
use tokio::sync::Semaphore;

use super::failure::Failure;
use super::machine_store::{MachineStore, StateReader};
use super::status::{Member, Standing};
use super::types::{NodeName, TypeConfig};
use crate::bug::Bug;
use crate::env::{Env, Instant, watch};

/// A node of the cluster, as the library has it.
pub(crate) type Core = Raft<TypeConfig, MachineStore>;

/// One node's part in the cluster. Clones are the same replica.
#[derive(Clone)]
pub struct Replica {
    inner: Arc<Inner>,
}

struct Inner {
    env: Env,
    node: NodeName,
    core: Core,
    state: StateReader,
    started: Instant,
    /// How many proposals and reads may be in flight.
    room: Semaphore,
    /// Its one permit is had by the change of members that is at work here.
    changing: Arc<Semaphore>,
    ready: watch::Receiver<bool>,
    stage: watch::Sender<Stage>,
    stages: watch::Receiver<Stage>,
    standing: watch::Sender<Standing>,
    standings: watch::Receiver<Standing>,
    /// When a leader last sent something.
    heard: Mutex<Instant>,
    /// Whether this node may answer a cluster.
    invited: AtomicBool,
}

/// How far a node is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is not.
    Running,
    /// It takes in nothing more.
    Retiring,
    /// It also ends what would go on by itself.
    Ending,
}

/// What a replica is made of.
pub(crate) struct Parts {
    pub(crate) env: Env,
    pub(crate) node: NodeName,
    pub(crate) core: Core,
    pub(crate) state: StateReader,
    /// How many proposals and reads may be in flight.
    pub(crate) in_flight_max: usize,
    /// Whether the node has caught up with its own log.
    pub(crate) ready: watch::Receiver<bool>,
    /// The node has no data, and answers nobody before it is invited.
    pub(crate) joins: bool,
}

impl Replica {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { env, node, core, state, in_flight_max, ready, joins } = parts;
        let (started, room) = (env.now(), Semaphore::new(in_flight_max));
        let (stage, stages) = watch::channel(Stage::Running);
        let changing = Arc::new(Semaphore::new(1));
        let (standing, standings) = watch::channel(if joins { Standing::Waiting } else { Standing::Member });
        let inner = Inner {
            env,
            node,
            core,
            state,
            started,
            room,
            changing,
            ready,
            stage,
            stages,
            standing,
            standings,
            heard: Mutex::new(started),
            invited: AtomicBool::new(!joins),
        };
        let replica = Self { inner: Arc::new(inner) };
        replica.env().spawn(finish::finish_changes(replica.clone()));
        replica.env().spawn(standing::follow(replica.clone()));
        replica
    }

    /// What the node may touch.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.inner.env
    }

    /// Its name.
    #[must_use]
    pub fn node(&self) -> &NodeName {
        &self.inner.node
    }

    /// Whether the node has caught up with its own log, and serves.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.inner.ready.clone()
    }

    /// Takes in nothing more. What is in flight goes on.
    pub(crate) fn retire(&self) {
        self.inner.stage.send(Stage::Retiring);
    }

    /// Ends what would go on by itself: the pipelines from the leader.
    pub(crate) fn end(&self) {
        self.inner.stage.send(Stage::Ending);
    }

    /// Completes when the node ends.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stages = self.inner.stages.clone();
        async move {
            // The replica may be dropped without a word; that is an end, too.
            let _ = stages.wait_for(|stage| *stage == Stage::Ending).await;
        }
    }

    fn retiring(&self) -> bool {
        self.inner.stages.get() != Stage::Running
    }

    pub(crate) fn core(&self) -> &Core {
        &self.inner.core
    }

    pub(crate) fn state(&self) -> &StateReader {
        &self.inner.state
    }

    pub(crate) fn metrics(&self) -> RaftMetrics<TypeConfig> {
        self.inner.core.metrics().borrow_watched().clone()
    }

    fn admit(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Failure> {
        if self.retiring() {
            return Err(Failure::Stopping);
        }
        match self.inner.standing.get() {
            Standing::Member => {}
            Standing::Waiting => return Err(Failure::NotAMember { removed: false }),
            Standing::Removed => return Err(Failure::NotAMember { removed: true }),
        }
        if !self.inner.ready.get() && !self.inner.env.bugs.has(Bug::ServeBeforeReplay) {
            return Err(Failure::Starting);
        }
        self.inner.room.try_acquire().map_err(|_| Failure::Overloaded)
    }

    /// The leader that this node follows. From the same source as [`Replica::deposed`], or the two could disagree.
    fn leader(&self) -> Option<NodeName> {
        let metrics = self.inner.core.server_metrics().borrow_watched().clone();
        // One that was removed and stepped down is the last leader that it knows.
        metrics.current_leader.filter(|leader| *leader != self.inner.node || metrics.state.is_leader())
    }

    /// Whether a planted bug answers linearizable reads from what is here.
    fn reads_at_once(&self) -> bool {
        let bugs = self.inner.env.bugs;
        bugs.has(Bug::StaleRead) || (bugs.has(Bug::ServeBeforeReplay) && !self.inner.ready.get())
    }

    fn leader_name(&self) -> Option<String> {
        self.leader().map(|name| name.to_string())
    }

    /// The members as this node has them, committed or not.
    fn members(&self) -> Vec<Member> {
        let metrics = self.core().server_metrics().borrow_watched().clone();
        let membership = metrics.membership_config.membership();
        let voters: std::collections::BTreeSet<NodeName> = membership.voter_ids().collect();
        let members = membership.nodes().map(|(name, _)| Member {
            node: name.to_string(),
            voter: voters.contains(name),
            address: self.env().transport.address(name.as_str()),
        });
        members.collect()
    }
}

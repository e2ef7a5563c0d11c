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

mod finish;
mod leader;
mod members;
mod snapshot;
mod standing;
mod transfer;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{Either, select};
use openraft::async_runtime::WatchReceiver as _;
use openraft::{Raft, RaftMetrics, ServerState};
use prost::Message as _;
use proto::log::{Command, Reply};
use proto::raft::{ForwardRequest, Frame, Kind, ReadIndexRequest, forward_reply, read_index_reply};
use tokio::sync::Semaphore;

use super::change::ChangeError;
use super::failure::{Consistency, Failure};
use super::machine_store::{MachineStore, StateReader};
use super::status::{Member, Role, Standing, Status};
use super::types::{NodeName, TypeConfig};
use super::wire::rpc::{frame, open, parse_failure};
use crate::bug::{Bug, Bugs};
use crate::env::transport::TransportError;
use crate::env::{Env, Instant, watch};
use crate::machine::tables::{StoreError, Tables};
use crate::service::consensus::{Consensus, Operate};
use crate::store::database;

/// How long a caller waits while nobody leads, at most. Twice what an election takes.
const LEADER_WAIT: Duration = Duration::from_millis(2000);
/// How long after a failure the leader is looked for again, when nothing is heard of one.
const LEADER_LOOK: Duration = Duration::from_millis(50);

/// What the library says of leaders, and when it changes.
type ServerMetrics =
    openraft::alias::WatchReceiverOf<TypeConfig, openraft::metrics::RaftServerMetrics<TypeConfig>>;

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
    bugs: Bugs,
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

/// Why the leader did not answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    /// It was certainly not asked.
    #[error("it could not be asked")]
    Unasked,
    /// It may have been asked.
    #[error(transparent)]
    Lost(TransportError),
    /// It may have been asked, and is not the leader any more.
    #[error("another leader followed")]
    Deposed,
}

/// What a replica is made of.
pub(crate) struct Parts {
    pub(crate) env: Env,
    pub(crate) node: NodeName,
    pub(crate) core: Core,
    pub(crate) state: StateReader,
    pub(crate) bugs: Bugs,
    /// How many proposals and reads may be in flight.
    pub(crate) in_flight_max: usize,
    /// Whether the node has caught up with its own log.
    pub(crate) ready: watch::Receiver<bool>,
    /// The node has no data, and answers nobody before it is invited.
    pub(crate) joins: bool,
}

impl Replica {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { env, node, core, state, bugs, in_flight_max, ready, joins } = parts;
        let (started, room) = (env.now(), Semaphore::new(in_flight_max));
        let (stage, stages) = watch::channel(Stage::Running);
        let changing = Arc::new(Semaphore::new(1));
        let (standing, standings) = watch::channel(if joins { Standing::Waiting } else { Standing::Member });
        let inner = Inner {
            env,
            node,
            core,
            state,
            bugs,
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
        if !self.inner.ready.get() {
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

    async fn forward(
        &self,
        leader: &NodeName,
        actor: Vec<u8>,
        command: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let request = ForwardRequest { actor, command, within_ms: self.within_ms(deadline) };
        let unknown = |why: String| Failure::Unknown { why, leader: self.leader_name() };
        let answer = match self.ask_leader(leader, frame(Kind::Forward, &request), deadline).await {
            Ok(answer) => answer,
            Err(Unanswered::Unasked) => return Err(Failure::NoLeader { leader: Some(leader.to_string()) }),
            Err(error) => return Err(unknown(error.to_string())),
        };
        let reply: proto::raft::ForwardReply =
            open(Kind::Forward, &answer).map_err(|error| unknown(error.to_string()))?;
        match reply.outcome {
            Some(forward_reply::Outcome::Reply(bytes)) => {
                Reply::decode(bytes.as_slice()).map_err(|error| unknown(error.to_string()))
            }
            Some(forward_reply::Outcome::Failed(failed)) => Err(parse_failure(failed)),
            None => Err(unknown("the leader answered nothing".to_owned())),
        }
    }

    /// An index such that a state that includes it includes all that was acknowledged before the call.
    async fn read_index(&self, deadline: Instant) -> Result<u64, Failure> {
        let give_up = self.patience(deadline);
        loop {
            let news = self.news();
            let answer = self.read_index_once(deadline).await;
            // A question changes nothing, and may be asked again whatever became of it.
            if answer.is_ok() || !self.again(news, give_up).await {
                return answer;
            }
        }
    }

    async fn read_index_once(&self, deadline: Instant) -> Result<u64, Failure> {
        let Some(leader) = self.leader() else { return Err(Failure::NoLeader { leader: None }) };
        if leader == self.inner.node {
            return self.read_index_here(deadline).await;
        }
        let unavailable = |why: String| Failure::ReadUnavailable { why, leader: Some(leader.to_string()) };
        let question = frame(Kind::ReadIndex, &ReadIndexRequest { within_ms: self.within_ms(deadline) });
        let answer = match self.ask_leader(&leader, question, deadline).await {
            Ok(answer) => answer,
            Err(Unanswered::Unasked) => return Err(Failure::NoLeader { leader: Some(leader.to_string()) }),
            Err(error) => return Err(unavailable(error.to_string())),
        };
        let reply: proto::raft::ReadIndexReply =
            open(Kind::ReadIndex, &answer).map_err(|error| unavailable(error.to_string()))?;
        match reply.outcome {
            Some(read_index_reply::Outcome::Index(index)) => Ok(index),
            Some(read_index_reply::Outcome::Failed(failed)) => Err(parse_failure(failed)),
            None => Err(unavailable("the leader answered nothing".to_owned())),
        }
    }

    /// Until when an operation with this deadline waits for a leader. An election takes a second: waiting for its end
    /// costs the caller less than being told of it.
    fn patience(&self, deadline: Instant) -> Instant {
        deadline.min(self.inner.env.now() + LEADER_WAIT)
    }

    /// What is known of leaders now; its next change is news.
    fn news(&self) -> ServerMetrics {
        let mut news = self.inner.core.server_metrics();
        news.borrow_and_update();
        news
    }

    /// Waits until another try makes sense, or says that none does: when there is news since `news` was taken, or soon,
    /// because not all that is new is seen here.
    async fn again(&self, mut news: ServerMetrics, give_up: Instant) -> bool {
        let now = self.inner.env.now();
        if now >= give_up || self.retiring() {
            return false;
        }
        let _ = self.inner.env.timeout_at(give_up.min(now + LEADER_LOOK), news.changed()).await;
        true
    }

    async fn propose_once(
        &self,
        actor: Vec<u8>,
        command: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        match self.leader() {
            None => Err(Failure::NoLeader { leader: None }),
            Some(leader) if leader == self.inner.node => self.propose_here(actor, command, deadline).await,
            Some(leader) => self.forward(&leader, actor, command, deadline).await,
        }
    }

    /// Asks the leader, as long as it is the leader: one that is stopped, or cut off, answers only when it goes on, and
    /// by then there is another.
    async fn ask_leader(
        &self,
        leader: &NodeName,
        question: Frame,
        deadline: Instant,
    ) -> Result<Frame, Unanswered> {
        let answer = self.inner.env.transport.call(leader.as_str(), question, deadline);
        match select(answer, std::pin::pin!(self.deposed(leader))).await {
            Either::Left((Ok(answer), _)) => Ok(answer),
            Either::Left((Err(TransportError::Unreachable { .. }), _)) => Err(Unanswered::Unasked),
            Either::Left((Err(error), _)) => Err(Unanswered::Lost(error)),
            Either::Right(_) => Err(Unanswered::Deposed),
        }
    }

    /// Waits until this node follows another leader.
    async fn deposed(&self, leader: &NodeName) {
        let mut metrics = self.inner.core.server_metrics();
        loop {
            if metrics.borrow_watched().current_leader.as_ref().is_some_and(|now| now != leader) {
                return;
            }
            if metrics.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn within_ms(&self, deadline: Instant) -> u64 {
        let within = deadline.saturating_duration_since(self.inner.env.now());
        u64::try_from(within.as_millis()).unwrap_or(u64::MAX)
    }

    async fn wait_applied(&self, index: u64, deadline: Instant) -> Result<(), Failure> {
        let mut applied = self.inner.state.applied();
        let unavailable = |why: &str| Failure::ReadUnavailable { why: why.to_owned(), leader: None };
        let reached = std::pin::pin!(applied.wait_for(|applied| *applied >= index));
        let removed = std::pin::pin!(self.removed());
        match self.inner.env.timeout_at(deadline, select(reached, removed)).await {
            Ok(Either::Left((Ok(_), _))) => Ok(()),
            Ok(Either::Left((Err(watch::Closed), _))) => Err(unavailable("the state is closed")),
            // What the others decide is not sent here any more.
            Ok(Either::Right(_)) => Err(Failure::NotAMember { removed: true }),
            Err(_) => Err(unavailable("this node did not apply so far in time")),
        }
    }

    /// Shows a state to `f` where it may block; a fault of the disk stops the node.
    async fn view<T: Send + 'static>(
        &self,
        f: impl FnOnce(&crate::store::state::View) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let state = self.inner.state.clone();
        let seen = self.inner.env.blocking(move || state.read(f));
        let unavailable = |why: String| Failure::ReadUnavailable { why, leader: None };
        match seen.await {
            Some(seen) => seen.map_err(|error| unavailable(error.to_string())),
            None => Err(unavailable("the node is stopping".to_owned())),
        }
    }
}

impl Consensus for Replica {
    async fn propose(&self, actor: Vec<u8>, command: Command, deadline: Instant) -> Result<Reply, Failure> {
        let _permit = self.admit()?;
        let command = command.encode_to_vec();
        let give_up = self.patience(deadline);
        loop {
            let news = self.news();
            let answer = self.propose_once(actor.clone(), command.clone(), deadline).await;
            // Only what was certainly never proposed may be proposed again.
            if !matches!(answer, Err(Failure::NoLeader { .. })) || !self.again(news, give_up).await {
                return answer;
            }
        }
    }

    async fn read<T, F>(&self, consistency: Consistency, deadline: Instant, f: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Tables, u64) -> Result<T, StoreError> + Send + 'static,
    {
        let _permit = self.admit()?;
        if consistency == Consistency::Linearizable && !self.inner.bugs.has(Bug::StaleRead) {
            let index = self.read_index(deadline).await?;
            self.wait_applied(index, deadline).await?;
        }
        self.view(move |view| f(view, view.head().index())).await
    }

    fn applied(&self) -> watch::Receiver<u64> {
        self.inner.state.applied()
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        Replica::standing(self)
    }

    fn bugs(&self) -> &Bugs {
        &self.inner.bugs
    }

    fn status(&self) -> Status {
        let metrics = self.metrics();
        let members = self.members();
        let server = self.inner.core.server_metrics().borrow_watched().clone();
        let changing = server.membership_config.log_id() != server.committed_membership_config.log_id()
            || server.membership_config.membership().get_joint_config().len() > 1;
        let uptime = self.inner.env.now() - self.inner.started;
        Status {
            node: self.inner.node.to_string(),
            role: role(metrics.state),
            standing: self.inner.standing.get(),
            term: metrics.current_term,
            leader: self.leader_name(),
            last_log: metrics.last_log_index.unwrap_or(0),
            committed: metrics.local_committed.map_or(0, |id| id.index()),
            applied: self.inner.state.applied().get(),
            snapshot: metrics.snapshot.map_or(0, |id| id.index()),
            purged: metrics.purged.map_or(0, |id| id.index()),
            members,
            changing,
            bugs: self.inner.bugs.names(),
            uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
        }
    }

    async fn digest(&self, at_least: u64, verify: bool, deadline: Instant) -> Result<(u64, String), Failure> {
        self.wait_applied(at_least, deadline).await?;
        let path = self.inner.state.path().to_owned();
        self.view(move |view| {
            let head = view.head();
            if verify && view.compute_digest()? != head.digest {
                let what = "the records have another digest than the one stored with them";
                return Err(database::corrupt(&path, what));
            }
            Ok((head.index(), head.digest.to_string()))
        })
        .await
    }
}

impl Operate for Replica {
    async fn add_learner(&self, node: &str, deadline: Instant) -> Result<Vec<Member>, ChangeError> {
        Replica::add_learner(self, node, deadline).await
    }

    async fn change_members(
        &self,
        promote: &[String],
        remove: &[String],
        deadline: Instant,
    ) -> Result<Vec<Member>, ChangeError> {
        Replica::change_members(self, promote, remove, deadline).await
    }

    async fn transfer_leader(&self, to: &str, deadline: Instant) -> Result<(String, u64), ChangeError> {
        Replica::transfer_leader(self, to, deadline).await
    }

    async fn take_snapshot(&self, purge: bool, deadline: Instant) -> Result<(u64, u64), ChangeError> {
        Replica::take_snapshot(self, purge, deadline).await
    }
}

fn role(state: ServerState) -> Role {
    match state {
        ServerState::Leader => Role::Leader,
        ServerState::Candidate => Role::Candidate,
        ServerState::Follower => Role::Follower,
        ServerState::Learner | ServerState::Shutdown => Role::Learner,
    }
}

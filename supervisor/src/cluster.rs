//! The nodes of one run: who runs, who is paused, who is dead; and the means to change that.
//!
//! Every change goes through here, so that the events, the address tables and the expectations ("we killed it") agree.
//! Cheap to clone; the clones share one cluster.

mod life;
mod members;
mod programs;
pub(crate) mod view;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::Signal;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub use life::{ExpectedExit, NodeState};
pub use members::Members;
pub use programs::Programs;
pub use view::Views;

use self::life::{ExpectedExits, Life};
use crate::harness::HarnessFailure;
use crate::nemesis::Effect;
use crate::network::Network;
use crate::process::{NodeProcess, describe_exit};
use crate::run::event::{Events, RunEvent};
use crate::scenario::count::Count;
use crate::scenario::plan::{ClockKind, DiskKind};
use crate::scenario::unit::Size;
use crate::system::{Beginning, NodeName, NodeSpec, NodeView, System};

/// How long one question to a node may take while the testbed looks around.
const STATUS_LIMIT: Duration = Duration::from_millis(500);

/// How often a condition of the cluster is looked at again.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// How long it may take, after a process has closed its stdout, to learn that it has ended.
const EXIT_NOTICE_WAIT: Duration = Duration::from_millis(500);

/// The file in which a node with a volatile disk says, in 8 bytes, the lowest first, how many bytes are not synced.
const UNSYNCED: &str = "unsynced";

/// How long a graceful stop may take before it becomes a kill.
const STOP_WAIT_MAX: Duration = Duration::from_secs(10);

/// Where and how the nodes of a cluster are started.
#[derive(Debug)]
pub struct ClusterSettings {
    /// The nodes that found the cluster, in order.
    pub founders: Vec<NodeName>,
    /// The nodes that may join it later, in the order in which they do.
    pub spares: Vec<NodeName>,
    /// What nodes and clients reach nodes by.
    pub network: Network,
    /// The program that each runs.
    pub programs: Programs,
    /// A directory per node: log, trace, table, `data/`.
    pub directories: BTreeMap<NodeName, PathBuf>,
    /// The port for clients of each node; absent: the kernel chooses.
    pub client_ports: BTreeMap<NodeName, u16>,
    /// The bug that every node is to have.
    pub inject_bug: Option<String>,
    /// What the nodes write to.
    pub disk: DiskKind,
    /// What the nodes read the time from.
    pub clock: ClockKind,
    /// Settings of every node, by name.
    pub config: BTreeMap<String, String>,
    /// The data directories may hold an earlier life of the cluster, which goes on.
    pub resume: bool,
}

/// The nodes of one run.
#[derive(Clone)]
pub struct Cluster {
    inner: Rc<Inner>,
}

struct Inner {
    settings: ClusterSettings,
    system: Rc<dyn System>,
    events: Events,
    nodes: BTreeMap<NodeName, Node>,
    members: Members,
    /// The nodes whose disks were damaged, and which have not been seen to be good since.
    damaged: RefCell<BTreeSet<NodeName>>,
    /// How many of the spares have been taken.
    spares_taken: Cell<usize>,
}

#[derive(Default)]
struct Node {
    /// The newest process, which may have ended. It is here from the moment it exists, so that none is forgotten.
    life: RefCell<Option<Rc<Life>>>,
    /// Held by whoever starts the node: two starts at once would be two processes on one data directory.
    starting: Mutex<()>,
    /// Where its peers reach it, once it has started.
    peer_address: Cell<Option<SocketAddr>>,
}

/// What came of bringing a node back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comeback {
    /// It was started.
    Started,
    /// Its process had to be ended first.
    Replaced,
    /// Somebody else has started it meanwhile.
    AlreadyBack,
    /// It ended at once with the exit code that says why.
    Refused,
    /// It is no part of the cluster any more, and stays away.
    Gone,
}

impl Cluster {
    /// A cluster of which no node runs yet. The system's directory will tell where clients reach each node.
    #[must_use]
    pub fn new(settings: ClusterSettings, system: Rc<dyn System>, events: Events) -> Self {
        let everyone = settings.founders.iter().chain(&settings.spares);
        let nodes = everyone.map(|name| (name.clone(), Node::default())).collect();
        let members = Members::new(settings.founders.clone());
        Self {
            inner: Rc::new(Inner {
                settings,
                system,
                events,
                nodes,
                members,
                damaged: RefCell::default(),
                spares_taken: Cell::new(0),
            }),
        }
    }

    /// The nodes that are to be part of the cluster now.
    #[must_use]
    pub fn members(&self) -> Vec<NodeName> {
        self.inner.members.now()
    }

    /// The list of these nodes, which changes with them.
    #[must_use]
    pub fn member_list(&self) -> Members {
        self.inner.members.clone()
    }

    /// What nodes and clients reach nodes by.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.inner.settings.network
    }

    /// Starts every node. They find each other once the last of them listens.
    pub async fn start_all(&self) -> Result<(), HarnessFailure> {
        let started = join_all(self.members().iter().map(|name| self.start(name))).await;
        started.into_iter().collect()
    }

    /// Starts a node that has no process, and tells the others where it is.
    ///
    /// # Errors
    /// [`HarnessFailure::Start`] if it does not come to listen; then it has no process again.
    pub async fn start(&self, name: &str) -> Result<(), HarnessFailure> {
        let _starting = self.node(name).starting.lock().await;
        self.start_alone(name).await
    }

    /// Makes the node run, whatever state it is in: lets it go on, or starts it.
    pub async fn revive(&self, name: &str) -> Result<(), HarnessFailure> {
        let node = self.node(name);
        let _starting = node.starting.lock().await;
        match (self.state(name), node.living()) {
            (NodeState::Running, _) => Ok(()),
            (NodeState::Paused, Some(life)) => life.let_go(),
            (NodeState::Starting, Some(life)) => {
                // Whoever started it has given up on it.
                life.expect_exit();
                life.process.destroy().await?;
                self.start_alone(name).await
            }
            _ => self.start_alone(name).await,
        }
    }

    /// Starts a node again that was struck in its life `generation`, unless somebody else has done it since. A
    /// process that has survived is ended first.
    pub async fn bring_back(&self, name: &str, generation: u32) -> Result<Comeback, HarnessFailure> {
        let _starting = self.node(name).starting.lock().await;
        if !self.is_member(name) {
            return Ok(Comeback::Gone);
        }
        if self.generation(name) != generation {
            return Ok(Comeback::AlreadyBack);
        }
        let survived = self.state(name) != NodeState::Dead;
        if survived {
            self.stop(name).await?;
        }
        self.start_alone(name).await?;
        Ok(if survived { Comeback::Replaced } else { Comeback::Started })
    }

    /// The same, for a node that may refuse to start by ending with `code`.
    pub async fn bring_back_or_refuse(
        &self,
        name: &str,
        generation: u32,
        code: i32,
    ) -> Result<Comeback, HarnessFailure> {
        let _starting = self.node(name).starting.lock().await;
        if !self.is_member(name) {
            return Ok(Comeback::Gone);
        }
        if self.generation(name) != generation {
            return Ok(Comeback::AlreadyBack);
        }
        let expected = ExpectedExit::Code(code);
        let started = self.start_expecting(name, Some(expected)).await;
        let ended = self.node(name).life.borrow().as_ref().and_then(|life| life.process.exit_status());
        match started {
            Ok(()) => {
                self.expect_exit_no_more(name, expected);
                Ok(Comeback::Started)
            }
            Err(HarnessFailure::Start { .. }) if ended.is_some_and(|status| status.code() == Some(code)) => {
                Ok(Comeback::Refused)
            }
            Err(failure) => Err(failure),
        }
    }

    /// This end of the node's process, if it comes, is our doing.
    pub fn expect_exit(&self, name: &str, expected: ExpectedExit) {
        if let Some(life) = self.node(name).living() {
            life.expect(expected);
        }
    }

    /// It is not any more, as far as one fault goes.
    pub fn expect_exit_no_more(&self, name: &str, expected: ExpectedExit) {
        if let Some(life) = self.node(name).living() {
            life.expect_no_more(expected);
        }
    }

    /// The testbed itself has ended, or asked to end, the newest process of a node.
    #[must_use]
    pub fn was_ended(&self, name: &str) -> bool {
        self.node(name).life.borrow().as_ref().is_some_and(|life| life.was_ended())
    }

    /// The exit code of a node's newest process, if it has ended with one.
    #[must_use]
    pub fn exit_code(&self, name: &str) -> Option<i32> {
        self.node(name).life.borrow().as_ref()?.process.exit_status()?.code()
    }

    /// Waits until the life `generation` of a node has ended, at most `limit`; tells whether it has.
    pub async fn ended(&self, name: &str, generation: u32, limit: Duration) -> bool {
        match self.node(name).living().filter(|life| life.generation == generation) {
            Some(life) => life.process.ended(limit).await.is_some(),
            None => true,
        }
    }

    /// The node is not part of the cluster any more, as far as the testbed goes.
    pub fn give_up(&self, name: &str, why: &str) {
        if self.inner.members.remove(name) {
            self.inner.events.emit(RunEvent::NodeLeft { node: name.to_owned(), why: why.to_owned() });
        }
    }

    /// How many members may have a disk that is no good copy any more.
    #[must_use]
    pub fn damaged(&self) -> usize {
        self.inner.damaged.borrow().iter().filter(|name| self.is_member(name)).count()
    }

    /// The disks of these nodes are to be damaged.
    pub fn damage(&self, names: &[NodeName]) {
        self.inner.damaged.borrow_mut().extend(names.iter().cloned());
    }

    /// The node has looked through its disk and found it good.
    pub fn undamaged(&self, name: &str) {
        self.inner.damaged.borrow_mut().remove(name);
    }

    fn is_member(&self, name: &str) -> bool {
        self.inner.members.has(name)
    }

    /// The next node that may join. It has never been started.
    #[must_use]
    pub fn next_spare(&self) -> Option<NodeName> {
        self.inner.settings.spares.get(self.inner.spares_taken.get()).cloned()
    }

    /// The same; nobody else gets it.
    #[must_use]
    pub fn take_spare(&self) -> Option<NodeName> {
        let spare = self.next_spare()?;
        self.inner.spares_taken.set(self.inner.spares_taken.get() + 1);
        Some(spare)
    }

    /// The node is part of the cluster from now on.
    pub fn joined(&self, name: &str) {
        self.inner.members.add(name);
        self.inner.events.emit(RunEvent::NodeJoined { node: name.to_owned() });
    }

    /// Ends a node at once and removes all that it has stored. It is never started again: its name may have voted.
    pub async fn wipe(&self, name: &str) -> Result<(), HarnessFailure> {
        let _starting = self.node(name).starting.lock().await;
        self.kill(name, Signal::SIGKILL).await?;
        self.give_up(name, "its disk was wiped");
        let data = self.data_dir(name);
        fs::remove_dir_all(&data).map_err(HarnessFailure::file("remove", &data))
    }

    /// From its next start on, the node runs the program that the plan calls `binary`.
    pub fn give_program(&self, name: &str, binary: &str) {
        self.inner.settings.programs.give(name, binary);
    }

    /// Where the node writes its trace.
    #[must_use]
    pub fn trace_file(&self, name: &str) -> PathBuf {
        self.directory_of(name).join("trace.jsonl")
    }

    /// Every node that is or may become part of the cluster.
    #[must_use]
    pub fn everyone(&self) -> Vec<NodeName> {
        self.inner.nodes.keys().cloned().collect()
    }

    /// The number of the life that goes on.
    #[must_use]
    pub fn living_generation(&self, name: &str) -> Option<u32> {
        self.node(name).living().map(|life| life.generation)
    }

    /// The system that this is a cluster of.
    #[must_use]
    pub fn system(&self) -> &dyn System {
        &*self.inner.system
    }

    /// Where the node keeps its files.
    #[must_use]
    pub fn data_dir(&self, name: &str) -> PathBuf {
        self.directory_of(name).join("data")
    }

    /// What a node that has just ended had written and not synced, which is lost if its disk is a volatile one.
    #[must_use]
    pub fn unsynced_effect(&self, name: &str) -> Effect {
        if self.inner.settings.disk != DiskKind::Volatile || self.living_generation(name).is_some() {
            return Effect::default();
        }
        let bytes = fs::read(self.data_dir(name).join(UNSYNCED)).ok();
        let lost = bytes.and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?))).unwrap_or(0);
        Effect::of(
            format!("{name} lost {} that it had not synced", Size(lost)),
            &[(Count::UnsyncedBytesDropped, lost)],
        )
    }

    /// Starts a node; the caller holds its lock.
    async fn start_alone(&self, name: &str) -> Result<(), HarnessFailure> {
        self.start_expecting(name, None).await
    }

    async fn start_expecting(&self, name: &str, exit: Option<ExpectedExit>) -> Result<(), HarnessFailure> {
        assert_eq!(self.state(name), NodeState::Dead, "{name} is started while it has a process");
        let node = self.node(name);
        let generation = self.generation(name) + 1;
        let expected = ExpectedExits::default();
        exit.into_iter().for_each(|exit| expected.add(exit));
        let on_exit = {
            let (events, owner, expected) = (self.inner.events.clone(), name.to_owned(), expected.clone());
            let network = self.network().clone();
            move |status| {
                network.node_is_gone(&owner);
                let expected = expected.have(status);
                let status = describe_exit(status);
                events.emit(RunEvent::NodeExited { node: owner, status, expected });
            }
        };
        let arguments = self.inner.system.node_arguments(&self.spec(name, generation)?);
        let log = self.directory_of(name).join("log.jsonl");
        let binary = &self.inner.settings.programs.of(name);
        let (process, announcement) = NodeProcess::spawn(name, binary, arguments, &log, on_exit)?;
        let life = Rc::new(Life::new(process, generation, expected));
        *node.life.borrow_mut() = Some(Rc::clone(&life));
        let listening = match announcement.listening().await {
            Ok(listening) => listening,
            Err(failure) => {
                // One that has not ended by itself is ended by us.
                if life.process.ended(EXIT_NOTICE_WAIT).await.is_none() {
                    life.expect_exit();
                    life.process.destroy().await?;
                }
                return Err(failure);
            }
        };
        life.listens.set(true);
        node.peer_address.set(Some(listening.peer_listen));
        let opened = self.network().node_listens(name, &listening);
        opened.map_err(|source| HarnessFailure::Network { source })?;
        self.inner.system.directory().set(name, self.network().addresses(name, &listening));
        self.inner.events.emit(RunEvent::NodeStarted {
            node: name.to_owned(),
            pid: life.process.pid(),
            generation,
            listen: listening.listen.to_string(),
            peer_listen: listening.peer_listen.to_string(),
        });
        self.write_peer_tables()
    }

    /// What the node's process is doing.
    #[must_use]
    pub fn state(&self, name: &str) -> NodeState {
        self.node(name).life.borrow().as_ref().map_or(NodeState::Dead, |life| life.state())
    }

    /// How often the node was started.
    #[must_use]
    pub fn generation(&self, name: &str) -> u32 {
        self.node(name).life.borrow().as_ref().map_or(0, |life| life.generation)
    }

    /// The id of the node's process, if it has one.
    #[must_use]
    pub fn pid(&self, name: &str) -> Option<u32> {
        self.node(name).living().map(|life| life.process.pid())
    }

    /// Sends `signal` to the node's process as a fault that may end it. SIGKILL is waited for.
    pub async fn kill(&self, name: &str, signal: Signal) -> Result<(), HarnessFailure> {
        let Some(life) = self.node(name).living() else { return Ok(()) };
        if signal == Signal::SIGTERM {
            life.expect_stop();
        } else {
            life.expect_exit();
        }
        if signal == Signal::SIGKILL { life.process.destroy().await } else { life.process.signal(signal) }
    }

    /// Stops the node's process where it stands. Pauses add up: see [`Cluster::resume`].
    pub fn pause(&self, name: &str) -> Result<(), HarnessFailure> {
        self.node(name).living().map_or(Ok(()), |life| life.pause())
    }

    /// Takes back one pause of the life `generation`; the process goes on when it was the last. Tells whether that
    /// life still goes on.
    pub fn resume(&self, name: &str, generation: u32) -> Result<bool, HarnessFailure> {
        match self.node(name).living().filter(|life| life.generation == generation) {
            Some(life) => life.unpause().map(|()| true),
            None => Ok(false),
        }
    }

    /// Asks the node to stop, and kills it when it does not within its limit, which is noted.
    pub async fn stop(&self, name: &str) -> Result<(), HarnessFailure> {
        let Some(life) = self.node(name).living() else { return Ok(()) };
        life.expect_stop();
        life.process.signal(Signal::SIGTERM)?;
        // A paused process does not hear it otherwise.
        life.let_go()?;
        if life.process.ended(STOP_WAIT_MAX).await.is_some() {
            return Ok(());
        }
        let text = format!(
            "{name} did not stop within stop_wait_max = {} s and was killed",
            STOP_WAIT_MAX.as_secs()
        );
        self.inner.events.emit(RunEvent::Note { text });
        life.expect_exit();
        life.process.destroy().await
    }

    /// Ends every process, gracefully where it is willing. All at once: one after the other, the last ones would wait
    /// for a majority that is gone.
    pub async fn stop_all(&self) -> Result<(), HarnessFailure> {
        let stopped = join_all(self.inner.nodes.keys().map(|name| self.stop(name))).await;
        stopped.into_iter().collect()
    }

    /// What a running node says of itself; `None` when it does not answer in time.
    pub async fn view(&self, name: &str) -> Option<NodeView> {
        if self.state(name) != NodeState::Running {
            return None;
        }
        self.inner.system.status(name, STATUS_LIMIT).await.ok()
    }

    /// What every member says of itself, asked at one time.
    pub async fn views(&self) -> Views {
        let members = self.members();
        let asked = members.iter().map(|name| async move { (name.clone(), self.view(name).await) });
        join_all(asked).await.into_iter().collect()
    }

    /// The node that leads the highest term among those that answer.
    pub async fn leader(&self) -> Option<(NodeName, u64)> {
        view::leader(&self.views().await)
    }

    /// Waits until some node leads and a majority follows it.
    pub async fn wait_for_leader(&self, limit: Duration) -> Result<NodeName, HarnessFailure> {
        let deadline = Instant::now() + limit;
        loop {
            let views = self.views().await;
            if let Some(leader) = view::followed_leader(&views) {
                return Ok(leader);
            }
            if Instant::now() >= deadline {
                return Err(HarnessFailure::Limit {
                    what: "no leader that a majority follows".to_owned(),
                    limit_name: "leader_wait",
                    limit_ms: limit.as_millis(),
                    seen: view::describe(&views),
                });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until every node has applied what the furthest one has, and returns that index.
    pub async fn wait_until_caught_up(&self, limit: Duration) -> Result<u64, HarnessFailure> {
        let deadline = Instant::now() + limit;
        let mut goal = 0;
        loop {
            let views = self.views().await;
            goal = goal.max(views.values().flatten().map(|view| view.applied).max().unwrap_or(0));
            let reached = |view: &Option<NodeView>| view.as_ref().is_some_and(|view| view.applied >= goal);
            if views.values().all(reached) && view::followed_leader(&views).is_some() {
                return Ok(goal);
            }
            if Instant::now() >= deadline {
                return Err(HarnessFailure::Limit {
                    what: format!("not every node applied index {goal}"),
                    limit_name: "catch_up_wait",
                    limit_ms: limit.as_millis(),
                    seen: view::describe(&views),
                });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn node(&self, name: &str) -> &Node {
        self.inner.nodes.get(name).expect("targets are resolved to nodes of this cluster only")
    }

    fn directory_of(&self, name: &str) -> &PathBuf {
        self.inner.settings.directories.get(name).expect("every node has a directory")
    }

    fn spec(&self, name: &str, generation: u32) -> Result<NodeSpec, HarnessFailure> {
        let settings = &self.inner.settings;
        let directory = self.directory_of(name);
        let data_dir = directory.join("data");
        let is_new = generation == 1 && !(settings.resume && data_dir.is_dir());
        let beginning = match (is_new, settings.founders.iter().any(|founder| founder == name)) {
            (true, true) => Beginning::Founding,
            (true, false) => Beginning::Joining,
            (false, _) => Beginning::Again,
        };
        let peers_file = self.write_peer_table(name)?;
        let host = self.network().host(name);
        let local = |port| SocketAddr::from((host, port));
        Ok(NodeSpec {
            name: name.to_owned(),
            founders: settings.founders.clone(),
            listen: local(settings.client_ports.get(name).copied().unwrap_or(0)),
            peer_listen: local(0),
            peer_bind: self.network().source(name),
            peers_file,
            data_dir,
            trace_file: self.trace_file(name),
            beginning,
            disk: settings.disk,
            clock: settings.clock,
            config: settings.config.clone(),
            inject_bug: settings.inject_bug.clone(),
        })
    }

    /// Gives every node that was started the addresses of all.
    fn write_peer_tables(&self) -> Result<(), HarnessFailure> {
        let started = self.inner.nodes.keys().filter(|name| self.generation(name) > 0);
        started.into_iter().try_for_each(|name| self.write_peer_table(name).map(drop))
    }

    /// Gives a node the addresses of all, its table replaced in one step, and returns where the table is.
    fn write_peer_table(&self, name: &str) -> Result<PathBuf, HarnessFailure> {
        let known = self.inner.nodes.iter();
        let known = known.filter_map(|(peer, node)| Some((peer.clone(), node.peer_address.get()?))).collect();
        let line = |peer: &NodeName| {
            let address = self.network().peer_address(name, peer, &known);
            format!("{peer}={}\n", address.map(|address| address.to_string()).unwrap_or_default())
        };
        let table: String = self.inner.nodes.keys().map(line).collect();
        let path = self.directory_of(name).join("peers");
        let fresh = path.with_extension("new");
        fs::write(&fresh, &table).map_err(HarnessFailure::file("write", &fresh))?;
        fs::rename(&fresh, &path).map_err(HarnessFailure::file("replace", &path))?;
        Ok(path)
    }
}

impl Node {
    /// Its process, if that has not ended.
    fn living(&self) -> Option<Rc<Life>> {
        self.life.borrow().as_ref().filter(|life| life.process.is_alive()).cloned()
    }
}

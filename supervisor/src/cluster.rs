//! The nodes of one run: who runs, who is paused, who is dead; and the means to change that.
//!
//! Every change goes through here, so that the events, the address tables and the expectations ("we killed it") agree.
//! Cheap to clone; the clones share one cluster.

mod end;
mod life;
mod look;
mod members;
mod peers;
mod programs;
mod start;
pub(crate) mod view;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;

use tokio::sync::Mutex;

pub use life::{ExpectedExit, NodeState};
pub use members::Members;
pub use programs::Programs;
pub use view::Views;

use self::life::Life;
use crate::network::Network;
use crate::run::event::{Events, RunEvent};
use crate::scenario::plan::{ClockKind, DiskKind};
use crate::system::{NodeName, System};

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

    fn node(&self, name: &str) -> &Node {
        self.inner.nodes.get(name).expect("targets are resolved to nodes of this cluster only")
    }

    fn directory_of(&self, name: &str) -> &PathBuf {
        self.inner.settings.directories.get(name).expect("every node has a directory")
    }
}

impl Node {
    /// Its process, if that has not ended.
    fn living(&self) -> Option<Rc<Life>> {
        self.life.borrow().as_ref().filter(|life| life.process.is_alive()).cloned()
    }
}

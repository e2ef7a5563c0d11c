//! The system under test, as the testbed knows it: how its nodes are started, what can be asked of them, and how an
//! operation of a workload is carried out.
//!
//! The chat is one such system ([`chat`], behind the feature of that name). Nothing else in the testbed knows it, which
//! `cargo check -p supervisor --no-default-features` proves.
//!
//! Everything here runs on the supervisor's one thread, so nothing is `Send`.

#[cfg(feature = "chat")]
pub mod chat;
#[cfg(test)]
pub(crate) mod fake;
pub mod faults;
pub mod membership;
pub mod words;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::Value;

use self::faults::NodeFaults;
use self::membership::Membership;
use crate::scenario::plan::{ClockKind, DiskKind, Plan};

/// The name of a node: `n1`.
pub type NodeName = String;

/// What a node needs to know when its process is started.
#[derive(Debug, Clone)]
pub struct NodeSpec {
    /// Its name.
    pub name: NodeName,
    /// The nodes that found the cluster; the table may hold more.
    pub founders: Vec<NodeName>,
    /// The addresses to listen on, for clients and for peers. Port 0 lets the kernel choose.
    pub listen: SocketAddr,
    /// See `listen`.
    pub peer_listen: SocketAddr,
    /// The address to connect to peers from; none: it does not matter.
    pub peer_bind: Option<IpAddr>,
    /// The node's own table of its peers' addresses, one `name=address` a line. Replaced when an address changes.
    pub peers_file: PathBuf,
    /// Where its data is.
    pub data_dir: PathBuf,
    /// Where it appends its Raft trace.
    pub trace_file: PathBuf,
    /// How it begins.
    pub beginning: Beginning,
    /// What it writes to.
    pub disk: DiskKind,
    /// What it reads the time from.
    pub clock: ClockKind,
    /// Settings of its own, by name.
    pub config: BTreeMap<String, String>,
    /// The bug it is to have.
    pub inject_bug: Option<String>,
}

/// How a node begins its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// For the first time, and it founds the cluster together with the others.
    Founding,
    /// For the first time, and it waits to be let into the cluster.
    Joining,
    /// It goes on with what is on its disk.
    Again,
}

/// What one node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeView {
    /// `leader`, `follower`, `candidate` or `learner`.
    pub role: String,
    /// Its term.
    pub term: u64,
    /// The leader as it knows it.
    pub leader: Option<NodeName>,
    /// The last index that it has applied.
    pub applied: u64,
    /// The last index of its log.
    pub last_log: u64,
    /// The last index that it has purged from its log; 0: none.
    pub purged: u64,
    /// The members of the cluster as it knows them, and whether they vote.
    pub members: BTreeMap<NodeName, bool>,
    /// A change of members is under way: what it knows of them may yet be undone.
    pub is_changing: bool,
}

impl NodeView {
    /// It believes that it leads.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.role == "leader"
    }
}

/// An operation that a workload wants, in the words of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What: `send`, `read`.
    pub f: &'static str,
    /// On which object; none for an operation on all of them.
    pub key: Option<String>,
    /// With what.
    pub value: Value,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Ok(Value),
    /// It certainly was not done, and never will be.
    Fail(String),
    /// It may have been done, may be done later, or never.
    Info(String),
}

/// Where a node is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// By clients of the workload, whose way may be broken.
    pub clients: SocketAddr,
    /// The address that they must connect from; none: it does not matter.
    pub clients_from: Option<IpAddr>,
    /// By the testbed's own questions, whose way never is.
    pub testbed: SocketAddr,
}

/// Where each node is found. Shared: a node that restarts may have another port.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    addresses: Rc<RefCell<BTreeMap<NodeName, Addresses>>>,
}

impl Directory {
    /// Sets where `node` is found.
    pub fn set(&self, node: &str, addresses: Addresses) {
        self.addresses.borrow_mut().insert(node.to_owned(), addresses);
    }

    /// Where `node` is found, once it has started.
    #[must_use]
    pub fn get(&self, node: &str) -> Option<Addresses> {
        self.addresses.borrow().get(node).copied()
    }

    /// All nodes that have started, in the order of their names, those after `node` first and itself last.
    #[must_use]
    pub fn nodes_after(&self, node: &str) -> Vec<NodeName> {
        let mut nodes: Vec<NodeName> = self.addresses.borrow().keys().cloned().collect();
        let first = nodes.partition_point(|name| name.as_str() <= node);
        nodes.rotate_left(first);
        nodes
    }
}

/// The system that is built in: the chat, in a build that has it. Its messages are `payload` bytes long, and its
/// clients try a write `tries` times whose outcome nobody knows.
#[must_use]
pub fn built_in(payload: u64, tries: u32) -> Option<Rc<dyn System>> {
    #[cfg(feature = "chat")]
    return Some(Rc::new(chat::ChatSystem::new(payload, tries)));
    #[cfg(not(feature = "chat"))]
    {
        let _ = (payload, tries);
        None
    }
}

/// What comes of a bug that is planted on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// A promise is broken, and the testbed is to find out.
    Wrong,
    /// Things happen in another way and no promise is broken: a testbed that finds a failure cries wolf.
    Legal,
    /// Nothing that a client or an operator could see within a test.
    Invisible,
}

/// A system that can be put under test.
pub trait System {
    /// What this system cannot do of the plan, asked before anything is started.
    fn unsupported(&self, plan: &Plan) -> Option<String>;

    /// The bugs that a build of it can have planted, by their ids; none, for a system without any.
    fn bugs(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// What a testbed is to say of a planted bug.
    fn consequence(&self, _bug: &str) -> Consequence {
        Consequence::Wrong
    }

    /// The way to break its nodes from within, if there is one.
    fn faults(&self) -> Option<&dyn NodeFaults> {
        None
    }

    /// The way to change its members, its leader and its snapshots, if there is one.
    fn membership(&self) -> Option<&dyn Membership> {
        None
    }

    /// Where this system's clients find the nodes. Whoever starts a node writes its address there.
    fn directory(&self) -> &Directory;

    /// The arguments of a node's process, without the program.
    fn node_arguments(&self, spec: &NodeSpec) -> Vec<OsString>;

    /// Makes the cluster ready for the workload: accounts, logins. Not part of the history.
    fn prepare<'a>(&'a self, plan: &'a Plan, nodes: &'a [NodeName])
    -> LocalBoxFuture<'a, Result<(), String>>;

    /// A client of its own connection and identity, as one process of the history has it.
    fn client(&self, identity: &str) -> Box<dyn Client>;

    /// What `node` says of itself.
    fn status<'a>(&'a self, node: &'a str, limit: Duration) -> LocalBoxFuture<'a, Result<NodeView, String>>;

    /// The digest of the state of `node`, once it has applied `at_least`: the index and 32 hexadecimal digits.
    fn digest<'a>(
        &'a self,
        node: &'a str,
        at_least: u64,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(u64, String), String>>;
}

/// One client of the system. It never retries: one operation is one request.
pub trait Client {
    /// Carries out `invocation` through `node`, within `limit`.
    fn execute<'a>(
        &'a mut self,
        node: &'a str,
        invocation: &'a Invocation,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Outcome>;
}

impl fmt::Debug for dyn System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("System")
    }
}

//! The network between the nodes, and between clients and nodes, as something that can be broken.
//!
//! Every party reaches every node through a *link* of its own, a TCP proxy on the loopback interface: `n1` connects to
//! `n2` at one address, `n3` to `n2` at another, a client to `n2` at a third. A link's address is fixed for the whole
//! run, and where it leads follows the node through its restarts: so a node's table of its peers is written once.
//!
//! ```text
//!        ┌────────── edge n1→n2 ──────────▶
//!   n1 ──┤ link n1→n2: n1 connects to n2   ├── n2        a cut of the edge n1→n2 silences the bytes of n1
//!        ◀────────── edge n2→n1 ──────────┘              on this link, where they go forward,
//!   n2 ──── link n2→n1: n2 connects to n1 ───── n1       and on this one, where they go backward
//! ```
//!
//! What is wrong is said of [`Edge`]s, which are directions of bytes, not of links: see [`Condition`]. A fault is a value,
//! an [`EdgeFault`]; dropping it lifts it. Faults may overlap: an edge is as bad as the worst that stands on it, and
//! lifting one uncovers the others. They act at once, on connections that exist and on those to come. Which edges a
//! partition cuts is the concern of [`shape`].
//!
//! A partition is silence: nothing arrives, nothing is refused, nobody is told that a connection has ended, and what was
//! sent arrives when it is over. A reset, which everybody notices at once, is another fault: [`Fabric::reset`]. A node
//! that is dead refuses connections, as its kernel would: [`Fabric::node_is_gone`].
//!
//! # Caveats
//!
//! * Links are TCP proxies: they can hold, lose, slow and end streams of bytes. They can not reorder or duplicate
//!   bytes, nor lose single packets: what TCP repairs is not visible to its users, except as delay.
//! * TCP waits longer and longer between its attempts to send again, so a kernel takes a while to notice that a real
//!   partition is over, as long again as it lasted in the worst case. Here, what was held comes at once.
//! * The kernel acknowledges bytes as soon as a proxy has them: a sender sees its buffers grow less than on a real
//!   network, by 1 MiB and the kernel's own buffers for each direction of a connection.
//! * A delay delays what is sent, not the handshake that opens a connection. Its timers are as coarse as tokio's: 1 ms.
//! * It is all on one thread, and costs it two copies of each byte through user space.
//!
//! Everything here runs on the supervisor's one thread inside a [`tokio::task::LocalSet`]; nothing is `Send`.

mod condition;
mod connection;
mod delay;
mod edge;
mod flow;
mod link;
mod pipe;
pub mod shape;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

pub use self::condition::Condition;
pub use self::delay::{Delay, Distribution};
pub use self::edge::Edge;
pub use self::flow::Traffic;

use self::connection::Scratch;
use self::flow::Flow;
use self::link::Link;
use crate::rng::Rng;
use crate::system::NodeName;

/// All links of a run. Clones share them; the last one to go closes them.
#[derive(Debug, Clone)]
pub struct Fabric {
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    nodes: BTreeSet<NodeName>,
    flows: BTreeMap<Edge, Rc<Flow>>,
    /// By who connects to whom.
    links: BTreeMap<Edge, Link>,
    standing: Cell<usize>,
    imposed: Cell<u64>,
}

impl Fabric {
    /// A link from every node to every other one, and from every client to every node. None leads anywhere yet, so each
    /// connect is refused. Jitter is drawn from forks of `rng`, one for each edge.
    ///
    /// Must be called inside a [`tokio::task::LocalSet`].
    ///
    /// # Errors
    /// If the kernel has no port or no file descriptor for a link; each takes two, and two for each connection.
    pub fn new(nodes: &[NodeName], clients: &[NodeName], rng: &Rng) -> io::Result<Self> {
        let parties: BTreeSet<&NodeName> = nodes.iter().chain(clients).collect();
        assert_eq!(parties.len(), nodes.len() + clients.len(), "two parties of a fabric have one name");
        let (mut flows, mut links) = (BTreeMap::new(), BTreeMap::new());
        let flow_of = |edge: &Edge| Rc::new(Flow::new(rng.fork(&edge.to_string())));
        let scratch = Scratch::default();
        for from in parties {
            for to in nodes.iter().filter(|to| *to != from) {
                let edge = Edge::new(from, to);
                let pair = [edge.clone(), edge.reversed()]
                    .map(|edge| Rc::clone(flows.entry(edge.clone()).or_insert_with(|| flow_of(&edge))));
                links.insert(edge, Link::open(pair, scratch.clone())?);
            }
        }
        let nodes = nodes.iter().cloned().collect();
        let inner = Inner { nodes, flows, links, standing: Cell::new(0), imposed: Cell::new(0) };
        Ok(Self { inner: Rc::new(inner) })
    }

    /// Where `from`, a node or a client, connects to when it wants to reach the node `to`.
    #[must_use]
    pub fn address(&self, from: &str, to: &str) -> SocketAddr {
        self.inner.link(&Edge::new(from, to)).expect("every party has a link to every node").address()
    }

    /// Every direction in which bytes can travel, in order.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.inner.flows.keys()
    }

    /// The node has started: links of nodes lead to `peers` from now on, links of clients to `clients`.
    ///
    /// # Errors
    /// If the kernel has no file descriptor for a link to listen with.
    pub fn node_listens(&self, node: &str, peers: SocketAddr, clients: SocketAddr) -> io::Result<()> {
        let inner = &self.inner;
        inner.links_to(node).try_for_each(|(from, link)| {
            let target = if inner.nodes.contains(from) { peers } else { clients };
            link.point_at(Some(target))
        })
    }

    /// The node's process has ended: nobody can connect to it. Its connections end as its kernel ends them.
    pub fn node_is_gone(&self, node: &str) {
        for (_, link) in self.inner.links_to(node) {
            link.point_at(None)
                .expect("a link that stops to listen, or goes on to, needs no file descriptor");
        }
    }

    /// `condition` stands on each of `edges` from now on, until the fault is dropped.
    ///
    /// # Errors
    /// If the kernel has no file descriptor for a link to listen with; then nothing stands.
    pub fn impose(&self, condition: Condition, edges: &[Edge]) -> io::Result<EdgeFault> {
        let number = self.inner.imposed.get();
        self.inner.imposed.set(number + 1);
        self.inner.standing.set(self.inner.standing.get() + 1);
        let edges: BTreeSet<Edge> = edges.iter().cloned().collect();
        let before = edges.iter().map(|edge| self.traffic(edge)).collect();
        for edge in &edges {
            self.inner.flow(edge).impose(number, condition);
        }
        let fault = EdgeFault { inner: Rc::clone(&self.inner), number, edges, before };
        self.inner.settle(&fault.edges)?;
        Ok(fault)
    }

    /// Resets every connection that carries bytes of `edges`, on both sides, whatever else stands: each side gets a RST
    /// now. Returns how many there were.
    pub fn reset(&self, edges: &[Edge]) -> u64 {
        let links = self.inner.links_of(edges);
        links.into_iter().map(Link::reset).sum()
    }

    /// How many faults stand now.
    #[must_use]
    pub fn standing(&self) -> usize {
        self.inner.standing.get()
    }

    /// What has happened on an edge since the beginning.
    #[must_use]
    pub fn traffic(&self, edge: &Edge) -> Traffic {
        self.inner.flow(edge).traffic()
    }
}

impl Inner {
    fn flow(&self, edge: &Edge) -> &Flow {
        self.flows.get(edge).expect("faults strike edges of this fabric only")
    }

    fn link(&self, edge: &Edge) -> Option<&Link> {
        self.links.get(edge)
    }

    fn links_to<'a>(&'a self, node: &str) -> impl Iterator<Item = (&'a NodeName, &'a Link)> {
        let to_it = self.links.iter().filter(move |(edge, _)| edge.to == node);
        to_it.map(|(edge, link)| (&edge.from, link))
    }

    /// The links that carry bytes of `edges`: forward or backward.
    fn links_of<'a>(&self, edges: impl IntoIterator<Item = &'a Edge>) -> Vec<&Link> {
        let both = edges.into_iter().flat_map(|edge| [edge.clone(), edge.reversed()]);
        let links: BTreeSet<Edge> = both.collect();
        links.iter().filter_map(|edge| self.link(edge)).collect()
    }

    /// Lets the conditions of `edges`, which have changed, take effect. Each link gets its chance, whatever fails.
    fn settle(&self, edges: &BTreeSet<Edge>) -> io::Result<()> {
        let settled: Vec<_> = self.links_of(edges).into_iter().map(Link::settle).collect();
        settled.into_iter().collect()
    }
}

/// A fault that stands on some edges.
#[must_use = "dropping a fault lifts it"]
pub struct EdgeFault {
    inner: Rc<Inner>,
    number: u64,
    edges: BTreeSet<Edge>,
    /// What had happened on each edge when it struck.
    before: Vec<Traffic>,
}

impl EdgeFault {
    /// The edges that it stands on.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter()
    }

    /// On how many of its edges something has happened to a byte or a connection since it struck.
    #[must_use]
    pub fn struck(&self) -> u64 {
        let since = self.edges.iter().zip(&self.before);
        let since = since.map(|(edge, before)| self.inner.flow(edge).traffic().since(before));
        since.filter(Traffic::is_struck).count() as u64
    }

    /// What has happened on its edges since it struck. A fault of which no byte was held, lost or slowed has had no
    /// effect. Where faults overlap, each tells of all that happened.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let since = self.edges.iter().zip(&self.before);
        let since = since.map(|(edge, before)| self.inner.flow(edge).traffic().since(before));
        since.fold(Traffic::default(), |all, one| all.plus(&one))
    }
}

impl Drop for EdgeFault {
    fn drop(&mut self) {
        for edge in &self.edges {
            self.inner.flow(edge).lift(self.number);
        }
        self.inner.standing.set(self.inner.standing.get() - 1);
        // What is lifted lets links listen that did so before, or lets them stop it. Only a fault that has just failed
        // to stand has a link that does not listen, and its failure is known.
        drop(self.inner.settle(&self.edges));
    }
}

impl fmt::Debug for EdgeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeFault").field("number", &self.number).field("edges", &self.edges).finish()
    }
}

#[cfg(test)]
mod tests;

//! The network between the nodes, and between clients and nodes, broken by the kernel itself: packets are dropped.
//!
//! It does to packets what [`crate::fabric`] does to streams of bytes, and is spoken to in the same way: a [`Condition`]
//! is imposed on directed [`Edge`]s, an [`EdgeFault`] is the value that lifts it, and faults may overlap. There is no
//! proxy in between: nodes and clients connect to each other directly, and meet what TCP makes of a bad network.
//!
//! * [`namespace`]: the process moves into a network of its own. No root is needed, and nothing of the host is changed.
//! * Every party has an address of its own on that network's loopback interface, so that the two addresses of a packet
//!   tell its edge: [`Network::address`].
//! * nftables drops packets where they arrive, so that a sender does not learn of it, and counts them.
//! * [`probe`] tells beforehand whether the kernel, and the rights of this user, allow all this.
//!
//! # Caveats
//!
//! * A partition in one direction is one of packets: what TCP acknowledges does not come back either, so a sender in the
//!   other direction stops when its window is full.
//! * When a cut is lifted, TCP notices only when it next sends again; it waits 200 ms at first, and twice as long each
//!   time. A connection that was opened meanwhile waits 1 s, 3 s, 7 s, and so on.
//! * A rate is kept by dropping, not by delaying: TCP then sends less than the rate.
//! * Nothing is delayed. This would be the work of the queueing discipline `netem`, which many kernels lack.
//! * Which packet is lost by chance is the kernel's draw, not the seed's.
//!
//! Requests to the kernel block, for microseconds. Everything here belongs to the supervisor's one thread.

mod address;
mod connections;
pub mod namespace;
mod netlink;
mod nftables;
pub mod probe;
mod rules;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::rc::Rc;

pub use self::nftables::Count;
pub use self::rules::{Condition, Traffic};

use self::address::Addresses;
use self::namespace::Namespace;
use self::nftables::{Batch, Table};
use self::rules::{Conditions, Counter};
use crate::fabric::Edge;
use crate::system::NodeName;

/// The network of a run. Clones share it; when the last one goes, nothing is dropped any more.
#[derive(Debug, Clone)]
pub struct Network {
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    addresses: Addresses,
    table: RefCell<Table>,
    /// What is imposed on each edge, by the number of the fault.
    imposed: RefCell<BTreeMap<Edge, BTreeMap<u64, Condition>>>,
    standing: Cell<usize>,
    faults: Cell<u64>,
}

impl Network {
    /// An edge in each direction between any two nodes, and between any client and any node, with nothing wrong yet.
    ///
    /// # Errors
    /// If the kernel lacks the packet filter, or a part of it. [`probe`] tells beforehand.
    pub fn new(_inside: Namespace, nodes: &[NodeName], clients: &[NodeName]) -> io::Result<Self> {
        let addresses = Addresses::of(nodes, clients);
        let mut imposed = BTreeMap::new();
        for from in nodes.iter().chain(clients) {
            for to in nodes.iter().filter(|to| *to != from) {
                let edge = Edge::new(from, to);
                imposed.insert(edge.reversed(), BTreeMap::new());
                imposed.insert(edge, BTreeMap::new());
            }
        }
        let content = imposed.keys().fold(Batch::default(), |batch, edge: &Edge| {
            rules::add_edge(batch, edge, addresses.get(&edge.from), addresses.get(&edge.to))
        });
        let inner = Inner {
            addresses,
            table: RefCell::new(Table::create(content)?),
            imposed: RefCell::new(imposed),
            standing: Cell::new(0),
            faults: Cell::new(0),
        };
        Ok(Self { inner: Rc::new(inner) })
    }

    /// Where `party`, a node or a client, listens and dials from.
    #[must_use]
    pub fn address(&self, party: &str) -> Ipv4Addr {
        self.inner.addresses.get(party)
    }

    /// Every direction in which packets can travel, in order.
    #[must_use]
    pub fn edges(&self) -> Vec<Edge> {
        self.inner.imposed.borrow().keys().cloned().collect()
    }

    /// `condition` stands on each of `edges` from now on, until the fault is dropped.
    ///
    /// # Errors
    /// What the kernel says against it; then nothing stands.
    pub fn impose(&self, condition: Condition, edges: &[Edge]) -> io::Result<EdgeFault> {
        let number = self.inner.faults.get();
        self.inner.faults.set(number + 1);
        self.inner.standing.set(self.inner.standing.get() + 1);
        let edges: BTreeSet<Edge> = edges.iter().cloned().collect();
        for edge in &edges {
            self.inner.with_imposed(edge, |imposed| imposed.insert(number, condition));
        }
        // From here on, dropping the fault takes it back.
        let mut fault = EdgeFault { inner: Rc::clone(&self.inner), number, edges, before: Vec::new() };
        fault.before = self.inner.traffic(&fault.edges)?;
        self.inner.settle(&fault.edges)?;
        Ok(fault)
    }

    /// Resets every connection that has come about and carries packets of `edges`, on both sides, whatever else stands. Returns how many there
    /// were.
    ///
    /// # Errors
    /// If the kernel cannot do that.
    pub fn reset(&self, edges: &[Edge]) -> io::Result<u64> {
        let both = edges.iter().flat_map(|edge| [edge.clone(), edge.reversed()]);
        let ends = both.map(|edge| (self.address(&edge.from), self.address(&edge.to)));
        let ends: BTreeSet<_> = ends.collect();
        connections::reset(|from, to| ends.contains(&(from, to)))
    }

    /// How many faults stand now.
    #[must_use]
    pub fn standing(&self) -> usize {
        self.inner.standing.get()
    }

    /// What has happened on an edge since the beginning.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn traffic(&self, edge: &Edge) -> io::Result<Traffic> {
        let one = self.inner.traffic([edge])?;
        Ok(one.into_iter().fold(Traffic::default(), |all, one| all.plus(&one)))
    }
}

impl Inner {
    fn with_imposed<T>(&self, edge: &Edge, change: impl FnOnce(&mut BTreeMap<u64, Condition>) -> T) -> T {
        let mut imposed = self.imposed.borrow_mut();
        change(imposed.get_mut(edge).expect("faults strike edges of this network only"))
    }

    /// Tells the kernel what stands on `edges`.
    fn settle(&self, edges: &BTreeSet<Edge>) -> io::Result<()> {
        if edges.is_empty() {
            return Ok(());
        }
        let batch = edges.iter().fold(Batch::default(), |batch, edge| {
            let conditions = self.with_imposed(edge, |imposed| Conditions::of(imposed.values()));
            rules::set_edge(batch, edge, conditions)
        });
        self.table.borrow_mut().apply(batch)
    }

    fn traffic<'a>(&self, edges: impl IntoIterator<Item = &'a Edge>) -> io::Result<Vec<Traffic>> {
        let counts = self.table.borrow_mut().counts()?;
        let one = |edge: &Edge| {
            let count = |counter: Counter| {
                let missing = || io::Error::other(format!("the kernel has no counter of {edge}"));
                counts.get(&counter.name(edge)).copied().ok_or_else(missing)
            };
            Ok(Traffic {
                passed: count(Counter::Passed)?,
                cut: count(Counter::Cut)?,
                lost: count(Counter::Lost)?,
                limited: count(Counter::Limited)?,
            })
        };
        edges.into_iter().map(one).collect()
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

    /// What has happened on its edges since it struck. A fault that dropped no packet has had no effect. Where faults
    /// overlap, each tells of all that happened.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn traffic(&self) -> io::Result<Traffic> {
        let now = self.inner.traffic(&self.edges)?;
        let since = now.iter().zip(&self.before).map(|(now, before)| now.since(before));
        Ok(since.fold(Traffic::default(), |all, one| all.plus(&one)))
    }

    /// On how many of its edges a packet was dropped since it struck.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn struck(&self) -> io::Result<u64> {
        let now = self.inner.traffic(&self.edges)?;
        let since = now.iter().zip(&self.before).map(|(now, before)| now.since(before));
        Ok(since.map(|traffic| u64::from(traffic.dropped().packets > 0)).sum())
    }

    /// Lifts it, and tells whether the kernel has done so.
    ///
    /// # Errors
    /// What the kernel says against it.
    pub fn lift(mut self) -> io::Result<()> {
        self.take_back()
    }

    /// Lifts it, unless that was done.
    fn take_back(&mut self) -> io::Result<()> {
        let edges = std::mem::take(&mut self.edges);
        for edge in &edges {
            let lifted = self.inner.with_imposed(edge, |imposed| imposed.remove(&self.number));
            assert!(lifted.is_some(), "fault {} is lifted where it does not stand", self.number);
        }
        self.inner.settle(&edges)
    }
}

impl Drop for EdgeFault {
    fn drop(&mut self) {
        // The kernel has no reason to refuse what it took before. Who wants to know lifts it by name.
        drop(self.take_back());
        self.inner.standing.set(self.inner.standing.get() - 1);
    }
}

impl fmt::Debug for EdgeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgeFault").field("number", &self.number).field("edges", &self.edges).finish()
    }
}

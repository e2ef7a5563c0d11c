//! What nodes and clients reach nodes by.
//!
//! In a run, that is a [`Fabric`], whose links can be broken, or a [`kernel::Network`], whose packets can be dropped. The
//! testbed's own questions (who leads, what was applied) take a way of their own, which no fault names, or nothing could be
//! known of a cluster while it is cut. A cluster for people has no such network: its nodes reach each other directly.

mod fault;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub use self::fault::{LinkFault, Wrong};

use crate::fabric::Fabric;
use crate::kernel;
use crate::kernel::namespace::Namespace;
use crate::process::Listening;
use crate::rng::Rng;
use crate::system::{Addresses, NodeName};

/// All clients of the workload, as one party of the network.
pub const CLIENTS: &str = "clients";

/// The testbed itself.
const TESTBED: &str = "testbed";

/// See the module.
#[derive(Debug, Clone)]
pub enum Network {
    /// Nothing stands between the nodes.
    Direct,
    /// A proxy for each directed link.
    Proxy(Fabric),
    /// The kernel, which drops packets.
    Kernel(kernel::Network),
}

impl Network {
    /// Proxies between all `nodes`, those that join later included, and from clients to them.
    ///
    /// # Errors
    /// If the kernel has no port or no file descriptor left.
    pub fn proxy(nodes: &[NodeName], rng: &Rng) -> io::Result<Self> {
        let others = [CLIENTS.to_owned(), TESTBED.to_owned()];
        Ok(Self::Proxy(Fabric::new(nodes, &others, rng)?))
    }

    /// The kernel's network between all `nodes`, those that join later included, and from clients to them.
    ///
    /// # Errors
    /// If the kernel refuses a rule. [`kernel::probe`] tells beforehand.
    pub fn kernel(inside: Namespace, nodes: &[NodeName]) -> io::Result<Self> {
        Ok(Self::Kernel(kernel::Network::new(inside, nodes, &[CLIENTS.to_owned()])?))
    }

    /// How many faults stand now.
    #[must_use]
    pub fn standing(&self) -> usize {
        match self {
            Self::Direct => 0,
            Self::Proxy(fabric) => fabric.standing(),
            Self::Kernel(network) => network.standing(),
        }
    }

    /// Where a node listens, at a port of the kernel's choice unless somebody chose one.
    #[must_use]
    pub fn host(&self, node: &str) -> IpAddr {
        self.source(node).unwrap_or_else(|| Ipv4Addr::LOCALHOST.into())
    }

    /// The address that a party must connect from, if that matters.
    #[must_use]
    pub fn source(&self, party: &str) -> Option<IpAddr> {
        match self {
            Self::Direct | Self::Proxy(_) => None,
            Self::Kernel(network) => Some(network.address(party).into()),
        }
    }

    /// A node has started.
    ///
    /// # Errors
    /// If the kernel has no file descriptor left.
    pub fn node_listens(&self, node: &str, listening: &Listening) -> io::Result<()> {
        match self {
            Self::Direct | Self::Kernel(_) => Ok(()),
            Self::Proxy(fabric) => fabric.node_listens(node, listening.peer_listen, listening.listen),
        }
    }

    /// A node's process has ended.
    pub fn node_is_gone(&self, node: &str) {
        if let Self::Proxy(fabric) = self {
            fabric.node_is_gone(node);
        }
    }

    /// Where a node is found that listens like this.
    #[must_use]
    pub fn addresses(&self, node: &str, listening: &Listening) -> Addresses {
        let clients_from = self.source(CLIENTS);
        match self {
            Self::Direct | Self::Kernel(_) => {
                Addresses { clients: listening.listen, clients_from, testbed: listening.listen }
            }
            Self::Proxy(fabric) => Addresses {
                clients: fabric.address(CLIENTS, node),
                clients_from,
                testbed: fabric.address(TESTBED, node),
            },
        }
    }

    /// Where `node` finds `peer`, of which `known` are the peers that have started. `None`: nowhere yet.
    #[must_use]
    pub fn peer_address(
        &self,
        node: &str,
        peer: &str,
        known: &BTreeMap<NodeName, SocketAddr>,
    ) -> Option<SocketAddr> {
        match self {
            // Its own address does not matter to a node.
            Self::Proxy(fabric) if node != peer => Some(fabric.address(node, peer)),
            _ => known.get(peer).copied(),
        }
    }
}

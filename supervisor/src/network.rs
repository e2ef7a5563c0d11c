//! What nodes and clients reach nodes by.
//!
//! In a run, that is a [`Fabric`], whose links can be broken. The testbed's own questions (who leads, what was applied)
//! take links of their own, which no fault names, or nothing could be known of a cluster while it is cut. A cluster for
//! people has no links at all: its nodes reach each other directly.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use crate::fabric::Fabric;
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

    /// The links, if there are some that can be broken.
    #[must_use]
    pub fn fabric(&self) -> Option<&Fabric> {
        match self {
            Self::Direct => None,
            Self::Proxy(fabric) => Some(fabric),
        }
    }

    /// How many faults stand now.
    #[must_use]
    pub fn standing(&self) -> usize {
        self.fabric().map_or(0, Fabric::standing)
    }

    /// A node has started.
    ///
    /// # Errors
    /// If the kernel has no file descriptor left.
    pub fn node_listens(&self, node: &str, listening: &Listening) -> io::Result<()> {
        match self {
            Self::Direct => Ok(()),
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
        match self {
            Self::Direct => Addresses { clients: listening.listen, testbed: listening.listen },
            Self::Proxy(fabric) => {
                Addresses { clients: fabric.address(CLIENTS, node), testbed: fabric.address(TESTBED, node) }
            }
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

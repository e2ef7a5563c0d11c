//! The cluster of a plan: how many nodes, of which kinds of network, disk and clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scenario::word::words;

/// The cluster under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClusterPlan {
    /// How many nodes, 1 to [`NODES_MAX`](super::NODES_MAX). They are called `n1`, `n2`, …
    pub nodes: u8,
    /// How many more may join later; nodes and spares are at most [`NODES_MAX`](super::NODES_MAX). Their names go on where the nodes' end.
    pub spares: u8,
    /// What the nodes reach each other by.
    pub network: NetworkKind,
    /// What the nodes write to.
    pub disk: DiskKind,
    /// What the nodes read the time from.
    pub clock: ClockKind,
    /// Settings of every node, by name.
    pub config: BTreeMap<String, String>,
    /// The planted bug that every node is to have, by its id in the build under test.
    // Named, because serde lets an `Option` be missing unless a function of its own reads it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub inject_bug: Option<String>,
    /// The program that each node runs at first, by the name in [`Plan::binaries`](super::Plan::binaries); the default one
    /// where it is not named.
    pub binary: BTreeMap<String, String>,
}

impl ClusterPlan {
    /// The names of the nodes that found the cluster: `n1`, `n2`, …
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        (1..=self.nodes).map(|number| format!("n{number}")).collect()
    }

    /// The names of the spares, in the order in which they are used.
    #[must_use]
    pub fn spare_names(&self) -> Vec<String> {
        (self.nodes + 1..=self.nodes + self.spares).map(|number| format!("n{number}")).collect()
    }
}

words! {
    /// What nodes and clients reach nodes by.
    pub enum NetworkKind {
        /// Proxies in the supervisor.
        Proxy = "proxy",
        /// The kernel, in a network namespace of the run's own.
        Kernel = "kernel",}
}

words! {
    /// What nodes write to.
    pub enum DiskKind {
        /// The file system; what was written survives the end of the process.
        Plain = "plain",
        /// What was not synced is lost with the process, as in a power failure.
        Volatile = "volatile",}
}

words! {
    /// What nodes read the time from.
    pub enum ClockKind {
        /// The clocks of the machine.
        Real = "real",
        /// Clocks of their own, which can be set wrong.
        Skewable = "skewable",}
}

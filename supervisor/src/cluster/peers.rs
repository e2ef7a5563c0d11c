//! The tables in which nodes find each other: a file for each node, which it reads again when it changes.

use std::fs;
use std::path::PathBuf;

use super::Cluster;
use crate::harness::HarnessFailure;
use crate::system::NodeName;

impl Cluster {
    /// Gives every node that was started the addresses of all.
    pub(super) fn write_peer_tables(&self) -> Result<(), HarnessFailure> {
        let started = self.inner.nodes.keys().filter(|name| self.generation(name) > 0);
        started.into_iter().try_for_each(|name| self.write_peer_table(name).map(drop))
    }

    /// Gives a node the addresses of all, its table replaced in one step, and returns where the table is.
    pub(super) fn write_peer_table(&self, name: &str) -> Result<PathBuf, HarnessFailure> {
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

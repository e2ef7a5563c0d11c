//! The command line of a node, and what it means.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use thiserror::Error;

use crate::bug::Bug;
use crate::env::PeerTable;
use crate::node::NodeConfig;
use crate::password::Cost;
use crate::raft::lifecycle::Compaction;
use crate::raft::types::{BadName, NodeName};
use crate::service::ServiceConfig;

/// The version; a build that can plant bugs says so.
const VERSION: &str = if cfg!(feature = "bugs") {
    concat!(env!("CARGO_PKG_VERSION"), " (WITH PLANTED BUGS: for testing the testbed only)")
} else {
    env!("CARGO_PKG_VERSION")
};

/// A node of the replicated chat.
///
/// Several nodes make a cluster, which goes on as long as a majority of them does. Clients may talk to any of them.
#[derive(Debug, Clone, Parser)]
#[command(name = "chat-node", version = VERSION, after_help = EXITS)]
pub struct Args {
    /// The node's name: 1 to 32 of a-z, 0-9 and `-`. It belongs to its data directory for ever.
    #[arg(long, env = "CHAT_NODE_ID", value_name = "NAME")]
    pub node_id: NodeName,

    /// Where clients are heard. Port 0 lets the system choose.
    #[arg(long, env = "CHAT_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:50051")]
    pub listen: SocketAddr,

    /// Where the other nodes are heard. Port 0 lets the system choose.
    #[arg(long, env = "CHAT_PEER_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub peer_listen: SocketAddr,

    /// Speak to the other nodes from this address. Without it, the system chooses.
    #[arg(long, env = "CHAT_PEER_BIND", value_name = "ADDR")]
    pub peer_bind: Option<IpAddr>,

    /// All nodes, this one too, as `n1=HOST:PORT,n2=HOST:PORT`, or `@FILE` with one a line, which is read again for
    /// every connection. Without it, the node is a cluster of its own.
    #[arg(long, env = "CHAT_PEERS", value_name = "NODES")]
    pub peers: Option<PeerTable>,

    /// Where the node keeps its files.
    #[arg(long, env = "CHAT_DATA_DIR", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Found a new cluster, if the data directory is empty. Every founder gets it.
    #[arg(long)]
    pub init: bool,

    /// Who founds the cluster; without it, all nodes of `--peers`. Every founder gets the same.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', requires_all = ["init", "peers"], conflicts_with = "join")]
    pub founders: Vec<NodeName>,

    /// Wait to be added to a cluster, if the data directory is empty. The name must be new: a node that lost its data
    /// never comes back under its old one.
    #[arg(long, conflicts_with = "init", requires = "peers")]
    pub join: bool,

    /// Append what the node does as a member of the cluster to this file, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// How hard a password is to guess from its hash: `default`, or `cheap` for tests.
    #[arg(long, env = "CHAT_ARGON2_COST", value_name = "COST", default_value_t)]
    pub argon2_cost: Cost,

    /// Make a snapshot every so many entries of the log.
    #[arg(long, env = "CHAT_SNAPSHOT_ENTRIES", value_name = "N", default_value_t = Compaction::default().snapshot_entries, value_parser = clap::value_parser!(u64).range(1..))]
    pub snapshot_entries: u64,

    /// Keep so many entries that a snapshot holds in the log.
    #[arg(long, env = "CHAT_KEEP_ENTRIES", value_name = "N", default_value_t = Compaction::default().keep_entries)]
    pub keep_entries: u64,

    /// How many operations may be in flight; more are refused.
    #[arg(long, env = "CHAT_IN_FLIGHT_MAX", value_name = "N", default_value_t = 4096)]
    pub in_flight_max: usize,

    /// Plant a bug, to see whether a testbed finds it. Only in a build with the feature `bugs`.
    #[arg(long, value_name = "NAME")]
    pub inject_bug: Vec<Bug>,

    /// What the node's files are on: `plain`, or `volatile`, which keeps in memory what is not synced, so that the end
    /// of the process is a power failure. For tests.
    #[arg(long, value_name = "DISK", default_value = "plain", value_enum)]
    pub disk: DiskKind,

    /// Let testers break things inside this node, through the service `Fault` beside the services for clients.
    #[arg(long)]
    pub faults: bool,

    /// Whose clocks the node lives by: the host's, or its own, which testers may skew.
    #[arg(long, value_enum, value_name = "CLOCK", default_value_t, requires_if("skewable", "faults"))]
    pub clock: Clock,

    /// End at once when the process that started this one ends.
    #[arg(long)]
    pub die_with_parent: bool,
}

/// Whose clocks a node lives by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Clock {
    /// The host's.
    #[default]
    Real,
    /// Its own, which run as the host's until a tester skews them; needs `--faults`.
    Skewable,
}

/// What the node's files are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiskKind {
    /// The system's file system.
    Plain,
    /// The same, below a layer in memory that holds what is not synced.
    Volatile,
}

const EXITS: &str = "\
Exit codes:
  0   stopped as asked, by SIGTERM or SIGINT
  2   a bad command line
  4   could not start: an address or the data directory is taken
  5   a file is damaged or the disk failed; standard error names the file
  70  a bug of ours";

/// A command line that makes no sense.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The table of peers cannot be read.
    #[error("cannot read the table of peers")]
    Peers(#[source] io::Error),
    /// A peer has a bad name.
    #[error("a peer has a bad name")]
    Name(#[source] BadName),
    /// The table does not have the node itself.
    #[error("the table of peers does not have {0}, which is this node")]
    NotAPeer(NodeName),
    /// A founder that nobody can reach.
    #[error("the table of peers does not have {0}, which is to be a founder")]
    StrangeFounder(NodeName),
    /// A node that is told to found, and is no founder.
    #[error(
        "this node, {0}, is not among the founders: start it with `--join`, and add it to the cluster later"
    )]
    NotAFounder(NodeName),
}

impl Args {
    /// What the node is told.
    ///
    /// # Errors
    /// The table of peers cannot be read, or makes no sense.
    pub fn node_config(&self) -> Result<NodeConfig, ConfigError> {
        let names = match &self.peers {
            None => vec![self.node_id.to_string()],
            Some(table) => table.load().map_err(ConfigError::Peers)?.into_keys().collect(),
        };
        let peers: BTreeSet<NodeName> = names
            .iter()
            .map(|name| NodeName::parse(name))
            .collect::<Result<_, _>>()
            .map_err(ConfigError::Name)?;
        if !peers.contains(&self.node_id) {
            return Err(ConfigError::NotAPeer(self.node_id.clone()));
        }
        if let Some(stranger) = self.founders.iter().find(|name| !peers.contains(*name)) {
            return Err(ConfigError::StrangeFounder(stranger.clone()));
        }
        let founders = if self.founders.is_empty() { peers } else { self.founders.iter().cloned().collect() };
        if !founders.contains(&self.node_id) {
            return Err(ConfigError::NotAFounder(self.node_id.clone()));
        }
        Ok(NodeConfig {
            node: self.node_id.clone(),
            founders,
            init: self.init,
            join: self.join,
            compaction: Compaction {
                snapshot_entries: self.snapshot_entries,
                keep_entries: self.keep_entries,
            },
            in_flight_max: self.in_flight_max,
        })
    }

    /// What the service is told.
    #[must_use]
    pub fn service_config(&self) -> ServiceConfig {
        ServiceConfig { password_cost: self.argon2_cost, ..ServiceConfig::default() }
    }

    /// The table of peers.
    #[must_use]
    pub fn table(&self) -> PeerTable {
        self.peers.clone().unwrap_or(PeerTable::Fixed([].into()))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
        let args = parse("chat-node --node-id n1 --data-dir d --peers n1=h:1,n2=h:2 --init").unwrap();
        let config = args.node_config().unwrap();
        assert_eq!(config.founders, [1.into(), 2.into()].into());
        assert!(config.init);
        let alone = parse("chat-node --node-id n1 --data-dir d").unwrap().node_config().unwrap();
        assert_eq!(alone.founders, [1.into()].into());
        let other = parse("chat-node --node-id n3 --data-dir d --peers n1=h:1,n2=h:2").unwrap();
        assert!(matches!(other.node_config(), Err(ConfigError::NotAPeer(_))));
        assert!(parse("chat-node --node-id N1 --data-dir d").is_err());
    }

    #[test]
    fn clocks_are_only_skewed_where_testers_are_served() {
        let clock =
            |line: &str| parse(&format!("chat-node --node-id n1 --data-dir d{line}")).map(|args| args.clock);
        assert_eq!(clock("").unwrap(), Clock::Real);
        assert_eq!(clock(" --clock real").unwrap(), Clock::Real);
        assert_eq!(clock(" --faults --clock skewable").unwrap(), Clock::Skewable);
        let alone = clock(" --clock skewable").unwrap_err().to_string();
        assert!(alone.contains("--faults"), "{alone}");
    }

    #[test]
    fn a_table_may_have_nodes_that_found_nothing() {
        let line = |node: &str, more: &str| {
            let peers = "n1=h:1,n2=h:2,n3=h:3,n4=h:4";
            parse(&format!("chat-node --node-id {node} --data-dir d --peers {peers} {more}"))
        };
        let founder = line("n1", "--init --founders n1,n2,n3").unwrap().node_config().unwrap();
        assert_eq!(founder.founders, [1.into(), 2.into(), 3.into()].into());
        let spare = line("n4", "--join").unwrap().node_config().unwrap();
        assert!(spare.join && !spare.init);

        let spare = line("n4", "--init --founders n1,n2,n3").unwrap().node_config().unwrap_err();
        assert!(matches!(spare, ConfigError::NotAFounder(_)), "{spare}");
        let unreachable = line("n1", "--init --founders n1,n9").unwrap().node_config().unwrap_err();
        assert!(matches!(unreachable, ConfigError::StrangeFounder(_)), "{unreachable}");
        for bad in ["--init --join", "--founders n1", "--join --founders n1", "--init --founders n1,,n2"] {
            assert!(line("n1", bad).is_err(), "{bad}");
        }
        assert!(parse("chat-node --node-id n1 --data-dir d --join").is_err());
    }

    #[test]
    fn a_bug_needs_a_build_that_has_it() {
        let planted = parse("chat-node --node-id n1 --data-dir d --inject-bug stale-read");
        assert_eq!(planted.is_ok(), crate::bug::PLANTABLE);
    }
}

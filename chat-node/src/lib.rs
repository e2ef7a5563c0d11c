//! A node of the replicated chat: openraft for consensus, redb for storage, tonic for the wire.

pub mod bug;
pub mod chain;
pub mod cli;
pub mod config;
pub mod env;
pub mod machine;
pub mod node;
pub mod password;
pub mod raft;
pub mod rpc;
pub mod service;
pub mod store;
pub mod trace;

//! Consensus: one replicated log over many nodes, and what the rest of the node may ask of it.
//!
//! The rest of the node knows a replica by four verbs: propose a command, read a state, watch what is applied, and ask
//! for its status. Only the modules below this one know openraft.

pub mod async_runtime;
pub mod change;
pub mod failure;
pub mod lifecycle;
pub mod log_store;
pub mod machine_store;
pub mod network;
pub mod peer;
pub mod replica;
pub mod status;
pub mod types;
pub mod wire;

pub use change::ChangeError;
pub use failure::{Consistency, Failure};
pub use replica::Replica;
pub use status::{Member, Role, Standing, Status};

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod testing;

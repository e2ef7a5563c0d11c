//! The wire and log contracts of Hearsay, generated from `proto/*.proto`. No logic.
//!
//! - [`chat`]: what a person can do.
//! - [`admin`]: what an operator or a tester may ask of one node.
//! - [`fault`]: what a tester may break inside one node.
//! - [`raft`]: what nodes say to each other.
//! - [`log`]: what is durable, as commands in the log and records in the state.

/// What a person can do.
pub mod chat {
    tonic::include_proto!("hearsay.chat.v1");
}

/// What an operator or a tester may ask of one node.
pub mod admin {
    tonic::include_proto!("hearsay.admin.v1");
}

/// What a tester may break inside one node.
pub mod fault {
    tonic::include_proto!("hearsay.fault.v1");
}

/// What nodes say to each other.
pub mod raft {
    tonic::include_proto!("hearsay.raft.v1");
}

/// What is durable.
pub mod log {
    tonic::include_proto!("hearsay.log.v1");
}

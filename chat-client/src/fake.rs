//! A chat in memory behind real ports, that fails on command. For tests, here and in what builds upon this library.
//!
//! A [`FakeChat`] is the state of a cluster; every [`FakeNode`] of it listens on a port of its own. Each request takes
//! the next [`Act`] that was planned for its node, or is served when there is none. Times and tokens are counted, not
//! drawn, so that a test can compare whole outputs.

mod chat;
mod front;
mod members;
mod node;

pub use chat::FakeChat;
pub use node::{Act, Call, FakeNode};

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

/// An address at which nobody listens.
///
/// # Panics
///
/// When no port can be bound at all.
pub async fn nobody() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port can be bound");
    listener.local_addr().expect("a bound port has an address").to_string()
}

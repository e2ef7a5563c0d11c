//! The client library of the chat: endpoints, retries, exactly-once sends, resumable subscriptions.
//!
//! It has two layers. An [`Endpoint`] is one node, one connection, one try: every [`Operation`] is a message of the
//! wire contract, and ends in its reply or in an [`Error`] that says whether it was certainly not applied. A [`Client`]
//! is many endpoints and a [`Policy`]: it finds the leader, tries again where that is harmless, and keeps the knowledge
//! of every try in the one error that it gives in the end. A [`Session`] is a client with somebody's token.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use chat_client::{Client, Policy, Servers};
//!
//! let client = Client::new(Servers::new(&["127.0.0.1:50051", "127.0.0.1:50052"])?, Policy::default());
//! let alice = client.login("alice", "a secret").await?;
//! match alice.send("bob", "hello").await {
//!     Ok(sent) => println!("message {} of {}", sent.sequence, sent.conversation),
//!     Err(error) if error.is_definite() => println!("not sent: {error}"),
//!     Err(error) => println!("perhaps sent: {error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! * One table ([`Cause::row`]) decides whether an error is definite; nothing else in the project does.
//! * An operation of which any try may have been applied never ends in a definite error.
//! * Every try of an operation carries the same attempt, so the cluster applies it at most once.
//! * A subscription delivers each event once, in the order of the log, whichever node it comes from.
//!
//! # What it does not do
//!
//! It keeps nothing on disk: the identity of a client dies with the process, and with it the right to try an unknown
//! operation again. It does not encrypt: give it a network that does.

pub mod admin;
pub mod client;
pub mod endpoint;
pub mod error;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
pub mod fault;
pub mod identity;
pub mod operation;
pub mod retry;
pub mod servers;
pub mod session;
pub mod subscription;

pub use client::Client;
pub use endpoint::{AddressError, Endpoint};
pub use error::{Cause, Effect, Error};
pub use identity::{ClientId, Identity};
pub use operation::Operation;
/// The messages that the operations are made of.
pub use proto as wire;
pub use retry::Policy;
pub use servers::Servers;
pub use session::{Consistency, Expected, Page, Session, Token};
pub use subscription::{Delivery, Subscription};
/// The codes of [`Cause::Grpc`].
pub use tonic::Code as GrpcCode;
/// The stream that [`Endpoint::subscribe`] opens.
pub use tonic::Streaming;

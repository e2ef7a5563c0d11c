//! What the service needs of the cluster: one log that everyone agrees on, and the state it leads to.

use std::future::Future;

use proto::log::{Command, Reply};

use crate::env::{Instant, watch};
use crate::machine::tables::{StoreError, Tables};
use crate::raft::{ChangeError, Consistency, Failure, Member, Standing, Status};

/// A replica of the chat, as the service knows it. A clone is the same replica.
pub trait Consensus: Clone + Send + Sync + 'static {
    /// Has `command` applied once, in the name of the session whose token has the hash `actor` (empty for none).
    ///
    /// # Errors
    /// Whether the command may still be applied is what [`Failure::is_definite`] says.
    fn propose(
        &self,
        actor: Vec<u8>,
        command: Command,
        deadline: Instant,
    ) -> impl Future<Output = Result<Reply, Failure>> + Send;

    /// Shows one state, and the log index it stands at, to `f`, where it may block.
    ///
    /// # Errors
    /// The state could not be confirmed to be as fresh as was asked, or not be read.
    fn read<T, F>(
        &self,
        consistency: Consistency,
        deadline: Instant,
        f: F,
    ) -> impl Future<Output = Result<T, Failure>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&dyn Tables, u64) -> Result<T, StoreError> + Send + 'static;

    /// The last index that is in the state of this node.
    fn applied(&self) -> watch::Receiver<u64>;

    /// Whether this node belongs to the cluster.
    fn standing(&self) -> watch::Receiver<Standing>;

    /// What this node says of itself.
    fn status(&self) -> Status;

    /// The digest of the state of this node once `at_least` is applied, and the index it stands at.
    ///
    /// # Errors
    /// The index was not reached in time, or the records are not what the digest says.
    fn digest(
        &self,
        at_least: u64,
        verify: bool,
        deadline: Instant,
    ) -> impl Future<Output = Result<(u64, String), Failure>> + Send;
}

/// What an operator may have done, as the wire knows it.
pub trait Operate: Clone + Send + Sync + 'static {
    /// Makes `node` a member without a vote, and waits until it has the log.
    ///
    /// # Errors
    /// It is [`ChangeError`]'s to say.
    fn add_learner(
        &self,
        node: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<Member>, ChangeError>> + Send;

    /// Gives votes to the learners `promote` and lets `remove` leave, in one change.
    ///
    /// # Errors
    /// It is [`ChangeError`]'s to say.
    fn change_members(
        &self,
        promote: &[String],
        remove: &[String],
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<Member>, ChangeError>> + Send;

    /// Lets `to` lead, or, when that is empty, whoever has the most of the log. Returns who leads then, and its term.
    ///
    /// # Errors
    /// It is [`ChangeError`]'s to say.
    fn transfer_leader(
        &self,
        to: &str,
        deadline: Instant,
    ) -> impl Future<Output = Result<(String, u64), ChangeError>> + Send;

    /// Makes a durable snapshot; with `purge`, removes from the log what it holds. Returns its last index, and the last
    /// one that was removed from the log.
    ///
    /// # Errors
    /// It is [`ChangeError`]'s to say.
    fn take_snapshot(
        &self,
        purge: bool,
        deadline: Instant,
    ) -> impl Future<Output = Result<(u64, u64), ChangeError>> + Send;
}

#[cfg(test)]
pub(crate) mod memory;

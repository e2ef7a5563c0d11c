//! How the members of a cluster, its leader and its snapshots are changed, by asking a node.

use std::time::Duration;

use futures::future::LocalBoxFuture;

/// The way to change a cluster. A change is asked of the leader; another node refuses.
///
/// Errors are sentences for a person. A change of which an error was told may still come about: look at the members.
pub trait Membership {
    /// Makes `node` a member without a vote, and waits until it has caught up.
    fn add_learner<'a>(
        &'a self,
        leader: &'a str,
        node: &'a str,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(), String>>;

    /// Gives votes to the members `promote`, and lets `remove` leave, in one change.
    fn change_members<'a>(
        &'a self,
        leader: &'a str,
        promote: &'a [String],
        remove: &'a [String],
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(), String>>;

    /// Lets `to` lead, and waits until it does.
    fn transfer_leader<'a>(
        &'a self,
        leader: &'a str,
        to: &'a str,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(), String>>;

    /// Has `node` make a snapshot, and tells the last index that it holds.
    fn take_snapshot<'a>(
        &'a self,
        node: &'a str,
        purge: bool,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<u64, String>>;
}

//! How the members of a cluster of the chat, its leader and its snapshots are changed.

use std::time::Duration;

use chat_client::admin;
use futures::future::{FutureExt, LocalBoxFuture};

use super::ChatSystem;
use crate::system::membership::Membership;

impl Membership for ChatSystem {
    fn add_learner<'a>(
        &'a self,
        leader: &'a str,
        node: &'a str,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(), String>> {
        async move {
            let added = admin::add_learner(&*self.admin(leader)?, node, limit).await;
            added.map(drop).map_err(|error| error.to_string())
        }
        .boxed_local()
    }

    fn change_members<'a>(
        &'a self,
        leader: &'a str,
        promote: &'a [String],
        remove: &'a [String],
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(), String>> {
        async move {
            let changed = admin::change_members(&*self.admin(leader)?, promote, remove, limit).await;
            changed.map(drop).map_err(|error| error.to_string())
        }
        .boxed_local()
    }

    fn transfer_leader<'a>(
        &'a self,
        leader: &'a str,
        to: &'a str,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(), String>> {
        async move {
            let transferred = admin::transfer_leader(&*self.admin(leader)?, to, limit).await;
            transferred.map(drop).map_err(|error| error.to_string())
        }
        .boxed_local()
    }

    fn take_snapshot<'a>(
        &'a self,
        node: &'a str,
        purge: bool,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<u64, String>> {
        async move {
            let taken = admin::take_snapshot(&*self.admin(node)?, purge, limit).await;
            taken.map(|taken| taken.index).map_err(|error| error.to_string())
        }
        .boxed_local()
    }
}

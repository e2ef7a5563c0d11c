//! A snapshot when somebody wants one, not when the log is long enough.

use std::time::Duration;

use openraft::LogIdOptionExt as _;
use openraft::async_runtime::WatchReceiver as _;

use super::Replica;
use crate::env::Instant;
use crate::raft::change::ChangeError;
use crate::raft::failure::Failure;

/// How long nothing may be heard of a snapshot before the library is told again to make one.
const AGAIN: Duration = Duration::from_secs(5);

impl Replica {
    /// Makes a snapshot of all that this node has applied by now, and waits until it is durable. With `purge`, also
    /// removes from the log what the snapshot holds, and waits for that. Returns the last index of the snapshot, and the
    /// last that was removed from the log.
    ///
    /// # Errors
    /// It is [`ChangeError`]'s to say.
    pub async fn take_snapshot(&self, purge: bool, deadline: Instant) -> Result<(u64, u64), ChangeError> {
        if self.retiring() {
            return Err(ChangeError::Unserved(Failure::Stopping));
        }
        let goal = self.state().applied().get();
        if goal == 0 {
            return Err(ChangeError::Empty);
        }
        let snapshot = self.snapshot_at_least(goal, deadline).await?;
        if purge {
            self.purge(snapshot, deadline).await?;
        }
        Ok((snapshot, self.metrics().purged.index().unwrap_or(0)))
    }

    async fn snapshot_at_least(&self, goal: u64, deadline: Instant) -> Result<u64, ChangeError> {
        let mut news = self.core().metrics();
        let mut told: Option<(Option<u64>, Instant)> = None;
        loop {
            let newest = news.borrow_and_update().snapshot.index();
            if let Some(index) = newest.filter(|index| *index >= goal) {
                return Ok(index);
            }
            let now = self.env().now();
            if now >= deadline {
                let what = "the snapshot was not made in time; it is still being made".to_owned();
                return Err(ChangeError::Late { what, leader: None });
            }
            // The library takes no notice while an older one is being made, so it is told again once that is there; and
            // not more often, for one snapshot too many may end in the middle of a purge behind the one that was wanted.
            let is_told = told.is_some_and(|(seen, at)| seen == newest && now < at + AGAIN);
            if !is_told {
                self.core().trigger().snapshot().await.map_err(|_| self.stopping())?;
                told = Some((newest, now));
            }
            self.change_seen(&mut news, deadline.min(now + AGAIN)).await?;
        }
    }

    async fn purge(&self, upto: u64, deadline: Instant) -> Result<(), ChangeError> {
        let mut news = self.core().metrics();
        self.core().trigger().purge_log(upto).await.map_err(|_| self.stopping())?;
        loop {
            if news.borrow_and_update().purged.index().is_some_and(|purged| purged >= upto) {
                return Ok(());
            }
            if self.env().now() >= deadline {
                let what = format!(
                    "the snapshot of {upto} entries is durable, and the log was not purged in time; that happens as \
                     soon as nobody is sent those entries"
                );
                return Err(ChangeError::Late { what, leader: None });
            }
            self.change_seen(&mut news, deadline).await?;
        }
    }

    /// Waits for news until `until`; that none came is no error.
    async fn change_seen(
        &self,
        news: &mut openraft::alias::WatchReceiverOf<
            crate::raft::types::TypeConfig,
            openraft::RaftMetrics<crate::raft::types::TypeConfig>,
        >,
        until: Instant,
    ) -> Result<(), ChangeError> {
        match self.env().timeout_at(until, news.changed()).await {
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(_)) => Err(self.stopping()),
        }
    }

    /// A snapshot may have been made or not.
    fn stopping(&self) -> ChangeError {
        ChangeError::Unknown { why: "the node is stopping".to_owned(), leader: self.leader_name() }
    }
}

//! What the rest of the node gets of a replica: proposals, reads, its status, and changes of the cluster.

use futures::future::{Either, select};
use openraft::ServerState;
use openraft::async_runtime::WatchReceiver as _;
use prost::Message as _;
use proto::log::{Command, Reply};

use super::Replica;
use crate::bug::{self, Bug};
use crate::env::{Instant, watch};
use crate::machine::tables::{StoreError, Tables};
use crate::raft::change::ChangeError;
use crate::raft::failure::{Consistency, Failure};
use crate::raft::status::{Member, Role, Standing, Status};
use crate::service::consensus::{Consensus, Operate};
use crate::store::database;

impl Replica {
    async fn wait_applied(&self, index: u64, deadline: Instant) -> Result<(), Failure> {
        let mut applied = self.inner.state.applied();
        let unavailable = |why: &str| Failure::ReadUnavailable { why: why.to_owned(), leader: None };
        let reached = std::pin::pin!(applied.wait_for(|applied| *applied >= index));
        let removed = std::pin::pin!(self.removed());
        match self.inner.env.timeout_at(deadline, select(reached, removed)).await {
            Ok(Either::Left((Ok(_), _))) => Ok(()),
            Ok(Either::Left((Err(watch::Closed), _))) => Err(unavailable("the state is closed")),
            // What the others decide is not sent here any more.
            Ok(Either::Right(_)) => Err(Failure::NotAMember { removed: true }),
            Err(_) => Err(unavailable("this node did not apply so far in time")),
        }
    }

    /// Shows a state to `f` where it may block; a fault of the disk stops the node.
    async fn view<T: Send + 'static>(
        &self,
        f: impl FnOnce(&crate::store::state::View) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let state = self.inner.state.clone();
        let seen = self.inner.env.blocking(move || state.read(f));
        let unavailable = |why: String| Failure::ReadUnavailable { why, leader: None };
        match seen.await {
            Some(seen) => seen.map_err(|error| unavailable(error.to_string())),
            None => Err(unavailable("the node is stopping".to_owned())),
        }
    }
}

impl Consensus for Replica {
    async fn propose(&self, actor: Vec<u8>, command: Command, deadline: Instant) -> Result<Reply, Failure> {
        let _permit = self.admit()?;
        let command = command.encode_to_vec();
        bug::habits::loiter(self.env(), &actor).await;
        let give_up = self.patience(deadline);
        loop {
            let news = self.news();
            let answer = self.propose_once(actor.clone(), command.clone(), deadline).await;
            // Only what was certainly never proposed may be proposed again.
            if !matches!(answer, Err(Failure::NoLeader { .. })) || !self.again(news, give_up).await {
                return answer;
            }
        }
    }

    async fn read<T, F>(&self, consistency: Consistency, deadline: Instant, f: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Tables, u64) -> Result<T, StoreError> + Send + 'static,
    {
        let _permit = self.admit()?;
        if consistency == Consistency::Linearizable && !self.reads_at_once() {
            let index = self.read_index(deadline).await?;
            if !self.inner.env.bugs.has(Bug::ReadBeforeApply) {
                self.wait_applied(index, deadline).await?;
            }
        }
        self.view(move |view| f(view, view.head().index())).await
    }

    fn applied(&self) -> watch::Receiver<u64> {
        self.inner.state.applied()
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        Replica::standing(self)
    }

    fn status(&self) -> Status {
        let metrics = self.metrics();
        let members = self.members();
        let server = self.inner.core.server_metrics().borrow_watched().clone();
        let changing = server.membership_config.log_id() != server.committed_membership_config.log_id()
            || server.membership_config.membership().get_joint_config().len() > 1;
        let uptime = self.inner.env.now() - self.inner.started;
        Status {
            node: self.inner.node.to_string(),
            role: role(metrics.state),
            standing: self.inner.standing.get(),
            term: metrics.current_term,
            leader: self.leader_name(),
            last_log: metrics.last_log_index.unwrap_or(0),
            committed: metrics.local_committed.map_or(0, |id| id.index()),
            applied: self.inner.state.applied().get(),
            snapshot: metrics.snapshot.map_or(0, |id| id.index()),
            purged: metrics.purged.map_or(0, |id| id.index()),
            members,
            changing,
            bugs: self.inner.env.bugs.names(),
            uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
        }
    }

    async fn digest(&self, at_least: u64, verify: bool, deadline: Instant) -> Result<(u64, String), Failure> {
        self.wait_applied(at_least, deadline).await?;
        let path = self.inner.state.path().to_owned();
        self.view(move |view| {
            let head = view.head();
            if verify && view.compute_digest()? != head.digest {
                let what = "the records have another digest than the one stored with them";
                return Err(database::corrupt(&path, what));
            }
            Ok((head.index(), head.digest.to_string()))
        })
        .await
    }
}

impl Operate for Replica {
    async fn add_learner(&self, node: &str, deadline: Instant) -> Result<Vec<Member>, ChangeError> {
        Replica::add_learner(self, node, deadline).await
    }

    async fn change_members(
        &self,
        promote: &[String],
        remove: &[String],
        deadline: Instant,
    ) -> Result<Vec<Member>, ChangeError> {
        Replica::change_members(self, promote, remove, deadline).await
    }

    async fn transfer_leader(&self, to: &str, deadline: Instant) -> Result<(String, u64), ChangeError> {
        Replica::transfer_leader(self, to, deadline).await
    }

    async fn take_snapshot(&self, purge: bool, deadline: Instant) -> Result<(u64, u64), ChangeError> {
        Replica::take_snapshot(self, purge, deadline).await
    }
}

fn role(state: ServerState) -> Role {
    match state {
        ServerState::Leader => Role::Leader,
        ServerState::Candidate => Role::Candidate,
        ServerState::Follower => Role::Follower,
        ServerState::Learner | ServerState::Shutdown => Role::Learner,
    }
}

//! What a node asks of whoever leads: to propose, and how far a read must see.
//!
//! A question goes one hop, to the leader that this node knows. It is given up as soon as another leader is known: one that is
//! stopped, or cut off, answers only when it goes on.

use std::time::Duration;

use futures::future::{Either, select};
use openraft::async_runtime::WatchReceiver as _;
use prost::Message as _;
use proto::log::Reply;
use proto::raft::{ForwardRequest, Frame, Kind, ReadIndexRequest, forward_reply, read_index_reply};

use super::Replica;
use crate::env::Instant;
use crate::env::transport::TransportError;
use crate::raft::failure::Failure;
use crate::raft::types::{NodeName, TypeConfig};
use crate::raft::wire::rpc::{frame, open, parse_failure};

/// How long a caller waits while nobody leads, at most. Twice what an election takes.
const LEADER_WAIT: Duration = Duration::from_millis(2000);
/// How long after a failure the leader is looked for again, when nothing is heard of one.
const LEADER_LOOK: Duration = Duration::from_millis(50);

/// What the library says of leaders, and when it changes.
type ServerMetrics =
    openraft::alias::WatchReceiverOf<TypeConfig, openraft::metrics::RaftServerMetrics<TypeConfig>>;

/// Why the leader did not answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    /// It was certainly not asked.
    #[error("it could not be asked")]
    Unasked,
    /// It may have been asked.
    #[error(transparent)]
    Lost(TransportError),
    /// It may have been asked, and is not the leader any more.
    #[error("another leader followed")]
    Deposed,
}

impl Replica {
    async fn forward(
        &self,
        leader: &NodeName,
        actor: Vec<u8>,
        command: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let request = ForwardRequest { actor, command, within_ms: self.within_ms(deadline) };
        let unknown = |why: String| Failure::Unknown { why, leader: self.leader_name() };
        let answer = match self.ask_leader(leader, frame(Kind::Forward, &request), deadline).await {
            Ok(answer) => answer,
            Err(Unanswered::Unasked) => return Err(Failure::NoLeader { leader: Some(leader.to_string()) }),
            Err(error) => return Err(unknown(error.to_string())),
        };
        let reply: proto::raft::ForwardReply =
            open(Kind::Forward, &answer).map_err(|error| unknown(error.to_string()))?;
        match reply.outcome {
            Some(forward_reply::Outcome::Reply(bytes)) => {
                Reply::decode(bytes.as_slice()).map_err(|error| unknown(error.to_string()))
            }
            Some(forward_reply::Outcome::Failed(failed)) => Err(parse_failure(failed)),
            None => Err(unknown("the leader answered nothing".to_owned())),
        }
    }

    /// An index such that a state that includes it includes all that was acknowledged before the call.
    pub(super) async fn read_index(&self, deadline: Instant) -> Result<u64, Failure> {
        let give_up = self.patience(deadline);
        loop {
            let news = self.news();
            let answer = self.read_index_once(deadline).await;
            // A question changes nothing, and may be asked again whatever became of it.
            if answer.is_ok() || !self.again(news, give_up).await {
                return answer;
            }
        }
    }

    async fn read_index_once(&self, deadline: Instant) -> Result<u64, Failure> {
        let Some(leader) = self.leader() else { return Err(Failure::NoLeader { leader: None }) };
        if leader == self.inner.node {
            return self.read_index_here(deadline).await;
        }
        let unavailable = |why: String| Failure::ReadUnavailable { why, leader: Some(leader.to_string()) };
        let question = frame(Kind::ReadIndex, &ReadIndexRequest { within_ms: self.within_ms(deadline) });
        let answer = match self.ask_leader(&leader, question, deadline).await {
            Ok(answer) => answer,
            Err(Unanswered::Unasked) => return Err(Failure::NoLeader { leader: Some(leader.to_string()) }),
            Err(error) => return Err(unavailable(error.to_string())),
        };
        let reply: proto::raft::ReadIndexReply =
            open(Kind::ReadIndex, &answer).map_err(|error| unavailable(error.to_string()))?;
        match reply.outcome {
            Some(read_index_reply::Outcome::Index(index)) => Ok(index),
            Some(read_index_reply::Outcome::Failed(failed)) => Err(parse_failure(failed)),
            None => Err(unavailable("the leader answered nothing".to_owned())),
        }
    }

    /// Until when an operation with this deadline waits for a leader. An election takes a second: waiting for its end
    /// costs the caller less than being told of it.
    pub(super) fn patience(&self, deadline: Instant) -> Instant {
        deadline.min(self.inner.env.now() + LEADER_WAIT)
    }

    /// What is known of leaders now; its next change is news.
    pub(super) fn news(&self) -> ServerMetrics {
        let mut news = self.inner.core.server_metrics();
        news.borrow_and_update();
        news
    }

    /// Waits until another try makes sense, or says that none does: when there is news since `news` was taken, or soon,
    /// because not all that is new is seen here.
    pub(super) async fn again(&self, mut news: ServerMetrics, give_up: Instant) -> bool {
        let now = self.inner.env.now();
        if now >= give_up || self.retiring() {
            return false;
        }
        let _ = self.inner.env.timeout_at(give_up.min(now + LEADER_LOOK), news.changed()).await;
        true
    }

    pub(super) async fn propose_once(
        &self,
        actor: Vec<u8>,
        command: Vec<u8>,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        match self.leader() {
            None => Err(Failure::NoLeader { leader: None }),
            Some(leader) if leader == self.inner.node => self.propose_here(actor, command, deadline).await,
            Some(leader) => self.forward(&leader, actor, command, deadline).await,
        }
    }

    /// Asks the leader, as long as it is the leader: one that is stopped, or cut off, answers only when it goes on, and
    /// by then there is another.
    async fn ask_leader(
        &self,
        leader: &NodeName,
        question: Frame,
        deadline: Instant,
    ) -> Result<Frame, Unanswered> {
        let answer = self.inner.env.transport.call(leader.as_str(), question, deadline);
        match select(answer, std::pin::pin!(self.deposed(leader))).await {
            Either::Left((Ok(answer), _)) => Ok(answer),
            Either::Left((Err(TransportError::Unreachable { .. }), _)) => Err(Unanswered::Unasked),
            Either::Left((Err(error), _)) => Err(Unanswered::Lost(error)),
            Either::Right(_) => Err(Unanswered::Deposed),
        }
    }

    /// Waits until this node follows another leader.
    async fn deposed(&self, leader: &NodeName) {
        let mut metrics = self.inner.core.server_metrics();
        loop {
            if metrics.borrow_watched().current_leader.as_ref().is_some_and(|now| now != leader) {
                return;
            }
            if metrics.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn within_ms(&self, deadline: Instant) -> u64 {
        let within = deadline.saturating_duration_since(self.inner.env.now());
        u64::try_from(within.as_millis()).unwrap_or(u64::MAX)
    }
}

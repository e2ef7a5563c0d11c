//! Changes of the members, on the leader.
//!
//! A change is checked against the members as they are, then proposed on the condition that they still are. It runs in
//! a task of its own: a caller who gives up must not leave the cluster halfway, between two sets of voters. What the
//! death of a leader leaves halfway, the next leader finishes (see [`super::finish`]).
//!
//! # What it does not do
//! * It does not wait for a learner before it promotes it: a majority of the new voters must answer, which is enough for
//!   the cluster to go on.

use std::collections::BTreeSet;
use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;
use openraft::errors::{ChangeMembershipError, ClientWriteError, RaftError};
use openraft::raft::Precondition;
use openraft::{ChangeMembers, EmptyNode, Instant as _, RaftMetrics};
use proto::raft::{InviteReply, InviteRequest, Kind};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Replica;
use super::leader::write_fault;
use crate::env::Instant;
use crate::raft::async_runtime::NodeInstant;
use crate::raft::change::ChangeError;
use crate::raft::failure::Failure;
use crate::raft::status::Member;
use crate::raft::types::{LogId, Membership, NodeName, TypeConfig};
use crate::raft::wire::rpc::{frame, open};

/// A node that did not answer the leader for so long counts as one that does not answer. Longer than a pipeline stalls
/// before it is given up.
const HEARD: Duration = Duration::from_millis(1500);
/// How long an operator waits for nodes that do not answer, at most: one that has just become the leader, or that has just
/// started, is not connected to all others yet.
const GRACE: Duration = Duration::from_secs(2);
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(50);

pub(super) type Change = ChangeMembers<NodeName, EmptyNode>;

/// The members as they are, on a node that certainly leads.
pub(super) struct Office {
    pub(super) id: Option<LogId>,
    pub(super) members: Membership,
}

impl Replica {
    /// Makes `node` a member without a vote, and waits until it has caught up with the log as it was then.
    ///
    /// # Errors
    /// It is [`ChangeError`]'s to say.
    pub async fn add_learner(&self, node: &str, deadline: Instant) -> Result<Vec<Member>, ChangeError> {
        let node = NodeName::parse(node)?;
        let changing = self.begin_change()?;
        let office = self.office(deadline).await?;
        if office.members.voter_ids().any(|voter| voter == node) {
            return Err(ChangeError::Voter { node: node.to_string() });
        }
        if self.env().transport.address(node.as_str()).is_none() {
            let (node, leader) = (node.to_string(), self.node().to_string());
            return Err(ChangeError::NoAddress { node, leader });
        }
        let known = office.members.get_node(&node).is_some();
        // A learner that answered has a log. Were it without, its log would be lost, and it must not be let in again.
        if !known || matched(&self.metrics(), &node).is_none() {
            self.invite(&node, deadline).await?;
        }
        if known {
            drop(changing);
        } else {
            let change = Change::AddNodes([(node.clone(), EmptyNode::new())].into());
            self.change(changing, change, office.id, deadline).await?;
        }
        self.caught_up(&node, deadline).await?;
        Ok(self.members())
    }

    /// Gives votes to the learners `promote` and lets `remove` leave, in one change.
    ///
    /// # Errors
    /// It is [`ChangeError`]'s to say.
    pub async fn change_members(
        &self,
        promote: &[String],
        remove: &[String],
        deadline: Instant,
    ) -> Result<Vec<Member>, ChangeError> {
        let names = |names: &[String]| names.iter().map(|name| NodeName::parse(name)).collect();
        let promote: BTreeSet<NodeName> = Result::from_iter::<Vec<_>>(names(promote))?;
        let remove: BTreeSet<NodeName> = Result::from_iter::<Vec<_>>(names(remove))?;
        let changing = self.begin_change()?;
        let office = self.office(deadline).await?;
        let change =
            self.with_grace(deadline, || self.plan(&office.members, promote.clone(), remove.clone())).await?;
        self.change(changing, change, office.id, deadline).await?;
        Ok(self.members())
    }

    /// Checks a change of voters, and says it in the words of the library.
    fn plan(
        &self,
        members: &Membership,
        promote: BTreeSet<NodeName>,
        remove: BTreeSet<NodeName>,
    ) -> Result<Change, ChangeError> {
        if promote.is_empty() && remove.is_empty() {
            return Err(ChangeError::Nothing);
        }
        if let Some(node) = promote.intersection(&remove).next() {
            return Err(ChangeError::Both { node: node.to_string() });
        }
        let voters: BTreeSet<NodeName> = members.voter_ids().collect();
        for node in promote.union(&remove) {
            if members.get_node(node).is_none() {
                return Err(ChangeError::NoMember { node: node.to_string(), members: listed(members) });
            }
        }
        if let Some(node) = promote.intersection(&voters).next() {
            return Err(ChangeError::Voter { node: node.to_string() });
        }
        let next: BTreeSet<NodeName> =
            voters.union(&promote).filter(|node| !remove.contains(*node)).cloned().collect();
        if next.is_empty() {
            return Err(ChangeError::NoVoter);
        }
        if next != voters {
            self.check_majority(&next)?;
        }
        // The library lets voters that leave go by themselves, once the new voters alone decide; a learner is said.
        let (voters, learners): (BTreeSet<_>, BTreeSet<_>) =
            remove.into_iter().partition(|node| voters.contains(node));
        Ok(Change::Batch(vec![
            Change::RemoveNodes(learners),
            Change::AddVoterIds(promote),
            Change::RemoveVoters(voters),
        ]))
    }

    /// A majority of `voters` answers this node, which leads.
    fn check_majority(&self, voters: &BTreeSet<NodeName>) -> Result<(), ChangeError> {
        let metrics = self.metrics();
        let answering: BTreeSet<NodeName> =
            voters.iter().filter(|node| self.answers(&metrics, node)).cloned().collect();
        if answering.len() * 2 > voters.len() {
            return Ok(());
        }
        let names = |names: &BTreeSet<NodeName>| match names.len() {
            0 => "none".to_owned(),
            _ => names.iter().map(NodeName::as_str).collect::<Vec<_>>().join(", "),
        };
        Err(ChangeError::NoMajority { voters: names(voters), answering: names(&answering) })
    }

    /// Whether `node` answered this node, which leads, a moment ago.
    pub(crate) fn answers(&self, metrics: &RaftMetrics<TypeConfig>, node: &NodeName) -> bool {
        if node == self.node() {
            return true;
        }
        let heard = metrics.heartbeat.as_ref().and_then(|heard| heard.get(node)?.as_ref());
        // The library goes by the node's clock, too.
        let now = NodeInstant::from(self.env().now());
        heard.is_some_and(|heard| now.saturating_duration_since(**heard) < HEARD)
    }

    /// One change at a time.
    pub(super) fn begin_change(&self) -> Result<OwnedSemaphorePermit, ChangeError> {
        self.inner.changing.clone().try_acquire_owned().map_err(|_| ChangeError::InProgress)
    }

    /// The members as they are, if this node leads; a majority says that it does. Nothing is changed by asking.
    pub(super) async fn office(&self, deadline: Instant) -> Result<Office, ChangeError> {
        drop(self.admit().map_err(ChangeError::Unserved)?);
        match self.read_index_here(deadline).await {
            Ok(_) => {}
            Err(Failure::NoLeader { leader }) => {
                return Err(ChangeError::NotLeader { node: self.node().to_string(), leader });
            }
            Err(failure) => return Err(ChangeError::Unserved(failure)),
        }
        let metrics = self.core().server_metrics().borrow_watched().clone();
        let members = metrics.membership_config.membership().clone();
        if metrics.membership_config.log_id() != metrics.committed_membership_config.log_id()
            || members.get_joint_config().len() > 1
        {
            return Err(ChangeError::InProgress);
        }
        Ok(Office { id: *metrics.membership_config.log_id(), members })
    }

    /// Tells a node that it is about to be added, and that it may answer this cluster.
    async fn invite(&self, node: &NodeName, deadline: Instant) -> Result<(), ChangeError> {
        let silent = |why: String| ChangeError::Silent { node: node.to_string(), why };
        let deadline = deadline.min(self.env().now() + GRACE);
        loop {
            let question = frame(Kind::Invite, &InviteRequest {});
            match self.env().transport.call(node.as_str(), question, deadline).await {
                Ok(answer) => {
                    let InviteReply {} =
                        open(Kind::Invite, &answer).map_err(|error| silent(error.to_string()))?;
                    return Ok(());
                }
                // The first call after a restart finds out that the connection is gone.
                Err(_) if self.env().now() + LOOK < deadline => {
                    self.env().runtime.sleep_until(self.env().now() + LOOK).await;
                }
                Err(error) => return Err(silent(error.to_string())),
            }
        }
    }

    /// What `check` says, which is asked again for a while when it is that somebody does not answer.
    pub(super) async fn with_grace<T>(
        &self,
        deadline: Instant,
        check: impl Fn() -> Result<T, ChangeError>,
    ) -> Result<T, ChangeError> {
        let give_up = deadline.min(self.env().now() + GRACE);
        loop {
            let checked = check();
            let silence = matches!(
                checked,
                Err(ChangeError::NoMajority { .. }
                    | ChangeError::Unheard { .. }
                    | ChangeError::NoHeir { .. })
            );
            if !silence || self.env().now() >= give_up {
                return checked;
            }
            self.env().runtime.sleep_until(self.env().now() + LOOK).await;
        }
    }

    /// Has a change made, if the members are still those of `expected`. It goes on when the deadline passes.
    pub(super) async fn change(
        &self,
        changing: OwnedSemaphorePermit,
        change: Change,
        expected: Option<LogId>,
        deadline: Instant,
    ) -> Result<(), ChangeError> {
        let core = self.core().clone();
        let (tx, changed) = oneshot::channel();
        self.env().spawn(async move {
            let condition = Precondition::LastMembershipLogId { last_membership_log_id: expected };
            let done = core.change_membership_if(change, false, [condition]).await;
            drop(changing);
            // Nobody waits for it any more when the deadline passed.
            let _ = tx.send(done);
        });
        let leader = || self.leader_name();
        match self.env().timeout_at(deadline, changed).await {
            Ok(Ok(Ok(_))) => Ok(()),
            // Refused by the first of the two steps: in the second, the members are those of the first, and committed.
            Ok(Ok(Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(
                ChangeMembershipError::InProgress(_),
            ))))) => Err(ChangeError::InProgress),
            Ok(Ok(Err(error))) => Err(ChangeError::Unknown { why: write_fault(error), leader: leader() }),
            Ok(Err(_)) => {
                Err(ChangeError::Unknown { why: "the node is stopping".to_owned(), leader: leader() })
            }
            Err(_) => {
                let what =
                    "no majority confirmed the change in time; it may yet take place: look at the status";
                Err(ChangeError::Late { what: what.to_owned(), leader: leader() })
            }
        }
    }

    /// Waits until `node` has the log as it is now.
    async fn caught_up(&self, node: &NodeName, deadline: Instant) -> Result<(), ChangeError> {
        let mut news = self.core().metrics();
        let goal = news.borrow_watched().last_log_index;
        let late = |at: Option<u64>, goal: Option<u64>| {
            let (at, goal) = (at.unwrap_or(0), goal.unwrap_or(0));
            let what = format!(
                "{node} is a member without a vote, and has not caught up in time: it has {at} of {goal} entries; ask \
                 again to wait for it"
            );
            ChangeError::Late { what, leader: self.leader_name() }
        };
        loop {
            let (leads, at) = {
                let metrics = news.borrow_and_update();
                (metrics.state.is_leader(), matched(&metrics, node))
            };
            if !leads {
                let why =
                    format!("{node} was added, and this node lost its office before {node} had caught up");
                return Err(ChangeError::Unknown { why, leader: self.leader_name() });
            }
            if at >= goal {
                return Ok(());
            }
            match self.env().timeout_at(deadline, news.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => {
                    let why = format!("{node} was added, and this node is stopping");
                    return Err(ChangeError::Unknown { why, leader: self.leader_name() });
                }
                Err(_) => return Err(late(at, goal)),
            }
        }
    }
}

#[cfg(test)]
impl Replica {
    /// Leaves the cluster between its voters and `next`, as a leader does that dies then: no second step is taken here.
    pub(crate) async fn leave_halfway(&self, next: &[&str]) {
        let changing = self.begin_change().expect("no change is at work");
        let office = self.office(self.env().now() + GRACE).await.expect("it leads");
        let next: BTreeSet<NodeName> =
            next.iter().map(|name| NodeName::parse(name).expect("a name")).collect();
        let nodes: std::collections::BTreeMap<_, _> =
            office.members.nodes().map(|(name, _)| (name.clone(), EmptyNode::new())).collect();
        let joint = Membership::new(vec![office.members.voter_ids().collect(), next], nodes);
        let joint = joint.expect("every voter is a member");
        self.core()
            .append_membership(joint, openraft::EntryPayload::Blank, [])
            .await
            .expect("a majority of both agrees");
        std::mem::forget(changing);
    }
}

/// Up to where `node` has the log of this node, which leads.
fn matched(metrics: &RaftMetrics<TypeConfig>, node: &NodeName) -> Option<u64> {
    let matched = metrics.replication.as_ref()?.get(node)?.as_ref()?;
    Some(matched.index())
}

/// The members in a sentence.
pub(super) fn listed(members: &Membership) -> String {
    let voters: BTreeSet<NodeName> = members.voter_ids().collect();
    let name = |(name, _): (&NodeName, &EmptyNode)| match voters.contains(name) {
        true => name.to_string(),
        false => format!("{name} (without a vote)"),
    };
    members.nodes().map(name).collect::<Vec<_>>().join(", ")
}

//! Another node is to lead.
//!
//! From the moment it is told to hand over, the leader takes in no writes and sends no heartbeats, so that the others
//! elect one even if the chosen one does not hear of it. An heir is therefore only named if it answers.

use std::collections::BTreeSet;

use openraft::RaftMetrics;
use openraft::async_runtime::WatchReceiver as _;

use super::Replica;
use crate::env::Instant;
use crate::raft::change::ChangeError;
use crate::raft::failure::Failure;
use crate::raft::types::{NodeName, TypeConfig};

impl Replica {
    /// Lets `to` lead, or, when that is empty, the voter that has the most of the log. Returns who leads then, and its
    /// term.
    ///
    /// # Errors
    /// It is [`ChangeError`]'s to say.
    pub async fn transfer_leader(&self, to: &str, deadline: Instant) -> Result<(String, u64), ChangeError> {
        let wanted = if to.is_empty() { None } else { Some(NodeName::parse(to)?) };
        drop(self.admit().map_err(ChangeError::Unserved)?);
        match self.read_index_here(deadline).await {
            Ok(_) => {}
            Err(Failure::NoLeader { leader }) => {
                return Err(ChangeError::NotLeader { node: self.node().to_string(), leader });
            }
            Err(failure) => return Err(ChangeError::Unserved(failure)),
        }
        let metrics = self.metrics();
        let choose = || match &wanted {
            Some(node) => self.check_heir(&self.metrics(), node),
            None => {
                let heir = self.heir(&self.metrics());
                heir.ok_or_else(|| ChangeError::NoHeir { leader: self.node().to_string() })
            }
        };
        let heir = self.with_grace(deadline, choose).await?;
        tracing::info!(%heir, "hands over the leadership, as it was told to");
        if self.core().trigger().transfer_leader(heir.clone()).await.is_err() {
            return Err(ChangeError::Unserved(Failure::Stopping));
        }
        let mut news = self.core().server_metrics();
        let followed = async {
            loop {
                {
                    let now = news.borrow_and_update();
                    let other = now.current_leader.as_ref().filter(|leader| *leader != self.node());
                    if let Some(leader) = other.filter(|_| now.vote.leader_id.term > metrics.current_term) {
                        return Some((leader.clone(), now.vote.leader_id.term));
                    }
                }
                news.changed().await.ok()?;
            }
        };
        match self.env().timeout_at(deadline, followed).await {
            Ok(Some((leader, term))) if leader == heir => Ok((leader.to_string(), term)),
            Ok(Some((leader, _))) => {
                let why = format!("{heir} did not take over, and {leader} leads now");
                Err(ChangeError::Unknown { why, leader: Some(leader.to_string()) })
            }
            Ok(None) => {
                let why = "the node is stopping".to_owned();
                Err(ChangeError::Unknown { why, leader: None })
            }
            Err(_) => {
                let what = format!(
                    "{heir} did not take over in time; it may yet, or another one: look at the status"
                );
                Err(ChangeError::Late { what, leader: self.leader_name() })
            }
        }
    }

    fn check_heir(
        &self,
        metrics: &RaftMetrics<TypeConfig>,
        node: &NodeName,
    ) -> Result<NodeName, ChangeError> {
        let members = metrics.membership_config.membership();
        let name = || node.to_string();
        if node == self.node() {
            return Err(ChangeError::Leads { node: name() });
        }
        if members.get_node(node).is_none() {
            return Err(ChangeError::NoMember { node: name(), members: super::members::listed(members) });
        }
        if !members.voter_ids().any(|voter| voter == *node) {
            return Err(ChangeError::Learner { node: name() });
        }
        if !self.answers(metrics, node) {
            return Err(ChangeError::Unheard { node: name(), leader: self.node().to_string() });
        }
        Ok(node.clone())
    }

    /// The voter with the most of the log among the others that answer this node, which leads.
    pub(crate) fn heir(&self, metrics: &RaftMetrics<TypeConfig>) -> Option<NodeName> {
        let voters: BTreeSet<NodeName> = metrics.membership_config.membership().voter_ids().collect();
        let others = metrics.replication.as_ref()?.iter();
        others
            .filter(|(name, _)| *name != self.node() && voters.contains(*name) && self.answers(metrics, name))
            .max_by_key(|(_, matched)| **matched)
            .map(|(name, _)| name.clone())
    }
}

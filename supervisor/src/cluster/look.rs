//! Asking nodes how they are, and waiting until they are as they should be.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use super::{Cluster, NodeState, Views, view};
use crate::harness::HarnessFailure;
use crate::system::{NodeName, NodeView};

/// How long one question to a node may take while the testbed looks around.
const STATUS_LIMIT: Duration = Duration::from_millis(500);

/// How often a condition of the cluster is looked at again.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

impl Cluster {
    /// What a running node says of itself; `None` when it does not answer in time.
    pub async fn view(&self, name: &str) -> Option<NodeView> {
        if self.state(name) != NodeState::Running {
            return None;
        }
        self.inner.system.status(name, STATUS_LIMIT).await.ok()
    }

    /// What every member says of itself, asked at one time.
    pub async fn views(&self) -> Views {
        let members = self.members();
        let asked = members.iter().map(|name| async move { (name.clone(), self.view(name).await) });
        join_all(asked).await.into_iter().collect()
    }

    /// The node that leads the highest term among those that answer.
    pub async fn leader(&self) -> Option<(NodeName, u64)> {
        view::leader(&self.views().await).map(|(name, view)| (name.clone(), view.term))
    }

    /// Waits until some node leads and a majority follows it.
    pub async fn wait_for_leader(&self, limit: Duration) -> Result<NodeName, HarnessFailure> {
        let deadline = Instant::now() + limit;
        loop {
            let views = self.views().await;
            if let Some(leader) = view::followed_leader(&views) {
                return Ok(leader);
            }
            if Instant::now() >= deadline {
                return Err(HarnessFailure::Limit {
                    what: "no leader that a majority follows".to_owned(),
                    limit_name: "leader_wait",
                    limit_ms: limit.as_millis(),
                    seen: view::describe(&views),
                });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until every node has applied what the furthest one has, and returns that index.
    pub async fn wait_until_caught_up(&self, limit: Duration) -> Result<u64, HarnessFailure> {
        let deadline = Instant::now() + limit;
        let mut goal = 0;
        loop {
            let views = self.views().await;
            goal = goal.max(views.values().flatten().map(|view| view.applied).max().unwrap_or(0));
            let reached = |view: &Option<NodeView>| view.as_ref().is_some_and(|view| view.applied >= goal);
            if views.values().all(reached) && view::followed_leader(&views).is_some() {
                return Ok(goal);
            }
            if Instant::now() >= deadline {
                return Err(HarnessFailure::Limit {
                    what: format!("not every node applied index {goal}"),
                    limit_name: "catch_up_wait",
                    limit_ms: limit.as_millis(),
                    seen: view::describe(&views),
                });
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

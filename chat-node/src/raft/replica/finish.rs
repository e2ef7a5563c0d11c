//! A change of voters that was left halfway is finished.
//!
//! A leader that dies, or loses its office, between the two steps of a change leaves a cluster in which two sets of voters
//! must agree. It goes on, but it needs a majority of both, and takes no other change. Whoever leads such a cluster takes
//! the second step.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;

use super::Replica;
use super::members::Change;
use crate::env::Instant;
use crate::raft::types::NodeName;

/// How long a change that was left halfway stays so, and how often it is tried to finish it.
const PAUSE: Duration = Duration::from_millis(200);
/// How long one try is waited for.
const TRY: Duration = Duration::from_secs(5);

/// Finishes what other leaders began, as long as the node runs.
pub(crate) async fn finish_changes(replica: Replica) {
    let ended = replica.ended();
    let finish = async {
        let mut news = replica.core().server_metrics();
        loop {
            if replica.left_halfway() {
                replica.finish(replica.env().now() + TRY).await;
                replica.env().runtime.sleep_until(replica.env().now() + PAUSE).await;
            } else if news.changed().await.is_err() {
                return;
            }
        }
    };
    futures::future::select(std::pin::pin!(ended), std::pin::pin!(finish)).await;
}

impl Replica {
    /// This node leads, and two sets of voters must agree, with no change at work here that would end that.
    fn left_halfway(&self) -> bool {
        let metrics = self.core().server_metrics().borrow_watched().clone();
        metrics.state.is_leader() && metrics.membership_config.membership().get_joint_config().len() > 1
    }

    async fn finish(&self, deadline: Instant) {
        // The change that is at work here takes its second step itself.
        let Ok(changing) = self.begin_change() else { return };
        let metrics = self.core().server_metrics().borrow_watched().clone();
        let stored = &metrics.membership_config;
        if stored.membership().get_joint_config().len() < 2
            || stored.log_id() != metrics.committed_membership_config.log_id()
        {
            return;
        }
        let voters: Vec<NodeName> =
            stored.membership().get_joint_config().iter().flatten().cloned().collect();
        tracing::info!(?voters, "finishes a change of members that another leader began");
        let change = Change::AddVoterIds(std::collections::BTreeSet::new());
        if let Err(error) = self.change(changing, change, *stored.log_id(), deadline).await {
            tracing::info!(%error, "the change of members is not finished yet");
        }
    }
}

//! Whether this node belongs to a cluster, as far as it can know.
//!
//! Its own log tells a node that it was added. It does not tell it that it was removed: what a node that leaves is sent
//! ends before that entry, or with it and before anybody says that it is committed. So a member that hears of no leader asks
//! the others who the members are. If a newer set than its own is committed without it, or that very one, it was removed. It
//! then serves nobody and asks for no votes, until an entry of its own log makes it a member again.
//!
//! A node that was started to join, without data, belongs to nothing and answers nobody before the leader has invited it:
//! its name may be that of a voter whose data was lost, and a voter that forgot its vote must not vote.

use std::time::Duration;

use futures::future::{join_all, select};
use openraft::async_runtime::WatchReceiver as _;
use proto::raft::{Kind, MembersReply, MembersRequest};

use super::Replica;
use crate::env::watch;
use crate::raft::status::Standing;
use crate::raft::types::{NodeName, StoredMembership};
use crate::raft::wire::parse_stored_membership;
use crate::raft::wire::rpc::{frame, open};

/// A node that was not sent anything by a leader for so long asks the others. Longer than an election takes.
const SILENCE: Duration = Duration::from_millis(1000);
/// How often it does, and how long their answers may take.
const ASK_EVERY: Duration = Duration::from_millis(500);
const ASK: Duration = Duration::from_millis(300);

/// Follows how this node stands, as long as it runs.
pub(super) async fn follow(replica: Replica) {
    let ended = replica.ended();
    let follow = async {
        let mut news = replica.core().server_metrics();
        let mut removed_at = None;
        loop {
            let (own, leads) = {
                let metrics = news.borrow_and_update();
                let leads = metrics.state.is_leader();
                (replica.own(&metrics.membership_config, &metrics.committed_membership_config), leads)
            };
            let heard = leads || replica.heard_within(SILENCE);
            let standing = own.standing(removed_at, heard);
            replica.stand(standing);
            if standing == Standing::Member && !heard {
                removed_at = removed_at.max(replica.ask_whether_removed(own.index).await);
            }
            let look_at = replica.env().now() + ASK_EVERY;
            if let Ok(Err(_)) = replica.env().timeout_at(look_at, news.changed()).await {
                return;
            }
        }
    };
    select(std::pin::pin!(ended), std::pin::pin!(follow)).await;
}

/// What a node's own log says of it.
#[derive(Debug, Clone, Copy)]
struct Own {
    /// Where the newest set of members stands in its log; 0 when it knows none.
    index: u64,
    /// It is one of them.
    member: bool,
    /// They are certainly the members.
    committed: bool,
}

impl Own {
    /// `removed_at` is the newest set of members without this node that another node knows to be committed. `heard`
    /// says whether a leader sends entries.
    fn standing(self, removed_at: Option<u64>, heard: bool) -> Standing {
        let told = removed_at.is_some_and(|at| at > self.index);
        let confirmed = removed_at.is_some_and(|at| at >= self.index);
        match self {
            Own { index: 0, .. } => Standing::Waiting,
            Own { member: true, .. } if told => Standing::Removed,
            Own { member: false, committed: false, .. } if confirmed => Standing::Removed,
            Own { member: true, .. } | Own { committed: false, .. } => Standing::Member,
            // What is sent entries is on its way to the one that adds it.
            Own { .. } if heard => Standing::Waiting,
            Own { .. } => Standing::Removed,
        }
    }
}

impl Replica {
    /// How this node stands, and when that changes.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.inner.standings.clone()
    }

    /// Completes when this node was removed from its cluster.
    pub(super) async fn removed(&self) {
        let mut standings = self.standing();
        if standings.wait_for(|standing| *standing == Standing::Removed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// A leader sent something.
    pub(crate) fn hear(&self) {
        *self.inner.heard.lock().expect("nothing that runs under this lock can panic") = self.env().now();
    }

    /// Whether this node may answer a cluster: it has data of one, or was invited.
    pub(crate) fn invited(&self) -> bool {
        self.inner.invited.load(std::sync::atomic::Ordering::Acquire)
    }

    /// A leader is about to add this node.
    pub(crate) fn accept_invitation(&self) {
        if !self.inner.invited.swap(true, std::sync::atomic::Ordering::AcqRel) {
            tracing::info!("this node was invited to a cluster");
        }
        self.hear();
    }

    fn heard_within(&self, silence: Duration) -> bool {
        let heard = *self.inner.heard.lock().expect("nothing that runs under this lock can panic");
        self.env().now().saturating_duration_since(heard) < silence
    }

    fn own(&self, newest: &StoredMembership, committed: &StoredMembership) -> Own {
        Own {
            index: newest.log_id().as_ref().map_or(0, |id| id.index() + 1),
            member: newest.membership().get_node(self.node()).is_some(),
            committed: newest.log_id() == committed.log_id(),
        }
    }

    fn stand(&self, standing: Standing) {
        let before = self.inner.standing.get();
        if before == standing {
            return;
        }
        match standing {
            Standing::Member => tracing::info!("this node is a member of the cluster"),
            Standing::Waiting => tracing::info!("this node waits to be added to a cluster"),
            Standing::Removed => tracing::warn!(
                "this node was removed from the cluster: it serves nobody; stop it, and delete its data unless it is to \
                 be added again"
            ),
        }
        self.core().runtime_config().elect(standing == Standing::Member);
        self.inner.standing.send(standing);
    }

    /// Asks the other members of the set that stands at `index` here. Returns where one without this node stands that they
    /// know to be committed, if that is not an older one.
    async fn ask_whether_removed(&self, index: u64) -> Option<u64> {
        let others: Vec<NodeName> = {
            let metrics = self.core().server_metrics().borrow_watched().clone();
            let names = metrics.membership_config.membership().nodes().map(|(name, _)| name.clone());
            names.filter(|name| name != self.node()).collect()
        };
        let deadline = self.env().now() + ASK;
        let asked = join_all(others.iter().map(|name| async move {
            let question = frame(Kind::Members, &MembersRequest {});
            let answer = self.env().transport.call(name.as_str(), question, deadline).await.ok()?;
            let MembersReply { committed } = open(Kind::Members, &answer).ok()?;
            let committed = parse_stored_membership(&committed?).ok()?;
            let theirs = self.own(&committed, &committed);
            (!theirs.member && theirs.index >= index).then_some(theirs.index)
        }));
        asked.await.into_iter().flatten().max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(index: u64, member: bool, committed: bool) -> Own {
        Own { index, member, committed }
    }

    #[test]
    fn a_node_is_what_the_newest_set_of_members_says() {
        use Standing::{Member, Removed, Waiting};
        for (own, removed_at, heard, standing) in [
            (own(0, false, true), None, false, Waiting),
            // It is being sent the log, and has not reached the entry that adds it.
            (own(3, false, true), None, true, Waiting),
            (own(3, false, true), None, false, Removed),
            // An entry that removes it may yet be undone, until another node knows it, or a later one, to be committed.
            (own(3, false, false), None, false, Member),
            (own(3, false, false), Some(2), false, Member),
            (own(3, false, false), Some(3), false, Removed),
            (own(3, false, false), Some(4), false, Removed),
            (own(3, true, true), Some(3), false, Member),
            (own(3, true, true), None, false, Member),
            (own(3, true, true), Some(2), false, Member),
            (own(3, true, true), Some(4), false, Removed),
            // Added again.
            (own(5, true, true), Some(4), true, Member),
        ] {
            assert_eq!(own.standing(removed_at, heard), standing, "{own:?} {removed_at:?} {heard}");
        }
    }
}

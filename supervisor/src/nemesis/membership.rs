//! Other members, another leader, snapshots on demand.
//!
//! A change is asked of whoever leads, and again until the leader says that it has come about or the time is over: a
//! leader may die on the way, and what it began may be finished by the next one. So every change is of a kind that can
//! be asked for twice.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep};

use super::effect::Effect;
use super::guard::{FaultGuard, Undo};
use super::{Aim, Nemesis};
use crate::cluster::view;
use crate::harness::HarnessFailure;
use crate::run::stop::Stop;
use crate::scenario::count::Count;
use crate::scenario::target::{self, NodeStatus};
use crate::scenario::verb::{Membership as Change, Snapshot};
use crate::system::membership::Membership;
use crate::system::{NodeName, NodeView};

/// How long a change may take, elections on the way included.
const CHANGE_LIMIT: Duration = Duration::from_secs(20);

/// How long one question to a leader may take.
const ASK_LIMIT: Duration = Duration::from_secs(5);

/// How long a change may still take when the run ends.
const LAST_LIMIT: Duration = Duration::from_secs(3);

/// How long to wait before a change is asked for again.
const REST: Duration = Duration::from_millis(100);

impl Change {
    /// Whom it strikes now.
    pub(super) fn aim(&self, nodes: &[NodeStatus], rng: &mut crate::rng::Rng) -> Result<Aim, String> {
        let struck = match self.target() {
            Some(target) => target::resolve(target, nodes, rng).map_err(|why| why.to_string())?,
            None => Vec::new(),
        };
        if struck.len() >= nodes.len() {
            return Err("nobody would be left".to_owned());
        }
        Ok(Aim { nodes: struck, edges: Vec::new() })
    }
}

impl Nemesis {
    pub(super) async fn change_members(
        &self,
        change: &Change,
        aim: Aim,
        stop: &Stop,
    ) -> Result<FaultGuard, HarnessFailure> {
        let guard = self.standing.install(aim.nodes.clone(), Undo::Done(Effect::default()));
        let mut effect = Effect::default();
        for node in &aim.nodes {
            let one = std::slice::from_ref(node);
            let (done, is_done) = match change {
                Change::Add => self.let_one_join(&[], stop).await?,
                Change::Remove(_) => self.let_leave(one, stop).await?,
                Change::Replace(_) => self.let_one_join(one, stop).await?,
                Change::Wipe(_) => {
                    self.cluster.wipe(node).await?;
                    let wiped = Effect::of(format!("wiped {node}"), &[(Count::DisksWiped, 1)]);
                    let (joined, is_done) = self.let_one_join(one, stop).await?;
                    (wiped.and(joined), is_done)
                }
            };
            effect = effect.and(done);
            if !is_done {
                // What this one could not do, the next one could not either, and a wiped node must be made up for first.
                break;
            }
        }
        Ok(guard.done(effect))
    }

    pub(super) async fn transfer_leader(&self, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let membership = self.membership()?;
        let guard = self.standing.install(aim.nodes.clone(), Undo::Done(Effect::default()));
        let to = &aim.nodes[0];
        let effect = match self.cluster.leader().await {
            Some((leader, _)) => match membership.transfer_leader(&leader, to, ASK_LIMIT).await {
                Ok(()) => {
                    Effect::of(format!("{to} leads instead of {leader}"), &[(Count::LeadersTransferred, 1)])
                }
                Err(why) => Effect::of(format!("{to} does not lead: {why}"), &[]),
            },
            None => Effect::of("nobody leads who could hand over", &[]),
        };
        Ok(guard.done(effect))
    }

    pub(super) async fn take_snapshots(
        &self,
        snapshot: &Snapshot,
        aim: Aim,
    ) -> Result<FaultGuard, HarnessFailure> {
        let membership = self.membership()?;
        let guard = self.standing.install(aim.nodes.clone(), Undo::Done(Effect::default()));
        let take = aim.nodes.iter().map(|node| async move {
            match membership.take_snapshot(node, snapshot.purge, ASK_LIMIT).await {
                Ok(index) => {
                    Effect::of(format!("snapshot of {node} at {index}"), &[(Count::SnapshotsForced, 1)])
                }
                Err(why) => Effect::of(format!("no snapshot of {node}: {why}"), &[]),
            }
        });
        let effect = Effect::all(join_all(take).await);
        Ok(guard.done(effect))
    }

    /// The next spare becomes a voter, and `instead` leave in the same change. Tells whether it has come about, too.
    async fn let_one_join(
        &self,
        instead: &[NodeName],
        stop: &Stop,
    ) -> Result<(Effect, bool), HarnessFailure> {
        let membership = self.membership()?;
        let Some(spare) = self.cluster.take_spare() else {
            return Ok((Effect::of("there is no spare left", &[]), false));
        };
        match self.cluster.start(&spare).await {
            Ok(()) => {}
            Err(HarnessFailure::Start { why, .. }) => {
                return Ok((Effect::of(format!("{spare} did not start: {why}"), &[]), false));
            }
            Err(failure) => return Err(failure),
        }
        let promote = std::slice::from_ref(&spare);
        let is_done = |view: &NodeView| {
            view.members.get(&spare) == Some(&true)
                && instead.iter().all(|node| !view.members.contains_key(node))
        };
        let joined = self
            .until_done(stop, is_done, async |leader| {
                // A learner may be undone by the next leader, so both are asked for again and again.
                membership.add_learner(leader, &spare, ASK_LIMIT).await.ok();
                membership.change_members(leader, promote, instead, ASK_LIMIT).await
            })
            .await;
        match joined {
            Ok(()) => {
                self.cluster.joined(&spare);
                let joined = Effect::of(format!("{spare} joined"), &[(Count::MembersAdded, 1)]);
                Ok((joined.and(self.see_off(instead).await?), true))
            }
            Err(why) => {
                // If it became a member all the same, the cluster misses one node that does not answer.
                self.cluster.stop(&spare).await?;
                Ok((Effect::of(format!("{spare} did not join in time: {why}"), &[]), false))
            }
        }
    }

    async fn let_leave(&self, nodes: &[NodeName], stop: &Stop) -> Result<(Effect, bool), HarnessFailure> {
        let membership = self.membership()?;
        let is_done = |view: &NodeView| nodes.iter().all(|node| !view.members.contains_key(node));
        let left = self
            .until_done(stop, is_done, async |leader| {
                membership.change_members(leader, &[], nodes, ASK_LIMIT).await
            })
            .await;
        match left {
            Ok(()) => Ok((self.see_off(nodes).await?, true)),
            Err(why) => {
                Ok((Effect::of(format!("{} did not leave in time: {why}", nodes.join(", ")), &[]), false))
            }
        }
    }

    /// Stops nodes that have left.
    async fn see_off(&self, nodes: &[NodeName]) -> Result<Effect, HarnessFailure> {
        let mut effect = Effect::default();
        for node in nodes {
            self.cluster.give_up(node, "it was removed from the cluster");
            self.cluster.stop(node).await?;
            effect = effect.and(Effect::of(format!("{node} left"), &[(Count::MembersRemoved, 1)]));
        }
        Ok(effect)
    }

    /// Asks the leader for a change until a leader shows it as done, or time is over; then the last error. When the run
    /// ends, there is a little time left.
    async fn until_done(
        &self,
        stop: &Stop,
        is_done: impl Fn(&NodeView) -> bool,
        ask: impl AsyncFn(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut deadline = Instant::now() + CHANGE_LIMIT;
        let mut why = "nobody leads".to_owned();
        loop {
            let views = self.cluster.views().await;
            let leader = view::leader(&views);
            // What is under way may yet be undone by another leader.
            if leader.is_some_and(|(_, view)| !view.is_changing && is_done(view)) {
                return Ok(());
            }
            if stop.is_stopped() {
                deadline = deadline.min(Instant::now() + LAST_LIMIT);
            }
            // Looked at once more after the last try: an error does not say that nothing has come about.
            if Instant::now() >= deadline {
                return Err(why);
            }
            if let Some((leader, _)) = leader
                && let Err(error) = ask(leader).await
            {
                why = error;
            }
            sleep(REST).await;
        }
    }

    fn membership(&self) -> Result<&dyn Membership, HarnessFailure> {
        let none = || HarnessFailure::Unsupported("the members of this system cannot be changed".to_owned());
        self.cluster.system().membership().ok_or_else(none)
    }
}

//! Whether a condition of a step is so, as far as the testbed can see.
//!
//! What nodes say of themselves is hearsay and a moment old: right after a leader was cut off, it still is the leader
//! that a majority follows. Whoever wants the next one waits for `leader-changes`.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::snapshots::Snapshots;
use crate::cluster::{Cluster, Views, view};
use crate::rng::Rng;
use crate::run::monitor::Roles;
use crate::run::recorder::{Recorder, Tally};
use crate::run::stop::Stop;
use crate::scenario::step::Condition;
use crate::scenario::target::{self, NodeStatus, Target};
use crate::system::NodeName;

/// How often a condition is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long an assertion looks. A node of a busy machine may not answer one question in time, and what the furthest one
/// has applied is always a moment ahead while clients write: neither says that something is not so.
pub(super) const ASSERT_GRACE: Duration = Duration::from_secs(2);

/// Sees whether conditions are so, and counts from its beginning.
pub(super) struct Lookout {
    cluster: Cluster,
    recorder: Recorder,
    roles: Roles,
    /// The highest term that a leader was seen of before.
    term: u64,
    /// Operations that were completed before.
    completed: u64,
    snapshots: Snapshots,
}

/// How waiting for a condition ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is so; what was seen.
    Met(String),
    /// It is not; what was seen instead.
    Unmet(String),
    /// The load ended before.
    Stopped,
}

impl Lookout {
    /// One that counts from now on.
    pub(super) async fn new(cluster: Cluster, recorder: Recorder, roles: Roles) -> Self {
        let leader = cluster.leader().await.map_or(0, |(_, term)| term);
        let term = leader.max(roles.term());
        let completed = completed(recorder.tally());
        let traces: Vec<_> = cluster.everyone().iter().map(|name| cluster.trace_file(name)).collect();
        Self { snapshots: Snapshots::from_now_on(traces), cluster, recorder, roles, term, completed }
    }

    /// Looks until `condition` is so, `within` is over or `stop` is given; once at least. `rng` says whom a target means.
    pub(super) async fn wait_for(
        &self,
        condition: &Condition,
        within: Duration,
        rng: &Rng,
        stop: &Stop,
    ) -> Seen {
        let deadline = Instant::now() + within;
        let goal = match condition {
            Condition::CaughtUp(_) => self.furthest().await,
            _ => 0,
        };
        loop {
            let views = self.cluster.views().await;
            let why = match self.look(condition, goal, &views, rng) {
                Ok(seen) => return Seen::Met(seen),
                Err(why) => why,
            };
            if stop.is_stopped() {
                return Seen::Stopped;
            }
            if Instant::now() >= deadline {
                return Seen::Unmet(format!("{why}; {}", view::describe(&views)));
            }
            stop.unless_stopped(sleep(LOOK_INTERVAL)).await;
        }
    }

    /// The last index that any member has applied.
    pub(super) async fn furthest(&self) -> u64 {
        let views = self.cluster.views().await;
        views.values().flatten().map(|view| view.applied).max().unwrap_or(0)
    }

    /// What is seen of a condition that is so; or why it is not.
    fn look(&self, condition: &Condition, goal: u64, views: &Views, rng: &Rng) -> Result<String, String> {
        let at_least = |seen: u64, wanted: u64, what: &str| {
            let text = format!("{what}: {seen} of {wanted}");
            if seen >= wanted { Ok(text) } else { Err(text) }
        };
        let leader =
            || view::followed_leader(views).ok_or_else(|| "no leader that a majority follows".to_owned());
        match condition {
            Condition::Leader => leader().map(|leader| format!("{leader} leads")),
            Condition::LeaderChanges(wanted) => {
                at_least(self.roles.leaders_after(self.term), *wanted, "leader changes")
            }
            Condition::Operations(wanted) => {
                let done = completed(self.recorder.tally()) - self.completed;
                at_least(done, *wanted, "operations")
            }
            Condition::SnapshotInstalled(wanted) => {
                at_least(self.snapshots.count(), *wanted, "installed snapshots")
            }
            Condition::Members(wanted) => {
                let leader = leader()?;
                let members = views[&leader].as_ref().map(|view| view.members.values());
                let voters = members.map_or(0, |votes| votes.filter(|votes| **votes).count()) as u64;
                let text = format!("{leader} knows {voters} members that vote, of {wanted}");
                if voters == *wanted { Ok(text) } else { Err(text) }
            }
            Condition::CaughtUp(target) => {
                let nodes = meant(target, views, &self.cluster, rng)?;
                let has = |node: &&NodeName| {
                    views.get(*node).and_then(Option::as_ref).is_some_and(|view| view.applied >= goal)
                };
                match nodes.iter().find(|node| !has(node)) {
                    None => Ok(format!("{} applied index {goal}", nodes.join(", "))),
                    Some(behind) => Err(format!("{behind} has not applied index {goal}")),
                }
            }
        }
    }
}

/// The nodes that must have caught up. Named ones are meant whether they are up or not.
fn meant(target: &Target, views: &Views, cluster: &Cluster, rng: &Rng) -> Result<Vec<NodeName>, String> {
    if let Target::Named(nodes) = target {
        return Ok(nodes.clone());
    }
    let nodes: Vec<NodeStatus> = super::statuses(views, cluster);
    target::resolve(target, &nodes, &mut rng.clone()).map_err(|why| why.to_string())
}

fn completed(tally: Tally) -> u64 {
    tally.ok + tally.fail
}

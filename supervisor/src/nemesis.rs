//! Carries out the faults of a plan.
//!
//! Each strike of the plan waits for its time, resolves its target by what the cluster is at that moment, strikes, and
//! is lifted when its time is over or the run heals, whichever comes first. The history gets a line when it strikes
//! and one, with its effect, when it is lifted. A strike that finds nobody to strike is skipped: no error.
//!
//! A node that does not come back is the system's failure, not the testbed's: the strike notes it, and the heal, which
//! tries again, decides.

mod guard;

use std::rc::Rc;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::{Instant, sleep_until};

pub use guard::{FaultGuard, Standing, Struck, Undo};

use crate::cluster::{Cluster, Comeback, NodeState};
use crate::harness::HarnessFailure;
use crate::run::event::{Events, RunEvent};
use crate::run::recorder::Recorder;
use crate::run::stop::Stop;
use crate::scenario::plan::{Kill, Plan, Strike, Verb};
use crate::scenario::target::{self, NodeStatus, Role};
use crate::system::NodeName;

/// Inflicts faults on one cluster. Clones share the count of the faults that stand.
#[derive(Clone)]
pub struct Nemesis {
    cluster: Cluster,
    recorder: Recorder,
    events: Events,
    plan: Rc<Plan>,
    standing: Standing,
}

impl Nemesis {
    /// The nemesis of `plan`.
    #[must_use]
    pub fn new(cluster: Cluster, recorder: Recorder, events: Events, plan: Rc<Plan>) -> Self {
        Self { cluster, recorder, events, plan, standing: Standing::default() }
    }

    /// How many faults stand now.
    #[must_use]
    pub fn standing(&self) -> usize {
        self.standing.count()
    }

    /// Carries out all strikes, whose times count from `origin`. Returns when each is lifted; `stop` lifts them early.
    ///
    /// # Errors
    /// The first failure of any. What then stands is not lifted: the run is over, and its nodes are to be stopped.
    pub async fn strike_all(&self, origin: Instant, stop: &Stop) -> Result<(), HarnessFailure> {
        let all = self.plan.strikes.iter().map(|strike| self.strike(strike, origin, stop));
        try_join_all(all).await.map(drop)
    }

    async fn strike(&self, strike: &Strike, origin: Instant, stop: &Stop) -> Result<(), HarnessFailure> {
        if stop.unless_stopped(sleep_until(origin + strike.at)).await.is_none() {
            return Ok(());
        }
        let mut rng = self.plan.rng_of(strike);
        let statuses = self.statuses().await;
        let (fault, verb) = (strike.name.clone(), strike.verb.name());
        let nodes = match target::resolve(strike.verb.target(), &statuses, &mut rng) {
            Ok(nodes) => nodes,
            Err(why) => {
                self.events.emit(RunEvent::FaultSkipped {
                    fault,
                    verb: verb.to_owned(),
                    why: why.to_string(),
                });
                return Ok(());
            }
        };
        self.recorder.fault(verb, &fault, &nodes, None)?;
        let installed = RunEvent::FaultInstalled { fault, verb: verb.to_owned(), nodes: nodes.clone() };
        self.events.emit(installed);
        let guard = self.install(&strike.verb, nodes).await?;
        match &strike.verb {
            Verb::Kill(Kill { restart_after: None, .. }) => stop.stopped().await,
            verb => {
                let lasts = verb.lasts().unwrap_or(Duration::ZERO);
                stop.unless_stopped(tokio::time::sleep(lasts)).await;
            }
        }
        self.lift(strike, guard).await
    }

    async fn install(&self, verb: &Verb, nodes: Vec<NodeName>) -> Result<FaultGuard, HarnessFailure> {
        let struck = nodes.iter().map(|node| {
            let generation = self.cluster.generation(node);
            Struck { node: node.clone(), generation }
        });
        let struck = struck.collect();
        let guard = match verb {
            Verb::Kill(Kill { signal, .. }) => {
                let guard = self.standing.install(struck, Undo::Start);
                try_join_all(nodes.iter().map(|node| self.cluster.kill(node, signal.0))).await?;
                guard
            }
            Verb::Pause(_) => {
                let guard = self.standing.install(struck, Undo::Resume);
                nodes.iter().try_for_each(|node| self.cluster.pause(node))?;
                guard
            }
            Verb::Restart(_) => {
                let guard = self.standing.install(struck, Undo::Start);
                // All at once: one after the other, the last ones would wait for a majority that is gone.
                try_join_all(nodes.iter().map(|node| self.cluster.stop(node))).await?;
                guard
            }
        };
        Ok(guard)
    }

    async fn lift(&self, strike: &Strike, guard: FaultGuard) -> Result<(), HarnessFailure> {
        let effects = match guard.undo {
            Undo::Resume => {
                guard.struck.iter().map(|struck| self.resume(struck)).collect::<Result<Vec<_>, _>>()?
            }
            Undo::Start => try_join_all(guard.struck.iter().map(|struck| self.bring_back(struck))).await?,
        };
        let effect = effects.join(", ");
        let (fault, verb) = (strike.name.clone(), strike.verb.name());
        let nodes: Vec<NodeName> = guard.struck.iter().map(|struck| struck.node.clone()).collect();
        self.recorder.fault(verb, &fault, &nodes, Some(&effect))?;
        drop(guard);
        self.events.emit(RunEvent::FaultLifted { fault, verb: verb.to_owned(), nodes, effect });
        Ok(())
    }

    /// Lets a node go on, and says what came of it.
    fn resume(&self, struck: &Struck) -> Result<String, HarnessFailure> {
        let Struck { node, generation } = struck;
        let lives = self.cluster.resume(node, *generation)?;
        Ok(if lives { format!("resumed {node}") } else { format!("{node} ended while it was paused") })
    }

    /// Starts a node again, and says what came of it.
    async fn bring_back(&self, struck: &Struck) -> Result<String, HarnessFailure> {
        let Struck { node, generation } = struck;
        match self.cluster.bring_back(node, *generation).await {
            Ok(Comeback::Started) => Ok(format!("restarted {node}")),
            Ok(Comeback::Replaced) => Ok(format!("restarted {node}, which had survived")),
            Ok(Comeback::AlreadyBack) => Ok(format!("{node} was restarted already")),
            Err(HarnessFailure::Start { why, .. }) => Ok(format!("{node} did not come back: {why}")),
            Err(failure) => Err(failure),
        }
    }

    async fn statuses(&self) -> Vec<NodeStatus> {
        let views = self.cluster.views().await;
        let status = |name: &NodeName| {
            let role = match &views[name] {
                Some(view) if view.leads() => Role::Leader { term: view.term },
                Some(view) if view.role == "follower" => Role::Follower,
                _ => Role::Other,
            };
            NodeStatus { name: name.clone(), role, alive: self.cluster.state(name) == NodeState::Running }
        };
        self.cluster.names().iter().map(status).collect()
    }
}

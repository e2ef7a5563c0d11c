//! Carries out the faults of a plan.
//!
//! Each strike of the plan waits for its time, takes aim at what the cluster is at that moment, strikes, and is lifted
//! when its time is over or the run heals, whichever comes first. The history gets a line when it strikes and one, with
//! its effect, when it is lifted. A strike that finds nobody to strike is skipped: no error.
//!
//! A node that does not come back is the system's failure, not the testbed's: the strike notes it, and the heal, which
//! tries again, decides.
//!
//! Each family of verbs has a module: how it takes aim, what it does, and how it is undone.

mod condition;
mod effect;
mod guard;
mod layers;
mod membership;
mod network;
mod node;
mod process;
mod rolling;
mod snapshots;
mod steps;

use std::rc::Rc;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::{Instant, sleep, sleep_until};

pub use effect::Effect;
pub use guard::{FaultGuard, Standing, Struck, Undo};
pub(crate) use steps::fault_of;

use self::layers::{Armed, Layers};
use crate::cluster::{Cluster, NodeState, Views};
use crate::fabric::Edge;
use crate::harness::HarnessFailure;
use crate::quorum::may_fail;
use crate::rng::Rng;
use crate::run::event::{Events, RunEvent};
use crate::run::recorder::Recorder;
use crate::run::stop::Stop;
use crate::scenario::count::Count;
use crate::scenario::plan::{Plan, Strike};
use crate::scenario::target::{self, NodeStatus, Role, Target};
use crate::scenario::verb::{Disk, DiskVerb, End, Membership, Verb};
use crate::system::faults::{ClockFault, DiskFault};
use crate::system::{NodeName, NodeView};

/// Inflicts faults on one cluster. Clones share the count of the faults that stand.
#[derive(Clone)]
pub struct Nemesis {
    cluster: Cluster,
    recorder: Recorder,
    events: Events,
    plan: Rc<Plan>,
    standing: Standing,
    inside: Inside,
}

/// What stands within nodes.
#[derive(Clone, Default)]
struct Inside {
    clocks: Layers<ClockFault>,
    disks: Layers<DiskFault>,
    crashes: Layers<Armed>,
}

/// Whom a strike meets, as the cluster is when it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Aim {
    /// The nodes that are said to be struck.
    nodes: Vec<NodeName>,
    /// The directions between parties that are struck; none for a verb that is not about links.
    edges: Vec<Edge>,
}

impl Nemesis {
    /// The nemesis of `plan`.
    #[must_use]
    pub fn new(cluster: Cluster, recorder: Recorder, events: Events, plan: Rc<Plan>) -> Self {
        Self { cluster, recorder, events, plan, standing: Standing::default(), inside: Inside::default() }
    }

    /// How many faults stand now.
    #[must_use]
    pub fn standing(&self) -> usize {
        self.standing.count() + self.cluster.network().standing()
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
        let Some(guard) = self.inflict(&strike.name, &strike.verb, self.plan.rng_of(strike), stop).await?
        else {
            return Ok(());
        };
        self.let_stand(&strike.verb, strike.lasts, &guard, stop.stopped()).await;
        self.lift(&strike.name, strike.verb.name(), guard).await
    }

    /// Takes aim and strikes; none when there is nobody to strike, which is said.
    async fn inflict(
        &self,
        name: &str,
        verb: &Verb,
        mut rng: Rng,
        stop: &Stop,
    ) -> Result<Option<FaultGuard>, HarnessFailure> {
        let aim = aim(verb, &self.statuses().await, &mut rng);
        let aim = aim.and_then(|aim| self.name_the_spare(verb, aim));
        let aim = match aim.and_then(|aim| self.spare_the_last_copies(verb, aim)) {
            Ok(aim) => aim,
            Err(why) => {
                self.skip(name, verb.name(), why);
                return Ok(None);
            }
        };
        self.announce(name, verb.name(), &aim.nodes)?;
        self.install(verb, aim, &mut rng, stop).await.map(Some)
    }

    /// Says that a strike finds nobody.
    fn skip(&self, name: &str, verb: &str, why: String) {
        let (fault, verb) = (name.to_owned(), verb.to_owned());
        self.events.emit(RunEvent::FaultSkipped { fault, verb, why });
    }

    /// Says that a strike begins.
    fn announce(&self, name: &str, verb: &str, nodes: &[NodeName]) -> Result<(), HarnessFailure> {
        self.recorder.fault(verb, name, nodes, None)?;
        let (fault, verb) = (name.to_owned(), verb.to_owned());
        self.events.emit(RunEvent::FaultInstalled { fault, verb, nodes: nodes.to_vec() });
        Ok(())
    }

    /// A node that is added is struck, too.
    fn name_the_spare(&self, verb: &Verb, aim: Aim) -> Result<Aim, String> {
        if *verb != Verb::Membership(Membership::Add) {
            return Ok(aim);
        }
        let spare = self.cluster.next_spare().ok_or_else(|| "there is no spare left".to_owned())?;
        Ok(Aim { nodes: vec![spare], ..aim })
    }

    /// A fault that may destroy what a node has stored must leave a majority that has it whole.
    fn spare_the_last_copies(&self, verb: &Verb, aim: Aim) -> Result<Aim, String> {
        let destroys = matches!(
            verb,
            Verb::Disk(Disk { fault: DiskVerb::BitFlip(_), .. }) | Verb::Membership(Membership::Wipe(_))
        );
        if !destroys {
            return Ok(aim);
        }
        let members = self.cluster.members().len();
        let may_fail = may_fail(members);
        let damaged = self.cluster.damaged();
        if damaged + aim.nodes.len() > may_fail {
            return Err(format!(
                "{damaged} of {members} members have a damaged disk already, and at most {may_fail} may have one"
            ));
        }
        self.cluster.damage(&aim.nodes);
        Ok(aim)
    }

    async fn install(
        &self,
        verb: &Verb,
        aim: Aim,
        rng: &mut Rng,
        stop: &Stop,
    ) -> Result<FaultGuard, HarnessFailure> {
        match verb {
            Verb::Kill(kill) => self.kill(kill, aim).await,
            Verb::Pause(_) => self.pause(aim),
            Verb::Restart(_) => self.restart(aim).await,
            Verb::Partition(_) => self.cut(aim),
            Verb::Network(network) => self.disturb(network, aim),
            Verb::Clock(clock) => self.set_clocks(clock, aim).await,
            Verb::Disk(disk) => self.break_disks(disk, aim, rng).await,
            Verb::Crash(crash) => self.arm(crash, aim).await,
            Verb::Membership(change) => self.change_members(change, aim, stop).await,
            Verb::TransferLeader(_) => self.transfer_leader(aim).await,
            Verb::Snapshot(snapshot) => self.take_snapshots(snapshot, aim).await,
        }
    }

    /// Waits until the fault is to be lifted, which is when `ended` says so at the latest.
    async fn let_stand(
        &self,
        verb: &Verb,
        lasts: Option<Duration>,
        guard: &FaultGuard,
        ended: impl Future<Output = ()>,
    ) {
        let over = async {
            match (lasts, verb.end()) {
                (Some(lasts), _) => tokio::select! {
                    biased;
                    () = ended => {}
                    () = sleep(lasts) => {}
                },
                (None, End::AtHeal) => ended.await,
                (None, End::Itself) => {}
            }
        };
        match verb {
            Verb::Partition(partition) if network::is_until_snapshot(partition) => tokio::select! {
                () = over => {}
                () = self.purged_beyond(&guard.nodes) => {}
            },
            _ => over.await,
        }
    }

    async fn lift(&self, name: &str, verb: &str, mut guard: FaultGuard) -> Result<(), HarnessFailure> {
        let effect = match std::mem::replace(&mut guard.undo, Undo::Done(Effect::default())) {
            Undo::Resume(struck) => self.resume(&struck)?,
            Undo::Start(struck) => self.bring_back(&struck, Some(Count::Restarts)).await?,
            Undo::PowerOn { struck, lost } => lost.and(self.bring_back(&struck, None).await?),
            Undo::Clocks { struck, layer, failed } => self.set_clocks_right(&struck, layer, failed).await?,
            Undo::Disks { fault, struck, before, layer, failed } => {
                self.mend_disks(fault, &struck, &before, layer, failed).await?
            }
            Undo::Inspect { struck, flipped } => self.inspect(&struck, flipped).await?,
            Undo::Disarm { struck, layer, at, failed } => self.disarm(&struck, layer, &at, failed).await?,
            Undo::Links { faults, resets } => network::let_go(faults, resets)?,
            Undo::Done(effect) => effect,
        };
        let (fault, verb, nodes) = (name.to_owned(), verb.to_owned(), guard.nodes.clone());
        self.recorder.fault(&verb, &fault, &nodes, Some(&effect.text))?;
        drop(guard);
        let Effect { text: effect, counts } = effect;
        self.events.emit(RunEvent::FaultLifted { fault, verb, nodes, effect, counts });
        Ok(())
    }

    async fn statuses(&self) -> Vec<NodeStatus> {
        statuses(&self.cluster.views().await, &self.cluster)
    }
}

/// What is known of the members that said so of themselves.
fn statuses(views: &Views, cluster: &Cluster) -> Vec<NodeStatus> {
    let status = |(name, view): (&NodeName, &Option<NodeView>)| {
        let role = match view {
            Some(view) if view.leads() => Role::Leader { term: view.term },
            Some(view) if view.role == "follower" => Role::Follower,
            _ => Role::Other,
        };
        NodeStatus { name: name.clone(), role, alive: cluster.state(name) == NodeState::Running }
    };
    views.iter().map(status).collect()
}

/// Whom a verb meets among `nodes`, as they are now; or why nobody.
fn aim(verb: &Verb, nodes: &[NodeStatus], rng: &mut Rng) -> Result<Aim, String> {
    let at = |target: &Target, rng: &mut Rng| {
        let nodes = target::resolve(target, nodes, rng).map_err(|why| why.to_string())?;
        Ok(Aim { nodes, edges: Vec::new() })
    };
    match verb {
        Verb::Kill(kill) => at(&kill.target, rng),
        Verb::Pause(pause) => at(&pause.target, rng),
        Verb::Restart(restart) => at(&restart.target, rng),
        Verb::Partition(partition) => partition.aim(nodes, rng),
        Verb::Network(network) => network.aim(nodes, rng),
        Verb::Clock(clock) => at(&clock.target, rng),
        Verb::Disk(disk) => at(&disk.target, rng),
        Verb::Crash(crash) => at(&crash.target, rng),
        Verb::Membership(change) => change.aim(nodes, rng),
        Verb::TransferLeader(transfer) => at(&transfer.to, rng),
        Verb::Snapshot(snapshot) => at(&snapshot.target, rng),
    }
}

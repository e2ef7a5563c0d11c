//! Carries out the steps of a plan, one after the other, beside its timed faults.
//!
//! A verb as a step strikes, and the next step begins at once while the fault stands. It is lifted when its time is over,
//! when a step heals it, or when the load ends. What ends by itself is awaited. So is the lifting that a `heal` or a
//! `start` asks for.
//!
//! # When something is not so
//! A step that waits for something in vain, or asserts it wrongly, is the last: the ones after it are left out, and the
//! load goes on to its end, where every fault is lifted as always. Whether that is a violation depends on the condition:
//! what a cluster owes ([`Condition::is_owed`](crate::scenario::step::Condition::is_owed)) is one of `liveness`; a wait
//! for operations or for a snapshot proves nothing when it is in vain, and the run is inconclusive. An assertion says what
//! must be so, so it is always a violation. Steps that the end of the load overtakes make the run inconclusive, too.

use std::time::Duration;

use futures::future::{LocalBoxFuture, join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep};

use super::Nemesis;
use super::condition::{ASSERT_GRACE, Lookout, Seen};
use super::guard::{FaultGuard, Undo};
use super::rolling::Rolling;
use super::{Aim, guard::Struck};
use crate::harness::HarnessFailure;
use crate::rng::Rng;
use crate::run::event::RunEvent;
use crate::run::monitor::Roles;
use crate::run::stop::{Stop, Stopper, stop};
use crate::scenario::step::{Action, Condition, Healed, Step, StepStrike, Stopped};
use crate::scenario::target::{self, Target};
use crate::scenario::verb::Verb;
use crate::system::NodeName;

/// The word of a stop, and of the fault that it is in the history.
const STOP: &str = "stop";

/// How a step came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// It is over.
    Done,
    /// What it waited for or asserted is not so.
    Unmet {
        /// The system owed it to us.
        is_violation: bool,
        /// Why.
        why: String,
    },
    /// The load ended before.
    Stopped,
}

/// The faults that steps have inflicted, and how each is told to end.
#[derive(Default)]
struct Inflicted {
    all: Vec<One>,
}

/// A fault of a step.
struct One {
    /// The name of the step.
    step: String,
    /// The node that a stop has stopped.
    stopped: Option<NodeName>,
    /// Ends it.
    end: Stopper,
    /// It was lifted.
    lifted: Stop,
}

/// A fault that stands until it is to be lifted, and then is.
type Lifting<'a> = LocalBoxFuture<'a, Result<(), HarnessFailure>>;

impl Inflicted {
    /// Ends those that `is_meant`, and waits until they are lifted.
    async fn end(&self, is_meant: impl Fn(&One) -> bool) {
        let meant: Vec<&One> = self.all.iter().filter(|one| is_meant(one)).collect();
        meant.iter().for_each(|one| one.end.stop());
        join_all(meant.iter().map(|one| one.lifted.stopped())).await;
    }
}

impl Nemesis {
    /// Carries out every step, and returns when each of their faults is lifted; `stop` ends everything early.
    ///
    /// # Errors
    /// The first failure of ours.
    pub async fn carry_out_steps(&self, roles: &Roles, stop: &Stop) -> Result<(), HarnessFailure> {
        if self.plan.steps.is_empty() {
            return Ok(());
        }
        let lookout = Lookout::new(self.cluster.clone(), self.recorder.clone(), roles.clone()).await;
        let (mut inflicted, mut liftings) = (Inflicted::default(), FuturesUnordered::new());
        for step in &self.plan.steps {
            let mut new = Vec::new();
            let came = if stop.is_stopped() {
                Came::Stopped
            } else {
                let carried = self.carry_out(step, &lookout, &inflicted, &mut new, stop);
                beside(&mut liftings, carried).await?
            };
            for (one, lifting) in new {
                inflicted.all.push(one);
                liftings.push(lifting);
            }
            let (is_violation, why) = match came {
                Came::Done => continue,
                Came::Unmet { is_violation, why } => (is_violation, why),
                Came::Stopped => (false, "the load ended before this was done".to_owned()),
            };
            self.events.emit(RunEvent::StepUnmet { step: step.name.clone(), is_violation, why });
            break;
        }
        while let Some(lifted) = liftings.next().await {
            lifted?;
        }
        Ok(())
    }

    /// One step. Faults that stand when it is over are put into `new`.
    async fn carry_out<'a>(
        &'a self,
        step: &'a Step,
        lookout: &Lookout,
        inflicted: &Inflicted,
        new: &mut Vec<(One, Lifting<'a>)>,
        stop: &'a Stop,
    ) -> Result<Came, HarnessFailure> {
        let (name, rng) = (step.name.as_str(), self.plan.rng_of_step(step));
        self.events.emit(RunEvent::StepBegan { step: name.to_owned(), what: step.action.to_string() });
        match &step.action {
            Action::Strike(strike) => self.strike_and_go_on(name, strike, rng, new, stop).await?,
            Action::Wait(length) => {
                return Ok(match stop.unless_stopped(sleep(*length)).await {
                    Some(()) => Came::Done,
                    None => Came::Stopped,
                });
            }
            Action::WaitFor(wait) => {
                let is_violation = wait.condition.is_owed();
                let seen = (lookout, &wait.condition, wait.within);
                return Ok(self.see(name, seen, is_violation, &rng, stop).await);
            }
            Action::Assert(condition) => {
                return Ok(self.see(name, (lookout, condition, ASSERT_GRACE), true, &rng, stop).await);
            }
            Action::Upgrade(upgrade) => {
                let rolling = Rolling {
                    name,
                    word: step.action.word(),
                    target: &upgrade.target,
                    one_at_a_time: upgrade.one_at_a_time,
                    binary: Some(&upgrade.binary),
                };
                return self.roll(rolling, lookout, rng, stop).await;
            }
            Action::RollingRestart(restart) => {
                let rolling = Rolling {
                    name,
                    word: step.action.word(),
                    target: &restart.target,
                    one_at_a_time: true,
                    binary: None,
                };
                return self.roll(rolling, lookout, rng, stop).await;
            }
            Action::Stop(target) => self.stop_and_go_on(name, target, rng, new, stop).await?,
            Action::Start(which) => {
                inflicted
                    .end(|one| match (&one.stopped, which) {
                        (None, _) => false,
                        (Some(_), Stopped::All) => true,
                        (Some(node), Stopped::Named(nodes)) => nodes.contains(node),
                    })
                    .await;
            }
            Action::Heal(which) => {
                inflicted
                    .end(|one| match which {
                        Healed::All => one.stopped.is_none(),
                        Healed::Named(step) => one.stopped.is_none() && one.step == *step,
                    })
                    .await;
            }
        }
        Ok(Came::Done)
    }

    /// Waits for a condition, and says what came of it.
    async fn see(
        &self,
        step: &str,
        (lookout, condition, within): (&Lookout, &Condition, Duration),
        is_violation: bool,
        rng: &Rng,
        stop: &Stop,
    ) -> Came {
        let began = Instant::now();
        let seen = lookout.wait_for(condition, within, rng, stop).await;
        let after_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match seen {
            Seen::Met(seen) => {
                self.events.emit(RunEvent::StepMet { step: step.to_owned(), seen, after_ms });
                Came::Done
            }
            Seen::Unmet(why) => Came::Unmet { is_violation, why: format!("after {after_ms} ms: {why}") },
            Seen::Stopped => Came::Stopped,
        }
    }

    async fn strike_and_go_on<'a>(
        &'a self,
        name: &'a str,
        StepStrike { lasts, verb }: &'a StepStrike,
        rng: Rng,
        new: &mut Vec<(One, Lifting<'a>)>,
        stop: &'a Stop,
    ) -> Result<(), HarnessFailure> {
        let Some(guard) = self.inflict(name, verb, rng, stop).await? else { return Ok(()) };
        if matches!(guard.undo, Undo::Done(_)) {
            return self.lift(name, verb.name(), guard).await;
        }
        if lasts.is_none() && verb.end() == crate::scenario::verb::End::Itself {
            return self.lift(name, verb.name(), guard).await;
        }
        let (one, lifting) = self.stand(name, None, (Some(verb), *lasts), guard, stop);
        new.push((one, lifting));
        Ok(())
    }

    /// Stops nodes, each of which is a fault of its own that a `start` lifts.
    async fn stop_and_go_on<'a>(
        &'a self,
        step: &str,
        target: &Target,
        mut rng: Rng,
        new: &mut Vec<(One, Lifting<'a>)>,
        stop: &'a Stop,
    ) -> Result<(), HarnessFailure> {
        let nodes = match target::resolve(target, &self.statuses().await, &mut rng) {
            Ok(nodes) => nodes,
            Err(why) => {
                self.skip(step, STOP, why.to_string());
                return Ok(());
            }
        };
        for node in &nodes {
            self.announce(&fault_of(step, node), STOP, std::slice::from_ref(node))?;
        }
        let aim = |nodes: &[NodeName]| Aim { nodes: nodes.to_vec(), edges: Vec::new() };
        let struck: Vec<Struck> = self.struck(&aim(&nodes));
        // All at once: one after the other, the last ones would wait for a majority that is gone.
        drop(self.restart(aim(&nodes)).await?);
        for struck in struck {
            let node = struck.node.clone();
            let guard = self.standing.install(vec![node.clone()], Undo::Start(vec![struck]));
            new.push(self.stand(step, Some(node), (None, None), guard, stop));
        }
        Ok(())
    }

    /// A fault that stands until its time is over, somebody ends it, or the load ends.
    fn stand<'a>(
        &'a self,
        step: &str,
        stopped: Option<NodeName>,
        (verb, lasts): (Option<&'a Verb>, Option<Duration>),
        guard: FaultGuard,
        load: &'a Stop,
    ) -> (One, Lifting<'a>) {
        let (end, ended) = stop();
        let (said, lifted) = stop();
        let fault = stopped.as_ref().map_or_else(|| step.to_owned(), |node| fault_of(step, node));
        let one = One { step: step.to_owned(), stopped, end, lifted };
        let lifting = async move {
            let over = async {
                tokio::select! {
                    () = ended.stopped() => {}
                    () = load.stopped() => {}
                }
            };
            match verb {
                Some(verb) => self.let_stand(verb, lasts, &guard, over).await,
                None => over.await,
            }
            let word = verb.map_or(STOP, Verb::name);
            let result = self.lift(&fault, word, guard).await;
            said.stop();
            result
        };
        (one, Box::pin(lifting))
    }
}

/// The name of the fault that a stop of one node is.
pub(crate) fn fault_of(step: &str, node: &str) -> String {
    format!("{step}-{node}")
}

/// What `future` gives; faults stand and are lifted meanwhile.
async fn beside<'a, T>(
    liftings: &mut FuturesUnordered<Lifting<'a>>,
    future: impl Future<Output = Result<T, HarnessFailure>>,
) -> Result<T, HarnessFailure> {
    tokio::pin!(future);
    loop {
        tokio::select! {
            biased;
            result = &mut future => return result,
            Some(lifted) = liftings.next() => lifted?,
        }
    }
}

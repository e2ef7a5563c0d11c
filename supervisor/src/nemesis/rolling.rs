//! Nodes that are restarted, in turn or at once, with the same program or another one.

use std::time::Duration;

use super::condition::{Lookout, Seen};
use super::effect::Effect;
use super::guard::{FaultGuard, Undo};
use super::steps::Came;
use super::{Aim, Nemesis};
use crate::harness::HarnessFailure;
use crate::rng::Rng;
use crate::run::stop::Stop;
use crate::scenario::count::Count;
use crate::scenario::step::Condition;
use crate::scenario::target::{self, Target};
use crate::system::NodeName;

/// How long a node may take, once it listens again, to apply what the others had when it came back.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(20);

/// How nodes are restarted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rolling<'a> {
    /// The name of the step.
    pub(super) name: &'a str,
    /// Its word.
    pub(super) word: &'a str,
    /// Whom.
    pub(super) target: &'a Target,
    /// Each waits until the one before it has caught up.
    pub(super) one_at_a_time: bool,
    /// Which program they go on with; none: the same.
    pub(super) binary: Option<&'a str>,
}

impl Nemesis {
    /// Restarts nodes, whoever leads last. `stop` ends it between two nodes.
    pub(super) async fn roll(
        &self,
        rolling: Rolling<'_>,
        lookout: &Lookout,
        mut rng: Rng,
        stop: &Stop,
    ) -> Result<Came, HarnessFailure> {
        let Rolling { name, word, target, one_at_a_time, binary } = rolling;
        let nodes = match target::resolve(target, &self.statuses().await, &mut rng) {
            Ok(nodes) => nodes,
            Err(why) => {
                self.skip(name, word, why.to_string());
                return Ok(Came::Done);
            }
        };
        self.announce(name, word, &nodes)?;
        let guard: FaultGuard = self.standing.install(nodes.clone(), Undo::Done(Effect::default()));
        let (mut left, mut effect, mut came) = (nodes, Effect::default(), Came::Done);
        while !left.is_empty() {
            if stop.is_stopped() {
                came = Came::Stopped;
                break;
            }
            let turn =
                if one_at_a_time { vec![self.next_of(&mut left).await] } else { std::mem::take(&mut left) };
            effect = effect.and(self.restart_with(&turn, binary).await?);
            let caught_up = Condition::CaughtUp(Target::Named(turn));
            match lookout.wait_for(&caught_up, CATCH_UP_LIMIT, &rng, stop).await {
                Seen::Met(_) => {}
                Seen::Stopped if left.is_empty() => {}
                Seen::Stopped => came = Came::Stopped,
                Seen::Unmet(why) => came = Came::Unmet { is_violation: true, why },
            }
            if came != Came::Done {
                break;
            }
        }
        self.lift(name, word, guard.done(effect)).await?;
        Ok(came)
    }

    /// Takes the next node out of `left`: the first that does not lead now, or the leader if nobody else is left.
    async fn next_of(&self, left: &mut Vec<NodeName>) -> NodeName {
        let leader = self.cluster.leader().await.map(|(leader, _)| leader);
        let next = left.iter().position(|node| Some(node) != leader.as_ref()).unwrap_or(0);
        left.remove(next)
    }

    /// Stops nodes gracefully and starts them again.
    async fn restart_with(&self, nodes: &[NodeName], binary: Option<&str>) -> Result<Effect, HarnessFailure> {
        let aim = Aim { nodes: nodes.to_vec(), edges: Vec::new() };
        let struck = self.struck(&aim);
        // It does not stand beside the step's own; it is lifted below.
        let stopped = self.restart(aim).await?;
        if let Some(binary) = binary {
            nodes.iter().for_each(|node| self.cluster.give_program(node, binary));
        }
        let count = if binary.is_some() { Count::Upgrades } else { Count::Restarts };
        let back = self.bring_back(&struck, Some(count)).await?;
        drop(stopped);
        let with = binary.map(|binary| format!("{} with {binary}", nodes.join(", "))).unwrap_or_default();
        Ok(Effect::of(with, &[]).and(back))
    }
}

//! Kill, pause, restart.

use futures::future::try_join_all;

use super::effect::Effect;
use super::guard::{FaultGuard, Struck, Undo};
use super::{Aim, Nemesis};
use crate::cluster::Comeback;
use crate::harness::HarnessFailure;
use crate::scenario::count::Count;
use crate::scenario::verb::Kill;

impl Nemesis {
    pub(super) async fn kill(&self, kill: &Kill, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let (struck, gone) = self.struck_alive(&aim);
        try_join_all(struck.iter().map(|life| self.cluster.kill(&life.node, kill.signal.0))).await?;
        let killed = struck
            .iter()
            .map(|life| Effect::of("", &[(Count::Kills, 1)]).and(self.cluster.unsynced_effect(&life.node)));
        let lost = Effect::all(killed.chain([gone]));
        Ok(self.standing.install(aim.nodes, Undo::PowerOn { struck, lost }))
    }

    pub(super) fn pause(&self, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let guard = self.standing.install(aim.nodes.clone(), Undo::Resume(self.struck(&aim)));
        aim.nodes.iter().try_for_each(|node| self.cluster.pause(node))?;
        Ok(guard)
    }

    pub(super) async fn restart(&self, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let guard = self.standing.install(aim.nodes.clone(), Undo::Start(self.struck(&aim)));
        // All at once: one after the other, the last ones would wait for a majority that is gone.
        try_join_all(aim.nodes.iter().map(|node| self.cluster.stop(node))).await?;
        Ok(guard)
    }

    /// The nodes, in the lives in which they are struck.
    pub(super) fn struck(&self, aim: &Aim) -> Vec<Struck> {
        let struck = |node: &String| Struck { node: node.clone(), generation: self.cluster.generation(node) };
        aim.nodes.iter().map(struck).collect()
    }

    /// Lets nodes go on, and says what came of it.
    pub(super) fn resume(&self, struck: &[Struck]) -> Result<Effect, HarnessFailure> {
        let resume = |Struck { node, generation }: &Struck| {
            let lives = self.cluster.resume(node, *generation)?;
            let text =
                if lives { format!("resumed {node}") } else { format!("{node} ended while it was paused") };
            Ok(Effect::of(text, &[(Count::Pauses, 1)]))
        };
        Ok(Effect::all(struck.iter().map(resume).collect::<Result<Vec<_>, HarnessFailure>>()?))
    }

    /// The same, but for those that another strike has ended meanwhile: such a node is not ours to start again.
    pub(super) fn struck_alive(&self, aim: &Aim) -> (Vec<Struck>, Effect) {
        let is_ours = |life: &Struck| self.lives(life) && !self.cluster.was_ended(&life.node);
        let (ours, gone): (Vec<Struck>, Vec<Struck>) = self.struck(aim).into_iter().partition(is_ours);
        let gone = gone.iter().map(|life| Effect::of(format!("{} had ended already", life.node), &[]));
        (ours, Effect::all(gone))
    }

    /// The node is still in that life.
    pub(super) fn lives(&self, life: &Struck) -> bool {
        self.cluster.living_generation(&life.node) == Some(life.generation)
    }

    /// Starts nodes again, and says what came of it; for each, what had struck it is counted as `what`.
    pub(super) async fn bring_back(
        &self,
        struck: &[Struck],
        what: Option<Count>,
    ) -> Result<Effect, HarnessFailure> {
        let bring_back = |struck: Struck| async move {
            let Struck { node, generation } = struck;
            let text = match self.cluster.bring_back(&node, generation).await {
                Ok(Comeback::Started) => format!("restarted {node}"),
                Ok(Comeback::Replaced) => format!("restarted {node}, which had survived"),
                Ok(Comeback::AlreadyBack) => format!("{node} was restarted already"),
                Ok(Comeback::Gone | Comeback::Refused) => format!("{node} is out of the run"),
                Err(HarnessFailure::Start { why, .. }) => format!("{node} did not come back: {why}"),
                Err(failure) => return Err(failure),
            };
            let counts: Vec<(Count, u64)> = what.into_iter().map(|what| (what, 1)).collect();
            Ok(Effect::of(text, &counts))
        };
        Ok(Effect::all(try_join_all(struck.iter().cloned().map(bring_back)).await?))
    }
}

//! Whether a plan that somebody may have edited can be carried out.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{NODES_MAX, PLAN_VERSION, Plan, STRIKES_MAX, steps};
use crate::scenario::fitness::{ClusterKind, Misfit, misfits};
use crate::scenario::verb::Verb;

impl Plan {
    /// The path of a field that breaks an invariant, and which one.
    pub(crate) fn broken_invariant(&self) -> Option<(String, String)> {
        let Self { cluster, workload, strikes, .. } = self;
        let own = |operation: &&String| !workload.kind.operations().contains(&operation.as_str());
        let broken = [
            (
                self.version != PLAN_VERSION,
                "version",
                format!("version {} is not {PLAN_VERSION}", self.version),
            ),
            (
                cluster.nodes == 0 || cluster.nodes.saturating_add(cluster.spares) > NODES_MAX,
                "cluster.nodes",
                format!("{} nodes and {} spares", cluster.nodes, cluster.spares),
            ),
            (workload.clients == 0, "workload.clients", "no clients".to_owned()),
            (workload.keys == 0, "workload.keys", "no keys".to_owned()),
            (
                workload.mix.is_empty() || workload.mix.values().any(|weight| *weight == 0),
                "workload.mix",
                "an empty mix".to_owned(),
            ),
            (
                workload.mix.keys().any(|key| own(&key)),
                "workload.mix",
                format!("an operation that {} has not", workload.kind),
            ),
            (strikes.len() > STRIKES_MAX, "strikes", format!("{} strikes", strikes.len())),
            (self.checks.is_empty(), "checks", "no checks".to_owned()),
        ];
        let broken = broken.into_iter().find_map(|(is_broken, at, why)| is_broken.then_some((at, why)));
        broken
            .map(|(at, why)| (at.to_owned(), why))
            .or_else(|| self.broken_strike())
            .or_else(|| steps::broken(self))
            .or_else(|| self.misfit())
    }

    /// The same of the strikes.
    fn broken_strike(&self) -> Option<(String, String)> {
        let (mut names, mut last) = (BTreeSet::new(), Duration::ZERO);
        for (index, strike) in self.strikes.iter().enumerate() {
            let broken = [
                (!names.insert(&strike.name), "name", "two strikes of one name"),
                (strike.at < last, "at", "strikes out of order"),
                (strike.at > self.run.duration, "at", "a strike after the end of the load"),
            ];
            last = strike.at;
            if let Some((_, field, why)) = broken.into_iter().find(|(is_broken, ..)| *is_broken) {
                return Some((format!("strikes.{index}.{field}"), why.to_owned()));
            }
        }
        None
    }

    /// A verb that this cluster can never suffer.
    fn misfit(&self) -> Option<(String, String)> {
        let cluster = ClusterKind::from(&self.cluster);
        let broken = |at: String, verb: &Verb| match verb {
            Verb::Membership(change) if change.needs_spare() && self.cluster.spares == 0 => {
                let why = format!("`{}` needs a spare, and the cluster has none", change.word());
                Some((format!("{at}.membership.{}", change.word()), why))
            }
            verb => {
                let Misfit { field, message, .. } = misfits(verb, &cluster).into_iter().next()?;
                let of_verb = format!("{at}.{}", verb.name());
                Some((if field.is_empty() { of_verb } else { format!("{of_verb}.{field}") }, message))
            }
        };
        let of_strike = |(index, verb)| broken(format!("strikes.{index}.verb"), verb);
        let of_step = |(index, verb)| broken(format!("steps.{index}.do.strike.verb"), verb);
        let strikes = self.strikes.iter().map(|strike| &strike.verb).enumerate();
        let steps = self.steps.iter().enumerate();
        let steps = steps.filter_map(|(index, step)| Some((index, step.action.verb()?)));
        strikes.into_iter().find_map(of_strike).or_else(|| steps.into_iter().find_map(of_step))
    }
}

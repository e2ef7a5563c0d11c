//! Steps and programs in a plan: how they are drawn, and what must hold of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{NODES_DEFAULT, Plan};
use crate::rng::Rng;
use crate::scenario::file::{STEPS_MAX, SaidAction, SaidBinary, SaidStep, ScenarioFile};
use crate::scenario::step::{
    Action, DEFAULT_BINARY, Healed, RollingRestart, Step, StepStrike, Stopped, Upgrade, WITHIN_DEFAULT, WaitFor,
};

/// Every step, drawn from a fork of its name.
pub(super) fn steps(said: &[SaidStep], rng: &Rng) -> Vec<Step> {
    let step = |said: &SaidStep| {
        let rng = rng.fork(&format!("step/{}", said.name.value));
        Step { name: said.name.value.clone(), action: action(&said.action, &rng) }
    };
    said.iter().map(step).collect()
}

fn action(said: &SaidAction, rng: &Rng) -> Action {
    match said {
        SaidAction::Strike { verb, lasts } => Action::Strike(StepStrike {
            lasts: lasts.map(|lasts| lasts.draw(&mut rng.fork("lasts"))),
            verb: verb.draw(&rng.fork("verb")),
        }),
        SaidAction::Wait(length) => Action::Wait(length.value.draw(&mut rng.fork("wait"))),
        SaidAction::WaitFor { condition, within } => Action::WaitFor(WaitFor {
            condition: condition.value.clone(),
            within: within.map_or(WITHIN_DEFAULT, |within| within.draw(&mut rng.fork("within"))),
        }),
        SaidAction::Assert(condition) => Action::Assert(condition.value.clone()),
        SaidAction::Upgrade { target, binary, one_at_a_time } => Action::Upgrade(Upgrade {
            target: target.value.clone(),
            binary: binary.value.clone(),
            one_at_a_time: *one_at_a_time,
        }),
        SaidAction::RollingRestart(target) => {
            Action::RollingRestart(RollingRestart { target: target.value.clone() })
        }
        SaidAction::Stop(target) => Action::Stop(target.value.clone()),
        SaidAction::Start(nodes) => Action::Start(nodes.value.clone()),
        SaidAction::Heal(what) => Action::Heal(what.value.clone()),
    }
}

/// The program of each node that does not begin with the default one.
pub(super) fn binary_of_each(file: &ScenarioFile) -> BTreeMap<String, String> {
    let each: Vec<(String, String)> = match &file.cluster.binary {
        None => Vec::new(),
        Some(SaidBinary::All(binary)) => {
            let nodes = file.cluster.nodes.unwrap_or(NODES_DEFAULT);
            let nodes = 1..=nodes + file.cluster.spares.map_or(0, |said| said.value);
            nodes.map(|number| (format!("n{number}"), binary.value.clone())).collect()
        }
        Some(SaidBinary::Each(each)) => {
            each.iter().map(|(node, binary)| (node.value.clone(), binary.value.clone())).collect()
        }
    };
    each.into_iter().filter(|(_, binary)| binary != DEFAULT_BINARY).collect()
}

/// The path of what is wrong with the steps and programs of a plan, and what.
pub(super) fn broken(plan: &Plan) -> Option<(String, String)> {
    let is_known = |name: &String| name == DEFAULT_BINARY || plan.binaries.contains_key(name);
    let unknown = |name: &String| format!("there is no binary `{name}`");
    for (node, binary) in plan.cluster.binary.iter().filter(|(_, binary)| !is_known(binary)) {
        return Some((format!("cluster.binary.{node}"), unknown(binary)));
    }
    if plan.steps.len() > STEPS_MAX {
        return Some(("steps".to_owned(), format!("{} steps", plan.steps.len())));
    }
    let (mut names, mut struck, mut has_stopped) = (BTreeSet::new(), BTreeSet::new(), false);
    for (index, step) in plan.steps.iter().enumerate() {
        let at = |field: &str| format!("steps.{index}.{field}");
        if !names.insert(&step.name) {
            return Some((at("name"), "two steps of one name".to_owned()));
        }
        match &step.action {
            Action::Upgrade(upgrade) if !is_known(&upgrade.binary) => {
                return Some((at("do.upgrade.binary"), unknown(&upgrade.binary)));
            }
            Action::Heal(Healed::Named(name)) if !struck.contains(name) => {
                return Some((at("do.heal"), format!("no step before it is `{name}` and can be healed")));
            }
            Action::Start(Stopped::All | Stopped::Named(_)) if !has_stopped => {
                return Some((at("do.start"), "no step before it stops a node".to_owned()));
            }
            Action::Stop(_) => has_stopped = true,
            action if action.can_be_healed() => drop(struck.insert(step.name.clone())),
            _ => {}
        }
    }
    None
}

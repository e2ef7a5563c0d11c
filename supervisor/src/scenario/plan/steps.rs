//! Steps and programs in a plan: how they are drawn, and what must hold of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{NODES_DEFAULT, Plan};
use crate::rng::Rng;
use crate::scenario::file::{STEPS_MAX, SaidAction, SaidBinary, SaidStep, ScenarioFile};
use crate::scenario::step::{
    Action, DEFAULT_BINARY, Healed, RollingRestart, Step, StepStrike, Stopped, Upgrade, WITHIN_DEFAULT,
    WaitFor,
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
    if let Some((node, binary)) = plan.cluster.binary.iter().find(|(_, binary)| !is_known(binary)) {
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::scenario::plan::PlanError;

    const SCENARIO: &str = "\
version: 1
name: story
binaries: { old: { path: ./old } }
cluster: { nodes: 3, binary: old }
workload: { kind: conversation }
run: { duration: 60s }
steps:
  - wait: 1s..3s
  - name: cut
    partition: { isolate: leader }
  - wait-for: { leader-changes: 1, within: 5s }
  - assert: { leader: true }
  - { for: 2s..8s, pause: { target: follower } }
  - stop: [n1, n2]
  - start: n1
  - start: all-stopped
  - heal: cut
  - upgrade: { target: followers-first, binary: default }
  - rolling-restart: { target: minority }
  - wait-for: { caught-up: all }
checks: [linearizable]
";

    fn plan(text: &str, seed: u64) -> Plan {
        let file = ScenarioFile::parse(Path::new("story.yaml"), text, &[]);
        Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), seed)
    }

    const WRITTEN: &str = "\
steps:
- name: step-1-wait
  do:
    wait: 1s
- name: cut
  do:
    strike:
      for: null
      verb:
        partition:
          shape:
            isolate: leader
          one-way: false
- name: step-3-wait-for
  do:
    wait-for:
      condition:
        leader-changes: 1
      within: 5s
- name: step-4-assert
  do:
    assert: leader
- name: step-5-pause
  do:
    strike:
      for: 2s
      verb:
        pause:
          target: follower
- name: step-6-stop
  do:
    stop: n1,n2
- name: step-7-start
  do:
    start: n1
- name: step-8-start
  do:
    start: all-stopped
- name: step-9-heal
  do:
    heal: cut
- name: step-10-upgrade
  do:
    upgrade:
      target: all
      binary: default
      one-at-a-time: true
- name: step-11-rolling-restart
  do:
    rolling-restart:
      target: minority
- name: step-12-wait-for
  do:
    wait-for:
      condition:
        caught-up: all
      within: 10s
checks:
";

    #[test]
    fn steps_are_written_and_read_back() {
        let exact = SCENARIO.replace("1s..3s", "1s").replace("2s..8s", "2s");
        let plan = plan(&exact, 1);
        let text = plan.to_yaml();
        assert!(text.contains(WRITTEN), "{text}");
        assert!(text.contains("  binary:\n    n1: old\n    n2: old\n    n3: old\n"), "{text}");
        assert_eq!(Plan::from_yaml(&text).unwrap(), plan);
    }

    #[test]
    fn ranges_are_drawn_from_the_seed_and_each_step_draws_for_itself() {
        let waits = |plan: &Plan| match (&plan.steps[0].action, &plan.steps[4].action) {
            (Action::Wait(wait), Action::Strike(StepStrike { lasts: Some(lasts), .. })) => (*wait, *lasts),
            other => panic!("{other:?}"),
        };
        let drawn: Vec<_> = (0..20).map(|seed| waits(&plan(SCENARIO, seed))).collect();
        let seconds = Duration::from_secs;
        assert!(drawn.iter().all(|(wait, lasts)| {
            (seconds(1)..=seconds(3)).contains(wait) && (seconds(2)..=seconds(8)).contains(lasts)
        }));
        assert!(drawn.iter().any(|wait| *wait != drawn[0]), "the seed decides");
        assert_eq!(plan(SCENARIO, 7).to_yaml(), plan(SCENARIO, 7).to_yaml());
        let other = SCENARIO.replace("  - wait: 1s..3s\n", "  - name: step-1-wait\n    heal: all\n");
        let other = other.replace("    heal: all\n", "    wait: 2s\n");
        assert_eq!(waits(&plan(SCENARIO, 7)).1, waits(&plan(&other, 7)).1);
    }

    #[test]
    fn steps_that_make_no_sense_are_refused_in_a_plan_too() {
        let text = plan(SCENARIO, 1).to_yaml();
        let error = |from: &str, to: &str| match Plan::from_yaml(&text.replacen(from, to, 1)) {
            Err(PlanError::Sense { at, why }) => format!("{at}: {why}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(error("name: step-4-assert", "name: cut"), "steps.3.name: two steps of one name");
        assert_eq!(
            error("binary: default", "binary: new"),
            "steps.9.do.upgrade.binary: there is no binary `new`"
        );
        let nobody = "steps.8.do.heal: no step before it is `gone` and can be healed";
        assert_eq!(error("heal: cut", "heal: gone"), nobody);
        assert_eq!(
            error("    stop: n1,n2", "    wait: 1s"),
            "steps.6.do.start: no step before it stops a node"
        );
    }
}

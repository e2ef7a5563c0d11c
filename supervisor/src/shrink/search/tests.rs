//! The search against oracles that know what fails.

use std::path::Path;

use rand::RngExt;

use super::*;
use crate::rng::Rng;
use crate::scenario::file::ScenarioFile;

const SCENARIO: &str = "\
version: 1
name: storm
cluster: { nodes: 5 }
workload: { kind: conversation, clients: 16, keys: 7, rate: 200/s }
run: { warmup: 1s, duration: 40s }
faults:
  - { name: kill, every: 8s, kill: { target: leader, restart-after: 1s } }
  - { name: pause, every: 5s, for: 2s, pause: { target: minority } }
checks: [linearizable]
reach: { faults-installed: 4 }
";

fn plan_of(text: &str) -> Plan {
    let file = ScenarioFile::parse(Path::new("storm.yaml"), text, &[]);
    Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), 7)
}

fn plan() -> Plan {
    plan_of(SCENARIO)
}

fn failed(after_ms: Option<u64>) -> Answer {
    Answer { failed: true, after: after_ms.map(Duration::from_millis) }
}

const PASSED: Answer = Answer { failed: false, after: None };

/// Asks `oracle` until there is nothing more to ask. What is the best in the end, all candidates, and all that failed.
fn search(plan: &Plan, mut oracle: impl FnMut(&Plan) -> Answer) -> (Plan, Vec<Candidate>, Vec<Plan>) {
    let (mut search, mut tried, mut guilty) = (Search::new(plan, 3), Vec::new(), Vec::new());
    while let Some(candidate) = search.next() {
        assert_eq!(search.next().as_ref(), Some(&candidate), "the same until it is answered");
        assert_eq!(Plan::from_yaml(&candidate.plan.to_yaml()).unwrap(), candidate.plan, "it is a plan");
        assert!(!tried.contains(&candidate), "{} was tried before", candidate.what);
        let answer = oracle(&candidate.plan);
        if answer.failed {
            guilty.push(candidate.plan.clone());
        }
        tried.push(candidate);
        assert!(tried.len() < 1_000, "it does not end");
        search.answer(answer);
    }
    (search.best().clone(), tried, guilty)
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.strikes.iter().map(|strike| strike.name.as_str()).collect()
}

#[test]
fn everything_that_is_not_needed_goes() {
    let (best, tried, _) = search(&plan(), |candidate| {
        let kill = candidate.strikes.iter().find(|strike| strike.name == "kill#2");
        match kill {
            Some(kill) if candidate.workload.clients >= 3 && candidate.run.duration > kill.at => {
                failed(Some(millis(kill.at) + 10))
            }
            _ => PASSED,
        }
    });
    assert_eq!(names(&best), ["kill#2"]);
    assert_eq!((best.workload.clients, best.workload.keys, best.cluster.nodes), (3, 1, 1));
    // The strike is at 16 s and lasts for one.
    assert_eq!(best.run.duration, Duration::from_millis(17_100));
    assert!(best.reach.is_empty());
    assert!(tried.len() < 35, "{:?}", tried.iter().map(|candidate| &candidate.what).collect::<Vec<_>>());
    assert_eq!((tried[0].what.as_str(), tried[0].tries), ("the whole plan", 9));
    assert_eq!((tried[1].what.as_str(), tried[1].tries), ("no strikes", 3));
}

#[test]
fn what_is_kept_is_the_same_as_in_the_whole_plan() {
    let whole = plan();
    let (best, _, _) = search(&whole, |candidate| {
        if ["kill#1", "pause#3"].iter().all(|name| names(candidate).contains(name)) {
            failed(None)
        } else {
            PASSED
        }
    });
    assert_eq!(names(&best), ["kill#1", "pause#3"]);
    for strike in &best.strikes {
        let original = whole.strikes.iter().find(|original| original.name == strike.name).unwrap();
        assert_eq!(strike, original);
        let draw = |plan: &Plan| plan.rng_of(strike).random::<u64>();
        assert_eq!(draw(&best), draw(&whole), "it chooses the same nodes");
    }
    assert_eq!((best.seed, &best.checks), (whole.seed, &whole.checks));
}

#[test]
fn a_plan_that_does_not_fail_is_not_made_smaller() {
    let (_, tried, guilty) = search(&plan(), |_| PASSED);
    assert_eq!((tried.len(), guilty.len()), (1, 0));
}

#[test]
fn what_needs_everything_keeps_everything() {
    let mut whole = plan();
    whole.reach.clear();
    let (best, _, _) = search(&whole, |candidate| if *candidate == whole { failed(None) } else { PASSED });
    assert_eq!(best, whole);
}

#[test]
fn the_load_ends_soon_after_the_failure_was_seen() {
    let once = SCENARIO.replace("every: 8s", "at: 1s").replace("every: 5s", "at: 1s");
    let calm = plan_of(&once.replace("installed: 4", "installed: 2"));
    let needs = |load_ms: u64| {
        search(&calm, move |candidate| {
            let fails = candidate.run.duration >= Duration::from_millis(load_ms);
            if fails { failed(Some(load_ms)) } else { PASSED }
        })
    };
    for load_ms in [1, 950, 4_000, 12_345, 39_999] {
        let (best, tried, _) = needs(load_ms);
        let found = millis(best.run.duration);
        assert!(found >= load_ms && found <= load_ms + (load_ms / 7).max(200), "{found} for {load_ms}");
        let loads = tried.iter().filter(|candidate| candidate.what.starts_with("a load"));
        assert!(loads.count() <= 9, "{load_ms}");
    }
    let (_, tried, _) = needs(4_000);
    let first = tried.iter().find(|candidate| candidate.what.starts_with("a load")).unwrap();
    assert_eq!(first.what, "a load of 6500ms");
}

#[test]
fn a_node_that_is_named_stays() {
    let nodes = |target: &str| {
        let plan = plan_of(&SCENARIO.replace("target: leader", &format!("target: {target}")));
        let (best, _, _) =
            search(
                &plan,
                |candidate| {
                    if names(candidate).contains(&"kill#1") { failed(None) } else { PASSED }
                },
            );
        best.cluster.nodes
    };
    assert_eq!([nodes("n5"), nodes("n4"), nodes("[n1, n3]"), nodes("n1"), nodes("one")], [5, 5, 3, 1, 1]);
}

#[test]
fn whatever_the_oracle_the_best_has_failed_and_is_no_larger() {
    for seed in 0..60 {
        let mut rng = Rng::from_seed(seed);
        let flakiness = rng.random_range(1..10);
        let whole = plan();
        let (best, tried, guilty) = search(&whole, |candidate| {
            let after = rng.random_range(0..60_000);
            let fails = *candidate == Search::new(&whole, 1).best || rng.random_range(0..10) < flakiness;
            if fails { failed((after % 3 > 0).then_some(after)) } else { PASSED }
        });
        assert!(guilty.contains(&best), "seed {seed}: the best never failed");
        assert_eq!(guilty.last(), Some(&best), "seed {seed}: the last that failed is the smallest");
        assert!(best.strikes.len() <= whole.strikes.len() && best.run.duration <= whole.run.duration);
        assert!(best.workload.clients <= 16 && best.workload.keys <= 7 && best.cluster.nodes <= 5);
        assert!(tried.len() < 150, "seed {seed}: {} candidates", tried.len());
    }
}

#[test]
fn an_answer_to_no_question_changes_nothing() {
    let mut search = Search::new(&plan(), 3);
    search.answer(failed(None));
    assert_eq!(search.next().map(|candidate| candidate.what).as_deref(), Some("the whole plan"));
}

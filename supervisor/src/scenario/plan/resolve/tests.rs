use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::scenario::signal::Signal;
use crate::scenario::verb::Verb;

const SCENARIO: &str = "\
version: 1
name: storm
workload: { kind: conversation, clients: 4..8, keys: 2..9, rate: 100/s..300/s, payload: 16B..1KiB }
run: { duration: 40s }
faults:
  - { name: kill, every: 5s..9s, kill: { target: leader, restart-after: 1s..3s } }
  - { name: pause, at: 3s..30s, for: 2s, pause: { target: minority } }
checks: [linearizable]
";

fn file(text: &str) -> ScenarioFile {
    ScenarioFile::parse(Path::new("storm.yaml"), text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn with_faults(faults: &str) -> String {
    let head = &SCENARIO[..SCENARIO.find("faults:").unwrap()];
    format!("{head}faults: {faults}\nchecks: [linearizable]\n")
}

fn times(text: &str) -> Vec<u64> {
    Plan::resolve(&file(text), 1).strikes.iter().map(|strike| strike.at.as_secs()).collect()
}

#[test]
fn what_was_not_said_gets_its_default() {
    let text = "version: 1\nname: storm\nworkload: { kind: accounts }\nrun: { duration: 5s }\nchecks: [linearizable]\n";
    let plan = Plan::resolve(&file(text), 1);
    assert_eq!(
        plan.cluster,
        ClusterPlan {
            nodes: 5,
            spares: 0,
            network: NetworkKind::Proxy,
            disk: DiskKind::Plain,
            clock: ClockKind::Real,
            config: BTreeMap::new(),
            inject_bug: None,
            binary: BTreeMap::new(),
        }
    );
    assert_eq!((plan.workload.clients, plan.workload.keys, plan.workload.payload), (8, 4, 0));
    assert_eq!((plan.workload.load, plan.workload.routing), (Load::Closed, Routing::Any));
    assert_eq!(plan.workload.mix.len(), 4);
    assert_eq!((plan.run.warmup, plan.run.settle), (WARMUP_DEFAULT, SETTLE_DEFAULT));
    assert!(plan.run.final_reads);
    assert_eq!(plan.expect, Expectation::Pass);
    assert_eq!(plan.artifacts, Artifacts { keep: Keep::OnFailure, data_dirs: true });
    assert_eq!(plan.timeout, Duration::from_secs(2 + 5 + 10 + 120));
    assert!(plan.strikes.is_empty() && plan.reach.is_empty());
}

#[test]
fn ranges_are_drawn_within_their_ends_and_differ_between_seeds() {
    let plans: Vec<Plan> = (0..100).map(|seed| Plan::resolve(&file(SCENARIO), seed)).collect();
    for plan in &plans {
        assert!((4..=8).contains(&plan.workload.clients) && (2..=9).contains(&plan.workload.keys));
        assert!((16..=1024).contains(&plan.workload.payload));
        let Load::Open(rate) = plan.workload.load else { panic!("a rate means an open loop") };
        assert!((100..=300).contains(&rate.per_second));
        let kills: Vec<&Strike> = plan.strikes.iter().filter(|strike| strike.fault == "kill").collect();
        let gaps = kills.windows(2).map(|pair| pair[1].at - pair[0].at);
        assert!(gaps.chain([kills[0].at]).all(|gap| (5..=9).contains(&gap.as_secs())), "{kills:?}");
        for strike in &plan.strikes {
            assert!(strike.at + strike.lasts.unwrap() <= plan.run.duration, "{strike:?}");
        }
        assert!(plan.strikes.is_sorted_by_key(|strike| strike.at));
    }
    let differ = |value: &dyn Fn(&Plan) -> String| {
        let mut values: Vec<String> = plans.iter().map(value).collect();
        values.sort();
        values.dedup();
        values.len() > 3
    };
    assert!(differ(&|plan| plan.workload.clients.to_string()));
    assert!(differ(&|plan| format!("{:?}", plan.workload.load)));
    assert!(differ(&|plan| format!("{:?}", plan.strikes[0])));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 0..20 {
        let yaml = || Plan::resolve(&file(SCENARIO), seed).to_yaml();
        assert_eq!(yaml(), yaml());
    }
}

#[test]
fn another_fault_changes_nothing_of_the_others_nor_of_the_workload() {
    let more = SCENARIO
        .replace("faults:\n", "faults:\n  - { name: extra, every: 1s..2s, restart: { target: one } }\n");
    for seed in 0..20 {
        let (few, many) = (Plan::resolve(&file(SCENARIO), seed), Plan::resolve(&file(&more), seed));
        assert_eq!(few.workload, many.workload);
        let common: Vec<Strike> = many.strikes.into_iter().filter(|strike| strike.fault != "extra").collect();
        assert_eq!(few.strikes, common);
    }
}

#[test]
fn every_first_strikes_after_its_interval_and_stops_where_it_cannot_be_lifted() {
    assert_eq!(times(&with_faults("[{ every: 8s, restart: { target: one } }]")), [8, 16, 24, 32]);
    assert_eq!(
        times(&with_faults("[{ every: 10s, restart: { target: one } }]")),
        [10, 20, 30],
        "40 s is the end"
    );
    assert_eq!(times(&with_faults("[{ every: 8s, for: 8s, pause: { target: one } }]")), [8, 16, 24, 32]);
    assert_eq!(times(&with_faults("[{ every: 8s, for: 8001ms, pause: { target: one } }]")), [8, 16, 24]);
    assert_eq!(times(&with_faults("[{ every: 8s, times: 2, kill: { target: one } }]")), [8, 16]);
    assert_eq!(times(&with_faults("[{ at: 36s, for: 4s, pause: { target: one } }]")), [36]);
}

#[test]
fn strikes_are_named_after_their_fault_and_numbered() {
    let text =
        with_faults("[{ every: 15s, kill: { target: leader } }, { at: 20s, kill: { target: leader } }]");
    let plan = Plan::resolve(&file(&text), 1);
    let names: Vec<&str> = plan.strikes.iter().map(|strike| strike.name.as_str()).collect();
    assert_eq!(names, ["kill-leader#1", "kill-leader-2#1", "kill-leader#2"]);
    let Verb::Kill(kill) = &plan.strikes[0].verb else { panic!("it was a kill") };
    assert_eq!((kill.signal, plan.strikes[0].lasts), (Signal::KILL, None));
}

use super::*;
use crate::scenario::expectation::Expectation;
use crate::scenario::plan::Plan;
use crate::scenario::target::Target;
use crate::scenario::verb::Verb;

const SCENARIO: &str = "\
version: 1
name: storm
description: >
  A sentence
  over two lines.
tags: [ci, smoke]
seed: 7
workload: { kind: conversation, rate: 200/s }
run:
  duration: 30s
faults:
  - every: 8s
    kill: { target: leader, signal: SIGTERM }
checks: [linearizable]
";

fn parse(text: &str, overrides: &[&str]) -> ScenarioFile {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    ScenarioFile::parse(Path::new("some/where/storm.yaml"), text, &overrides)
        .unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_file_holds_what_was_said_and_nothing_else() {
    let file = parse(SCENARIO, &[]);
    assert_eq!(file.source, "some/where/storm.yaml");
    assert_eq!(file.text, SCENARIO);
    assert_eq!(file.name.value, "storm");
    assert_eq!(file.name.place, Place::File { line: 2, column: 7, width: 5 });
    assert_eq!(file.description.as_deref(), Some("A sentence over two lines.\n"));
    assert_eq!(file.tags, ["ci", "smoke"]);
    assert_eq!(file.seed, Some(7));
    assert_eq!(file.cluster, ClusterSection::default());
    assert_eq!(file.workload.rate, Some(Drawn::exactly(Rate { per_second: 200 })));
    assert_eq!((file.workload.clients, file.run.warmup, file.timeout), (None, None, None));
    assert_eq!(file.expect, None);
}

#[test]
fn block_style_flow_style_and_windows_line_ends_are_one() {
    let windows = SCENARIO.replace('\n', "\r\n");
    let flow = SCENARIO.replace("run:\n  duration: 30s\n", "run: { \"duration\": '30s' }\n");
    let plan = Plan::resolve(&parse(SCENARIO, &[]), 1);
    assert_eq!(Plan::resolve(&parse(&windows, &[]), 1), plan);
    assert_eq!(Plan::resolve(&parse(&flow, &[]), 1), plan);
}

#[test]
fn a_seed_is_fixed_or_left_open() {
    let seed = |seed: &str| parse(SCENARIO, &[&format!("seed={seed}")]).seed;
    assert_eq!(seed("random"), None);
    assert_eq!(seed("18446744073709551615"), Some(u64::MAX));
    assert_eq!(parse(&SCENARIO.replace("seed: 7\n", ""), &[]).seed, None);
}

#[test]
fn overrides_change_add_and_replace() {
    let overrides = [
        "run.duration=20s",
        "run.duration=50s",
        "cluster.nodes=3",
        "faults[0].kill.target=[n1, n3]",
        "faults[0].kill.restart-after=2s..3s",
        "workload.mix={ send: 1 }",
        "workload.mix.read=2",
        "tags=[other]",
        "description='a = b: c'",
        "artifacts.keep=always",
    ];
    let text = SCENARIO.replace("checks:", "artifacts:\nchecks:");
    let plan = Plan::resolve(&parse(&text, &overrides), 1);
    assert_eq!(plan.run.duration, Duration::from_secs(50), "the last one counts");
    assert_eq!(plan.cluster.nodes, 3);
    assert_eq!(plan.workload.mix, BTreeMap::from([("send".to_owned(), 1), ("read".to_owned(), 2)]));
    assert_eq!(plan.tags, ["other"]);
    assert_eq!(plan.description, "a = b: c");
    assert_eq!(plan.artifacts.keep, Keep::Always);
    assert_eq!(plan.overrides, overrides);
    let Verb::Kill(kill) = &plan.strikes[0].verb else { panic!("it was a kill") };
    assert_eq!(kill.target, Target::Named(vec!["n1".to_owned(), "n3".to_owned()]));
    assert!((2..=3).contains(&plan.strikes[0].lasts.unwrap().as_secs()));
}

#[test]
fn null_takes_away_what_was_said() {
    let text = SCENARIO.replace(
        "checks:",
        "expect: { fail: { check: linearizable, anomaly: stale-read, within-seeds: 3 } }\nchecks:",
    );
    let strikes = Plan::resolve(&parse(&text, &[]), 1).strikes.len();
    let overrides = [
        "expect=null",
        "cluster.inject-bug=stale-read",
        "cluster.inject-bug=null",
        "seed=null",
        "faults[0]=null",
    ];
    let plan = Plan::resolve(&parse(&text, &overrides), 1);
    assert_eq!((plan.expect, plan.cluster.inject_bug), (Expectation::Pass, None));
    assert!(plan.strikes.len() < strikes, "the first fault is gone");
}

#[test]
fn nesting_without_end_is_refused() {
    let message = |value: &str| {
        let text = format!("version: {value}");
        let errors = ScenarioFile::parse(Path::new("deep.yaml"), &text, &[]).unwrap_err();
        errors.errors()[0].message.clone()
    };
    assert_eq!(message(&"[".repeat(40)), "not YAML: nested deeper than 32 levels");
    assert_eq!(message(&format!("\n{}x", "- ".repeat(100_000))), "not YAML: nested deeper than 32 levels");
    assert_eq!(message(&"[".repeat(100_000)), "not YAML: recursion limit exceeded");
}

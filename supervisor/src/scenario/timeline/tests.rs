use std::path::Path;

use super::*;
use crate::scenario::file::ScenarioFile;

const SCENARIO: &str = "\
version: 1
name: storm
cluster: { nodes: 5, inject-bug: stale-read }
workload: { kind: conversation, clients: 8, rate: 200/s, mix: { send: 70, read: 30 } }
run: { warmup: 4s, duration: 40s, settle: 6s }
faults:
  - { name: kill-leader, every: 8s..12s, kill: { target: leader, restart-after: 3s } }
  - { at: 30s, kill: { target: [n1, n3], signal: TERM } }
  - { every: 9s, times: 2, for: 1s..4s, pause: { target: minority } }
  - { name: a-name-that-is-much-too-long-for-the-page, at: 500ms, restart: { target: random:2 } }
checks: [linearizable]
";

fn plan(text: &str, overrides: &[&str]) -> Plan {
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let file =
        ScenarioFile::parse(Path::new("storm.yaml"), text, &overrides).unwrap_or_else(|e| panic!("{e}"));
    Plan::resolve(&file, 42)
}

#[test]
fn a_plan_is_drawn_as_it_always_was() {
    let expected = include_str!("storm.txt");
    let plan = plan(SCENARIO, &[]);
    // The hash changes with every field that plans get.
    let drawn = draw(&plan).replace(&plan.hash(), "HASH");
    assert_eq!(drawn, expected, "drawn:\n{drawn}");
}

#[test]
fn any_length_of_a_run_fits_the_page() {
    for duration in ["100ms", "1s", "7s", "59s", "4m", "3h", "167h"] {
        let duration = format!("run.duration={duration}");
        let calm = plan(SCENARIO, &["faults=[]", "run.warmup=0s", "run.settle=1ms", &duration]);
        let drawn = draw(&calm);
        assert!(drawn.lines().all(|line| line.chars().count() <= WIDTH), "{drawn}");
        let marks = drawn.lines().find(|line| line.trim_start().starts_with('|')).unwrap();
        assert!((1..=11).contains(&marks.matches('|').count()), "{drawn}");
    }
}

#[test]
fn the_words_of_many_verbs_take_as_many_lines_as_they_need() {
    let nemesis = "nemesis={ interval: 1s, duration: 1s, swarm: false, kinds: { kill: 1, pause: 1, restart: 1, \
                   partition: 1, network: 1, disk: 1, transfer-leader: 1, snapshot: 1 } }";
    let drawn = draw(&plan(SCENARIO, &["faults=[]", nemesis]));
    for word in [
        "K kill",
        "P pause",
        "R restart",
        "X partition",
        "N network",
        "D disk",
        "L transfer-leader",
        "S snapshot",
    ] {
        assert!(drawn.contains(word), "{word}\n{drawn}");
    }
    assert!(drawn.contains("random faults: kill 1 pause 1"), "{drawn}");
    assert!(!drawn.contains('…') && drawn.lines().all(|line| line.chars().count() <= WIDTH), "{drawn}");
}

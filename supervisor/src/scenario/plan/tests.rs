use checker::anomaly::AnomalyKind;

use super::*;
use crate::fabric::Distribution;
use crate::fabric::shape::Shape;
use crate::scenario::expectation::{ExpectedFailure, FailureKind};
use crate::scenario::signal::Signal;
use crate::scenario::target::Target;
use crate::scenario::unit::Rate;
use crate::scenario::verb::{Kill, Lag, Network, Partition, Party, Pause, Restart};

#[expect(clippy::too_many_lines, reason = "it has every field of the format")]
fn plan() -> Plan {
    let seconds = Duration::from_secs;
    let strike = |number: u64, lasts, verb| Strike {
        name: format!("fault#{number}"),
        fault: "fault".to_owned(),
        at: seconds(8 * number),
        lasts,
        verb,
    };
    let between = |from, to| Network {
        from: Party::Nodes(from),
        to,
        lag: None,
        rate: None,
        loss: None,
        hold: false,
        black_hole: false,
        reset: false,
    };
    let slow = Network {
        lag: Some(Lag {
            delay: Duration::from_millis(50),
            jitter: Duration::ZERO,
            distribution: Distribution::Pareto,
        }),
        rate: Some("64KiB/s".parse().unwrap()),
        ..between(Target::Leader, Party::Clients)
    };
    let group = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let groups = vec![group(&["n1", "n2"]), group(&["n2", "n3", "n4", "n5"])];
    let partition = |shape, one_way| Verb::Partition(Partition { shape, one_way });
    Plan {
        version: PLAN_VERSION,
        name: "leader-kill".to_owned(),
        source: "scenarios/leader-kill.yaml".to_owned(),
        overrides: vec!["run.duration=30s".to_owned()],
        description: "A sentence: with a colon.".to_owned(),
        tags: vec!["ci".to_owned()],
        seed: u64::MAX,
        timeout: seconds(120),
        binaries: BTreeMap::from([("old".to_owned(), "./old".to_owned())]),
        cluster: ClusterPlan {
            nodes: 5,
            spares: 2,
            network: NetworkKind::Proxy,
            disk: DiskKind::Volatile,
            clock: ClockKind::Real,
            config: BTreeMap::from([("keep-entries".to_owned(), "100".to_owned())]),
            inject_bug: None,
            binary: BTreeMap::from([("n2".to_owned(), "old".to_owned())]),
        },
        workload: WorkloadPlan {
            kind: WorkloadKind::Conversation,
            clients: 8,
            load: Load::Open(Rate { per_second: 200 }),
            routing: Routing::Any,
            operation_timeout: seconds(2),
            tries: 3,
            keys: 4,
            payload: 64,
            mix: BTreeMap::from([("send".to_owned(), 50), ("read".to_owned(), 50)]),
        },
        run: RunPlan {
            warmup: seconds(2),
            duration: seconds(80),
            settle: seconds(5),
            final_reads: true,
            live_check: LiveCheck::Stop,
            history: HistoryForm::Binary,
        },
        swarm: BTreeMap::from([(FaultKind::Kill, 3), (FaultKind::Network, 1)]),
        strikes: vec![
            strike(
                1,
                Some(Duration::from_millis(1_500)),
                Verb::Kill(Kill {
                    target: Target::Named(vec!["n1".to_owned(), "n3".to_owned()]),
                    signal: Signal::KILL,
                }),
            ),
            strike(2, Some(seconds(4)), Verb::Pause(Pause { target: Target::Random(2) })),
            strike(3, None, Verb::Restart(Restart { target: Target::One })),
            strike(4, None, partition(Shape::MajoritiesRing, true)),
            strike(5, None, partition(Shape::Isolate(Target::Leader), false)),
            strike(6, None, partition(Shape::Groups(groups), false)),
            strike(7, Some(seconds(1)), Verb::Network(slow)),
            strike(
                8,
                None,
                Verb::Network(Network { reset: true, ..between(Target::One, Party::Nodes(Target::All)) }),
            ),
        ],
        steps: Vec::new(),
        checks: vec![CheckName::Linearizable, CheckName::OneLeaderPerTerm],
        thresholds: vec!["ok-ratio > 0.8".parse().unwrap()],
        reach: BTreeMap::from([(Reach::LeaderChanges, 3), (Reach::Struck("fault".to_owned()), 2)]),
        expect: Expectation::Fail(ExpectedFailure {
            kind: FailureKind::Anomaly(CheckName::Linearizable, AnomalyKind::StaleRead),
            within_seeds: 5,
        }),
        artifacts: Artifacts { keep: Keep::OnFailure, data_dirs: true },
    }
}

const YAML: &str = "\
version: 1
name: leader-kill
source: scenarios/leader-kill.yaml
overrides:
- run.duration=30s
description: 'A sentence: with a colon.'
tags:
- ci
seed: 18446744073709551615
timeout: 2m
binaries:
  old: ./old
cluster:
  nodes: 5
  spares: 2
  network: proxy
  disk: volatile
  clock: real
  config:
    keep-entries: '100'
  inject-bug: null
  binary:
    n2: old
workload:
  kind: conversation
  clients: 8
  load:
    open: 200/s
  routing: any
  operation-timeout: 2s
  tries: 3
  keys: 4
  payload: 64B
  mix:
    read: 50
    send: 50
run:
  warmup: 2s
  duration: 80s
  settle: 5s
  final-reads: true
  live-check: stop
  history: binary
swarm:
  kill: 3
  network: 1
strikes:
- name: fault#1
  fault: fault
  at: 8s
  for: 1500ms
  verb:
    kill:
      target: n1,n3
      signal: KILL
- name: fault#2
  fault: fault
  at: 16s
  for: 4s
  verb:
    pause:
      target: random:2
- name: fault#3
  fault: fault
  at: 24s
  for: null
  verb:
    restart:
      target: one
- name: fault#4
  fault: fault
  at: 32s
  for: null
  verb:
    partition:
      shape: majorities-ring
      one-way: true
- name: fault#5
  fault: fault
  at: 40s
  for: null
  verb:
    partition:
      shape:
        isolate: leader
      one-way: false
- name: fault#6
  fault: fault
  at: 48s
  for: null
  verb:
    partition:
      shape:
        groups:
        - - n1
          - n2
        - - n2
          - n3
          - n4
          - n5
      one-way: false
- name: fault#7
  fault: fault
  at: 56s
  for: 1s
  verb:
    network:
      from: leader
      to: clients
      lag:
        delay: 50ms
        jitter: 0s
        distribution: pareto
      rate: 64KiB/s
      loss: null
      hold: false
      black-hole: false
      reset: false
- name: fault#8
  fault: fault
  at: 64s
  for: null
  verb:
    network:
      from: one
      to: all
      lag: null
      rate: null
      loss: null
      hold: false
      black-hole: false
      reset: true
steps: []
checks:
- linearizable
- one-leader-per-term
thresholds:
- ok-ratio > 0.8
reach:
  leader-changes: 3
  struck.fault: 2
expect:
  fail:
    check: linearizable
    anomaly: stale-read
    within-seeds: 5
artifacts:
  keep: on-failure
  data-dirs: true
";

#[test]
fn a_plan_is_written_and_read_back() {
    assert_eq!(plan().to_yaml(), YAML);
    assert_eq!(Plan::from_yaml(YAML).unwrap(), plan());
    let quiet = Plan {
        workload: WorkloadPlan { load: Load::Closed, ..plan().workload },
        expect: Expectation::Pass,
        strikes: Vec::new(),
        thresholds: Vec::new(),
        reach: BTreeMap::new(),
        ..plan()
    };
    assert_eq!(Plan::from_yaml(&quiet.to_yaml()).unwrap(), quiet);
}

#[test]
fn a_plan_with_a_field_too_many_or_too_few_is_refused_with_its_line() {
    let error = |text: &str| match Plan::from_yaml(text) {
        Err(PlanError::Form(cause)) => cause.to_string(),
        other => panic!("{other:?}"),
    };
    // One field of every map of the format.
    for field in [
        "seed:",
        "nodes:",
        "kind:",
        "open:",
        "warmup:",
        "at: 8s",
        "kill:",
        "signal:",
        "for:",
        "target: one",
        "leader-changes:",
        "fail:",
        "within-seeds:",
        "keep:",
    ] {
        let position = YAML.find(field).unwrap();
        let line_start = YAML[..position].rfind('\n').unwrap() + 1;
        let indentation = &YAML[line_start..position];
        let with_another = format!("{}colour: red\n{indentation}{}", &YAML[..position], &YAML[position..]);
        let message = error(&with_another);
        assert!(message.contains("colour") && message.contains("line"), "{field} {message}");
    }
    assert!(error(&YAML.replace("  inject-bug: null\n", "")).contains("inject-bug"));
    assert!(error(&YAML.replace("  for: 1500ms\n", "")).contains("for"));
    assert!(error(&YAML.replace("for: 1500ms", "for: 1500")).contains("no unit"));
    assert!(error(&YAML.replace("seed: 18446744073709551615", "seed: 5\nseed: 6")).contains("seed"));
}

#[test]
fn a_plan_that_breaks_an_invariant_is_refused() {
    let error = |from: &str, to: &str| match Plan::from_yaml(&YAML.replace(from, to)) {
        Err(PlanError::Sense { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(error("version: 1", "version: 2"), "version 2 is not 1");
    assert_eq!(error("n2: old", "n2: new"), "there is no binary `new`");
    assert_eq!(error("nodes: 5", "nodes: 10"), "10 nodes and 2 spares");
    assert_eq!(error("clients: 8", "clients: 0"), "no clients");
    assert_eq!(error("keys: 4", "keys: 0"), "no keys");
    assert_eq!(error("send: 50", "login: 50"), "an operation that conversation has not");
    assert_eq!(error("send: 50", "send: 0"), "an empty mix");
    assert_eq!(error("at: 24s", "at: 1s"), "strikes out of order");
    assert_eq!(error("duration: 80s", "duration: 20s"), "a strike after the end of the load");
    assert_eq!(error("fault#2", "fault#1"), "two strikes of one name");
    assert_eq!(error("checks:\n- linearizable\n- one-leader-per-term", "checks: []"), "no checks");
}

#[test]
fn a_plan_that_asks_of_a_cluster_what_it_cannot_suffer_is_refused_at_that_field() {
    let error = |changes: &[(&str, &str)]| {
        let text = changes.iter().fold(YAML.to_owned(), |text, (from, to)| text.replacen(from, to, 1));
        match Plan::from_yaml(&text) {
            Err(PlanError::Sense { at, why }) => format!("{at}: {why}"),
            other => panic!("{other:?}"),
        }
    };
    let other = |verb: &'static str| [("restart:\n      target: one\n", verb)];
    assert_eq!(
        error(&other(
            "clock:\n      target: one\n      jump: 1s\n      timers: null\n      drift: null\n      strobe: null\n      strobe-every: 200ms\n"
        )),
        "strikes.2.verb.clock: the clocks of these nodes are the machine's and cannot be set wrong"
    );
    let power_loss = other("disk:\n      target: one\n      fault:\n        power-loss: torn\n")[0];
    assert_eq!(
        error(&[power_loss, ("disk: volatile", "disk: plain")]),
        "strikes.2.verb.disk.torn-write: the disks of these nodes survive a power failure: what is written stays"
    );
    assert_eq!(
        error(&[("loss: null", "loss: 0.5%")]),
        "strikes.6.verb.network.loss: `loss` is of packets, and a proxy sees streams of bytes"
    );
    assert_eq!(
        error(&[("network: proxy", "network: kernel")]),
        "strikes.6.verb.network.delay: the kernel's network has no `delay`: it can only drop packets and reset connections"
    );
    assert_eq!(
        error(&[("signal: KILL", "signal: WINCH")]),
        "strikes.0.verb.kill.signal: `WINCH` does not end a process: nobody notices it who does not ask for it"
    );
    assert_eq!(
        error(&[("random:2", "random:6")]),
        "strikes.1.verb.pause.target: `random:6` is more than the 5 nodes of the cluster"
    );
    let add = other("membership: add\n")[0];
    assert_eq!(
        error(&[add, ("spares: 2", "spares: 0")]),
        "strikes.2.verb.membership.add: `add` needs a spare, and the cluster has none"
    );
    let remove = other("membership:\n        remove: all\n");
    assert_eq!(
        error(&remove),
        "strikes.2.verb.membership.remove: `all` is all 5 nodes, and nobody would be left"
    );
}

#[test]
fn the_hash_names_what_is_done_and_not_where_it_was_asked_for() {
    let elsewhere = Plan { source: "/tmp/x.yaml".to_owned(), overrides: Vec::new(), ..plan() };
    assert_eq!(plan().hash(), elsewhere.hash());
    let other_seed = Plan { seed: 1, ..plan() };
    assert_ne!(plan().hash(), other_seed.hash());
    assert_eq!(plan().hash().len(), 16);
}

#[test]
fn a_strike_draws_the_same_whatever_else_is_planned() {
    use rand::RngExt;
    let full = plan();
    let sparse = Plan { strikes: vec![full.strikes[1].clone()], ..plan() };
    let draw = |plan: &Plan, strike: &Strike| plan.rng_of(strike).random::<u64>();
    assert_eq!(draw(&full, &full.strikes[1]), draw(&sparse, &sparse.strikes[0]));
    assert_ne!(draw(&full, &full.strikes[0]), draw(&full, &full.strikes[1]));
}

//! Runs with steps.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// From the beginning of the load to the heal.
fn of_load(played: &Played) -> Vec<String> {
    let words = played.words();
    let begin = words.iter().position(|word| word == "load").expect("there was a load") + 1;
    let end = words.iter().position(|word| word == "heal").expect("there was a heal");
    words[begin..end].to_vec()
}

#[tokio::test]
async fn steps_come_one_after_the_other_while_faults_stand() {
    let steps = "\
steps:
  - assert: { leader: true }
  - name: down
    kill: { target: n2 }
  - wait-for: { operations: 5 }
  - { for: 10ms, pause: { target: n1 } }
  - stop: n3
  - wait: 50ms
  - start: n3
  - wait-for: { caught-up: n3 }
  - heal: down
  - restart: { target: n3 }
  - assert: { caught-up: all }
reach: { faults-installed: 4, restarts: 2, kills: 1, pauses: 1, ok-during-faults: 1 }
";
    let played = play(FakeSystem::new(), steps, &["run.duration=4s"]).await;
    let words: Vec<String> = of_load(&played)
        .iter()
        // The pause ends in its own time, and how far a node has come is the machine's affair.
        .filter(|word| *word != "resumed n1")
        .map(|word| word.split(" index").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        words,
        [
            "n1 leads",
            "kill n2",
            "operations",
            "pause n1",
            "stop n3",
            "restarted n3",
            "n3 applied",
            "restarted n2",
            "restart n3",
            "restarted n3",
            "n1, n2, n3 applied",
        ]
    );
    let verdict = played.verdict();
    assert_eq!(verdict.verdict, Verdict::Pass, "{verdict:#?}");
    let names: Vec<&str> = verdict.faults.iter().map(|fault| fault.fault.as_str()).collect();
    assert_eq!(names, ["down", "step-4-pause", "step-5-stop-n3", "step-10-restart"]);
    assert!(verdict.faults.iter().all(|fault| fault.ended.is_some()));
}

#[tokio::test]
async fn what_stands_in_the_end_is_lifted_by_the_end_of_the_load() {
    let steps = "steps:\n  - stop: [n2, n3]\n  - pause: { target: n1 }\n";
    let played = play(FakeSystem::new(), steps, &[]).await;
    let mut words = of_load(&played);
    words.sort();
    assert_eq!(words, ["pause n1", "restarted n2", "restarted n3", "resumed n1", "stop n2", "stop n3"]);
    assert_eq!(played.verdict().verdict, Verdict::Pass, "{:#?}", played.verdict());
}

#[tokio::test]
async fn a_step_that_waits_in_vain_is_the_last() {
    let in_vain = |condition: &str| {
        format!("steps:\n  - wait-for: {{ {condition}, within: 50ms }}\n  - kill: {{ target: n2 }}\n")
    };
    let played = play(FakeSystem::new(), &in_vain("leader-changes: 1"), &[]).await;
    assert_eq!(of_load(&played), ["step-1-wait-for is not met"]);
    let verdict = played.verdict();
    assert_eq!(verdict.signature.as_deref(), Some("liveness/step-unmet"), "{verdict:#?}");
    assert!(verdict.reason.starts_with("liveness: step-1-wait-for: after "), "{}", verdict.reason);
    let seen = "leader changes: 0 of 1; nodes: n1 leader@1 applied ";
    assert!(verdict.reason.contains(seen), "{}", verdict.reason);

    let played = play(FakeSystem::new(), &in_vain("operations: 1000000"), &[]).await;
    let verdict = played.verdict();
    assert_eq!((verdict.verdict, verdict.signature.as_deref()), (Verdict::Inconclusive, None));
    assert!(verdict.reason.contains(" of 1000000; nodes: "), "{}", verdict.reason);
}

#[tokio::test]
async fn an_assertion_that_is_not_so_is_a_violation() {
    let steps = "steps:\n  - stop: [n2, n3]\n  - assert: { leader: true }\n  - start: all-stopped\n";
    let played = play(FakeSystem::new(), steps, &["run.duration=4s"]).await;
    let verdict = played.verdict();
    assert_eq!(verdict.signature.as_deref(), Some("liveness/step-unmet"), "{verdict:#?}");
    let why = "no leader that a majority follows; nodes: n1 leader@1 applied ";
    assert!(verdict.reason.contains(why) && verdict.reason.contains("n2 silent"), "{}", verdict.reason);
    assert!(!of_load(&played).contains(&"step-3-start".to_owned()));
}

#[tokio::test]
async fn steps_that_the_end_of_the_load_overtakes_prove_nothing() {
    let steps = "steps:\n  - wait-for: { leader-changes: 1, within: 60s }\n";
    let played = play(FakeSystem::new(), steps, &[]).await;
    let verdict = played.verdict();
    assert_eq!(verdict.verdict, Verdict::Inconclusive, "{verdict:#?}");
    assert_eq!(verdict.reason, "liveness: step-1-wait-for: the load ended before this was done");
}

#[tokio::test]
async fn an_upgrade_goes_from_node_to_node_and_ends_with_the_leader() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("other");
    let log = directory.path().join("log");
    // Says that it was started, by its name among the arguments, and is the shell that the others are.
    fs::write(&program, format!("#!/bin/sh\necho $3 >> {}\nexec /bin/sh \"$@\"\n", log.display())).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let more = format!(
        "binaries: {{ other: {{ path: {} }} }}\n\
         steps:\n  - upgrade: {{ target: followers-first, binary: other }}\n  \
         - rolling-restart: {{ target: [n1, n2] }}\n  - upgrade: {{ target: n3, binary: default, one-at-a-time: false }}\n\
         reach: {{ upgrades: 4, restarts: 2, faults-installed: 3 }}\n",
        program.display()
    );
    let played = play(FakeSystem::new(), &more, &["run.duration=10s", "cluster.binary.n2=other"]).await;
    let started: Vec<String> = fs::read_to_string(log).unwrap().lines().map(str::to_owned).collect();
    // n2 has run it from the beginning; n1 leads; n3 goes back in the end.
    assert_eq!(started, ["n2", "n2", "n3", "n1", "n2", "n1"], "{:?}", played.words());
    let verdict = played.verdict();
    assert_eq!(verdict.verdict, Verdict::Pass, "{verdict:#?}");
    let environment = Environment::read(played.report.directory.path()).unwrap();
    assert_eq!(environment.binaries["other"].path, program);
    assert!(of_load(&played).contains(&"n3 with default, restarted n3".to_owned()), "{:?}", played.words());
}

//! Runs that are judged while they go on.

use super::*;
use crate::exit::Exit;

/// A run of ten minutes, unless something ends it.
const LONG: &str = "run.duration=600s";

fn sightings(played: &Played) -> Vec<&RunEvent> {
    played.events.iter().filter(|event| matches!(event, RunEvent::ViolationSeen { .. })).collect()
}

#[tokio::test]
async fn the_first_violation_ends_the_load_and_the_judge_confirms_it() {
    let faults = "faults:\n  - { at: 1ms, kill: { target: n2 } }\n";
    let system = FakeSystem::new().stale_after(30);
    let played = play(system, faults, &[LONG, "run.live-check=stop"]).await;
    let words = played.words();
    let seen = words.iter().position(|word| word.starts_with("linearizable: ")).expect("it was seen");
    assert!(words[..seen].contains(&"kill n2".to_owned()), "{words:?}");
    let rest: Vec<&str> =
        words[seen + 1..].iter().map(String::as_str).filter(|word| *word != "restarted n2").collect();
    assert_eq!(rest, ["heal", "healed", "final reads", "stop", "check"], "the fault was lifted: {words:?}");
    let [RunEvent::ViolationSeen { check, ends_load: true, recorded_ms, .. }] = sightings(&played)[..] else {
        panic!("{:?}", sightings(&played));
    };
    assert!(*recorded_ms < 60_000, "{recorded_ms}");
    let verdict = played.verdict();
    assert_eq!((verdict.verdict, verdict.exit()), (Verdict::Fail, Exit::Violated));
    assert_eq!((check.as_str(), verdict.unconfirmed.as_ref()), (verdict.checks[0].name.name(), None));
    assert_eq!(verdict.checks[0].verdict, checker::verdict::Verdict::Invalid);
    assert!(!verdict.interrupted);
}

#[tokio::test]
async fn who_only_wants_to_be_told_gets_the_whole_run() {
    let played = play(FakeSystem::new().stale_after(30), "", &["run.live-check=tell"]).await;
    assert!(matches!(sightings(&played)[..], [RunEvent::ViolationSeen { ends_load: false, .. }]));
    let times: Vec<u64> =
        played.history().operations().iter().map(|operation| operation.invoked.time).collect();
    let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    // 600 ms, and the final reads come on top.
    assert!(last - first > 600_000_000, "the load went on for {} ns", last - first);
}

#[tokio::test]
async fn what_takes_a_search_is_found_while_the_run_goes_on() {
    let register = ["workload.kind=register", "checks=[linearizable]", LONG, "run.live-check=stop"];
    let played = play(FakeSystem::new().stale_after(30), "", &register).await;
    assert_eq!(sightings(&played).len(), 1);
    assert_eq!(played.verdict().checks[0].verdict, checker::verdict::Verdict::Invalid);
}

#[tokio::test]
async fn what_is_well_is_not_suspected() {
    for kind in ["conversation", "register", "delivery"] {
        let overrides = [format!("workload.kind={kind}"), "run.live-check=stop".to_owned()];
        let overrides: Vec<&str> =
            overrides.iter().map(String::as_str).chain(["checks=[linearizable]"]).collect();
        let played = play(FakeSystem::unreliable(10, 10), "", &overrides).await;
        let ended = |event: &&RunEvent| matches!(event, RunEvent::LiveCheckEnded { .. });
        assert_eq!((sightings(&played), played.events.iter().find(ended)), (vec![], None), "{kind}");
        assert_eq!(played.verdict().unconfirmed, None);
    }
}

//! Runs that write their history in blocks.

use super::*;
use crate::judge::judge;
use crate::scenario::plan::HistoryForm;

const BINARY: &str = "run.history=binary";

fn history_of(played: &Played, form: HistoryForm) -> PathBuf {
    played.report.directory.file(form.file_name())
}

fn plan_of(played: &Played) -> Plan {
    Plan::of_run(&fs::read_to_string(played.report.directory.file("plan.yaml")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_run_with_a_binary_history_is_recorded_followed_and_judged_like_any_other() {
    for kind in ["conversation", "register", "delivery"] {
        let kind = format!("workload.kind={kind}");
        let overrides = [BINARY, &kind, "run.live-check=stop", "checks=[linearizable]"];
        let played = play(FakeSystem::unreliable(10, 10), "", &overrides).await;
        assert!(history_of(&played, HistoryForm::Binary).is_file(), "{kind}");
        assert!(!history_of(&played, HistoryForm::Jsonl).exists(), "{kind}");
        let ended = |event: &&RunEvent| matches!(event, RunEvent::LiveCheckEnded { .. });
        assert_eq!(played.events.iter().find(ended), None, "{kind}");
        let verdict = played.verdict();
        assert_eq!(verdict.checks[0].verdict, checker::verdict::Verdict::Valid, "{kind}: {verdict:#?}");
        let operations = played.history().operations().len();
        assert!(operations > 10, "{kind}: {operations}");
        assert_eq!(plan_of(&played).run.history, HistoryForm::Binary, "what replays it writes it alike");
    }
}

#[tokio::test]
async fn what_is_wrong_in_a_binary_history_is_seen_live_and_confirmed() {
    let overrides = ["run.duration=600s", "run.live-check=stop", BINARY];
    let played = play(FakeSystem::new().stale_after(30), "", &overrides).await;
    let seen = played.events.iter().filter(|event| matches!(event, RunEvent::ViolationSeen { .. })).count();
    let verdict = played.verdict();
    assert_eq!((seen, verdict.verdict, verdict.unconfirmed.as_ref()), (1, Verdict::Fail, None));
}

#[tokio::test]
async fn a_binary_history_that_was_cut_off_is_judged_to_its_last_whole_block_and_the_verdict_says_so() {
    let played = play(FakeSystem::new(), "", &[BINARY, "checks=[linearizable]"]).await;
    let (directory, plan) = (played.report.directory.path(), plan_of(&played));
    let path = history_of(&played, HistoryForm::Binary);
    let events = played.history().next_index();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let verdict = judge(directory, &plan).unwrap();
    let said = |note: &String| note.contains("history.bin: byte ") && note.contains("the block is torn");
    assert!(verdict.notes.iter().any(said), "{:?}", verdict.notes);
    assert_eq!(verdict.checks[0].verdict, checker::verdict::Verdict::Valid);
    let read = checker::rundir::read(directory).unwrap().evidence.history;
    assert_eq!(read.next_index(), events - 1, "each event is a block of its own");
}

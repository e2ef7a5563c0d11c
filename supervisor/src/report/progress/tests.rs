//! What a person and a program read while a run goes on.

use super::*;

fn label(is_one_of_many: bool) -> Label {
    Label { scenario: "leader-kill".to_owned(), seed: 7, is_one_of_many }
}

fn run() -> Vec<TimedEvent> {
    let started = |node: &str, generation| RunEvent::NodeStarted {
        node: node.to_owned(),
        pid: 4711,
        generation,
        listen: "127.0.0.1:1".to_owned(),
        peer_listen: "127.0.0.1:2".to_owned(),
    };
    let ended = |node: &str, expected| RunEvent::NodeExited {
        node: node.to_owned(),
        status: "signal 9 (SIGKILL)".to_owned(),
        expected,
    };
    let (fault, verb, nodes) = ("kill-leader#1".to_owned(), "kill".to_owned(), vec!["n1".to_owned()]);
    let phase = |phase| RunEvent::Phase { phase };
    let text = |text: &str| text.to_owned();
    let events = [
        RunEvent::Began { scenario: text("leader-kill"), seed: 7, directory: text("runs/leader-kill/one") },
        phase(Phase::Start),
        started("n1", 1),
        phase(Phase::Warmup),
        RunEvent::Leader { node: text("n1"), term: 2 },
        phase(Phase::Load),
        RunEvent::FaultInstalled { fault: fault.clone(), verb: verb.clone(), nodes: nodes.clone() },
        ended("n1", true),
        started("n1", 2),
        RunEvent::FaultLifted {
            fault,
            verb: verb.clone(),
            nodes,
            effect: text("restarted n1"),
            counts: [].into(),
        },
        RunEvent::FaultSkipped { fault: text("kill-leader#2"), verb, why: text("no leader is known") },
        ended("n3", false),
        RunEvent::Interrupted,
        phase(Phase::Heal),
        RunEvent::Healed { after_ms: 812 },
        RunEvent::NotHealed { why: text("no leader that a majority follows within leader_wait = 9 ms") },
        phase(Phase::FinalReads),
        RunEvent::Digest { node: text("n1"), index: 9, digest: text("00") },
        RunEvent::DigestMissing { node: text("n2"), why: text("deadline") },
        RunEvent::Note {
            text: text("12 operations of the open loop found every client busy and were not made"),
        },
        RunEvent::ViolationSeen {
            check: text("linearizable"),
            anomaly: text("stale-read"),
            key: Some(text("alice:bob")),
            sentence: text("the read by client 5 on n2 is stale"),
            recorded_ms: 14_990,
            ends_load: true,
        },
        RunEvent::LiveCheckEnded { why: text("history.jsonl: line 7, column 1: no JSON") },
    ];
    (0..).zip(events).map(|(number, event)| TimedEvent { at: number * 1_250_000_000, event }).collect()
}

#[test]
fn lines_for_a_person() {
    let text: String =
        run().iter().filter_map(|timed| to_text(timed, &label(false))).map(|line| line + "\n").collect();
    let expected = "
   0.00 s  leader-kill, seed 7 → runs/leader-kill/one
   1.25 s  ── start
   3.75 s  ── warm-up
   5.00 s  n1 leads term 2
   6.25 s  ── load
   7.50 s  kill-leader#1: kill n1
  10.00 s  n1 is back (pid 4711)
  11.25 s  kill-leader#1: restarted n1
  12.50 s  kill-leader#2: kill skipped, no leader is known
  13.75 s  n3 ended by itself: signal 9 (SIGKILL)
  15.00 s  interrupted: healing, then checking what there is
  16.25 s  ── heal
  17.50 s  healed: every node has caught up after 812 ms
  18.75 s  not healed: no leader that a majority follows within leader_wait = 9 ms
  20.00 s  ── final reads
  22.50 s  no digest of n2: deadline
  23.75 s  12 operations of the open loop found every client busy and were not made
  25.00 s  violation seen: linearizable: stale-read in alice:bob: the read by client 5 on n2 is stale; the load ends
  26.25 s  the live check has ended: history.jsonl: line 7, column 1: no JSON
";
    assert_eq!(format!("\n{text}"), expected);
    let line = to_text(&run()[4], &label(true));
    assert_eq!(line.as_deref(), Some("leader-kill seed 7    5.00 s  n1 leads term 2"));
}

#[test]
fn lines_for_a_program_are_those_of_the_file_with_the_run() {
    let expected =
        r#"{"at":5000000000,"kind":"leader","node":"n1","term":2,"scenario":"leader-kill","seed":7}"#;
    assert_eq!(to_json(&run()[4], &label(true)), expected);
}

#[test]
fn the_bar_counts_the_load_and_says_who_leads() {
    let length = Duration::from_secs(20);
    let hidden = ProgressBar::with_draw_target(Some(20_000), ProgressDrawTarget::hidden());
    let mut progress = Progress::new(ProgressMode::None, length, label(false));
    Rc::get_mut(&mut progress).expect("nobody else has it").form = Form::Bar(hidden.clone());
    for timed in &run()[..6] {
        progress.event(timed);
    }
    progress.tick(Duration::from_millis(8_750), Tally { invoked: 12, ok: 9, fail: 2, info: 1 });
    assert_eq!(hidden.position(), 5_000, "the warm-up began at 3.75 s");
    assert_eq!(hidden.message(), "load: 9 ok, 2 failed, 1 unknown, n1 leads term 2");
}

use proptest::prelude::*;

use super::*;
use crate::history::timeline;
use crate::verdict::Verdict;

fn judge(picture: &str) -> CheckResult {
    let history = timeline::parse(picture).unwrap();
    check(&Evidence { history, ..Evidence::default() }, &Limits::none())
}

#[track_caller]
fn violated(picture: &str, kind: AnomalyKind, sentence: &str) {
    let result = judge(picture);
    let told: Vec<_> = result.anomalies.iter().map(|a| (a.kind, a.sentence.as_str())).collect();
    assert_eq!(told, [(kind, sentence)]);
    assert_eq!((result.verdict, result.counts[kind.name()]), (Verdict::Invalid, 1));
    assert_eq!(result.anomalies[0].operations.len(), 2);
}

#[track_caller]
fn kept(picture: &str) -> CheckResult {
    let result = judge(picture);
    assert_eq!(result.verdict, Verdict::Valid, "{:?}", result.reason);
    result
}

#[test]
fn a_session_that_sees_more_and_more_keeps_the_rules() {
    let result = kept(
        "p0@n1: |-send a=1-|  |-read [a]-|  |-send c=3-|  |-read [a b c]-|
         p1@n2:               |-send b=2-|               |-read [a b]-|",
    );
    assert_eq!((result.operations, result.keys, result.counts["sessions"]), (6, 1, 2));
    // What somebody else saw obliges nothing here.
    kept("p0: |-read [a b]-|\np1:                 |-read [a]-|  |-send c=2-|");
    // Nor does what is in another conversation.
    kept("p0: |-read [a b]-|  |-read [] @j-|  |-send c=1 @j-|");
}

#[test]
fn reads_of_a_session_never_go_back() {
    violated(
        "p0@n1: |-read [a b]-|  |-read [a]-|",
        AnomalyKind::MonotonicReads,
        "in the session of client 0, the read by client 0 on n1 ended at number 2 at 0.020 s, but then, from 0.023 s \
         on, the read by client 0 on n1 ended at number 1",
    );
    // What was seen late is committed all the same.
    violated(
        "p0@n1: |-stale-read [a b]-|  |-read [a]-|",
        AnomalyKind::MonotonicReads,
        "in the session of client 0, the stale read by client 0 on n1 ended at number 2 at 0.026 s, but then, from \
         0.029 s on, the read by client 0 on n1 ended at number 1",
    );
}

#[test]
fn a_session_reads_what_it_wrote() {
    violated(
        "p0@n1: |-send a=1-|  |-read []-|",
        AnomalyKind::ReadYourWrites,
        "in the session of client 0, send a was acknowledged as number 1 at 0.018 s, but then, from 0.021 s on, the \
         read by client 0 on n1 ended at number 0",
    );
}

#[test]
fn the_writes_of_a_session_rise() {
    violated(
        "p0: |-send a=2-|  |-send b=1-|",
        AnomalyKind::MonotonicWrites,
        "in the session of client 0, send a was acknowledged as number 2 at 0.015 s, but then, from 0.018 s on, send b \
         was acknowledged as number 1",
    );
}

#[test]
fn a_write_comes_behind_what_the_session_has_read() {
    violated(
        "p0: |-read [a b]-|  |-send c=2-|",
        AnomalyKind::WritesFollowReads,
        "in the session of client 0, the read by client 0 ended at number 2 at 0.017 s, but then, from 0.020 s on, \
         send c was acknowledged as number 2",
    );
}

#[test]
fn a_read_that_may_be_late_goes_back_through_another_node_or_another_life_only() {
    let result = kept("p0@n1: |-send a=1-|  |-stale-read []-|");
    assert_eq!((result.counts["behind-own-writes"], result.counts["behind-own-reads"]), (1, 0));
    violated(
        "p0@n1: |-stale-read [a b]-|  |-stale-read [a]-|",
        AnomalyKind::MonotonicReads,
        "in the session of client 0, the stale read by client 0 on n1 ended at number 2 at 0.026 s, but then, from \
         0.029 s on, the stale read by client 0 on n1 ended at number 1",
    );
    let restarted = "p0@n1:   |-stale-read [a b]-|            |-stale-read [a]-|
                     nemesis:                      |-kill n1-|";
    assert_eq!(kept(restarted).counts["behind-own-reads"], 1);
    // Nobody knows through which node.
    kept("p0: |-stale-read [a b]-|  |-stale-read [a]-|");
}

#[test]
fn what_is_not_known_is_no_evidence() {
    assert_eq!(judge("").reason.as_deref(), Some("nothing to check"));
    assert_eq!(judge("p0: |-send a-?\np1: |-read-!").verdict, Verdict::Unknown);
    let history = timeline::parse("p0: |-send a=1-|  |-read [a]-|").unwrap();
    let evidence = Evidence { history, ..Evidence::default() };
    let result = check(&evidence, &Limits { steps: 1, ..Limits::none() });
    assert_eq!(result.reason.as_deref(), Some("the limit of 1 steps was reached"));
}

/// One operation after the other: by whom, whether it is a send, and how far behind the end it lies.
fn sequence() -> impl Strategy<Value = Vec<(u64, bool, u64)>> {
    proptest::collection::vec((0..3_u64, any::<bool>(), prop_oneof![4 => Just(0_u64), 1 => 1..4_u64]), 1..30)
}

/// Draws the operations one after the other. A send is numbered next, minus how far it lies behind.
fn drawn(sequence: &[(u64, bool, u64)]) -> (String, Vec<(u64, bool, u64)>) {
    let (mut head, mut column, mut lines, mut told) = (0_u64, 0, String::new(), Vec::new());
    for (number, (process, is_send, behind)) in sequence.iter().enumerate() {
        let seq =
            if *is_send { (head + 1).saturating_sub(*behind).max(1) } else { head.saturating_sub(*behind) };
        let text =
            if *is_send { format!("|-send m{number}={seq}-|") } else { format!("|-read {seq}+9 []/{seq}-|") };
        lines.push_str(&format!("p{process}: {:column$}{text}\n", ""));
        column += text.chars().count() + 1;
        head = head.max(seq);
        told.push((*process, *is_send, seq));
    }
    // A process has one line only, so the lines of one are joined.
    let mut by_process: BTreeMap<u64, String> = BTreeMap::new();
    for line in lines.lines() {
        let (process, text) = (line[1..2].parse().unwrap(), &line[4..]);
        let own = by_process.entry(process).or_insert_with(|| format!("p{process}: "));
        let missing = (text.chars().count() + 4).saturating_sub(own.chars().count());
        let tail: String = text.chars().skip(text.chars().count() - missing).collect();
        own.push_str(&tail);
    }
    (by_process.into_values().map(|line| format!("{line}\n")).collect(), told)
}

proptest! {
    /// The rules as they are written in the table, each over all pairs of operations of a session.
    #[test]
    fn the_marks_find_what_all_pairs_find(sequence in sequence()) {
        let (picture, told) = drawn(&sequence);
        let result = judge(&picture);
        let broken = |first_sends: bool, second_sends: bool, allowed_equal: bool| {
            let breaks = |(at, (process, sends, seq)): (usize, &(u64, bool, u64))| {
                *sends == second_sends
                    && told[..at].iter().any(|(other, other_sends, before)| {
                        other == process && *other_sends == first_sends
                            && if allowed_equal { before > seq } else { before >= seq }
                    })
            };
            told.iter().enumerate().filter(|pair| breaks(*pair)).count() as u64
        };
        prop_assert_eq!(result.counts["monotonic-reads"], broken(false, false, true), "{}", picture);
        prop_assert_eq!(result.counts["read-your-writes"], broken(true, false, true), "{}", picture);
        prop_assert_eq!(result.counts["monotonic-writes"], broken(true, true, false), "{}", picture);
        prop_assert_eq!(result.counts["writes-follow-reads"], broken(false, true, false), "{}", picture);
    }
}

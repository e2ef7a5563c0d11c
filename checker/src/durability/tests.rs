use super::*;
use crate::history::timeline;
use crate::verdict::Verdict;

fn result(picture: &str) -> CheckResult {
    check(&timeline::parse(picture).unwrap(), &Limits::none())
}

/// The counts that are not zero.
fn counts(result: &CheckResult) -> Vec<(&str, u64)> {
    COUNTS.iter().map(|name| (*name, result.counts[*name])).filter(|(_, count)| *count > 0).collect()
}

#[track_caller]
fn violated(picture: &str, kind: AnomalyKind, sentence: &str) -> CheckResult {
    let result = result(picture);
    let told: Vec<_> = result.anomalies.iter().map(|a| (a.kind, a.sentence.as_str())).collect();
    assert_eq!(told, [(kind, sentence)]);
    assert_eq!((result.verdict, result.anomalies_total), (Verdict::Invalid, 1));
    result
}

#[test]
fn everything_acknowledged_is_still_there() {
    let result = result(
        "p0: |-send a=1-|  |-send b-?
         p1: |-send c=2-|  |-send d-!
         p2:                             |-final-read [a c b]-|
         p3:                             |-final-read 0+2 [a c]/3-|  |-final-read 2+2 [b]-|",
    );
    assert_eq!(result.verdict, Verdict::Valid, "{:?}", result.reason);
    assert_eq!(counts(&result), [("attempts", 4), ("acknowledged", 2), ("recovered", 1), ("final-reads", 3)]);
}

#[test]
fn an_acknowledged_message_that_no_final_read_shows_is_lost() {
    let result = violated(
        "p0@n1: |-send a=1-|  |-send b=2-|  |-read [a b]-|
         p1@n2:                                             |-final-read [a]-|
         p2@n3:                                             |-final-read [a]-|",
        AnomalyKind::Lost,
        "send b was acknowledged at 0.032 s as number 2; the final read by client 1 on n2 began at 0.051 s \
         and ended at number 1 without it, and no final read shows it",
    );
    assert_eq!(counts(&result)[2], ("lost", 1));
}

#[test]
fn a_message_whose_number_another_one_has_is_lost_too() {
    violated(
        "p0: |-send a=1-|  |-send b=1-|
         p1:                            |-final-read [b]-|",
        AnomalyKind::Lost,
        "send a was acknowledged at 0.015 s as number 1; the final read by client 1 began at 0.031 s and \
         shows only number 1, and no final read shows it",
    );
}

#[test]
fn a_message_that_only_some_nodes_show_is_missing() {
    let result = violated(
        "p0@n1: |-send a=1-|
         p1@n2:              |-final-read [a]-|
         p2@n3:              |-final-read []-|",
        AnomalyKind::StaleRead,
        "send a was acknowledged at 0.018 s as number 1; the final read by client 2 on n3 began at 0.020 s \
         and ended at number 0 without it; the final read by client 1 on n2, which ended at 0.037 s, shows it",
    );
    assert_eq!(counts(&result)[2], ("missing", 1));
}

#[test]
fn a_final_page_that_was_cut_short_covers_what_it_shows() {
    let sends = "p0: |-send a=1-|  |-send b=2-|  |-send c=3-|";
    let continued = format!("{sends}  |-final-read 0+9 [a b]/3-|  |-final-read 2+9 [c]-|");
    assert_eq!(result(&continued).verdict, Verdict::Valid);
    let broken_off = result(&format!("{sends}  |-final-read 0+9 [a b]/3-|"));
    assert_eq!((broken_off.verdict, broken_off.counts["unread"]), (Verdict::Unknown, 1));
    let lost = result(&format!("{sends}  |-final-read 0+9 [a b]/3-|  |-final-read 2+9 []/3-|"));
    assert_eq!((lost.verdict, lost.counts["lost"]), (Verdict::Invalid, 1));
}

#[test]
fn what_should_not_be_there_is_named() {
    violated(
        "p0: |-send a=1-|  |-send b-!
         p1:                           |-final-read [a b]-|",
        AnomalyKind::AbortedRead,
        "send b failed at 0.027 s, so it never happened, but the final read by client 1 shows it as number 2",
    );
    violated(
        "p0: |-send a=1-|
         p1:              |-final-read [a x]-|",
        AnomalyKind::Phantom,
        "the final read by client 1 shows message x as number 2, which nobody has sent to this conversation",
    );
    violated(
        "p0: |-send a=1-|
         p1:              |-final-read [a a]-|",
        AnomalyKind::Duplicate,
        "the final read by client 1 shows message a twice, as number 1 and as number 2",
    );
}

#[test]
fn without_the_evidence_it_is_unknown() {
    let reason = |picture: &str| {
        let result = result(picture);
        assert_eq!(result.verdict, Verdict::Unknown);
        result.reason.unwrap()
    };
    assert_eq!(reason(""), "nothing to check: no message was sent");
    assert_eq!(
        reason("p0: |-send a=1-|  |-read []-|  |-final-read-?"),
        "no final read succeeded, so nobody knows what is left"
    );
    assert_eq!(reason("p0: |-send a-!  |-final-read []-|"), "nothing to check: no message was acknowledged");
    assert_eq!(
        reason("p0: |-send a=1-|  |-send b=2-|  |-final-read 0+1 [a]/2-|"),
        "acknowledged, but not covered by any final read: 1"
    );
    assert_eq!(
        reason("p0: |-send a=1-|\np1: |-final-read []-|"),
        "acknowledged, but not covered by any final read: 1",
        "a final read that overlaps the send proves nothing"
    );
    assert_eq!(
        reason("p0: |-send a=1-|  |-send a=2-|  |-send b=3-|  |-final-read [a a b]-|"),
        "message `a` is sent twice: ids must be unique"
    );
    let picture = timeline::parse("p0: |-send a=1-|  |-final-read [a]-|").unwrap();
    let result = check(&picture, &Limits { steps: 1, ..Limits::none() });
    assert_eq!(result.reason.as_deref(), Some("the limit of 1 steps was reached"));
}

#[test]
fn a_violation_outweighs_missing_evidence_and_only_the_worst_are_drawn() {
    let sends: Vec<String> = (1..=20).map(|n| format!("|-send m{n}={n}-|")).collect();
    let picture = format!("p0: {}  |-final-read 0+10 []/10-|", sends.join("  "));
    let result = result(&picture);
    assert_eq!(result.verdict, Verdict::Invalid);
    assert_eq!((result.counts["lost"], result.counts["unread"]), (20, 0));
    assert_eq!((result.anomalies.len(), result.anomalies_total), (ANOMALIES_MAX, 20));
}

mod differential;

use super::*;
use crate::history::timeline;
use crate::model::register::NilRead;

fn judge(picture: &str, semantics: Semantics) -> Findings {
    register(&timeline::parse(picture).unwrap(), semantics, &Limits::none())
}

fn valid(picture: &str) {
    let findings = judge(picture, Semantics::default());
    assert_eq!((findings.anomalies, findings.doubts), (vec![], vec![]), "{picture}");
}

/// Expects one anomaly of a kind, with so many operations, and this sentence.
fn invalid(picture: &str, kind: AnomalyKind, operations: usize, sentence: &str) {
    let findings = judge(picture, Semantics::default());
    let [anomaly] = &findings.anomalies[..] else { panic!("{:?} in {picture}", findings.anomalies) };
    assert_eq!((anomaly.kind, anomaly.sentence.as_str()), (kind, sentence), "{picture}");
    assert_eq!(anomaly.operations.len(), operations, "{}", anomaly.drawing);
}

#[test]
fn what_agrees_with_real_time_is_valid() {
    valid("p0: |-get null-| |-write 1-| |-get 1-| |-cas 1 2-| |-get 2-|");
    // The write takes effect at any point of its interval, and the two reads order it.
    valid(
        "p0: |-write 1------------------|
         p1:    |-get null-| |-get 1-|",
    );
    // A write of which nobody knows the outcome may take effect late, or never.
    valid(
        "p0: |-write 1-?
         p1:             |-get null-| |-get 1-|",
    );
    valid(
        "p0: |-write 1-?
         p1:             |-get null-| |-get null-|",
    );
    // Registers are independent of each other.
    valid("p0: |-write 1 @x-| |-get null @y-| |-get 1 @x-|");
    // What failed did not happen.
    valid("p0: |-write 1-| |-write 2-! |-cas 1 3-! |-get 1-|");
}

#[test]
fn a_cas_that_met_a_conflict_saw_another_value() {
    valid("p0: |-write 1-| |-cas 2 3 (conflict: it is version 1)-! |-get 1-|");
    valid("p0: |-write 1-| |-cas 1 3 (no-leader: n2 leads)-! |-get 1-|");
    let wrong =
        judge("p0: |-write 1-| |-cas 1 3 (conflict: it is version 1)-! |-get 1-|", Semantics::default());
    assert_eq!(wrong.anomalies.len(), 1, "the value was the expected one: {:?}", wrong.anomalies);
}

#[test]
fn a_stale_read_is_told_with_what_it_missed_and_where_it_came_from() {
    invalid(
        "p0: |-write 1-| |-write 2-|
         p1:                          |-get 1-|",
        AnomalyKind::StaleRead,
        3,
        "`read x: 1` of client 1 began at 0.029 s, after `write x 2: ok` of client 0 had completed at 0.026 s, and \
         nothing could set it to 1 after that",
    );
    invalid(
        "p0: |-write 1-|
         p1:             |-get null-|",
        AnomalyKind::StaleRead,
        2,
        "`read x: null` of client 1 began at 0.016 s, after `write x 1: ok` of client 0 had completed at 0.014 s, \
         and nothing could set it to null after that",
    );
}

#[test]
fn a_contradiction_is_found_in_a_crowd() {
    // Everything around it is fine and is not shown.
    invalid(
        "p0: |-write 1-| |-write 2-|  |-get 2-| |-write 3-| |-get 3-|            |-write 4-| |-get 4-|
         p1:    |-get null-|  |-get 1-|                |-get 3-|     |-get 3-|    |-get 3-|
         p2:                                                            |-get 2-|",
        AnomalyKind::StaleRead,
        3,
        "`read x: 2` of client 2 began at 0.063 s, after `write x 3: ok` of client 0 had completed at 0.049 s, and \
         nothing could set it to 2 after that",
    );
}

#[test]
fn values_from_nowhere_and_from_failures_are_told_apart() {
    invalid(
        "p0: |-get 7-|",
        AnomalyKind::Phantom,
        1,
        "`read x: 7` of client 0 saw 7, which nobody ever wrote",
    );
    invalid(
        "p0: |-get 7-| |-write 7-|",
        AnomalyKind::Phantom,
        2,
        "`read x: 7` of client 0 saw 7 before `write x 7: ok` of client 0 was the first to write it",
    );
    invalid(
        "p0: |-write 7 (no-leader)-! |-get 7-|",
        AnomalyKind::AbortedRead,
        2,
        "`read x: 7` of client 0 saw 7, which only operations that failed wrote",
    );
}

#[test]
fn two_cas_from_one_value_lose_an_update() {
    invalid(
        "p0: |-write 1-|
         p1:             |-cas 1 2-|
         p2:               |-cas 1 3-|",
        AnomalyKind::LostUpdate,
        2,
        "`cas x 1 to 2: ok` of client 1 and `cas x 1 to 3: ok` of client 2 both replaced 1, which was there only once",
    );
}

#[test]
fn the_switches_decide_what_a_failed_cas_and_a_nil_read_prove() {
    let failed_cas = "p0: |-write 1-| |-cas 1 2-!";
    valid(failed_cas);
    let differed = Semantics { failed_cas: FailedCas::ValueDiffered, ..Semantics::default() };
    assert_eq!(judge(failed_cas, differed).anomalies.len(), 1);
    // An error says that it was not the value.
    assert_eq!(judge("p0: |-write 1-| |-cas 1 2 (no-leader)-!", differed).anomalies, vec![]);

    let nil_read = "p0: |-write 1-| |-get null-| |-get 1-|";
    assert_eq!(judge(nil_read, Semantics::default()).anomalies.len(), 1);
    let unknown = Semantics { initially: Initially::Unknown, ..Semantics::default() };
    for (picture, initially_nil, initially_unknown) in [
        ("p0: |-get 1-| |-write 2-| |-get 2-|", 1, 0),
        // The value at the start may be one that is written later too.
        ("p0: |-get 1-| |-write 1-| |-get 1-|", 1, 0),
        ("p0: |-get 1-| |-get 2-|", 1, 1),
        ("p0: |-write 2-| |-get 1-|", 1, 1),
        // Nor need anybody speak of it.
        ("p0: |-cas null null (conflict)-! |-cas null 1 (conflict)-!", 1, 0),
    ] {
        let found =
            [Semantics::default(), unknown].map(|semantics| judge(picture, semantics).anomalies.len());
        assert_eq!(found, [initially_nil, initially_unknown], "{picture}");
    }
    let anything = Semantics { nil_read: NilRead::Anything, ..Semantics::default() };
    assert_eq!(judge(nil_read, anything).anomalies, vec![]);
}

#[test]
fn a_limit_makes_the_verdict_unknown_and_says_how_far_it_came() {
    let history = timeline::parse(
        "p0: |-write 1 @x-| |-write 2 @x-| |-write 1 @x-| |-write 2 @x-| |-write 1 @x-| |-write 2 @x-| |-write 1 @x-|
         p1: |-get 2 @y-|",
    )
    .unwrap();
    let findings = register(&history, Semantics::default(), &Limits { steps: 12, ..Limits::none() });
    assert_eq!(
        findings.doubts,
        [
            "the limit of 12 steps was reached when an order was found for 6 of the 7 completed operations on `x`; the \
             next to complete is `write x 1: ok` of client 0, at 0.107 s"
        ]
    );
    // The other register needed less, and its violation is not hidden.
    assert_eq!(findings.anomalies.len(), 1, "{:?}", findings.anomalies);
    let findings = register(&history, Semantics::default(), &Limits { expired: &|| true, ..Limits::none() });
    assert_eq!(findings.doubts, ["the time limit was reached before any register was judged"]);
    let findings = register(&history, Semantics::default(), &Limits { memory: 100, ..Limits::none() });
    assert!(findings.doubts[0].starts_with("the limit of 100 bytes of memory was reached"), "{findings:?}");
}

#[test]
fn what_no_register_knows_may_change_what_is_read() {
    let strange = "p0: |-add 1 @x-|  |-acquire @x-|  |-get 5 @x-|";
    let findings = judge(strange, Semantics::default());
    assert_eq!((findings.anomalies, findings.keys), (vec![], 0));
    let elsewhere = "p0: |-add 1 @x-|  |-acquire @x-|  |-get 5 @y-|";
    assert_eq!(judge(elsewhere, Semantics::default()).anomalies.len(), 1);
}

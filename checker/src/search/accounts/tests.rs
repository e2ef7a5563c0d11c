use super::*;
use crate::history::timeline;

fn judge(picture: &str) -> Findings {
    accounts(&timeline::parse(picture).unwrap(), Initially::Unknown, &Limits::none())
}

fn valid(picture: &str) {
    let findings = judge(picture);
    assert_eq!((findings.anomalies, findings.doubts), (vec![], vec![]), "{picture}");
}

/// Expects one anomaly of a kind, with so many operations, and this sentence.
fn invalid(picture: &str, kind: AnomalyKind, operations: usize, sentence: &str) {
    let findings = judge(picture);
    let [anomaly] = &findings.anomalies[..] else { panic!("{:?} in {picture}", findings.anomalies) };
    assert_eq!((anomaly.kind, anomaly.sentence.as_str()), (kind, sentence), "{picture}");
    assert_eq!(anomaly.operations.len(), operations, "{}", anomaly.drawing);
}

#[test]
fn a_name_may_be_created_deleted_and_created_again() {
    valid(
        "p0: |-create al-| |-login al-| |-delete-account al-| |-login al (not-found)-! |-create al-| |-login al-|
         p1: |-list [al]-|              |-create al (exists: al)-!                                 |-list [al]-|",
    );
}

#[test]
fn nobody_need_know_what_was_there_before() {
    valid("p0: |-login al-| |-create bo (exists)-! |-delete-account cy-| |-list [al bo]-|");
    let picture = "p0: |-login al-|";
    let history = timeline::parse(picture).unwrap();
    let findings = accounts(&history, Initially::Absent, &Limits::none());
    assert_eq!(findings.anomalies.len(), 1);
}

#[test]
fn what_may_have_happened_explains_what_is_seen() {
    valid(
        "p0: |-create al-?
         p1:               |-login al (not-found)-! |-login al-|",
    );
    valid(
        "p0: |-create al-| |-delete-account al-?
         p1:                                     |-login al-| |-create al-| |-login al-|",
    );
    // A refusal for another reason proves nothing about the name.
    valid(
        "p0: |-create al-| |-login al (wrong-password)-! |-create al (no-leader)-! |-login al (not-authenticated)-!",
    );
}

#[test]
fn a_name_is_created_once() {
    invalid(
        "p0: |-create al-|
         p1:   |-create al-|",
        AnomalyKind::DuplicateCreate,
        2,
        "`al` was created while it existed: `create al: ok` of client 0 and `create al: ok` of client 1 overlap, and \
         nobody deleted it",
    );
    invalid(
        "p0: |-create bo-| |-create al-|                |-delete-account al-?
         p1:                             |-create al-|",
        AnomalyKind::DuplicateCreate,
        2,
        "`al` was created while it existed: `create al: ok` of client 1 began at 0.032 s, after `create al: ok` of \
         client 0 had completed at 0.030 s, and nobody deleted it in between",
    );
}

#[test]
fn an_account_that_is_missing_for_a_while_is_stale_and_for_ever_is_lost() {
    let missing = "`log in al: failed, not-found` of client 1 began at 0.017 s, after `create al: ok` of client 0 had \
                   completed at 0.016 s, and nobody deleted `al` in between";
    invalid(
        "p0: |-create al-|                              |-login al-|
         p1:              |-login al (not-found)-!",
        AnomalyKind::StaleRead,
        2,
        missing,
    );
    invalid(
        "p0: |-create al-|                              |-list []-| |-create al-| |-login al-|
         p1:              |-login al (not-found)-!",
        AnomalyKind::Lost,
        2,
        missing,
    );
}

#[test]
fn a_list_speaks_for_each_name_it_covers() {
    invalid(
        "p0: |-create al-| |-create bo-| |-list [bo]-| |-list [al bo]-|",
        AnomalyKind::StaleRead,
        2,
        "`list accounts: [bo]` of client 0 began at 0.032 s, after `create al: ok` of client 0 had completed at \
         0.016 s, and nobody deleted `al` in between",
    );
    valid("p0: |-create al-| |-create bo-| |-list after al [bo]-| |-list limit 1 [al]-|");
}

#[test]
fn a_creation_that_failed_must_not_show() {
    invalid(
        "p0: |-login al (not-found)-! |-create al (no-leader)-! |-login al-|",
        AnomalyKind::AbortedRead,
        3,
        "`log in al: ok` of client 0 began at 0.055 s, after `log in al: failed, not-found` of client 0 had completed \
         at 0.027 s, and in between creating `al` had only failed",
    );
}

#[test]
fn a_page_that_was_not_asked_for_is_an_anomaly() {
    invalid(
        "p0: |-create al-| |-list [bo al]-|",
        AnomalyKind::WrongPage,
        1,
        "in the answer to client 0, `al` was listed after `bo`, though names are in ascending order",
    );
}

#[test]
fn names_are_judged_apart() {
    let findings = judge("p0: |-create al-| |-create al-| |-create bo-| |-create bo-| |-create cy-|");
    assert_eq!((findings.anomalies.len(), findings.operations, findings.keys), (2, 5, 3));
    assert_eq!(findings.anomalies_total, 2);
}

#[test]
fn lists_count_against_the_limits() {
    let history = timeline::parse("p0: |-list [al]-| |-list [al bo]-| |-list [al bo cy]-|").unwrap();
    let findings = accounts(&history, Initially::Unknown, &Limits { steps: 2, ..Limits::none() });
    assert_eq!(
        findings.doubts,
        ["the limit of 2 steps was reached before `al` was judged; 2 more are undecided"]
    );
    let findings = accounts(&history, Initially::Unknown, &Limits { expired: &|| true, ..Limits::none() });
    assert_eq!(findings.doubts, ["the time limit was reached before any account was judged"]);
}

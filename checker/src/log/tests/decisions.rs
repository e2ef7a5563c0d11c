//! Each kind of contradiction, drawn.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::anomaly::AnomalyKind;
use crate::findings::Findings;
use crate::history::timeline;
use crate::limits::Limits;

fn findings(picture: &str) -> Findings {
    super::super::check(&timeline::parse(picture).unwrap(), &Limits::none())
}

pub(super) fn kinds(picture: &str) -> Vec<AnomalyKind> {
    findings(picture).anomalies.iter().map(|anomaly| anomaly.kind).collect()
}

#[track_caller]
pub(super) fn valid(picture: &str) {
    let findings = findings(picture);
    assert_eq!(findings.anomalies, []);
    assert_eq!(findings.doubts, Vec::<String>::new());
}

/// The only anomaly is of this kind, and is told in these words.
#[track_caller]
pub(super) fn invalid(picture: &str, kind: AnomalyKind, sentence: &str) {
    let findings = findings(picture);
    let told: Vec<_> = findings.anomalies.iter().map(|a| (a.kind, a.sentence.as_str())).collect();
    assert_eq!(told, [(kind, sentence)]);
}

#[test]
fn what_one_log_explains_is_valid() {
    valid("p0: |-send a=1-|  |-read [a]-|  |-read <2+5 [a]-|  |-read 1+5 []-|");
    valid(
        "p0: |-send a=2-----------------|  |-read [b a]-|
         p1:    |-send b=1-|  |-read [b]-|",
    );
    // A read that overlaps a send may or may not see it.
    valid(
        "p0: |-send a=1-------------------------|
         p1:    |-read [a]-|
         p2:                |-read 0+0 []/1-|",
    );
}

#[test]
fn a_send_of_unknown_outcome_may_appear_late_or_never() {
    valid(
        "p0: |-send a-?
         p1:              |-read []-|  |-send b=1-|  |-read [b a]-|",
    );
    valid(
        "p0: |-send a-?
         p1:              |-read []-|  |-send b=1-|",
    );
    valid(
        "p0: |-send a->
         p1:              |-send b=2-|",
    );
}

#[test]
fn a_number_that_nobody_can_hold_is_a_hole() {
    invalid(
        "p0: |-send a-!
         p1:              |-send b=2-|",
        AnomalyKind::Hole,
        "send b was acknowledged at 0.028 s as number 2, but nothing can be number 1: every send that had begun has \
         another number or failed",
    );
    // The send of unknown outcome began too late to be number 1.
    invalid(
        "p0:              |-send a-?
         p1: |-send b-?
         p2:                          |-send c=4-|  |-send d=5-|",
        AnomalyKind::Hole,
        "send c was acknowledged at 0.040 s as number 4, but no more than 3 had been sent by then",
    );
}

#[test]
fn a_read_that_misses_what_later_reads_show_is_stale() {
    invalid(
        "p0@n1: |-send a=1-|
         p1@n2:              |-read []-|  |-read [a]-|",
        AnomalyKind::StaleRead,
        "send a was acknowledged at 0.018 s as number 1; the read by client 1 on n2 began at 0.020 s and \
         ended at number 0 without it; the read by client 1 on n2, which ended at 0.044 s, shows it",
    );
    // What one read has shown, every later one must show.
    invalid(
        "p0: |-send a->
         p1:   |-read [a]-|
         p2:                |-read []-|
         p3:                            |-read [a]-|",
        AnomalyKind::StaleRead,
        "message a was shown as number 1 at 0.017 s by the read by client 1; the read by client 2 began at \
         0.019 s and ended at number 0 without it",
    );
    // A page that shows no message still tells the head.
    invalid(
        "p0: |-send a-?
         p1:              |-read 5+1 []/1-|  |-read 5+1 []/0-|",
        AnomalyKind::StaleRead,
        "the read by client 1, which ended at 0.033 s, shows the conversation up to number 1; the read by client 1 \
         began at 0.036 s and ended at number 0 without it",
    );
}

#[test]
fn the_clearest_stale_read_is_told_first() {
    // What the second one misses had been known for longer.
    let told = findings(
        "p0: |-send a=1-|
         p1:              |-read []-|   |-read []-|
         p2:                                         |-read [a]-|",
    );
    let first = &told.anomalies[0];
    assert_eq!((told.anomalies_total, first.margin_ns, first.operations.len()), (2, Some(16_000_000), 3));
    assert!(first.sentence.contains("began at 0.031 s"), "{}", first.sentence);
    // That there is a number 2 was known before the read began, and that a is number 1 only afterwards.
    invalid(
        "p0: |-send a=1----------------------------|
         p1:    |-send b=2-|
         p2:                  |-read []-|
         p3:                                          |-read [a b]-|",
        AnomalyKind::StaleRead,
        "send b was acknowledged at 0.018 s as number 2; the read by client 2 began at 0.021 s and ended at \
         number 0 without it; the read by client 3, which ended at 0.058 s, shows it",
    );
}

#[test]
fn what_no_later_read_shows_is_lost() {
    invalid(
        "p0@n1: |-send a=1-|
         p1@n2:              |-read []-|  |-final-read []-|",
        AnomalyKind::Lost,
        "send a was acknowledged at 0.018 s as number 1; the read by client 1 on n2 began at 0.020 s and \
         ended at number 0 without it, and no later read shows it, up to the final read by client 1 on n2",
    );
    // Its number goes to another message; that is the same misfortune, not another.
    invalid(
        "p0: |-send a=1-|
         p1:               |-read [a]-|               |-send b=1-|
         p2:                            |-read []-|                 |-read [b]-|",
        AnomalyKind::Lost,
        "send a was acknowledged at 0.015 s as number 1; the read by client 2 began at 0.031 s and ended at \
         number 0 without it, and no later read shows it, up to the read by client 2",
    );
}

#[test]
fn a_gap_in_a_page_is_a_loss_or_a_stale_read() {
    let sends = "p0: |-send a=1-|  |-send b=2-|  |-send c=3-|\n";
    assert_eq!(kinds(&format!("{sends}p1: {:50}|-read [1:a 3:c]-|", "")), [AnomalyKind::Lost]);
    assert_eq!(
        kinds(&format!("{sends}p1: {:50}|-read [1:a 3:c]-|  |-read [a b c]-|", "")),
        [AnomalyKind::StaleRead]
    );
    // Nobody knows of any number 2.
    invalid(
        "p0: |-send a-?
         p1: |-send b-?
         p2: |-send c-?
         p3:             |-read [1:a 3:c]-|",
        AnomalyKind::WrongPage,
        "the read by client 3 asked for at most 100 messages after number 0 and ended at number 3, but the page \
         leaves out number 2",
    );
}

#[test]
fn a_final_read_elsewhere_means_that_it_is_not_lost() {
    assert_eq!(
        kinds(
            "p0@n1: |-send a=1-|
             p1@n2:              |-final-read [a]-|
             p2@n3:                                  |-final-read []-|"
        ),
        [AnomalyKind::StaleRead]
    );
}

#[test]
fn one_number_for_two_messages_is_a_conflict() {
    invalid(
        "p0@n1: |-send a=1-|
         p1@n2:   |-send b=1-|",
        AnomalyKind::Conflict,
        "number 1 is two messages: a by the acknowledgement to client 0 on n1, and b by the acknowledgement \
         to client 1 on n2",
    );
    // A fork: each side keeps its own, to the end.
    assert_eq!(
        kinds(
            "p0@n1: |-send a=1-|               |-final-read [a]-|
             p1@n2:   |-send b=1-|                                  |-final-read [b]-|"
        ),
        [AnomalyKind::Conflict]
    );
}

#[test]
fn one_message_with_two_numbers_is_a_duplicate_or_has_moved() {
    invalid(
        "p0: |-send a=1-|
         p1: |-send b-?
         p2:               |-read [a a]-|",
        AnomalyKind::Duplicate,
        "the read by client 2 shows message a twice on one page, as number 1 and as number 2",
    );
    // On two pages that never meet.
    invalid(
        "p0: |-send a=1-|
         p1: |-send b-?
         p2:               |-read 0+1 [a]/2-|  |-read 1+1 [a]-|",
        AnomalyKind::Duplicate,
        "message a stands in the conversation twice: the acknowledgement to client 0 says number 1, the read by \
         client 2 says number 2, and no page has anything else there",
    );
    invalid(
        "p0: |-send a=1-|
         p1: |-send b-?
         p2:               |-read [b a]-|  |-read [b a]-|",
        AnomalyKind::Moved,
        "send a was acknowledged at 0.015 s as number 1, but the read by client 2, which ended at 0.031 s, says \
         number 2",
    );
}

#[test]
fn a_refused_message_that_appears_is_an_aborted_read() {
    invalid(
        "p0: |-send a-!
         p1:             |-read [a]-|",
        AnomalyKind::AbortedRead,
        "send a failed at 0.013 s, so it never happened, but the read by client 1 shows it as number 1",
    );
    assert_eq!(
        kinds(
            "p0: |-send a--------------------!
             p1:             |-read [a]-|"
        ),
        [AnomalyKind::AbortedRead]
    );
}

#[test]
fn a_message_that_nobody_sent_is_a_phantom() {
    invalid(
        "p0: |-send a=1-|
         p1:              |-read [x]-|  |-read [a]-|",
        AnomalyKind::Phantom,
        "the read by client 1 shows message x as number 1, which nobody has sent",
    );
    invalid(
        "p0:                |-send a=1-|
         p1: |-read [a]-|",
        AnomalyKind::Phantom,
        "the read by client 1, which ended at 0.015 s, shows message a as number 1, but its send began only at \
         0.019 s",
    );
}

#[test]
fn a_message_of_another_conversation_is_in_the_wrong_one() {
    invalid(
        "p0: |-send a=1 @x-|
         p1:                 |-read [a] @y-|",
        AnomalyKind::WrongConversation,
        "message a was sent to conversation x, but the read by client 1 shows it in y as number 1",
    );
}

#[test]
fn a_number_proven_before_the_send_is_a_late_append() {
    invalid(
        "p0: |-send a-?
         p1:             |-send b=2-|
         p2:                          |-send c=1-|",
        AnomalyKind::LateAppend,
        "send b was acknowledged at 0.027 s as number 2; send c began at 0.029 s but got number 1",
    );
}

#[test]
fn a_page_must_be_the_one_asked_for() {
    let page = |read: &str| format!("p0: |-send a=1-|  |-send b=2-|  |-send c=3-|\np1: {:46}|-{read}-|", "");
    valid(&page("read 1+1 [b]/3"));
    invalid(
        &page("read 1+1 [b c]/3"),
        AnomalyKind::OverlongPage,
        "the read by client 1 asked for at most 1 message after number 1 and ended at number 3, but 2 came",
    );
    invalid(
        &page("read 1+2 [1:a b]/3"),
        AnomalyKind::WrongPage,
        "the read by client 1 asked for at most 2 messages after number 1 and ended at number 3, but the page shows \
         number 1",
    );
    invalid(
        &page("read 1+9 [1:a b c]/3"),
        AnomalyKind::WrongPage,
        "the read by client 1 asked for at most 9 messages after number 1 and ended at number 3, but the page shows \
         number 1",
    );
    invalid(
        &page("read [2:b 1:a 3:c]"),
        AnomalyKind::WrongPage,
        "the read by client 1 asked for at most 100 messages after number 0 and ended at number 3, but the page \
         shows number 1 after 2",
    );
    invalid(
        "p0: |-send a-?
         p1: |-send b-?
         p2:             |-read [a b]/1-|",
        AnomalyKind::WrongHead,
        "the read by client 2 asked for at most 100 messages after number 0 and ended at number 1, but the page \
         shows number 2",
    );
}

#[test]
fn a_page_may_be_cut_short_but_not_to_nothing() {
    let page = |read: &str| format!("p0: |-send a=1-|  |-send b=2-|  |-send c=3-|\np1: {:46}|-{read}-|", "");
    valid(&page("read [a]/3"));
    valid(&page("read 1+9 [b]/3"));
    valid(&page("read <3+9 [2:b]/3"));
    invalid(
        &page("read <3+9 [1:a]/3"),
        AnomalyKind::Lost,
        "send b was acknowledged at 0.029 s as number 2; the read by client 1 began at 0.050 s and shows only \
         number 1, and no later read shows it",
    );
    assert_eq!(kinds(&page("read 1+9 [3:c]/3")), [AnomalyKind::Lost]);
    assert_eq!(kinds(&page("read 2+9 []/3")), [AnomalyKind::Lost]);
    // What it does not show, it proves all the same: there are three.
    assert_eq!(kinds(&page("read [a]/3-|  |-read [a b]")), [AnomalyKind::Lost]);
}

#[test]
fn an_id_that_is_sent_twice_proves_nothing() {
    let findings = findings("p0: |-send a=1-|  |-send a=2-|  |-send b=1-|");
    assert_eq!(findings.anomalies, []);
    assert_eq!(findings.doubts, ["message `a` is sent twice, at index 0 and 2: ids must be unique"]);
    // What was proven before stands.
    assert_eq!(kinds("p0: |-send a=1-|  |-read []-|  |-send a=1-|"), [AnomalyKind::Lost]);
}

#[test]
fn a_limit_that_is_hit_is_a_doubt_and_hides_no_violation() {
    let picture = "p0: |-send a=1-|  |-read []-|  |-send b=2-|  |-read [a b]-|";
    let limits = Limits { steps: 5, ..Limits::none() };
    let findings = super::super::check(&timeline::parse(picture).unwrap(), &limits);
    assert_eq!(findings.doubts, ["the limit of 5 steps was reached after 3 operations of conversations"]);
    assert_eq!(findings.anomalies[0].kind, AnomalyKind::StaleRead);
}

#[test]
fn when_the_time_is_over_the_violation_stands_without_its_story() {
    let messages = 4 * crate::limits::STEPS_PER_QUESTION;
    let sends: Vec<String> = (1..=messages).map(|n| format!("|-send m{n}={n}-|")).collect();
    let history = timeline::parse(&format!("p0: {}  |-read []-|", sends.join("  "))).unwrap();
    let asked = AtomicU64::new(0);
    // The walk takes two steps for each operation; the explanation gets no further than its first question.
    let walk = 2 * messages / crate::limits::STEPS_PER_QUESTION + 1;
    let expired = || asked.fetch_add(1, Ordering::Relaxed) >= walk;
    let findings = super::super::check(&history, &Limits { expired: &expired, ..Limits::none() });
    let told: Vec<_> = findings.anomalies.iter().map(|a| (a.kind, a.operations.len())).collect();
    assert_eq!((told, findings.doubts), (vec![(AnomalyKind::StaleRead, 2)], vec![]));
}

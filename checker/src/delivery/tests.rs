//! Small histories for each rule, and random ones that are bent.

mod random;

use super::*;
use crate::anomaly::AnomalyKind;
use crate::history::timeline;
use crate::verdict::Verdict;

fn result(picture: &str) -> CheckResult {
    let history = timeline::parse(picture).unwrap_or_else(|error| panic!("{error} in\n{picture}"));
    check(&history, &Limits::none())
}

#[track_caller]
fn valid(picture: &str) {
    let result = result(picture);
    assert_eq!((result.verdict, result.reason), (Verdict::Valid, None), "{picture}");
}

#[track_caller]
fn violated(picture: &str, kind: AnomalyKind, sentence: &str) {
    let result = result(picture);
    let told: Vec<_> = result.anomalies.iter().map(|a| (a.kind, a.sentence.as_str())).collect();
    assert_eq!(told, [(kind, sentence)]);
}

#[test]
fn everything_once_and_in_order_is_valid() {
    valid(
        "p0: |-send a=1 @al:bo-|  |-send b=1 @bo:cy-|  |-send c=2 @al:bo-|
         p1:        |-poll [] @bo-|
         p2:                                 |-poll by w [4/al:bo/1/a] @bo-|
         p3:                                                                  |-final-poll by w after 4 [6/bo:cy/1/b 9/al:bo/2/c] @bo-|
         p1:                                                                  |-final-poll [4/al:bo/1/a 6/bo:cy/1/b 9/al:bo/2/c] @bo-|
         p4:                                                                  |-final-poll [6/bo:cy/1/b] @cy-|",
    );
}

#[test]
fn a_message_may_be_delivered_before_its_send_is_answered_or_without_an_answer() {
    valid(
        "p0: |-send a=1----------------------------------------------|
         p1:    |-send b-?
         p2:               |-poll [3/k/1/a 4/k/2/b]-|  |-final-poll []-|",
    );
}

#[test]
fn a_message_that_was_passed_over_is_skipped() {
    violated(
        "p0@n1: |-send a=1-|  |-send b=2-|  |-send c=3-|
         p1@n2:                                           |-poll [2/k/1/a 7/k/3/c]-|  |-final-poll []-|",
        AnomalyKind::PollSkip,
        "the poll by client 1 on n2 delivered c as number 3 of k without number 2 (b, acknowledged at 0.032 s)",
    );
    // Also where the subscription was broken in between.
    violated(
        "p0@n1: |-send a=1-|  |-send b=2-|  |-send c=3-|
         p1@n2:              |-poll by w [2/k/1/a]-|
         p2@n3:                                           |-final-poll by w after 2 [7/k/3/c]-|",
        AnomalyKind::PollSkip,
        "the final poll by client 2 on n3 delivered c as number 3 of k without number 2 (b, acknowledged at 0.032 s)",
    );
}

#[test]
fn what_is_not_delivered_by_the_last_poll_is_a_lost_tail() {
    violated(
        "p0@n1: |-send a=1-|  |-send b=2-|  |-send c=3-|
         p1@n2:                                           |-poll [2/k/1/a]-|  |-final-poll []-|",
        AnomalyKind::LostTail,
        "the final poll by client 1 on n2 began at 0.069 s and was the last of its subscription, which never delivered \
         number 2 (b, acknowledged at 0.032 s) and 1 more behind it of k",
    );
    // A message of unknown outcome is due once somebody was shown it.
    violated(
        "p0: |-send a=1-|  |-send b-?
         p1:                           |-final-read [a b]-|
         p2:                           |-poll [2/k/1/a]-|    |-final-poll []-|",
        AnomalyKind::LostTail,
        "the final poll by client 2 began at 0.052 s and was the last of its subscription, which never delivered number \
         2 (b, shown at 0.049 s) of k",
    );
    // One that is acknowledged only while the last poll runs is not due.
    valid(
        "p0: |-send a=1-|  |-send b=2--------------------------------|\np1:               |-final-poll [2/k/1/a]-|",
    );
}

#[test]
fn a_subscription_that_is_not_drained_is_doubtful_and_hides_no_violation() {
    let send = "p0: |-send a=1-|  |-send b=2-|\n";
    let open = result(&format!("{send}p1:                             |-poll [2/k/1/a]-|"));
    assert_eq!(open.verdict, Verdict::Unknown);
    assert_eq!(
        open.reason.as_deref(),
        Some(
            "1 of 1 subscriptions do not end with a final poll that succeeded, so nobody knows whether the rest would \
             be delivered"
        )
    );
    assert_eq!(result(&format!("{send}p1:    |-final-poll [2/k/1/a]-?")).verdict, Verdict::Unknown);
    let skipped = result(&format!("{send}p1:                             |-poll [3/k/2/b]-|"));
    assert_eq!((skipped.verdict, skipped.counts["skipped"]), (Verdict::Invalid, 1));
}

#[test]
fn a_delivery_that_comes_again_is_a_duplicate() {
    violated(
        "p0: |-send a=1-|
         p1@n1:            |-poll [2/k/1/a]-|  |-final-poll [2/k/1/a]-|",
        AnomalyKind::DuplicateDelivery,
        "the final poll by client 1 on n1 delivered a as number 1 of k again, which the poll by client 1 on n1 had \
         delivered at 0.035 s",
    );
    violated(
        "p0: |-send a=1-|
         p1:            |-final-poll [2/k/1/a 2/k/1/a]-|",
        AnomalyKind::DuplicateDelivery,
        "the final poll by client 1 delivered a as number 1 of k again, which it had delivered before",
    );
    // A subscription that begins in the middle gets what is behind its cursor, not what is at it.
    violated(
        "p0: |-send a=1-|
         p1:            |-final-poll [2/k/1/a]-|
         p2:                                       |-final-poll after 2 [2/k/1/a]-|",
        AnomalyKind::DuplicateDelivery,
        "the final poll by client 2 was to go on after cursor 2 and delivered a as number 1 of k with cursor 2",
    );
    // Whoever goes back on purpose gets it again.
    valid(
        "p0: |-send a=1-|
         p1:              |-poll [2/k/1/a]-|  |-final-poll after 0 [2/k/1/a]-|",
    );
}

#[test]
fn a_subscription_does_not_go_back() {
    let sends = "p0: |-send a=1 @al:bo-|  |-send b=1 @bo:cy-|  |-send c=2 @al:bo-|\n";
    violated(
        &format!(
            "{sends}p1:                                                                  |-final-poll [6/bo:cy/1/b 4/al:bo/1/a 9/al:bo/2/c] @bo-|"
        ),
        AnomalyKind::NonmonotonicPoll,
        "the final poll by client 1 delivered a as number 1 of al:bo with cursor 4 after one with cursor 6",
    );
    let kinds = |picture: String| result(&picture).anomalies.iter().map(|a| a.kind).collect::<Vec<_>>();
    let swapped = format!(
        "{sends}p1:                                                                  |-final-poll [4/al:bo/2/c 9/al:bo/1/a] @al-|"
    );
    assert_eq!(kinds(swapped), [AnomalyKind::PollSkip, AnomalyKind::NonmonotonicPoll]);
}

#[test]
fn everybody_is_told_the_same() {
    let sends = "p0: |-send a=1-|  |-send b=2-|\n";
    violated(
        &format!(
            "{sends}p1:                             |-final-poll [2/k/1/a 4/k/2/b]-|\n\
                  p2:                             |-final-poll [2/k/1/a 5/k/2/b]---|"
        ),
        AnomalyKind::InconsistentCursor,
        "the final poll by client 2 delivered b as number 2 of k with cursor 5, and the final poll by client 1 with \
         cursor 4",
    );
    let swapped = result(&format!("{sends}p1:                             |-final-poll [2/k/1/b 4/k/2/a]-|"));
    assert_eq!((swapped.anomalies[0].kind, swapped.anomalies_total), (AnomalyKind::Conflict, 2));
    assert_eq!(
        swapped.reason.as_deref(),
        Some(
            "the final poll by client 1 delivered b as number 1 of k, but by the acknowledgement of a that number is a"
        )
    );
    let moved = result("p0: |-send a=1-|\np1:            |-final-poll [2/k/1/a 3/k/2/a]-|");
    assert_eq!(moved.anomalies[0].kind, AnomalyKind::Moved);
}

#[test]
fn only_what_was_sent_to_the_inbox_is_delivered() {
    violated(
        "p0: |-send a=1-|\np1:            |-final-poll [2/k/1/a 3/k/2/x]-|",
        AnomalyKind::Phantom,
        "the final poll by client 1 delivered x as number 2 of k, which nobody has sent",
    );
    violated(
        "p0: |-send a=1-|                                |-send b=2-|\np1:            |-final-poll [2/k/1/a 3/k/2/b]-|",
        AnomalyKind::Phantom,
        "the final poll by client 1 delivered b as number 2 of k, which was sent only later, at 0.048 s",
    );
    violated(
        "p0: |-send a=1-|  |-send b (invalid)-!\np1:                                       |-final-poll [2/k/1/a 3/k/2/b]-|",
        AnomalyKind::AbortedRead,
        "send b failed at 0.037 s, so it never happened, but the final poll by client 1 delivered b as number 2 of k",
    );
    violated(
        "p0: |-send a=1 @al:bo-|  |-send b=1 @cy:di-|\np1:                                              |-final-poll [2/al:bo/1/a 3/cy:di/1/b] @al-|",
        AnomalyKind::WrongConversation,
        "the final poll by client 1 delivered b as number 1 of cy:di, which is none of al's",
    );
    violated(
        "p0: |-send a=1 @al:bo-|  |-send b=1 @al:cy-|\np1:                                              |-final-poll [2/al:bo/1/a 3/al:bo/2/b 4/al:cy/1/b] @al-|",
        AnomalyKind::WrongConversation,
        "the final poll by client 1 delivered b as number 2 of al:bo, which was sent to al:cy",
    );
}

#[test]
fn who_begins_in_the_middle_misses_only_what_is_certainly_behind() {
    let sends = "p0: |-send a=1-|  |-send b=2-|\np1:              |-final-poll by w [2/k/1/a]-|                    |-final-poll by w after 2 [4/k/2/b]-|\n";
    // Number 1 is in front of the cursor, number 2 behind it.
    valid(&format!(
        "{sends}p2:                                                                                                       |-final-poll after 2 [4/k/2/b]-|"
    ));
    valid(&format!(
        "{sends}p2:                                                                                                       |-final-poll after 4 []-|"
    ));
    let missed = result(&format!(
        "{sends}p2:                                                                                                       |-final-poll after 2 []-|"
    ));
    assert_eq!((missed.verdict, missed.counts["lost"]), (Verdict::Invalid, 1));
    // Nobody was told of it, but it was sent after the cursor had been seen.
    let unseen = result(
        "p0: |-send a=1-|                        |-send b=2-|
         p1:              |-poll [2/k/1/a]-|                      |-final-poll [4/k/2/b]-|
         p2:                                                      |-final-poll after 2 []-|",
    );
    assert_eq!((unseen.verdict, unseen.counts["lost"]), (Verdict::Invalid, 1));
}

#[test]
fn what_cannot_be_judged_is_said() {
    let reason = |picture: &str| result(picture).reason.unwrap_or_default();
    assert_eq!(reason("p0: |-send a=1-|"), "nothing to check");
    assert_eq!(
        reason("p0: |-send a=1-|  |-final-poll (deadline)-!"),
        "no poll succeeded, so nobody knows what would be delivered"
    );
    assert_eq!(reason("p0: |-final-poll []-|"), "nothing to check: no message is known to be there");
    let twice = "p0: |-send a=1-|  |-send a=2-|  |-final-poll [1/k/1/a 2/k/2/a]-|";
    assert_eq!(reason(twice), "message `a` is sent twice: ids must be unique");
    let limits = Limits { steps: 2, ..Limits::none() };
    let history = timeline::parse("p0: |-send a=1-|  |-final-poll [1/k/1/a]-|").unwrap();
    assert_eq!(check(&history, &limits).verdict, Verdict::Unknown);
}

#[test]
fn a_drawing_shows_what_is_about_the_message() {
    let result = result(
        "p0@n1: |-send a=1-|  |-send b=2-|  |-send c=3-|
         p1@n2:                                           |-poll [2/k/1/a 7/k/3/c]-|  |-final-poll []-|",
    );
    let drawing = &result.anomalies[0].drawing;
    assert!(drawing.contains("send b: ok, number 2"), "{drawing}");
    assert!(drawing.contains("poll k: @2 1:a @7 3:c"), "{drawing}");
}

#[test]
fn what_was_delivered_can_be_read_from_then_on() {
    violated(
        "p0@n1: |-send a-?
         p1@n1:   |-poll [2/k/1/a]-|
         p2@n2:                       |-read []-|
         p1@n1:                                   |-final-poll []-|",
        AnomalyKind::DirtyRead,
        "the poll by client 1 on n1 delivered a as number 1 of k at 0.026 s, but the read by client 2 on n2 began at \
         0.029 s and ended before it: that was not committed",
    );
    // A read that had begun before, and one that may be late.
    for read in ["p2@n2:           |---read []-------|", "p2@n2:                       |-stale-read []-|"] {
        valid(&format!(
            "p0@n1: |-send a-?\np1@n1:   |-poll [2/k/1/a]-|               |-final-poll []-|\n{read}"
        ));
    }
}

#[test]
fn a_cursor_is_a_bookmark_also_of_a_subscription_that_nobody_followed_to_its_end() {
    let sends = "p0: |-send a=1 @al:bo-|  |-send b=1 @bo:cy-|\n";
    let passed = result(&format!(
        "{sends}p1:                                           |-poll by v [4/al:bo/1/a 6/bo:cy/1/b] @bo-|
         p2@n2:                                           |-poll by w [6/bo:cy/1/b] @bo-|"
    ));
    let told: Vec<_> = passed.anomalies.iter().map(|a| (a.kind, a.sentence.as_str())).collect();
    let sentence = "the subscription of the poll by client 2 on n2 was at cursor 6 in the end and was never told number \
                    1 of al:bo, which the poll by client 1 had delivered with cursor 4";
    assert_eq!(told, [(AnomalyKind::PollSkip, sentence)]);
    // Behind where it began; of somebody else's inbox.
    let after = format!(
        "{sends}p1:                                           |-poll by v [4/al:bo/1/a 6/bo:cy/1/b] @bo-|
         p2@n2:                                           |-poll by w after 5 [6/bo:cy/1/b] @bo-|
         p3@n3:                                           |-poll by x [6/bo:cy/1/b] @cy-|"
    );
    assert_eq!(result(&after).verdict, Verdict::Unknown);
}

#[test]
fn lateness_is_measured_and_what_nobody_was_told_of_is_counted() {
    let result = result(
        "p0: |-send a=1-|  |-send b=2-|  |-send c=1 @j-|
         p1:              |-poll by w [2/k/1/a]-|  |-poll by w after 0 [2/k/1/a 3/k/2/b]-|
         p2:                                                                                |-final-poll by v after 3 []-|",
    );
    let latency = result.latencies["delivery-latency"];
    // a at once, b later; the second time that a is told does not count. Nobody follows the inbox of c.
    assert_eq!((latency.count, latency.min > 0, latency.max > latency.min), (2, true, true));
    assert_eq!(result.counts["unseen"], 0);
    let series = &result.series["unseen"];
    assert_eq!((series.len(), series.last().map(|point| point[1])), (60, Some(0)));
    assert_eq!(series.iter().map(|point| point[1]).max(), Some(2), "{series:?}");
    let unseen = super::tests::result("p0: |-send a=1-|\np1: |-poll []-|");
    assert_eq!((unseen.counts["unseen"], unseen.latencies.len()), (1, 0));
}

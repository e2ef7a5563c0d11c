mod random;

use super::*;
use crate::anomaly::AnomalyKind;
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
    assert_eq!((result.verdict, result.anomalies_total), (Verdict::Invalid, 1));
}

#[test]
fn late_is_no_violation() {
    let result = judge(
        "p0@n1: |-send a=1-|  |-send b=2-|  |-send c=3-|
         p1@n2:                                           |-stale-read [a]-|  |-stale-read [a b]-|
         p2@n3:  |-stale-read [a]-|
         p3@n4:                                           |-stale-read []-|",
    );
    assert_eq!(result.verdict, Verdict::Valid, "{:?}", result.reason);
    assert_eq!((result.operations, result.counts["stale-reads"], result.counts["late"]), (4, 4, 3));
    // Since b was acknowledged, since c was; of n3, since a was shown by itself.
    let lateness = result.latencies["lateness"];
    assert_eq!((lateness.count, lateness.max), (3, 31_000_000));
}

#[test]
fn a_page_is_what_was_asked_for() {
    let sends = "p0: |-send a=1-|  |-send b=2-|  |-send c=3-|\n";
    violated(
        &format!("{sends}p1@n2:  |-stale-read 0+2 [a b c]-------------------------------|"),
        AnomalyKind::OverlongPage,
        "the stale read by client 1 on n2 shows more than the 2 messages asked for",
    );
    violated(
        &format!("{sends}p1@n2:  |-stale-read [a 3:c]----------------------------------|"),
        AnomalyKind::WrongPage,
        "the stale read by client 1 on n2 shows another page than was asked for, or one with gaps",
    );
    assert_eq!(
        judge(&format!("{sends}p1@n2:  |-stale-read <3+1 [b]/3-----------------|")).verdict,
        Verdict::Valid
    );
}

#[test]
fn what_is_shown_was_sent_here_and_did_not_fail() {
    violated(
        "p1@n2: |-stale-read [a]-|",
        AnomalyKind::Phantom,
        "the stale read by client 1 on n2 shows a as number 1, which nobody has sent",
    );
    violated(
        "p0: \u{20}                    |-send a=1-|\np1@n2: |-stale-read [a]-|",
        AnomalyKind::Phantom,
        "the stale read by client 1 on n2 shows a as number 1 and ended at 0.024 s, but that was sent only at 0.025 s",
    );
    violated(
        "p0: |-send a-!\np1@n2: |-stale-read [a]-|",
        AnomalyKind::AbortedRead,
        "the stale read by client 1 on n2 shows a as number 1, but that send failed at 0.013 s, so it never happened",
    );
    violated(
        "p0: |-send a=1 @j-|\np1@n2: |-stale-read [a]-|",
        AnomalyKind::WrongConversation,
        "the stale read by client 1 on n2 shows a as number 1, which was sent to j",
    );
    // Nobody knows, so it may have happened; and it may be shown before it is acknowledged.
    assert_eq!(judge("p0: |-send a-?\np1@n2: |-stale-read [a]-|").verdict, Verdict::Valid);
    assert_eq!(judge("p0: |-send a=1------------------|\np1@n2: |-stale-read [a]-|").verdict, Verdict::Valid);
}

#[test]
fn a_number_holds_one_message_and_a_message_has_one_number() {
    violated(
        "p0: |-send a=1-|  |-send b=1-?\np1@n2:                     |-stale-read [b]-|",
        AnomalyKind::Conflict,
        "the stale read by client 1 on n2 shows b as number 1, but by the acknowledgement of a that number is a",
    );
    let both = judge("p0: |-send a=1-|\np1@n2:            |-stale-read [2:a]/2-|");
    let kinds: Vec<AnomalyKind> = both.anomalies.iter().map(|anomaly| anomaly.kind).collect();
    assert_eq!(kinds, [AnomalyKind::Moved, AnomalyKind::WrongPage]);
    violated(
        "p0: |-send a-?\np1@n2: |-stale-read [a]-|   |-stale-read 1+1 [a]-|",
        AnomalyKind::Moved,
        "the stale read by client 1 on n2 shows a as number 2, but by the stale read by client 1 on n2 it is number 1",
    );
}

#[test]
fn what_is_shown_is_committed() {
    violated(
        "p0@n1: |-send a-?
         p1@n1:   |-stale-read [a]-|
         p2@n2:                       |-read []-|",
        AnomalyKind::DirtyRead,
        "the read by client 2 on n2 began at 0.029 s and ended before number 1, which the stale read by client 1 on n1 \
         had shown at 0.026 s: that was not committed",
    );
    // A read that had begun before may have been answered before.
    let overlapping = "p0@n1: |-send a-?
                       p1@n1:   |-stale-read [a]-|
                       p2@n2:           |----read []-----|";
    assert_eq!(judge(overlapping).verdict, Verdict::Valid);
}

#[test]
fn a_node_never_goes_back_in_one_life_whoever_asks() {
    let sends = "p0@n1: |-send a=1-|  |-send b=2-|\n";
    let back = "p1@n2:                            |-stale-read [a b]-|
                p2@n2:                                                  |-stale-read [a]-|";
    violated(
        &format!("{sends}{back}"),
        AnomalyKind::MonotonicReads,
        "the stale read by client 2 on n2 began at 0.056 s and ended before number 2, which the stale read by client 1 \
         on n2 had shown at 0.053 s through the same node",
    );
    let read = back.replacen("stale-read [a b]-", "read [a b]-------", 1);
    assert_eq!(judge(&format!("{sends}{read}")).verdict, Verdict::Invalid, "what is not stale counts, too");
    let overlapping = back.replacen("                |-stale-read [a]", "|-stale-read [a]", 1);
    assert_eq!(judge(&format!("{sends}{overlapping}")).verdict, Verdict::Valid);
    let elsewhere = back.replacen("p2@n2", "p2@n3", 1);
    assert_eq!(judge(&format!("{sends}{elsewhere}")).verdict, Verdict::Valid);
    let killed = format!("{sends}{back}\nnemesis:                                    |-kill n2-|");
    assert_eq!(judge(&killed).verdict, Verdict::Valid);
    let paused = format!("{sends}{back}\nnemesis:                                    |-kill n3-|");
    assert_eq!(judge(&paused).verdict, Verdict::Invalid);
}

#[test]
fn a_node_that_shows_a_message_shows_all_that_came_before_it_in_other_conversations() {
    let sends = "p0@n1: |-send a=1 @j-|  |-send b=1-|\n";
    let behind = "p1@n2:                              |-stale-read [b]-|
                  p2@n2:                                                 |-stale-read [] @j-|";
    let found = judge(&format!("{sends}{behind}"));
    let [anomaly] = &found.anomalies[..] else { panic!("{:?}", found.reason) };
    assert_eq!((anomaly.kind, anomaly.operations.len()), (AnomalyKind::MonotonicReads, 4));
    for words in [
        "the stale read by client 2 on n2 began at 0.0",
        " and ended before number 1, which was acknowledged at 0.0",
        "; but the stale read by client 1 on n2 had shown through the same node at 0.0",
        " what was sent to k only after that, at 0.0",
    ] {
        assert!(anomaly.sentence.contains(words), "`{words}`: {}", anomaly.sentence);
    }
    let elsewhere = behind.replacen("p2@n2", "p2@n3", 1);
    assert_eq!(judge(&format!("{sends}{elsewhere}")).verdict, Verdict::Valid);
    let overlapping = "p0@n1: |-send a=1 @j-------|\np3@n1:  |-send b=1-|\n";
    assert_eq!(judge(&format!("{overlapping}{behind}")).verdict, Verdict::Valid, "either may be first");
    let killed = format!("{sends}{behind}\nnemesis:                                           |-kill n2-|");
    assert_eq!(judge(&killed).verdict, Verdict::Valid);
}

#[test]
fn without_stale_reads_there_is_nothing_to_check() {
    assert_eq!(judge("p0: |-send a=1-|  |-read []-|").reason.as_deref(), Some("nothing to check"));
    let doubt = judge("p0: |-send a=1-|  |-send a=2-|  |-stale-read [a a]-|").reason;
    assert_eq!(doubt.as_deref(), Some("message `a` is sent twice: ids must be unique"));
    let history = timeline::parse("p0: |-send a=1-|  |-stale-read [a]-|").unwrap();
    let evidence = Evidence { history, ..Evidence::default() };
    let limited = check(&evidence, &Limits { steps: 3, ..Limits::none() });
    assert_eq!(limited.reason.as_deref(), Some("the limit of 3 steps was reached"));
}

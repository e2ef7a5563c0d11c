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
    assert_eq!(
        counts(&result),
        [
            ("attempts", 4),
            ("acknowledged", 2),
            ("recovered", 1),
            ("stable", 3),
            ("never-read", 1),
            ("final-reads", 3)
        ]
    );
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

#[test]
fn what_became_of_each_message_is_counted() {
    // a is missed once after it was known, b never, c for good, and of d and e nobody knows anything.
    let result = result(
        "p0: |-send a=1-|            |-send b=2-|  |-send c=3-|
         p1:              |-read []-|               |-read [a b]-|
         p2: |-send d-?
         p4:                                                      |-send e=4----------------------|
         p3:                                                           |-final-read [a b]-|",
    );
    let of = |name: &str| result.counts[name];
    assert_eq!(
        (of("stable"), of("stale"), of("lost"), of("never-read")),
        (2, 1, 1, 2),
        "{:?}",
        result.counts
    );
    // From 0.015 s, when a was acknowledged, to 0.018 s, when the read that missed it began.
    let stable = result.latencies["stable-latency"];
    assert_eq!((stable.count, stable.min, stable.max), (2, 0, 2_000_001));
    let lost = result.latencies["lost-latency"];
    assert_eq!((lost.count, lost.max), (1, 0), "it was never shown after it was known");
}

#[test]
fn a_loss_is_laid_to_a_node_and_to_the_nearest_fault() {
    let result = result(
        "p0@n1:   |-send a=1-|                              |-send b=2-|  |-send c=3-|
         p1@n2:                                                                        |-final-read []-|
         nemesis:                  |-pause n3-|
         nemesis:                  |-kill n1--|                           |-partition n2 n3-|",
    );
    assert_eq!((result.verdict, result.counts["lost"]), (Verdict::Invalid, 3));
    let losses = result.losses.expect("something is lost");
    assert_eq!(
        losses.line(),
        "lost: 2 acknowledged by n1 near partition n2 n3, 1 acknowledged by n1 near kill n1"
    );
    let near: Vec<_> =
        losses.messages.iter().map(|loss| (loss.id.as_str(), loss.fault.as_ref().unwrap())).collect();
    assert_eq!((near[0].0, near[0].1.name.as_str(), near[0].1.distance), ("a", "kill n1", 6_000_000));
    assert_eq!((near[2].0, near[2].1.name.as_str(), near[2].1.distance), ("c", "partition n2 n3", 0));
    let calm = super::tests::result("p0: |-send a=1-|  |-final-read []-|").losses.expect("something is lost");
    assert_eq!(calm.line(), "lost: 1 acknowledged without any fault");
}

#[test]
fn what_was_deleted_does_not_come_back() {
    violated(
        "p0@n1: |-send a=1-|  |-delete #1-|
         p1@n2:                              |-final-read [a]-|",
        AnomalyKind::Resurrected,
        "the deletion of number 1 was acknowledged at 0.033 s; the final read by client 1 on n2 began at 0.036 s and \
         shows a there again",
    );
    let kept = "p0: |-send a=1-|  |-delete #1-|\np1:                              |-final-read [a†]-|";
    assert_eq!(result(kept).verdict, Verdict::Valid);
    let uncertain = "p0: |-send a=1-|  |-delete #1-?\np1:                              |-final-read [a]-|";
    assert_eq!(result(uncertain).verdict, Verdict::Valid);
}

mod random {
    use proptest::prelude::*;

    use super::*;
    use crate::durability::outcomes::Outcomes;
    use crate::history::{Entry, Moment, PageRange};

    /// What happens next: a send that is acknowledged (or not), or a read from somewhere that ends somewhere. Each may
    /// overlap what follows.
    fn events() -> impl Strategy<Value = Vec<(u8, u64, u64, bool)>> {
        proptest::collection::vec((0..4_u8, 0..6_u64, 0..6_u64, any::<bool>()), 1..25)
    }

    fn at(history: &History) -> Moment {
        let index = history.next_index();
        Moment { index, time: u64::from(index) * 10 }
    }

    fn history(events: &[(u8, u64, u64, bool)]) -> History {
        let mut history = History::new();
        let key = Some(history.symbols.intern("k"));
        let mut sent = Vec::new();
        let mut open: Option<(u64, &str, Outcome)> = None;
        for (process, (kind, from, head, overlaps)) in (0..).zip(events) {
            let (input, f, outcome) = if *kind < 2 {
                let id = history.symbols.intern(&format!("m{process}"));
                sent.push(id);
                let seq = if *kind == 1 { sent.len() as u64 } else { sent.len() as u64 + from };
                let ok = Outcome::Ok(Output::Sent { seq });
                (Input::Send { id }, "send", if *from == 5 { Outcome::Info(None) } else { ok })
            } else {
                let shown = (from + 1..=*head).filter_map(|seq| {
                    let id = *sent.get(seq as usize - 1)?;
                    Some(Entry { seq, id, deleted: false })
                });
                let entries: Box<[Entry]> = shown.collect();
                let range = PageRange::After { seq: *from, limit: 100 };
                let head = entries.last().map_or(*head, |last| last.seq.max(*head));
                (Input::Read { range, last: false }, "read", Outcome::Ok(Output::Page { entries, head }))
            };
            history.invoke(at(&history), process, None, key, input).unwrap();
            if let Some((process, f, outcome)) = open.take() {
                history.complete(at(&history), process, f, outcome).unwrap();
            }
            match overlaps {
                true => open = Some((process, f, outcome)),
                false => drop(history.complete(at(&history), process, f, outcome).unwrap()),
            }
        }
        history
    }

    /// The definition, word for word, over all pairs of reads and messages.
    fn slowly(history: &History) -> [u64; 4] {
        let mut outcomes = [0; 4];
        let reads: Vec<(&Operation, &[Entry], u64)> = history
            .operations()
            .iter()
            .filter_map(|operation| match operation.output() {
                Some(Output::Page { entries, head }) => Some((operation, &**entries, *head)),
                _ => None,
            })
            .collect();
        for send in history.operations() {
            let Input::Send { id } = send.input else { continue };
            let shows = |(read, entries, _): &&(&Operation, &[Entry], u64)| {
                read.completed.is_some() && entries.iter().any(|entry| entry.id == id)
            };
            let acknowledged = match send.output() {
                Some(Output::Sent { seq }) => Some((*seq, send.completed.unwrap())),
                _ => None,
            };
            let first = reads.iter().filter(shows).min_by_key(|(read, ..)| read.invoked);
            let first = first.map(|(_, entries, _)| entries.iter().find(|entry| entry.id == id).unwrap().seq);
            let Some(seq) = acknowledged.map(|(seq, _)| seq).or(first) else {
                outcomes[3] += 1;
                continue;
            };
            let seen = reads.iter().filter(shows).filter_map(|(read, ..)| read.completed).min();
            let known = acknowledged.map(|(_, at)| at).into_iter().chain(seen).min().unwrap();
            let present = reads.iter().filter(shows).map(|(read, ..)| read.invoked).max();
            let misses = |(_, entries, head): &&(&Operation, &[Entry], u64)| {
                *head < seq || entries.iter().any(|entry| entry.seq == seq && entry.id != id)
            };
            let absent = reads.iter().filter(misses).map(|(read, ..)| read.invoked).max();
            match (present, absent) {
                (Some(present), absent) if absent < Some(present) => {
                    outcomes[0] += 1;
                    outcomes[1] += u64::from(absent.is_some_and(|absent| absent.time + 1 > known.time));
                }
                (_, Some(absent)) if absent > known => outcomes[2] += 1,
                _ => outcomes[3] += 1,
            }
        }
        outcomes
    }

    proptest! {
        #[test]
        fn the_outcomes_are_those_of_the_definition(events in events()) {
            let history = history(&events);
            let found = Outcomes::of(&history, &mut Budget::new(&Limits::none())).unwrap();
            let found = [found.stable, found.stale, found.lost, found.never_read];
            prop_assert_eq!(found, slowly(&history), "{}", timeline::draw(&history));
        }
    }
}

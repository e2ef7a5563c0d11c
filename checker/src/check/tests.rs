use super::*;
use crate::anomaly::AnomalyKind;
use crate::evidence::trace::TraceEvent;
use crate::evidence::{NodeTrace, StateDigest};
use crate::history::timeline;
use crate::verdict::Verdict;

fn linearizable(picture: &str) -> CheckResult {
    let evidence = Evidence { history: timeline::parse(picture).unwrap(), ..Evidence::default() };
    check_one(&evidence, CheckName::Linearizable, &Limits::none())
}

#[test]
fn names_are_read_as_they_are_written() {
    for name in CheckName::ALL {
        assert_eq!(name.to_string().parse(), Ok(name));
        assert_eq!(serde_json::to_value(name).unwrap(), name.name());
    }
    assert_eq!(
        "linearisable".parse::<CheckName>().unwrap_err().to_string(),
        "unknown check `linearisable`; there are linearizable, durable, one-leader-per-term, raft-log, convergence, \
         delivery, sessions and stale-reads"
    );
}

#[test]
fn an_empty_history_is_unknown() {
    let result = linearizable("");
    assert_eq!((result.verdict, result.reason.as_deref()), (Verdict::Unknown, Some("nothing to check")));
}

#[test]
fn an_operation_that_nobody_knows_makes_the_verdict_unknown() {
    let result = linearizable("p0: |-send a=1-|  |-call topic {\"text\":\"tea\"}-|");
    assert_eq!(result.verdict, Verdict::Unknown);
    assert_eq!(result.reason.as_deref(), Some("no model knows the operation `topic`"));
    // But it hides no violation.
    let result = linearizable("p0: |-send a=1-|  |-call topic {}-|  |-read []-|");
    assert_eq!(result.verdict, Verdict::Invalid);
}

#[test]
fn each_kind_of_object_is_judged_by_its_own_rules() {
    let result = linearizable(
        "p0: |-send a=1-|  |-read [a]-|
         p1: |-create al-|  |-login al-|
         p2: |-write 3-|  |-get 3-|  |-get 3 @y-!",
    );
    assert_eq!((result.verdict, result.operations), (Verdict::Valid, 7), "{:?}", result.reason);
    let kinds = |picture: &str| linearizable(picture).anomalies.iter().map(|a| a.kind).collect::<Vec<_>>();
    assert_eq!(kinds("p0: |-create al-|  |-create al-|"), [AnomalyKind::DuplicateCreate]);
    assert_eq!(kinds("p0: |-write 3-|  |-write 4-|  |-get 3-|").len(), 1);
    // Each of them is told, the gravest first.
    let all = "p0: |-write 3-|  |-get 4-|  |-create al-|  |-create al-|  |-send a=1-|  |-read []-|";
    assert_eq!(kinds(all)[0], AnomalyKind::Lost);
    assert_eq!(kinds(all).len(), 3);
}

#[test]
fn an_account_may_have_existed_before_unless_the_history_says_otherwise() {
    let judge = |picture: &str, empty: bool| {
        let mut history = timeline::parse(picture).unwrap();
        if empty {
            history.set_initially_empty();
        }
        let evidence = Evidence { history, ..Evidence::default() };
        let result = check_one(&evidence, CheckName::Linearizable, &Limits::none());
        result.anomalies.first().map(|anomaly| (anomaly.kind, anomaly.sentence.clone()))
    };
    assert_eq!(judge("p0: |-login al-|", false), None);
    assert_eq!(judge("p0: |-create al-?\np1:                 |-login al-|", true), None);
    assert_eq!(
        judge("p0: |-login al-|", true),
        Some((
            AnomalyKind::Phantom,
            "`log in al: ok` of client 0 found `al`, which nobody had created".to_owned()
        ))
    );
    let sentence = "`log in al: ok` of client 0 found `al`, but creating it had only failed";
    assert_eq!(
        judge("p0: |-create al (no-leader)-!  |-login al-|", true),
        Some((AnomalyKind::AbortedRead, sentence.to_owned()))
    );
}

#[test]
fn the_nodes_are_judged_by_what_they_wrote_down() {
    let leader = |node: &str| {
        let events = vec![TraceEvent::Leader { at: 1, node: node.to_owned(), term: 5 }];
        NodeTrace { node: node.to_owned(), events, lines: Vec::new() }
    };
    let digest =
        |node: &str, digest: &str| StateDigest { node: node.to_owned(), index: 9, digest: digest.to_owned() };
    let evidence = Evidence {
        traces: vec![leader("n1"), leader("n2")],
        digests: vec![digest("n1", "aa"), digest("n2", "bb")],
        ..Evidence::default()
    };
    let kind = |name| check_one(&evidence, name, &Limits::none()).anomalies[0].kind;
    assert_eq!(kind(CheckName::OneLeaderPerTerm), AnomalyKind::TwoLeaders);
    assert_eq!(kind(CheckName::Convergence), AnomalyKind::Diverged);
}

#[test]
fn the_checks_come_in_the_order_asked_for() {
    let names = [CheckName::Durable, CheckName::Linearizable];
    let results = check(&Evidence::default(), &names, &Limits::none());
    assert_eq!(results.iter().map(|result| result.name).collect::<Vec<_>>(), names);
}

/// Conversations, accounts and registers in great number, of which some are wrong.
fn many_objects() -> History {
    let mut number = 1_u64;
    let mut random = |below: u64| {
        // An odd multiplier and the upper bits: enough to look irregular.
        number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (number >> 33) % below
    };
    let mut processes = vec![String::new(); 4];
    for operation in 0..1500 {
        let (object, value) = (random(150), random(3));
        let what = match random(6) {
            0 | 1 => format!("|-write {value} @r{object}-|"),
            2 | 3 => format!("|-get {value} @r{object}-|"),
            4 if value == 0 => format!("|-create a{object}-|"),
            4 => format!("|-login a{object}-|"),
            _ => format!("|-send m{operation}={} @c{object}-|", value + 1),
        };
        for (process, line) in processes.iter_mut().enumerate() {
            let busy = process as u64 == operation % 4;
            line.push_str(&if busy { what.clone() } else { " ".repeat(what.len() - 3) });
        }
    }
    let picture: Vec<String> =
        processes.iter().enumerate().map(|(process, line)| format!("p{process}: {line}")).collect();
    timeline::parse(&picture.join("\n")).unwrap()
}

#[test]
fn the_number_of_threads_does_not_show() {
    let evidence = Evidence { history: many_objects(), ..Evidence::default() };
    let names = [CheckName::Linearizable, CheckName::Durable];
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let results = pool.install(|| check(&evidence, &names, &Limits::none()));
        assert!(results[0].anomalies_total > 50, "{:?}", results[0].reason);
        serde_json::to_string_pretty(&results).unwrap()
    };
    let one = on(1);
    for threads in [2, 8, 2, 8] {
        assert_eq!(on(threads), one);
    }
}

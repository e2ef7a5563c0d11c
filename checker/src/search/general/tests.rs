//! Drawn histories of each model, and what must be said of them.

use super::*;
use crate::anomaly::AnomalyKind;
use crate::fitting::{choose, is_general};
use crate::history::timeline;
use crate::model::register::{FailedCas, Initially, NilRead};

fn judged_with(picture: &str, semantics: Semantics) -> Findings {
    let history = timeline::parse(picture).unwrap();
    let model = choose(&history, None, &Limits::none()).unwrap().model.expect("a model is guessed");
    general(&history, model, semantics, is_general, &Limits::none()).expect("it is one of general objects")
}

#[track_caller]
fn valid_with(picture: &str, semantics: Semantics) {
    let findings = judged_with(picture, semantics);
    assert_eq!((findings.anomalies, findings.doubts), (vec![], vec![]), "{picture}");
}

#[track_caller]
fn valid(picture: &str) {
    valid_with(picture, Semantics::default());
}

/// Expects one anomaly of a kind, with so many operations, whose sentence ends so.
#[track_caller]
fn invalid(picture: &str, kind: AnomalyKind, operations: usize, end: &str) {
    let findings = judged_with(picture, Semantics::default());
    let [anomaly] = &findings.anomalies[..] else { panic!("{:?} in {picture}", findings.anomalies) };
    assert_eq!(anomaly.kind, kind, "{}", anomaly.sentence);
    assert!(anomaly.sentence.ends_with(end), "{}", anomaly.sentence);
    assert_eq!(anomaly.operations.len(), operations, "{}\n{}", anomaly.sentence, anomaly.drawing);
}

#[test]
fn counters() {
    valid(
        "p0: |-increment null-|  |-get 3-|
         p1:   |-increment 2-?
         p2:  |-get 0-|",
    );
    valid("p0: |-get null-| |-decrement 2 = -2-| |-get -2-|");
    valid_with(
        "p0: |-get 7-| |-add 1-| |-get null-|",
        Semantics {
            initially: Initially::Value(Datum::Int(7)),
            nil_read: NilRead::Anything,
            ..Semantics::default()
        },
    );
    invalid(
        "p0: |-add 1-| |-add 1-| |-get 1-|",
        AnomalyKind::StaleRead,
        2,
        "says 1, when 2 had certainly been reached before it began",
    );
    invalid(
        "p0: |-add 1-| |-get 1-|
         p1:                     |-get 0-|",
        AnomalyKind::StaleRead,
        2,
        "and says 0",
    );
    invalid("p0: |-add 1-| |-get 2-|", AnomalyKind::Phantom, 1, "no more than 1 could be reached");
    invalid("p0: |-add 1-! |-get 1-|", AnomalyKind::AbortedRead, 2, "certainly did not happen");
}

#[test]
fn marks() {
    valid("p0: |-call mark 3 @x-| |-call mark 1 @x-| |-get 3-|");
    valid("p0: |-call mark 3 @x-? \np1:    |-get null-| |-get 3-|");
    invalid("p0: |-call mark 3 @x-| |-get 0-|", AnomalyKind::StaleRead, 2, "and says only 0");
    invalid("p0: |-call mark 3 @x-| |-get 4-|", AnomalyKind::Phantom, 1, "says 4, which nobody marked");
    invalid("p0: |-call mark 3 @x-! |-get 3-|", AnomalyKind::AbortedRead, 2, "certainly did not happen");
    invalid(
        "p0: |-get 3-| |-call mark 3 @x-|",
        AnomalyKind::Phantom,
        2,
        "says 3 before anybody began to mark it",
    );
}

#[test]
fn locks() {
    valid(
        "p0: |-acquire null-| |-release null-|
         p1:    |-acquire null---------------------|",
    );
    valid("p0: |-acquire null-? \np1:                    |-acquire null-|");
    invalid(
        "p0: |-acquire null-|
         p1:                   |-acquire null-|",
        AnomalyKind::TwoHolders,
        2,
        "took the lock, and nobody could have given it back",
    );
    invalid(
        "p0: |-release null-|",
        AnomalyKind::NotHeld,
        1,
        "found the lock held, and nobody could have taken it",
    );
    let observed = Semantics { failed_cas: FailedCas::ValueDiffered, ..Semantics::default() };
    let refused = "p0: |-acquire null-! |-acquire null-|";
    valid(refused);
    assert_eq!(judged_with(refused, observed).anomalies.len(), 1);
}

#[test]
fn queues() {
    valid(
        "p0: |-enqueue 1-| |-dequeue = 1-| |-dequeue = null-|
         p1:    |-enqueue 2-?
         p2:                                                    |-dequeue = 2-|",
    );
    valid("p0: |-enqueue 1-| |-enqueue 2-| |-drain = [1,2]-| |-dequeue (exhausted)-!");
    invalid(
        "p0: |-enqueue 1-| |-enqueue 2-| |-dequeue = 2-| |-dequeue = 1-|",
        AnomalyKind::Reordered,
        4,
        "took out 1 after 2, though 1 was put in before 2",
    );
    invalid(
        "p0: |-enqueue 1-| |-enqueue 2-| |-dequeue = 2-|",
        AnomalyKind::Lost,
        3,
        "took out 2, though 1 was put in before it and never taken out",
    );
    invalid(
        "p0: |-enqueue 1-| |-dequeue = 1-| |-dequeue = 1-|",
        AnomalyKind::Duplicate,
        2,
        "took out 1 again",
    );
    invalid("p0: |-dequeue = 7-|", AnomalyKind::Phantom, 1, "took out 7, which nobody had put in");
    invalid("p0: |-enqueue 7-! |-dequeue = 7-|", AnomalyKind::AbortedRead, 2, "certainly did not happen");
    invalid(
        "p0: |-enqueue 1-| |-dequeue = null-| |-dequeue = 1-|",
        AnomalyKind::StaleRead,
        2,
        "and found nothing, though 1 was inside",
    );
    // What a dequeue of which nobody knows the answer may have taken is not lost.
    valid("p0: |-enqueue 1-| |-enqueue 2-| |-dequeue-? \np1:                              |-dequeue = 2-|");
}

#[test]
fn sets() {
    valid(
        "p0: |-add 1-| |-get [1]-|   |-get [1,2]-|
         p1:    |-add 2-----------|",
    );
    invalid(
        "p0: |-add 1-| |-add 2-| |-get [2]-| |-get [1,2]-|",
        AnomalyKind::StaleRead,
        2,
        "and does not show 1",
    );
    invalid("p0: |-add 1-| |-add 2-| |-get [2]-|", AnomalyKind::Lost, 2, "and does not show 1");
    invalid("p0: |-get [7]-| |-add 8-|", AnomalyKind::Phantom, 1, "shows 7, which nobody added");
    invalid("p0: |-add 7-! |-get [7]-|", AnomalyKind::AbortedRead, 2, "certainly did not happen");
    invalid(
        "p0: |-add 1-| |-add 2-|
         p1:  |-get [1]-----------|
         p2:  |-get [2]-----------| |-get [1,2]-|",
        AnomalyKind::Conflict,
        2,
        "which another read shows that lacks something else",
    );
    invalid("p0: |-add 1-| |-get [1,1]-|", AnomalyKind::Duplicate, 1, "shows 1 twice");
    invalid(
        "p0: |-add 1-| |-remove 1-| |-call contains 1 = true @x-|",
        AnomalyKind::Resurrected,
        2,
        "found 1, which had been removed",
    );
    invalid(
        "p0: |-add 1-| |-call contains 1 = false @x-| |-call contains 1 = true @x-|",
        AnomalyKind::StaleRead,
        2,
        "did not find 1",
    );
}

#[test]
fn lists() {
    valid(
        "p0: |-append 1-| |-get [1]-|     |-get [1,2]-|
         p1:    |-append 2-?",
    );
    valid(
        r#"p0: |-txn [["append",1,1],["r",1,null]] = [["append",1,1],["r",1,[1]]]-|
           p1: |-txn [["r",2,null]] = [["r",2,null]]-|"#,
    );
    invalid(
        "p0: |-append 1-| |-get [1]-| |-append 2-| |-get [1]-| |-get [1,2]-|",
        AnomalyKind::StaleRead,
        2,
        "and does not show 2",
    );
    invalid("p0: |-append 1-| |-append 2-| |-get [2]-|", AnomalyKind::Lost, 2, "and does not show 1");
    invalid("p0: |-append 1-| |-get [1,1]-|", AnomalyKind::Duplicate, 1, "in place 1 and in place 2");
    invalid("p0: |-append 1-| |-get [1,7]-|", AnomalyKind::Phantom, 1, "shows 7, which nobody appended");
    invalid("p0: |-append 7-! |-get [7]-|", AnomalyKind::AbortedRead, 2, "certainly did not happen");
    invalid(
        "p0: |-append 1-| |-append 2-| |-get [2,1]-|",
        AnomalyKind::LateAppend,
        3,
        "but 2 stands in front of 1",
    );
    invalid(
        "p0: |-append 1------------------|
         p1: |-append 2------------------|
         p2:      |-get [1,2]-|
         p3:      |-get [2]---|",
        AnomalyKind::Conflict,
        2,
        "where `read x: [1,2]` of client 2 shows 1",
    );
    invalid(
        r#"p0: |-txn [["append",1,1],["append",1,2]] = [["append",1,1],["append",1,2]]-|
           p1: |-txn [["r",1,null]] = [["r",1,[1]]]-------------------------------------|"#,
        AnomalyKind::IntermediateRead,
        2,
        "shows only a part of what one operation appended at once",
    );
    invalid(
        r#"p0: |-txn [["append",1,1],["r",1,null]] = [["append",1,1],["r",1,[]]]-|"#,
        AnomalyKind::Internal,
        1,
        "saw something else than what it had seen and appended itself",
    );
    invalid(
        r#"p0: |-txn [["r",1,null],["append",1,1]] = [["r",1,[]],["append",1,1]]-|
           p1: |-txn [["r",1,null],["append",1,2]] = [["r",1,[]],["append",1,2]]-|"#,
        AnomalyKind::LostUpdate,
        2,
        "of client 0 shows 1",
    );
}

#[test]
fn entries() {
    valid(r#"p0: |-put "a"-| |-append "b"-| |-get "ab"-| |-put "c"-? |"#.trim_end_matches(" |"));
    invalid(
        r#"p0: |-put "a"-| |-put "b"-| |-get "a"-|"#,
        AnomalyKind::StaleRead,
        2,
        "a get here must return \"b\"",
    );
}

#[test]
fn several_registers() {
    valid(
        r#"p0: |-txn [["w",1,5],["w",2,5]] = [["w",1,5],["w",2,5]]-|
           p1: |-txn [["r",1,null],["r",2,null]] = [["r",1,5],["r",2,5]]-|"#,
    );
    // One half of a transaction.
    invalid(
        r#"p0: |-txn [["w",1,5],["w",2,5]] = [["w",1,5],["w",2,5]]-|
           p1: |-txn [["r",1,null],["r",2,null]] = [["r",1,5],["r",2,null]]-|"#,
        AnomalyKind::IntermediateRead,
        1,
        "shows 5 in 1, but not 5 in 2, which was written with it",
    );
    invalid(
        r#"p0: |-txn [["w",1,5]] = [["w",1,5]]-|
           p1: |-txn [["r",1,null]] = [["r",1,6]]-|"#,
        AnomalyKind::Phantom,
        1,
        "shows 6, which nobody had made",
    );
    invalid(
        r#"p0: |-txn [["w",1,5]]-!
           p1: |-txn [["r",1,null]] = [["r",1,5]]-|"#,
        AnomalyKind::AbortedRead,
        2,
        "shows 5, which only operations that failed made",
    );
}

#[test]
fn keys_are_judged_apart() {
    valid("p0: |-enqueue 1 @x-| |-dequeue = null @y-| |-dequeue = 1 @x-|");
    let findings =
        judged_with("p0: |-add 1 @x-| |-get 0 @x-| |-add 1 @y-| |-get 0 @y-|", Semantics::default());
    assert_eq!((findings.anomalies_total, findings.keys, findings.operations), (2, 2, 4));
}

//! Certificates of histories of every model: those of valid histories are accepted, whatever is changed in one is noticed.

use super::*;
use crate::check::check_with;
use crate::differential::Sampler;
use crate::differential::generate::{Shape, any};
use crate::differential::random::Random;
use crate::differential::record::Recorder;
use crate::fitting::ModelName;
use crate::history::{Datum, Symbols};
use crate::model::counter::Counter;
use crate::model::list::List;
use crate::model::marks::Marks;
use crate::model::multi_register::MultiRegister;
use crate::model::queue::Queue;
use crate::model::register::{FailedCas, Initially, NilRead};
use crate::model::samples::{
    Asks, Counters, Entries, Lists, Locks, Markers, MultiRegisters, Queues, Registers, Sets,
};
use crate::model::set::Set;

/// How many histories of each model.
const HISTORIES: u64 = 400;

/// What became of histories of one model.
#[derive(Debug, Default)]
struct Seen {
    valid: u64,
    invalid: u64,
    refused: u64,
}

/// Two objects with operations, bent in half of the cases.
fn history<S: Sampler>(sampler: &S, semantics: Semantics, seed: u64) -> History {
    let mut random = Random(seed);
    let mut recorder = Recorder::new(semantics, 1000);
    let shape = Shape { operations_max: 10, ..sampler.shape() };
    for key in ["x", "y"] {
        let operations = any(sampler, &mut random, &shape);
        recorder.record(sampler, &mut random, key, &operations, &[]);
    }
    recorder.history
}

fn is_accepted(history: &History, certificate: &Certificate, semantics: Semantics) -> bool {
    replay(history, certificate, semantics, &Limits::none()).is_ok()
}

/// Whether the changed certificate, written and read again, is accepted: then it is an order too, or what it lacks need
/// not have happened.
fn refuses(history: &History, certificate: &Certificate, options: &Options, seed: u64) -> u64 {
    let mut random = Random(seed);
    let mut refused = 0;
    let accepted = |changed: &Certificate| is_accepted(history, changed, options.semantics);
    // An operation that was answered and proves something is dropped, or comes twice.
    for (number, object) in
        certificate.objects.iter().enumerate().filter(|(_, object)| !object.order.is_empty())
    {
        let place = random.below(object.order.len());
        let mut dropped = certificate.clone();
        let index = dropped.objects[number].order.remove(place);
        assert!(!accepted(&dropped), "an operation is missing");
        dropped.objects[number].left_out.push(index);
        let position = history.operations().binary_search_by_key(&index, |operation| operation.invoked.index);
        let operation = &history.operations()[position.unwrap()];
        let is_known = operation.output().is_some();
        assert!(!(is_known && accepted(&dropped)), "what was answered is left out");
        let mut twice = certificate.clone();
        twice.objects[number].order.insert(place, index);
        assert!(!accepted(&twice), "an operation comes twice");
        // Two change places: whatever is accepted then is looked at with the eyes of the model, by a second decider.
        let other = random.below(object.order.len());
        let mut swapped = certificate.clone();
        swapped.objects[number].order.swap(place, other);
        refused += u64::from(!accepted(&swapped));
        let mut renamed = certificate.clone();
        renamed.objects[number].key = Some("z".to_owned());
        assert!(!accepted(&renamed), "there is no such object");
    }
    refused
}

fn certificates<S: Sampler>(model: ModelName, sampler: &S, semantics: Semantics) {
    let options = Options { model: Some(model), semantics };
    let mut seen = Seen::default();
    let mut before: Option<(History, Certificate)> = None;
    for seed in 0..HISTORIES {
        let evidence = Evidence { history: history(sampler, semantics, seed), ..Evidence::default() };
        let verdict = check_with(&evidence, CheckName::Linearizable, &options, &Limits::none()).verdict;
        let history = evidence.history;
        let certificate = match issue(&history, &options, &Limits::none()) {
            Ok(certificate) => certificate,
            Err(why) => {
                assert_eq!(verdict, Verdict::Invalid, "{model}, seed {seed}: {why}");
                seen.invalid += 1;
                continue;
            }
        };
        assert_eq!(verdict, Verdict::Valid, "{model}, seed {seed}");
        let mut text = Vec::new();
        write(&certificate, &mut text).unwrap();
        let again = read(&*text).unwrap();
        let mut reader = history.clone();
        let read_as = again.reading.semantics(&mut reader).unwrap();
        assert_eq!(read_as, semantics);
        if let Err(why) = replay(&reader, &again, read_as, &Limits::none()) {
            panic!("{model}, seed {seed}: {why}\n{}", String::from_utf8_lossy(&text));
        }
        seen.valid += 1;
        seen.refused += refuses(&history, &certificate, &options, seed);
        // The certificate of another history is none of this one, unless that has the same operations.
        if let Some((_, other)) = &before
            && (other.events, &other.objects) != (certificate.events, &certificate.objects)
        {
            let is_other = !is_accepted(&history, other, semantics);
            seen.refused += u64::from(is_other);
            assert!(is_other || other.events == certificate.events);
        }
        before = Some((history, certificate));
    }
    assert!(seen.valid > HISTORIES / 5 && seen.invalid > HISTORIES / 20, "{model}: {seen:?}");
    assert!(seen.refused > seen.valid, "{model}: {seen:?}");
}

fn with(nil_read: NilRead, failed_cas: FailedCas, initial: Option<Datum>) -> Semantics {
    Semantics { nil_read, failed_cas, initially: initial.map_or(Initially::Nil, Initially::Value) }
}

#[test]
fn numbers_and_locks_have_certificates() {
    let usual = Semantics::default();
    let counters = |initial, tells| Counters { counter: Counter { initial }, amounts: &[1, 2], tells };
    certificates(ModelName::Counter, &counters(0, false), usual);
    certificates(
        ModelName::Counter,
        &counters(7, true),
        with(NilRead::Initial, FailedCas::NotApplied, Some(Datum::Int(7))),
    );
    certificates(ModelName::Marks, &Markers { tells: true, ..Markers::default() }, usual);
    certificates(
        ModelName::Marks,
        &Markers { marks: Marks { initial: 2 }, ..Markers::default() },
        with(NilRead::Nil, FailedCas::NotApplied, Some(Datum::Int(2))),
    );
    certificates(ModelName::Mutex, &Locks { refuses: true, ..Locks::default() }, usual);
}

#[test]
fn collections_have_certificates() {
    let symbols = Symbols::default();
    let usual = Semantics::default();
    for unique in [true, false] {
        let queue = Queues { queue: Queue::new(&symbols), unique, empties: true };
        certificates(ModelName::Queue, &queue, usual);
        for asks in [Asks::Growing, Asks::Elements, Asks::All] {
            certificates(ModelName::Set, &Sets { set: Set::new(&symbols), asks, unique }, usual);
        }
        let lists = |micros_max| Lists { list: List::new(&symbols), unique, micros_max };
        certificates(ModelName::ListAppend, &lists(1), usual);
    }
    certificates(ModelName::Kv, &Entries::default(), usual);
}

#[test]
fn registers_have_certificates() {
    let symbols = Symbols::default();
    for nil in [NilRead::Nil, NilRead::Anything] {
        let semantics = with(nil, FailedCas::NotApplied, None);
        certificates(
            ModelName::MultiRegister,
            &MultiRegisters::new(MultiRegister::new(&symbols, nil, Datum::Nil)),
            semantics,
        );
        certificates(ModelName::Register, &Registers::new(&symbols, nil).without_cas(), semantics);
        certificates(ModelName::CasRegister, &Registers::new(&symbols, nil), semantics);
    }
}

/// What is said of the certificate of a drawn history, after a change.
fn said(picture: &str, semantics: Semantics, from: &str, to: &str) -> String {
    let mut history = timeline::parse(picture).unwrap();
    let options = Options { semantics, ..Options::default() };
    let certificate = issue(&history, &options, &Limits::none()).unwrap();
    let mut text = Vec::new();
    write(&certificate, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(from), "{text}");
    let certificate = read(text.replacen(from, to, 1).as_bytes()).unwrap();
    let semantics = certificate.reading.semantics(&mut history).unwrap();
    match replay(&history, &certificate, semantics, &Limits::none()) {
        Ok(replayed) => format!("{} ordered, {} left out", replayed.ordered, replayed.left_out),
        Err(refused) => refused.to_string(),
    }
}

#[test]
fn a_drain_takes_one_after_the_other() {
    let picture = "p0: |-enqueue 1 @q-| |-enqueue 2 @q-| |-enqueue 3 @q-|
                   p1:                                                    |-drain = [3,1,2] @q-|";
    let usual = Semantics::default();
    assert_eq!(said(picture, usual, "\n6\n6\n6\n", "\n6\n6\n6\n"), "6 ordered, 0 left out");
    assert_eq!(
        said(picture, usual, "\n6\n6\n6\n", "\n6\n6\n"),
        "line 3: event 6, `drain q: [3,1,2]` of client 1, lacks 1 of its elements"
    );
    assert_eq!(
        said(picture, usual, "\n6\n6\n6\n", "\n6\n6\n6\n6\n"),
        "line 10: event 6, `drain q: [3,1,2]` of client 1, cannot answer that: the queue is empty here"
    );
}

#[test]
fn what_the_certificate_says_of_the_reading_counts() {
    let picture = "p0: |-add 1 @c-|
                   p1:                 |-get 8 @c-|  |-get null @c-|";
    let semantics = with(NilRead::Anything, FailedCas::NotApplied, Some(Datum::Int(7)));
    assert_eq!(
        said(picture, semantics, "nil any\ninitial 7\n", "nil any\ninitial 7\n"),
        "2 ordered, 1 left out"
    );
    assert_eq!(
        said(picture, semantics, "initial 7\n", ""),
        "line 6: event 2, `read c: 8` of client 1, cannot answer that: the number here is 1"
    );
    assert_eq!(
        said(picture, semantics, "nil any\n", ""),
        "line 8: event 4, `read c: null` of client 1, is left out, but its answer proves something"
    );
    assert_eq!(
        said(picture, semantics, "object counter", "object marks"),
        "line 6: event 0, `add c 1: ok` of client 0, is no operation of the model marks"
    );
}

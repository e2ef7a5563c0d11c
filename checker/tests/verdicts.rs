//! The verdicts on Porcupine's test data, where they are at hand. Nothing of them is in this repository.

#[path = "../benches/porcupine/typed.rs"]
mod typed;

use checker::certificate::{self, Certificate};
use checker::check::Options;
use checker::fitting::ModelName;
use checker::history::format::Format;
use checker::history::{self, History, Input, Operation, Symbols};
use checker::limits::Limits;
use checker::model::kv::Kv;
use checker::model::register::{FailedCas, NilRead, Register, Semantics};
use checker::search::{self, Outcome};

/// The logs whose history is linearizable; all others with operations are not.
const LINEARIZABLE: [&str; 23] = [
    "002", "005", "007", "018", "025", "031", "038", "045", "048", "049", "051", "053", "056", "067", "075",
    "076", "080", "087", "092", "098", "100", "101", "102",
];

/// Whether there is an order. Without one, what is told of it must be a contradiction that can be shown.
fn is_linearizable(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Linearizable(_) => true,
        Outcome::NotLinearizable(contradiction) => {
            assert!(contradiction.operations.contains(&contradiction.blocked), "{contradiction:?}");
            assert_eq!(contradiction.cut_short, None);
            assert!(!contradiction.refusals.is_empty(), "{contradiction:?}");
            false
        }
        Outcome::Unknown(unknown) => panic!("{unknown:?} without limits"),
    }
}

#[test]
fn every_log_of_etcd_has_its_verdict() {
    let Some(files) = typed::files("jepsen") else { return };
    let mut judged = 0;
    for path in files {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("the files have names");
        let history = typed::read(&typed::bytes(&path), Format::JepsenLog);
        let operations = typed::register(&history);
        if operations.is_empty() {
            continue;
        }
        let expected = LINEARIZABLE.iter().any(|number| name.ends_with(number));
        let model = Register::new(&history.symbols, NilRead::Nil);
        for outcome in [
            search::check_register(&model, &operations, &Limits::none()),
            search::decide_register(&model, &operations, &Limits::none()),
        ] {
            let found = match outcome {
                Outcome::NotLinearizable(_) => false,
                outcome => is_linearizable(&outcome),
            };
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(is_linearizable(&search::check_register(&model, &operations, &Limits::none())), expected);
        let semantics = Semantics { failed_cas: FailedCas::ValueDiffered, ..Semantics::default() };
        let findings = search::register(&history, semantics, &Limits::none());
        assert_eq!(findings.anomalies.is_empty(), expected, "{name}");
        judged += 1;
    }
    assert_eq!(judged, 102);
}

#[test]
fn every_key_value_text_has_its_verdict() {
    let Some(files) = typed::files("kv") else { return };
    for path in &files {
        let history = typed::read(&typed::bytes(path), Format::PorcupineKv);
        let entries = typed::entries(&history);
        let check = |operations: &Vec<_>| search::check_kv(&Kv::default(), operations, &Limits::none());
        let expected = path.to_string_lossy().contains("-ok");
        let found = entries.iter().map(check).filter(|outcome| !is_linearizable(outcome)).count() == 0;
        assert_eq!(found, expected, "{}", path.display());
    }
    assert_eq!(files.len(), 6);
}

/// What becomes of the certificate of a history: whether one is issued, and accepted after it was written and read.
fn has_certificate(mut history: History, options: &Options) -> bool {
    let Ok(certificate) = certificate::issue(&history, options, &Limits::none()) else { return false };
    let mut text = Vec::new();
    certificate::write(&certificate, &mut text).expect("a vector takes everything");
    let again = certificate::read(&*text).expect("it was written to be read");
    let semantics = again.reading.semantics(&mut history).expect("it says how it was read");
    assert_eq!(semantics, options.semantics);
    let accepted = |certificate: &Certificate, semantics| {
        certificate::replay(&history, certificate, semantics, &Limits::none()).is_ok()
    };
    assert!(accepted(&again, semantics), "its own certificate");
    // Read in another way, a failed cas proves nothing and has no place in it.
    if options.semantics.failed_cas == FailedCas::ValueDiffered {
        let is_observed = |operation: &Operation| {
            matches!(
                (&operation.input, &operation.outcome),
                (Input::Cas { .. }, history::Outcome::Fail(None))
            )
        };
        let none = !history.operations().iter().any(is_observed);
        assert_eq!(accepted(&again, Semantics::default()), none, "another reading");
    }
    for (number, object) in again.objects.iter().enumerate().filter(|(_, object)| object.order.len() > 1) {
        let mut torn = again.clone();
        torn.objects[number].order.pop();
        assert!(!accepted(&torn, semantics), "the last operation of {:?} is missing", object.key);
        let mut turned = again.clone();
        turned.objects[number].order.reverse();
        assert!(!accepted(&turned, semantics), "the order of {:?} is turned round", object.key);
    }
    true
}

#[test]
fn every_valid_history_has_a_certificate_and_no_other() {
    let Some(logs) = typed::files("jepsen") else { return };
    let Some(texts) = typed::files("kv") else { return };
    let semantics = Semantics { failed_cas: FailedCas::ValueDiffered, ..Semantics::default() };
    let (mut judged, mut issued) = (0, 0);
    for path in &logs {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("the files have names");
        let history = typed::read(&typed::bytes(path), Format::JepsenLog);
        let is_empty = history.operations().is_empty();
        let expected = is_empty || LINEARIZABLE.iter().any(|number| name.ends_with(number));
        let options = Options { model: Some(ModelName::CasRegister), semantics };
        assert_eq!(has_certificate(history, &options), expected, "{name}");
        (judged, issued) = (judged + 1, issued + u32::from(expected));
    }
    for path in &texts {
        let history = typed::read(&typed::bytes(path), Format::PorcupineKv);
        let expected = path.to_string_lossy().contains("-ok");
        let options = Options { model: Some(ModelName::Kv), ..Options::default() };
        assert_eq!(has_certificate(history, &options), expected, "{}", path.display());
        (judged, issued) = (judged + 1, issued + u32::from(expected));
    }
    // The log without an operation has the empty one.
    assert_eq!((judged, issued), (109, 27));
}

/// The table of symbols is only for texts; numbers need none.
#[test]
fn a_million_operations_with_a_thousand_clients_are_judged_by_chains() {
    use checker::history::Datum;
    use checker::model::Operation;
    use checker::model::register::{Input, Output};

    // Everybody writes a value of their own, and then everybody reads the last one.
    let clients = 1_000;
    let mut operations = Vec::new();
    for round in 0..250_u32 {
        let begin = round * 4 * clients;
        for client in 0..clients {
            let value = Datum::Int(i64::from(round * clients + client));
            let (invoked, returned) = (begin + client, Some(begin + clients + client));
            operations.push(Operation {
                input: Input::Write(value),
                output: Some(Output::Done),
                invoked,
                returned,
            });
        }
        for client in 0..clients {
            let value = Datum::Int(i64::from(round * clients));
            let (invoked, returned) = (begin + 2 * clients + client, Some(begin + 3 * clients + client));
            operations.push(Operation {
                input: Input::Read,
                output: Some(Output::Value(value)),
                invoked,
                returned,
            });
        }
    }
    let symbols = Symbols::default();
    let model = Register::new(&symbols, NilRead::Nil);
    // So few steps are none for half a million operations: chains do not search.
    let limits = Limits { steps: 1, ..Limits::none() };
    let Outcome::Linearizable(order) = search::check_register(&model, &operations, &limits) else { panic!() };
    assert_eq!(order.len(), operations.len());
    operations.last_mut().expect("there are operations").output = Some(Output::Value(Datum::Int(1)));
    let Outcome::NotLinearizable(told) = search::decide_register(&model, &operations, &limits) else {
        panic!()
    };
    assert_eq!(told.operations.len(), 1);
}

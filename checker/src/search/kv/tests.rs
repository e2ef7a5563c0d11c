//! Both ways to decide an entry, against exhaustive search, and what is said of a contradiction.

use std::cell::Cell;

use super::*;
use crate::differential::{compare, histories};
use crate::model::Operation;
use crate::model::kv::{Input, Output};
use crate::model::samples::{Entries, UniqueEntries};
use crate::search::reduced::tests::ways::{both_ways, compare_both};

#[test]
fn repeated_texts_agree_with_exhaustive_search() {
    compare("kv", &Entries::default(), |model, operations| check_kv(model, operations, &Limits::none()));
    compare_both("kv", &Entries::default(), |model: &Kv<'_>, operations| {
        let mut texts = Texts::new(model, operations, &mut Budget::new(&Limits::none()));
        both_ways(texts.as_mut().expect("there is no limit"), operations)
    });
}

#[test]
fn unique_texts_agree_with_exhaustive_search() {
    let linear = Cell::new(0);
    for initial in ["", "z"] {
        compare("kv, each text once", &UniqueEntries::starting_with(initial), |model, operations| {
            let decision = eras::decide(model, operations, &mut Budget::new(&Limits::none()));
            linear.set(linear.get() + u64::from(decision.expect("there is no limit").is_some()));
            check_kv(model, operations, &Limits::none())
        });
        compare(
            "kv, each text once, searched",
            &UniqueEntries::starting_with(initial),
            |model, operations| check_repeated(model, operations, true, &Limits::none()).0,
        );
    }
    let share = linear.get() * 100 / (2 * histories());
    assert!(share >= 40, "{share} % were decided in linear time");
}

fn judge(operations: &[(Input<'static>, Option<&'static str>)]) -> Outcome {
    let one_by_one: Vec<OperationOf<Kv<'_>>> = (0..)
        .zip(operations)
        .map(|(number, (input, read))| Operation {
            input: *input,
            output: Some(read.map_or(Output::Done, Output::Value)),
            invoked: 2 * number,
            returned: Some(2 * number + 1),
        })
        .collect();
    check_kv(&Kv::default(), &one_by_one, &Limits::none())
}

#[test]
fn a_contradiction_is_told_with_what_should_be_there() {
    let told = |operations: &[_], proof: &[usize], why: &str| match judge(operations) {
        Outcome::NotLinearizable(contradiction) => {
            assert_eq!(contradiction.operations, proof, "{operations:?}");
            assert!(contradiction.refusals.iter().any(|told| told == why), "{contradiction:?}");
        }
        outcome => panic!("{outcome:?} of {operations:?}"),
    };
    let (put, append, get) = (Input::Put, Input::Append, Input::Get);
    // An append was lost: by eras, and where a text repeats.
    told(
        &[(put("a"), None), (append("b"), None), (get, Some("a"))],
        &[1, 2],
        "a get here must return \"ab\"",
    );
    told(
        &[(put("a"), None), (append("b"), None), (append("a"), None), (get, Some("aa")), (get, Some("ab"))],
        &[1, 3],
        "a get here must return a text that no get has returned",
    );
    // Appended twice.
    told(&[(append("b"), None), (get, Some("bb"))], &[1], "a get here must return \"b\"");
}

use proptest::prelude::*;

mod general;

use super::*;
use crate::check::{CheckName, Options, check_one};
use crate::evidence::Evidence;
use crate::history::{History, Input, timeline};
use crate::limits::Limits;
use crate::log::tests::simulated;
use crate::model::register::Semantics;
use crate::verdict::Verdict;

fn history(picture: &str) -> History {
    timeline::parse(picture).unwrap()
}

/// What is said of a certificate in which `from` is replaced by `to`, after it was written and read again.
fn said(picture: &str, from: &str, to: &str) -> String {
    let history = history(picture);
    let certificate = issue(&history, &Options::default(), &Limits::none()).unwrap();
    let mut text = Vec::new();
    write(&certificate, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(from), "{text}");
    match read(text.replacen(from, to, 1).as_bytes()) {
        Ok(certificate) => match replay(&history, &certificate, Semantics::default(), &Limits::none()) {
            Ok(replayed) => format!("{replayed:?}"),
            Err(refused) => refused.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

const MIXED: &str = "p0: |-send a=1-|   |-send b-?
     p3:                            |-send c (no-leader)-!
     p1:    |-read []-|    |-read [a b]-| |-write 3-| |-get 3-|
     p2: |-create al-| |-create al (already-exists)-!  |-list [al]-| |-list like b* []-|";

#[test]
fn a_certificate_is_written_and_read() {
    let history = history(MIXED);
    let certificate = issue(&history, &Options::default(), &Limits::none()).unwrap();
    let mut text = Vec::new();
    write(&certificate, &mut text).unwrap();
    assert_eq!(
        String::from_utf8(text.clone()).unwrap(),
        "hearsay-certificate 1
events 22
object conversation \"k\"
2
0
7
8
left-out
10
object register \"x\"
12
15
object account \"al\"
1
6
16
end
"
    );
    let again = read(&*text).unwrap();
    assert_eq!(again.objects.iter().map(|object| object.line).collect::<Vec<_>>(), [3, 10, 13]);
    let placed = |certificate: &Certificate| {
        certificate
            .objects
            .iter()
            .map(|object| (object.order.clone(), object.left_out.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(placed(&again), placed(&certificate));
    assert_eq!(
        replay(&history, &again, Semantics::default(), &Limits::none()),
        Ok(Replayed { objects: 3, ordered: 9, left_out: 1 })
    );
}

/// Certificates of [`MIXED`], each with one change, and what is said of them.
const CHANGED: [(&str, &str, &str); 15] = [
    ("events 22", "events 21", "the certificate is of a history of 21 events; this one has 22"),
    (
        "\n2\n0\n",
        "\n0\n2\n",
        "line 5: event 2, `read after 0 limit 100: head 0, nothing` of client 1, cannot answer \
        that: the last number here is 1",
    ),
    (
        "\n7\n8\n",
        "\n8\n7\n",
        "line 6: event 8, `read after 0 limit 100: head 2, 1:a 2:b` of client 1, cannot answer \
        that: the last number here is 1",
    ),
    (
        "\n12\n15\n",
        "\n15\n12\n",
        "line 11: event 15, `read x: 3` of client 1, cannot answer that: a read here must \
        return null",
    ),
    ("\n15\n", "\n", "line 10: event 15, `read x: 3` of client 1, is missing from the register `x`"),
    (
        "\n15\n",
        "\nleft-out\n15\n",
        "line 13: event 15, `read x: 3` of client 1, is left out, but its answer proves \
        something",
    ),
    (
        "left-out\n10\n",
        "10\n",
        "line 8: event 10, `send c: failed, no-leader` of client 3, proves nothing and has no \
        place in an order",
    ),
    ("\n15\n", "\n15\n15\n", "line 13: event 15, `read x: 3` of client 1, comes a second time"),
    ("\n15\n", "\n18\n", "line 12: no operation is invoked at event 18"),
    (
        "\n15\n",
        "\n6\n",
        "line 12: event 6, `create al: failed, already-exists` of client 2, is not about the register \
        `x`",
    ),
    ("object account \"al\"", "object account \"bo\"", "the history has no account `bo`"),
    ("object account \"al\"\n1\n6\n16\n", "", "the account `al` of the history is not in the certificate"),
    ("end\n", "", "17: the certificate ends without `end`: it is torn"),
    ("15\n", "x\n", "12: `x` is neither the number of an event nor `object`, `left-out` or `end`"),
    (
        "object register",
        "object cupboard",
        "10: `cupboard` is no kind of object: there are conversation, account, register, multi-register, mutex, \
         queue, list-append, kv, set, counter and marks",
    ),
];

#[test]
fn the_first_operation_that_does_not_fit_is_named() {
    for (from, to, expected) in CHANGED {
        assert_eq!(said(MIXED, from, to), expected, "{from:?} replaced by {to:?}");
    }
}

#[test]
fn what_has_no_order_has_no_certificate() {
    let why = |picture: &str| {
        issue(&history(picture), &Options::default(), &Limits::none()).unwrap_err().to_string()
    };
    assert_eq!(
        why("p0: |-write 3-|  |-get 4-|"),
        "there is no order of the operations on `x`: it is not linearizable"
    );
    assert_eq!(
        why("p0: |-call topic {}-|"),
        "no model knows `topic`, which is invoked at event 0, together with the other operations"
    );
    // Of a conversation, what its answers say is written down, and then refused.
    let stale = history("p0: |-send a=1-|  |-read []-|");
    let certificate = issue(&stale, &Options::default(), &Limits::none()).unwrap();
    assert_eq!(
        replay(&stale, &certificate, Semantics::default(), &Limits::none()).unwrap_err().to_string(),
        "line 2: event 0, `send a: ok, number 1` of client 0, had completed at event 1, before event 2 of line 1 was \
         invoked, so it must come before that"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn of_conversations_exactly_those_that_are_valid_have_a_certificate(
        seed in any::<u64>(),
        deletes in prop_oneof![Just(0_u64), Just(25)],
        forgets in 0..3_usize,
    ) {
        let history = simulated(seed, deletes, forgets);
        let evidence = Evidence { history, ..Evidence::default() };
        let verdict = check_one(&evidence, CheckName::Linearizable, &Limits::none()).verdict;
        let history = &evidence.history;
        let accepted = issue(history, &Options::default(), &Limits::none()).is_ok_and(|certificate| replay(history, &certificate, Semantics::default(), &Limits::none()).is_ok());
        prop_assert_eq!(accepted, verdict == Verdict::Valid);
    }

    #[test]
    fn no_order_that_was_tampered_with_is_accepted_unless_it_is_one(
        seed in any::<u64>(),
        one in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
    ) {
        let history = simulated(seed, 0, 0);
        let mut certificate = issue(&history, &Options::default(), &Limits::none()).unwrap();
        let order = &mut certificate.objects[0].order;
        let (one, other) = (one.index(order.len()), other.index(order.len()));
        order.swap(one, other);
        let (first, last) = (one.min(other), one.max(other));
        let operation = |index: u32| {
            let operations = history.operations();
            &operations[operations.binary_search_by_key(&index, |operation| operation.invoked.index).unwrap()]
        };
        // Only what may change places may: reads that end at one number, as far as they overlap.
        let moved: Vec<_> = order[first..=last].iter().map(|index| operation(*index)).collect();
        // Of those that nobody has shown, one number is as good as another.
        prop_assume!(moved.iter().all(|operation| operation.output().is_some()));
        let is_read = moved.iter().all(|operation| matches!(operation.input, Input::Read { .. }));
        let agrees = (0..moved.len()).all(|at| {
            moved[at + 1..].iter().all(|later| !later.returned_before(moved[at].invoked))
        });
        let accepted = replay(&history, &certificate, Semantics::default(), &Limits::none()).is_ok();
        prop_assert_eq!(accepted, first == last || (is_read && agrees));
    }
}

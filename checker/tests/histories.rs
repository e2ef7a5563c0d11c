//! The committed histories, and what must be said about each of them. `histories/README.md` tells their story.

use checker::anomaly::AnomalyKind;
use checker::check::{self, CheckName};
use checker::evidence::Evidence;
use checker::history::jsonl;
use checker::limits::Limits;
use checker::verdict::{CheckResult, Verdict};

macro_rules! history {
    ($name:literal) => {
        include_str!(concat!("histories/", $name, ".jsonl"))
    };
}

fn judged(text: &str) -> [CheckResult; 2] {
    let (history, torn) = jsonl::read(text.as_bytes()).expect("the committed histories can be read");
    assert_eq!(torn, None);
    let evidence = Evidence { history, ..Evidence::default() };
    let results = check::check(&evidence, &[CheckName::Linearizable, CheckName::Durable], &Limits::none());
    results.try_into().expect("two checks have two results")
}

fn told(result: &CheckResult) -> Vec<(AnomalyKind, &str, &str)> {
    let key = |key: &'_ Option<String>| key.as_deref().unwrap_or_default().to_owned();
    assert!(result.anomalies.iter().all(|anomaly| (1..=5).contains(&anomaly.operations.len())));
    assert!(
        result.anomalies.iter().all(|anomaly| !anomaly.drawing.is_empty() && !key(&anomaly.key).is_empty())
    );
    result
        .anomalies
        .iter()
        .map(|anomaly| (anomaly.kind, anomaly.key.as_deref().unwrap_or_default(), anomaly.sentence.as_str()))
        .collect()
}

#[test]
fn the_valid_history_is_valid_and_written_as_it_was_read() {
    let text = history!("valid");
    let [linearizable, durable] = judged(text);
    assert_eq!((linearizable.verdict, linearizable.operations, linearizable.keys), (Verdict::Valid, 474, 3));
    assert_eq!((durable.verdict, durable.counts["acknowledged"]), (Verdict::Valid, 216));
    let (history, _) = jsonl::read(text.as_bytes()).unwrap();
    let mut written = Vec::new();
    jsonl::write(&history, &mut written).unwrap();
    for (written, read) in String::from_utf8(written).unwrap().lines().zip(text.lines()) {
        assert_eq!(written, read);
    }
}

#[test]
fn a_message_removed_from_every_later_read_is_lost() {
    let [linearizable, durable] = judged(history!("lost"));
    assert_eq!(
        told(&linearizable),
        [(
            AnomalyKind::Lost,
            "alice:bob",
            "send c6-6 was acknowledged at 3.524 s as number 41; the read by client 2 on n2 began at 4.906 s and \
             shows numbers 36 to 42 without it, and no later read shows it, up to the final read by client 24 on n5"
        )]
    );
    assert_eq!(
        told(&durable),
        [(
            AnomalyKind::Lost,
            "alice:bob",
            "send c6-6 was acknowledged at 3.524 s as number 41; the final read by client 20 on n1 began at \
             22.000 s and shows numbers 1 to 50 without it, and no final read shows it"
        )]
    );
    assert_eq!(durable.counts["lost"], 1);
}

#[test]
fn a_message_that_stands_elsewhere_on_one_page_has_moved() {
    let [linearizable, durable] = judged(history!("moved"));
    let told = told(&linearizable);
    // It takes the two messages that it passes along.
    assert_eq!(
        told.iter().map(|(kind, key, _)| (*kind, *key)).collect::<Vec<_>>(),
        [(AnomalyKind::Moved, "tea-room"); 3]
    );
    assert_eq!(
        told[0].2,
        "send c3-7 was acknowledged at 2.282 s as number 8, but the read by client 9 on n4, which ended at 9.188 s, \
         says number 10"
    );
    assert_eq!(durable.verdict, Verdict::Valid);
}

#[test]
fn a_read_that_ends_early_is_stale() {
    let [linearizable, durable] = judged(history!("stale"));
    assert_eq!(
        told(&linearizable),
        [(
            AnomalyKind::StaleRead,
            "alice:bob",
            "send c9-13 was acknowledged at 11.408 s as number 79; the read by client 13 on n1 began at 11.564 s \
             and ended at number 78 without it; the read by client 16 on n5, which ended at 12.790 s, shows it"
        )]
    );
    assert_eq!(durable.verdict, Verdict::Valid);
}

#[test]
fn an_id_that_stands_twice_on_one_page_is_a_duplicate() {
    let [linearizable, durable] = judged(history!("doubled"));
    assert_eq!(
        told(&linearizable),
        [(
            AnomalyKind::Duplicate,
            "alice:carol",
            "the read by client 11 on n3 shows message c1-11 twice on one page, as number 27 and as number 28"
        )]
    );
    assert_eq!(durable.verdict, Verdict::Valid);
}

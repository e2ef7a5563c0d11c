use crate::history::{Datum, History, Input, Outcome, edn, timeline};

/// Events as `process type f value …`, each an EDN map.
fn read(events: &[&str]) -> Result<History, String> {
    let maps: Vec<String> = events
        .iter()
        .map(|event| {
            let words: Vec<&str> = event.splitn(4, ' ').collect();
            let [process, r#type, f, rest] = words[..] else { panic!("{event}") };
            format!("{{:process {process}, :type :{type}, :f :{f}, :value {rest}}}\n")
        })
        .collect();
    edn::read(maps.concat().as_bytes()).map(|(history, _)| history).map_err(|error| error.to_string())
}

fn drawn(events: &[&str]) -> String {
    timeline::draw(&read(events).unwrap())
}

fn keys(events: &[&str]) -> Vec<String> {
    let history = read(events).unwrap();
    let text = |key| history.text(key).to_owned();
    history.operations().iter().map(|operation| operation.key.map(text).unwrap_or_default()).collect()
}

#[test]
fn a_process_that_goes_on_after_info_is_a_new_one() {
    let history = read(&[
        "0 invoke read nil",
        "0 info read nil",
        "5 invoke read nil",
        "0 invoke write 1",
        "0 info write 1",
        "0 invoke write 2",
        "0 ok write 2",
        "6 invoke read nil",
        "7 invoke read nil",
        "7 ok read 2",
        "8 invoke read nil",
    ])
    .unwrap();
    let processes: Vec<u64> = history.operations().iter().map(|operation| operation.process).collect();
    // 6 and 7 are the successors of 0, so that those who have these numbers get others.
    assert_eq!(processes, [0, 5, 6, 7, 8, 9, 10]);
    assert!(history.operations()[3].output().is_some() && history.operations()[5].output().is_some());
}

#[test]
fn what_could_change_a_verdict_is_refused() {
    assert_eq!(
        read(&["1 invoke write 3", "1 invoke read nil"]).unwrap_err(),
        "line 2, column 1: process 1 invokes `read` while its `write` of index 0 is still open; its completion is \
         missing (`:info`, if nobody knows how it ended)"
    );
    assert_eq!(
        read(&["1 ok write 3"]).unwrap_err(),
        "line 1, column 1: process 1 completes `write` but has nothing open; its invocation is missing, or it was \
         completed before"
    );
    assert_eq!(
        read(&["1 invoke write 3", "1 ok read 3"]).unwrap_err(),
        "line 2, column 1: process 1 completes `read` but its open operation of index 0 is `write`"
    );
    assert_eq!(
        read(&["1 invoke read [2 nil]", "1 ok read [3 4]"]).unwrap_err(),
        "line 2, column 1: this completes `read` of `3` but what is open was asked of `2`"
    );
    assert_eq!(
        read(&["1 invoke read nil, :index 7", "1 ok read 3, :index 7"]).unwrap_err(),
        "line 2, column 1: index 7 comes after 7: the events of a history stand in the order in which they happened"
    );
}

#[test]
fn indexes_and_times_are_made_ours() {
    let history = read(&[
        "1 invoke read nil, :index 3, :time 70",
        "1 ok read 3, :index 9, :time 50",
        "1 invoke read nil",
        "1 ok read 3, :index 12, :time 80",
    ])
    .unwrap();
    let moments: Vec<_> =
        history.operations().iter().flat_map(|o| [Some(o.invoked), o.completed]).flatten().collect();
    assert_eq!(
        moments.iter().map(|m| (m.index, m.time)).collect::<Vec<_>>(),
        [(0, 70), (1, 70), (2, 70), (3, 80)]
    );
}

#[test]
fn independent_keys_are_told_from_vectors_of_two() {
    let cas = ["1 invoke cas [1 2]", "1 ok cas [1 2]"];
    assert_eq!(drawn(&cas), "p1: |-cas 1 2-|\n");
    assert_eq!(drawn(&["1 invoke cas [7 [1 2]]", "1 ok cas [7 [1 2]]"]), "p1: |-cas 1 2 @7-|\n");
    assert_eq!(drawn(&["1 invoke read [:a nil]", "1 ok read [:a 5]"]), "p1: |-get 5 @a-|\n");
    assert_eq!(drawn(&["1 invoke write [\"k\" 3]", "1 info write [\"k\" 3]"]), "p1: |-write 3 @k-?\n");
    assert_eq!(
        drawn(&["1 invoke txn [4 [[:r 1 nil] [:append 1 2]]]", "1 ok txn [4 [[:r 1 [2]] [:append 1 2]]]"]),
        "p1: |-txn [[\":r\",1,null],[\":append\",1,2]] = [[\":r\",1,[2]],[\":append\",1,2]] @4-|\n"
    );
    // A transaction of two micro-operations has no key.
    assert_eq!(keys(&["1 invoke txn [[:r 1 nil] [:append 1 2]]"]), [""]);
    // The first operation may be about one object, or about a key: the next tells.
    assert_eq!(keys(&["1 invoke write [0 3]", "2 invoke read [0 nil]", "3 invoke sync nil"]), ["0", "0", ""]);
    let plain =
        read(&["1 invoke write [0 3]", "1 ok write [0 3]", "2 invoke read nil", "2 ok read [0 3]"]).unwrap();
    assert_eq!(timeline::draw(&plain), "p1: |-write [0,3]-|\np2:                |-get [0,3]-|\n");
    let enqueued = read(&[
        "1 invoke add [0 3]",
        "2 invoke transfer [1 [2 3]]",
        "2 ok transfer [1 [2 3]]",
        "1 ok add [0 3]",
        "2 invoke drain nil",
    ])
    .unwrap();
    assert!(enqueued.operations().iter().all(|operation| operation.key.is_none()));
    let values: Vec<String> =
        enqueued.operations().iter().map(|o| o.input.argument().text(&enqueued.symbols)).collect();
    assert_eq!(values, ["[0,3]", "[1,[2,3]]", "null"]);
}

#[test]
fn a_key_may_stand_apart() {
    assert_eq!(
        drawn(&["1 invoke append \"x\", :key \"0\"", "1 ok append \"x\", :key \"0\""]),
        "p1: |-append \"x\" @0-|\n"
    );
    assert_eq!(keys(&["1 invoke write [1 2], :key nil"]), [""]);
    assert_eq!(
        read(&["1 invoke get nil, :key \"0\"", "1 ok get \"\", :key \"1\""]).unwrap_err(),
        "line 2, column 1: this completes `read` of `1` but what is open was asked of `0`"
    );
}

#[test]
fn a_keyword_in_the_place_of_an_answer_is_the_error() {
    let history = read(&[
        "1 invoke cas [1 2]",
        "1 info cas :timed-out",
        "2 invoke read nil",
        "2 fail read nil, :error [:net \"x\"]",
    ])
    .unwrap();
    let outcomes: Vec<String> = history
        .operations()
        .iter()
        .map(|operation| match operation.outcome {
            Outcome::Info(Some(error)) | Outcome::Fail(Some(error)) => history.text(error).to_owned(),
            _ => panic!("{operation:?}"),
        })
        .collect();
    assert_eq!(outcomes, ["timed-out", "net: x"]);
    // One that repeats what was asked is no error.
    let history = read(&["1 invoke add :x", "1 fail add :x"]).unwrap();
    assert_eq!(history.operations()[0].outcome, Outcome::Fail(None));
}

#[test]
fn who_is_no_number_is_the_nemesis() {
    let history = read(&[
        ":nemesis info start-partition nil",
        "0 invoke read nil",
        ":nemesis info start-partition {\"n1\" #{\"n2\"}}",
        ":nemesis info kill {:nodes [\"n1\" \"n2\"]}",
    ])
    .unwrap();
    let faults: Vec<_> = history
        .faults()
        .iter()
        .map(|fault| {
            (
                history.text(fault.f),
                fault.began.index,
                fault.ended.map(|ended| ended.index),
                fault.nodes.len(),
            )
        })
        .collect();
    assert_eq!(faults, [("start-partition", 0, Some(2), 0), ("kill", 3, None, 2)]);
    assert_eq!(history.faults()[0].value, Datum::Nil);
}

#[test]
fn operations_of_the_chat_have_their_shapes() {
    let history = read(&[
        "0 invoke send {:id \"a\"}, :key \"k\"",
        "0 ok send {:id \"a\", :seq 1}, :key \"k\"",
        "0 invoke poll [[:poll]]",
    ])
    .unwrap();
    assert!(matches!(history.operations()[0].input, Input::Send { .. }));
    assert!(matches!(history.operations()[1].input, Input::Other { .. }), "another poll than ours");
    assert_eq!(
        read(&["0 invoke send {:id \"a\"}", "0 ok send {:id \"b\", :seq 1}"]).unwrap_err(),
        "line 2, column 1: value of `send`: message `b` answers a send of `a`"
    );
}

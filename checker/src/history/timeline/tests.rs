use super::*;
use crate::history::{Output, PageRange, jsonl};

/// Every form of the notation, drawn as [`draw`] draws it.
const EVERYTHING: &str = "\
p0@n1:   |-send a=1-|
p1@n2:               |-send b (timeout)-?
p2:                                      |-send c (full)-!
p3:                                                       |-read [a b]-|
p4:                                                                     |-final-read 5+2 [f g]/9 @room-|
nemesis:                                                                                                |-kill n1 n2-|
";

fn round_trip(picture: &str) {
    let history = parse(picture).unwrap();
    let drawn = draw(&history);
    let again = parse(&drawn).unwrap_or_else(|error| panic!("{error} in\n{drawn}"));
    assert_eq!(draw(&again), drawn);
    let timeless = |history: &History| -> Vec<_> {
        jsonl::events(history).map(|event| jsonl::Event { time: 0, ..event }).collect()
    };
    assert_eq!(timeless(&again), timeless(&history), "{drawn}");
}

#[test]
fn a_drawn_history_is_drawn_the_same_again() {
    assert_eq!(draw(&parse(EVERYTHING).unwrap()), EVERYTHING);
    round_trip(EVERYTHING);
}

#[test]
fn each_kind_of_operation_survives_a_round_trip() {
    for operation in [
        "send a=1",
        "send c3-17=9 @alice:bob",
        "read []",
        "read []/7",
        "stale-read 5+2 [f]/9",
        "read [a b]",
        "read [a 3:c d†]",
        "read 5+2 [f g]/9",
        "read <9+2 [g h]/12",
        "read <9+2 [1:a]",
        "final-read 0+7 [a]",
        "delete #3",
        "poll [7/k/1/a 8/k/2/b]",
        "poll []",
        "poll by w1 [7/al:bo/1/a] @al",
        "final-poll by w1 after 7 []",
        "create al",
        "delete-account al",
        "login al",
        "list [al bo]",
        "list like a* after al limit 9 [am]",
        "get 3",
        "get null",
        "get \"three\" @y",
        "write 3",
        "cas null 2",
        "put \"a b\" @y",
        "append \"a b\"",
        "add 3",
        "remove [3]",
        "enqueue 3",
        "dequeue = 3",
        "drain = [3,4]",
        "acquire",
        "acquire \"me\" = 7",
        "release 7",
        "increment = 7",
        "decrement 2",
        "txn [[\"r\",1,null],[\"append\",1,2]] = [[\"r\",1,[]],[\"append\",1,2]]",
        "call topic {\"a\":1} @room",
        "call topic {\"a\":1} = [2.5]",
    ] {
        round_trip(&format!("p0: |-{operation}-|"));
        round_trip(&format!("p7@n3: |-{operation}-?"));
        round_trip(&format!("p7@n3: |-{operation} (no-leader)-!"));
        round_trip(&format!("p7@n3: |-{operation}->"));
    }
}

#[test]
fn overlapping_operations_keep_their_order() {
    round_trip(
        "p0:      |-send a=1-----------|      |-send b->
         p1:         |-read []-|  |-read [a]-|
         nemesis:  |-kill n1-------|
         nemesis:    |-pause n2 n3 @second---->",
    );
}

#[test]
fn a_column_is_a_millisecond_and_beginnings_come_before_ends() {
    let history = parse("p0: |-send a=1-|\np1:            |-read [a]-|").unwrap();
    let [send, read] = history.operations() else { panic!("two operations") };
    assert_eq!((send.invoked.time, send.completed.unwrap().time), (4_000_000, 15_000_000));
    assert_eq!(read.invoked, Moment { index: 1, time: 15_000_000 });
    assert_eq!(send.completed.unwrap().index, 2, "they overlap");
}

#[test]
fn pages_have_the_numbers_they_show() {
    let history = parse("p0: |-read 5+4 [f 9:i]/12 @room-|").unwrap();
    let [read] = history.operations() else { panic!("one operation") };
    let Some(Output::Page { entries, head }) = read.output() else { panic!("a page") };
    assert_eq!(read.input, Input::Read { range: PageRange::After { seq: 5, limit: 4 }, last: false });
    assert_eq!(entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [6, 9]);
    assert_eq!((*head, history.text(read.key.unwrap())), (12, "room"));
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let error = |picture: &str| parse(picture).unwrap_err().to_string();
    assert_eq!(error("|-send a-|"), "line 1, column 1: a line begins with `p0:` or `nemesis:`");
    assert_eq!(error("q: |-send a-|"), "line 1, column 1: a process is written `p0` or `p0@n1`");
    assert_eq!(error("p0: |-send a"), "line 1, column 5: an operation ends with `-|`, `-!`, `-?` or `->`");
    assert_eq!(error("p0: send a"), "line 1, column 5: an operation begins with `|-`");
    assert_eq!(error("p0: |-sand a-|"), "line 1, column 5: unknown operation `sand`");
    assert_eq!(error("p0: |-send a-|"), "line 1, column 5: an operation that is ok has an answer");
    assert_eq!(error("p0: |-send a=x-|"), "line 1, column 5: `x` is not a number");
    assert_eq!(
        error("p0: |-send a-?  |-read []-|"),
        "line 1, column 17: process 0 invokes `read` after an `info`: its successor needs a number of its own"
    );
}

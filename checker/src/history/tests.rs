use super::*;

fn history() -> (History, Symbol) {
    let mut history = History::new();
    let id = history.symbols.intern("a");
    (history, id)
}

fn at(index: u32, time: u64) -> Moment {
    Moment { index, time }
}

#[test]
fn indexes_are_dense_from_zero() {
    let (mut history, id) = history();
    let refused = history.invoke(at(1, 0), 0, None, None, Input::Send { id }).unwrap_err();
    assert_eq!(refused.to_string(), "index 1 where 0 was expected: indexes are dense from 0");
    assert!(history.operations().is_empty(), "a refused event leaves no trace");
    history.invoke(at(0, 0), 0, None, None, Input::Send { id }).unwrap();
    assert_eq!(history.next_index(), 1);
}

#[test]
fn times_never_decrease() {
    let (mut history, id) = history();
    history.invoke(at(0, 7), 0, None, None, Input::Send { id }).unwrap();
    let refused = history.complete(at(1, 6), 0, "send", Outcome::Info(None)).unwrap_err();
    assert_eq!(refused.to_string(), "time 6 ns is before the previous event's 7 ns");
    history.complete(at(1, 7), 0, "send", Outcome::Info(None)).unwrap();
}

#[test]
fn a_process_has_at_most_one_open_operation() {
    let (mut history, id) = history();
    history.invoke(at(0, 0), 3, None, None, Input::Send { id }).unwrap();
    let refused = history.invoke(at(1, 0), 3, None, None, Input::Get).unwrap_err();
    assert_eq!(refused.to_string(), "process 3 invokes `read` while its `send` of index 0 is still open");
    history.invoke(at(1, 0), 4, None, None, Input::Get).unwrap();
}

#[test]
fn a_process_that_got_info_never_invokes_again() {
    let (mut history, id) = history();
    history.invoke(at(0, 0), 3, None, None, Input::Send { id }).unwrap();
    history.complete(at(1, 0), 3, "send", Outcome::Info(None)).unwrap();
    let refused = history.invoke(at(2, 0), 3, None, None, Input::Get).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "process 3 invokes `read` after an `info`: its successor needs a number of its own"
    );
}

#[test]
fn a_process_that_failed_goes_on() {
    let (mut history, id) = history();
    history.invoke(at(0, 0), 3, None, None, Input::Send { id }).unwrap();
    history.complete(at(1, 0), 3, "send", Outcome::Fail(None)).unwrap();
    history.invoke(at(2, 0), 3, None, None, Input::Get).unwrap();
}

#[test]
fn a_completion_belongs_to_the_open_operation() {
    let (mut history, id) = history();
    let refused = history.complete(at(0, 0), 3, "send", Outcome::Info(None)).unwrap_err();
    assert_eq!(refused.to_string(), "process 3 completes `send` but has nothing open");
    history.invoke(at(0, 0), 3, None, None, Input::Send { id }).unwrap();
    let refused = history.complete(at(1, 0), 3, "read", Outcome::Info(None)).unwrap_err();
    assert_eq!(refused.to_string(), "process 3 completes `read` but its open operation of index 0 is `send`");
    let refused = history.complete(at(1, 0), 3, "send", Outcome::Ok(Output::Done)).unwrap_err();
    assert_eq!(refused.to_string(), "process 3 got an answer that `send` cannot have");
    history.complete(at(1, 0), 3, "send", Outcome::Ok(Output::Sent { seq: 1 })).unwrap();
    let refused = history.complete(at(2, 0), 3, "send", Outcome::Info(None)).unwrap_err();
    assert_eq!(refused.to_string(), "process 3 completes `send` but has nothing open");
}

#[test]
fn an_operation_that_never_completes_is_info() {
    let (mut history, id) = history();
    let send = history.invoke(at(0, 0), 3, None, None, Input::Send { id }).unwrap();
    assert_eq!(history.operation(send).outcome, Outcome::Info(None));
    assert_eq!(history.operation(send).completed, None);
}

#[test]
fn the_lines_of_a_fault_are_paired_by_name() {
    let mut history = History::new();
    let (kill, first, second) =
        (history.symbols.intern("kill"), history.symbols.intern("a"), history.symbols.intern("b"));
    let line = |key| FaultLine { f: kill, key: Some(key), nodes: Box::new([]), value: Datum::Nil };
    for (index, key) in [first, second, first, first].into_iter().enumerate() {
        history.nemesis(at(u32::try_from(index).unwrap(), 0), line(key)).unwrap();
    }
    let windows: Vec<_> =
        history.faults().iter().map(|f| (f.began.index, f.ended.map(|e| e.index))).collect();
    assert_eq!(windows, [(0, Some(2)), (1, None), (3, None)]);
}

#[test]
fn steps_come_in_real_time_order() {
    let history = timeline::parse(
        "p0:      |-send a=1----|
         p1:        |-read []-|
         nemesis: |-kill n1------>",
    )
    .unwrap();
    let (send, read) = (OperationId(0), OperationId(1));
    assert_eq!(
        history.steps().collect::<Vec<_>>(),
        [Step::Invoked(send), Step::Invoked(read), Step::Completed(read), Step::Completed(send)]
    );
}

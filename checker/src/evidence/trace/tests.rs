use super::*;

const TRACE: &str = r#"{"kind":"start","at":1,"node":"n1"}
{"kind":"vote","at":2,"node":"n1","term":5,"for":"n2"}
{"kind":"leader","at":3,"node":"n1","term":5}
{"kind":"commit","at":4,"node":"n1","index":9,"term":5}
{"kind":"applied","at":5,"node":"n1","index":9,"term":5,"state":"000000000000000000000000000000ff"}
"#;

/// What a node writes of the cluster it belongs to, and of its snapshots.
const MORE: &str = r#"{"kind":"members","at":6,"node":"n1","index":10,"term":5,"voters":[["n1","n2"],["n2","n3"]],"learners":["n4"]}
{"kind":"snapshot-made","at":7,"node":"n1","index":10,"term":5}
{"kind":"snapshot-installed","at":8,"node":"n1","index":20,"term":5}
{"kind":"recovered","at":9,"node":"n1","term":5,"for":"n2","elected":true,"purged":{"index":3,"term":1},"terms":[{"index":4,"term":1}],"last":{"index":9,"term":1},"snapshot":null}
{"kind":"following","at":10,"node":"n1","term":5,"leader":"n2"}
{"kind":"appended","at":11,"node":"n1","index":10,"term":5,"hashes":"00000000000000ff0123456789abcdef"}
{"kind":"members-appended","at":12,"node":"n1","index":11,"term":5,"voters":[["n1"]],"learners":[]}
{"kind":"flushed","at":13,"node":"n1","index":11,"term":5}
{"kind":"truncated","at":14,"node":"n1","from":11}
{"kind":"purged","at":15,"node":"n1","index":10,"term":5}
"#;

#[test]
fn what_is_read_is_written_the_same() {
    let Trace { events, lines, torn } = read(TRACE.as_bytes()).unwrap();
    assert_eq!((lines, torn), (vec![1, 2, 3, 4, 5], vec![]));
    let written: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    assert_eq!(written, TRACE);

    let Trace { events, torn, .. } = read(MORE.as_bytes()).unwrap();
    assert_eq!((events.len(), torn), (10, vec![]));
    let written: String = events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
    assert_eq!(written, MORE);
}

#[test]
fn the_order_of_the_fields_is_free() {
    let Trace { events, .. } =
        read(r#"{"at":2,"node":"n1","kind":"vote","for":"n2","term":5}"#.as_bytes()).unwrap();
    assert_eq!(events, [TraceEvent::Vote { at: 2, node: "n1".into(), term: 5, r#for: "n2".into() }]);
}

#[test]
fn a_torn_last_line_is_passed_over() {
    let trace = read(&TRACE.as_bytes()[..TRACE.len() - 20]).unwrap();
    assert_eq!((trace.events.len(), trace.torn), (4, vec![Torn { line: 5 }]));
}

#[test]
fn a_torn_line_before_a_restart_is_passed_over() {
    let start = r#"{"kind":"start","at":9,"node":"n1"}"#;
    // With and without the node ending the torn line when it comes up again.
    for (glue, lines) in [("\n", [4, 6, 7]), ("", [4, 5, 6])] {
        let text = format!("{}{glue}{start}\n{TRACE}", &TRACE[..TRACE.len() - 20]);
        let trace = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        assert_eq!((trace.events.len(), trace.torn), (4 + 1 + 5, vec![Torn { line: 5 }]), "{text}");
        assert_eq!(trace.events[4], TraceEvent::Start { at: 9, node: "n1".into() });
        assert_eq!(trace.lines[3..6], lines);
    }
}

#[test]
fn errors_name_the_line() {
    let last = format!("{TRACE}{{}}\n");
    assert!(read(last.as_bytes()).is_err(), "a last line that ends is whole");
    let error = |line: &str| read(format!("{TRACE}{line}\n{TRACE}").as_bytes()).unwrap_err().to_string();
    assert_eq!(error(r#"{"kind":"leader","at":3,"node":"n1"}"#), "line 6, column 1: missing field `term`");
    assert_eq!(
        error(r#"{"kind":"applied","at":5,"node":"n1","index":9,"term":5,"state":"ff"}"#),
        "line 6, column 1: state `ff` is not 32 hexadecimal digits"
    );
}

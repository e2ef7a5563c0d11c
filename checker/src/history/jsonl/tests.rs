use super::*;
use crate::history::{Input, timeline};

const HEADER: &str = r#"{"format":"hearsay-history","version":1,"started_unix_ns":1794992400000000000}"#;

fn read_lines(lines: &[&str]) -> Result<(History, Option<Torn>), JsonlError> {
    let text: String = std::iter::once(&HEADER).chain(lines).map(|line| format!("{line}\n")).collect();
    read(text.as_bytes())
}

fn error(lines: &[&str]) -> String {
    read_lines(lines).unwrap_err().to_string()
}

#[test]
fn what_is_read_is_written_the_same() {
    let lines = [
        HEADER,
        r#"{"index":0,"time":1,"process":3,"type":"invoke","f":"send","key":"al:bo","value":{"id":"c3-17"},"node":"n2"}"#,
        r#"{"index":1,"time":2,"process":4,"type":"invoke","f":"read","key":"al:bo","value":{"after":0,"limit":50},"node":"n1"}"#,
        r#"{"index":2,"time":3,"process":"nemesis","type":"info","f":"kill","key":"kill-leader-1","value":{"signal":"kill"},"node":"n2"}"#,
        r#"{"index":3,"time":4,"process":3,"type":"ok","f":"send","key":"al:bo","value":{"id":"c3-17","seq":9},"node":"n2"}"#,
        r#"{"index":4,"time":5,"process":4,"type":"ok","f":"read","key":"al:bo","value":{"messages":[{"seq":8,"id":"c1-2","deleted":true},{"seq":9,"id":"c3-17"}],"head":9},"node":"n1"}"#,
        r#"{"index":5,"time":5,"process":4,"type":"invoke","f":"read","key":"al:bo","value":{"before":9,"limit":5,"final":true},"node":"n1"}"#,
        r#"{"index":6,"time":6,"process":4,"type":"fail","f":"read","key":"al:bo","node":"n1","error":"unavailable: no leader"}"#,
        r#"{"index":7,"time":6,"process":5,"type":"invoke","f":"create-account","key":"al"}"#,
        r#"{"index":8,"time":6,"process":6,"type":"invoke","f":"list-accounts","value":{"pattern":"a*","after":"aa","limit":9}}"#,
        r#"{"index":9,"time":7,"process":6,"type":"ok","f":"list-accounts","value":{"names":["al"]}}"#,
        r#"{"index":10,"time":7,"process":6,"type":"invoke","f":"poll"}"#,
        r#"{"index":11,"time":7,"process":6,"type":"ok","f":"poll","value":{"events":[{"cursor":4,"key":"al:bo","seq":9,"id":"c3-17"}]}}"#,
        r#"{"index":12,"time":7,"process":6,"type":"invoke","f":"cas","key":"x","value":[null,3]}"#,
        r#"{"index":13,"time":7,"process":6,"type":"info","f":"cas","key":"x","error":"timeout"}"#,
        r#"{"index":14,"time":8,"process":"nemesis","type":"info","f":"partition","value":{"nodes":["n1","n2"],"shape":"halves"}}"#,
        r#"{"index":15,"time":8,"process":"nemesis","type":"info","f":"kill","key":"kill-leader-1","value":"n2 is back","node":"n2"}"#,
        r#"{"index":16,"time":8,"process":7,"type":"invoke","f":"set-topic","key":"x","value":{"topic":"tea"}}"#,
        r#"{"index":17,"time":8,"process":7,"type":"ok","f":"set-topic","key":"x","value":{"previous":null}}"#,
        r#"{"index":18,"time":9,"process":7,"type":"invoke","f":"list-accounts","value":{"limit":9,"final":true}}"#,
        r#"{"index":19,"time":9,"process":8,"type":"invoke","f":"read","key":"al:bo","value":{"after":8,"limit":5,"stale":true},"node":"n1"}"#,
        r#"{"index":20,"time":9,"process":8,"type":"ok","f":"read","key":"al:bo","value":{"messages":[],"head":8},"node":"n1"}"#,
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (history, torn) = read(text.as_bytes()).unwrap();
    assert_eq!(torn, None);
    assert_eq!(history.started_unix_ns(), Some(1_794_992_400_000_000_000));
    let mut written = Vec::new();
    write(&history, &mut written).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), text);
}

#[test]
fn operations_on_general_objects_are_written_the_same() {
    let operations = [
        ("put", r#""a b""#, r#""""#),
        ("append", r#""x""#, ""),
        ("add", "3", ""),
        ("add", "2.5", "7"),
        ("remove", "[1,[]]", ""),
        ("enqueue", r#"{"b":1,"a":[2]}"#, ""),
        ("dequeue", "", "18446744073709551615"),
        ("drain", "", "[3,4]"),
        ("acquire", "", "33"),
        ("release", "33", ""),
        ("increment", "", "-9"),
        ("decrement", "-2", ""),
        ("txn", r#"[["r","x",null],["append",1,2]]"#, r#"[["r","x",[1]],["append",1,2]]"#),
        ("cas", "[[1],null]", ""),
        ("write", "{}", ""),
        ("read", "", r#"{"a":true}"#),
        ("transfer", r#"{"from":1,"to":2}"#, ""),
    ];
    let mut text = format!("{HEADER}\n");
    for (number, (f, asked, answered)) in operations.into_iter().enumerate() {
        for (index, r#type, value) in [(2 * number, "invoke", asked), (2 * number + 1, "ok", answered)] {
            let value = if value.is_empty() { String::new() } else { format!(r#","value":{value}"#) };
            text += &format!(
                r#"{{"index":{index},"time":5,"process":3,"type":"{type}","f":"{f}","key":"k"{value}}}"#
            );
            text.push('\n');
        }
    }
    let (history, _) = read(text.as_bytes()).unwrap();
    let mut written = Vec::new();
    write(&history, &mut written).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), text);
    let unknown = history.operations().iter().filter(|o| matches!(o.input, Input::Other { .. }));
    assert_eq!(unknown.map(|o| history.f(o)).collect::<Vec<_>>(), ["transfer"]);
}

#[test]
fn a_drawn_history_survives_the_file() {
    let history = timeline::parse(
        "p0@n1:   |-send a=1-|  |-final-read [a]-|
         p1@n2:     |-send b-?
         nemesis: |-kill n1 n2------->",
    )
    .unwrap();
    let mut file = Vec::new();
    write(&history, &mut file).unwrap();
    let (read, _) = read(&*file).unwrap();
    assert_eq!(timeline::draw(&read), timeline::draw(&history));
}

#[test]
fn only_a_header_of_this_version_is_read() {
    let error = |text: &str| read(text.as_bytes()).unwrap_err().to_string();
    let header = r#"{"format":"hearsay-history","version":1}"#;
    let refused = |column: usize, why: &str| {
        format!("line 1, column {column}: not a history: {why}; the first line must be {header}")
    };
    assert_eq!(error(""), format!("line 1, column 1: the file is empty; a history begins with {header}"));
    assert_eq!(error("{\"format\":\"hears"), refused(16, "EOF while parsing a string"));
    assert_eq!(error("{\"format\":\"other\",\"version\":1}\n"), refused(1, "its format is `other`"));
    assert_eq!(
        error("{\"format\":\"hearsay-history\",\"version\":1,\"initially\":\"full\"}\n"),
        refused(58, "unknown variant `full`, expected `empty`")
    );
    assert_eq!(
        error("{\"format\":\"hearsay-history\",\"version\":2}\n"),
        "line 1, column 1: version 2 of the history format is unknown; this program reads version 1"
    );
    let (history, _) = read_lines(&[]).unwrap();
    assert!(history.operations().is_empty());
}

#[test]
fn a_header_can_say_that_there_was_nothing_before() {
    let header = Header::new(Some(5)).initially_empty();
    let text = serde_json::to_string(&header).unwrap() + "\n";
    assert_eq!(
        text,
        "{\"format\":\"hearsay-history\",\"version\":1,\"started_unix_ns\":5,\"initially\":\"empty\"}\n"
    );
    let (history, _) = read(text.as_bytes()).unwrap();
    assert!(history.is_initially_empty());
    let mut written = Vec::new();
    write(&history, &mut written).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), text);
    assert!(!read_lines(&[]).unwrap().0.is_initially_empty());
}

#[test]
fn a_torn_last_line_is_passed_over_and_reported() {
    let whole = r#"{"index":0,"time":1,"process":3,"type":"invoke","f":"send","value":{"id":"a"}}"#;
    for length in 1..whole.len() {
        let text = format!("{HEADER}\n{whole}\n{}", &whole.replace('0', "1")[..length]);
        let (history, torn) = read(text.as_bytes()).unwrap();
        assert_eq!((history.operations().len(), torn), (1, Some(Torn { line: 3 })), "{text}");
    }
    // A whole last line whose newline is missing is used.
    let (history, torn) = read(format!("{HEADER}\n{whole}").as_bytes()).unwrap();
    assert_eq!((history.operations().len(), torn), (1, None));
}

#[test]
fn errors_name_the_line_and_the_column() {
    assert_eq!(
        error(&[
            r#"{"index":0,"time":1,"process":3,"type":"invoke","f":"send","value":{"id":"a"},"keey":"k"}"#
        ]),
        "line 2, column 84: unknown field `keey`, expected one of `index`, `time`, `process`, `type`, `f`, `key`, `value`, `node`, `error`"
    );
    assert_eq!(
        error(&[r#"{"index":0,"time":1,"process":3,"type":"invoke","f":"send","value":{"id":7}}"#]),
        "line 2, column 74: value of `send`: invalid type: integer `7`, expected a string"
    );
    assert_eq!(
        error(&[r#"{"index":0,"time":1,"process":3,"type":"invoke","f":"send"}"#]),
        "line 2, column 1: value of `send`: invalid type: null, expected an object with `id`"
    );
    assert_eq!(error(&["", "{}"]), "line 2, column 1: EOF while parsing a value");
    assert_eq!(
        error(&[r#"{"index":0,"time":1,"process":"worker","type":"invoke","f":"send"}"#]),
        "line 2, column 38: invalid value: string \"worker\", expected a process number or \"nemesis\""
    );
    assert_eq!(
        error(&[
            r#"{"index":0,"time":1,"process":1,"type":"invoke","f":"read","value":{"after":1,"before":2,"limit":3}}"#
        ]),
        "line 2, column 1: value of `read`: a read has either `after` or `before`"
    );
    assert_eq!(
        error(&[r#"{"index":0,"time":1,"process":"nemesis","type":"ok","f":"kill"}"#]),
        "line 2, column 1: value of `kill`: a line of the nemesis has the type `info`"
    );
}

#[test]
fn what_a_history_refuses_is_named_with_its_line() {
    let send = r#"{"index":0,"time":1,"process":3,"type":"invoke","f":"send","key":"k","value":{"id":"a"}}"#;
    assert_eq!(
        error(&[send, r#"{"index":2,"time":1,"process":3,"type":"info","f":"send"}"#]),
        "line 3, column 1: index 2 where 1 was expected: indexes are dense from 0"
    );
    assert_eq!(
        error(&[
            send,
            r#"{"index":1,"time":1,"process":3,"type":"ok","f":"read","value":{"messages":[],"head":0}}"#
        ]),
        "line 3, column 1: process 3 completes `read` but its open operation of index 0 is `send`"
    );
    assert_eq!(
        error(&[
            send,
            r#"{"index":1,"time":1,"process":3,"type":"ok","f":"send","value":{"id":"b","seq":1}}"#
        ]),
        "line 3, column 1: value of `send`: message `b` answers a send of `a`"
    );
    assert_eq!(
        error(&[
            send,
            r#"{"index":1,"time":1,"process":3,"type":"ok","f":"send","key":"other","value":{"id":"a","seq":1}}"#
        ]),
        "line 3, column 1: process 3 completes `send` of `other` but asked it of `k`"
    );
}

#[test]
fn a_line_that_is_too_long_is_refused_before_it_is_read() {
    let line = r#"{"index":0,"time":1,"process":0,"type":"invoke","f":"get"}"#;
    let text = format!("{HEADER}\n{line}\n");
    let longest = HEADER.len() + 1;
    let (history, torn) = super::read_lines(History::new(), text.as_bytes(), longest).unwrap();
    assert_eq!((history.next_index(), torn), (1, None));
    let endless = format!("{HEADER}\n{{").into_bytes();
    let endless = std::io::BufReader::new((&*endless).chain(std::io::repeat(b' ')));
    let error = super::read_lines(History::new(), endless, longest).unwrap_err().to_string();
    assert_eq!(
        error,
        format!("line 2, column 1: the line is longer than {longest} bytes, which no event has")
    );
}

#[test]
fn only_an_object_of_the_nemesis_says_nodes() {
    for (value, nodes) in [(r#"{"nodes":["n1","n2"]}"#, 2), (r#"[["n1","n2"]]"#, 0), (r#"["n1","n2"]"#, 0)] {
        let line =
            format!(r#"{{"index":0,"time":1,"process":"nemesis","type":"info","f":"kill","value":{value}}}"#);
        let (history, _) = read_lines(&[&line]).unwrap();
        assert_eq!(history.faults()[0].nodes.len(), nodes, "{value}");
    }
}

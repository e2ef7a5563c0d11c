use super::*;
use crate::history::timeline;

fn error(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn events_are_found_between_other_lines() {
    let text = "\
INFO [2024-05-06 07:08:09,012] main - jepsen.core Test: {:name \"etcd\", :ok true}
INFO [2024-05-06 07:08:09,012] jepsen worker 3 - jepsen.util 3\t:invoke\t:cas\t[1 2]
INFO  jepsen.util - 12  :invoke :read   nil
2024-05-06 07:08:09,012{GMT}\tINFO\t[jepsen nemesis] jepsen.util: :nemesis\t:info\t:start\t\"n1 is cut off\"
WARN [2024] jepsen worker 3 - jepsen.generator.interpreter Process 3 crashed
java.net.ConnectException: refused :info of 3
\tat clojure.lang.AFn.run
12\t:fail\t:read\tnil\t:timed-out\r
INFO  jepsen.util - 3\t:info\t:cas\t:timed-out
INFO  jepsen.util - 4\t:invoke\t:read
INFO  jepsen.util - 4\t:fail\t:read\tnil\t[:http \"refused by n1\"]
INFO  jepsen.util - 3\t:invoke\t:read\tnil
INFO  jepsen.util - 3\t:fail\t:read\tnil\tno leader, try later
";
    let (history, torn) = read(text.as_bytes()).unwrap();
    assert_eq!(torn, None);
    // The length of a bar is of no interest here.
    let bars = timeline::draw(&history);
    let lines: Vec<String> = bars.lines().map(|line| line.replace("--", "").replace(' ', "")).collect();
    assert_eq!(
        lines,
        [
            "p3:|-cas12(timed-out)-?",
            "p12:|-get(timed-out)-!",
            "nemesis:|-start>",
            "p4:|-get(http:refusedbyn1)-!",
            "p13:|-get(noleader,trylater)-!",
        ]
    );
}

#[test]
fn errors_name_the_line_and_the_column() {
    assert_eq!(
        error("x\nINFO - 1 :invoke :read nil\nINFO - 1 :invoke :read nil\n"),
        "line 3, column 10: process 1 invokes `read` while its `read` of index 0 is still open; its completion is \
         missing (`:info`, if nobody knows how it ended)"
    );
    assert_eq!(error("1 :invoke :write [1\n"), "line 1, column 20: the line ends before the operation does");
    assert_eq!(error("1 :invoke :write 1x\n"), "line 1, column 18: `1x` is not a number");
}

#[test]
fn a_torn_last_line_is_passed_over_and_reported() {
    let (history, torn) = read(&b"1 :invoke :read nil\n2 :invoke :write [1"[..]).unwrap();
    assert_eq!((history.operations().len(), torn), (1, Some(Torn { line: 2 })));
    // A whole last line whose newline is missing is used, as far as one can tell.
    let (history, torn) = read(&b"1 :invoke :read nil\n2 :invoke :write 1"[..]).unwrap();
    assert_eq!((history.operations().len(), torn), (2, None));
}

#[test]
fn blocks_of_any_length_are_read_alike() {
    let text = "noise\nINFO - 1 :invoke :read nil\nmore noise, and longer\n1 :ok :read [1 \"a\"]\n2 :invoke :write 1x\n";
    for length in 0..=text.len() {
        let text = &text.as_bytes()[..length];
        let found = |read: Result<(History, Option<Torn>), ReadError>| {
            read.map(|(history, torn)| (timeline::draw(&history), torn)).map_err(|error| error.to_string())
        };
        let whole = found(read(text));
        for block in 1..40 {
            assert_eq!(
                found(read_blocks(History::new(), Blocks::of(text, block))),
                whole,
                "{length} bytes in blocks of {block}"
            );
        }
    }
}

#[test]
fn a_log_longer_than_a_block_is_read_in_pieces() {
    let text: String = (0..30_000)
        .map(|n| {
            format!(
                "INFO  jepsen.util - {n}\t:invoke\t:write\t{n}\nINFO  jepsen.util - {n}\t:ok\t:write\t{n}\n"
            )
        })
        .collect();
    let (history, _) = read(text.as_bytes()).unwrap();
    assert_eq!(history.operations().len(), 30_000);
    assert!(history.operations().iter().all(|operation| operation.output().is_some()));
}

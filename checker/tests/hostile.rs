//! Inputs that nobody should give the `checker` command: it says what is wrong, where, and what to do, keeps its limits,
//! and never ends by a bug of its own.
#![expect(
    clippy::disallowed_methods,
    reason = "it makes files and watches the clock, to try a program from outside"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const HEADER: &str = "{\"format\":\"hearsay-history\",\"version\":1}\n";

/// A place of its own for an input.
fn place(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile");
    fs::create_dir_all(&directory).expect("the directory for tests can be written");
    let path = directory.join(name);
    let _ = fs::remove_file(&path);
    path
}

fn written(name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = place(name);
    fs::write(&path, content).expect("the directory for tests can be written");
    path
}

fn checker(path: &PathBuf, arguments: &[&str]) -> (Output, Duration) {
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_checker"))
        .arg(path)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary was built for this test");
    (output, began.elapsed())
}

/// Expects an exit code, and these words on one of the streams.
#[track_caller]
fn ends(path: &PathBuf, arguments: &[&str], code: i32, words: &[&str]) {
    let (output, _) = checker(path, arguments);
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    let shown: String = said.chars().take(2000).collect();
    assert_eq!(output.status.code(), Some(code), "{shown}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing: {shown}");
    }
}

#[test]
fn what_is_no_history_is_refused_with_its_place() {
    ends(&written("empty", ""), &[], 2, &["empty:1:1: the file is empty"]);
    ends(&written("blank", "\n\n\n"), &[], 2, &["blank:"]);
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    ends(&written("noise", &noise), &[], 2, &["noise"]);
    ends(&written("zeros", vec![0; 1 << 20]), &[], 2, &["zeros"]);
    let behind = [HEADER.as_bytes(), &noise].concat();
    ends(&written("noise-behind", behind), &[], 2, &["noise-behind:2:"]);
    ends(&written("utf16", b"\xff\xfe{\0\"\0f\0\"\0"), &[], 2, &["utf16"]);
}

#[test]
fn a_path_that_is_no_file_is_named() {
    let nowhere = place("nowhere");
    ends(&nowhere, &[], 2, &["could not read", "nowhere", "No such file"]);
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile-directory");
    fs::create_dir_all(&directory).expect("the directory for tests can be written");
    ends(&directory, &[], 2, &["is not a run directory: it has no history.jsonl"]);
    let inside = directory.join("run");
    fs::create_dir_all(inside.join("history.jsonl")).expect("the directory for tests can be written");
    ends(&inside, &[], 2, &["history.jsonl"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let path = written("secret", HEADER);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("the file is ours");
    // Root may read everything.
    if fs::File::open(&path).is_err() {
        ends(&path, &[], 2, &["could not read", "secret", "ermission denied"]);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_writes_to_is_given_up_in_time() {
    let path = place("pipe");
    let made = Command::new("mkfifo").arg(&path).status().expect("there is mkfifo");
    assert!(made.success());
    let (output, took) = checker(&path, &["--timeout", "300ms"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("time limit") && said.contains("nothing came") && said.contains("--timeout"),
        "{said}"
    );
    assert!(took >= Duration::from_millis(300), "{took:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_input_without_an_end_ends_at_a_limit() {
    let endless = PathBuf::from("/dev/zero");
    ends(&endless, &["--format", "jsonl", "--memory", "64MiB"], 3, &["of memory was reached", "--memory"]);
    ends(&endless, &["--format", "jsonl", "--timeout", "10ms"], 3, &["time limit", "--timeout"]);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = |open: &str, close: &str| [open.repeat(200_000), close.repeat(200_000)].concat();
    let event = |value: &str| {
        format!(
            "{HEADER}{{\"index\":0,\"time\":0,\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":{value}}}\n"
        )
    };
    ends(&written("deep-array", event(&deep("[", "]"))), &[], 2, &["deep-array:2:", "ecursion limit"]);
    ends(
        &written("deep-object", event(&deep("{\"a\":", "}").replace("{\"a\":}", "{}"))),
        &[],
        2,
        &["deep-object:2:"],
    );
    for (name, open, close) in
        [("deep-vector", "[", "]"), ("deep-map", "{:a ", "}"), ("deep-tag", "#a ", "1")]
    {
        let text = format!("{{:process 0, :type :invoke, :f :write, :value {}}}\n", deep(open, close));
        ends(&written(name, text), &["--format", "edn"], 2, &[name]);
    }
}

#[test]
fn a_line_of_many_megabytes_is_read_or_refused() {
    let name = "x".repeat(8 << 20);
    let event = format!(
        "{HEADER}{{\"index\":0,\"time\":0,\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"key\":\"{name}\",\"value\":1}}\n"
    );
    ends(&written("long-key", &event), &[], 0, &["VALID"]);
    ends(&written("long-torn", &event[..event.len() - 100]), &[], 3, &["the line is torn"]);
    ends(&written("long-nothing", vec![b'x'; 8 << 20]), &[], 2, &["long-nothing"]);
}

/// Fifty clients on one register with two values, of whose operations two thirds crash: as hard as it gets.
#[test]
fn a_hopeless_search_is_given_up_in_time() {
    let mut text = HEADER.to_owned();
    let (mut index, mut number) = (0, 7_u64);
    let mut random = |below: u64| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % below
    };
    let mut event = |process: u64, kind: &str, f: &str, value: &str| {
        text += &format!(
            "{{\"index\":{index},\"time\":{index},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value}}}\n"
        );
        index += 1;
    };
    let mut open: Vec<(u64, bool)> = Vec::new();
    for process in 0..4000 {
        let reads = random(3) == 0;
        let value = if reads { "null".to_owned() } else { random(2).to_string() };
        event(process, "invoke", if reads { "read" } else { "write" }, &value);
        open.push((process, reads));
        if open.len() == 50 {
            let (process, reads) = open.swap_remove(random(50) as usize);
            match (reads, random(3)) {
                (true, _) => event(process, "ok", "read", &random(2).to_string()),
                (false, 0) => event(process, "ok", "write", "0"),
                (false, _) => event(process, "info", "write", "0"),
            }
        }
    }
    let path = written("hopeless", &text);
    for threads in ["1", "8"] {
        let (output, _) = checker(&path, &["--timeout", "1s", "--threads", threads, "--memory", "256MiB"]);
        assert!(
            matches!(output.status.code(), Some(0 | 1 | 3)),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

/// Ten thousand operations that never complete, and after them a few that need some of them.
#[test]
fn ten_thousand_pending_operations_of_any_model_end_within_the_limits() {
    let number = |number: u64| number.to_string();
    let digit = |number: u64| (number % 10).to_string();
    let nothing = |_: u64| "null".to_owned();
    let text = |number: u64| format!("\"{}\"", number % 10);
    let sets = |number: u64| format!("[[\"w\",{},{}]]", number % 4, number % 10);
    type Asked<'a> = (&'a str, &'a dyn Fn(u64) -> String, &'a str, &'a str, &'a str);
    let all: [Asked<'_>; 11] = [
        ("write", &digit, "read", "null", "3"),
        ("cas", &|number| format!("[{},{}]", number % 10, (number + 1) % 10), "read", "null", "null"),
        ("enqueue", &digit, "dequeue", "null", "3"),
        ("add", &|number| (1 + number % 3).to_string(), "read", "null", "5"),
        ("add", &number, "read", "null", "[3]"),
        ("remove", &digit, "read", "null", "[]"),
        ("append", &digit, "read", "null", "[3]"),
        ("append", &text, "get", "null", "\"3\""),
        ("acquire", &nothing, "release", "null", "null"),
        ("txn", &sets, "txn", "[[\"r\",1,null]]", "[[\"r\",1,5]]"),
        ("mark", &number, "read", "null", "7"),
    ];
    for (f, value, then, asked, answered) in all {
        let mut text = HEADER.to_owned();
        let mut event = |index: u64, process: u64, kind: &str, f: &str, value: &str| {
            text += &format!(
                "{{\"index\":{index},\"time\":{index},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"key\":\"x\",\"value\":{value}}}\n"
            );
        };
        const PENDING: u64 = 10_000;
        for process in 0..PENDING {
            event(process, process, "invoke", f, &value(process));
        }
        for later in 0..20 {
            event(PENDING + 2 * later, PENDING + later, "invoke", then, asked);
            event(PENDING + 2 * later + 1, PENDING + later, "ok", then, answered);
        }
        let (output, _) =
            checker(&written(&format!("pending-{f}"), &text), &["--timeout", "2s", "--memory", "256MiB"]);
        let printed = String::from_utf8_lossy(&output.stdout);
        // Where a line is broken is not the matter here.
        let said = printed.split_whitespace().collect::<Vec<_>>().join(" ");
        match output.status.code() {
            Some(0) => assert!(said.contains("VALID"), "{f}, {then}: {said}"),
            Some(3) => {
                assert!(said.contains("UNKNOWN") && said.contains("the next to complete is"), "{f}: {said}");
            }
            _ => panic!("{f}, {then}: {said}{}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}

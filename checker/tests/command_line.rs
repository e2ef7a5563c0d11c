//! The `checker` binary as a shell sees it: streams and exit codes.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs `checker` with arguments, paths relative to `tests/histories`.
fn checker(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_checker"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/histories"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built for this test");
    // The child may have seen enough before it has read all.
    let _ = child.stdin.take().expect("stdin is a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("the child can be waited for")
}

#[track_caller]
fn ends(arguments: &[&str], input: &str, code: i32, stdout: &str, stderr: &str) {
    let output = checker(arguments, input);
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(out.starts_with(stdout) && (out.is_empty() == stdout.is_empty()), "stdout: {out}");
    assert!(err.starts_with(stderr) && (err.is_empty() == stderr.is_empty()), "stderr: {err}");
}

const HEADER: &str = "{\"format\":\"hearsay-history\",\"version\":1}\n";

#[test]
fn the_exit_code_tells_the_verdict() {
    ends(&["valid.jsonl"], "", 0, "VALID  valid.jsonl: every check is valid\n", "");
    ends(
        &["lost.jsonl"],
        "",
        1,
        "INVALID  lost.jsonl: linearizable: lost in alice:bob; durable: lost in alice:bob\n",
        "",
    );
    ends(&["-"], HEADER, 3, "UNKNOWN  standard input: linearizable: nothing to check\n", "");
    ends(
        &["valid.jsonl", "--timeout", "0s"],
        "",
        3,
        "UNKNOWN  valid.jsonl: linearizable: the time limit",
        "",
    );
    ends(
        &["valid.jsonl", "--memory", "1KiB"],
        "",
        3,
        "UNKNOWN  valid.jsonl: linearizable: the limit of 1024",
        "",
    );
    // A violation found in time is a violation.
    ends(&["-", "--check", "durable"], HEADER, 3, "UNKNOWN  standard input: durable: nothing", "");
}

#[test]
fn complaints_go_to_stderr_and_end_with_2() {
    ends(&[], "", 2, "", "error: the following required arguments were not provided:");
    ends(&["nowhere.jsonl"], "", 2, "", "checker: could not read nowhere.jsonl: No such file");
    ends(&["valid.jsonl", "--check", "linearisable"], "", 2, "", "error: invalid value 'linearisable'");
    ends(&["valid.jsonl", "--memory", "1"], "", 2, "", "error: invalid value '1' for '--memory <SIZE>'");
    let misfit = "`send` is no operation of the model `register`; the model conversation knows it";
    ends(&["valid.jsonl", "--model", "register"], "", 2, "", &format!("checker: valid.jsonl:2:1: {misfit}"));
    let map = "{:process 0 :type :invoke :f :enqueue :value 3}";
    let misfit = "checker: standard input: `enqueue 3` at index 0 is no operation of the model `set`; ";
    ends(&["-", "--model", "set"], map, 2, "", misfit);
    ends(
        &["valid.jsonl", "--model", "registers"],
        "",
        2,
        "",
        "error: invalid value 'registers' for '--model <NAME>'",
    );
    ends(&["valid.jsonl", "--initial", "{"], "", 2, "", "checker: --initial {: not JSON: ");
    ends(&["README.md"], "", 2, "", "checker: README.md:1:1: not a history");
    let line = "{\"index\":1,\"time\":0,\"process\":0,\"type\":\"invoke\",\"f\":\"poll\"}\n";
    let text = format!("{HEADER}{line}");
    ends(&["-"], &text, 2, "", "checker: standard input:2:1: index 1 where 0 was expected");
    ends(
        &["-", "--format", "edn"],
        "\n{:f :x}",
        2,
        "",
        "checker: standard input:2:1: an operation has `:process`",
    );
    ends(&["-", "--format", "jsonl"], "[]", 2, "", "checker: standard input:1:2: not a history");
}

#[test]
fn histories_of_other_testbeds_are_read() {
    let maps = "{:process 0, :type :invoke, :f :write, :value 1}\n{:process 0, :type :ok, :f :write, :value 1}\n\
                {:process 1, :type :invoke, :f :read, :value nil}\n{:process 1, :type :ok, :f :read, :value 2}\n";
    let log = "INFO - 0 :invoke :write 1\nINFO - 0 :ok :write 1\n1 :invoke :read nil\n1 :ok :read 2\n";
    for (text, format) in
        [(maps, "edn"), (maps, "porcupine-kv"), (maps, "auto"), (log, "auto"), (log, "jepsen-log")]
    {
        ends(&["-", "--format", format], text, 1, "INVALID  standard input: linearizable: phantom", "");
    }
    ends(&["-"], &maps.replace('2', "1"), 0, "VALID  standard input", "");
}

/// A file of this test's own.
fn scratch(name: &str) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    let _ = std::fs::remove_file(&path);
    path
}

/// The lines of a history; the order of the fields of an object does not count.
fn values(text: &[u8]) -> Vec<serde_json::Value> {
    String::from_utf8_lossy(text)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

#[test]
fn what_is_converted_and_converted_back_is_the_same_file() {
    let (binary, edn, back) = (scratch("there.bin"), scratch("there.edn"), scratch("back.jsonl"));
    let original = checker(&["convert", "stale.jsonl", "-", "--to", "jsonl"], "").stdout;
    ends(&["convert", "stale.jsonl", &binary], "", 0, "", "");
    ends(&["convert", &binary, &edn], "", 0, "", "");
    for (from, format) in [(&binary, "binary"), (&edn, "edn")] {
        ends(&["convert", from, &back, "--format", format, "--force"], "", 0, "", "");
        let there = checker(&["convert", &back, "-", "--to", "jsonl"], "").stdout;
        assert!(there == original || format == "edn", "through {format}");
        assert_eq!(values(&there), values(&original), "through {format}");
        ends(&[from, "--format", format], "", 1, &format!("INVALID  {from}: linearizable: stale-read"), "");
        ends(&[from], "", 1, &format!("INVALID  {from}: linearizable: stale-read"), "");
    }
}

#[test]
fn nothing_is_written_over_and_nothing_is_dropped_in_silence() {
    let file = scratch("kept.jsonl");
    let keyword = "{:process 0, :type :invoke, :f :write, :value :a}\n{:process 1, :type :invoke, :f :write, :value :b}";
    let lost = "checker: standard input: of the event 0 (and so of 1 event more), jsonl cannot say `:a`, which JSON has not: \
                it would become a string";
    ends(&["convert", "-", &file], keyword, 2, "", &format!("{lost}; `--lossy` writes it all the same"));
    assert!(!std::path::Path::new(&file).exists());
    ends(&["convert", "-", &file, "--lossy"], keyword, 0, "", lost);
    let there = format!("checker: {file} is there already; `--force` writes over it");
    ends(&["convert", "-", &file, "--lossy"], keyword, 2, "", &there);
    ends(
        &["convert", "-", "out.txt"],
        keyword,
        2,
        "",
        "checker: out.txt: its extension is no format's; say `--to`",
    );
    ends(&["convert", "README.md", "-", "--to", "edn"], "", 2, "", "checker: README.md:1:1: not a history");
    ends(
        &["convert", "-", "/dev/full", "--to", "edn", "--force"],
        keyword,
        4,
        "",
        "checker: could not write /dev/full: ",
    );
    ends(&["convert", "--help"], "", 0, "Writes a history in another form", "");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what is damaged is a file")]
fn a_binary_history_that_was_cut_off_is_read_to_its_last_whole_block() {
    let (whole, cut) = (scratch("whole.bin"), scratch("cut.bin"));
    ends(&["convert", "valid.jsonl", &whole], "", 0, "", "");
    let mut bytes = std::fs::read(&whole).unwrap();
    bytes.pop();
    std::fs::write(&cut, &bytes).unwrap();
    let output = checker(&[&cut], "");
    let said = String::from_utf8_lossy(&output.stdout).replace("\n             ", " ");
    assert!(said.contains("the block is torn and was passed over"), "{said}");
    ends(
        &["-", "--format", "binary"],
        "no such thing",
        2,
        "",
        "checker: standard input: byte 0: not a binary history",
    );
    bytes[20] ^= 1;
    std::fs::write(&cut, &bytes).unwrap();
    ends(&[&cut], "", 2, "", &format!("checker: {cut}: byte 8: the checksum of the block is wrong"));
}

#[test]
fn help_is_a_result() {
    ends(&["--help"], "", 0, "Judges a recorded history", "");
}

#[test]
fn json_is_one_object_with_stable_names() {
    let output = checker(&["stale.jsonl", "-o", "json"], "");
    assert_eq!(output.status.code(), Some(1));
    let judgement: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(judgement["verdict"], "invalid");
    let check = &judgement["checks"][0];
    assert_eq!((&check["name"], &check["verdict"]), (&"linearizable".into(), &"invalid".into()));
    let anomaly = &check["anomalies"][0];
    assert_eq!((&anomaly["kind"], &anomaly["elle"]), (&"stale-read".into(), &"G-single-realtime".into()));
    let names = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    };
    assert_eq!(names(&judgement)[..2], ["verdict", "checks"]);
    let told = ["sentence", "why", "look_at", "operations", "faults", "drawing"];
    assert_eq!(names(anomaly), [&["kind", "elle", "key", "margin_ns"][..], &told].concat());
    let witness =
        ["label", "index", "completed_index", "process", "node", "f", "key", "value", "type", "result"];
    let more = ["error", "invoked", "completed", "text"];
    assert_eq!(names(&anomaly["operations"][0]), [&witness[..], &more].concat());
    let read = &anomaly["operations"][1];
    assert_eq!((&read["f"], &read["node"], &read["type"]), (&"read".into(), &"n1".into(), &"ok".into()));
    assert_eq!(read["result"]["head"], 78);
}

#[test]
fn a_valid_history_has_a_certificate_that_can_be_followed() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/valid.certificate");
    let output = checker(&["valid.jsonl", "--certificate", file], "");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.replace("\n             ", " ").contains("has an order of 4"), "{said}");
    let accepted = format!("ACCEPTED  {file}: an order of 4");
    ends(&["verify", "valid.jsonl", file], "", 0, &accepted, "");
    ends(&["verify", "valid.jsonl", file, "-o", "json"], "", 0, "{\"accepted\":true,", "");
    // It is no certificate of the same history with a lie in it.
    ends(&["verify", "stale.jsonl", file], "", 1, &format!("REFUSED  {file}: line "), "");
    ends(&["verify", "stale.jsonl", file, "-o", "json"], "", 1, "{\"accepted\":false,\"line\":", "");
    ends(
        &["verify", "valid.jsonl", "README.md"],
        "",
        2,
        "",
        "checker: README.md:1: a certificate begins with",
    );
    ends(&["verify", "valid.jsonl"], "", 2, "", "error: the following required arguments were not provided:");
    ends(&["verify", "--help"], "", 0, "Follows a certificate", "");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the command line reads files")]
fn a_certificate_says_how_the_history_was_read() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/counter.certificate");
    let history = concat!(env!("CARGO_TARGET_TMPDIR"), "/counter.edn");
    let text = "{:process 0, :type :invoke, :f :add, :value 2}\n{:process 0, :type :ok, :f :add, :value 2}\n\
                {:process 1, :type :invoke, :f :read, :value nil}\n{:process 1, :type :ok, :f :read, :value 9}\n";
    std::fs::write(history, text).unwrap();
    let certificate = ["--certificate", file];
    ends(
        &[&[history, "--model", "counter", "--initial", "7"], &certificate[..]].concat(),
        "",
        0,
        "VALID",
        "",
    );
    let accepted = format!(
        "ACCEPTED  {file}: an order of 2 operations on 1 object, 0 left out; the history was read with initial 7\n"
    );
    ends(&["verify", history, file], "", 0, &accepted, "");
    // With 8 at the start, there is no such order.
    let said = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, said.replace("initial 7", "initial 8")).unwrap();
    ends(&["verify", history, file], "", 1, &format!("REFUSED  {file}: line 6: event 2, `read: 9`"), "");
    ends(&["verify", history, file, "--timeout", "0s"], "", 3, "", "checker: ");
    // A register never shows what nobody wrote.
    std::fs::write(file, said.replace("initial 7\n", "").replace("counter", "register")).unwrap();
    ends(&["verify", history, file], "", 1, &format!("REFUSED  {file}: line 4: event 0, `add 2: ok`"), "");
}

#[test]
fn a_certificate_that_cannot_be_written_does_not_cost_the_verdict() {
    let nowhere = concat!(env!("CARGO_TARGET_TMPDIR"), "/nowhere/valid.certificate");
    let complaint = format!("checker: could not write {nowhere}: No such file");
    ends(
        &["valid.jsonl", "--certificate", nowhere],
        "",
        4,
        "VALID  valid.jsonl: every check is valid\n",
        &complaint,
    );
}

#[test]
fn what_is_not_linearizable_has_no_certificate() {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/stale.certificate");
    let output = checker(&["stale.jsonl", "--certificate", file], "");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).replace("\n             ", " ");
    assert!(
        said.contains("was not written: only a history that is linearizable has a certificate"),
        "{said}"
    );
    assert!(!std::path::Path::new(file).exists());
}

#[test]
fn the_text_is_as_wide_as_asked_for_and_ascii_if_wanted() {
    let output = checker(&["lost.jsonl", "--width", "80", "--ascii"], "");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
}

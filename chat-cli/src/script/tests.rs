//! How scripts are understood; how they run is tested through the binary.

use super::*;

fn mistake(text: &str) -> String {
    let failure = parse("demo.chat", text).unwrap_err();
    assert_eq!(failure.exit(), Exit::Usage);
    failure.to_string()
}

#[test]
fn commands_expectations_comments_and_quotes() {
    let text = "# a demo\n\nas alice\nsend bob 'hello # there'  # greets\nexpect-exit 1\nsend nobody x\n\
                assert-contains 'nobody is'\nassert-lacks secret\nsleep 10ms\nread bob --all\n";
    let lines = parse("demo.chat", text).unwrap();
    let numbers: Vec<usize> = lines.iter().map(|line| line.number).collect();
    assert_eq!(numbers, [3, 4, 5, 6, 7, 8, 9, 10]);
    let Step::Command(Command::Send { text, .. }) = &lines[1].step else { panic!("it sends") };
    assert_eq!(text, &["hello # there"]);
}

#[test]
fn mistakes_name_the_line() {
    assert_eq!(
        mistake("as alice\nsned bob hello"),
        "demo.chat:2: unrecognized subcommand 'sned' tip: a similar subcommand exists: 'send'"
    );
    assert_eq!(mistake("send bob 'hello"), "demo.chat:1: a quote is not closed");
    assert_eq!(
        mistake("\nsend bob"),
        "demo.chat:2: the following required arguments were not provided: <TEXT>..."
    );
    assert!(mistake("sleep 5").starts_with("demo.chat:1: invalid value '5' for '<TIME>'"));
    assert!(mistake("run other.chat").starts_with("demo.chat:1: unrecognized subcommand 'run'"));
}

#[test]
fn an_expectation_needs_a_command() {
    assert_eq!(mistake("as alice\nexpect-exit 1"), "demo.chat:2: no command follows that could end so");
    assert_eq!(
        mistake("expect-exit 1\nexpect-exit 2\nlogout"),
        "demo.chat:2: the line before already expects something"
    );
}

#[test]
fn checks() {
    let place = || "demo.chat:3".to_owned();
    assert!(check_exit(place(), Exit::Refused, 1).is_ok());
    assert_eq!(check_exit(place(), Exit::Unavailable, 0).unwrap_err().exit(), Exit::Unavailable);
    let failure = check_exit(place(), Exit::Done, 1).unwrap_err();
    assert_eq!(failure.exit(), Exit::AssertionFailed);
    assert_eq!(failure.to_string(), "demo.chat:3: expected exit code 1, and it was 0");
    assert!(check_printed(place(), "a", true, "abc").is_ok());
    assert!(check_printed(place(), "d", false, "abc").is_ok());
    let failure = check_printed(place(), "d", true, "abc\n").unwrap_err();
    assert_eq!(failure.to_string(), "demo.chat:3: the output does not contain \"d\"; it is:\nabc");
}

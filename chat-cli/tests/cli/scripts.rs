//! Scripts through the real binary.

use insta::assert_snapshot;

use super::cluster::{Cluster, Run};

fn run(script: &str) -> Run {
    let cluster = Cluster::start(1);
    let path = cluster.write("demo.chat", script);
    let run = cluster.run_with(&format!("run {path}"), &[("CHAT_PASSWORD", "secret")], "");
    run.with_hidden(&path, "demo.chat")
}

const PEOPLE: &str = "account create alice\nlogin alice\naccount create bob\nlogin bob\n";

#[test]
fn a_whole_story() {
    let script = format!(
        "{PEOPLE}\
         as alice\n\
         send bob 'hello, bob'\n\
         assert-contains 'sent 1 in alice:bob'\n\
         as bob\n\
         watch --after 0 --limit 1\n\
         assert-contains 'hello, bob'\n\
         send alice back\n\
         sleep 1ms\n\
         expect-exit 1\n\
         send nobody hello\n\
         assert-contains 'nobody is called'\n\
         read alice\n\
         assert-lacks nobody\n\
         logout\n\
         expect-exit 5\n\
         read alice\n"
    );
    assert_snapshot!(run(&script), @r#"
    exit 0
    --- stdout
    created alice
    logged in as alice until 2025-03-31 09:31:01
    created bob
    logged in as bob until 2025-03-31 09:31:01
    sent 1 in alice:bob
    -- 2025-03-01 --
    alice:bob   1  09:31:02  alice  hello, bob
    sent 2 in alice:bob
    -- 2025-03-01 --
     1  09:31:02  alice  hello, bob
     2  09:31:03  bob    back
    logged out bob
    --- stderr
    chat-cli: could not send to nobody: nobody is called nobody
    chat-cli: bob is not logged in
      log in with `chat-cli login bob`
    "#);
}

#[test]
fn an_assertion_that_fails_names_its_line() {
    assert_snapshot!(run("account list\nassert-contains alice"), @r#"
    exit 6
    --- stdout
    --- stderr
    chat-cli: demo.chat:2: the output does not contain "alice"; it is:
    "#);
    assert_snapshot!(run("# nobody is there\nexpect-exit 1\naccount list"), @r#"
    exit 6
    --- stdout
    --- stderr
    chat-cli: demo.chat:3: expected exit code 1, and it was 0
    "#);
}

#[test]
fn a_command_that_fails_ends_the_script_with_its_code() {
    assert_snapshot!(run("account create alice\naccount create alice\naccount create bob"), @r#"
    exit 1
    --- stdout
    created alice
    --- stderr
    chat-cli: could not create the account alice: the name alice is taken
    chat-cli: demo.chat:2: the command ended with exit code 1
    "#);
}

#[test]
fn a_mistake_is_found_before_anything_is_done() {
    assert_snapshot!(run("account create alice\nacount list"), @r#"
    exit 2
    --- stdout
    --- stderr
    chat-cli: demo.chat:2: unrecognized subcommand 'acount' tip: a similar subcommand exists: 'account'
    "#);
}

#[test]
fn a_script_that_is_not_there() {
    let cluster = Cluster::start(1);
    assert_snapshot!(cluster.run("run /nowhere/demo.chat"), @r#"
    exit 2
    --- stdout
    --- stderr
    chat-cli: could not read /nowhere/demo.chat: No such file or directory (os error 2)
    "#);
}

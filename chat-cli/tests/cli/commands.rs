//! The real binary against a fake cluster: what it prints in each format, and how it exits.

use chat_client::fake::Act;
use chat_client::wire::chat::Code;
use insta::assert_snapshot;

use super::cluster::{Cluster, Run};

/// alice and bob, both logged in, and a conversation of three.
fn talk() -> Cluster {
    let cluster = Cluster::start(1);
    for (name, password) in [("alice", "a-secret"), ("bob", "b-secret")] {
        cluster.chat.add_account(name, password);
        cluster.log_in(name, password);
    }
    cluster.chat.add_message("alice", "bob", "hello");
    cluster.chat.add_message("bob", "alice", "two\nlines");
    cluster.chat.add_message("alice", "bob", "\u{1b}[31mred");
    cluster
}

#[test]
fn read_in_each_format() {
    let cluster = talk();
    assert_snapshot!(cluster.run("--as alice read bob"), @r#"
    exit 0
    --- stdout
    -- 2025-03-01 --
     1  09:31:02  alice  hello
     2  09:31:03  bob    two
                         lines
     3  09:31:04  alice  \u{1b}[31mred
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as bob read alice --limit 1 -o json"), @r#"
    exit 0
    --- stdout
    {"conversation":"alice:bob","messages":[{"sequence":3,"from":"alice","body":"\u001b[31mred","time_ms":1740821464000,"client_id":"seed","client_sequence":0}],"head":3,"applied":3}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as alice read bob --before 3 -o jsonl"), @r#"
    exit 0
    --- stdout
    {"sequence":1,"from":"alice","body":"hello","time_ms":1740821462000,"client_id":"seed","client_sequence":0}
    {"sequence":2,"from":"bob","body":"two\nlines","time_ms":1740821463000,"client_id":"seed","client_sequence":0}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as alice read bob --stale --after 1 --limit 1"), @r#"
    exit 0
    --- stdout
    -- 2025-03-01 --
     2  09:31:03  bob  two
                       lines
    --- stderr
    chat-cli: as one node knows it: 3 messages, at log index 3
    "#);
    assert_snapshot!(cluster.run("--as alice read alice"), @r#"
    exit 0
    --- stdout
    --- stderr
    "#);
}

#[test]
fn a_topic_in_each_format() {
    let cluster = talk();
    assert_snapshot!(cluster.run("--as alice topic get bob"), @r#"
    exit 0
    --- stdout
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as alice topic set bob lunch at noon --if-version 0"), @r#"
    exit 0
    --- stdout
    set the topic of alice:bob, version 1
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as bob topic set alice tea --if-text lunch"), @r#"
    exit 1
    --- stdout
    --- stderr
    chat-cli: could not set the topic with alice: the topic is another one by now, of version 1
    "#);
    assert_snapshot!(cluster.run("--as bob topic get alice"), @r#"
    exit 0
    --- stdout
    lunch at noon
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as bob topic get alice -o json"), @r#"
    exit 0
    --- stdout
    {"conversation":"alice:bob","text":"lunch at noon","version":1,"by":"alice","time_ms":1740821462000,"applied":0}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as bob topic set alice tea -o jsonl"), @r#"
    exit 0
    --- stdout
    {"conversation":"alice:bob","version":2,"time_ms":1740821463000}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as bob topic set nobody tea"), @r#"
    exit 1
    --- stdout
    --- stderr
    chat-cli: could not set the topic with nobody: nobody is called nobody
    "#);
}

#[test]
fn read_all_goes_over_all_pages() {
    let cluster = talk();
    (0..1_100).for_each(|_| cluster.chat.add_message("bob", "alice", "again"));
    let run = cluster.run("--as alice read bob --all -o jsonl");
    assert_eq!((run.code, run.stdout.lines().count()), (0, 1_103));
    assert_eq!(cluster.run("--as alice read bob --all --after 1100 -o jsonl").stdout.lines().count(), 3);
}

#[test]
fn accounts_in_each_format() {
    let cluster = Cluster::start(1);
    let create = |name| cluster.run_with(&format!("account create {name}"), &[("CHAT_PASSWORD", "p")], "");
    assert_snapshot!(create("alice"), @r#"
    exit 0
    --- stdout
    created alice
    --- stderr
    "#);
    assert_snapshot!(create("alice"), @r#"
    exit 1
    --- stdout
    --- stderr
    chat-cli: could not create the account alice: the name alice is taken
    "#);
    create("anna");
    create("bob");
    assert_snapshot!(cluster.run("account list"), @r#"
    exit 0
    --- stdout
    alice
    anna
    bob
    --- stderr
    "#);
    assert_snapshot!(cluster.run("account list a* --limit 1 -o json"), @r#"
    exit 0
    --- stdout
    {"names":["alice"],"more":true}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("account list --after alice -o jsonl"), @r#"
    exit 0
    --- stdout
    {"name":"anna"}
    {"name":"bob"}
    --- stderr
    "#);
}

#[test]
fn a_session_from_login_to_logout() {
    let cluster = Cluster::start(1);
    cluster.chat.add_account("alice", "secret");
    assert_snapshot!(cluster.run("send alice hello"), @r#"
    exit 5
    --- stdout
    --- stderr
    chat-cli: you are not logged in
      log in with `chat-cli login NAME`
    "#);
    assert_snapshot!(cluster.run_with("login alice --password-stdin", &[], "secret\n"), @r#"
    exit 0
    --- stdout
    logged in as alice until 2025-03-31 09:31:01
    --- stderr
    "#);
    assert_snapshot!(cluster.run("send alice hello there"), @r#"
    exit 0
    --- stdout
    sent 1 in alice:alice
    --- stderr
    "#);
    assert_snapshot!(cluster.run_with("send alice - -o json", &[], "from\na file\n"), @r#"
    exit 0
    --- stdout
    {"conversation":"alice:alice","sequence":2,"time_ms":1740821463000}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("logout"), @r#"
    exit 0
    --- stdout
    logged out alice
    --- stderr
    "#);
    assert_eq!(cluster.run("send alice hello").code, 5);
}

#[test]
fn the_token_is_printed_only_when_asked_for() {
    let cluster = Cluster::start(1);
    cluster.chat.add_account("alice", "secret");
    let password = [("CHAT_PASSWORD", "secret")];
    let token = format!("{:064x}", 2);
    assert!(!cluster.run_with("login alice -o json", &password, "").stdout.contains("token"));
    assert!(cluster.run_with("login alice --print-token", &password, "").stdout.contains(&token));
}

#[test]
fn a_session_that_the_cluster_does_not_know_any_more() {
    let cluster = talk();
    assert_eq!(cluster.run("--as alice logout --everywhere").code, 0);
    cluster.log_in("alice", "a-secret");
    // Another client ends it behind our back.
    let run = cluster.run_in(&cluster.other_sessions(), "login alice", &[("CHAT_PASSWORD", "a-secret")], "");
    assert_eq!(run.code, 0);
    assert_eq!(cluster.run_in(&cluster.other_sessions(), "logout --everywhere", &[], "").code, 0);
    assert_snapshot!(cluster.run("--as alice read bob"), @r#"
    exit 5
    --- stdout
    --- stderr
    chat-cli: could not read the conversation with bob: the session has ended
      log in again with `chat-cli login NAME`
    "#);
}

#[test]
fn deleting_an_account_is_asked_about() {
    let cluster = talk();
    assert_snapshot!(cluster.run("--as alice account delete"), @r#"
    exit 2
    --- stdout
    --- stderr
    chat-cli: deleting alice cannot be undone: say --yes
    "#);
    assert_snapshot!(cluster.run("--as alice account delete --yes"), @r#"
    exit 0
    --- stdout
    deleted alice
    --- stderr
    "#);
    assert_eq!(cluster.run("--as alice read bob").code, 5);
    assert_eq!(cluster.run("account list").stdout, "bob\n");
}

#[test]
fn who_acts_must_be_clear() {
    let cluster = talk();
    assert_snapshot!(cluster.run("read bob"), @r#"
    exit 2
    --- stdout
    --- stderr
    chat-cli: several people are logged in here (alice, bob): say who acts with --as NAME or CHAT_USER
    "#);
    assert_eq!(cluster.run_with("read alice", &[("CHAT_USER", "bob")], "").code, 0);
    assert_snapshot!(cluster.run("--as carol read bob"), @r#"
    exit 5
    --- stdout
    --- stderr
    chat-cli: carol is not logged in
      log in with `chat-cli login carol`
    "#);
}

#[test]
fn the_server_refuses() {
    let cluster = talk();
    assert_snapshot!(cluster.run("--as alice send nobody hello"), @r#"
    exit 1
    --- stdout
    --- stderr
    chat-cli: could not send to nobody: nobody is called nobody
    "#);
    assert_snapshot!(cluster.run_with("login alice", &[("CHAT_PASSWORD", "wrong")], ""), @r#"
    exit 5
    --- stdout
    --- stderr
    chat-cli: could not log in as alice: the password is wrong
    "#);
    assert_snapshot!(cluster.run_with("login zoe", &[("CHAT_PASSWORD", "x")], ""), @r#"
    exit 1
    --- stdout
    --- stderr
    chat-cli: could not log in as zoe: nobody is called zoe
    "#);
}

#[test]
fn there_is_no_password() {
    let cluster = Cluster::start(1);
    assert_snapshot!(cluster.run("login alice"), @r#"
    exit 2
    --- stdout
    --- stderr
    chat-cli: no password for alice: use --password-stdin, or set CHAT_PASSWORD
    "#);
}

#[test]
fn unavailable_is_certainly_not_applied() {
    let cluster = talk();
    cluster.nodes[0].plan(std::iter::repeat_n(Act::Refuse(Code::NoLeader, ""), 500));
    let run = cluster.run("--as alice send bob lost --timeout 300ms").with_tries_hidden();
    assert_snapshot!(run, @r#"
    exit 3
    --- stdout
    --- stderr
    chat-cli: could not send to bob: as planned (NODE1), after some tries
      nothing was changed; `chat-cli cluster status` shows which nodes are up
    "#);
    assert!(!cluster.chat.bodies("alice", "bob").contains(&"lost".to_owned()));
}

#[test]
fn an_unknown_outcome_is_said_to_be_unknown() {
    let cluster = talk();
    cluster.nodes[0].plan([Act::ApplyThenDrop]);
    cluster.nodes[0].plan(std::iter::repeat_n(Act::Refuse(Code::NoLeader, ""), 500));
    let run = cluster.run("--as alice send bob found --timeout 300ms").with_tries_hidden();
    assert_snapshot!(run, @r#"
    exit 4
    --- stdout
    --- stderr
    chat-cli: it is not known whether this was done: send to bob: as planned (NODE1), after some tries
      it may have been applied, or may be yet: look with `chat-cli read bob` before you send it again
    "#);
    assert!(cluster.chat.bodies("alice", "bob").contains(&"found".to_owned()));
}

#[test]
fn a_send_survives_a_node_that_dies_under_it() {
    let cluster = talk();
    cluster.nodes[0].plan([Act::ApplyThenDrop]);
    assert_eq!(cluster.run("--as alice send bob once").code, 0);
    assert_eq!(cluster.chat.bodies("alice", "bob").iter().filter(|body| *body == "once").count(), 1);
}

#[test]
fn watching() {
    let cluster = talk();
    assert_snapshot!(cluster.run("--as alice watch --after 0 --limit 2"), @r#"
    exit 0
    --- stdout
    -- 2025-03-01 --
    alice:bob   1  09:31:02  alice  hello
    alice:bob   2  09:31:03  bob  two
                                  lines
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as alice watch --after 2 --limit 1 -o jsonl"), @r#"
    exit 0
    --- stdout
    {"cursor":3,"conversation":"alice:bob","message":{"sequence":3,"from":"alice","body":"\u001b[31mred","time_ms":1740821464000,"client_id":"seed","client_sequence":0}}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as alice watch --for 50ms"), @r#"
    exit 0
    --- stdout
    --- stderr
    "#);
    assert_snapshot!(cluster.run("--as alice watch -o json"), @r#"
    exit 2
    --- stdout
    --- stderr
    chat-cli: a watch has no end, so it is not one object: use -o jsonl
    "#);
}

#[test]
fn watching_goes_on_through_an_outage() {
    let cluster = talk();
    cluster.nodes[0].plan([Act::Events(1), Act::Status(chat_client::GrpcCode::Unavailable)]);
    assert_snapshot!(cluster.run("--as alice watch --after 0 --limit 3 -o jsonl"), @r#"
    exit 0
    --- stdout
    {"cursor":1,"conversation":"alice:bob","message":{"sequence":1,"from":"alice","body":"hello","time_ms":1740821462000,"client_id":"seed","client_sequence":0}}
    {"cursor":2,"conversation":"alice:bob","message":{"sequence":2,"from":"bob","body":"two\nlines","time_ms":1740821463000,"client_id":"seed","client_sequence":0}}
    {"cursor":3,"conversation":"alice:bob","message":{"sequence":3,"from":"alice","body":"\u001b[31mred","time_ms":1740821464000,"client_id":"seed","client_sequence":0}}
    --- stderr
    chat-cli: waiting for a node that serves: the node ended the stream (NODE1)
    chat-cli: going on with NODE1
    "#);
}

#[test]
fn the_cluster_in_each_format() {
    let cluster = Cluster::start(2);
    cluster.chat.set_leader("n2");
    let gone = cluster.nobody();
    let servers = format!("--servers {},{},{gone}", cluster.nodes[0].address(), cluster.nodes[1].address());
    let run = |line: &str| cluster.run(line).with_hidden(&gone, "NOBODY");
    assert_snapshot!(run(&format!("cluster status {servers}")), @r#"
    exit 0
    --- stdout
    NODE  ADDRESS          ROLE         TERM  APPLIED
    n1    NODE1  follower        7        0
    n2    NODE2  leader          7        0
    ?     NOBODY  unreachable
    --- stderr
    chat-cli: NOBODY: could not connect: Connection refused (os error 111)
    "#);
    assert_snapshot!(run(&format!("cluster status {servers} -o json")), @r#"
    exit 0
    --- stdout
    {"nodes":[{"address":"NODE1","reachable":true,"status":{"node":"n1","role":"follower","standing":"member","term":7,"leader":"n2","last_log":0,"committed":0,"applied":0,"snapshot":0,"purged":0,"members":[{"node":"n1","voter":true,"address":""}],"changing":false,"version":"0.0.0","bugs":[],"uptime_ms":60000}},{"address":"NODE2","reachable":true,"status":{"node":"n2","role":"leader","standing":"member","term":7,"leader":"n2","last_log":0,"committed":0,"applied":0,"snapshot":0,"purged":0,"members":[{"node":"n2","voter":true,"address":""}],"changing":false,"version":"0.0.0","bugs":[],"uptime_ms":60000}},{"address":"NOBODY","reachable":false,"error":{"cause":"not_connected","message":"could not connect: Connection refused (os error 111)"}}]}
    --- stderr
    chat-cli: NOBODY: could not connect: Connection refused (os error 111)
    "#);
    assert_snapshot!(run(&format!("cluster status --servers {gone}")), @r#"
    exit 3
    --- stdout
    NODE  ADDRESS          ROLE         TERM  APPLIED
    ?     NOBODY  unreachable
    --- stderr
    chat-cli: NOBODY: could not connect: Connection refused (os error 111)
    chat-cli: none of the 1 servers answered
      check --servers and whether the nodes run
    "#);
}

#[test]
fn wrong_usage() {
    let cluster = Cluster::start(1);
    assert_eq!(cluster.run("sned bob hello").code, 2);
    assert_snapshot!(cluster.run("cluster status --servers localhost"), @r#"
    exit 2
    --- stdout
    --- stderr
    chat-cli: `localhost` is not an address: write HOST:PORT, as in 127.0.0.1:50051
    "#);
    let help = cluster.run("--help");
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("4  unknown outcome: it may have been applied"), "{}", help.stdout);
}

#[test]
fn whoever_reads_may_have_enough() {
    let cluster = talk();
    (0..500).for_each(|_| cluster.chat.add_message("bob", "alice", &"long ".repeat(200)));
    let Run { code, stderr, .. } = cluster.run_into_closed_pipe("--as alice read bob --all");
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn a_signal_ends_it_and_says_what_is_not_known() {
    let cluster = talk();
    cluster.nodes[0].plan([Act::Hang]);
    assert_snapshot!(cluster.run_and_signal("--as alice send bob hello", "INT"), @r#"
    exit 130
    --- stdout
    --- stderr
    chat-cli: interrupted: what was under way may have been applied
    "#);
    assert_snapshot!(cluster.run_and_signal("--as alice watch --after 3", "TERM"), @r#"
    exit 143
    --- stdout
    --- stderr
    chat-cli: terminated
    "#);
}

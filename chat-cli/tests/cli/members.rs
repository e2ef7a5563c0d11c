//! What an operator changes, against a fake cluster.

use chat_client::fake::Act;
use chat_client::wire::chat::Code;
use insta::assert_snapshot;

use super::cluster::Cluster;

fn three() -> Cluster {
    let cluster = Cluster::start(3);
    cluster.chat.set_leader("n2");
    cluster.chat.set_members(&["n1", "n2", "n3"]);
    cluster
}

#[test]
fn members_come_and_go_through_the_leader_whoever_that_is() {
    let cluster = three();
    assert_snapshot!(cluster.run("cluster add n6 --learner"), @r"
    exit 0
    --- stdout
    voters: n1, n2, n3
    without a vote: n6
    --- stderr
    ");
    assert_snapshot!(cluster.run("cluster promote n6"), @r"
    exit 0
    --- stdout
    voters: n1, n2, n3, n6
    --- stderr
    ");
    assert_snapshot!(cluster.run("cluster remove n6 n3"), @r"
    exit 0
    --- stdout
    voters: n1, n2
    --- stderr
    ");
    assert_snapshot!(cluster.run("cluster add n4 -o json"), @r#"
    exit 0
    --- stdout
    {"members":[{"node":"n1","voter":true,"address":""},{"node":"n2","voter":true,"address":""},{"node":"n4","voter":true,"address":""}]}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("cluster replace n1 n5 -o jsonl"), @r#"
    exit 0
    --- stdout
    {"node":"n2","voter":true,"address":""}
    {"node":"n4","voter":true,"address":""}
    {"node":"n5","voter":true,"address":""}
    --- stderr
    "#);
}

#[test]
fn what_cannot_be_is_refused() {
    let cluster = three();
    assert_snapshot!(cluster.run("cluster add n1"), @r"
    exit 1
    --- stdout
    --- stderr
    chat-cli: could not add n1: n1 is a member with a vote already
    ");
    assert_snapshot!(cluster.run("cluster remove n9"), @r"
    exit 1
    --- stdout
    --- stderr
    chat-cli: could not remove n9: n9 is no member of the cluster
    ");
    assert_eq!(cluster.run("cluster remove").code, 2);
}

#[test]
fn the_leadership_and_snapshots() {
    let cluster = three();
    assert_snapshot!(cluster.run("cluster transfer n3"), @r"
    exit 0
    --- stdout
    n3 leads, in term 8
    --- stderr
    ");
    assert_snapshot!(cluster.run("cluster transfer -o json"), @r#"
    exit 0
    --- stdout
    {"leader":"n1","term":8}
    --- stderr
    "#);
    cluster.chat.add_account("alice", "secret");
    assert_snapshot!(cluster.run("cluster snapshot"), @r"
    exit 0
    --- stdout
    a snapshot up to entry 0
    --- stderr
    ");
    assert_snapshot!(cluster.run("cluster snapshot n3 --purge -o json"), @r#"
    exit 0
    --- stdout
    {"index":0,"purged":0}
    --- stderr
    "#);
    assert_snapshot!(cluster.run("cluster snapshot n9"), @r"
    exit 3
    --- stdout
    --- stderr
    chat-cli: could not make a snapshot on n9: n9 would have to, and is not among the servers that answer
      nothing was changed; check --servers and whether that node runs
    ");
}

#[test]
fn a_leader_is_looked_for_and_missed() {
    let cluster = three();
    // It lost its office a moment ago, and another try finds the next one.
    cluster.nodes[1].plan([Act::Refuse(Code::NoLeader, "n2")]);
    assert_eq!(cluster.run("cluster add n6").code, 0);

    cluster.chat.set_leader("");
    assert_snapshot!(cluster.run("cluster remove n6 --timeout 2s"), @r"
    exit 3
    --- stdout
    --- stderr
    chat-cli: could not remove n6: no server knows of a leader
      nothing was changed; a majority must run: `chat-cli cluster status` shows which nodes are up
    ");
    cluster.chat.set_leader("n8");
    assert_snapshot!(cluster.run("cluster remove n6 --timeout 2s"), @r"
    exit 3
    --- stdout
    --- stderr
    chat-cli: could not remove n6: n8 would have to, and is not among the servers that answer
      nothing was changed; check --servers and whether that node runs
    ");
}

#[test]
fn a_change_without_an_answer_is_of_unknown_outcome_and_is_not_tried_again() {
    let cluster = three();
    cluster.nodes[1].plan([Act::Refuse(Code::Unknown, "")]);
    assert_snapshot!(cluster.run("cluster remove n3"), @r"
    exit 4
    --- stdout
    --- stderr
    chat-cli: it is not known whether this was done: remove n3: as planned (NODE2)
      it may have been applied, or may be yet: look with `chat-cli cluster status`
    ");
    let tries = cluster.nodes[1].calls().iter().filter(|call| call.operation == "change the members").count();
    assert_eq!(tries, 1);
}

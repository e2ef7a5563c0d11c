//! A client of a fake cluster whose nodes fail on command.

use proto::chat::Code;

use super::*;
use crate::fake::{Act, FakeChat, FakeNode, nobody};
use crate::session::{Consistency, Expected, Page};

struct Cluster {
    chat: FakeChat,
    nodes: Vec<FakeNode>,
}

impl Cluster {
    async fn start(count: usize) -> Self {
        let chat = FakeChat::default();
        for name in ["alice", "bob"] {
            chat.add_account(name, "secret");
        }
        let mut nodes = Vec::new();
        for number in 1..=count {
            nodes.push(FakeNode::start(&format!("n{number}"), &chat).await);
        }
        Cluster { chat, nodes }
    }

    fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(FakeNode::address).collect()
    }

    fn client(&self) -> Client {
        Client::new(Servers::new(&self.addresses()).unwrap(), quick())
    }

    fn alice(&self) -> Session {
        self.client().resume("alice", Token::new(self.chat.add_session("alice")), 0)
    }

    /// Alice, where each operation is tried once.
    fn impatient_alice(&self) -> Session {
        let policy = Policy::never(Duration::from_secs(5));
        let client = Client::new(Servers::new(&self.addresses()).unwrap(), policy);
        client.resume("alice", Token::new(self.chat.add_session("alice")), 0)
    }

    fn sends(&self) -> Vec<Option<(String, u64)>> {
        let calls = self.nodes.iter().flat_map(FakeNode::calls);
        calls.filter(|call| call.operation == "send").map(|call| call.attempt).collect()
    }
}

fn quick() -> Policy {
    Policy {
        limit: Duration::from_secs(5),
        try_limit: Duration::from_millis(300),
        pause_first: Duration::from_millis(1),
        pause_max: Duration::from_millis(10),
        ..Policy::default()
    }
}

#[tokio::test]
async fn a_persons_life() {
    let cluster = Cluster::start(1).await;
    let client = cluster.client();
    client.create_account("carol", "pass").await.unwrap();
    let carol = client.login("carol", "pass").await.unwrap();
    let sent = carol.send("bob", "hello").await.unwrap();
    assert_eq!((sent.conversation.as_str(), sent.sequence), ("bob:carol", 1));
    let page = carol.read("bob", Page::Last, 0, Consistency::Linearizable).await.unwrap();
    assert_eq!(page.messages.len(), 1);
    assert_eq!(client.list_accounts("c*", "", 0).await.unwrap().names, ["carol"]);
    carol.logout(false).await.unwrap();
    carol.logout(false).await.expect("what has ended can be ended");
    assert_eq!(carol.logout(true).await.unwrap_err().code(), Some(Code::NotAuthenticated));
    let again = client.login("carol", "pass").await.unwrap();
    again.delete_account().await.unwrap();
    assert_eq!(client.login("carol", "pass").await.unwrap_err().code(), Some(Code::NotFound));
}

#[tokio::test]
async fn pages_go_both_ways() {
    let cluster = Cluster::start(1).await;
    (1..=5).for_each(|number| cluster.chat.add_message("alice", "bob", &format!("m{number}")));
    let alice = cluster.alice();
    let bodies = async |page| {
        let reply = alice.read("bob", page, 2, Consistency::Stale).await.unwrap();
        reply.messages.into_iter().map(|message| message.body).collect::<Vec<_>>()
    };
    assert_eq!(bodies(Page::After(0)).await, ["m1", "m2"]);
    assert_eq!(bodies(Page::Before(4)).await, ["m2", "m3"]);
    assert_eq!(bodies(Page::Last).await, ["m4", "m5"]);
}

#[tokio::test]
async fn finds_the_leader_that_a_node_names() {
    let cluster = Cluster::start(3).await;
    cluster.nodes[0].plan([Act::Refuse(Code::NoLeader, "n3")]);
    let alice = cluster.alice();
    alice.send("bob", "one").await.unwrap();
    alice.send("bob", "two").await.unwrap();
    let counts: Vec<usize> = cluster.nodes.iter().map(|node| node.calls().len()).collect();
    assert_eq!(counts, [1, 0, 2], "it goes to the leader at once, and stays there");
}

#[tokio::test]
async fn goes_on_where_a_node_is_gone() {
    let cluster = Cluster::start(2).await;
    let addresses = [nobody().await, nobody().await, cluster.nodes[0].address()];
    let client = Client::new(Servers::new(&addresses).unwrap(), quick());
    let token = Token::new(cluster.chat.add_session("alice"));
    client.resume("alice", token, 0).send("bob", "hello").await.unwrap();
    assert_eq!(cluster.chat.bodies("alice", "bob"), ["hello"]);
}

#[tokio::test]
async fn goes_on_where_several_nodes_are_silent() {
    let cluster = Cluster::start(4).await;
    cluster.nodes[..3].iter().for_each(|node| node.plan(std::iter::repeat_n(Act::Hang, 100)));
    cluster.alice().send("bob", "hello").await.unwrap();
    let calls: Vec<usize> = cluster.nodes.iter().map(|node| node.calls().len()).collect();
    assert_eq!(calls, [1, 1, 1, 1]);
}

#[tokio::test]
async fn every_try_carries_the_attempt_and_the_message_is_there_once() {
    for act in [Act::ApplyThenDrop, Act::ApplyThenHang, Act::Drop, Act::Refuse(Code::Unknown, "")] {
        let cluster = Cluster::start(2).await;
        cluster.nodes[0].plan([act.clone()]);
        let reply = cluster.alice().send("bob", "hello").await.unwrap();
        assert_eq!(reply.sequence, 1);
        let sends = cluster.sends();
        assert_eq!(sends.len(), 2, "{act:?}");
        assert_eq!(sends[0], sends[1], "{act:?}");
        assert_eq!(cluster.chat.bodies("alice", "bob"), ["hello"], "{act:?}");
    }
}

#[tokio::test]
async fn unknown_stays_unknown_when_nobody_serves_any_more() {
    let cluster = Cluster::start(1).await;
    let no_leader = std::iter::repeat_n(Act::Refuse(Code::NoLeader, ""), 200);
    cluster.nodes[0].plan([Act::ApplyThenDrop].into_iter().chain(no_leader));
    let error = cluster.alice().send("bob", "hello").await.unwrap_err();
    assert_eq!(error.code(), Some(Code::NoLeader));
    assert!(error.tries() > 1);
    assert!(!error.is_definite(), "the first try was applied");
}

#[tokio::test]
async fn certainly_not_applied_when_no_try_was() {
    let cluster = Cluster::start(1).await;
    cluster.nodes[0].plan(std::iter::repeat_n(Act::Refuse(Code::NoLeader, ""), 200));
    let error = cluster.alice().send("bob", "hello").await.unwrap_err();
    assert!(error.is_definite(), "{error:?}");
    assert!(cluster.chat.bodies("alice", "bob").is_empty());
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    let cluster = Cluster::start(2).await;
    let error = cluster.alice().send("nobody", "hello").await.unwrap_err();
    assert_eq!((error.code(), error.tries()), (Some(Code::NotFound), 1));
    assert!(error.is_definite());
}

#[tokio::test]
async fn a_topic_is_set_once_and_only_if_it_is_the_expected_one() {
    let cluster = Cluster::start(2).await;
    cluster.nodes[0].plan([Act::ApplyThenDrop]);
    let alice = cluster.alice();
    let set = alice.set_topic("bob", "lunch", Expected::Version(0)).await.unwrap();
    assert_eq!((set.conversation.as_str(), set.version), ("alice:bob", 1), "the retry is the same operation");
    assert_eq!(alice.set_topic("bob", "tea", Expected::Text("lunch")).await.unwrap().version, 2);
    let error = alice.set_topic("bob", "supper", Expected::Text("lunch")).await.unwrap_err();
    assert_eq!((error.code(), error.tries(), error.is_definite()), (Some(Code::Conflict), 1, true));
    alice.set_topic("bob", "", Expected::Anything).await.unwrap();
    let topic = alice.topic("bob").await.unwrap();
    assert_eq!((topic.text.as_str(), topic.version, topic.by.as_str()), ("", 3, "alice"));
}

#[tokio::test]
async fn a_session_goes_on_however_its_first_operation_ended() {
    let first = [
        Act::Serve,
        Act::Refuse(Code::Invalid, ""),
        Act::Refuse(Code::NoLeader, ""),
        Act::Refuse(Code::Unknown, ""),
        Act::Drop,
        Act::ApplyThenDrop,
    ];
    for act in first {
        let cluster = Cluster::start(1).await;
        let alice = cluster.impatient_alice();
        cluster.nodes[0].plan([act.clone()]);
        let _ = alice.send("bob", "first").await;
        for number in 0..3 {
            alice.send("bob", &number.to_string()).await.unwrap_or_else(|error| panic!("{act:?}: {error}"));
        }
    }
}

#[tokio::test]
async fn a_session_goes_on_after_more_failures_than_the_cluster_keeps_numbers_for() {
    let cluster = Cluster::start(1).await;
    let alice = cluster.impatient_alice();
    cluster.nodes[0].plan(std::iter::repeat_n(Act::Refuse(Code::NoLeader, ""), 300));
    for _ in 0..300 {
        assert_eq!(alice.send("bob", "hello").await.unwrap_err().code(), Some(Code::NoLeader));
    }
    alice.send("bob", "at last").await.unwrap();
}

#[tokio::test]
async fn a_refusal_that_was_applied_is_an_answer() {
    let cluster = Cluster::start(1).await;
    let alice = cluster.alice();
    alice.send("nobody", "hello").await.unwrap_err();
    cluster.chat.forget_clients();
    alice.send("bob", "hello").await.unwrap();
    let sequences: Vec<u64> = cluster.sends().into_iter().flatten().map(|(_, sequence)| sequence).collect();
    assert_eq!(sequences, [1, 2, 1], "the second claimed the first, was forgotten, and began anew");
}

#[tokio::test]
async fn a_forgotten_client_begins_anew() {
    let cluster = Cluster::start(1).await;
    let alice = cluster.alice();
    alice.send("bob", "before").await.unwrap();
    cluster.chat.forget_clients();
    // A try that certainly was not applied does not stand in the way.
    cluster.nodes[0].plan([Act::Refuse(Code::NoLeader, "")]);
    alice.send("bob", "after").await.unwrap();
    let sends: Vec<(String, u64)> = cluster.sends().into_iter().flatten().collect();
    assert_eq!(sends.iter().map(|(_, sequence)| *sequence).collect::<Vec<_>>(), [1, 2, 2, 1]);
    assert_ne!(sends[3].0, sends[2].0);
    assert_eq!(cluster.chat.bodies("alice", "bob"), ["before", "after"]);
}

#[tokio::test]
async fn a_forgotten_operation_that_may_have_been_applied_is_not_begun_anew() {
    let cluster = Cluster::start(1).await;
    let alice = cluster.alice();
    alice.send("bob", "before").await.unwrap();
    cluster.chat.forget_clients();
    cluster.nodes[0].plan([Act::Drop]);
    let error = alice.send("bob", "perhaps").await.unwrap_err();
    assert_eq!((error.code(), error.tries()), (Some(Code::AttemptForgotten), 2));
    assert!(!error.is_definite());
    alice.send("bob", "after").await.expect("but the session goes on");
    assert_eq!(cluster.chat.bodies("alice", "bob"), ["before", "after"]);
}

#[tokio::test]
async fn a_forgotten_client_with_no_tries_left_says_so_and_goes_on() {
    let cluster = Cluster::start(1).await;
    let alice = cluster.impatient_alice();
    alice.send("bob", "before").await.unwrap();
    cluster.chat.forget_clients();
    let error = alice.send("bob", "lost").await.unwrap_err();
    assert_eq!((error.code(), error.is_definite()), (Some(Code::AttemptForgotten), true));
    alice.send("bob", "after").await.unwrap();
    assert_eq!(cluster.chat.bodies("alice", "bob"), ["before", "after"]);
}

#[tokio::test]
async fn no_two_accounts_share_a_client_id_and_nor_do_two_lives_of_one() {
    let cluster = Cluster::start(1).await;
    let client = cluster.client();
    for _ in 0..2 {
        client.create_account("carol", "pass").await.unwrap();
        client.login("carol", "pass").await.unwrap().delete_account().await.unwrap();
    }
    let calls = cluster.nodes[0].calls();
    let ids = |operation| {
        let calls = calls.iter().filter(move |call| call.operation == operation);
        calls.filter_map(|call| call.attempt.clone()).map(|(client_id, _)| client_id).collect::<Vec<_>>()
    };
    let (creations, deletions) = (ids("create account"), ids("delete account"));
    assert_eq!(creations[0], creations[1], "creations belong to nobody");
    assert_ne!(deletions[0], deletions[1]);
    assert!(!deletions.contains(&creations[0]));
}

#[tokio::test]
async fn the_limit_holds_over_all_tries() {
    let cluster = Cluster::start(2).await;
    cluster.nodes.iter().for_each(|node| node.plan(std::iter::repeat_n(Act::Hang, 100)));
    let limit = Duration::from_millis(700);
    let client = Client::new(Servers::new(&cluster.addresses()).unwrap(), quick().within(limit));
    let start = tokio::time::Instant::now();
    let error = client.list_accounts("", "", 0).await.unwrap_err();
    assert!(start.elapsed() >= Duration::from_millis(500) && start.elapsed() < 2 * limit);
    assert!(error.tries() >= 2, "a silent node does not use up the limit: {error}");
}

#[tokio::test]
async fn operations_in_flight_bound_what_is_answered() {
    let cluster = Cluster::start(1).await;
    let alice = cluster.alice();
    let sends = (0..10).map(|number| {
        let alice = alice.clone();
        async move { alice.send("bob", &number.to_string()).await }
    });
    for result in futures::future::join_all(sends).await {
        result.unwrap();
    }
    let mut sequences: Vec<u64> =
        cluster.sends().into_iter().flatten().map(|(_, sequence)| sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_can_be_used_from_several_tasks() {
    let cluster = Cluster::start(1).await;
    let alice = cluster.alice();
    let task = tokio::spawn(async move { alice.send("bob", "from a task").await });
    task.await.unwrap().unwrap();
}

#[test]
fn a_client_needs_servers() {
    assert_eq!(Servers::new::<&str>(&[]).unwrap_err(), crate::AddressError::None);
    assert!(Servers::new(&["localhost"]).is_err());
}

#[test]
fn a_token_does_not_show_itself() {
    assert_eq!(format!("{:?}", Token::new("secret".to_owned())), "Token(..)");
}

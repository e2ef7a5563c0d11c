//! The service over a cluster in memory, which fails when it is told to.

use std::future::Future;
use std::time::Duration;

use futures::StreamExt as _;
use proto::chat::{
    Attempt, Code, CreateAccountRequest, DeleteAccountRequest, Event, ListAccountsRequest, LoginRequest,
    LogoutRequest, ReadReply, ReadRequest, SendReply, SendRequest, SetTopicReply, SetTopicRequest,
    SubscribeRequest, TopicReply, TopicRequest, set_topic_request::Expected,
};
use tempfile::TempDir;

use super::consensus::memory::{MemoryConsensus, Trouble};
use super::{Service, ServiceConfig, ServiceError};
use crate::bug::{Bug, Bugs};
use crate::env::{Env, Instant};
use crate::password::Cost;
use crate::raft::Failure;
use crate::raft::testing::env;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// One node, and a person's way of using it.
pub(crate) struct Node {
    pub(crate) consensus: MemoryConsensus,
    pub(crate) service: Service<MemoryConsensus>,
    _directory: TempDir,
}

impl Node {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    fn with(bugs: &[Bug]) -> Self {
        let consensus = MemoryConsensus::new();
        let directory = tempfile::tempdir().unwrap();
        let config = ServiceConfig { password_cost: Cost::Cheap, session_ms: 60_000 };
        let env = Env { bugs: Bugs::planted(bugs), ..env(&directory) };
        let service = Service::new(env, consensus.clone(), config);
        Self { consensus, service, _directory: directory }
    }

    fn deadline(&self) -> Instant {
        self.service.env().now() + PATIENCE
    }

    async fn create(&self, name: &str, sequence: u64) -> Result<(), ServiceError> {
        let request = CreateAccountRequest {
            name: name.to_owned(),
            password: format!("{name}'s password"),
            attempt: Some(attempt("creator", sequence)),
        };
        self.service.create_account(request, self.deadline()).await.map(drop)
    }

    async fn login(&self, name: &str) -> Result<String, ServiceError> {
        let request = LoginRequest { name: name.to_owned(), password: format!("{name}'s password") };
        self.service.login(request, self.deadline()).await.map(|reply| reply.token)
    }

    async fn send(
        &self,
        token: &str,
        to: &str,
        body: &str,
        sequence: u64,
    ) -> Result<SendReply, ServiceError> {
        let (token, to, body) = (token.to_owned(), to.to_owned(), body.to_owned());
        let answered_below = sequence.saturating_sub(8);
        let attempt = Attempt { answered_below, ..attempt("sender", sequence) };
        let request = SendRequest { token, to, body, attempt: Some(attempt) };
        self.service.send(request, self.deadline()).await
    }

    async fn read(&self, token: &str, with: &str, stale: bool) -> Result<ReadReply, ServiceError> {
        let (token, with) = (token.to_owned(), with.to_owned());
        let request = ReadRequest { token, with, stale, limit: 0, from: None };
        self.service.read(request, self.deadline()).await
    }

    async fn set_topic(
        &self,
        token: &str,
        text: &str,
        sequence: u64,
        expected: Option<Expected>,
    ) -> Result<SetTopicReply, ServiceError> {
        let (token, with, text) = (token.to_owned(), "bob".to_owned(), text.to_owned());
        let attempt = Some(attempt("topics", sequence));
        let request = SetTopicRequest { token, with, text, attempt, expected };
        self.service.set_topic(request, self.deadline()).await
    }

    async fn topic(&self, token: &str, with: &str) -> Result<TopicReply, ServiceError> {
        let request = TopicRequest { token: token.to_owned(), with: with.to_owned() };
        self.service.topic(request, self.deadline()).await
    }

    async fn alice_and_bob(&self) -> (String, String) {
        self.create("alice", 1).await.unwrap();
        self.create("bob", 2).await.unwrap();
        (self.login("alice").await.unwrap(), self.login("bob").await.unwrap())
    }
}

fn attempt(client_id: &str, sequence: u64) -> Attempt {
    Attempt { client_id: client_id.to_owned(), sequence, answered_below: 0 }
}

async fn code<T: std::fmt::Debug>(call: impl Future<Output = Result<T, ServiceError>>) -> Code {
    call.await.expect_err("the call is refused").code
}

fn bodies(reply: &ReadReply) -> Vec<&str> {
    reply.messages.iter().map(|message| message.body.as_str()).collect()
}

#[tokio::test]
async fn two_people_talk() {
    let node = Node::start();
    let (alice, bob) = node.alice_and_bob().await;
    node.consensus.set_time(7);
    let sent = node.send(&alice, "bob", "hello", 1).await.unwrap();
    assert_eq!((sent.conversation.as_str(), sent.sequence, sent.time_ms), ("alice:bob", 1, 7));
    node.send(&bob, "alice", "hello yourself", 1).await.unwrap();
    let reply = node.read(&alice, "bob", false).await.unwrap();
    assert_eq!(bodies(&reply), ["hello", "hello yourself"]);
    assert_eq!((reply.head, reply.applied), (2, node.consensus.index()));
    assert_eq!(reply.messages[0].client_id, "sender");
}

#[tokio::test]
async fn two_people_share_a_topic() {
    let node = Node::start();
    let (alice, bob) = node.alice_and_bob().await;
    node.consensus.set_time(7);
    let none = node.topic(&alice, "bob").await.unwrap();
    assert_eq!((none.conversation.as_str(), none.text.as_str(), none.version), ("alice:bob", "", 0));
    let set = node.set_topic(&alice, "lunch", 1, None).await.unwrap();
    assert_eq!((set.conversation.as_str(), set.version, set.time_ms), ("alice:bob", 1, 7));
    let met = Some(Expected::ExpectedText("lunch".to_owned()));
    assert_eq!(node.set_topic(&alice, "tea", 2, met.clone()).await.unwrap().version, 2);
    assert_eq!(code(node.set_topic(&alice, "tea", 3, met)).await, Code::Conflict);
    let outdated = Some(Expected::ExpectedVersion(1));
    assert_eq!(code(node.set_topic(&alice, "tea", 4, outdated)).await, Code::Conflict);
    let topic = node.topic(&bob, "alice").await.unwrap();
    assert_eq!((topic.text.as_str(), topic.version, topic.by.as_str()), ("tea", 2, "alice"));
    assert_eq!(topic.applied, node.consensus.index());

    let index = node.consensus.index();
    assert_eq!(code(node.set_topic(&alice, &"x".repeat(1_025), 5, None)).await, Code::TooLarge);
    assert_eq!(code(node.set_topic("no token", "tea", 5, None)).await, Code::NotAuthenticated);
    assert_eq!(code(node.topic(&alice, "carol")).await, Code::NotFound);
    assert_eq!(node.consensus.index(), index, "nothing of this was proposed");
}

#[tokio::test]
async fn a_password_opens_its_account_only() {
    let node = Node::start();
    node.create("alice", 1).await.unwrap();
    let login = |name: &str, password: &str| {
        let request = LoginRequest { name: name.to_owned(), password: password.to_owned() };
        node.service.login(request, node.deadline())
    };
    assert_eq!(code(login("alice", "bob's password")).await, Code::WrongPassword);
    assert_eq!(code(login("bob", "bob's password")).await, Code::NotFound);
    assert_eq!(code(login("Bob", "x")).await, Code::Invalid);
    assert_eq!(code(login("alice", "")).await, Code::Invalid);
    let index = node.consensus.index();
    assert_eq!(index, 1, "nothing of this was proposed");
    assert_eq!(login("alice", "alice's password").await.unwrap().expires_ms, 60_000);
}

#[tokio::test]
async fn what_is_invalid_is_refused_before_it_is_proposed() {
    let node = Node::start();
    let (alice, _) = node.alice_and_bob().await;
    let index = node.consensus.index();
    assert_eq!(code(node.create("Bob", 3)).await, Code::Invalid);
    assert_eq!(code(node.create("carol", 0)).await, Code::Invalid);
    assert_eq!(code(node.send(&alice, "BOB", "hi", 1)).await, Code::Invalid);
    assert_eq!(code(node.send(&alice, "bob", "", 1)).await, Code::Invalid);
    assert_eq!(code(node.send(&alice, "bob", &"x".repeat(65_537), 1)).await, Code::TooLarge);
    assert_eq!(code(node.send(&alice, "bob", "hi", 0)).await, Code::Invalid);
    assert_eq!(code(node.send("no token", "bob", "hi", 1)).await, Code::NotAuthenticated);
    let nameless = SendRequest { token: alice.clone(), to: "bob".into(), body: "hi".into(), attempt: None };
    assert_eq!(code(node.service.send(nameless, node.deadline())).await, Code::Invalid);
    let many = ReadRequest { token: alice, with: "bob".into(), limit: 1_001, ..Default::default() };
    assert_eq!(code(node.service.read(many, node.deadline())).await, Code::Invalid);
    let pattern = ListAccountsRequest { pattern: "A*".into(), ..Default::default() };
    assert_eq!(code(node.service.list_accounts(pattern, node.deadline())).await, Code::Invalid);
    assert_eq!(node.consensus.index(), index);
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_is_the_same_message() {
    let node = Node::start();
    let (alice, _) = node.alice_and_bob().await;
    let lost = Failure::Unknown { why: "the leader was lost".into(), leader: None };
    node.consensus.trouble(Trouble::Lost(lost));
    assert_eq!(code(node.send(&alice, "bob", "once", 1)).await, Code::Unknown);
    assert_eq!(node.send(&alice, "bob", "once", 1).await.unwrap().sequence, 1);
    assert_eq!(bodies(&node.read(&alice, "bob", false).await.unwrap()), ["once"]);
}

#[tokio::test]
async fn every_failure_keeps_its_certainty_and_its_leader() {
    let node = Node::start();
    let (alice, _) = node.alice_and_bob().await;
    let leader = || Some("n2".to_owned());
    let cases = [
        (Failure::NoLeader { leader: leader() }, Code::NoLeader),
        (Failure::Overloaded, Code::Overloaded),
        (Failure::Starting, Code::Starting),
        (Failure::Stopping, Code::Stopping),
        (Failure::NotAMember { removed: true }, Code::NotAMember),
        (Failure::ReadUnavailable { why: "no majority".into(), leader: leader() }, Code::ReadUnavailable),
        (Failure::Unknown { why: "the deadline passed".into(), leader: leader() }, Code::Unknown),
    ];
    for (sequence, (failure, code)) in (1..).zip(cases) {
        node.consensus.trouble(Trouble::Refused(failure.clone()));
        let error = node.send(&alice, "bob", "hi", sequence).await.unwrap_err();
        assert_eq!((error.code, error.leader.as_deref()), (code, failure.leader()));
    }
    node.consensus.trouble(Trouble::Refused(Failure::Starting));
    assert_eq!(code(node.read(&alice, "bob", false)).await, Code::Starting);
    node.consensus.trouble(Trouble::Refused(Failure::Starting));
    assert_eq!(code(node.login("alice")).await, Code::Starting);
}

#[tokio::test]
async fn logging_out_ends_one_session_or_all() {
    let node = Node::start();
    let (first, _) = node.alice_and_bob().await;
    let (second, third) = (node.login("alice").await.unwrap(), node.login("alice").await.unwrap());
    let logout = |token: &str, everywhere| {
        node.service.logout(LogoutRequest { token: token.to_owned(), everywhere }, node.deadline())
    };
    logout(&first, false).await.unwrap();
    assert_eq!(code(node.read(&first, "bob", false)).await, Code::NotAuthenticated);
    node.read(&second, "bob", false).await.unwrap();
    logout(&second, true).await.unwrap();
    assert_eq!(code(node.read(&third, "bob", false)).await, Code::NotAuthenticated);
    assert_eq!(code(node.send(&third, "bob", "hi", 1)).await, Code::NotAuthenticated);
    assert_eq!(code(logout("", false)).await, Code::NotAuthenticated);
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_its_deletion_can_be_retried() {
    let node = Node::start();
    let (alice, bob) = node.alice_and_bob().await;
    node.send(&alice, "bob", "goodbye", 1).await.unwrap();
    let delete = || {
        let request = DeleteAccountRequest { token: alice.clone(), attempt: Some(attempt("deleter", 1)) };
        node.service.delete_account(request, node.deadline())
    };
    delete().await.unwrap();
    delete().await.unwrap();
    assert_eq!(code(node.login("alice")).await, Code::NotFound);
    assert_eq!(code(node.send(&bob, "alice", "still there?", 1)).await, Code::NotFound);
    assert_eq!(bodies(&node.read(&bob, "alice", false).await.unwrap()), ["goodbye"]);
    assert_eq!(code(node.read(&bob, "carol", false)).await, Code::NotFound);
    let names = node.service.list_accounts(ListAccountsRequest::default(), node.deadline()).await.unwrap();
    assert_eq!((names.names, names.more), (vec!["bob".to_owned()], false));
}

#[tokio::test]
async fn a_stale_read_shows_what_is_applied_here_and_asks_for_more_when_it_does_not_know_the_session() {
    let node = Node::start();
    let (alice, _) = node.alice_and_bob().await;
    node.send(&alice, "bob", "one", 1).await.unwrap();
    node.consensus.fall_behind();
    node.send(&alice, "bob", "two", 2).await.unwrap();
    let behind = node.read(&alice, "bob", true).await.unwrap();
    assert_eq!((bodies(&behind), behind.applied), (vec!["one"], node.consensus.index() - 1));

    let later = node.login("alice").await.unwrap();
    assert_eq!(bodies(&node.read(&later, "bob", true).await.unwrap()), ["one", "two"]);
    assert_eq!(code(node.read(&"0".repeat(64), "bob", true)).await, Code::NotAuthenticated);
}

type Events = std::pin::Pin<Box<dyn futures::Stream<Item = Result<Event, ServiceError>> + Send>>;

async fn subscribe(node: &Node, token: &str, cursor: u64) -> Result<Events, ServiceError> {
    let request = SubscribeRequest { token: token.to_owned(), cursor };
    Ok(node.service.subscribe(request, node.deadline()).await?.boxed())
}

async fn next(node: &Node, events: &mut Events) -> Result<Event, ServiceError> {
    let next = node.service.env().timeout_at(node.deadline(), events.next()).await;
    next.expect("an event comes in time").expect("a subscription does not end by itself")
}

#[tokio::test]
async fn a_subscription_tells_what_was_and_then_what_comes_and_resumes_from_a_cursor() {
    let node = Node::start();
    let (alice, bob) = node.alice_and_bob().await;
    // More than one page of events, so that pages are joined without a seam.
    for sequence in 1..=600 {
        node.send(&alice, if sequence % 2 == 0 { "bob" } else { "alice" }, "x", sequence).await.unwrap();
    }
    let mut mine = subscribe(&node, &alice, 0).await.unwrap();
    let mut cursors = Vec::new();
    for _ in 0..600 {
        cursors.push(next(&node, &mut mine).await.unwrap().cursor);
    }
    assert!(cursors.is_sorted_by(|one, other| one < other));

    let mut resumed = subscribe(&node, &alice, cursors[300]).await.unwrap();
    assert_eq!(next(&node, &mut resumed).await.unwrap().cursor, cursors[301]);

    let mut his = subscribe(&node, &bob, node.consensus.index()).await.unwrap();
    let (told, sent) = futures::join!(next(&node, &mut his), async {
        tokio::task::yield_now().await;
        node.send(&alice, "bob", "are you there?", 601).await.unwrap()
    });
    let message = told.unwrap().message.unwrap();
    assert_eq!((message.body.as_str(), message.sequence), ("are you there?", sent.sequence));
}

#[cfg(feature = "bugs")]
#[tokio::test]
async fn a_planted_bug_bites_a_subscription_that_is_resumed_and_no_other() {
    // Of three messages, the first that is told after the cursor of the first one.
    for (bug, told) in [(None, 1), (Some(Bug::PollSkip), 2), (Some(Bug::PollAgain), 0)] {
        let node = Node::with(bug.as_slice());
        let (alice, _) = node.alice_and_bob().await;
        for sequence in 1..=3 {
            node.send(&alice, "bob", "x", sequence).await.unwrap();
        }
        let mut events = subscribe(&node, &alice, 0).await.unwrap();
        let mut cursors = Vec::new();
        for _ in 0..3 {
            cursors.push(next(&node, &mut events).await.unwrap().cursor);
        }
        let mut resumed = subscribe(&node, &alice, cursors[0]).await.unwrap();
        assert_eq!(next(&node, &mut resumed).await.unwrap().cursor, cursors[told], "{bug:?}");
    }
}

#[tokio::test]
async fn a_subscription_ends_with_its_session() {
    let node = Node::start();
    let (alice, bob) = node.alice_and_bob().await;
    assert_eq!(code(async { subscribe(&node, "", 0).await.map(drop) }).await, Code::NotAuthenticated);
    let mut events = subscribe(&node, &alice, 0).await.unwrap();
    let (ended, ()) = futures::join!(next(&node, &mut events), async {
        tokio::task::yield_now().await;
        let request = LogoutRequest { token: alice.clone(), everywhere: false };
        node.service.logout(request, node.deadline()).await.unwrap();
    });
    assert_eq!(ended.unwrap_err().code, Code::NotAuthenticated);
    assert!(events.next().await.is_none(), "nothing comes after an error");

    let mut events = subscribe(&node, &bob, 0).await.unwrap();
    node.consensus.set_time(60_000);
    node.create("carol", 3).await.unwrap();
    assert_eq!(next(&node, &mut events).await.unwrap_err().code, Code::NotAuthenticated);
}

#[tokio::test]
async fn a_subscription_ends_when_the_node_stops() {
    let node = Node::start();
    let (alice, _) = node.alice_and_bob().await;
    let mut events = subscribe(&node, &alice, 0).await.unwrap();
    let (ended, ()) = futures::join!(next(&node, &mut events), async {
        tokio::task::yield_now().await;
        node.service.stop();
    });
    assert_eq!(ended.unwrap_err().code, Code::Stopping);
    let mut late = subscribe(&node, &alice, 0).await.unwrap();
    assert_eq!(next(&node, &mut late).await.unwrap_err().code, Code::Stopping);
}

#[tokio::test]
async fn a_subscription_ends_when_its_node_is_removed_from_the_cluster() {
    let node = Node::start();
    let (alice, _) = node.alice_and_bob().await;
    let mut mine = subscribe(&node, &alice, node.consensus.index()).await.unwrap();
    let (ended, ()) = futures::join!(next(&node, &mut mine), async {
        tokio::task::yield_now().await;
        node.consensus.remove();
    });
    assert_eq!(ended.unwrap_err().code, Code::NotAMember);
    assert_eq!(code(node.send(&alice, "bob", "hi", 1)).await, Code::NotAMember);
}

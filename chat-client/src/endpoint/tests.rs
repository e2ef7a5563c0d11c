//! One try against a fake node, for each way that it can end.

use proto::chat::{Attempt, Code, SendRequest};

use super::*;
use crate::fake::{Act, FakeChat, FakeNode, nobody};

const LIMIT: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(200);

struct Fixture {
    chat: FakeChat,
    node: FakeNode,
    endpoint: Endpoint,
    token: String,
}

impl Fixture {
    async fn start() -> Self {
        let chat = FakeChat::default();
        chat.add_account("alice", "secret");
        let token = chat.add_session("alice");
        let node = FakeNode::start("n1", &chat).await;
        let endpoint = Endpoint::new(&node.address()).unwrap();
        Fixture { chat, node, endpoint, token }
    }

    fn message(&self, sequence: u64) -> SendRequest {
        let attempt = Attempt { client_id: "c1".to_owned(), sequence, answered_below: 1 };
        let (token, to) = (self.token.clone(), "alice".to_owned());
        SendRequest { token, to, body: format!("m{sequence}"), attempt: Some(attempt) }
    }

    /// Sends one message to a node that does `act`.
    async fn send_to(&self, act: Act, limit: Duration) -> Error {
        self.node.plan([act]);
        self.endpoint.execute(self.message(1), limit).await.unwrap_err()
    }
}

#[test]
fn an_address_is_a_host_and_a_port() {
    for good in ["127.0.0.1:1", "localhost:50051", "[::1]:50051", "node-1.example:65535"] {
        assert!(Endpoint::new(good).is_ok(), "{good}");
    }
    for bad in ["", "localhost", ":1", "host:", "host:x", "host:65536", "http://host:1", "host/a:1", "a b:1"]
    {
        let malformed = AddressError::Malformed { address: bad.to_owned() };
        assert_eq!(Endpoint::new(bad).unwrap_err(), malformed);
    }
}

#[tokio::test]
async fn serves() {
    let fixture = Fixture::start().await;
    let reply = fixture.endpoint.execute(fixture.message(1), LIMIT).await.unwrap();
    assert_eq!((reply.conversation.as_str(), reply.sequence), ("alice:alice", 1));
}

#[tokio::test]
async fn connects_from_the_address_that_was_chosen() {
    let fixture = Fixture::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let from: IpAddr = "127.0.2.7".parse().unwrap();
    let endpoint = Endpoint::new(&listener.local_addr().unwrap().to_string()).unwrap();
    let endpoint = endpoint.connecting_from(Some(from));
    let (accepted, _) =
        tokio::join!(timeout(LIMIT, listener.accept()), endpoint.execute(fixture.message(1), SHORT));
    assert_eq!(accepted.unwrap().unwrap().1.ip(), from);
}

#[tokio::test]
async fn nobody_there_is_definite() {
    let fixture = Fixture::start().await;
    let endpoint = Endpoint::new(&nobody().await).unwrap();
    let error = endpoint.execute(fixture.message(1), LIMIT).await.unwrap_err();
    assert_eq!(error.cause(), Cause::Connect);
    assert!(error.is_definite());
    assert!(error.message().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_node_that_died_while_nothing_was_asked_of_it_is_definite_sooner_or_later() {
    let Fixture { node, endpoint, token, chat } = Fixture::start().await;
    let fixture_message = |sequence| SendRequest {
        token: token.clone(),
        to: "alice".to_owned(),
        body: "m".to_owned(),
        attempt: Some(Attempt { client_id: "c1".to_owned(), sequence, answered_below: 1 }),
    };
    endpoint.execute(fixture_message(1), LIMIT).await.unwrap();
    drop(node);
    // The first one may still have been written to the dying connection.
    let first = endpoint.execute(fixture_message(2), LIMIT).await.unwrap_err();
    assert!(matches!(first.cause(), Cause::Broken | Cause::Connect), "{first:?}");
    let second = endpoint.execute(fixture_message(3), LIMIT).await.unwrap_err();
    assert_eq!(second.cause(), Cause::Connect);
    assert_eq!(chat.bodies("alice", "alice").len(), 1);
}

#[tokio::test]
async fn silence_is_a_deadline_and_indefinite() {
    for act in [Act::Hang, Act::ApplyThenHang] {
        let fixture = Fixture::start().await;
        let start = Instant::now();
        let error = fixture.send_to(act, SHORT).await;
        assert_eq!(error.cause(), Cause::Deadline);
        assert!(!error.is_definite());
        assert!(start.elapsed() >= SHORT && start.elapsed() < LIMIT);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_arrived_is_indefinite() {
    for (act, applied) in [(Act::Drop, 0), (Act::ApplyThenDrop, 1)] {
        let fixture = Fixture::start().await;
        let error = fixture.send_to(act, LIMIT).await;
        assert_eq!(error.cause(), Cause::Broken, "{error}");
        assert!(!error.is_definite());
        assert_eq!(fixture.chat.bodies("alice", "alice").len(), applied);
        let reply = fixture.endpoint.execute(fixture.message(2), LIMIT).await;
        assert!(reply.is_ok(), "the next operation has a new connection: {reply:?}");
    }
}

#[tokio::test]
async fn a_read_is_definite_even_then() {
    let fixture = Fixture::start().await;
    fixture.node.plan([Act::Drop]);
    let request = proto::chat::ListAccountsRequest::default();
    assert!(fixture.endpoint.execute(request, LIMIT).await.unwrap_err().is_definite());
}

#[tokio::test]
async fn what_the_node_says_is_what_the_error_says() {
    let fixture = Fixture::start().await;
    let refused = fixture.send_to(Act::Refuse(Code::NoLeader, "n2"), LIMIT).await;
    assert_eq!((refused.code(), refused.leader()), (Some(Code::NoLeader), Some("n2")));
    assert!(refused.is_definite());
    let unknown = fixture.send_to(Act::Refuse(Code::Unknown, ""), LIMIT).await;
    assert!(!unknown.is_definite());
    let bare = fixture.send_to(Act::Status(tonic::Code::Unavailable), LIMIT).await;
    assert_eq!((bare.cause(), bare.is_definite()), (Cause::Grpc(tonic::Code::Unavailable), false));
    let garbled = fixture.send_to(Act::Garble, LIMIT).await;
    assert_eq!((garbled.cause(), garbled.is_definite()), (Cause::Decode, false));
}

#[tokio::test]
async fn a_node_can_move() {
    let Fixture { chat, node, endpoint, .. } = Fixture::start().await;
    let status = |endpoint| crate::admin::status(endpoint, LIMIT);
    assert_eq!(status(&endpoint).await.unwrap().node, "n1");
    drop(node);
    let moved = FakeNode::start("n1-again", &chat).await;
    endpoint.set_address(&moved.address()).unwrap();
    assert_eq!(status(&endpoint).await.unwrap().node, "n1-again");
    assert_eq!(endpoint.address(), moved.address());
    assert!(endpoint.set_address("nowhere").is_err());
}

#[tokio::test]
async fn operations_share_one_connection() {
    let fixture = Fixture::start().await;
    let sends = (1..=8).map(|sequence| fixture.endpoint.execute(fixture.message(sequence), LIMIT));
    for result in futures::future::join_all(sends).await {
        result.unwrap();
    }
    assert_eq!(fixture.endpoint.slot.lock().await.opened, 1);
}

#[tokio::test]
async fn the_digest_is_asked_of_this_very_node() {
    let fixture = Fixture::start().await;
    fixture.chat.add_message("alice", "alice", "one");
    let digest = crate::admin::digest(&fixture.endpoint, 1, false, LIMIT).await.unwrap();
    assert_eq!(digest.index, 1);
}

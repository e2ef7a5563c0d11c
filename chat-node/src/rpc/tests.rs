//! Every call through the generated client and server, without a network between them.

use prost::Message as _;
use proto::admin::admin_client::AdminClient;
use proto::admin::{
    AddLearnerRequest, ChangeMembersRequest, DigestRequest, StatusRequest, TakeSnapshotRequest,
    TransferLeaderRequest,
};
use proto::chat::chat_client::ChatClient;
use proto::chat::chat_server::ChatServer;
use proto::chat::{
    Attempt, Code, CreateAccountRequest, DeleteAccountRequest, ErrorDetail, ListAccountsRequest,
    LoginRequest, LogoutRequest, ReadRequest, SendRequest, SubscribeRequest, read_request,
};

use super::admin::AdminRpc;
use super::chat::ChatRpc;
use crate::env::Instant;
use crate::raft::{ChangeError, Failure, Member};
use crate::service::consensus::Operate;
use crate::service::consensus::memory::{MemoryConsensus, Trouble};
use crate::service::tests::Node;

type Client = ChatClient<ChatServer<ChatRpc<MemoryConsensus>>>;

fn client(node: &Node) -> Client {
    ChatClient::new(ChatRpc::server(node.service.clone()))
}

fn attempt(sequence: u64) -> Option<Attempt> {
    Some(Attempt { client_id: "client".to_owned(), sequence, answered_below: sequence })
}

fn detail(status: &tonic::Status) -> ErrorDetail {
    ErrorDetail::decode(status.details()).expect("the details hold an ErrorDetail")
}

async fn account(client: &mut Client, name: &str) -> String {
    let (name, password) = (name.to_owned(), "secret".to_owned());
    let request =
        CreateAccountRequest { name: name.clone(), password: password.clone(), attempt: attempt(1) };
    let request = CreateAccountRequest {
        attempt: request.attempt.map(|a| Attempt { client_id: name.clone(), ..a }),
        ..request
    };
    client.create_account(request).await.unwrap();
    client.login(LoginRequest { name, password }).await.unwrap().into_inner().token
}

#[tokio::test]
async fn every_call_of_the_chat_is_answered() {
    let node = Node::start();
    let mut client = client(&node);
    let alice = account(&mut client, "alice").await;
    account(&mut client, "bob").await;
    let names = client.list_accounts(ListAccountsRequest { limit: 1, ..Default::default() }).await.unwrap();
    assert!(names.get_ref().more && names.get_ref().names == ["alice"]);

    for sequence in 1..=3 {
        let body = format!("message {sequence}");
        let send = SendRequest { token: alice.clone(), to: "bob".into(), body, attempt: attempt(sequence) };
        assert_eq!(client.send(send).await.unwrap().into_inner().sequence, sequence);
    }
    for (from, sequences) in [
        (None, vec![2, 3]),
        (Some(read_request::From::After(0)), vec![1, 2]),
        (Some(read_request::From::Before(3)), vec![1, 2]),
    ] {
        let read = ReadRequest { token: alice.clone(), with: "bob".into(), from, limit: 2, stale: false };
        let reply = client.read(read).await.unwrap().into_inner();
        let shown: Vec<_> = reply.messages.iter().map(|message| message.sequence).collect();
        assert_eq!((shown, reply.head), (sequences, 3));
    }

    let subscribe = SubscribeRequest { token: alice.clone(), cursor: 0 };
    let mut events = client.subscribe(subscribe).await.unwrap().into_inner();
    let event = events.message().await.unwrap().unwrap();
    assert_eq!((event.conversation.as_str(), event.message.unwrap().sequence), ("alice:bob", 1));

    client.delete_account(DeleteAccountRequest { token: alice.clone(), attempt: attempt(4) }).await.unwrap();
    while let Some(event) = events.message().await.transpose() {
        let Err(status) = event else { continue };
        assert_eq!(detail(&status).code(), Code::NotAuthenticated);
    }
    client.logout(LogoutRequest { token: alice, everywhere: true }).await.unwrap();
}

#[tokio::test]
async fn an_error_says_what_a_client_may_conclude() {
    let node = Node::start();
    let mut client = client(&node);
    let alice = account(&mut client, "alice").await;
    let send = |to: &str, body: &str, sequence| SendRequest {
        token: alice.clone(),
        to: to.to_owned(),
        body: body.to_owned(),
        attempt: attempt(sequence),
    };
    let large = "x".repeat(65_537);
    for (request, code, grpc) in [
        (send("nobody", "hi", 1), Code::NotFound, tonic::Code::NotFound),
        (send("NOBODY", "hi", 2), Code::Invalid, tonic::Code::InvalidArgument),
        (send("alice", &large, 2), Code::TooLarge, tonic::Code::InvalidArgument),
        (
            SendRequest { token: "x".into(), ..send("alice", "hi", 2) },
            Code::NotAuthenticated,
            tonic::Code::Unauthenticated,
        ),
    ] {
        let status = client.send(request).await.unwrap_err();
        assert_eq!((status.code(), detail(&status).code()), (grpc, code), "{}", status.message());
        assert_eq!(detail(&status).message, status.message());
    }
    for (failure, code, grpc) in [
        (Failure::NoLeader { leader: Some("n2".into()) }, Code::NoLeader, tonic::Code::Unavailable),
        (Failure::Overloaded, Code::Overloaded, tonic::Code::ResourceExhausted),
        (
            Failure::Unknown { why: "lost".into(), leader: Some("n2".into()) },
            Code::Unknown,
            tonic::Code::Unknown,
        ),
    ] {
        let leader = failure.leader().unwrap_or_default().to_owned();
        node.consensus.trouble(Trouble::Refused(failure));
        let status = client.send(send("alice", "hi", 2)).await.unwrap_err();
        assert_eq!((status.code(), detail(&status).code()), (grpc, code));
        assert_eq!(detail(&status).leader, leader);
    }
    client.send(send("alice", "hi", 2)).await.unwrap();
    client.send(send("alice", "hi", 3)).await.unwrap();
    let forgotten = client.send(send("alice", "hi", 1)).await.unwrap_err();
    assert_eq!(detail(&forgotten).code(), Code::AttemptForgotten);
    let huge = client.send(send("alice", &"x".repeat(300_000), 4)).await.unwrap_err();
    assert!(huge.details().is_empty(), "tonic refuses it before the service sees it");
}

#[tokio::test]
async fn an_operator_sees_the_node_and_its_digest() {
    let node = Node::start();
    account(&mut client(&node), "alice").await;
    let mut admin = AdminClient::new(AdminRpc::server(node.service.clone(), Refusing(ChangeError::Nothing)));
    let status = admin.status(StatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.node.as_str(), status.leader.as_str(), status.applied), ("n1", "n1", 2));
    assert_eq!(status.role(), proto::admin::Role::Leader);
    let digest = admin.digest(DigestRequest { at_least: 2, verify: true }).await.unwrap().into_inner();
    assert_eq!((digest.index, digest.digest.len()), (2, 32));
    let later = admin.digest(DigestRequest { at_least: 3, verify: false }).await.unwrap_err();
    assert_eq!(detail(&later).code(), Code::ReadUnavailable);
}

/// An operator's side that refuses everything alike.
#[derive(Debug, Clone)]
struct Refusing(ChangeError);

impl Operate for Refusing {
    async fn add_learner(&self, _: &str, _: Instant) -> Result<Vec<Member>, ChangeError> {
        Err(self.0.clone())
    }

    async fn change_members(
        &self,
        _: &[String],
        _: &[String],
        _: Instant,
    ) -> Result<Vec<Member>, ChangeError> {
        Err(self.0.clone())
    }

    async fn transfer_leader(&self, _: &str, _: Instant) -> Result<(String, u64), ChangeError> {
        Err(self.0.clone())
    }

    async fn take_snapshot(&self, _: bool, _: Instant) -> Result<(u64, u64), ChangeError> {
        Err(self.0.clone())
    }
}

#[tokio::test]
async fn what_an_operator_is_refused_says_whether_anything_was_begun() {
    let node = Node::start();
    let n2 = || "n2".to_owned();
    for (error, grpc, code, leader) in [
        (
            ChangeError::NotLeader { node: "n1".to_owned(), leader: Some(n2()) },
            tonic::Code::FailedPrecondition,
            Code::NoLeader,
            "n2",
        ),
        (ChangeError::NoMember { node: n2(), members: n2() }, tonic::Code::NotFound, Code::NotFound, ""),
        (ChangeError::Voter { node: n2() }, tonic::Code::AlreadyExists, Code::Exists, ""),
        (ChangeError::InProgress, tonic::Code::Aborted, Code::Overloaded, ""),
        (ChangeError::NoVoter, tonic::Code::FailedPrecondition, Code::Invalid, ""),
        (
            ChangeError::Late { what: "late".to_owned(), leader: Some(n2()) },
            tonic::Code::DeadlineExceeded,
            Code::Unknown,
            "n2",
        ),
        (
            ChangeError::Unknown { why: "lost".to_owned(), leader: None },
            tonic::Code::Unavailable,
            Code::Unknown,
            "",
        ),
    ] {
        let mut admin = AdminClient::new(AdminRpc::server(node.service.clone(), Refusing(error.clone())));
        let refused = [
            admin.add_learner(AddLearnerRequest::default()).await.unwrap_err(),
            admin.change_members(ChangeMembersRequest::default()).await.unwrap_err(),
            admin.transfer_leader(TransferLeaderRequest::default()).await.unwrap_err(),
            admin.take_snapshot(TakeSnapshotRequest::default()).await.unwrap_err(),
        ];
        for status in refused {
            let found = (status.code(), detail(&status).code(), detail(&status).leader);
            assert_eq!(found, (grpc, code, leader.to_owned()), "{error}");
            assert_eq!(detail(&status).message, error.to_string());
        }
    }
}

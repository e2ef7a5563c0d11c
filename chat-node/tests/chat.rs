//! The chat over a real cluster of three nodes in one process, each with a tokio runtime of its own, used through gRPC as
//! anybody would: dropping the runtime is the end of a node that was killed.
#![expect(clippy::disallowed_methods, reason = "a test is the world that the nodes live in")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chat_client::{Client, Consistency, Page, Policy, Servers, Session};
use chat_node::bug::Bugs;
use chat_node::env::host;
use chat_node::env::{HostDisk, HostRuntime, PeerTable, Peers};
use chat_node::machine::{Applied, apply};
use chat_node::node::{Node, NodeConfig};
use chat_node::password::Cost;
use chat_node::raft::lifecycle::Compaction;
use chat_node::raft::types::NodeName;
use chat_node::rpc::chat::ChatRpc;
use chat_node::service::consensus::Consensus as _;
use chat_node::service::{Service, ServiceConfig};
use chat_node::trace::Trace;
use futures::StreamExt as _;
use prost::Message as _;
use proto::chat::chat_client::ChatClient;
use proto::chat::{
    Attempt, Code, CreateAccountRequest, ErrorDetail, Event, LoginRequest, ReadRequest, SendReply,
    SendRequest, SubscribeRequest,
};
use proto::raft::peer_client::PeerClient;
use proto::raft::{Frame, Kind, SnapshotHead, SnapshotOffer, Vote};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Status, Streaming};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

const NAMES: [&str; 3] = ["n1", "n2", "n3"];

struct Member {
    node: Node,
    runtime: Runtime,
}

struct Cluster {
    directory: TempDir,
    peers: BTreeMap<String, SocketAddr>,
    members: BTreeMap<String, Member>,
    /// Where each running node serves clients.
    addresses: BTreeMap<String, SocketAddr>,
}

impl Cluster {
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let mut cluster =
            Self { directory, peers: BTreeMap::new(), members: BTreeMap::new(), addresses: BTreeMap::new() };
        cluster.write_table();
        NAMES.iter().for_each(|name| cluster.start_node(name));
        cluster
    }

    fn table(&self) -> PathBuf {
        self.directory.path().join("peers")
    }

    fn write_table(&self) {
        let lines: String = self.peers.iter().map(|(name, address)| format!("{name}={address}\n")).collect();
        let new = self.directory.path().join("peers.new");
        std::fs::write(&new, lines).unwrap();
        std::fs::rename(new, self.table()).unwrap();
    }

    fn start_node(&mut self, name: &str) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = NodeConfig {
            node: NodeName::parse(name).unwrap(),
            founders: NAMES.iter().map(|name| NodeName::parse(name).unwrap()).collect(),
            init: true,
            join: false,
            compaction: Compaction::default(),
            in_flight_max: 64,
        };
        let (directory, table) = (self.directory.path().join(name), PeerTable::File(self.table()));
        let (node, peer, address) = runtime.block_on(async {
            let host = Arc::new(HostRuntime::current());
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let (peers, peer) = Peers::bind(host.clone(), any, None, table).await.unwrap();
            let env = host::env(host, peers, Arc::new(HostDisk::open(&directory).unwrap()), Bugs::default());
            let machine = |tables: &mut dyn chat_node::machine::tables::TablesMut, index, proposal: &[u8]| {
                apply(tables, Applied { index, bugs: Bugs::default() }, proposal)
            };
            let node = Node::start(env.clone(), config, Arc::new(machine), Trace::default()).await.unwrap();

            let config = ServiceConfig { password_cost: Cost::Cheap, ..ServiceConfig::default() };
            let service = Service::new(env, node.replica().clone(), config);
            let listener = TcpListener::bind(any).await.unwrap();
            let address = listener.local_addr().unwrap();
            let server = Server::builder().add_service(ChatRpc::server(service));
            tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
            (node, peer, address)
        });
        self.peers.insert(name.to_owned(), peer);
        self.write_table();
        self.members.insert(name.to_owned(), Member { node, runtime });
        self.addresses.insert(name.to_owned(), address);
    }

    /// Ends a node without a word to anyone.
    fn kill(&mut self, name: &str) {
        let Member { node, runtime } = self.members.remove(name).unwrap();
        runtime.shutdown_background();
        drop(node);
        self.addresses.remove(name);
    }

    fn client(&self, name: &str) -> ChatClient<Channel> {
        let address = format!("http://{}", self.addresses[name]);
        ChatClient::new(Endpoint::from_shared(address).unwrap().connect_lazy())
    }

    /// A client of every running node, which tries again by `policy`.
    fn library(&self, policy: Policy) -> Client {
        let addresses: Vec<String> = self.addresses.values().map(SocketAddr::to_string).collect();
        Client::new(Servers::new(&addresses).unwrap(), policy)
    }

    async fn leader(&self) -> String {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let leaders = self.members.values().filter_map(|member| member.node.replica().status().leader);
            if let Some(leader) = leaders.into_iter().find(|leader| self.members.contains_key(leader)) {
                return leader;
            }
            assert!(Instant::now() < give_up, "no leader within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Tries again until the answer is no failure of the cluster. What is tried carries its attempt, or only reads.
async fn surely<T, F: Future<Output = Result<T, Status>>>(mut call: impl FnMut() -> F) -> T {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match call().await {
            Ok(value) => return value,
            Err(status) => {
                let code = ErrorDetail::decode(status.details()).map(|detail| detail.code());
                let refused = matches!(code, Ok(code) if code != Code::Unspecified && i32::from(code) < 20);
                assert!(!refused && Instant::now() < give_up, "{status:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn attempt(client_id: &str, sequence: u64) -> Option<Attempt> {
    Some(Attempt { client_id: client_id.to_owned(), sequence, answered_below: 0 })
}

async fn account(client: &ChatClient<Channel>, name: &str) {
    let request = CreateAccountRequest {
        name: name.to_owned(),
        password: "secret".to_owned(),
        attempt: attempt(name, 1),
    };
    surely(|| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.create_account(request).await }
    })
    .await;
}

async fn login(client: &ChatClient<Channel>, name: &str) -> String {
    let request = LoginRequest { name: name.to_owned(), password: "secret".to_owned() };
    let reply = surely(|| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.login(request).await }
    })
    .await;
    reply.into_inner().token
}

async fn send(client: &ChatClient<Channel>, token: &str, to: &str, sequence: u64) -> SendReply {
    let request = SendRequest {
        token: token.to_owned(),
        to: to.to_owned(),
        body: format!("message {sequence}"),
        attempt: attempt("sender", sequence),
    };
    surely(|| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.send(request).await }
    })
    .await
    .into_inner()
}

async fn bodies(client: &ChatClient<Channel>, token: &str, with: &str) -> Vec<String> {
    let request = ReadRequest { token: token.to_owned(), with: with.to_owned(), ..ReadRequest::default() };
    let reply = surely(|| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.read(request).await }
    })
    .await;
    reply.into_inner().messages.into_iter().map(|message| message.body).collect()
}

async fn subscribe(client: &ChatClient<Channel>, token: &str, cursor: u64) -> Streaming<Event> {
    let request = SubscribeRequest { token: token.to_owned(), cursor };
    surely(|| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.subscribe(request).await }
    })
    .await
    .into_inner()
}

async fn next(events: &mut Streaming<Event>) -> Event {
    let event = tokio::time::timeout(PATIENCE, events.message()).await.expect("an event comes in time");
    event.unwrap().expect("a subscription does not end by itself")
}

#[test]
fn two_people_talk_over_a_cluster_that_loses_its_leader() {
    let mut cluster = Cluster::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let (alice, bob, leader, cursor) = runtime.block_on(async {
        account(&cluster.client("n1"), "alice").await;
        account(&cluster.client("n2"), "bob").await;
        // A session that one node opened is good on every other at once.
        let alice = login(&cluster.client("n2"), "alice").await;
        let bob = login(&cluster.client("n3"), "bob").await;
        for (sequence, name) in (1..).zip(NAMES) {
            let sent = send(&cluster.client(name), &alice, "bob", sequence).await;
            assert_eq!((sent.conversation.as_str(), sent.sequence), ("alice:bob", sequence), "over {name}");
        }
        for name in NAMES {
            let read = bodies(&cluster.client(name), &bob, "alice").await;
            assert_eq!(read, ["message 1", "message 2", "message 3"], "on {name}");
        }

        let leader = cluster.leader().await;
        let mut events = subscribe(&cluster.client(&leader), &bob, 0).await;
        let first = next(&mut events).await;
        let second = next(&mut events).await;
        assert!(first.cursor < second.cursor);
        assert_eq!(second.message.unwrap().sequence, 2);
        (alice, bob, leader, second.cursor)
    });

    cluster.kill(&leader);

    runtime.block_on(async {
        let survivors: Vec<_> = cluster.members.keys().cloned().collect();
        let [one, other] = [0, 1].map(|at| cluster.client(&survivors[at]));
        let mut events = subscribe(&one, &bob, cursor).await;
        assert_eq!(next(&mut events).await.message.unwrap().sequence, 3, "it goes on where it was");

        // A retry is the same message: of what the dead leader answered, and of what another node did.
        assert_eq!(send(&one, &alice, "bob", 3).await.sequence, 3);
        assert_eq!(send(&one, &alice, "bob", 4).await.sequence, 4);
        assert_eq!(send(&other, &alice, "bob", 4).await.sequence, 4);
        let told = next(&mut events).await.message.unwrap();
        assert_eq!((told.sequence, told.body.as_str()), (4, "message 4"));
        for client in [&one, &other] {
            let read = bodies(client, &alice, "bob").await;
            assert_eq!(read, ["message 1", "message 2", "message 3", "message 4"]);
        }
    });
}

#[test]
fn a_session_goes_on_when_its_first_operations_never_reached_the_log() {
    let mut cluster = Cluster::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let patient = Policy::default().within(PATIENCE);

    let (leader, token, expires_ms) = runtime.block_on(async {
        let client = cluster.library(patient.clone());
        for name in ["alice", "bob"] {
            client.create_account(name, "secret").await.unwrap();
        }
        let alice = client.login("alice", "secret").await.unwrap();
        let error = alice.send("Not A Name", "hello").await.unwrap_err();
        assert_eq!(error.code(), Some(Code::Invalid), "a node refuses it without asking the others");
        assert_eq!(alice.send("bob", "one").await.unwrap().sequence, 1);
        (cluster.leader().await, alice.token().clone(), alice.expires_ms())
    });

    cluster.kill(&leader);

    runtime.block_on(async {
        // Tries that nobody served, or perhaps somebody did, are no answers either.
        let hasty: Session = cluster.library(Policy::never(Duration::from_millis(50))).resume(
            "alice",
            token.clone(),
            expires_ms,
        );
        let sent = hasty.send("bob", "perhaps").await;
        let give_up = Instant::now() + PATIENCE;
        while let Err(error) = hasty.send("bob", "two").await {
            assert!(error.is_passing() && Instant::now() < give_up, "{error}");
        }
        let alice = cluster.library(patient).resume("alice", token, expires_ms);
        let page = alice.read("bob", Page::Last, 0, Consistency::Linearizable).await.unwrap();
        let bodies: Vec<&str> = page.messages.iter().map(|message| message.body.as_str()).collect();
        assert_eq!(bodies.first(), Some(&"one"));
        assert!(bodies.contains(&"two"));
        assert!(bodies.contains(&"perhaps") || sent.is_err(), "{bodies:?}");
    });
}

/// Nothing of what others have open holds up a node that stops: neither a subscription that nobody ends, nor a pipeline,
/// nor a snapshot whose end does not come.
#[test]
fn a_node_stops_in_time_whatever_others_have_open() {
    let mut cluster = Cluster::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (name, _open) = runtime.block_on(async {
        account(&cluster.client("n1"), "alice").await;
        let token = login(&cluster.client("n1"), "alice").await;
        let leader = cluster.leader().await;
        let name = NAMES.into_iter().find(|name| *name != leader).unwrap();
        let events = subscribe(&cluster.client(name), &token, 0).await;

        let address = format!("http://{}", cluster.peers[name]);
        let mut peer = PeerClient::connect(address).await.unwrap();
        let pipeline = peer.append(futures::stream::pending()).await.unwrap();
        let offer = SnapshotOffer {
            vote: Some(Vote { term: 1_000, candidate: leader, committed: true }),
            head: Some(SnapshotHead::default()),
        };
        let offer = Frame { kind: Kind::Snapshot.into(), payload: offer.encode_to_vec() };
        let frames = futures::stream::iter([offer]).chain(futures::stream::pending());
        let snapshot = tokio::spawn(async move { peer.snapshot(frames).await });
        let give_up = Instant::now() + PATIENCE;
        let receives = |file: std::io::Result<std::fs::DirEntry>| {
            file.unwrap().file_name().to_string_lossy().starts_with("snapshot.new")
        };
        while !std::fs::read_dir(cluster.directory.path().join(name)).unwrap().any(receives) {
            assert!(Instant::now() < give_up, "no snapshot is being received within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!snapshot.is_finished());
        (name, (events, pipeline, snapshot))
    });
    let Member { node, runtime } = cluster.members.remove(name).unwrap();
    assert!(runtime.block_on(node.stop()), "something held it up");
}

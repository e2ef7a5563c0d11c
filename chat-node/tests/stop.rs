//! A node in a process of its own that is asked to stop while a client listens.
#![expect(clippy::disallowed_methods, reason = "a test is the world that its node runs in")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use chat_client::{Client, Policy, Servers};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use prost::Message as _;
use proto::chat::chat_client::ChatClient;
use proto::chat::{Code, ErrorDetail, SubscribeRequest};
use tempfile::TempDir;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_node_that_is_asked_to_stop_ends_its_subscriptions_and_closes_its_files() {
    let directory = TempDir::new().unwrap();
    let mut node = Command::new(env!("CARGO_BIN_EXE_chat-node"))
        .args(["--node-id", "n1", "--listen", "127.0.0.1:0", "--argon2-cost", "cheap", "--die-with-parent"])
        .arg("--data-dir")
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(node.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let listening: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = listening["listen"].as_str().unwrap().to_owned();

    let client = Client::new(Servers::new(std::slice::from_ref(&address)).unwrap(), Policy::default());
    client.create_account("alice", "a secret").await.unwrap();
    let token = client.login("alice", "a secret").await.unwrap().token().reveal().to_owned();
    let mut chat = ChatClient::connect(format!("http://{address}")).await.unwrap();
    let mut events = chat.subscribe(SubscribeRequest { token, cursor: 0 }).await.unwrap().into_inner();

    let pid = i32::try_from(node.id()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(PATIENCE, events.message()).await.expect("it ends").unwrap_err();
    assert_eq!(ErrorDetail::decode(ended.details()).unwrap().code(), Code::Stopping, "{ended:?}");
    // The client keeps its connection all the while.
    let (status, log) = tokio::task::spawn_blocking(move || {
        let mut log = String::new();
        node.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (node.wait().unwrap(), log)
    })
    .await
    .unwrap();
    assert!(status.success() && !log.contains("in time"), "{status}: {log}");
    drop((chat, events));
}

//! A node in a process of its own, which testers break through the service for them.
#![expect(clippy::disallowed_methods, reason = "a test is the world that its node runs in")]
#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and the helpers are not test functions"
)]

#[path = "faults/disk.rs"]
mod disk;

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use chat_client::wire::fault::ClockFault;
use chat_client::{Cause, Client, Endpoint, GrpcCode, Policy, Servers, admin, fault};
use tempfile::TempDir;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A cluster of one. It ends with the test.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(directory: &Path, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat-node"))
            .args([
                "--node-id",
                "n1",
                "--listen",
                "127.0.0.1:0",
                "--argon2-cost",
                "cheap",
                "--die-with-parent",
            ])
            .arg("--data-dir")
            .arg(directory)
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let listening: serde_json::Value = serde_json::from_str(&line).unwrap();
        Self { child, address: listening["listen"].as_str().unwrap().to_owned() }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::new(&self.address).unwrap()
    }

    fn client(&self) -> Client {
        Client::new(Servers::new(std::slice::from_ref(&self.address)).unwrap(), Policy::default())
    }

    /// Waits until the process has ended.
    async fn ended(&mut self) -> ExitStatus {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < give_up, "it did not end within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn without_the_flag_there_is_no_service_for_testers() {
    let directory = TempDir::new().unwrap();
    let node = Process::start(directory.path(), &[]);
    let absent = fault::list_points(&node.endpoint(), PATIENCE).await.unwrap_err();
    assert_eq!(absent.cause(), Cause::Grpc(GrpcCode::Unimplemented));
    assert_eq!(admin::status(&node.endpoint(), PATIENCE).await.unwrap().node, "n1");
}

#[tokio::test]
async fn a_node_ends_by_a_kill_at_the_point_and_comes_back_with_what_it_acknowledged() {
    let directory = TempDir::new().unwrap();
    let mut node = Process::start(directory.path(), &["--faults"]);
    let endpoint = node.endpoint();
    let points = fault::list_points(&endpoint, PATIENCE).await.unwrap();
    assert!(points.iter().any(|point| point == "append-before-sync"), "{points:?}");
    let unknown = fault::crash_at(&endpoint, Some("append"), 0, PATIENCE).await.unwrap_err();
    assert_eq!(unknown.cause(), Cause::Grpc(GrpcCode::InvalidArgument));
    assert!(unknown.to_string().contains("append-before-sync"), "{unknown}");

    node.client().create_account("alice", "a secret").await.unwrap();
    // What is disarmed does not strike.
    fault::crash_at(&endpoint, Some("append-before-sync"), 0, PATIENCE).await.unwrap();
    fault::crash_at(&endpoint, None, 0, PATIENCE).await.unwrap();
    node.client().create_account("bob", "a secret").await.unwrap();

    fault::crash_at(&endpoint, Some("append-before-sync"), 0, PATIENCE).await.unwrap();
    let client = node.client();
    let lost = tokio::spawn(async move { client.create_account("carol", "a secret").await });
    assert_eq!(node.ended().await.signal(), Some(9));
    lost.abort();

    let node = Process::start(directory.path(), &["--faults"]);
    for name in ["alice", "bob"] {
        node.client().login(name, "a secret").await.unwrap();
    }
}

#[tokio::test]
async fn the_clocks_of_a_node_are_skewed_if_it_has_its_own() {
    let directory = TempDir::new().unwrap();
    let jump = ClockFault { wall_jump_ms: 90_000, timer_jump_ms: 60_000, ..ClockFault::default() };
    let node = Process::start(&directory.path().join("real"), &["--faults"]);
    let refused = fault::set_clock(&node.endpoint(), jump, PATIENCE).await.unwrap_err();
    assert_eq!(refused.cause(), Cause::Grpc(GrpcCode::FailedPrecondition));

    let node = Process::start(&directory.path().join("skewable"), &["--faults", "--clock", "skewable"]);
    node.client().create_account("alice", "a secret").await.unwrap();
    let before = admin::status(&node.endpoint(), PATIENCE).await.unwrap().uptime_ms;
    assert!(before < 60_000, "the test is not told by its clock");
    let off = fault::set_clock(&node.endpoint(), jump, PATIENCE).await.unwrap();
    assert_eq!((off.wall_off_ms, off.timers_off_ms), (90_000, 60_000));
    let after = admin::status(&node.endpoint(), PATIENCE).await.unwrap().uptime_ms;
    assert!(after >= before + 60_000, "{before} ms, then {after} ms");
    node.client().login("alice", "a secret").await.unwrap();
}

//! A node whose disk a tester breaks, or cuts the power of.

use std::path::Path;
use std::time::Duration;

use chat_client::wire::fault::power_loss_request::Keep;
use chat_client::wire::fault::{DiskFault, PowerLossReply, PowerLossRequest};
use chat_client::{Cause, GrpcCode, admin, fault};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::{PATIENCE, Process};

/// Long enough that a node which would answer had answered.
const SILENCE: Duration = Duration::from_millis(500);
const VOLATILE: [&str; 3] = ["--faults", "--disk", "volatile"];

async fn create(node: &Process, names: impl IntoIterator<Item = String>) {
    let client = node.client();
    for name in names {
        client.create_account(&name, "a secret").await.unwrap();
    }
}

fn names(prefix: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("{prefix}{number}"))
}

/// Everyone can log in, and the state is what it says that it is.
async fn has(node: &Process, names: impl IntoIterator<Item = String>) {
    let client = node.client();
    for name in names {
        client.login(&name, "a secret").await.unwrap();
    }
    admin::digest(&node.endpoint(), 0, true, PATIENCE).await.unwrap();
}

fn unsynced(directory: &Path) -> u64 {
    u64::from_le_bytes(std::fs::read(directory.join("unsynced")).unwrap().try_into().unwrap())
}

#[tokio::test]
async fn a_killed_node_on_a_volatile_disk_has_lost_nothing_that_it_acknowledged() {
    let directory = TempDir::new().unwrap();
    for round in 0..3 {
        let mut node = Process::start(directory.path(), &["--disk", "volatile"]);
        for earlier in 0..round {
            has(&node, names(&format!("r{earlier}-"), 10)).await;
        }
        create(&node, names(&format!("r{round}-"), 10)).await;
        node.child.kill().unwrap();
        node.ended().await;
        // The marks are never synced.
        assert!(unsynced(directory.path()) > 0);
        assert!(!directory.path().join("log.mark").exists());
    }
    let node = Process::start(directory.path(), &[]);
    has(&node, names("r2-", 10)).await;
    assert!(!directory.path().join("unsynced").exists());
}

#[tokio::test]
async fn a_node_that_stops_well_on_a_volatile_disk_leaves_nothing_unsynced() {
    let directory = TempDir::new().unwrap();
    let mut node = Process::start(directory.path(), &["--disk", "volatile"]);
    create(&node, names("a", 3)).await;
    kill(Pid::from_raw(node.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert!(node.ended().await.success());
    assert_eq!(unsynced(directory.path()), 0);
    assert!(directory.path().join("log.mark").exists());
}

/// Cuts the power of a node that has a commit under way, and starts it again. Returns what was lost.
async fn cut_power(keep: Keep, seed: u64) -> PowerLossReply {
    let directory = TempDir::new().unwrap();
    let mut node = Process::start(directory.path(), &VOLATILE);
    create(&node, names("kept", 5)).await;
    let stuck = DiskFault { stuck_sync: true, ..DiskFault::default() };
    fault::set_disk(&node.endpoint(), stuck, PATIENCE).await.unwrap();
    let client = node.client();
    let never = client.create_account("never", "a secret");
    assert!(tokio::time::timeout(SILENCE, never).await.is_err(), "it was acknowledged and not synced");

    let before = unsynced(directory.path());
    let request = PowerLossRequest { keep: keep.into(), seed };
    let reply = fault::power_loss(&node.endpoint(), request, PATIENCE).await.unwrap();
    assert_eq!(reply.bytes_lost + reply.bytes_kept, before);
    // Nothing that is said after the cut lets a sync return.
    fault::set_disk(&node.endpoint(), DiskFault::default(), PATIENCE).await.unwrap();
    let again = fault::power_loss(&node.endpoint(), request, PATIENCE).await.unwrap_err();
    assert_eq!(again.cause(), Cause::Grpc(GrpcCode::FailedPrecondition));
    let never = client.create_account("also-never", "a secret");
    assert!(tokio::time::timeout(SILENCE, never).await.is_err(), "it was acknowledged without power");

    assert!(node.child.try_wait().unwrap().is_none(), "it saw that the power is gone");
    node.child.kill().unwrap();
    node.ended().await;
    let node = Process::start(directory.path(), &VOLATILE);
    has(&node, names("kept", 5)).await;
    reply
}

#[tokio::test]
async fn what_was_acknowledged_survives_every_kind_of_power_failure() {
    let lost = cut_power(Keep::Nothing, 0).await;
    assert!(lost.bytes_lost > 512 && lost.sectors_lost > 0, "{lost:?}");
    assert_eq!((lost.bytes_kept, lost.sectors_kept, lost.torn), (0, 0, false));
    for seed in 0..3 {
        let some = cut_power(Keep::Some, seed).await;
        assert!(some.sectors_lost > 0 && some.sectors_kept > 0 && !some.torn, "{some:?}");
        let torn = cut_power(Keep::Torn, seed).await;
        assert!(torn.torn && torn.bytes_lost > 0 && torn.bytes_kept > 0, "{torn:?}");
    }
}

#[tokio::test]
async fn the_power_of_a_plain_disk_is_not_cut() {
    let directory = TempDir::new().unwrap();
    let node = Process::start(directory.path(), &["--faults"]);
    let refused = fault::power_loss(&node.endpoint(), PowerLossRequest::default(), PATIENCE).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.cause(), Cause::Grpc(GrpcCode::FailedPrecondition));
    assert!(refused.to_string().contains("--disk volatile"), "{refused}");
    create(&node, names("a", 1)).await;
}

#[tokio::test]
async fn a_node_whose_disk_fails_exits_with_5_and_comes_back_with_what_it_acknowledged() {
    let faults = [
        DiskFault { fail_writes: true, ..DiskFault::default() },
        DiskFault { fail_syncs: true, ..DiskFault::default() },
        DiskFault { full: true, ..DiskFault::default() },
        DiskFault { fail_reads: true, ..DiskFault::default() },
    ];
    for (round, fault) in faults.into_iter().enumerate() {
        let disk = if round % 2 == 0 { "plain" } else { "volatile" };
        let directory = TempDir::new().unwrap();
        let flags = ["--faults", "--disk", disk, "--snapshot-entries", "5"];
        let mut node = Process::start(directory.path(), &flags);
        create(&node, names("a", 3)).await;
        fault::set_disk(&node.endpoint(), fault, PATIENCE).await.unwrap();
        let client = node.client();
        // Reads that miss the memory come with the next snapshot.
        let work = tokio::spawn(async move {
            for name in names("b", 100) {
                if client.create_account(&name, "a secret").await.is_err() {
                    break;
                }
            }
        });
        assert_eq!(node.ended().await.code(), Some(5), "{fault:?}");
        work.abort();
        let node = Process::start(directory.path(), &flags);
        has(&node, names("a", 3)).await;
    }
}

#[tokio::test]
async fn a_node_whose_disk_is_stuck_ends_when_it_is_told_to() {
    let directory = TempDir::new().unwrap();
    let mut node = Process::start(directory.path(), &VOLATILE);
    create(&node, names("a", 1)).await;
    let stuck = DiskFault { stuck_sync: true, ..DiskFault::default() };
    fault::set_disk(&node.endpoint(), stuck, PATIENCE).await.unwrap();
    let client = node.client();
    let never = client.create_account("never", "a secret");
    assert!(tokio::time::timeout(SILENCE, never).await.is_err());
    // It hears and answers what needs no disk.
    let status = admin::status(&node.endpoint(), PATIENCE).await.unwrap();
    assert_eq!(status.leader, "n1");
    kill(Pid::from_raw(node.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    node.ended().await;
}

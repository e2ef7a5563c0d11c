//! A node whose disk fails stops, and one whose disk is stuck waits; neither says what is not so.

use std::io::{self, Read};

use openraft::raft::VoteRequest;
use redb::StorageBackend;

use super::*;
use crate::env::Disk;
use crate::env::disk::DiskFile;
use crate::env::fault::disk::DiskFault;
use crate::raft::machine_store::SnapshotData;
use crate::raft::types::LogId;
use crate::raft::wire::parse_vote;

/// Long enough that a node which would answer had answered.
const SILENCE: Duration = Duration::from_secs(2);

fn env_on(disk: impl Disk) -> (Env, DiskControl) {
    let env = testing::env_on(MemoryDisk::default());
    let (disk, control) = DiskControl::over(Arc::new(disk), None, env.runtime.clone());
    (Env { disk, ..env }, control)
}

async fn propose(node: &Node, number: u64) -> Result<Reply, Failure> {
    let command = Command { sequence: number, ..Command::default() };
    node.replica().propose(Vec::new(), command, Cluster::deadline()).await
}

async fn failure(node: &Node) -> String {
    let failed = tokio::time::timeout(PATIENCE, node.failed()).await.expect("the node goes on");
    assert!(matches!(failed, Failed::Store(_)), "{failed}");
    crate::chain::Chain(&failed).to_string()
}

/// The records that a node has after it was started again on what is left.
async fn count(disk: MemoryDisk) -> usize {
    let node = lone_node(disk).await;
    let count = |tables: &dyn crate::machine::tables::Tables, _| {
        let mut count = 0;
        tables.scan(&[0], &[255], crate::machine::tables::Direction::Forward, &mut |_, _| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(count)
    };
    node.replica().read(Consistency::Linearizable, Cluster::deadline(), count).await.unwrap()
}

fn faults() -> [(DiskFault, &'static str); 4] {
    [
        (DiskFault { fail_reads: true, ..DiskFault::default() }, "os error 5"),
        (DiskFault { fail_writes: true, ..DiskFault::default() }, "os error 5"),
        (DiskFault { fail_syncs: true, ..DiskFault::default() }, "os error 5"),
        (DiskFault { full: true, ..DiskFault::default() }, "os error 28"),
    ]
}

#[tokio::test]
async fn a_node_whose_disk_fails_stops_and_has_lost_nothing_that_it_acknowledged() {
    for (fault, errno) in faults() {
        let disk = MemoryDisk::default();
        let (env, control) = env_on(disk.clone());
        let node = serving(env).await;
        for number in 0..7 {
            propose(&node, number).await.unwrap();
        }
        control.set(fault);
        // Reads that miss the memory come with the next snapshot.
        let mut acknowledged = 7;
        while acknowledged < 100 && propose(&node, acknowledged).await.is_ok() {
            acknowledged += 1;
        }
        let why = failure(&node).await;
        assert!(why.contains(errno) && why.contains("memory:"), "{fault:?}: {why}");
        assert!(control.set(DiskFault::default()) > 0);

        // It stays silent, although the disk is well again.
        assert!(propose(&node, 1_000).await.is_err());
        let after = count(disk.after_power_failure()).await;
        assert!(u64::try_from(after).unwrap() >= acknowledged, "{fault:?}: {acknowledged} {after}");
    }
}

/// A disk of which only the files that begin with `prefix` can be broken.
struct Split {
    prefix: &'static str,
    broken: Arc<dyn Disk>,
    rest: MemoryDisk,
}

fn split(prefix: &'static str) -> (Env, DiskControl) {
    let rest = MemoryDisk::default();
    let env = testing::env_on(rest.clone());
    let (broken, control) = DiskControl::over(Arc::new(rest.clone()), None, env.runtime.clone());
    (Env { disk: Arc::new(Split { prefix, broken, rest }), ..env }, control)
}

impl Split {
    fn of(&self, name: &str) -> &dyn Disk {
        if name.starts_with(self.prefix) { &*self.broken } else { &self.rest }
    }
}

impl Disk for Split {
    fn database(&self, name: &str) -> io::Result<Box<dyn StorageBackend>> {
        self.of(name).database(name)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.of(name).create(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read + Send>> {
        self.of(name).open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.of(from).rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.of(name).remove(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.rest.list()
    }

    fn path(&self, name: &str) -> String {
        self.rest.path(name)
    }
}

/// A snapshot of a node that did some work.
async fn some_snapshot() -> Vec<u8> {
    let disk = MemoryDisk::default();
    let node = lone_node(disk.clone()).await;
    for number in 0..20 {
        propose(&node, number).await.unwrap();
    }
    let give_up = Instant::now() + PATIENCE;
    while node.replica().status().snapshot == 0 {
        assert!(Instant::now() < give_up, "no snapshot");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    disk.bytes(snapshot::FILE)
}

/// The frames of a leader that sends this snapshot.
fn sent(bytes: &[u8]) -> crate::env::transport::Incoming {
    let copy = MemoryDisk::default();
    copy.set_bytes(snapshot::FILE, bytes);
    let head = snapshot::newest(&copy).unwrap().unwrap().message();
    let vote = proto::raft::Vote { term: 1_000, candidate: "n2".to_owned(), committed: true };
    let offer = proto::raft::SnapshotOffer { vote: Some(vote), head: Some(head) };
    let chunk = |bytes: &[u8]| Frame { kind: Kind::Chunk.into(), payload: bytes.to_vec() };
    let first = frame(Kind::Snapshot, &offer);
    let frames: Vec<_> = std::iter::once(first).chain(bytes.chunks(100).map(chunk)).map(Ok).collect();
    futures::stream::iter(frames).boxed()
}

/// A node that loses its power at the `fails_at`-th change of its disk after a leader begins to send it a snapshot.
/// Returns whether it said that the snapshot is installed, and what it has applied after it was started again.
fn lose_power_while_receiving(bytes: &[u8], fails_at: u64, keep: Keep) -> (bool, u64) {
    let disk = MemoryDisk::default();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = runtime();
    let installed = before.block_on(async {
        let node = lone_node(disk.clone()).await;
        propose(&node, 0).await.unwrap();
        disk.fail_at_change(fails_at);
        PeerHandler::new(node.replica().clone()).snapshot(sent(bytes)).await.is_ok()
    });
    before.shutdown_background();
    let after = runtime();
    let applied = after.block_on(async {
        let node = lone_node(disk.after(keep)).await;
        node.replica().digest(0, true, Cluster::deadline()).await.unwrap();
        node.replica().status().applied
    });
    after.shutdown_background();
    (installed, applied)
}

#[test]
fn a_node_that_loses_its_power_while_it_receives_a_snapshot_has_it_if_it_said_so() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bytes = runtime.block_on(some_snapshot());
    let copy = MemoryDisk::default();
    copy.set_bytes(snapshot::FILE, &bytes);
    let index = snapshot::newest(&copy).unwrap().unwrap().index();
    let keeps = |seed: u64| [Keep::Nothing, Keep::Some { seed }, Keep::Torn { seed }];
    let (mut said_so, mut torn_off) = (0, 0);
    for batch in 0..4 {
        let runs: Vec<_> = (0..12)
            .map(|number| {
                let (bytes, fails_at) = (bytes.clone(), batch * 12 + number);
                let keep = keeps(fails_at)[usize::try_from(number % 3).unwrap()];
                std::thread::spawn(move || lose_power_while_receiving(&bytes, fails_at, keep))
            })
            .collect();
        for run in runs {
            let (installed, applied) = run.join().unwrap();
            assert!(!installed || applied >= index, "{index} was said to be installed, {applied} is there");
            *if installed { &mut said_so } else { &mut torn_off } += 1;
        }
    }
    assert!(said_so > 0 && torn_off > 20, "{said_so} {torn_off}");
}

#[tokio::test]
async fn a_node_that_cannot_store_the_snapshot_that_it_is_sent_stops() {
    let bytes = some_snapshot().await;
    for (fault, errno) in faults() {
        let (env, control) = split(snapshot::FILE);
        let node = serving(env).await;
        let before = node.replica().status().applied;
        control.set(fault);

        let handler = PeerHandler::new(node.replica().clone());
        let answer = handler.snapshot(sent(&bytes)).await;
        assert!(answer.is_err(), "{fault:?}: the sender believes that it was installed");
        let why = failure(&node).await;
        assert!(why.contains("memory:snapshot.new") && why.contains(errno), "{fault:?}: {why}");
        assert_eq!(node.replica().status().applied, before);
    }
}

#[tokio::test]
async fn a_node_that_cannot_read_the_snapshot_that_it_sends_stops() {
    let (env, control) = split(snapshot::FILE);
    let node = serving(env).await;
    for number in 0..20 {
        propose(&node, number).await.unwrap();
    }
    let newest = node.replica().core().get_snapshot().await.unwrap().unwrap();
    let SnapshotData::Stored(mut file) = newest.snapshot else {
        panic!("the newest snapshot is stored");
    };
    control.set(DiskFault { fail_reads: true, ..DiskFault::default() });
    assert!(file.read(&mut [0]).is_err());
    assert!(failure(&node).await.contains("cannot read the snapshot"));
}

#[tokio::test]
async fn a_stuck_disk_acknowledges_nothing_until_it_goes_on() {
    let disk = MemoryDisk::default();
    let (env, control) = env_on(disk.clone());
    let node = serving(env).await;
    propose(&node, 0).await.unwrap();
    control.set(DiskFault { stuck_sync: true, ..DiskFault::default() });
    let command = Command { sequence: 1, ..Command::default() };
    let deadline = crate::env::Instant::now() + PATIENCE * 2;
    let mut waits = std::pin::pin!(node.replica().propose(Vec::new(), command, deadline));
    // The thread of the tasks is free all the while, or this would not come back.
    assert!(tokio::time::timeout(SILENCE, &mut waits).await.is_err(), "acknowledged, and not synced");
    assert_eq!(node.replica().status().role, Role::Leader);
    assert!(control.set(DiskFault::default()) > 0);
    tokio::time::timeout(PATIENCE, waits).await.unwrap().unwrap();
    assert_eq!(count(disk.after_power_failure()).await, 2);
}

#[tokio::test]
async fn a_node_whose_disk_is_stuck_can_be_stopped() {
    // Consensus does not wait for an append, but it does for a vote.
    for votes in [false, true] {
        let (env, control) = split(crate::store::log::FILE);
        let node = serving(env).await;
        propose(&node, 0).await.unwrap();
        let struck = control.set(DiskFault { stuck_sync: true, ..DiskFault::default() });
        if votes {
            let vote = proto::raft::Vote { term: 1_000, candidate: "n2".to_owned(), committed: false };
            let request = VoteRequest {
                vote: parse_vote(Some(&vote)).unwrap(),
                last_log_id: Some(LogId::new(1_000.into(), 1_000)),
                // Otherwise a node that hears of its leader refuses.
                leadership_transfer: true,
            };
            let vote = node.replica().core().vote(request);
            assert!(tokio::time::timeout(Duration::from_millis(100), vote).await.is_err());
        } else {
            assert!(tokio::time::timeout(Duration::from_millis(100), propose(&node, 1)).await.is_err());
        }
        let give_up = Instant::now() + PATIENCE;
        while control.set(DiskFault { stuck_sync: true, ..DiskFault::default() }) == struck {
            assert!(Instant::now() < give_up, "nothing was synced");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::timeout(PATIENCE, node.stop()).await.expect("it hangs");
        control.set(DiskFault::default());
    }
}

#[test]
fn a_leader_with_a_stuck_disk_goes_on_to_lead_and_a_majority_of_such_disks_acknowledges_nothing() {
    let cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    let follower = cluster.follower();
    cluster.surely(&leader, 0);
    let term = cluster.replica(&leader).status().term;
    let stuck = DiskFault { stuck_sync: true, ..DiskFault::default() };
    let stick = |name: &String, fault| cluster.members[name].disk.set(fault);
    stick(&leader, stuck);
    stick(&follower, stuck);
    let begun = Instant::now();
    while begun.elapsed() < SILENCE {
        let other = cluster.members.keys().find(|name| **name != leader && **name != follower).unwrap();
        assert!(cluster.propose(other, 1).is_err(), "acknowledged by one disk of three");
        let status = cluster.replica(&leader).status();
        assert_eq!((status.role, status.term), (Role::Leader, term), "it was deposed");
    }
    assert!(stick(&leader, DiskFault::default()) > 0);
    stick(&follower, DiskFault::default());
    cluster.surely(&follower, 2);
    cluster.converge();
}

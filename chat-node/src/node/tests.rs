//! Whole nodes in one process, over gRPC on loopback, each with a tokio runtime of its own: dropping the runtime is the
//! end of a node that was killed, as far as its tasks and connections are concerned.
#![expect(clippy::disallowed_methods, reason = "a test is the world that its nodes run in")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use proto::log::{Command, Reply, reply};
use proto::raft::{Frame, Kind};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::catch_up::Mutable;
use super::*;
use crate::bug::{Bug, Bugs};
use crate::env::disk::memory::MemoryDisk;
use crate::env::fault::disk::volatile::Keep;
use crate::env::fault::{DiskControl, SkewedClock};
use crate::env::host;
use crate::env::transport::Handler as _;
use crate::env::{Disk as _, HostDisk, HostRuntime, PeerTable, Peers};
use crate::raft::wire::rpc::frame;
use crate::raft::{Consistency, Failure, Role, testing};
use crate::service::consensus::Consensus as _;
use crate::store::snapshot;

mod catch_up;
mod clocks;
mod crash_points;
mod crash_recovery;
mod disk;
mod members;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

struct Member {
    node: Node,
    disk: DiskControl,
    runtime: Runtime,
    clock: SkewedClock,
    transport: Mutable,
}

struct Cluster {
    directory: TempDir,
    compaction: Compaction,
    bugs: Bugs,
    names: Vec<String>,
    addresses: BTreeMap<String, SocketAddr>,
    members: BTreeMap<String, Member>,
    /// The test's own tasks.
    runtime: Runtime,
}

impl Cluster {
    fn new(size: usize, compaction: Compaction) -> Self {
        Self::with_bugs(size, compaction, Vec::new())
    }

    fn with_bugs(size: usize, compaction: Compaction, bugs: Vec<Bug>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let names: Vec<String> = (1..=size).map(|number| format!("n{number}")).collect();
        let directory = TempDir::new().unwrap();
        let mut cluster = Self {
            directory,
            compaction,
            bugs: Bugs::planted(&bugs),
            names,
            addresses: BTreeMap::new(),
            members: BTreeMap::new(),
            runtime,
        };
        cluster.write_table();
        for name in cluster.names.clone() {
            cluster.start(&name).unwrap();
        }
        cluster
    }

    fn is_founder(&self, name: &str) -> bool {
        self.names.iter().any(|founder| founder == name)
    }

    fn table(&self) -> PathBuf {
        self.directory.path().join("peers")
    }

    /// Where a node's trace is.
    fn trace(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.trace"))
    }

    fn write_table(&self) {
        let lines: String =
            self.addresses.iter().map(|(name, address)| format!("{name}={address}\n")).collect();
        let new = self.directory.path().join("peers.new");
        std::fs::write(&new, lines).unwrap();
        std::fs::rename(new, self.table()).unwrap();
    }

    fn start(&mut self, name: &str) -> Result<(), StartError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = NodeConfig {
            node: NodeName::parse(name).unwrap(),
            founders: self.names.iter().map(|name| NodeName::parse(name).unwrap()).collect(),
            init: self.is_founder(name),
            join: !self.is_founder(name),
            compaction: self.compaction,
            in_flight_max: 64,
        };
        let (directory, table) = (self.directory.path().join(name), PeerTable::File(self.table()));
        let (trace, bugs) = (self.trace(name), self.bugs);
        let (node, disk, address, clock, transport) = runtime.block_on(async {
            let clock = SkewedClock::new(Arc::new(HostRuntime::current()));
            let tokio = clock.runtime();
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let (peers, address) = Peers::bind(tokio.clone(), any, None, table).await.unwrap();
            let disk = Arc::new(open_disk(directory).await);
            let (disk, control) = DiskControl::over(disk, None, tokio.clone());
            let trace = Trace::new(name, tokio.clone(), Box::new(open_trace(&trace)));
            let transport = Mutable::over(Arc::new(peers.clone()));
            let env = Env { transport: Arc::new(transport.clone()), ..host::env(tokio, peers, disk, bugs) };
            let node = Node::start(env, config, testing::keeper(), trace).await;
            node.map(|node| (node, control, address, clock, transport))
        })?;
        self.addresses.insert(name.to_owned(), address);
        self.write_table();
        self.members.insert(name.to_owned(), Member { node, disk, runtime, clock, transport });
        Ok(())
    }

    /// Ends a node without a word to anyone.
    fn kill(&mut self, name: &str) {
        let Member { node, runtime, .. } = self.members.remove(name).unwrap();
        runtime.shutdown_timeout(Duration::from_millis(1));
        drop(node);
    }

    fn stop(&mut self, name: &str) {
        let Member { node, runtime, .. } = self.members.remove(name).unwrap();
        assert!(runtime.block_on(node.stop()), "{name} did not stop in time");
    }

    fn replica(&self, name: &str) -> &Replica {
        self.members[name].node.replica()
    }

    fn deadline() -> crate::env::Instant {
        crate::env::Instant::from_std(Instant::now() + Duration::from_secs(3))
    }

    /// Waits until `condition` gives something.
    fn until<T>(&self, what: &str, mut condition: impl FnMut(&Self) -> Option<T>) -> T {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = condition(self) {
                return value;
            }
            assert!(Instant::now() < give_up, "{what}: not within {PATIENCE:?}; {:#?}", self.statuses());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn statuses(&self) -> Vec<crate::raft::Status> {
        self.members.values().map(|member| member.node.replica().status()).collect()
    }

    /// The leader that a majority of the running nodes follow.
    fn leader(&self) -> String {
        self.until("a leader", |cluster| {
            let leads = |status: &crate::raft::Status| status.role == Role::Leader;
            let leader = cluster.statuses().into_iter().filter(leads).max_by_key(|status| status.term)?;
            let follow =
                |status: &crate::raft::Status| status.leader.as_deref() == Some(leader.node.as_str());
            let votes = |name: &str| leader.members.iter().any(|member| member.voter && member.node == name);
            let voters = leader.members.iter().filter(|member| member.voter).count();
            let following =
                cluster.statuses().iter().filter(|status| votes(&status.node) && follow(status)).count();
            (following * 2 > voters).then_some(leader.node)
        })
    }

    fn follower(&self) -> String {
        let leader = self.leader();
        self.members.keys().find(|name| **name != leader).unwrap().clone()
    }

    fn propose(&self, name: &str, number: u64) -> Result<u64, Failure> {
        self.propose_from(name, "test", number)
    }

    fn propose_from(&self, name: &str, client: &str, number: u64) -> Result<u64, Failure> {
        let command = Command { client_id: client.to_owned(), sequence: number, ..Command::default() };
        let reply =
            self.runtime.block_on(self.replica(name).propose(Vec::new(), command, Self::deadline()))?;
        let Reply { outcome: Some(reply::Outcome::Sent(sent)) } = reply else { panic!("{reply:?}") };
        Ok(sent.sequence)
    }

    /// Proposes until it is certain that it was done, and returns the last index.
    fn surely(&self, name: &str, number: u64) -> u64 {
        self.until("an answer", |cluster| cluster.propose(name, number).ok())
    }

    /// How many records a linearizable read sees on `name`.
    fn read(&self, name: &str) -> Result<usize, Failure> {
        let count = |tables: &dyn crate::machine::tables::Tables, _| {
            let mut count = 0;
            tables.scan(&[0], &[255], crate::machine::tables::Direction::Forward, &mut |_, _| {
                count += 1;
                std::ops::ControlFlow::Continue(())
            })?;
            Ok(count)
        };
        self.runtime.block_on(self.replica(name).read(Consistency::Linearizable, Self::deadline(), count))
    }

    /// Waits until every running node has the same state, verified record by record.
    fn converge(&self) {
        let at_least = self.statuses().iter().map(|status| status.committed).max().unwrap();
        self.until("one state", |cluster| {
            let digests: BTreeSet<_> = cluster
                .members
                .values()
                .map(|member| {
                    let replica = member.node.replica();
                    cluster.runtime.block_on(replica.digest(at_least, true, Self::deadline())).unwrap()
                })
                .collect();
            (digests.len() == 1).then_some(())
        });
    }
}

fn open_trace(path: &std::path::Path) -> std::fs::File {
    std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap()
}

/// A killed node's threads may hold its files for a moment.
async fn open_disk(directory: PathBuf) -> HostDisk {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match HostDisk::open(&directory) {
            Ok(disk) => return disk,
            Err(error) => assert!(Instant::now() < give_up, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_cluster_serves_on_every_node_and_survives_its_leader() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    cluster.until("readiness", |cluster| {
        cluster.members.values().all(|member| member.node.replica().ready().get()).then_some(())
    });
    let mut last = 0;
    for (number, name) in (1..).zip(cluster.names.clone()) {
        let index = cluster.propose(&name, number).unwrap();
        assert!(index > last);
        last = index;
        for reader in &cluster.names {
            assert_eq!(cluster.read(reader), Ok(usize::try_from(number).unwrap()));
        }
    }

    cluster.kill(&leader);
    let next = cluster.leader();
    assert_ne!(next, leader);
    let survivor = cluster.follower();
    assert!(cluster.surely(&survivor, 4) > last);
    assert!(cluster.read(&survivor).unwrap() >= 4);

    cluster.start(&leader).unwrap();
    cluster.surely(&leader, 5);
    cluster.converge();
}

#[test]
fn a_node_that_missed_much_catches_up_by_a_snapshot() {
    let compaction = Compaction { snapshot_entries: 20, keep_entries: 2 };
    let mut cluster = Cluster::new(3, compaction);
    let follower = cluster.follower();
    cluster.surely(&follower, 0);
    cluster.kill(&follower);
    let leader = cluster.leader();
    for number in 1..=100 {
        cluster.surely(&leader, number);
    }
    cluster.until("a purge", |cluster| (cluster.replica(&leader).status().purged > 50).then_some(()));

    cluster.start(&follower).unwrap();
    cluster
        .until("the snapshot", |cluster| (cluster.replica(&follower).status().snapshot > 50).then_some(()));
    cluster.surely(&follower, 101);
    cluster.converge();

    // The snapshot is there after a restart, too, of all of them.
    for name in cluster.names.clone() {
        cluster.kill(&name);
    }
    for name in cluster.names.clone() {
        cluster.start(&name).unwrap();
        cluster
            .until("its snapshot", |cluster| (cluster.replica(&name).status().snapshot > 50).then_some(()));
    }
    cluster.surely(&leader, 102);
    assert!(cluster.read(&follower).unwrap() >= 103);
    cluster.converge();
}

#[test]
fn a_leader_that_stops_hands_over_first() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    cluster.surely(&leader, 1);
    let term = cluster.replica(&leader).status().term;
    cluster.stop(&leader);
    // The others have not waited until they missed it.
    let statuses = cluster.statuses();
    assert!(statuses.iter().any(|status| status.term > term), "nobody took over: {statuses:#?}");
    let next = cluster.leader();
    cluster.surely(&next, 2);
    cluster.start(&leader).unwrap();
    cluster.surely(&leader, 3);
    cluster.converge();

    // A follower has open pipelines from its leader, which must not hold it up.
    let follower = cluster.follower();
    cluster.stop(&follower);
}

#[test]
fn a_leader_that_is_stopped_holds_nobody_up_for_long() {
    let cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    let follower = cluster.follower();
    cluster.surely(&follower, 1);
    // Its one thread does nothing else for a while; its connections stand.
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    cluster.members[&leader].runtime.spawn(async move {
        let _ = wait.recv();
    });
    let begun = Instant::now();
    cluster.surely(&follower, 2);
    let records = cluster.until("a read", |cluster| cluster.read(&follower).ok());
    assert!(records >= 2);
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());

    drop(go_on);
    cluster.surely(&leader, 3);
    cluster.converge();
}

#[test]
fn a_minority_answers_nothing() {
    let mut cluster = Cluster::new(3, Compaction::default());
    let leader = cluster.leader();
    cluster.surely(&leader, 1);
    for name in cluster.names.clone() {
        if name != leader {
            cluster.kill(&name);
        }
    }
    assert!(!cluster.propose(&leader, 2).unwrap_err().is_definite());
    assert!(matches!(cluster.read(&leader), Err(Failure::ReadUnavailable { .. } | Failure::NoLeader { .. })));
    let stale =
        cluster.replica(&leader).read(Consistency::Stale, Cluster::deadline(), |_, applied| Ok(applied));
    assert!(cluster.runtime.block_on(stale).unwrap() > 0);
}

/// The same minority, with the bug that a testbed must catch.
#[test]
fn a_planted_stale_read_is_answered_by_a_minority() {
    let mut cluster = Cluster::with_bugs(3, Compaction::default(), vec![Bug::StaleRead]);
    let leader = cluster.leader();
    cluster.surely(&leader, 1);
    for name in cluster.names.clone() {
        if name != leader {
            cluster.kill(&name);
        }
    }
    assert_eq!(cluster.read(&leader).is_ok(), crate::bug::PLANTABLE);
}

#[test]
fn a_torn_snapshot_is_refused_and_leaves_nothing_behind() {
    let cluster = Cluster::new(1, Compaction { snapshot_entries: 5, keep_entries: 1 });
    for number in 0..20 {
        cluster.surely("n1", number);
    }
    cluster.until("a snapshot", |cluster| (cluster.replica("n1").status().snapshot > 0).then_some(()));
    let bytes = std::fs::read(cluster.directory.path().join("n1").join(snapshot::FILE)).unwrap();
    let disk = MemoryDisk::default();
    let receiver = cluster.runtime.block_on(lone_node(disk.clone()));
    let handler = PeerHandler::new(receiver.replica().clone());

    let vote = proto::raft::Vote { term: 1_000, candidate: "n2".to_owned(), committed: true };
    let copy = MemoryDisk::default();
    copy.set_bytes(snapshot::FILE, &bytes);
    let head = snapshot::newest(&copy).unwrap().unwrap().message();
    let offer = proto::raft::SnapshotOffer { vote: Some(vote), head: Some(head) };
    let send = |bytes: &[u8]| {
        let chunk = |bytes: &[u8]| Frame { kind: Kind::Chunk.into(), payload: bytes.to_vec() };
        let first = frame(Kind::Snapshot, &offer);
        let frames: Vec<_> = std::iter::once(first).chain(bytes.chunks(100).map(chunk)).map(Ok).collect();
        cluster.runtime.block_on(handler.snapshot(futures::stream::iter(frames).boxed()))
    };
    let before = receiver.replica().status().applied;
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    for bad in [&bytes[..bytes.len() - 1], &bytes[..0], &flipped] {
        assert!(send(bad).is_err());
        assert!(disk.list().unwrap().iter().all(|name| !name.starts_with("snapshot.new")));
        assert_eq!(receiver.replica().status().applied, before);
    }
    send(&bytes).unwrap();
    assert!(receiver.replica().status().applied > before);
}

#[test]
fn a_node_alone_founds_its_cluster_by_itself() {
    let mut cluster = Cluster::new(1, Compaction::default());
    let index = cluster.surely("n1", 1);
    cluster.kill("n1");
    cluster.start("n1").unwrap();
    assert!(cluster.surely("n1", 2) > index);
    assert_eq!(cluster.read("n1"), Ok(2));
}

#[test]
fn an_empty_node_is_not_let_in_under_an_old_name() {
    let cluster = Cluster::new(1, Compaction::default());
    let directory = TempDir::new().unwrap();
    let refused = cluster.runtime.block_on(async {
        let config = NodeConfig {
            node: 1.into(),
            founders: [1.into(), 2.into(), 3.into()].into(),
            init: false,
            join: false,
            compaction: Compaction::default(),
            in_flight_max: 1,
        };
        Node::start(testing::env(&directory), config, testing::keeper(), Trace::default()).await.err()
    });
    assert!(matches!(refused, Some(StartError::Pristine)), "{refused:?}");
}

/// A cluster of one on `disk`, which serves.
async fn lone_node(disk: MemoryDisk) -> Node {
    serving(testing::env_on(disk)).await
}

/// A cluster of one in `env`, which serves.
async fn serving(env: Env) -> Node {
    let config = NodeConfig {
        node: 1.into(),
        founders: [1.into()].into(),
        init: false,
        join: false,
        compaction: Compaction { snapshot_entries: 5, keep_entries: 1 },
        in_flight_max: 8,
    };
    let node = Node::start(env, config, testing::keeper(), Trace::default()).await.unwrap();
    let mut ready = node.replica().ready();
    tokio::time::timeout(PATIENCE, ready.wait_for(|ready| *ready)).await.unwrap().unwrap();
    node
}

/// A cluster of one on a disk that loses its power at the `fails_at`-th sync, and keeps `keep` of what was not synced.
/// Returns how many proposals were acknowledged before, and how many are there after.
fn lose_power(fails_at: u64, keep: Keep) -> (usize, usize) {
    let disk = MemoryDisk::default();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = runtime();
    let acknowledged = before.block_on(async {
        let node = lone_node(disk.clone()).await;
        disk.fail_at(fails_at);
        let mut acknowledged = 0;
        let proposed = async |number| {
            let command = Command { sequence: number, ..Command::default() };
            node.replica().propose(Vec::new(), command, Cluster::deadline()).await
        };
        while acknowledged < 200 && proposed(acknowledged).await.is_ok() {
            acknowledged += 1;
        }
        let failed = tokio::time::timeout(PATIENCE, node.failed()).await.unwrap();
        assert!(matches!(failed, Failed::Store(_)), "{failed}");
        acknowledged
    });
    before.shutdown_background();

    let after = runtime();
    let found = after.block_on(async {
        let node = lone_node(disk.after(keep)).await;
        let count = |tables: &dyn crate::machine::tables::Tables, _| {
            let mut count = 0;
            tables.scan(&[0], &[255], crate::machine::tables::Direction::Forward, &mut |_, _| {
                count += 1;
                std::ops::ControlFlow::Continue(())
            })?;
            Ok(count)
        };
        node.replica().digest(0, true, Cluster::deadline()).await.unwrap();
        node.replica().read(Consistency::Linearizable, Cluster::deadline(), count).await.unwrap()
    });
    after.shutdown_background();
    (usize::try_from(acknowledged).unwrap(), found)
}

#[test]
fn what_was_acknowledged_survives_a_power_failure_at_any_moment() {
    let keeps = |seed: u64| [Keep::Nothing, Keep::Some { seed }, Keep::Torn { seed }];
    let runs: Vec<_> = (0..24)
        .map(|fails_at| {
            let keep = keeps(fails_at)[usize::try_from(fails_at % 3).unwrap()];
            std::thread::spawn(move || lose_power(fails_at, keep))
        })
        .collect();
    for (fails_at, run) in runs.into_iter().enumerate() {
        let (acknowledged, found) = run.join().unwrap();
        assert!(
            found >= acknowledged,
            "{acknowledged} acknowledged, {found} found, when sync {fails_at} fails"
        );
        assert!(found <= acknowledged + 1, "{found} found, {acknowledged} acknowledged");
    }
}

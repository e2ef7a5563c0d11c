//! Every crash point is reached by a node that does what nodes do. Its crashes are counted, and it lives on.

use super::*;
use crate::bug::Bugs;
use crate::env::CrashPoints;
use crate::env::fault::recorder::Recorder;
use crate::env::fault::{CommitPoints, CrashPoint};
use crate::raft::wire::rpc::open;
use crate::store::log;

/// What makes a node come to a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// It founds its cluster, and votes for itself.
    Founding,
    /// It is proposed to, and makes snapshots.
    Work,
    /// A leader sends it a snapshot.
    Snapshot,
    /// A leader has other entries.
    Conflict,
}

pub(super) fn by(point: CrashPoint) -> By {
    match point {
        CrashPoint::VoteBeforeSync | CrashPoint::VoteAfterSync => By::Founding,
        CrashPoint::AppendBeforeSync
        | CrashPoint::AppendAfterSync
        | CrashPoint::ApplyBeforeReply
        | CrashPoint::CheckpointBeforeSync
        | CrashPoint::CommitBeforeMark
        | CrashPoint::SnapshotBeforeDeclare
        | CrashPoint::SnapshotAfterDeclare
        | CrashPoint::PurgeBeforeCommit
        | CrashPoint::PurgeBeforeSync => By::Work,
        CrashPoint::InstallMidReceive
        | CrashPoint::InstallBeforeDeclare
        | CrashPoint::InstallBeforeReplace
        | CrashPoint::InstallMidReplace
        | CrashPoint::InstallBeforeSync
        | CrashPoint::InstallAfterReplace => By::Snapshot,
        CrashPoint::TruncateBeforeAppend => By::Conflict,
    }
}

fn points_by(what: By) -> impl Iterator<Item = CrashPoint> {
    CrashPoint::ALL.iter().copied().filter(move |point| by(*point) == what)
}

pub(super) fn recorded(disk: MemoryDisk) -> (Env, Arc<Recorder>) {
    let recorder = Recorder::current();
    (testing::env_with(recorder.clone(), disk), recorder)
}

pub(super) async fn propose(node: &Node, number: u64) {
    let command = Command { sequence: number, ..Command::default() };
    node.replica().propose(Vec::new(), command, Cluster::deadline()).await.unwrap();
}

/// Proposes until the armed point was reached.
async fn work_until_crash(node: &Node, points: &CrashPoints, recorder: &Recorder) {
    let (before, point) = (recorder.crashes(), points.armed().unwrap());
    let give_up = Instant::now() + PATIENCE;
    for number in 0.. {
        if recorder.crashes() > before {
            return;
        }
        assert!(Instant::now() < give_up, "{point} is not reached");
        propose(node, number).await;
    }
}

#[tokio::test]
async fn a_vote_comes_to_its_points() {
    for point in points_by(By::Founding) {
        let (env, recorder) = recorded(MemoryDisk::default());
        env.crash_points.arm(point, 0);
        serving(env).await;
        assert_eq!(recorder.crashes(), 1, "{point}");
    }
}

#[tokio::test]
async fn a_node_at_work_comes_to_its_points() {
    let (env, recorder) = recorded(MemoryDisk::default());
    let node = serving(env.clone()).await;
    for point in points_by(By::Work) {
        env.crash_points.arm(point, 2);
        work_until_crash(&node, &env.crash_points, &recorder).await;
    }
}

/// A snapshot of a node that did some work.
pub(super) async fn some_snapshot() -> Vec<u8> {
    let disk = MemoryDisk::default();
    let (env, recorder) = recorded(disk.clone());
    let node = serving(env.clone()).await;
    env.crash_points.arm(CrashPoint::SnapshotAfterDeclare, 0);
    work_until_crash(&node, &env.crash_points, &recorder).await;
    disk.bytes(snapshot::FILE)
}

/// Sends a snapshot to `node`, as its leader would.
pub(super) async fn send_snapshot(node: &Node, bytes: &[u8]) {
    let copy = MemoryDisk::default();
    copy.set_bytes(snapshot::FILE, bytes);
    let head = snapshot::newest(&copy).unwrap().unwrap().message();
    let vote = proto::raft::Vote { term: 1_000, candidate: "n2".to_owned(), committed: true };
    let offer = proto::raft::SnapshotOffer { vote: Some(vote), head: Some(head) };
    let chunk = |bytes: &[u8]| Frame { kind: Kind::Chunk.into(), payload: bytes.to_vec() };
    let first = frame(Kind::Snapshot, &offer);
    let frames: Vec<_> = std::iter::once(first).chain(bytes.chunks(100).map(chunk)).map(Ok).collect();
    let handler = PeerHandler::new(node.replica().clone());
    handler.snapshot(futures::stream::iter(frames).boxed()).await.unwrap();
}

#[tokio::test]
async fn a_snapshot_from_a_leader_comes_to_its_points() {
    let bytes = some_snapshot().await;
    for point in points_by(By::Snapshot) {
        let (env, recorder) = recorded(MemoryDisk::default());
        let node = serving(env.clone()).await;
        env.crash_points.arm(point, 0);
        send_snapshot(&node, &bytes).await;
        assert_eq!(recorder.crashes(), 1, "{point}");
    }
}

/// A node of a cluster of three whose others it cannot reach.
pub(super) async fn follower(env: Env) -> Node {
    let config = NodeConfig {
        node: 1.into(),
        founders: [1.into(), 2.into(), 3.into()].into(),
        init: true,
        join: false,
        compaction: Compaction::default(),
        in_flight_max: 8,
    };
    Node::start(env, config, testing::keeper(), Trace::default()).await.unwrap()
}

/// Sends `node` an entry of the leader of `term` at the first index after that of the founding, and returns what the
/// node says that it has.
pub(super) async fn append_one(node: &Node, term: u64) -> proto::raft::LogId {
    let id = proto::raft::LogId { term, index: 1 };
    let payload = proto::raft::entry::Payload::Proposal(vec![7; 100]);
    let request = proto::raft::AppendRequest {
        vote: Some(proto::raft::Vote { term, candidate: "n2".to_owned(), committed: true }),
        previous: Some(proto::raft::LogId { term: 0, index: 0 }),
        entries: vec![proto::raft::Entry { id: Some(id), payload: Some(payload) }],
        committed: None,
    };
    let requests = futures::stream::iter([Ok(frame(Kind::Append, &request))]).boxed();
    let mut replies = PeerHandler::new(node.replica().clone()).append(requests);
    let reply: proto::raft::AppendReply =
        open(Kind::Append, &replies.next().await.unwrap().unwrap()).unwrap();
    match reply.outcome.unwrap() {
        proto::raft::append_reply::Outcome::Matched(matched) => matched.last.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_conflict_comes_to_its_point() {
    for point in points_by(By::Conflict) {
        let (env, recorder) = recorded(MemoryDisk::default());
        let node = follower(env.clone()).await;
        append_one(&node, 1_000).await;
        env.crash_points.arm(point, 0);
        append_one(&node, 2_000).await;
        assert_eq!(recorder.crashes(), 1, "{point}");
    }
}

/// How many commits of the log a crash at `point` leaves: when everything that was written is on the disk, and when only
/// what was synced is.
async fn commits_left(point: CrashPoint) -> (u64, u64) {
    let disk = MemoryDisk::default();
    let (env, recorder) = recorded(disk.clone());
    let (left, seen) = std::sync::mpsc::channel();
    recorder.at_crash(move || left.send((disk.after_kill(), disk.after_power_failure())).unwrap());
    if by(point) == By::Founding {
        env.crash_points.arm(point, 0);
        serving(env).await;
    } else {
        let node = serving(env.clone()).await;
        env.crash_points.arm(point, 0);
        work_until_crash(&node, &env.crash_points, &recorder).await;
    }
    let commits = |disk| log::open(&disk, &CommitPoints::default(), Bugs::default()).unwrap().1.commits;
    let (written, synced) = seen.recv().unwrap();
    (commits(written), commits(synced))
}

#[tokio::test]
async fn before_a_sync_the_newest_commit_is_written_and_would_be_lost_and_after_it_is_safe() {
    for point in [CrashPoint::VoteBeforeSync, CrashPoint::AppendBeforeSync, CrashPoint::PurgeBeforeSync] {
        let (written, synced) = commits_left(point).await;
        assert_eq!(written, synced + 1, "{point}");
    }
    for point in [CrashPoint::VoteAfterSync, CrashPoint::AppendAfterSync, CrashPoint::ApplyBeforeReply] {
        let (written, synced) = commits_left(point).await;
        assert_eq!(written, synced, "{point}");
    }
}

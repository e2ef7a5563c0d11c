//! A node that ended at any crash point comes back, with everything that it had acknowledged, on whatever the crash left
//! of its disk.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::crash_points::{By, append_one, by, follower, propose, recorded, send_snapshot, some_snapshot};
use super::*;
use crate::env::fault::CrashPoint;

/// How many syncs of the log a node at work has behind it when it comes to its point.
const SKIPPED: u32 = 3;

/// What a crash left: the disk of a killed process, and disks that lost their power; and how many proposals were
/// acknowledged before.
struct Left {
    disks: Vec<MemoryDisk>,
    acknowledged: usize,
}

/// Ends a node at `point`.
async fn crash(point: CrashPoint, snapshot: &[u8]) -> Left {
    let disk = MemoryDisk::default();
    let (env, recorder) = recorded(disk.clone());
    let (left, seen) = std::sync::mpsc::channel();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let counted = acknowledged.clone();
    recorder.at_crash(move || {
        let seed = u64::from(SKIPPED);
        let disks = std::iter::once(disk.after_kill()).chain(disk.after_power_failures(seed)).collect();
        left.send(Left { disks, acknowledged: counted.load(Ordering::SeqCst) }).unwrap();
    });
    if by(point) == By::Founding {
        env.crash_points.arm(point, 0);
    }
    let node = serving(env.clone()).await;
    match by(point) {
        By::Founding => {}
        By::Work => {
            env.crash_points.arm(point, SKIPPED);
            let give_up = Instant::now() + PATIENCE;
            for number in 0.. {
                if recorder.crashes() > 0 {
                    break;
                }
                assert!(Instant::now() < give_up, "{point} is not reached");
                propose(&node, number).await;
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        }
        By::Snapshot => {
            env.crash_points.arm(point, 0);
            send_snapshot(&node, snapshot).await;
        }
        By::Conflict => unreachable!("no node alone has a conflict"),
    }
    seen.recv_timeout(PATIENCE).unwrap()
}

async fn records(node: &Node) -> usize {
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
}

#[tokio::test]
async fn a_node_comes_back_from_every_point_with_what_it_acknowledged() {
    let snapshot = some_snapshot().await;
    for point in CrashPoint::ALL.iter().copied().filter(|point| by(*point) != By::Conflict) {
        let Left { disks, acknowledged } = crash(point, &snapshot).await;
        for (number, disk) in disks.into_iter().enumerate() {
            // Shown when the test fails.
            println!("{point}, disk {number}, {acknowledged} acknowledged");
            let node = lone_node(disk).await;
            let found = records(&node).await;
            assert!(found >= acknowledged, "{point}, disk {number}: {found} found of {acknowledged}");
            propose(&node, 1_000).await;
            assert_eq!(records(&node).await, found + 1, "{point}, disk {number}");
        }
    }
}

#[tokio::test]
async fn a_follower_that_ended_in_a_conflict_takes_the_entries_of_its_leader() {
    for point in CrashPoint::ALL.iter().copied().filter(|point| by(*point) == By::Conflict) {
        let disk = MemoryDisk::default();
        let (env, recorder) = recorded(disk.clone());
        let (left, seen) = std::sync::mpsc::channel();
        recorder.at_crash(move || {
            let disks: Vec<_> =
                std::iter::once(disk.after_kill()).chain(disk.after_power_failures(1)).collect();
            left.send(disks).unwrap();
        });
        let node = follower(env.clone()).await;
        append_one(&node, 1_000).await;
        env.crash_points.arm(point, 0);
        append_one(&node, 2_000).await;
        for disk in seen.recv_timeout(PATIENCE).unwrap() {
            let node = follower(testing::env_on(disk)).await;
            assert_eq!(append_one(&node, 3_000).await.term, 3_000, "{point}");
        }
    }
}

use bytes::Bytes;
use openraft::EntryPayload;
use openraft::storage::{IOFlushed, RaftLogStorage as _};

use super::*;
use crate::bug::Bugs;
use crate::env::disk::memory::MemoryDisk;
use crate::raft::testing;
use crate::raft::types::{Entry, Proposal};
use crate::store::{log, state};

fn entry(index: u64) -> Entry {
    let payload = EntryPayload::Normal(Proposal(Bytes::from(vec![7; 200])));
    Entry { log_id: LogId::new(1.into(), index), payload }
}

async fn open(disk: &MemoryDisk) -> Result<(LogStore, OpenState, Faults), StoreError> {
    let env = testing::env_on(disk.clone());
    let (faults, trace) = (Faults::default(), Trace::default());
    let log = LogStore::open(&env, &1.into(), faults.clone(), trace.clone()).await?.store;
    let state = MachineStore::open(&env, log.clone(), testing::keeper(), faults.clone(), trace)?;
    Ok((log, state, faults))
}

/// The last index of the log and of the state that are on `disk`.
fn on_disk(disk: &MemoryDisk) -> (u64, u64) {
    let (_, contents) = log::open(disk, &CommitPoints::default(), Bugs::default()).unwrap();
    let (state, _) = state::State::open(Arc::new(disk.clone()), CommitPoints::default()).unwrap();
    (contents.last.map_or(0, |id| id.index), state.head().index())
}

/// A majority can commit an entry before it is on this node's disk, and then it is applied here.
#[tokio::test]
async fn the_durable_state_is_never_ahead_of_the_durable_log() {
    for fails_at in 0..30 {
        let disk = MemoryDisk::default();
        let (mut log, OpenState { store, .. }, _) = open(&disk).await.unwrap();
        disk.fail_at(fails_at);
        for index in 0..20 {
            // Nobody waits until the entry is durable.
            let appended = log.append([entry(index)], IOFlushed::noop()).await;
            let applied = store.ask(|answer| Job::Apply(vec![entry(index)], answer)).await;
            let checkpoint = store.ask(Job::Checkpoint).await;
            if appended.is_err() || applied.is_err() || checkpoint.is_err() {
                break;
            }
        }
        for after in disk.after_power_failures(fails_at) {
            let (log, state) = on_disk(&after);
            assert!(state <= log, "the state has {state}, the log {log}, when sync {fails_at} fails");
        }
    }
}

#[tokio::test]
async fn a_snapshot_is_declared_when_its_state_is_durable_and_never_after_a_newer_one() {
    let disk = MemoryDisk::default();
    let (mut log, OpenState { mut store, .. }, _) = open(&disk).await.unwrap();
    let mut feed = async |store: &MachineStore, index| {
        log.append([entry(index)], IOFlushed::noop()).await.unwrap();
        store.ask(|answer| Job::Apply(vec![entry(index)], answer)).await.unwrap();
    };
    feed(&store, 0).await;
    feed(&store, 1).await;
    let mut old = store.get_snapshot_builder().await;
    feed(&store, 2).await;
    let new = store.get_snapshot_builder().await.build_snapshot().await.unwrap();
    assert_eq!(new.meta.last_log_id, Some(LogId::new(1.into(), 2)));
    assert_eq!(on_disk(&disk.after_power_failure()), (2, 2));

    assert_eq!(old.build_snapshot().await.unwrap().meta.last_log_id, Some(LogId::new(1.into(), 1)));
    assert_eq!(store.get_current_snapshot().await.unwrap().unwrap().meta, new.meta);
}

/// A large state takes long to write, and the node is not to wait for it.
#[tokio::test]
async fn a_snapshot_is_given_up_when_the_node_stops() {
    let disk = MemoryDisk::default();
    let (log, OpenState { mut store, mut closed }, faults) = open(&disk).await.unwrap();
    store.ask(|answer| Job::Apply(vec![entry(0)], answer)).await.unwrap();
    let mut builder = store.get_snapshot_builder().await;
    drop(store);
    assert!(builder.build_snapshot().await.is_err_and(|error| error.to_string().contains("stopping")));
    assert!(faults.get().is_none(), "that is no fault");
    drop((builder, log));
    assert_eq!(closed.changed().await, Err(watch::Closed));
}

#[tokio::test]
async fn a_fault_is_reported_and_nothing_is_answered_after_it() {
    let disk = MemoryDisk::default();
    let (_log, OpenState { store, .. }, faults) = open(&disk).await.unwrap();
    store.ask(|answer| Job::Apply(vec![entry(0)], answer)).await.unwrap();
    disk.fail_at(0);
    assert!(store.ask(Job::Checkpoint).await.is_err());
    assert!(faults.get().unwrap().to_string().contains("redb"));
    assert!(store.ask(|answer| Job::Apply(vec![entry(1)], answer)).await.is_err());
}

#[tokio::test]
async fn a_rotten_snapshot_is_noticed_at_the_start() {
    let disk = MemoryDisk::default();
    let (_log, OpenState { mut store, .. }, _) = open(&disk).await.unwrap();
    store.ask(|answer| Job::Apply(vec![entry(0)], answer)).await.unwrap();
    store.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let after = disk.after_kill();
    assert!(open(&after.after_kill()).await.is_ok());
    after.flip(snapshot::FILE, 8 * 100);
    assert!(open(&after).await.is_err_and(|error| error.to_string().contains("memory:snapshot")));
}

use std::collections::BTreeMap;

use proptest::prelude::*;
use prost::Message as _;

use super::writer::{Done, LogFile, Writer};
use super::*;
use crate::bug::Bugs;
use crate::env::disk::memory::MemoryDisk;
use crate::raft::testing;
use crate::store::Faults;

fn entry(term: u64, index: u64) -> Vec<u8> {
    let payload = pb::entry::Payload::Proposal(vec![u8::try_from(index % 251).unwrap(); 100]);
    pb::Entry { id: Some(pb::LogId { term, index }), payload: Some(payload) }.encode_to_vec()
}

fn id(term: u64, index: u64) -> pb::LogId {
    pb::LogId { term, index }
}

/// All that a log holds, in an order.
#[derive(Debug, Default, Clone, PartialEq)]
struct Model {
    vote: Option<pb::Vote>,
    purged: Option<pb::LogId>,
    committed: Option<pb::LogId>,
    entries: BTreeMap<u64, Vec<u8>>,
    commits: u64,
}

impl Model {
    fn apply(&mut self, op: &Op) {
        match op {
            Op::Set(Key::Node, _) => {}
            Op::Set(Key::Vote, value) => self.vote = Some(pb::Vote::decode(value.as_slice()).unwrap()),
            Op::Set(Key::Purged, value) => self.purged = Some(pb::LogId::decode(value.as_slice()).unwrap()),
            Op::Set(Key::Committed, value) => {
                self.committed = Some(pb::LogId::decode(value.as_slice()).unwrap())
            }
            Op::Append(first, entries) => self.entries.extend((*first..).zip(entries.iter().cloned())),
            Op::TruncateFrom(index) => drop(self.entries.split_off(index)),
            Op::PurgeTo(index) => self.entries = self.entries.split_off(&(index + 1)),
        }
    }

    fn next(&self) -> u64 {
        let after_purged = self.purged.map_or(0, |id| id.index + 1);
        self.entries.last_key_value().map_or(after_purged, |(index, _)| index + 1)
    }
}

/// Opens the log and reads all of it.
fn open_all(disk: &MemoryDisk) -> Result<Model, StoreError> {
    let (database, contents) = open(disk, &CommitPoints::default(), Bugs::default())?;
    let mut entries = BTreeMap::new();
    visit(&database, FILE, 0..u64::MAX, &mut |index, entry| {
        entries.insert(index, entry.encode_to_vec());
        Ok(true)
    })?;
    let Contents { vote, purged, committed, commits, .. } = contents;
    Ok(Model { vote, purged, committed, entries, commits })
}

/// A log with a bit of everything, and the process killed.
fn killed() -> (MemoryDisk, Model) {
    let disk = MemoryDisk::default();
    let (database, _) = open(&disk, &CommitPoints::default(), Bugs::default()).unwrap();
    let mut mark = crate::store::mark::Mark::open(&disk, MARK, FILE, 0).unwrap();
    let mut model = Model::default();
    for round in 0..12 {
        let first = model.next();
        let mut ops = vec![
            Op::Set(Key::Committed, id(1, first).encode_to_vec()),
            Op::Append(first, (first..first + 10).map(|index| entry(1, index)).collect()),
        ];
        if round % 4 == 3 {
            let vote = pb::Vote { term: round, candidate: "n1".to_owned(), committed: true };
            ops.push(Op::Set(Key::Vote, vote.encode_to_vec()));
            ops.push(Op::TruncateFrom(first + 7));
            ops.push(Op::Set(Key::Purged, id(1, first - 20).encode_to_vec()));
            ops.push(Op::PurgeTo(first - 20));
        }
        model.commits += 1;
        commit(&database, FILE, model.commits, &ops, &CommitPoints::default()).unwrap();
        mark.set(model.commits).unwrap();
        ops.iter().for_each(|op| model.apply(op));
    }
    (disk.after_kill(), model)
}

/// Opens the log as a node does.
fn verify(disk: &MemoryDisk) -> Result<Model, StoreError> {
    let model = open_all(disk)?;
    crate::store::mark::Mark::open(disk, MARK, FILE, model.commits)?;
    Ok(model)
}

#[test]
fn what_was_committed_is_there_after_a_kill_and_after_a_close() {
    let (disk, model) = killed();
    assert_eq!(verify(&disk).unwrap(), model);
    // That opened and closed it.
    assert_eq!(verify(&disk).unwrap(), model);
}

/// Flips bits in many places of `disk`, one at a time; the log must be refused by its name, or be what it was. Returns
/// why it was refused.
fn flip_everywhere(disk: &MemoryDisk, model: &Model) -> Vec<String> {
    let bits = disk.bytes(FILE).len() * 8;
    let mut refusals = Vec::new();
    // The header is small and full of meaning. A prime step visits every kind of place without visiting every place.
    for bit in (0..320 * 8).step_by(7).chain((4096 * 8..bits).step_by(2003)) {
        let rotten = disk.after_kill();
        rotten.flip(FILE, bit);
        match verify(&rotten) {
            Ok(seen) => assert_eq!(&seen, model, "bit {bit} changed the log unnoticed"),
            Err(error) => {
                assert!(matches!(error, StoreError::Corrupt { .. }), "bit {bit}: {error:?}");
                assert!(error.to_string().contains(FILE), "bit {bit}: {error}");
                refusals.push(error.to_string());
            }
        }
    }
    refusals
}

#[test]
fn a_flipped_bit_in_a_log_that_was_not_closed_is_refused_or_harmless() {
    let (disk, model) = killed();
    let refusals = flip_everywhere(&disk, &model);
    assert!(refusals.len() > 50, "only {}", refusals.len());
    // redb takes damage in the newest commit for a torn write, and goes back to the one before.
    assert!(refusals.iter().any(|why| why.contains("the last are lost")));
}

#[test]
fn a_flipped_bit_in_a_log_that_was_closed_is_refused_or_harmless() {
    let (disk, model) = killed();
    verify(&disk).unwrap();
    let refusals = flip_everywhere(&disk, &model);
    assert!(refusals.len() > 50, "only {}", refusals.len());
}

#[test]
fn every_flipped_bit_of_an_entry_is_refused() {
    let (disk, model) = killed();
    let bytes = disk.bytes(FILE);
    for wanted in model.entries.values() {
        let record = record::seal(
            &pb::Entry::decode(wanted.as_slice()).unwrap().id.unwrap().index.to_be_bytes(),
            wanted,
        );
        // Copies of a record on pages that are free now do not count: flip all of them.
        let places: Vec<usize> =
            (0..bytes.len() - record.len()).filter(|at| bytes[*at..].starts_with(&record)).collect();
        assert!(!places.is_empty());
        let rotten = disk.after_kill();
        for at in places {
            rotten.flip(FILE, (at + record.len() / 2) * 8 + 3);
        }
        assert!(matches!(verify(&rotten), Err(StoreError::Corrupt { .. })));
    }
}

#[test]
fn a_log_that_fell_back_is_noticed() {
    let disk = MemoryDisk::default();
    let (database, _) = open(&disk, &CommitPoints::default(), Bugs::default()).unwrap();
    let mut mark = crate::store::mark::Mark::open(&disk, MARK, FILE, 0).unwrap();
    commit(&database, FILE, 1, &[Op::Append(0, vec![entry(1, 0)])], &CommitPoints::default()).unwrap();
    mark.set(1).unwrap();
    let old = disk.after_kill().bytes(FILE);
    commit(&database, FILE, 2, &[Op::Append(1, vec![entry(1, 1)])], &CommitPoints::default()).unwrap();
    mark.set(2).unwrap();

    let fallen = disk.after_kill();
    fallen.set_bytes(FILE, &old);
    let error = verify(&fallen).unwrap_err();
    assert!(error.to_string().contains("log.redb") && error.to_string().contains("lost"), "{error}");

    // A witness that a power failure left behind, empty or older, accuses nobody.
    let failed = disk.after_power_failure();
    assert_eq!(verify(&failed).unwrap().entries.len(), 2);
}

/// One step of a random log.
fn steps() -> impl Strategy<Value = Vec<(u8, u64)>> {
    prop::collection::vec((0..5_u8, 0..8_u64), 1..40)
}

/// The operations of a step, such that the log stays one.
fn ops(model: &Model, (kind, size): (u8, u64)) -> Vec<Op> {
    let first = model.entries.keys().next().copied().unwrap_or(model.next());
    match kind {
        0 | 1 => vec![Op::Append(model.next(), (0..=size).map(|n| entry(1, model.next() + n)).collect())],
        2 => vec![Op::TruncateFrom((first + size).min(model.next()))],
        3 if model.entries.is_empty() => Vec::new(),
        3 => {
            let upto = (first + size).min(model.next() - 1);
            vec![Op::Set(Key::Purged, id(1, upto).encode_to_vec()), Op::PurgeTo(upto)]
        }
        _ => vec![Op::Set(Key::Committed, id(1, size).encode_to_vec())],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever was committed, a power failure at any change of the file leaves a prefix of the commits, and all that
    /// were answered.
    #[test]
    fn a_power_failure_leaves_what_was_acknowledged(
        steps in steps(),
        fails_at in 0..40_u64,
        within in 0..400_u64,
        seed: u64,
    ) {
        let disk = MemoryDisk::default();
        let (database, _) = open(&disk, &CommitPoints::default(), Bugs::default()).unwrap();
        // The power fails at a sync, or at any write or sync, whichever comes first.
        disk.fail_at(fails_at);
        disk.fail_at_change(within);
        let mut model = Model::default();
        let mut states = vec![model.clone()];
        let mut acknowledged = 0;
        for step in steps {
            let ops = ops(&model, step);
            model.commits += 1;
            ops.iter().for_each(|op| model.apply(op));
            states.push(model.clone());
            match commit(&database, FILE, model.commits, &ops, &CommitPoints::default()) {
                Ok(()) => acknowledged = states.len() - 1,
                Err(_) => break,
            }
        }
        for after in disk.after_power_failures(seed) {
            let seen = open_all(&after).unwrap();
            let commits = usize::try_from(seen.commits).unwrap();
            prop_assert!(commits >= acknowledged, "{commits} of {acknowledged}");
            prop_assert_eq!(&seen, &states[commits]);
        }
    }
}

fn writer(disk: &MemoryDisk) -> (Writer, Faults) {
    let env = testing::env_on(disk.clone());
    let (database, contents) = open(disk, &CommitPoints::default(), Bugs::default()).unwrap();
    let (file, _) = LogFile::new(database, env.disk.clone(), CommitPoints::default());
    let faults = Faults::default();
    (Writer::start(&env, file, contents.commits, faults.clone()).unwrap(), faults)
}

async fn submit(writer: &Writer, op: Op) -> std::io::Result<()> {
    let (tx, rx) = tokio::sync::oneshot::channel();
    writer.submit(op, Done::new(move |result| tx.send(result).unwrap()));
    rx.await.expect("every callback is called")
}

#[tokio::test]
async fn what_nobody_waits_for_rides_along() {
    let disk = MemoryDisk::default();
    let (writer, _) = writer(&disk);
    let before = disk.syncs();
    writer.ride_along(Op::Set(Key::Committed, id(1, 0).encode_to_vec()));
    writer.barrier().await.unwrap();
    assert_eq!(disk.syncs(), before);
    submit(&writer, Op::Append(0, vec![entry(1, 0)])).await.unwrap();
    assert_eq!(disk.syncs(), before + 1);
    assert_eq!(open_all(&disk.after_power_failure()).unwrap().committed, Some(id(1, 0)));
}

#[tokio::test]
async fn a_full_queue_is_one_commit() {
    let disk = MemoryDisk::default();
    let (writer, _) = writer(&disk);
    let before = disk.syncs();
    let all = (0..1000).map(|index| submit(&writer, Op::Append(index, vec![entry(1, index)])));
    for done in futures::future::join_all(all).await {
        done.unwrap();
    }
    assert!(disk.syncs() - before < 1000, "{} syncs", disk.syncs() - before);
}

#[tokio::test]
async fn after_a_fault_nothing_is_acknowledged_any_more() {
    let disk = MemoryDisk::default();
    let (writer, faults) = writer(&disk);
    submit(&writer, Op::Append(0, vec![entry(1, 0)])).await.unwrap();
    disk.fail_at(0);
    assert!(submit(&writer, Op::Append(1, vec![entry(1, 1)])).await.is_err());
    assert!(faults.get().unwrap().to_string().contains(FILE));
    assert!(submit(&writer, Op::Append(2, vec![entry(1, 2)])).await.is_err());
    assert!(writer.barrier().await.is_err());
    assert_eq!(open_all(&disk.after_power_failure()).unwrap().entries.len(), 1);
}

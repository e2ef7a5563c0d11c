use std::sync::Arc;

use proto::raft::LogId;

use super::*;
use crate::env::disk::memory::MemoryDisk;
use crate::env::fault::CommitPoints;
use crate::store::state::State;

/// A disk with a declared snapshot of `records` records, and the state that it is of.
fn declared(records: u8) -> (MemoryDisk, State) {
    let disk = MemoryDisk::default();
    let (mut state, _) = State::open(Arc::new(disk.clone()), CommitPoints::default()).unwrap();
    state
        .change(|tables, head| {
            (0..records).try_for_each(|n| tables.put(&[1, n], &vec![n; usize::from(n)]))?;
            head.applied = Some(LogId { term: 3, index: 70 });
            Ok(())
        })
        .unwrap();
    assert!(write(&disk, &temporary(7), &state.file().view().unwrap(), &|| true).unwrap());
    declare(&disk, &temporary(7)).unwrap();
    (disk, state)
}

type Records = Vec<(Vec<u8>, Vec<u8>)>;

fn read_all(disk: &MemoryDisk) -> Result<(Head, Records), StoreError> {
    let mut records = Records::new();
    let head = read(disk, FILE, &mut |key, value| {
        records.push((key.to_vec(), value.to_vec()));
        Ok(())
    })?;
    Ok((head, records))
}

#[test]
fn a_snapshot_is_its_state() {
    for size in [0, 1, 200] {
        let (disk, state) = declared(size);
        let (head, records) = read_all(&disk).unwrap();
        assert_eq!(&head, state.head());
        assert_eq!(newest(&disk).unwrap().as_ref(), Some(state.head()));
        assert!(records.is_sorted());
        assert_eq!(records.len(), usize::from(size));

        let other = MemoryDisk::default();
        let (mut copy, _) = State::open(Arc::new(other), CommitPoints::default()).unwrap();
        copy.replace(|put| read(&disk, FILE, put)).unwrap();
        assert_eq!(copy.head(), state.head());
    }
}

#[test]
fn a_torn_or_damaged_snapshot_is_refused() {
    let (disk, _) = declared(20);
    let whole = disk.bytes(FILE);
    for bit in 0..whole.len() * 8 {
        let rotten = disk.after_kill();
        rotten.flip(FILE, bit);
        assert!(matches!(read_all(&rotten), Err(StoreError::Corrupt { .. })), "bit {bit}");
    }
    for length in 0..whole.len() {
        disk.set_bytes(FILE, &whole[..length]);
        assert!(matches!(read_all(&disk), Err(StoreError::Corrupt { .. })), "{length} bytes");
    }
    disk.set_bytes(FILE, &[&whole[..], &[0]].concat());
    assert!(matches!(read_all(&disk), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_declared_snapshot_survives_a_power_failure_and_an_undeclared_one_is_swept_away() {
    let (disk, state) = declared(20);
    assert!(write(&disk, &temporary(8), &state.file().view().unwrap(), &|| true).unwrap());
    let after = disk.after_power_failure();
    remove_temporaries(&after).unwrap();
    assert_eq!(after.list().unwrap(), [FILE, "state.redb"]);
    assert_eq!(&read_all(&after).unwrap().0, state.head());
}

#[test]
fn the_rest_of_a_snapshot_that_nobody_wants_is_not_written() {
    let (disk, state) = declared(9);
    let left = std::cell::Cell::new(4);
    let wanted = || {
        left.set(left.get() - 1);
        left.get() > 0
    };
    assert!(!write(&disk, &temporary(8), &state.file().view().unwrap(), &wanted).unwrap());
    assert_eq!(left.get(), 0, "it went on");
    assert!(read(&disk, &temporary(8), &mut |_, _| Ok(())).is_err(), "it looks whole");
}

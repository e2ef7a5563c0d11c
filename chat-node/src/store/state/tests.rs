use std::collections::BTreeMap;

use super::*;
use crate::env::disk::memory::MemoryDisk;

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

fn open(disk: &MemoryDisk) -> Result<State, StoreError> {
    State::open(Arc::new(disk.clone()), CommitPoints::default()).map(|(state, _)| state)
}

/// All that a state holds.
fn contents(state: &State) -> (Head, Records) {
    let view = state.file().view().unwrap();
    let mut records = Records::new();
    view.visit_all(&mut |key, value| {
        records.insert(key.to_vec(), value.to_vec());
        ControlFlow::Continue(())
    })
    .unwrap();
    (view.head().clone(), records)
}

/// Applies entry `index`: a few records come, change and go.
fn step(state: &mut State, index: u64) {
    let key = |n: u64| [&[1][..], &n.to_be_bytes()].concat();
    state
        .change(|tables, head| {
            tables.put(&key(index), &vec![u8::try_from(index % 251).unwrap(); 300])?;
            tables.put(&key(index / 2), b"changed")?;
            tables.remove(&key(index / 3))?;
            head.applied = Some(pb::LogId { term: 1, index });
            Ok(())
        })
        .unwrap();
}

/// A state with a hundred applied entries, the last made durable, and the process killed.
fn killed() -> (MemoryDisk, (Head, Records)) {
    let disk = MemoryDisk::default();
    let mut state = open(&disk).unwrap();
    for index in 1..=100 {
        step(&mut state, index);
        if index % 20 == 0 {
            state.checkpoint().unwrap();
        }
    }
    (disk.after_kill(), contents(&state))
}

#[test]
fn a_view_does_not_see_what_comes_after_it() {
    let mut state = open(&MemoryDisk::default()).unwrap();
    step(&mut state, 6);
    let view = state.file().view().unwrap();
    step(&mut state, 7);
    assert_eq!((view.head().index(), state.file().view().unwrap().head().index()), (6, 7));
    let mut seen = Vec::new();
    let mut visit = |key: &[u8], _: &[u8]| {
        seen.push(key[8]);
        ControlFlow::Continue(())
    };
    view.scan(&[1], &[2], Direction::Backward, &mut visit).unwrap();
    assert_eq!(seen, [6, 3]);
    view.scan(&[2], &[1], Direction::Forward, &mut |_, _| unreachable!("the range is empty")).unwrap();
}

#[test]
fn a_change_that_fails_changes_nothing() {
    let mut state = open(&MemoryDisk::default()).unwrap();
    step(&mut state, 1);
    let before = contents(&state);
    let failed: Result<(), _> = state.change(|tables, head| {
        tables.put(&[1, 2], b"half")?;
        head.applied = Some(pb::LogId { term: 9, index: 9 });
        Err(database::corrupt("somewhere", "a test"))
    });
    assert!(failed.is_err());
    assert_eq!(contents(&state), before);
}

#[test]
fn the_digest_is_that_of_the_records() {
    let mut state = open(&MemoryDisk::default()).unwrap();
    for index in 1..=50 {
        step(&mut state, index);
        assert_eq!(state.file().view().unwrap().compute_digest().unwrap(), state.head().digest);
    }
}

#[test]
fn a_power_failure_leaves_the_last_checkpoint_whole() {
    let disk = MemoryDisk::default();
    let mut state = open(&disk).unwrap();
    for index in 1..=10 {
        step(&mut state, index);
    }
    state.checkpoint().unwrap();
    let durable = contents(&state);
    for index in 11..=30 {
        step(&mut state, index);
    }
    assert_eq!(contents(&open(&disk.after_power_failure()).unwrap()), durable);
    for seed in 0..20 {
        for after in disk.after_power_failures(seed) {
            assert_eq!(contents(&open(&after).unwrap()), durable, "seed {seed}");
        }
    }
}

#[test]
fn a_replacement_is_all_or_nothing() {
    let (disk, before) = killed();
    let head = |digest| Head { applied: Some(pb::LogId { term: 2, index: 500 }), membership: None, digest };
    let fill = |put: Put<'_>| (0..200_u8).try_for_each(|n| put(&[1, n], &[n; 50]));
    let mut digest = Digest::default();
    (0..200_u8).for_each(|n| digest.add(&[1, n], &[n; 50]));

    let mut state = open(&disk).unwrap();
    let wrong = state.replace(|put| fill(put).map(|()| head(Digest::default())));
    assert!(matches!(wrong, Err(StoreError::Corrupt { .. })));
    assert_eq!(contents(&state), before);

    for fails_at in 0.. {
        let disk = disk.after_kill();
        let mut state = open(&disk).unwrap();
        disk.fail_at_change(fails_at);
        let replaced = state.replace(|put| fill(put).map(|()| head(digest)));
        for after in disk.after_power_failures(fails_at) {
            let (head, records) = contents(&open(&after).unwrap());
            if replaced.is_ok() {
                assert_eq!((head.index(), records.len()), (500, 200));
            } else {
                assert!((head.clone(), records.clone()) == before || records.len() == 200);
            }
        }
        if replaced.is_ok() {
            break;
        }
    }
}

#[test]
fn a_flipped_bit_is_refused_or_harmless() {
    let (disk, before) = killed();
    let mut refused = 0;
    let bits = disk.bytes(FILE).len() * 8;
    for bit in (0..320 * 8).step_by(7).chain((4096 * 8..bits).step_by(2003)) {
        let rotten = disk.after_kill();
        rotten.flip(FILE, bit);
        match open(&rotten) {
            Ok(state) => assert_eq!(contents(&state), before, "bit {bit} changed the state unnoticed"),
            Err(error) => {
                assert!(matches!(error, StoreError::Corrupt { .. }), "bit {bit}: {error:?}");
                assert!(error.to_string().contains(FILE), "bit {bit}: {error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 50, "only {refused}");
}

#[test]
fn a_record_that_rots_while_the_node_runs_is_never_read() {
    let (disk, (_, records)) = killed();
    let state = open(&disk).unwrap();
    let (key, value) = records.iter().next_back().unwrap();
    let record = record::seal(key, value);
    let bytes = disk.bytes(FILE);
    for at in (0..bytes.len() - record.len()).filter(|at| bytes[*at..].starts_with(&record)) {
        disk.flip(FILE, (at + record.len() - 1) * 8);
    }
    // What redb has in memory is as it was; a file that is opened afresh is not.
    assert_eq!(state.file().view().unwrap().get(key).unwrap().as_ref(), Some(value));
    assert!(matches!(open(&disk.after_kill()), Err(StoreError::Corrupt { .. })));
}

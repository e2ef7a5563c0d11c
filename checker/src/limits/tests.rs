use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;

#[test]
fn the_time_is_asked_for_by_the_work_done() {
    let asked = AtomicU64::new(0);
    let expired = || {
        asked.fetch_add(1, Ordering::Relaxed);
        false
    };
    let mut budget = Budget::new(&Limits { expired: &expired, ..Limits::none() });
    for _ in 0..STEPS_PER_QUESTION {
        budget.step().unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    for _ in 0..3 {
        budget.spend(STEPS_PER_QUESTION).unwrap();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[test]
fn each_limit_is_named_when_it_is_hit() {
    let expired = || true;
    let mut budget = Budget::new(&Limits { expired: &expired, ..Limits::none() });
    assert_eq!(budget.step(), Err(Exceeded::Time));

    let mut budget = Budget::new(&Limits { steps: 2, ..Limits::none() });
    assert_eq!((budget.step(), budget.step(), budget.step()), (Ok(()), Ok(()), Err(Exceeded::Steps(2))));

    let mut budget = Budget::new(&Limits { steps: 5, ..Limits::none() });
    assert_eq!((budget.spend(4), budget.spend(2)), (Ok(()), Err(Exceeded::Steps(5))));

    let mut budget = Budget::new(&Limits { memory: 100, ..Limits::none() });
    budget.allocate(80).unwrap();
    assert_eq!(budget.allocate(21), Err(Exceeded::Memory(100)));
    budget.release(30);
    budget.allocate(50).unwrap();
    assert_eq!((budget.peak(), budget.memory()), (100, 100));
}

#[test]
fn budgets_of_one_pool_share_its_memory() {
    let pool = Pool::default();
    pool.take(1 << 20);
    let limits = Limits { memory: 4 << 20, ..Limits::none() }.pooled(&pool);
    let mut one = Budget::new(&limits);
    let mut other = Budget::new(&limits);
    one.allocate(2 << 20).unwrap();
    other.allocate(800 << 10).unwrap();
    assert_eq!(other.allocate(1 << 20), Err(Exceeded::Memory(4 << 20)), "what the other uses counts");
    assert!(pool.used() <= 4 << 20);
    one.release(1 << 20);
    other.allocate(1 << 20).unwrap();
    drop((one, other));
    assert_eq!(pool.used(), 1 << 20);
}

#[test]
fn a_pool_never_gives_more_than_there_is() {
    const LIMIT: u64 = 10 << 20;
    let pool = Pool::default();
    let limits = Limits { memory: LIMIT, ..Limits::none() }.pooled(&pool);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut budget = Budget::new(&limits);
                while budget.allocate(1000).is_ok() {
                    assert!(pool.used() <= LIMIT);
                }
            });
        }
    });
    assert_eq!(pool.used(), 0, "what was dropped was given back");
}

#[test]
fn who_measures_that_the_memory_is_full_is_believed() {
    let pool = Pool::default();
    let limits = Limits { memory: 7, ..Limits::none() }.pooled(&pool);
    let mut budget = Budget::new(&limits);
    budget.step().unwrap();
    pool.fill();
    assert_eq!(budget.spend(STEPS_PER_QUESTION).and_then(|()| budget.step()), Err(Exceeded::Memory(7)));
}

#[test]
fn a_map_is_paid_for_before_it_grows() {
    let mut budget = Budget::new(&Limits { memory: 100_000, ..Limits::none() });
    let (mut map, mut set) = (HashMap::new(), HashSet::new());
    let fill = (0_u64..).try_for_each(|number| {
        budget.room_in_map(&mut map)?;
        map.insert(number, number);
        budget.room_in_set(&mut set)?;
        set.insert(number);
        assert_eq!(budget.memory(), map_bytes(&map) + set_bytes(&set));
        Ok(())
    });
    assert_eq!(fill, Err(Exceeded::Memory(100_000)));
    // 4096 buckets of 17 bytes do not fit beside 2048 of them and the set.
    assert_eq!((map.len(), map_bytes(&map)), (1792, 2048 * 17));
    let mut vector = Vec::new();
    let before = budget.memory();
    budget.push(&mut vector, 7_u32).unwrap();
    assert_eq!((budget.memory() - before, vector), (4, vec![7]));
}

#[test]
fn sorting_stops_when_the_time_is_over_and_loses_nothing() {
    let asked = AtomicU64::new(0);
    let expired = || asked.fetch_add(1, Ordering::Relaxed) > 40;
    let mut elements: Vec<u32> = (0..100_000).rev().collect();
    let mut budget = Budget::new(&Limits { expired: &expired, ..Limits::none() });
    assert_eq!(sort_by_key(&mut budget, &mut elements, |element| *element), Err(Exceeded::Time));
    elements.sort_unstable();
    assert!(elements.iter().copied().eq(0..100_000));
    assert_eq!(budget.memory(), 0);
}

proptest! {
    #[test]
    fn sorting_sorts(mut elements in proptest::collection::vec(0_u32..1000, 0..40), copies in 0_usize..600) {
        // More than one run, with repeated patterns that are in order, in reverse, or neither.
        elements = elements.repeat(copies);
        let mut expected = elements.clone();
        expected.sort_unstable();
        let mut budget = Budget::new(&Limits::none());
        sort_by_key(&mut budget, &mut elements, |element| *element).unwrap();
        prop_assert_eq!(elements, expected);
        prop_assert_eq!(budget.memory(), 0);
    }
}

//! What the search does where many operations are pending, and where it may not go on.

pub(in crate::search) mod ways;

use super::*;
use crate::model::Operation;

/// Writes and reads of numbers; the state is the number.
struct Cell {
    actions: Vec<(bool, u32)>,
}

impl Machine for Cell {
    type Action = (bool, u32);

    fn initial(&self) -> Vec<u32> {
        vec![0]
    }

    fn action(&self, operation: usize) -> Self::Action {
        self.actions[operation]
    }

    fn kind(&self, (writes, _): Self::Action) -> Kind {
        if writes { Kind::Overwrites } else { Kind::Observes }
    }

    fn step(&mut self, state: u32, (writes, value): Self::Action) -> Option<u32> {
        (writes || state == value).then_some(value)
    }

    fn refusal(&self, state: u32, _operation: usize) -> String {
        format!("it is {state}")
    }
}

fn judge(operations: &[(bool, u32, u32, u32)], limits: &Limits<'_>) -> Option<Outcome> {
    let placed: Vec<Operation<(), ()>> = operations
        .iter()
        .map(|(_, _, invoked, returned)| Operation {
            input: (),
            output: Some(()),
            invoked: *invoked,
            returned: Some(*returned).filter(|returned| *returned != u32::MAX),
        })
        .collect();
    let mut cell = Cell { actions: operations.iter().map(|(writes, value, ..)| (*writes, *value)).collect() };
    decide(&mut cell, &placed, true, limits, &mut Budget::new(limits))
}

/// So many writes that are all pending at once, and then as many reads of the first one, one after the other.
fn crowd(size: u32) -> Vec<(bool, u32, u32, u32)> {
    let writes = (0..size).map(|number| (true, 1 + number.min(1), number, size + number));
    let reads = (0..size).map(|number| (false, 1, 2 * size + 2 * number, 2 * size + 2 * number + 1));
    writes.chain(reads).collect()
}

#[test]
fn blind_writes_are_no_choice_however_many_there_are() {
    for size in [3, 64, 65, 256, 257, 1024] {
        let limits = Limits { steps: 64 * u64::from(size) * u64::from(size), ..Limits::none() };
        let Some(Outcome::Linearizable(order)) = judge(&crowd(size), &limits) else { panic!("{size}") };
        assert_eq!(order.len(), 2 * size as usize);
    }
    assert_eq!(judge(&crowd(1025), &Limits::none()), None, "more than there are slots for");
}

#[test]
fn writes_without_an_answer_are_counted_by_class() {
    // A hundred writes of 1 that nobody knows of, and reads that need each of them once more.
    let mut operations: Vec<_> = (0..100).map(|number| (true, 1, number, u32::MAX)).collect();
    for number in 0..100 {
        let begin = 100 + 4 * number;
        operations.push((true, 2, begin, begin + 1));
        operations.push((false, 1, begin + 2, begin + 3));
    }
    let limits = Limits { steps: 10_000, ..Limits::none() };
    assert!(matches!(judge(&operations, &limits), Some(Outcome::Linearizable(order)) if order.len() == 300));
    operations.push((true, 2, 600, 601));
    operations.push((false, 1, 602, 603));
    let Some(Outcome::NotLinearizable(contradiction)) = judge(&operations, &Limits::none()) else { panic!() };
    assert_eq!((contradiction.blocked, &contradiction.refusals[..]), (301, &["it is 2".to_owned()][..]));
}

#[test]
fn a_limit_says_how_far_the_search_came() {
    let operations = crowd(10);
    let within = |limits: &Limits<'_>| match judge(&operations, limits) {
        Some(Outcome::Unknown(unknown)) => (unknown.exceeded, unknown.ordered),
        outcome => panic!("{outcome:?}"),
    };
    assert_eq!(within(&Limits { steps: 30, ..Limits::none() }), (Exceeded::Steps(30), 6));
    assert_eq!(within(&Limits { memory: 10, ..Limits::none() }), (Exceeded::Memory(10), 0));
    assert_eq!(within(&Limits { expired: &|| true, ..Limits::none() }), (Exceeded::Time, 0));
}

#[test]
fn who_is_stopped_says_what_comes_next_and_why_it_is_refused() {
    // A write of 1, and a read of 2 that nobody wrote.
    let operations = [(true, 1, 0, 1), (false, 2, 2, 3)];
    for steps in 0..20 {
        match judge(&operations, &Limits { steps, ..Limits::none() }) {
            Some(Outcome::Unknown(Unknown { ordered, completions: 2, next: Some(next), .. })) => {
                assert_eq!(next.operation, ordered, "{steps} steps");
                let refused = if ordered == 1 { &["it is 1".to_owned()][..] } else { &[] };
                assert_eq!(next.refusals, refused, "{steps} steps");
            }
            Some(Outcome::NotLinearizable(_)) if steps > 2 => return,
            outcome => panic!("{steps} steps: {outcome:?}"),
        }
    }
    panic!("it was never decided");
}

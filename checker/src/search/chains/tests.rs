//! Chains by hand: the order of a valid history, and the few operations that show each flaw.

use super::*;
use crate::limits::Limits;

fn part(role: Role, invoked: u32, returned: u32) -> Part {
    Part { role, invoked, returned }
}

fn decided(parts: &[Part], initial: Initial) -> Decision {
    decide(parts, 8, initial, &mut Budget::new(&Limits::none())).expect("there is no limit")
}

fn replaces(from: u32, to: u32) -> Role {
    Role::Replaces { from, to }
}

#[test]
fn a_valid_history_has_an_order() {
    // The read of 2 begins while 1 is still there; the write of 3 was never seen and has no answer.
    let parts = [
        part(Role::Reads(0), 0, 3),
        part(Role::Writes(1), 1, 6),
        part(Role::Reads(1), 2, 5),
        part(replaces(1, 2), 4, NEVER),
        part(Role::Reads(2), 7, 9),
        part(Role::Writes(3), 8, NEVER),
        part(Role::Free, 10, 11),
        part(Role::Reads(2), 12, 13),
    ];
    assert_eq!(decided(&parts, Initial::Known(0)), Decision::Order(vec![0, 1, 2, 3, 4, 6, 7]));
    let backwards: Vec<Part> = parts.iter().rev().copied().collect();
    assert_eq!(decided(&backwards, Initial::Known(0)), Decision::Order(vec![7, 6, 5, 4, 3, 1, 0]));
}

#[test]
fn each_flaw_is_shown_by_a_few_operations() {
    let no_order = |parts: &[Part], few: &[usize]| {
        assert_eq!(decided(parts, Initial::Known(0)), Decision::NoOrder(few.to_vec()), "{parts:?}");
    };
    // Nobody wrote what was read, or what was replaced.
    no_order(&[part(Role::Writes(1), 0, 1), part(Role::Reads(2), 2, 3)], &[1]);
    no_order(&[part(replaces(1, 2), 0, NEVER), part(Role::Reads(2), 1, 3)], &[0, 1]);
    // Replaced twice; the second one is proven only by a read.
    no_order(
        &[
            part(replaces(0, 1), 0, 3),
            part(replaces(0, 2), 1, NEVER),
            part(Role::Reads(0), 2, 5),
            part(Role::Reads(2), 4, 6),
        ],
        &[0, 1, 2, 3],
    );
    // Each comes from the other.
    no_order(&[part(replaces(1, 2), 0, 2), part(replaces(2, 1), 1, 3)], &[0, 1]);
    // Read before it was written, and before what it came from was last seen.
    no_order(&[part(Role::Reads(1), 0, 1), part(Role::Writes(1), 2, 3)], &[0, 1]);
    no_order(
        &[part(Role::Writes(1), 0, 5), part(replaces(1, 2), 1, 2), part(Role::Reads(1), 3, 4)],
        &[0, 1, 2],
    );
    // Two forward chains overlap; a backward one lies inside a forward one, or inside what is there at the start.
    no_order(
        &[
            part(Role::Writes(1), 0, 1),
            part(Role::Writes(2), 2, 3),
            part(Role::Reads(1), 4, 5),
            part(Role::Reads(2), 6, 7),
        ],
        &[0, 1, 2, 3],
    );
    no_order(
        &[part(Role::Writes(1), 0, 1), part(Role::Writes(2), 2, 3), part(Role::Reads(1), 4, 5)],
        &[0, 1, 2],
    );
    no_order(&[part(Role::Writes(1), 0, 1), part(Role::Reads(0), 2, 3)], &[0, 1]);
}

#[test]
fn a_value_with_two_writers_is_left_to_others() {
    let repeats = |parts: &[Part], initial| assert_eq!(decided(parts, initial), Decision::Repeats);
    repeats(&[part(Role::Writes(1), 0, 1), part(Role::Writes(1), 2, 3)], Initial::Known(0));
    repeats(&[part(Role::Writes(0), 0, 1), part(Role::Reads(0), 2, 3)], Initial::Known(0));
    let unanswered = part(Role::Writes(1), 0, NEVER);
    let seen = part(Role::Reads(1), 3, 4);
    repeats(&[unanswered, part(Role::Writes(1), 1, 2), seen], Initial::Known(0));
    repeats(&[unanswered, part(replaces(0, 1), 1, NEVER), seen], Initial::Known(0));
    // The value at the start may have been 1 as well.
    repeats(&[part(Role::Reads(1), 0, 1), part(Role::Writes(1), 2, 3)], Initial::Unwritten);
    // What nobody saw may repeat where nobody knows whether it happened.
    let parts = [unanswered, part(Role::Writes(1), 1, 2), part(Role::Writes(1), 3, NEVER)];
    assert_eq!(decided(&parts, Initial::Known(0)), Decision::Order(vec![1]));
}

#[test]
fn the_value_at_the_start_may_be_any_that_nobody_wrote() {
    let read = [part(Role::Reads(5), 0, 1), part(Role::Writes(1), 2, 3), part(Role::Reads(1), 4, 5)];
    assert_eq!(decided(&read, Initial::Unwritten), Decision::Order(vec![0, 1, 2]));
    let late = [part(Role::Writes(1), 0, 1), part(Role::Reads(5), 2, 3)];
    assert_eq!(decided(&late, Initial::Unwritten), Decision::NoOrder(vec![0, 1]));
    let two = [part(Role::Reads(5), 0, 1), part(Role::Reads(6), 2, 3)];
    assert_eq!(decided(&two, Initial::Unwritten), Decision::NoOrder(vec![0, 1]));
}

#[test]
fn a_limit_ends_it() {
    let parts = [part(Role::Writes(1), 0, 1), part(Role::Reads(1), 2, 3)];
    let within = |limits: &Limits<'_>| decide(&parts, 8, Initial::Known(0), &mut Budget::new(limits));
    assert_eq!(within(&Limits { memory: 100, ..Limits::none() }), Err(Exceeded::Memory(100)));
    assert_eq!(within(&Limits { expired: &|| true, ..Limits::none() }), Err(Exceeded::Time));
}

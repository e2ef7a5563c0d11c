//! Whom it picks, at made-up times.

use super::*;

fn at(start: Instant, ms: u64) -> Instant {
    start + Duration::from_millis(ms)
}

#[test]
fn sticks_to_the_one_that_served() {
    let now = Instant::now();
    let mut preference = Preference::new(3);
    assert_eq!(preference.pick(now), 0);
    preference.succeeded(2);
    assert_eq!(preference.pick(now), 2);
}

#[test]
fn goes_to_the_next_after_a_failure_and_stays_there() {
    let start = Instant::now();
    let mut preference = Preference::new(3);
    preference.failed(0, start);
    assert_eq!(preference.pick(start), 1);
    assert_eq!(preference.pick(at(start, 60_000)), 1);
}

#[test]
fn comes_to_every_node_however_long_each_takes_to_fail() {
    let start = Instant::now();
    let mut preference = Preference::new(3);
    let asked = [0, 3_000, 6_000, 9_000].map(|ms| {
        let place = preference.pick(at(start, ms));
        preference.failed(place, at(start, ms + 3_000));
        place
    });
    assert_eq!(asked, [0, 1, 2, 0]);
}

#[test]
fn a_failure_of_one_that_is_not_preferred_any_more_changes_nothing_for_the_one_that_is() {
    let start = Instant::now();
    let mut preference = Preference::new(3);
    preference.succeeded(2);
    preference.failed(0, start);
    assert_eq!(preference.pick(start), 2);
}

#[test]
fn avoids_for_longer_with_each_failure_in_a_row_up_to_a_bound() {
    let start = Instant::now();
    let mut preference = Preference::new(2);
    let is_avoided = |preference: &Preference, ms| preference.nodes[0].is_avoided(at(start, ms));
    preference.failed(0, start);
    assert!(is_avoided(&preference, 99) && !is_avoided(&preference, 100));
    preference.failed(0, start);
    assert!(is_avoided(&preference, 199) && !is_avoided(&preference, 200));
    (0..100).for_each(|_| preference.failed(0, start));
    assert!(!preference.nodes[0].is_avoided(start + AVOID_MAX));
    preference.succeeded(0);
    preference.failed(0, start);
    assert!(!is_avoided(&preference, 100), "a success makes it new");
}

#[test]
fn there_is_always_somebody_to_ask() {
    let start = Instant::now();
    let mut preference = Preference::new(3);
    preference.failed(0, at(start, 30));
    preference.failed(1, at(start, 10));
    preference.failed(2, at(start, 20));
    assert_eq!(preference.pick(at(start, 40)), 1, "it is free soonest");
}

#[test]
fn follows_a_leader_that_it_knows_and_that_has_not_just_failed() {
    let start = Instant::now();
    let mut preference = Preference::new(3);
    preference.follow("n3", start);
    assert_eq!(preference.pick(start), 0, "nobody is called n3");
    preference.name(2, "n3".to_owned());
    preference.follow("n3", start);
    assert_eq!(preference.pick(start), 2);
    preference.failed(2, start);
    preference.succeeded(1);
    preference.follow("n3", at(start, 50));
    assert_eq!(preference.pick(at(start, 50)), 1);
    preference.unname(2);
    assert!(!preference.is_named("n3"));
}

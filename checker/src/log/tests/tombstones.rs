//! What deletes and pages can contradict, drawn.

use super::decisions::{invalid, kinds, valid};
use crate::anomaly::AnomalyKind;

#[test]
fn a_message_is_alive_until_it_is_deleted() {
    valid("p0: |-send a=1-|  |-read [a]-|  |-delete #1-|  |-read [a†]-|  |-delete #1-|  |-read [a†]-|");
    // A page that overlaps the delete may show either.
    valid(
        "p0: |-send a=1-|  |-delete #1------------------------|
         p1:                  |-read [a]-|  |-read [a†]-|",
    );
    // Of a delete of unknown outcome nobody needs to see anything, or all at once.
    valid(
        "p0: |-send a=1-|  |-delete #1-?\np1:                                  |-read [a]-|  |-read [a†]-|",
    );
    // A delete of a number that does not exist yet finds it later.
    valid("p0: |-delete #1------------------|  |-read [a†]-|\np1:   |-send a=1-|");
    // The number is proven, whoever has it.
    valid("p0: |-send a-?\np1:             |-delete #1-|  |-send b=2-|  |-read [a† b]-|");
}

#[test]
fn what_was_deleted_does_not_come_back() {
    invalid(
        "p0@n1: |-send a=1-|  |-delete #1-|
         p1@n2:                               |-read [a]-|  |-read [a]-|",
        AnomalyKind::Resurrected,
        "the delete of message a, number 1, by client 0 on n1 was acknowledged at 0.033 s; the read by client 1 on \
         n2 began at 0.037 s and shows it alive; no later read shows the tombstone",
    );
    invalid(
        "p0@n1: |-send a=1-|  |-delete #1-?
         p1@n2:                               |-read [a†]-|
         p2@n3:                                               |-read [a]-|  |-read [a†]-|",
        AnomalyKind::StaleRead,
        "message a, number 1, was shown as deleted at 0.049 s by the read by client 1 on n2; the read by client 2 on \
         n3 began at 0.053 s and shows it alive; the read by client 2 on n3 shows the tombstone again",
    );
}

#[test]
fn a_tombstone_needs_a_delete() {
    invalid(
        "p0: |-send a=1-|
         p1:               |-read [a†]-|",
        AnomalyKind::Phantom,
        "the read by client 1, which ended at 0.030 s, shows message a, number 1, as deleted, but nobody had asked \
         for that",
    );
    assert_eq!(
        kinds("p0: |-send a=1-|                 |-delete #1-|\np1:               |-read [a†]-|"),
        [AnomalyKind::Phantom]
    );
    invalid(
        "p0: |-send a=1-|  |-delete #1-!
         p1:                               |-read [a†]-|",
        AnomalyKind::AbortedRead,
        "the read by client 1, which ended at 0.046 s, shows message a, number 1, as deleted, but its delete by \
         client 0 failed at 0.030 s, so it never happened",
    );
    // It fails only after it was seen; the other delete began too late.
    assert_eq!(
        kinds(
            "p0: |-send a=1-|  |-delete #1------------------------------!
             p1:                   |-read [a†]-|
             p2:                                  |-delete #1-|"
        ),
        [AnomalyKind::AbortedRead]
    );
}

#[test]
fn what_is_deleted_exists() {
    assert_eq!(kinds("p0: |-delete #1-|"), [AnomalyKind::Hole]);
    assert_eq!(kinds("p0: |-delete #0-|"), [AnomalyKind::Phantom]);
    // What a delete proves must be seen by who reads after it.
    assert_eq!(kinds("p0: |-send a-?\np1:             |-delete #1-|  |-read []-|"), [AnomalyKind::StaleRead]);
}

#[test]
fn a_shorter_conversation_is_an_older_one() {
    invalid(
        "p0: |-send a=1-|  |-send b=2--------------------------------------------|
         p1:               |-delete #1--------------------------------------------|
         p2:                  |-read 0+1 [a†]/1--------------|
         p3:                    |-read 0+1 [a]/2----------------|",
        AnomalyKind::Resurrected,
        "message a, number 1, is deleted in a conversation that ends at number 1, and alive in one that ends at \
         number 2",
    );
}

#[test]
fn two_pages_that_see_two_deletes_in_opposite_orders_have_no_order() {
    let told = |second: &str| {
        kinds(&format!(
            "p0: |-send a=1-|  |-send b=2-|  |-delete #1------------------------|
             p1:                               |-delete #2------------------------|
             p2:                                 |-read [a† b]------------|
             p3:                                   |-read {second}----------|"
        ))
    };
    assert_eq!(told("[a b†]"), [AnomalyKind::NotLinearizable]);
    assert_eq!(told("[a b]"), []);
    assert_eq!(told("[a† b†]"), []);
}

#[test]
fn what_one_delete_waits_for_the_other_waits_for_too() {
    // The page that shows a alive and b dead puts the delete of a behind that of b, which began too late for that.
    let told = |late: &str| {
        kinds(&format!(
            "p0: |-send a=1-|  |-send b=2-|  |-delete #1----------------------------|
             p1:                               {late}
             p2:                                  |-read [a b†]---------------------------------------|
             p3:                                    |-read 0+1 [a†]/2-|"
        ))
    };
    assert_eq!(told("|-delete #2----------------------------|"), []);
    assert_eq!(
        told("                          |-delete #2----------------------------|"),
        [AnomalyKind::NotLinearizable]
    );
}

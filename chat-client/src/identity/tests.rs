//! Numbers and what is answered below them.

use super::*;

fn numbers(ticket: &Ticket) -> (u64, u64) {
    let attempt = ticket.attempt();
    (attempt.sequence, attempt.answered_below)
}

fn client_id(ticket: &Ticket) -> String {
    ticket.attempt().client_id
}

/// An identity that the cluster knows: its first operation was applied.
fn known() -> Identity {
    let identity = Identity::new("c1".into());
    identity.begin().applied();
    identity
}

#[test]
fn counts_from_one_and_everything_before_is_answered_once_one_was_applied() {
    let identity = known();
    assert_eq!(numbers(&identity.begin()), (2, 2));
    assert_eq!(numbers(&identity.begin()), (3, 3), "also when the one before was not");
}

#[test]
fn claims_no_answers_before_one_was_applied() {
    let identity = Identity::new("c1".into());
    for sequence in 1..=5 {
        assert_eq!(numbers(&identity.begin()), (sequence, 1));
    }
    identity.begin().applied();
    assert_eq!(numbers(&identity.begin()), (7, 7));
}

#[test]
fn the_lowest_open_operation_bounds_what_is_answered() {
    let identity = known();
    let first = identity.begin();
    let second = identity.begin();
    let third = identity.begin();
    assert_eq!([&first, &second, &third].map(numbers), [(2, 2), (3, 2), (4, 2)]);
    drop(second);
    assert_eq!(numbers(&identity.begin()), (5, 2), "the first is still open");
    drop(first);
    assert_eq!(numbers(&identity.begin()), (6, 4), "the third is still open");
    drop(third);
    assert_eq!(numbers(&identity.begin()), (7, 7));
}

#[test]
fn never_gets_further_ahead_than_the_cluster_takes() {
    let unknown = Identity::new("c1".into());
    let held = known();
    let open = held.begin();
    for identity in [&unknown, &held] {
        let tickets: Vec<Ticket> = (0..1_000).map(|_| identity.begin()).collect();
        assert!(tickets.iter().map(numbers).all(|(sequence, below)| sequence - below < WINDOW));
        let ids: std::collections::BTreeSet<String> = tickets.iter().map(client_id).collect();
        assert_eq!(ids.len(), 4, "a new client for each window");
    }
    assert_eq!((client_id(&open).as_str(), numbers(&open)), ("c1", (2, 2)), "what is open stays as it is");
}

#[test]
fn a_forgotten_client_is_followed_by_one_other_however_many_of_its_operations_find_out() {
    let identity = known();
    let (first, second) = (identity.begin(), identity.begin());
    identity.renew(&first);
    let renewed = identity.begin();
    assert_ne!(client_id(&renewed), "c1");
    assert_eq!(numbers(&renewed), (1, 1), "the cluster does not know it yet");
    identity.renew(&second);
    assert_eq!(client_id(&identity.begin()), client_id(&renewed));
}

#[test]
fn every_try_carries_the_same_attempt() {
    let identity = Identity::new("c1".into());
    let ticket = identity.begin();
    let attempt = ticket.attempt();
    drop(identity.begin());
    assert_eq!(ticket.attempt(), attempt);
    assert_eq!(attempt.client_id, "c1");
}

#[test]
fn a_random_id_is_128_bits_in_hexadecimal() {
    let id = ClientId::random().to_string();
    assert_eq!(id.len(), 32);
    assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(id, ClientId::random().to_string());
}

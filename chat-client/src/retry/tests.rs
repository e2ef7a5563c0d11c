//! The loop on a scripted operation and a paused clock.

use std::cell::RefCell;

use proto::chat::Code;

use super::*;
use crate::error::{Cause, Effect};

/// Runs the loop over `outcomes`, each after a second; gives the result, the limits of the tries, and the time it took.
async fn run_over(
    policy: &Policy,
    jitter: f64,
    outcomes: &[Option<Cause>],
) -> (Result<(), Error>, Vec<Duration>, Duration) {
    let limits = RefCell::new(Vec::new());
    let start = Instant::now();
    let attempt = |limit| {
        limits.borrow_mut().push(limit);
        let outcome = outcomes[(limits.borrow().len() - 1).min(outcomes.len() - 1)];
        async move {
            sleep(Duration::from_secs(1)).await;
            match outcome {
                None => Ok(()),
                Some(cause) => Err(Error::new("send", Effect::Write, cause, "", String::new())),
            }
        }
    };
    let result = run(policy, || jitter, attempt).await;
    (result, limits.into_inner(), start.elapsed())
}

fn policy() -> Policy {
    Policy {
        limit: Duration::from_secs(20),
        try_limit: Duration::from_secs(5),
        try_min: Duration::from_secs(1),
        tries_max: 10,
        pause_first: Duration::from_secs(1),
        pause_max: Duration::from_secs(4),
    }
}

const NO_LEADER: Option<Cause> = Some(Cause::Chat(Code::NoLeader));

#[test]
fn pauses_double_up_to_their_bound() {
    let bounds: Vec<u64> =
        [1, 2, 3, 4, 100, u32::MAX].map(|failures| policy().pause_bound(failures).as_secs()).to_vec();
    assert_eq!(bounds, [1, 2, 4, 4, 4, 4]);
}

#[test]
fn the_drawn_fraction_is_below_one() {
    assert!((0..1_000).map(|_| random_fraction()).all(|fraction| (0.0..1.0).contains(&fraction)));
}

#[tokio::test(start_paused = true)]
async fn tries_again_after_a_jittered_pause_until_it_succeeds() {
    let (result, limits, took) = run_over(&policy(), 0.5, &[NO_LEADER, NO_LEADER, None]).await;
    assert_eq!(result, Ok(()));
    assert_eq!(limits.len(), 3);
    // Three tries of a second, and half of 1 s and of 2 s.
    assert_eq!(took.as_millis(), 4_500);
}

#[tokio::test(start_paused = true)]
async fn one_try_is_one_try() {
    let never = Policy::never(Duration::from_secs(7));
    let (result, limits, _) = run_over(&never, 0.0, &[NO_LEADER]).await;
    assert_eq!(result.unwrap_err().tries(), 1);
    assert_eq!(limits, [Duration::from_secs(7)]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_is_not_tried_again() {
    let (result, limits, _) = run_over(&policy(), 0.5, &[Some(Cause::Chat(Code::NotFound))]).await;
    assert!(result.unwrap_err().is_definite());
    assert_eq!(limits.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_try_gets_what_is_left_of_the_limit() {
    let short = Policy { limit: Duration::from_secs(7), ..policy() };
    let (_, limits, _) = run_over(&short, 0.0, &[NO_LEADER]).await;
    let seconds: Vec<u64> = limits.iter().map(Duration::as_secs).collect();
    assert_eq!(seconds, [5, 5, 5, 4, 3, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_limit_ends_it_with_the_count_of_tries() {
    let (result, limits, took) = run_over(&policy(), 0.99, &[NO_LEADER]).await;
    let error = result.unwrap_err();
    assert_eq!(error.tries() as usize, limits.len());
    assert!(error.is_definite(), "every try was");
    assert!(took < policy().limit);
}

#[tokio::test(start_paused = true)]
async fn the_most_tries_end_it() {
    let few = Policy { tries_max: 3, ..policy() };
    let (result, ..) = run_over(&few, 0.0, &[NO_LEADER]).await;
    assert_eq!(result.unwrap_err().tries(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_try_stays_unknown_whatever_follows() {
    for last in [Code::NoLeader, Code::NotAuthenticated, Code::Exists] {
        let few = Policy { tries_max: 2, ..policy() };
        let (result, ..) = run_over(&few, 0.0, &[Some(Cause::Broken), Some(Cause::Chat(last))]).await;
        let error = result.unwrap_err();
        assert_eq!(error.code(), Some(last));
        assert!(!error.is_definite(), "{last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_settles_an_unknown_try() {
    let (result, ..) = run_over(&policy(), 0.0, &[Some(Cause::Deadline), None]).await;
    assert_eq!(result, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_a_node_said_is_not_forgotten_over_one_that_is_not_there() {
    let few = Policy { tries_max: 3, ..policy() };
    let (result, ..) = run_over(&few, 0.0, &[NO_LEADER, Some(Cause::Connect)]).await;
    let error = result.unwrap_err();
    assert_eq!((error.code(), error.tries(), error.is_definite()), (Some(Code::NoLeader), 3, true));
    let (result, ..) = run_over(&few, 0.0, &[Some(Cause::Broken), NO_LEADER, Some(Cause::Connect)]).await;
    assert!(!result.unwrap_err().is_definite(), "but the first try was unknown");
}

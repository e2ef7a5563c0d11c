//! Trying again: for how long, how often, and how long to wait in between.
//!
//! The pauses grow exponentially with full jitter (Marc Brooker, "Exponential Backoff and Jitter", AWS, 2015): a pause is
//! drawn evenly between nothing and its bound, which spreads many clients of one failed leader best.
//!
//! An operation is tried again when its error passes ([`crate::error::Row::passing`]). That is harmless because of what
//! operations are: a read changes nothing, and a write is the same operation in every try.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::{Cause, Error};

/// How an operation is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The longest that an operation may take with all its tries and pauses.
    pub limit: Duration,
    /// The longest that one try may take, so that a node that is silent does not use up the whole limit.
    pub try_limit: Duration,
    /// No further try is begun with less time than this left: it would hardly be answered, and a write that has certainly
    /// not been applied so far would end with an unknown outcome.
    pub try_min: Duration,
    /// The most tries; at least one is made.
    pub tries_max: u32,
    /// The bound of the first pause; each further one is twice as long.
    pub pause_first: Duration,
    /// No pause is longer.
    pub pause_max: Duration,
}

impl Default for Policy {
    /// For people: a new leader is there within a second or two, so ten seconds are patient.
    fn default() -> Self {
        Policy {
            limit: Duration::from_secs(10),
            try_limit: Duration::from_secs(3),
            try_min: Duration::from_millis(100),
            tries_max: 100,
            pause_first: Duration::from_millis(20),
            pause_max: Duration::from_millis(500),
        }
    }
}

impl Policy {
    /// One try, within `limit`.
    #[must_use]
    pub fn never(limit: Duration) -> Self {
        Policy { limit, try_limit: limit, tries_max: 1, ..Policy::default() }
    }

    /// The same, but for an operation that may take `limit`. There is time for three silent nodes in it.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Policy { limit, try_limit: self.try_limit.min(limit / 3), ..self }
    }

    /// What is left of it after `tries` that took `spent`, if that is enough for one more.
    pub(crate) fn rest(&self, tries: u32, spent: Duration) -> Option<Self> {
        let rest = Policy {
            limit: self.limit.saturating_sub(spent),
            tries_max: self.tries_max.saturating_sub(tries),
            ..self.clone()
        };
        (rest.tries_max > 0 && rest.limit >= rest.try_min).then_some(rest)
    }

    /// The bound of the pause after the `failures`th failure in a row, counted from 1.
    #[must_use]
    pub fn pause_bound(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.pause_first.saturating_mul(1 << doublings).min(self.pause_max)
    }
}

/// A number drawn evenly from 0 up to 1.
pub(crate) fn random_fraction() -> f64 {
    let random = getrandom::u32().expect("the kernel has randomness");
    f64::from(random) / (f64::from(u32::MAX) + 1.0)
}

/// Calls `attempt` with the time that it may take until it succeeds, the policy ends it, or an error does not pass.
/// `jitter` gives numbers from 0 up to 1.
///
/// # Errors
///
/// The error of the last try that reached a node, or else of the last one; indefinite when any try was.
pub(crate) async fn run<T, F>(
    policy: &Policy,
    mut jitter: impl FnMut() -> f64,
    mut attempt: impl FnMut(Duration) -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let deadline = Instant::now() + policy.limit;
    let mut unknown = false;
    let mut tries = 0;
    let mut reached: Option<Error> = None;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let error = match attempt(left.min(policy.try_limit)).await {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        tries += 1;
        unknown |= !error.is_definite();
        let pause = policy.pause_bound(tries).mul_f64(jitter());
        let in_time = Instant::now() + pause + policy.try_min <= deadline;
        if !error.is_passing() || tries >= policy.tries_max || !in_time {
            // What a node said tells more than that the next one was not there.
            let error = if error.cause() == Cause::Connect { reached.unwrap_or(error) } else { error };
            return Err(error.after(tries, unknown));
        }
        tracing::debug!(operation = error.operation(), tries, ?pause, %error, "trying again");
        if error.cause() != Cause::Connect {
            reached = Some(error);
        }
        sleep(pause).await;
    }
}

//! Passwords: argon2id, a few at a time, and never in a log.
//!
//! Hashing is made to be slow and to fill memory, so it runs where it holds up no task, at most
//! `CONCURRENT_MAX` at once, and at most `WAITING_MAX` wait for their turn: more would not be served in time anyway.
//! Only the service hashes, before it proposes: what is replicated is a PHC string, which says with which salt and at
//! which cost it was made. So a cluster may change its cost, and old hashes still verify.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use thiserror::Error as ThisError;
use tokio::sync::Semaphore;

use crate::env::{Env, Instant};

/// The longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// How many passwords are hashed at once. Each takes one core, and 19 MiB at the default cost.
const CONCURRENT_MAX: usize = 2;

/// How many wait for their turn. At the default cost that is about a second of work.
const WAITING_MAX: usize = 64;

/// A password. It has no text form but the one that is hashed.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Takes `text` as a password: 1 to [`PASSWORD_BYTES_MAX`] bytes. `None` when it is none.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        (1..=PASSWORD_BYTES_MAX).contains(&text.len()).then_some(Self(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// How hard it is to guess a password from its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cost {
    /// 19 MiB, two passes, one lane: OWASP's recommendation of 2023.
    #[default]
    Default,
    /// The least that argon2 allows. For test clusters, whose accounts protect nothing.
    Cheap,
}

impl Cost {
    fn params(self) -> Params {
        let (memory_kib, passes) = match self {
            Cost::Default => (19 * 1_024, 2),
            Cost::Cheap => (Params::MIN_M_COST, Params::MIN_T_COST),
        };
        Params::new(memory_kib, passes, 1, None).expect("both costs are within argon2's limits")
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cost::Default => "default",
            Cost::Cheap => "cheap",
        })
    }
}

/// The text names no cost.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("no argon2 cost is called '{0}'; there are 'default' and 'cheap'")]
pub struct UnknownCost(String);

impl FromStr for Cost {
    type Err = UnknownCost;

    fn from_str(text: &str) -> Result<Self, UnknownCost> {
        match text {
            "default" => Ok(Cost::Default),
            "cheap" => Ok(Cost::Cheap),
            _ => Err(UnknownCost(text.to_owned())),
        }
    }
}

/// Why a password was neither hashed nor checked.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum PasswordFault {
    /// Too many wait, or this one did not get its turn before the deadline.
    #[error("too many passwords are being checked")]
    Overloaded,
    /// The node is on its way out.
    #[error("the node is stopping")]
    Stopping,
    /// argon2 refused. A stored hash that is none is such a case.
    #[error("argon2: {0}")]
    Argon2(String),
}

/// Hashes and verifies, a few at a time.
#[derive(Debug, Clone)]
pub struct Passwords {
    env: Env,
    cost: Cost,
    waiting: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Passwords {
    /// New hashes are made at `cost`.
    #[must_use]
    pub fn new(env: Env, cost: Cost) -> Self {
        let waiting = Arc::new(Semaphore::new(WAITING_MAX));
        let running = Arc::new(Semaphore::new(CONCURRENT_MAX));
        Self { env, cost, waiting, running }
    }

    /// The PHC string of `password`, with a fresh salt.
    ///
    /// # Errors
    /// See [`PasswordFault`].
    pub async fn hash(&self, password: Password, deadline: Instant) -> Result<String, PasswordFault> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.cost.params());
        let salt: [u8; 16] = self.env.random();
        let work = move || argon2.hash_password_with_salt(password.0.as_bytes(), &salt);
        let hash =
            self.run(deadline, work).await?.map_err(|error| PasswordFault::Argon2(error.to_string()))?;
        Ok(hash.to_string())
    }

    /// Whether `hash` was made from `password`.
    ///
    /// # Errors
    /// See [`PasswordFault`].
    pub async fn verify(
        &self,
        password: Password,
        hash: String,
        deadline: Instant,
    ) -> Result<bool, PasswordFault> {
        let work = move || {
            let hash = PasswordHash::new(&hash).map_err(|error| error.to_string())?;
            // The parameters are those of the hash, whatever the configured cost is by now.
            match Argon2::default().verify_password(password.0.as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error.to_string()),
            }
        };
        self.run(deadline, work).await?.map_err(PasswordFault::Argon2)
    }

    async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordFault> {
        let place = self.waiting.try_acquire().map_err(|_| PasswordFault::Overloaded)?;
        let turn = self.running.clone().acquire_owned();
        let turn = self.env.timeout_at(deadline, turn).await.map_err(|_| PasswordFault::Overloaded)?;
        let turn = turn.map_err(|_| PasswordFault::Stopping)?;
        drop(place);
        // The turn goes with the work: a caller that gives up does not make room for more work than can be done.
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        self.env.blocking(work).await.ok_or(PasswordFault::Stopping)
    }
}

#[cfg(test)]
mod tests;

//! The nodes that a client knows, and which of them it asks.
//!
//! Any node takes any operation and passes it on to the leader, so that the choice is only a matter of speed and health:
//! `preference` decides it, this module acts on it. A node that names a leader is believed; the address behind a name
//! is learned by asking every node for its status.

mod preference;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use proto::admin::StatusRequest;
use tokio::time::Instant;

use crate::endpoint::{AddressError, Endpoint};
use crate::error::{Cause, Error};
use preference::Preference;

/// How long the nodes may take to say their names when a leader was named.
const NAMES_LIMIT: Duration = Duration::from_millis(300);
/// How often they are asked at most.
const NAMES_INTERVAL: Duration = Duration::from_secs(5);

/// The nodes that a client knows. At least one.
#[derive(Debug)]
pub struct Servers {
    endpoints: Vec<Endpoint>,
    preference: Mutex<Preference>,
    names_asked: Mutex<Option<Instant>>,
}

impl Servers {
    /// The nodes at `addresses`, the first one preferred.
    ///
    /// # Errors
    ///
    /// When there is none, or one is not `host:port`.
    pub fn new<A: AsRef<str>>(addresses: &[A]) -> Result<Self, AddressError> {
        if addresses.is_empty() {
            return Err(AddressError::None);
        }
        let endpoints: Result<Vec<_>, _> = addresses.iter().map(|a| Endpoint::new(a.as_ref())).collect();
        let preference = Mutex::new(Preference::new(addresses.len()));
        Ok(Servers { endpoints: endpoints?, preference, names_asked: Mutex::default() })
    }

    /// Every node, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter()
    }

    /// The node to ask now, and its place in the list.
    pub(crate) fn pick(&self) -> (usize, &Endpoint) {
        let place = self.preference().pick(Instant::now());
        (place, &self.endpoints[place])
    }

    /// The node at `place` in the list.
    pub(crate) fn at(&self, place: usize) -> &Endpoint {
        &self.endpoints[place]
    }

    /// The node at `place` served.
    pub(crate) fn succeeded(&self, place: usize) {
        self.preference().succeeded(place);
    }

    /// The node at `place` did not serve, and the leader it named, if any, is asked next. Takes no longer than `limit`.
    pub(crate) async fn failed(&self, place: usize, error: &Error, limit: Duration) {
        if !error.is_passing() {
            // It was the node's own considered answer: the node is well.
            return;
        }
        {
            let mut preference = self.preference();
            preference.failed(place, Instant::now());
            if error.cause() == Cause::Connect {
                // Whoever comes up there next may be another one.
                preference.unname(place);
            }
        }
        let Some(leader) = error.leader() else { return };
        if !self.preference().is_named(leader) {
            self.ask_names(limit.min(NAMES_LIMIT)).await;
        }
        self.preference().follow(leader, Instant::now());
    }

    fn preference(&self) -> std::sync::MutexGuard<'_, Preference> {
        self.preference.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks every node for its name, unless that was done just now.
    async fn ask_names(&self, limit: Duration) {
        {
            let mut asked = self.names_asked.lock().unwrap_or_else(PoisonError::into_inner);
            if asked.is_some_and(|at| at.elapsed() < NAMES_INTERVAL) {
                return;
            }
            *asked = Some(Instant::now());
        }
        let answers =
            join_all(self.endpoints.iter().map(|endpoint| endpoint.execute(StatusRequest {}, limit))).await;
        let mut preference = self.preference();
        for (place, answer) in answers.into_iter().enumerate() {
            if let Ok(status) = answer {
                preference.name(place, status.node);
            }
        }
    }
}

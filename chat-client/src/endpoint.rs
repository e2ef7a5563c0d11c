//! One node as a client sees it: an address, a long-lived connection that is opened when it is first needed, one try per
//! operation.
//!
//! Opening the connection is a step of its own before the request is handed over, so that whatever ends in it provably
//! never left. A connection that broke is forgotten, and the next operation takes that step again.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use proto::chat::chat_client::ChatClient;
use proto::chat::{Event, SubscribeRequest};
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};
use tonic::transport::{Channel, Uri};
use tonic::{Request, Streaming};

use crate::error::{Cause, Effect, Error};
use crate::operation::Operation;

/// How often a connection is asked for a sign of life, also when nothing happens on it: a subscription to a node that was
/// paused or cut off would otherwise wait for ever.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// How long such a sign may take before the connection counts as broken: with the interval, a node that fell silent is
/// noticed within five seconds.
const PING_LIMIT: Duration = Duration::from_secs(3);

/// The name of the subscribe operation in errors.
pub(crate) const SUBSCRIBE: &str = "subscribe";

/// An address that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// It is not `host:port`.
    #[error("`{address}` is not an address: write HOST:PORT, as in 127.0.0.1:50051")]
    Malformed {
        /// What was given.
        address: String,
    },
    /// There is none.
    #[error("no server is given: write HOST:PORT, as in 127.0.0.1:50051")]
    None,
}

/// One node: one connection, one try per operation. Cheap to make; connects when it is first used.
#[derive(Debug)]
pub struct Endpoint {
    address: Mutex<String>,
    /// The address to connect from; none: the system chooses.
    from: Option<IpAddr>,
    /// Locked while a connection is being opened, so that operations that start together share one.
    slot: tokio::sync::Mutex<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    /// How many connections were opened so far.
    opened: u64,
    current: Option<Connection>,
}

#[derive(Debug, Clone)]
struct Connection {
    address: String,
    /// Tells this connection from the one that came after it.
    number: u64,
    channel: Channel,
}

impl Endpoint {
    /// The node at `address`, `host:port`.
    ///
    /// # Errors
    ///
    /// When `address` is not of that form. Whether anybody listens there is seen at the first operation.
    pub fn new(address: &str) -> Result<Self, AddressError> {
        uri(address)?;
        let address = Mutex::new(address.to_owned());
        Ok(Endpoint { address, from: None, slot: tokio::sync::Mutex::default() })
    }

    /// The same node, connected to from the local address `from`; `None`: the system chooses, as it does at first.
    #[must_use]
    pub fn connecting_from(self, from: Option<IpAddr>) -> Self {
        Self { from, ..self }
    }

    /// The node's address.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The node is at `address` from now on: the next operation connects there.
    ///
    /// # Errors
    ///
    /// When `address` is not `host:port`.
    pub fn set_address(&self, address: &str) -> Result<(), AddressError> {
        uri(address)?;
        address.clone_into(&mut self.address.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// Tries `operation` once, within `limit`.
    ///
    /// # Errors
    ///
    /// Whatever went wrong with this one try.
    pub async fn execute<O: Operation>(&self, operation: O, limit: Duration) -> Result<O::Reply, Error> {
        let deadline = Instant::now() + limit;
        let connection = self.connect(O::NAME, O::EFFECT, limit).await?;
        let mut request = Request::new(operation);
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
        let answer = timeout_at(deadline, O::call(request, connection.channel.clone())).await;
        let error = match answer {
            Ok(Ok(reply)) => return Ok(reply.into_inner()),
            Ok(Err(status)) => Error::from_status(O::NAME, O::EFFECT, &connection.address, &status),
            Err(_) => Error::deadline(O::NAME, O::EFFECT, &connection.address, limit),
        };
        // The channel has the same limit, and which of the two notices first is chance.
        let error = match error.cause() {
            Cause::Deadline => Error::deadline(O::NAME, O::EFFECT, &connection.address, limit),
            _ => error,
        };
        self.forget_if_broken(&connection, &error);
        Err(error)
    }

    /// Opens a subscription, within `limit`; the stream itself has no limit.
    ///
    /// # Errors
    ///
    /// Whatever went wrong with this one try.
    pub async fn subscribe(
        &self,
        request: SubscribeRequest,
        limit: Duration,
    ) -> Result<Streaming<Event>, Error> {
        let deadline = Instant::now() + limit;
        let connection = self.connect(SUBSCRIBE, Effect::Read, limit).await?;
        let mut client = ChatClient::new(connection.channel.clone());
        let error = match timeout_at(deadline, client.subscribe(request)).await {
            Ok(Ok(stream)) => return Ok(stream.into_inner()),
            Ok(Err(status)) => Error::from_status(SUBSCRIBE, Effect::Read, &connection.address, &status),
            Err(_) => Error::deadline(SUBSCRIBE, Effect::Read, &connection.address, limit),
        };
        self.forget_if_broken(&connection, &error);
        Err(error)
    }

    /// The open connection, or a new one. Nothing of the operation has left while this runs.
    async fn connect(
        &self,
        operation: &'static str,
        effect: Effect,
        limit: Duration,
    ) -> Result<Connection, Error> {
        match timeout(limit, self.open()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err((address, error))) => Err(Error::connect(operation, effect, &address, &error)),
            Err(_) => Err(Error::connect_deadline(operation, effect, &self.address(), limit)),
        }
    }

    async fn open(&self) -> Result<Connection, (String, tonic::transport::Error)> {
        let mut slot = self.slot.lock().await;
        let address = self.address();
        if let Some(connection) = slot.current.as_ref().filter(|connection| connection.address == address) {
            return Ok(connection.clone());
        }
        let target = Channel::builder(uri(&address).expect("addresses are checked when they are set"))
            .local_address(self.from)
            .http2_keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_LIMIT)
            .keep_alive_while_idle(true);
        let channel = target.connect().await.map_err(|error| (address.clone(), error))?;
        slot.opened += 1;
        let connection = Connection { address, number: slot.opened, channel };
        slot.current = Some(connection.clone());
        Ok(connection)
    }

    fn forget_if_broken(&self, connection: &Connection, error: &Error) {
        if !matches!(error.cause(), Cause::Broken | Cause::Connect) {
            return;
        }
        // Whoever holds the lock is about to use or to replace the connection, and will see for itself.
        let Ok(mut slot) = self.slot.try_lock() else { return };
        if slot.current.as_ref().is_some_and(|current| current.number == connection.number) {
            slot.current = None;
        }
    }
}

fn uri(address: &str) -> Result<Uri, AddressError> {
    let malformed = || AddressError::Malformed { address: address.to_owned() };
    let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(malformed());
    }
    let uri: Uri = format!("http://{address}").parse().map_err(|_| malformed())?;
    let exact = uri.path() == "/" && uri.authority().is_some_and(|authority| authority.as_str() == address);
    if exact { Ok(uri) } else { Err(malformed()) }
}

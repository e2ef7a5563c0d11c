//! A client of the cluster: what can be done without being anybody, and how to become somebody.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use proto::chat::{
    Attempt, Code, CreateAccountRequest, ListAccountsReply, ListAccountsRequest, LoginRequest,
};
use tokio::time::Instant;

use crate::error::Error;
use crate::identity::{ClientId, Identity, Ticket};
use crate::operation::Operation;
use crate::retry::{self, Policy};
use crate::servers::Servers;
use crate::session::{Session, Token};

/// A client of the cluster. A clone shares its connections and its identity.
#[derive(Debug, Clone)]
pub struct Client {
    servers: Arc<Servers>,
    policy: Policy,
    /// Of the creations of accounts, which belong to no account.
    identity: Arc<Identity>,
}

impl Client {
    /// A client of `servers` that tries again by `policy`.
    #[must_use]
    pub fn new(servers: Servers, policy: Policy) -> Self {
        Client { servers: Arc::new(servers), policy, identity: Arc::new(Identity::new(ClientId::random())) }
    }

    /// The nodes that it knows.
    #[must_use]
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// How it tries again.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Carries out `operation`, on whichever node serves it.
    ///
    /// # Errors
    ///
    /// The error of the last try that reached a node, or else of the last one; indefinite when any try was.
    pub async fn execute<O: Operation>(&self, operation: O) -> Result<O::Reply, Error> {
        self.try_by(&self.policy, operation).await
    }

    /// Carries out the operation that `request` makes of its attempt, exactly once however often it has to be tried.
    ///
    /// A client that did nothing for long is forgotten by the cluster, which then cannot tell its next operation from a
    /// retry. If none of the tries may have been applied it is no retry, so it begins anew as another client's.
    pub(crate) async fn once<O: Operation>(
        &self,
        identity: &Identity,
        request: impl Fn(Option<Attempt>) -> O,
    ) -> Result<O::Reply, Error> {
        let start = Instant::now();
        let ticket = identity.begin();
        let result = self.settle(&self.policy, &ticket, request(Some(ticket.attempt()))).await;
        let error = match result {
            Err(error) if error.code() == Some(Code::AttemptForgotten) => error,
            result => return result,
        };
        identity.renew(&ticket);
        match self.policy.rest(error.tries(), start.elapsed()) {
            Some(rest) if error.is_definite() => {
                let ticket = identity.begin();
                let result = self.settle(&rest, &ticket, request(Some(ticket.attempt()))).await;
                result.map_err(|last| last.following(error.tries()))
            }
            _ => Err(error),
        }
    }

    /// Tries `operation`, and notes on its ticket when the cluster certainly applied it.
    async fn settle<O: Operation>(
        &self,
        policy: &Policy,
        ticket: &Ticket,
        operation: O,
    ) -> Result<O::Reply, Error> {
        let result = self.try_by(policy, operation).await;
        if result.as_ref().map_or_else(|error| error.cause().row().kept, |_| true) {
            ticket.applied();
        }
        result
    }

    async fn try_by<O: Operation>(&self, policy: &Policy, operation: O) -> Result<O::Reply, Error> {
        retry::run(policy, retry::random_fraction, |limit| self.attempt(operation.clone(), limit)).await
    }

    async fn attempt<O: Operation>(&self, operation: O, limit: Duration) -> Result<O::Reply, Error> {
        let deadline = Instant::now() + limit;
        let (place, endpoint) = self.servers.pick();
        let result = endpoint.execute(operation, limit).await;
        match &result {
            Ok(_) => self.servers.succeeded(place),
            Err(error) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.servers.failed(place, error, left).await;
            }
        }
        result
    }

    /// Creates the account `name`.
    ///
    /// # Errors
    ///
    /// `Exists`, `Invalid` when the name is none, and whatever else can go wrong.
    pub async fn create_account(&self, name: &str, password: &str) -> Result<(), Error> {
        let (name, password) = (name.to_owned(), password.to_owned());
        let request =
            |attempt| CreateAccountRequest { name: name.clone(), password: password.clone(), attempt };
        self.once(&self.identity, request).await?;
        Ok(())
    }

    /// A page of the names that match `pattern` (`*`, `?`; empty for all) and sort after `after`, in order. At most
    /// `limit`, which is at most 1,000; 0 leaves it to the node.
    ///
    /// # Errors
    ///
    /// Whatever can go wrong with a read.
    pub async fn list_accounts(
        &self,
        pattern: &str,
        after: &str,
        limit: u32,
    ) -> Result<ListAccountsReply, Error> {
        self.execute(ListAccountsRequest { pattern: pattern.to_owned(), after: after.to_owned(), limit })
            .await
    }

    /// Opens a session of the account `name`.
    ///
    /// # Errors
    ///
    /// `NotFound`, `WrongPassword`, and whatever else can go wrong. After an unknown outcome a session may be open that
    /// nobody holds; it expires by itself.
    pub async fn login(&self, name: &str, password: &str) -> Result<Session, Error> {
        let reply =
            self.execute(LoginRequest { name: name.to_owned(), password: password.to_owned() }).await?;
        Ok(self.resume(name, Token::new(reply.token), reply.expires_ms))
    }

    /// The session of the account `name` that was opened earlier. Whether it still is will be seen when it is used.
    #[must_use]
    pub fn resume(&self, name: &str, token: Token, expires_ms: u64) -> Session {
        Session::new(self.clone(), name, token, expires_ms)
    }
}

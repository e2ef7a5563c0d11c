//! A client with somebody's token: what a person can do.

use std::fmt;
use std::sync::Arc;

use proto::chat::{
    Code, DeleteAccountRequest, LogoutRequest, ReadReply, ReadRequest, SendReply, SendRequest, SetTopicReply,
    SetTopicRequest, TopicReply, TopicRequest, read_request, set_topic_request,
};

use crate::client::Client;
use crate::error::Error;
use crate::identity::{ClientId, Identity};
use crate::subscription::Subscription;

/// The secret that a session is held by. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token as a node gave it.
    #[must_use]
    pub fn new(token: String) -> Self {
        Token(token)
    }

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Which part of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The messages after this one, the oldest first.
    After(u64),
    /// The nearest messages before this one, the oldest first.
    Before(u64),
    /// The last ones, the oldest first.
    Last,
}

/// What a read must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Everything that was acknowledged before the read began.
    Linearizable,
    /// What the asked node has: a prefix of the conversation, also without a leader.
    Stale,
}

/// What a topic must be before it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected<'a> {
    /// Whatever it is.
    Anything,
    /// It was set so many times; 0: never.
    Version(u64),
    /// This text; empty: there is none.
    Text(&'a str),
}

/// Somebody's session. A clone shares its identity.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    name: String,
    token: Token,
    expires_ms: u64,
    /// The session's own, because an identity belongs to one life of an account, as a session does.
    identity: Arc<Identity>,
}

impl Session {
    pub(crate) fn new(client: Client, name: &str, token: Token, expires_ms: u64) -> Self {
        let identity = Arc::new(Identity::new(ClientId::random()));
        Session { client, name: name.to_owned(), token, expires_ms, identity }
    }

    /// Whose session it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its secret.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// When it ends by itself, in Unix milliseconds.
    #[must_use]
    pub fn expires_ms(&self) -> u64 {
        self.expires_ms
    }

    fn secret(&self) -> String {
        self.token.0.clone()
    }

    /// Deletes the account, and with it every session of it.
    ///
    /// # Errors
    ///
    /// Whatever can go wrong.
    pub async fn delete_account(&self) -> Result<(), Error> {
        let request = |attempt| DeleteAccountRequest { token: self.secret(), attempt };
        self.client.once(&self.identity, request).await?;
        Ok(())
    }

    /// Ends this session, or with `everywhere` every session of the account. Ending one that has already ended is no
    /// error.
    ///
    /// # Errors
    ///
    /// Whatever can go wrong; with `everywhere` also `NotAuthenticated`, since nothing is known of the other sessions
    /// then.
    pub async fn logout(&self, everywhere: bool) -> Result<(), Error> {
        match self.client.execute(LogoutRequest { token: self.secret(), everywhere }).await {
            Err(error) if error.code() == Some(Code::NotAuthenticated) && !everywhere => Ok(()),
            result => result.map(|_| ()),
        }
    }

    /// Sends `body` to `to`, exactly once however often it has to be tried.
    ///
    /// # Errors
    ///
    /// `NotFound` when nobody is called `to`, and whatever else can go wrong.
    pub async fn send(&self, to: &str, body: &str) -> Result<SendReply, Error> {
        let request =
            |attempt| SendRequest { token: self.secret(), to: to.to_owned(), body: body.to_owned(), attempt };
        self.client.once(&self.identity, request).await
    }

    /// Reads a page of the conversation with `with`, at most `limit` messages, which is at most 1,000; 0 leaves it to
    /// the node.
    ///
    /// # Errors
    ///
    /// Whatever can go wrong with a read.
    pub async fn read(
        &self,
        with: &str,
        page: Page,
        limit: u32,
        consistency: Consistency,
    ) -> Result<ReadReply, Error> {
        let from = match page {
            Page::After(sequence) => Some(read_request::From::After(sequence)),
            Page::Before(sequence) => Some(read_request::From::Before(sequence)),
            Page::Last => None,
        };
        let stale = consistency == Consistency::Stale;
        self.client
            .execute(ReadRequest { token: self.secret(), with: with.to_owned(), from, limit, stale })
            .await
    }

    /// Sets the topic of the conversation with `with`, once however often it has to be tried, if it is what is
    /// `expected`. An empty `text` takes it away.
    ///
    /// # Errors
    ///
    /// `Conflict` when the topic is another one, `NotFound` when nobody is called `with`, and whatever else can go wrong.
    pub async fn set_topic(
        &self,
        with: &str,
        text: &str,
        expected: Expected<'_>,
    ) -> Result<SetTopicReply, Error> {
        let expected = match expected {
            Expected::Anything => None,
            Expected::Version(version) => Some(set_topic_request::Expected::ExpectedVersion(version)),
            Expected::Text(text) => Some(set_topic_request::Expected::ExpectedText(text.to_owned())),
        };
        let request = |attempt| SetTopicRequest {
            token: self.secret(),
            with: with.to_owned(),
            text: text.to_owned(),
            attempt,
            expected: expected.clone(),
        };
        self.client.once(&self.identity, request).await
    }

    /// The topic of the conversation with `with`: the newest that was acknowledged.
    ///
    /// # Errors
    ///
    /// `NotFound` when nobody is called `with`, and whatever else can go wrong with a read.
    pub async fn topic(&self, with: &str) -> Result<TopicReply, Error> {
        self.client.execute(TopicRequest { token: self.secret(), with: with.to_owned() }).await
    }

    /// Every message of this person's conversations after `cursor` as it comes in; 0 is the beginning. Connects when it
    /// is first asked for an event.
    #[must_use]
    pub fn subscribe(&self, cursor: u64) -> Subscription {
        Subscription::new(self.client.clone(), self.token.clone(), cursor)
    }
}

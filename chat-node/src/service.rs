//! What a person or an operator can do, without the wire: checks, passwords and tokens around proposals and reads.
//!
//! The service decides nothing that the cluster must agree on. It refuses early what the machine would refuse anyway,
//! hashes passwords before anything is proposed, and turns tokens into hashes, so that neither is ever replicated. A
//! command is judged by the machine when it is applied; a read checks the session in the very state that it shows, so
//! there is no moment between the two. It speaks in the messages of `hearsay.chat.v1`, and knows no transport.
//!
//! # Which errors are certain
//! Everything up to the proposal certainly changed nothing, and so did every refusal by the machine. What consensus
//! could not answer is as certain as it says (see [`Failure`]); the service never makes it more so.
//!
//! # What it does not do
//! * It does not check the session before it proposes: only the log knows which came first, and a retry is entitled to
//!   its outcome after the session's end. So anyone who can connect can fill the log with refusals.
//! * It does not keep sessions alive: the lifetime is fixed at login.

pub mod consensus;
mod error;
mod subscription;
mod token;

use std::sync::Arc;

use futures::Stream;
use proto::chat;
use proto::log::command::Action;
use proto::log::reply::Outcome;
use proto::log::{self, Command};
use tokio::sync::Semaphore;

use consensus::Consensus;
use token::Token;

pub use error::ServiceError;

use crate::bug::Bug;
use crate::env::{Env, Instant};
use crate::machine::account;
use crate::machine::attempt::Attempt;
use crate::machine::command::{check_body, check_topic};
use crate::machine::conversation::{self, Part};
use crate::machine::name::Name;
use crate::machine::pattern::Pattern;
use crate::machine::session::{self, Caller, TokenHash};
use crate::machine::tables::{StoreError, Tables};
use crate::machine::topic;
use crate::password::{Cost, PASSWORD_BYTES_MAX, Password, Passwords};
use crate::raft::{Consistency, Failure, Status};

/// The most names or messages of one page.
pub const PAGE_LIMIT_MAX: u32 = 1_000;

/// How many names a page has when nothing is asked for.
const NAMES_LIMIT_DEFAULT: u32 = 100;

/// How many messages a page has when nothing is asked for.
const MESSAGES_LIMIT_DEFAULT: u32 = 50;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceConfig {
    /// The cost of new password hashes.
    pub password_cost: Cost,
    /// How long a session lives, in milliseconds of log time: 1 to a year.
    pub session_ms: u64,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self { password_cost: Cost::Default, session_ms: 30 * 24 * 60 * 60 * 1_000 }
    }
}

/// The chat on one node. A clone is the same service.
#[derive(Debug, Clone)]
pub struct Service<C> {
    consensus: C,
    env: Env,
    passwords: Passwords,
    session_ms: u64,
    /// Has no permits; it is closed when the service stops, which ends every wait for one.
    running: Arc<Semaphore>,
}

impl<C: Consensus> Service<C> {
    /// The chat over `consensus`.
    #[must_use]
    pub fn new(env: Env, consensus: C, config: ServiceConfig) -> Self {
        let passwords = Passwords::new(env.clone(), config.password_cost);
        let running = Arc::new(Semaphore::new(0));
        Self { consensus, env, passwords, session_ms: config.session_ms, running }
    }

    /// Ends every subscription with `STOPPING`, as soon as it has told what there is, so that each goes on with another
    /// node at once. To be called when the node is about to stop: a subscription has no other end while the node runs.
    /// Other calls end by themselves.
    pub fn stop(&self) {
        self.running.close();
    }

    /// Waits until the service stops.
    async fn stopped(&self) {
        self.running.acquire().await.expect_err("there are no permits, so only the end ends the wait");
    }

    /// What the service touches the world with.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Creates an account.
    ///
    /// # Errors
    /// `EXISTS`, `INVALID`, `ATTEMPT_FORGOTTEN`, and those of a proposal.
    pub async fn create_account(
        &self,
        request: chat::CreateAccountRequest,
        deadline: Instant,
    ) -> Result<chat::CreateAccountReply, ServiceError> {
        let attempt = check_attempt(request.attempt)?;
        Name::parse(&request.name)?;
        let password = check_password(request.password)?;
        let password_hash = self.passwords.hash(password, deadline).await?;
        let create = log::CreateAccount { name: request.name, password_hash };
        match self.propose(None, attempt, Action::CreateAccount(create), deadline).await? {
            Outcome::Done(_) => Ok(chat::CreateAccountReply {}),
            _ => Err(ServiceError::misanswered()),
        }
    }

    /// Deletes the caller's account, and ends all its sessions.
    ///
    /// # Errors
    /// `NOT_AUTHENTICATED`, `INVALID`, `ATTEMPT_FORGOTTEN`, and those of a proposal.
    pub async fn delete_account(
        &self,
        request: chat::DeleteAccountRequest,
        deadline: Instant,
    ) -> Result<chat::DeleteAccountReply, ServiceError> {
        let token = Token::parse(&request.token)?;
        let attempt = check_attempt(request.attempt)?;
        let action = Action::DeleteAccount(log::DeleteAccount {});
        match self.propose(Some(&token), attempt, action, deadline).await? {
            Outcome::Done(_) => Ok(chat::DeleteAccountReply {}),
            _ => Err(ServiceError::misanswered()),
        }
    }

    /// One page of the names of all accounts.
    ///
    /// # Errors
    /// `INVALID`, and those of a read.
    pub async fn list_accounts(
        &self,
        request: chat::ListAccountsRequest,
        deadline: Instant,
    ) -> Result<chat::ListAccountsReply, ServiceError> {
        let pattern = Pattern::parse(&request.pattern)?;
        let limit = check_limit(request.limit, NAMES_LIMIT_DEFAULT)?;
        let read = move |tables: &dyn Tables, _| account::list(tables, &pattern, &request.after, limit);
        let page = self.consensus.read(Consistency::Linearizable, deadline, read).await?;
        Ok(chat::ListAccountsReply { names: page.names, more: page.more })
    }

    /// Opens a session with a password. A lost answer leaves a session whose token nobody knows; it expires.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_PASSWORD`, `INVALID`, and those of a read and a proposal.
    pub async fn login(
        &self,
        request: chat::LoginRequest,
        deadline: Instant,
    ) -> Result<chat::LoginReply, ServiceError> {
        let name = Name::parse(&request.name)?;
        let password = check_password(request.password)?;
        let of = name.clone();
        let read = move |tables: &dyn Tables, _| account::find(tables, &of);
        let account = self.consensus.read(Consistency::Linearizable, deadline, read).await?;
        let Some(account) = account else {
            return Err(ServiceError::new(chat::Code::NotFound, format!("no account is named {name}")));
        };
        if !self.passwords.verify(password, account.password_hash, deadline).await? {
            let what = format!("that is not the password of {name}");
            return Err(ServiceError::new(chat::Code::WrongPassword, what));
        }
        let token = Token::draw(&self.env);
        let open = log::OpenSession {
            name: request.name,
            account_id: account.account_id,
            token_hash: token.hash().to_vec(),
            lifetime_ms: self.session_ms,
        };
        match self.propose(None, chat::Attempt::default(), Action::OpenSession(open), deadline).await? {
            Outcome::SessionOpened(opened) => {
                Ok(chat::LoginReply { token: token.into_text(), expires_ms: opened.expires_ms })
            }
            _ => Err(ServiceError::misanswered()),
        }
    }

    /// Ends the caller's session, or all of the account.
    ///
    /// # Errors
    /// `NOT_AUTHENTICATED`, and those of a proposal.
    pub async fn logout(
        &self,
        request: chat::LogoutRequest,
        deadline: Instant,
    ) -> Result<chat::LogoutReply, ServiceError> {
        let token = Token::parse(&request.token)?;
        let action = Action::CloseSession(log::CloseSession { everywhere: request.everywhere });
        match self.propose(Some(&token), chat::Attempt::default(), action, deadline).await? {
            Outcome::Done(_) => Ok(chat::LogoutReply {}),
            _ => Err(ServiceError::misanswered()),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// `NOT_AUTHENTICATED`, `NOT_FOUND`, `INVALID`, `TOO_LARGE`, `ATTEMPT_FORGOTTEN`, and those of a proposal.
    pub async fn send(
        &self,
        request: chat::SendRequest,
        deadline: Instant,
    ) -> Result<chat::SendReply, ServiceError> {
        let token = Token::parse(&request.token)?;
        let attempt = check_attempt(request.attempt)?;
        Name::parse(&request.to)?;
        check_body(&request.body)?;
        let send = log::Send { to: request.to, body: request.body };
        match self.propose(Some(&token), attempt, Action::Send(send), deadline).await? {
            Outcome::Sent(log::Sent { conversation, sequence, time_ms }) => {
                Ok(chat::SendReply { conversation, sequence, time_ms })
            }
            _ => Err(ServiceError::misanswered()),
        }
    }

    /// One page of a conversation. A stale read shows what this node has applied; if it does not know the session, it
    /// may be the node that is late, so the read is then made as a linearizable one.
    ///
    /// # Errors
    /// `NOT_AUTHENTICATED`, `NOT_FOUND`, `INVALID`, and those of a read.
    pub async fn read(
        &self,
        request: chat::ReadRequest,
        deadline: Instant,
    ) -> Result<chat::ReadReply, ServiceError> {
        let token_hash = Token::parse(&request.token)?.hash();
        let with = Name::parse(&request.with)?;
        let limit = check_limit(request.limit, MESSAGES_LIMIT_DEFAULT)?;
        let part = match request.from {
            None => Part::Last,
            Some(chat::read_request::From::After(sequence)) => Part::After(sequence),
            Some(chat::read_request::From::Before(sequence)) => Part::Before(sequence),
        };
        let of = with.clone();
        let page = move |tables: &dyn Tables, applied: u64, caller: &Caller| {
            Ok((conversation::page(tables, caller, &of, part, limit)?, applied))
        };
        let mut answer = None;
        if request.stale {
            answer = self.read_as(token_hash, Consistency::Stale, deadline, page.clone()).await?;
        }
        if answer.is_none() {
            answer = self.read_as(token_hash, Consistency::Linearizable, deadline, page).await?;
        }
        let (page, applied) = answer.ok_or_else(ServiceError::not_authenticated)?;
        let Some(page) = page else {
            return Err(ServiceError::new(chat::Code::NotFound, format!("no account is named {with}")));
        };
        let messages = page.messages.into_iter().map(|(sequence, record)| message(sequence, record));
        Ok(chat::ReadReply {
            conversation: page.conversation.into_string(),
            messages: messages.collect(),
            head: page.head,
            applied,
        })
    }

    /// Sets the topic of a conversation, if it is what the request expects.
    ///
    /// # Errors
    /// `CONFLICT`, `NOT_AUTHENTICATED`, `NOT_FOUND`, `INVALID`, `TOO_LARGE`, `ATTEMPT_FORGOTTEN`, and those of a proposal.
    pub async fn set_topic(
        &self,
        request: chat::SetTopicRequest,
        deadline: Instant,
    ) -> Result<chat::SetTopicReply, ServiceError> {
        let token = Token::parse(&request.token)?;
        let attempt = check_attempt(request.attempt)?;
        Name::parse(&request.with)?;
        check_topic(&request.text)?;
        let expected = request.expected.map(|expected| match expected {
            chat::set_topic_request::Expected::ExpectedVersion(version) => {
                log::set_topic::Expected::ExpectedVersion(version)
            }
            chat::set_topic_request::Expected::ExpectedText(text) => {
                log::set_topic::Expected::ExpectedText(text)
            }
        });
        let set = log::SetTopic { with: request.with, text: request.text, expected };
        match self.propose(Some(&token), attempt, Action::SetTopic(set), deadline).await? {
            Outcome::TopicSet(log::TopicSet { conversation, version, time_ms }) => {
                Ok(chat::SetTopicReply { conversation, version, time_ms })
            }
            _ => Err(ServiceError::misanswered()),
        }
    }

    /// The topic of a conversation.
    ///
    /// # Errors
    /// `NOT_AUTHENTICATED`, `NOT_FOUND`, `INVALID`, and those of a read.
    pub async fn topic(
        &self,
        request: chat::TopicRequest,
        deadline: Instant,
    ) -> Result<chat::TopicReply, ServiceError> {
        let token_hash = Token::parse(&request.token)?.hash();
        let with = Name::parse(&request.with)?;
        let of = with.clone();
        let read = move |tables: &dyn Tables, applied: u64, caller: &Caller| {
            Ok((topic::find(tables, caller, &of)?, applied))
        };
        let answer = self.read_as(token_hash, Consistency::Linearizable, deadline, read).await?;
        let (topic, applied) = answer.ok_or_else(ServiceError::not_authenticated)?;
        let Some(topic::Topic { conversation, text, version, by, time_ms }) = topic else {
            return Err(ServiceError::new(chat::Code::NotFound, format!("no account is named {with}")));
        };
        let conversation = conversation.into_string();
        Ok(chat::TopicReply { conversation, text, version, by, time_ms, applied })
    }

    /// Every message of the caller's conversations with a greater cursor, and then those to come, as they are applied
    /// on this node. It ends with an error only; `NOT_AUTHENTICATED` when the session ends.
    ///
    /// # Errors
    /// `NOT_AUTHENTICATED`, and those of a read.
    pub async fn subscribe(
        &self,
        request: chat::SubscribeRequest,
        deadline: Instant,
    ) -> Result<impl Stream<Item = Result<chat::Event, ServiceError>> + Send + use<C>, ServiceError> {
        let token_hash = Token::parse(&request.token)?.hash();
        subscription::begin(self.clone(), token_hash, request.cursor, deadline).await
    }

    /// What this node says of itself.
    #[must_use]
    pub fn status(&self) -> Status {
        self.consensus.status()
    }

    /// The digest of this node's state once `at_least` is applied, and the index it stands at; with `verify`, compared
    /// with one that is computed afresh from every record.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn digest(
        &self,
        at_least: u64,
        verify: bool,
        deadline: Instant,
    ) -> Result<(u64, String), ServiceError> {
        Ok(self.consensus.digest(at_least, verify, deadline).await?)
    }

    async fn propose(
        &self,
        token: Option<&Token>,
        attempt: chat::Attempt,
        action: Action,
        deadline: Instant,
    ) -> Result<Outcome, ServiceError> {
        let chat::Attempt { client_id, sequence, answered_below } = attempt;
        let command = Command { client_id, sequence, answered_below, action: Some(action) };
        let actor = token.map_or_else(Vec::new, |token| token.hash().to_vec());
        let proposed = self.consensus.propose(actor, command, deadline).await;
        let refuses = self.env.bugs.has(Bug::UnknownAsRefused);
        let proposed = proposed.map_err(|failure| match failure {
            Failure::Unknown { leader, .. } if refuses => Failure::NoLeader { leader },
            failure => failure,
        });
        match proposed?.outcome {
            Some(Outcome::Refusal(refusal)) => Err(refusal.into()),
            Some(outcome) => Ok(outcome),
            None => Err(ServiceError::misanswered()),
        }
    }

    /// Shows a state to `f` in the name of a session that lives in that same state. `None` when it does not.
    async fn read_as<T: Send + 'static>(
        &self,
        token_hash: TokenHash,
        consistency: Consistency,
        deadline: Instant,
        f: impl FnOnce(&dyn Tables, u64, &Caller) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Option<T>, ServiceError> {
        let read = move |tables: &dyn Tables, applied| {
            session::caller(tables, &token_hash)?.map(|caller| f(tables, applied, &caller)).transpose()
        };
        Ok(self.consensus.read(consistency, deadline, read).await?)
    }
}

fn message(sequence: u64, record: log::MessageRecord) -> chat::Message {
    let log::MessageRecord { from, body, time_ms, client_id, client_sequence } = record;
    chat::Message { sequence, from, body, time_ms, client_id, client_sequence }
}

fn check_attempt(attempt: Option<chat::Attempt>) -> Result<chat::Attempt, ServiceError> {
    let attempt = attempt.unwrap_or_default();
    Attempt::parse(&attempt.client_id, attempt.sequence, attempt.answered_below)?;
    Ok(attempt)
}

fn check_password(password: String) -> Result<Password, ServiceError> {
    let what = || {
        let what = format!("a password is 1 to {PASSWORD_BYTES_MAX} bytes");
        ServiceError::new(chat::Code::Invalid, what)
    };
    Password::new(password).ok_or_else(what)
}

fn check_limit(asked: u32, default: u32) -> Result<usize, ServiceError> {
    match asked {
        0 => Ok(default as usize),
        1..=PAGE_LIMIT_MAX => Ok(asked as usize),
        _ => {
            let what = format!("a page has at most {PAGE_LIMIT_MAX} entries, and {asked} were asked for");
            Err(ServiceError::new(chat::Code::Invalid, what))
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

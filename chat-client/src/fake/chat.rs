//! The state that the fake nodes share: accounts, sessions, conversations, and the outcome of every attempt.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prost::Message as _;
use proto::chat::{
    Attempt, Code, ErrorDetail, Event, ListAccountsReply, ListAccountsRequest, LoginReply, LoginRequest,
    Message, ReadReply, ReadRequest, SendReply, SendRequest, SetTopicReply, SetTopicRequest, TopicReply,
    TopicRequest, read_request, set_topic_request,
};
use tokio::sync::watch;
use tonic::Status;

/// 2025-03-01 09:31:01 UTC; the first message comes a second later.
const START_MS: u64 = 1_740_821_461_000;
const TOKEN_LIFETIME_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// The state of a cluster in memory. A clone is the same one.
#[derive(Debug, Clone)]
pub struct FakeChat {
    state: Arc<Mutex<State>>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    accounts: BTreeMap<String, String>,
    sessions: BTreeMap<String, String>,
    conversations: BTreeMap<String, Vec<Message>>,
    /// By conversation: the last setting and how many there were.
    topics: BTreeMap<String, TopicReply>,
    log: Vec<Event>,
    /// The clients that are known, and below which number each has had its answers.
    clients: BTreeMap<String, u64>,
    /// What each attempt ended in, encoded.
    outcomes: BTreeMap<(String, u64), Result<Vec<u8>, Status>>,
    tokens: u64,
    leader: String,
    /// The members, and whether they vote.
    pub(super) members: BTreeMap<String, bool>,
}

impl Default for FakeChat {
    fn default() -> Self {
        FakeChat { state: Arc::default(), changes: watch::Sender::new(0) }
    }
}

impl FakeChat {
    /// Makes `name` the leader that nodes report.
    pub fn set_leader(&self, name: &str) {
        self.state().set_leader(name);
    }

    /// Creates an account beforehand.
    pub fn add_account(&self, name: &str, password: &str) {
        self.state().accounts.insert(name.to_owned(), password.to_owned());
    }

    /// Opens a session beforehand, and gives its token.
    #[must_use]
    pub fn add_session(&self, name: &str) -> String {
        self.state().open_session(name)
    }

    /// Sends a message beforehand.
    pub fn add_message(&self, from: &str, to: &str, body: &str) {
        self.state().append(from, to, body, "seed", 0);
        self.changed();
    }

    /// Forgets every client, as a cluster does with those that did nothing for long.
    pub fn forget_clients(&self) {
        let mut state = self.state();
        state.clients.clear();
        state.outcomes.clear();
    }

    /// The bodies of the conversation between `one` and `other`, in order.
    #[must_use]
    pub fn bodies(&self, one: &str, other: &str) -> Vec<String> {
        let state = self.state();
        let messages = state.conversations.get(&conversation_of(one, other));
        messages.into_iter().flatten().map(|message| message.body.clone()).collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changed(&self) {
        self.changes.send_modify(|version| *version += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

impl State {
    pub(super) fn set_leader(&mut self, name: &str) {
        name.clone_into(&mut self.leader);
    }

    pub(super) fn leader(&self) -> &str {
        &self.leader
    }

    pub(super) fn applied(&self) -> u64 {
        self.log.len() as u64
    }

    /// Runs `act` unless the attempt was made before: then its first outcome is given again, or it is refused where that
    /// can no longer be known. Outcomes are kept by the rules of the real thing.
    pub(super) fn once<R: prost::Message + Default>(
        &mut self,
        attempt: Option<&Attempt>,
        act: impl FnOnce(&mut State) -> Result<R, Status>,
    ) -> Result<R, Status> {
        let Some(attempt) = attempt else { return Err(refusal(Code::Invalid, "the attempt is missing", "")) };
        if attempt.sequence - attempt.answered_below >= 256 {
            return Err(refusal(Code::Invalid, "a client has at most 256 unanswered attempts", ""));
        }
        let key = (attempt.client_id.clone(), attempt.sequence);
        let known = self.clients.get(&attempt.client_id).copied();
        if known.map_or(attempt.answered_below > 1, |below| attempt.sequence < below) {
            return Err(refusal(Code::AttemptForgotten, "the outcome is no longer kept", ""));
        }
        if let Some(outcome) = self.outcomes.get(&key) {
            return outcome
                .clone()
                .map(|bytes| R::decode(bytes.as_slice()).expect("a reply that was encoded here"));
        }
        let outcome = act(self);
        let is_kept = outcome.as_ref().map_or_else(|status| !is_before_apply(status), |_| true);
        if is_kept {
            let below = attempt.answered_below.max(known.unwrap_or(1));
            self.clients.insert(attempt.client_id.clone(), below);
            self.outcomes.retain(|(client, sequence), _| *client != attempt.client_id || *sequence >= below);
            self.outcomes.insert(key, outcome.as_ref().map(R::encode_to_vec).map_err(Status::clone));
        }
        outcome
    }

    pub(super) fn caller(&self, token: &str) -> Result<String, Status> {
        let caller = self.sessions.get(token).cloned();
        caller.ok_or_else(|| refusal(Code::NotAuthenticated, "the session has ended", ""))
    }

    pub(super) fn create_account(&mut self, name: String, password: String) -> Result<(), Status> {
        if self.accounts.contains_key(&name) {
            return Err(refusal(Code::Exists, &format!("the name {name} is taken"), ""));
        }
        self.accounts.insert(name, password);
        Ok(())
    }

    pub(super) fn delete_account(&mut self, token: &str) -> Result<(), Status> {
        let caller = self.caller(token)?;
        self.accounts.remove(&caller);
        self.sessions.retain(|_, name| *name != caller);
        Ok(())
    }

    pub(super) fn list_accounts(&self, request: &ListAccountsRequest) -> ListAccountsReply {
        let start = request.pattern.trim_end_matches('*');
        let limit = if request.limit == 0 { 100 } else { request.limit as usize };
        let mut names: Vec<String> = self
            .accounts
            .keys()
            .filter(|name| name.starts_with(start) && **name > request.after)
            .cloned()
            .collect();
        let more = names.len() > limit;
        names.truncate(limit);
        ListAccountsReply { names, more }
    }

    pub(super) fn login(&mut self, request: &LoginRequest) -> Result<LoginReply, Status> {
        match self.accounts.get(&request.name) {
            None => Err(refusal(Code::NotFound, &format!("nobody is called {}", request.name), "")),
            Some(password) if *password != request.password => {
                Err(refusal(Code::WrongPassword, "the password is wrong", ""))
            }
            Some(_) => {
                let token = self.open_session(&request.name);
                Ok(LoginReply { token, expires_ms: START_MS + TOKEN_LIFETIME_MS })
            }
        }
    }

    fn open_session(&mut self, name: &str) -> String {
        self.tokens += 1;
        let token = format!("{:064x}", self.tokens);
        self.sessions.insert(token.clone(), name.to_owned());
        token
    }

    pub(super) fn logout(&mut self, token: &str, everywhere: bool) -> Result<(), Status> {
        let caller = self.caller(token)?;
        self.sessions.retain(|other, name| other != token && !(everywhere && *name == caller));
        Ok(())
    }

    pub(super) fn send(&mut self, request: &SendRequest) -> Result<SendReply, Status> {
        let from = self.caller(&request.token)?;
        if !self.accounts.contains_key(&request.to) {
            return Err(refusal(Code::NotFound, &format!("nobody is called {}", request.to), ""));
        }
        let attempt = request.attempt.clone().unwrap_or_default();
        Ok(self.append(&from, &request.to, &request.body, &attempt.client_id, attempt.sequence))
    }

    fn append(
        &mut self,
        from: &str,
        to: &str,
        body: &str,
        client_id: &str,
        client_sequence: u64,
    ) -> SendReply {
        let conversation = conversation_of(from, to);
        let cursor = self.applied() + 1;
        let time_ms = START_MS + 1_000 * cursor;
        let messages = self.conversations.entry(conversation.clone()).or_default();
        let message = Message {
            sequence: messages.len() as u64 + 1,
            from: from.to_owned(),
            body: body.to_owned(),
            time_ms,
            client_id: client_id.to_owned(),
            client_sequence,
        };
        messages.push(message.clone());
        let sequence = message.sequence;
        self.log.push(Event { cursor, conversation: conversation.clone(), message: Some(message) });
        SendReply { conversation, sequence, time_ms }
    }

    pub(super) fn read(&self, request: &ReadRequest) -> Result<ReadReply, Status> {
        let caller = self.caller(&request.token)?;
        let conversation = conversation_of(&caller, &request.with);
        let all = self.conversations.get(&conversation).map_or(&[][..], Vec::as_slice);
        let limit = if request.limit == 0 { 50 } else { request.limit as usize };
        let (first, end) = match request.from {
            Some(read_request::From::After(after)) => {
                let first = all.len().min(usize::try_from(after).unwrap_or(usize::MAX));
                (first, all.len().min(first + limit))
            }
            Some(read_request::From::Before(before)) => {
                let end = all.len().min(usize::try_from(before).unwrap_or(usize::MAX).saturating_sub(1));
                (end.saturating_sub(limit), end)
            }
            None => (all.len().saturating_sub(limit), all.len()),
        };
        let messages = all[first..end].to_vec();
        Ok(ReadReply { conversation, messages, head: all.len() as u64, applied: self.applied() })
    }

    pub(super) fn set_topic(&mut self, request: &SetTopicRequest) -> Result<SetTopicReply, Status> {
        let mut topic = self.topic(&request.token, &request.with)?;
        let is_met = match &request.expected {
            None => true,
            Some(set_topic_request::Expected::ExpectedVersion(version)) => *version == topic.version,
            Some(set_topic_request::Expected::ExpectedText(text)) => *text == topic.text,
        };
        if !is_met {
            let what = format!("the topic is another one by now, of version {}", topic.version);
            return Err(refusal(Code::Conflict, &what, ""));
        }
        topic.version += 1;
        topic.text.clone_from(&request.text);
        topic.by = self.caller(&request.token)?;
        topic.time_ms = START_MS + 1_000 * topic.version;
        let TopicReply { conversation, version, time_ms, .. } = topic.clone();
        self.topics.insert(conversation.clone(), topic);
        Ok(SetTopicReply { conversation, version, time_ms })
    }

    pub(super) fn read_topic(&self, request: &TopicRequest) -> Result<TopicReply, Status> {
        self.topic(&request.token, &request.with)
    }

    fn topic(&self, token: &str, with: &str) -> Result<TopicReply, Status> {
        let caller = self.caller(token)?;
        if !self.accounts.contains_key(with) {
            return Err(refusal(Code::NotFound, &format!("nobody is called {with}"), ""));
        }
        let conversation = conversation_of(&caller, with);
        let none = TopicReply { conversation: conversation.clone(), ..TopicReply::default() };
        Ok(self.topics.get(&conversation).cloned().unwrap_or(none))
    }

    /// The first event after `cursor` that `person` is to see.
    pub(super) fn event_after(&self, person: &str, cursor: u64) -> Option<Event> {
        let is_theirs = |event: &&Event| event.conversation.split(':').any(|name| name == person);
        self.log.iter().filter(|event| event.cursor > cursor).find(is_theirs).cloned()
    }
}

fn conversation_of(one: &str, other: &str) -> String {
    if one <= other { format!("{one}:{other}") } else { format!("{other}:{one}") }
}

/// The refusal leaves the attempt free to be made again.
fn is_before_apply(status: &Status) -> bool {
    let detail = ErrorDetail::decode(status.details()).expect("a refusal that was made here");
    matches!(detail.code(), Code::Invalid | Code::NotAuthenticated)
}

/// A status with the chat's detail, as a node gives it.
pub(super) fn refusal(code: Code, message: &str, leader: &str) -> Status {
    let detail = ErrorDetail { code: code.into(), message: message.to_owned(), leader: leader.to_owned() };
    Status::with_details(tonic::Code::FailedPrecondition, message, detail.encode_to_vec().into())
}

//! One client of the chat, as one process of the history has it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use chat_client::wire::chat::{
    Attempt, CreateAccountRequest, DeleteAccountRequest, Event, ListAccountsRequest, LoginRequest,
    ReadRequest, SendRequest, SetTopicRequest, TopicRequest, read_request, set_topic_request,
};
use chat_client::{Cause, Endpoint, Error, Operation};
use futures::future::{FutureExt, LocalBoxFuture};
use serde_json::{Value, json};

use super::listener::{Listener, Poll};
use super::{Shared, body, connection, password_of, topic, unknown};
use crate::system::{Client, Invocation, NodeName, Outcome};

/// Whose attempts the creations of accounts are: a name that no person has.
const NOBODY: &str = "";

/// See the module.
pub(super) struct PersonClient {
    identity: String,
    /// By person: an identity of the chat belongs to one account. Creations of accounts belong to nobody.
    attempts: BTreeMap<String, Attempts>,
    shared: Rc<Shared>,
    endpoints: BTreeMap<NodeName, Rc<Endpoint>>,
    listener: Listener,
}

/// The attempts of one client in the name of one person: those of one identity of the chat after another.
#[derive(Default)]
struct Attempts {
    /// How many identities came before.
    generation: u64,
    /// The last attempt of this identity.
    last: u64,
}

impl Attempts {
    /// Goes on with an identity of its own. The cluster keeps nothing of an identity before its first applied attempt,
    /// and takes one that claims answers for one that it has forgotten: so none outlives an attempt that failed, nor
    /// the account that it belongs to.
    fn renew(&mut self) {
        *self = Self { generation: self.generation + 1, last: 0 };
    }
}

/// Why an operation has no answer.
enum Failure {
    /// The chat, or the way to it, failed.
    Chat(Error),
    /// It was never sent.
    Unsent(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Chat(error)
    }
}

impl PersonClient {
    pub(super) fn new(identity: &str, shared: Rc<Shared>) -> Self {
        let (attempts, endpoints) = (BTreeMap::new(), BTreeMap::new());
        Self { identity: identity.to_owned(), attempts, shared, endpoints, listener: Listener::default() }
    }

    async fn try_once(
        &mut self,
        node: &str,
        invocation: &Invocation,
        limit: Duration,
    ) -> Result<Value, Failure> {
        let shared = &self.shared;
        let addresses = shared.directory.get(node).ok_or_else(|| Failure::Unsent(unknown(node)))?;
        let endpoint = connection(&mut self.endpoints, node, addresses.clients, addresses.clients_from)
            .map_err(Failure::Unsent)?;
        let key = invocation.key.as_deref().unwrap_or_default();
        let call = Call { node, endpoint: &endpoint, limit };
        match invocation.f {
            "send" => self.send(call, key, &invocation.value).await,
            // A read of a register says nothing of pages.
            "read" if invocation.value.is_null() => self.read_topic(call, key).await,
            "read" => self.read(call, key, &invocation.value).await,
            "write" => self.set_topic(call, key, &invocation.value, None).await,
            "cas" => {
                let [from, to] = [&invocation.value[0], &invocation.value[1]];
                self.set_topic(call, key, to, Some(from)).await
            }
            "poll" => self.poll(call, node, key, &invocation.value).await,
            "create-account" => {
                let (name, password) = (key.to_owned(), password_of(key));
                self.write(call, NOBODY, |attempt| CreateAccountRequest { name, password, attempt }).await?;
                Ok(Value::Null)
            }
            "delete-account" => {
                let token = self.token_of(key)?;
                self.write(call, key, |attempt| DeleteAccountRequest { token, attempt }).await?;
                self.attempts.entry(key.to_owned()).or_default().renew();
                Ok(Value::Null)
            }
            "login" => {
                let (name, password) = (key.to_owned(), password_of(key));
                let reply = call.execute(LoginRequest { name, password }).await?;
                self.shared.tokens.borrow_mut().insert(key.to_owned(), reply.token);
                Ok(Value::Null)
            }
            "list-accounts" => {
                let limit = number(&invocation.value, "limit");
                let pattern = invocation.value["pattern"].as_str().unwrap_or_default().to_owned();
                let request = ListAccountsRequest { pattern, after: String::new(), limit };
                let reply = call.execute(request).await?;
                Ok(json!({ "names": reply.names }))
            }
            other => Err(Failure::Unsent(format!("the chat has no operation `{other}`"))),
        }
    }

    async fn send(&mut self, call: Call<'_>, key: &str, value: &Value) -> Result<Value, Failure> {
        let id = value["id"].as_str().unwrap_or_default();
        let (from, to) = speakers(key, id);
        let token = self.token_of(from)?;
        let body = body::compose(id, self.shared.payload);
        let to = to.to_owned();
        let reply = self.write(call, from, |attempt| SendRequest { token, to, body, attempt }).await?;
        Ok(json!({ "id": id, "seq": reply.sequence }))
    }

    async fn read(&mut self, call: Call<'_>, key: &str, value: &Value) -> Result<Value, Failure> {
        let (reader, with) = speakers(key, &self.identity);
        let from = match (value["after"].as_u64(), value["before"].as_u64()) {
            (Some(after), _) => Some(read_request::From::After(after)),
            (None, Some(before)) => Some(read_request::From::Before(before)),
            (None, None) => None,
        };
        let (token, limit) = (self.token_of(reader)?, number(value, "limit"));
        let stale = value["stale"] == true;
        let request = ReadRequest { token, with: with.to_owned(), from, limit, stale };
        let reply = call.execute(request).await?;
        let payload = self.shared.payload;
        let message = |message: &chat_client::wire::chat::Message| json!({ "seq": message.sequence, "id": body::identify(&message.body, payload) });
        let messages: Vec<Value> = reply.messages.iter().map(message).collect();
        Ok(json!({ "messages": messages, "head": reply.head }))
    }

    async fn read_topic(&self, call: Call<'_>, key: &str) -> Result<Value, Failure> {
        let (reader, with) = speakers(key, &self.identity);
        let request = TopicRequest { token: self.token_of(reader)?, with: with.to_owned() };
        Ok(topic::identify(&call.execute(request).await?.text))
    }

    async fn set_topic(
        &mut self,
        call: Call<'_>,
        key: &str,
        to: &Value,
        from: Option<&Value>,
    ) -> Result<Value, Failure> {
        let (by, with) = speakers(key, &self.identity);
        let (by, with) = (by.to_owned(), with.to_owned());
        let token = self.token_of(&by)?;
        let text = topic::compose(to);
        let expected = from.map(|from| set_topic_request::Expected::ExpectedText(topic::compose(from)));
        self.write(call, &by, |attempt| SetTopicRequest { token, with, text, attempt, expected }).await?;
        Ok(Value::Null)
    }

    async fn poll(
        &mut self,
        call: Call<'_>,
        node: &str,
        person: &str,
        value: &Value,
    ) -> Result<Value, Failure> {
        let poll = Poll {
            node,
            endpoint: call.endpoint,
            person,
            token: self.token_of(person)?,
            after: value["after"].as_u64().unwrap_or_default(),
            is_final: value["final"] == true,
            limit: call.limit,
        };
        let events = self.listener.poll(poll).await?;
        let payload = self.shared.payload;
        let event = |event: &Event| {
            let message = event.message.clone().unwrap_or_default();
            let id = body::identify(&message.body, payload);
            json!({ "cursor": event.cursor, "key": event.conversation, "seq": message.sequence, "id": id })
        };
        Ok(json!({ "events": events.iter().map(event).collect::<Vec<Value>>() }))
    }

    /// A token of `person`. Without one the operation cannot be sent.
    fn token_of(&self, person: &str) -> Result<String, Failure> {
        let token = self.shared.tokens.borrow().get(person).cloned();
        token.ok_or_else(|| Failure::Unsent(format!("not-authenticated: nobody is logged in as {person}")))
    }

    /// Carries out a write of `person` as an attempt of its own, which is the same one however often it is tried.
    async fn write<O: Operation + Clone>(
        &mut self,
        call: Call<'_>,
        person: &str,
        request: impl FnOnce(Option<Attempt>) -> O,
    ) -> Result<O::Reply, Failure> {
        let attempts = self.attempts.entry(person.to_owned()).or_default();
        attempts.last += 1;
        let attempt = Attempt {
            client_id: format!("{}.{}", self.identity, attempts.generation),
            sequence: attempts.last,
            answered_below: attempts.last,
        };
        let answer = self.write_at_nodes(call, &request(Some(attempt))).await;
        if answer.is_err() {
            self.attempts.entry(person.to_owned()).or_default().renew();
        }
        answer
    }

    /// Tries a write at one node after another, until one knows what became of it.
    async fn write_at_nodes<O: Operation + Clone>(
        &mut self,
        call: Call<'_>,
        request: &O,
    ) -> Result<O::Reply, Failure> {
        let tries = self.shared.tries.max(1);
        let limit = call.limit / tries;
        let mut doubt = match call.endpoint.execute(request.clone(), limit).await {
            Err(error) if !error.is_definite() => error,
            answer => return Ok(answer?),
        };
        let nodes = self.shared.directory.nodes_after(call.node);
        for node in nodes.iter().cycle().take(usize::try_from(tries - 1).unwrap_or(usize::MAX)) {
            let Some(addresses) = self.shared.directory.get(node) else { continue };
            let endpoint = connection(&mut self.endpoints, node, addresses.clients, addresses.clients_from)
                .map_err(Failure::Unsent);
            // What one node refuses says nothing of what became of the try before.
            let Ok(endpoint) = endpoint else { continue };
            match endpoint.execute(request.clone(), limit).await {
                Ok(reply) => return Ok(reply),
                Err(error) if error.is_definite() => {}
                Err(error) => doubt = error,
            }
        }
        Err(doubt.into())
    }
}

/// One try at one node within one limit.
#[derive(Clone, Copy)]
struct Call<'a> {
    node: &'a str,
    endpoint: &'a Endpoint,
    limit: Duration,
}

impl Call<'_> {
    async fn execute<O: Operation>(self, operation: O) -> Result<O::Reply, Error> {
        self.endpoint.execute(operation, self.limit).await
    }
}

impl Client for PersonClient {
    fn execute<'a>(
        &'a mut self,
        node: &'a str,
        invocation: &'a Invocation,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Outcome> {
        async move {
            match self.try_once(node, invocation, limit).await {
                Ok(value) => Outcome::Ok(value),
                Err(Failure::Unsent(why)) => Outcome::Fail(why),
                Err(Failure::Chat(error)) if error.is_definite() => Outcome::Fail(describe(&error)),
                Err(Failure::Chat(error)) => Outcome::Info(describe(&error)),
            }
        }
        .boxed_local()
    }
}

/// The code of an error, by which the checker may take it as evidence, and its message: `exists: the name is taken`.
fn describe(error: &Error) -> String {
    let code = match error.cause() {
        Cause::Chat(code) => {
            let name = code.as_str_name();
            name.strip_prefix("CODE_").unwrap_or(name).to_ascii_lowercase().replace('_', "-")
        }
        Cause::Grpc(code) => format!("grpc-{code:?}").to_ascii_lowercase(),
        Cause::Connect => "connect".to_owned(),
        Cause::Deadline => "deadline".to_owned(),
        Cause::Broken => "broken".to_owned(),
        Cause::Decode => "decode".to_owned(),
    };
    format!("{code}: {}", error.message())
}

/// Who of the two people of a conversation acts, and who the other one is: settled by `by`, half and half.
fn speakers<'a>(key: &'a str, by: &str) -> (&'a str, &'a str) {
    let (one, other) = key.split_once(':').unwrap_or((key, key));
    if by.bytes().fold(0, u8::wrapping_add) % 2 == 0 { (one, other) } else { (other, one) }
}

/// A small number of an invocation.
fn number(value: &Value, name: &str) -> u32 {
    value[name].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

//! A system for tests of the testbed: its nodes are shells that sleep, and its conversations and registers are
//! maps in memory. A subscription is told everything at once.
//!
//! Unless it is told to lie, it is linearizable by construction, so whatever a check finds is the testbed's fault. Clients draw their outcomes:
//! some operations are refused, and some end without an answer, done or not.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{FutureExt, LocalBoxFuture};
use rand::RngExt;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Beginning, Client, Directory, Invocation, NodeName, NodeSpec, NodeView, Outcome, System};
use crate::rng::Rng;
use crate::scenario::plan::Plan;

/// The most messages of a page, whatever was asked for: pages end early, as those of a real system may.
const PAGE_MAX: usize = 7;

/// How long a client waits for an answer that does not come, at most.
const SILENCE_MAX: Duration = Duration::from_millis(50);

/// See the module.
pub(crate) struct FakeSystem {
    directory: Directory,
    store: Rc<Store>,
    /// What each node does before it listens, as a shell says it.
    beginning: String,
    /// The same from its second start on.
    second_beginning: String,
    /// What it does once it listens.
    life: String,
    /// A node through which nothing succeeds.
    closed: Option<NodeName>,
}

struct Store {
    conversations: RefCell<BTreeMap<String, Vec<String>>>,
    /// Every message in the order of all: its cursor, conversation, number and id.
    log: RefCell<Vec<(u64, String, usize, String)>>,
    registers: RefCell<BTreeMap<String, Value>>,
    applied: Cell<u64>,
    /// Of 100 operations, how many are refused and how many end without an answer.
    refused: u32,
    unanswered: u32,
    /// After how many sends every second page is one message behind.
    stale_after: Cell<u64>,
    rng: RefCell<Rng>,
}

impl FakeSystem {
    /// A system whose operations all succeed.
    pub(crate) fn new() -> Self {
        Self::unreliable(0, 0)
    }

    /// A system that refuses and leaves unanswered so many of 100 operations.
    pub(crate) fn unreliable(refused: u32, unanswered: u32) -> Self {
        let rng = RefCell::new(Rng::from_seed(1));
        let (conversations, log, registers) = (RefCell::default(), RefCell::default(), RefCell::default());
        let applied = Cell::default();
        let stale_after = Cell::new(u64::MAX);
        let store = Store { conversations, log, registers, applied, refused, unanswered, stale_after, rng };
        Self {
            directory: Directory::default(),
            store: Rc::new(store),
            beginning: String::new(),
            second_beginning: String::new(),
            life: "exec sleep 600".to_owned(),
            closed: None,
        }
    }

    /// Once so many operations changed something, every second read shows what was a moment ago.
    pub(crate) fn stale_after(self, operations: u64) -> Self {
        self.store.stale_after.set(operations);
        self
    }

    /// This node refuses every operation.
    pub(crate) fn closed(self, node: &str) -> Self {
        Self { closed: Some(node.into()), ..self }
    }

    /// The nodes do this once they listen.
    pub(crate) fn living(self, life: &str) -> Self {
        Self { life: life.to_owned(), ..self }
    }

    /// The nodes do this before they listen.
    pub(crate) fn beginning(self, beginning: &str) -> Self {
        Self { beginning: beginning.to_owned(), ..self }
    }

    /// The nodes do this before they listen when they are started again.
    pub(crate) fn beginning_again(self, beginning: &str) -> Self {
        Self { second_beginning: beginning.to_owned(), ..self }
    }
}

impl System for FakeSystem {
    fn unsupported(&self, _plan: &Plan) -> Option<String> {
        None
    }

    fn directory(&self) -> &Directory {
        &self.directory
    }

    /// For `/bin/sh`.
    fn node_arguments(&self, spec: &NodeSpec) -> Vec<OsString> {
        let beginning =
            if spec.beginning == Beginning::Founding { &self.beginning } else { &self.second_beginning };
        let line = json!({ "event": "listening", "listen": "127.0.0.1:1", "peer_listen": "127.0.0.1:1" });
        let script = format!("{beginning}\necho '{line}'\n{}", self.life);
        vec!["-c".into(), script.into(), spec.name.clone().into()]
    }

    fn prepare<'a>(
        &'a self,
        _plan: &'a Plan,
        _nodes: &'a [NodeName],
    ) -> LocalBoxFuture<'a, Result<(), String>> {
        futures::future::ready(Ok(())).boxed_local()
    }

    fn client(&self, _identity: &str) -> Box<dyn Client> {
        Box::new(FakeClient { store: Rc::clone(&self.store), closed: self.closed.clone() })
    }

    /// `n1` leads term 1 for ever.
    fn status<'a>(&'a self, node: &'a str, _limit: Duration) -> LocalBoxFuture<'a, Result<NodeView, String>> {
        let role = if node == "n1" { "leader" } else { "follower" };
        let view = NodeView {
            role: role.to_owned(),
            term: 1,
            leader: Some("n1".to_owned()),
            applied: self.store.applied.get(),
            last_log: self.store.applied.get(),
            purged: 0,
            members: BTreeMap::new(),
            is_changing: false,
        };
        futures::future::ready(Ok(view)).boxed_local()
    }

    fn digest<'a>(
        &'a self,
        _node: &'a str,
        _at_least: u64,
        _limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(u64, String), String>> {
        let applied = self.store.applied.get();
        futures::future::ready(Ok((applied, format!("{applied:032x}")))).boxed_local()
    }
}

struct FakeClient {
    store: Rc<Store>,
    closed: Option<NodeName>,
}

impl Client for FakeClient {
    fn execute<'a>(
        &'a mut self,
        node: &'a str,
        invocation: &'a Invocation,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Outcome> {
        async move {
            sleep(self.store.draw_delay()).await;
            if self.closed.as_deref() == Some(node) {
                return Outcome::Fail("refused: this node serves nobody".to_owned());
            }
            let fate = self.store.draw(100);
            let (refused, unanswered) = (self.store.refused, self.store.unanswered);
            if fate < refused {
                return Outcome::Fail("refused: certainly".to_owned());
            }
            let is_lost = fate < refused + unanswered;
            if is_lost && self.store.draw(2) == 0 {
                sleep(limit.min(SILENCE_MAX)).await;
                return Outcome::Info("deadline: the request was lost".to_owned());
            }
            let value = match self.store.apply(invocation) {
                Ok(value) => value,
                Err(why) => return Outcome::Fail(why),
            };
            if is_lost {
                sleep(limit.min(SILENCE_MAX)).await;
                return Outcome::Info("deadline: the answer was lost".to_owned());
            }
            sleep(self.store.draw_delay()).await;
            Outcome::Ok(value)
        }
        .boxed_local()
    }
}

impl Store {
    fn draw(&self, below: u32) -> u32 {
        self.rng.borrow_mut().random_range(0..below)
    }

    /// Whether this read lies.
    fn lies(&self) -> bool {
        self.applied.get() >= self.stale_after.get() && self.draw(2) == 0
    }

    fn draw_delay(&self) -> Duration {
        Duration::from_millis(u64::from(self.draw(4)))
    }

    fn apply(&self, invocation: &Invocation) -> Result<Value, String> {
        let key = invocation.key.clone().unwrap_or_default();
        match invocation.f {
            "poll" => Ok(self.deliver(&key, &invocation.value)),
            "write" | "cas" => self.set(key, invocation),
            "read" if invocation.value.is_null() => {
                // What every register was before anybody wrote it.
                let value = if self.lies() { None } else { self.registers.borrow().get(&key).cloned() };
                Ok(value.unwrap_or_default())
            }
            _ => Ok(self.talk(key, invocation)),
        }
    }

    fn set(&self, key: String, invocation: &Invocation) -> Result<Value, String> {
        let mut registers = self.registers.borrow_mut();
        let register = registers.entry(key).or_default();
        let value = &invocation.value;
        if invocation.f == "cas" && value[0] != *register {
            return Err("conflict: it is another one".to_owned());
        }
        *register = if invocation.f == "cas" { value[1].clone() } else { value.clone() };
        self.applied.set(self.applied.get() + 1);
        Ok(Value::Null)
    }

    fn deliver(&self, inbox: &str, value: &Value) -> Value {
        let after = value["after"].as_u64().unwrap_or_default();
        let log = self.log.borrow();
        let theirs = log
            .iter()
            .filter(|(cursor, key, ..)| *cursor > after && key.split(':').any(|name| name == inbox));
        let told = theirs
            .take(PAGE_MAX)
            .map(|(cursor, key, seq, id)| json!({ "cursor": cursor, "key": key, "seq": seq, "id": id }));
        json!({ "events": told.collect::<Vec<Value>>() })
    }

    fn talk(&self, key: String, invocation: &Invocation) -> Value {
        let mut conversations = self.conversations.borrow_mut();
        let messages = conversations.entry(key.clone()).or_default();
        let value = &invocation.value;
        if invocation.f == "send" {
            let id = value["id"].as_str().expect("a message has an id");
            messages.push(id.to_owned());
            self.applied.set(self.applied.get() + 1);
            self.log.borrow_mut().push((self.applied.get(), key, messages.len(), id.to_owned()));
            return json!({ "id": id, "seq": messages.len() });
        }
        let head = messages.len().saturating_sub(usize::from(self.lies()));
        let limit = usize::try_from(value["limit"].as_u64().unwrap_or(50))
            .map_or(PAGE_MAX, |limit| limit.min(PAGE_MAX));
        let number = |name: &str| value[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let page = match (number("after"), number("before")) {
            (_, Some(before)) => {
                let end = before.saturating_sub(1).min(head);
                end.saturating_sub(limit)..end
            }
            (after, None) => {
                let begin = after.unwrap_or(0).min(head);
                begin..(begin + limit).min(head)
            }
        };
        let shown: Vec<Value> =
            page.map(|index| json!({ "seq": index + 1, "id": messages[index] })).collect();
        json!({ "messages": shown, "head": head })
    }
}

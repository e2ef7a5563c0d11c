//! The chat as the system under test: the one place where the testbed knows it.
//!
//! A client of the history is an identity of the chat (its exactly-once attempts) and a connection of its own to each
//! node that it uses. One operation of the history is one request, unless the workload has `tries`: then a write that may
//! or may not have been applied is sent again, as the same attempt, to another node. Whether an error is definite is
//! decided by `chat-client`'s table and nowhere else; no later answer makes an earlier doubt definite but success.
//!
//! People log in before the load, and every client may speak for every person: sessions are replicated, so a token that
//! one node gave is good on all of them.

mod body;
mod client;
mod faults;
mod listener;
mod membership;
mod topic;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use chat_client::wire::admin::{Role, StatusReply};
use chat_client::{Client as ChatClient, Endpoint, Policy, Servers, admin};
use chat_node::bug::{Bug, Kind, PLANTABLE};
use futures::future::{FutureExt, LocalBoxFuture};

use tokio::time::Instant;

use self::client::PersonClient;
use super::{Beginning, Client, Consequence, Directory, NodeName, NodeSpec, NodeView, System};
use crate::scenario::plan::{ClockKind, DiskKind, Plan};
use crate::system::faults::NodeFaults;
use crate::system::membership::Membership;
use crate::workload;

/// How long the preparation may take for each person.
const PREPARE_LIMIT: Duration = Duration::from_secs(15);

/// How long to wait between two tries of a login.
const LOGIN_REST: Duration = Duration::from_millis(50);

/// The chat.
#[derive(Debug)]
pub struct ChatSystem {
    shared: Rc<Shared>,
    /// One connection to each node for questions about itself.
    admins: RefCell<BTreeMap<NodeName, Rc<Endpoint>>>,
}

/// What every client of the chat shares.
#[derive(Debug)]
struct Shared {
    directory: Directory,
    /// The length of a message's text in bytes.
    payload: u64,
    /// How often a write is tried whose outcome nobody knows; at least 1.
    tries: u32,
    /// A token of each person that somebody is logged in as.
    tokens: RefCell<BTreeMap<String, String>>,
}

impl ChatSystem {
    /// A chat of which no node is known yet, whose messages are `payload` bytes long, and whose
    /// clients try a write `tries` times.
    #[must_use]
    pub fn new(payload: u64, tries: u32) -> Self {
        let shared = Shared { directory: Directory::default(), payload, tries, tokens: RefCell::default() };
        Self { shared: Rc::new(shared), admins: RefCell::default() }
    }

    /// The node's connection for questions, at the address that it has now.
    fn admin(&self, node: &str) -> Result<Rc<Endpoint>, String> {
        let addresses = self.shared.directory.get(node).ok_or_else(|| unknown(node))?;
        connection(&mut self.admins.borrow_mut(), node, addresses.testbed, None)
    }

    async fn prepare_people(&self, people: Vec<String>, nodes: &[NodeName]) -> Result<(), String> {
        let addresses: Vec<String> = nodes
            .iter()
            .filter_map(|node| self.shared.directory.get(node))
            .map(|addresses| addresses.testbed.to_string())
            .collect();
        let servers = Servers::new(&addresses).map_err(|error| error.to_string())?;
        let client = ChatClient::new(servers, Policy::default().within(PREPARE_LIMIT));
        for person in &people {
            let created = client.create_account(person, &password_of(person)).await;
            created.map_err(|error| format!("no account for {person}: {error}"))?;
        }
        for person in people {
            let token =
                log_in(&client, &person).await.map_err(|error| format!("no login of {person}: {error}"))?;
            self.shared.tokens.borrow_mut().insert(person, token);
        }
        Ok(())
    }
}

impl System for ChatSystem {
    fn unsupported(&self, plan: &Plan) -> Option<String> {
        let wanted = plan.cluster.inject_bug.as_ref()?;
        if !PLANTABLE {
            return Some(format!(
                "the bug `{wanted}` cannot be planted: this build has none; build it with `--features bugs`"
            ));
        }
        let known = self.bugs();
        (!known.contains(&wanted.as_str()))
            .then(|| format!("there is no bug `{wanted}` to plant; this build has {}", known.join(", ")))
    }

    fn bugs(&self) -> Vec<&'static str> {
        Bug::ALL.map(Bug::name).to_vec()
    }

    fn consequence(&self, bug: &str) -> Consequence {
        match Bug::ALL.into_iter().find(|known| known.name() == bug).map(Bug::kind) {
            Some(Kind::Legal) => Consequence::Legal,
            Some(Kind::Invisible) => Consequence::Invisible,
            Some(Kind::Wrong) | None => Consequence::Wrong,
        }
    }

    fn membership(&self) -> Option<&dyn Membership> {
        Some(self)
    }

    fn faults(&self) -> Option<&dyn NodeFaults> {
        Some(self)
    }

    fn directory(&self) -> &Directory {
        &self.shared.directory
    }

    fn node_arguments(&self, spec: &NodeSpec) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        let mut option = |name: &str, value: OsString| arguments.extend([name.into(), value]);
        let mut peers = OsString::from("@");
        peers.push(&spec.peers_file);
        option("--node-id", spec.name.clone().into());
        option("--listen", spec.listen.to_string().into());
        option("--peer-listen", spec.peer_listen.to_string().into());
        if let Some(from) = spec.peer_bind {
            option("--peer-bind", from.to_string().into());
        }
        option("--peers", peers);
        option("--data-dir", spec.data_dir.clone().into());
        option("--trace", spec.trace_file.clone().into());
        // The passwords of a test are no secrets, and the real cost would make the test one of argon2.
        option("--argon2-cost", "cheap".into());
        if let Some(bug) = &spec.inject_bug {
            option("--inject-bug", bug.into());
        }
        arguments.push("--faults".into());
        let mut option = |name: &str, value: OsString| arguments.extend([name.into(), value]);
        if spec.disk == DiskKind::Volatile {
            option("--disk", "volatile".into());
        }
        if spec.clock == ClockKind::Skewable {
            option("--clock", "skewable".into());
        }
        for (name, value) in &spec.config {
            option(&format!("--{name}"), value.into());
        }
        arguments.push("--die-with-parent".into());
        match spec.beginning {
            Beginning::Founding => {
                arguments.push("--init".into());
                arguments.extend(["--founders".into(), spec.founders.join(",").into()]);
            }
            Beginning::Joining => arguments.push("--join".into()),
            Beginning::Again => {}
        }
        arguments
    }

    fn prepare<'a>(
        &'a self,
        plan: &'a Plan,
        nodes: &'a [NodeName],
    ) -> LocalBoxFuture<'a, Result<(), String>> {
        // The accounts that a workload is about it makes itself.
        self.prepare_people(workload::people(plan), nodes).boxed_local()
    }

    fn client(&self, identity: &str) -> Box<dyn Client> {
        Box::new(PersonClient::new(identity, Rc::clone(&self.shared)))
    }

    fn status<'a>(&'a self, node: &'a str, limit: Duration) -> LocalBoxFuture<'a, Result<NodeView, String>> {
        async move {
            let endpoint = self.admin(node)?;
            let status = admin::status(&endpoint, limit).await.map_err(|error| error.to_string())?;
            Ok(view(status))
        }
        .boxed_local()
    }

    fn digest<'a>(
        &'a self,
        node: &'a str,
        at_least: u64,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(u64, String), String>> {
        async move {
            let endpoint = self.admin(node)?;
            let digest = admin::digest(&endpoint, at_least, true, limit).await;
            digest.map(|reply| (reply.index, reply.digest)).map_err(|error| error.to_string())
        }
        .boxed_local()
    }
}

/// A token of `person`. A chat that does not know the account yet is asked again: that it lags is for the checker to
/// find, in a run that takes place.
async fn log_in(client: &ChatClient, person: &str) -> Result<String, chat_client::Error> {
    let deadline = Instant::now() + PREPARE_LIMIT;
    loop {
        match client.login(person, &password_of(person)).await {
            Ok(session) => return Ok(session.token().reveal().to_owned()),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(_) => tokio::time::sleep(LOGIN_REST).await,
        }
    }
}

fn view(status: StatusReply) -> NodeView {
    let role = match status.role() {
        Role::Leader => "leader",
        Role::Follower => "follower",
        Role::Candidate => "candidate",
        Role::Learner => "learner",
        Role::Unspecified => "unknown",
    };
    NodeView {
        role: role.to_owned(),
        term: status.term,
        leader: (!status.leader.is_empty()).then_some(status.leader),
        applied: status.applied,
        last_log: status.last_log,
        purged: status.purged,
        is_changing: status.changing,
        members: status.members.into_iter().map(|member| (member.node, member.voter)).collect(),
    }
}

/// The connection to `node` in `connections`, pointed at the address that the node has now. It is opened from the local
/// address `from`, if that matters.
fn connection(
    connections: &mut BTreeMap<NodeName, Rc<Endpoint>>,
    node: &str,
    address: SocketAddr,
    from: Option<IpAddr>,
) -> Result<Rc<Endpoint>, String> {
    let address = address.to_string();
    match connections.get(node) {
        Some(endpoint) => {
            endpoint.set_address(&address).map_err(|error| error.to_string())?;
            Ok(Rc::clone(endpoint))
        }
        None => {
            let endpoint = Endpoint::new(&address).map_err(|error| error.to_string())?;
            let endpoint = Rc::new(endpoint.connecting_from(from));
            connections.insert(node.to_owned(), Rc::clone(&endpoint));
            Ok(endpoint)
        }
    }
}

fn unknown(node: &str) -> String {
    format!("{node} was never started")
}

/// Everybody's password in a test.
fn password_of(person: &str) -> String {
    format!("the password of {person}")
}

//! What the testbed itself can drive: a whole run against a system that does next to nothing.
//!
//! The nodes are processes that send back every byte. 64 clients in a closed loop each send a request over TCP, wait for
//! the echo, and take their answer from a conversation in memory. The same clients are driven twice: by a bare loop, and
//! by a run as any other, with workers, recorder, history on disk, and the checker's verdict in the end. The difference
//! is what the testbed costs; it must not be what a measurement of a system measures.
//!
//! `cargo run --release -p supervisor --example harness_throughput`; exit 1 below [`FLOOR_PER_SECOND`].

#![expect(clippy::print_stdout, reason = "what it measures is for a person to read")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::future::{FutureExt, LocalBoxFuture, ready};
use serde_json::{Value, json};
use supervisor::harness::chain;
use supervisor::judge::Verdict;
use supervisor::report::progress::{Label, Progress, ProgressMode};
use supervisor::report::terminal;
use supervisor::run::stop::stop;
use supervisor::run::{RunSettings, run};
use supervisor::scenario::file::ScenarioFile;
use supervisor::scenario::plan::Plan;
use supervisor::suite::child::end_with;
use supervisor::system::{
    Addresses, Client, Directory, Invocation, NodeName, NodeSpec, NodeView, Outcome, System,
};
use supervisor::workload;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};

/// What the testbed must drive at least, in operations per second.
const FLOOR_PER_SECOND: f64 = 20_000.0;

/// How long the bare loop is measured.
const BARE: Duration = Duration::from_secs(5);

/// The length of a request and of its echo.
const MESSAGE_BYTES: usize = 128;

/// The most messages of an answer.
const PAGE_MAX: u64 = 50;

/// The argument with which this program is a node.
const NODE: &str = "echo-node";

const SCENARIO: &str = "\
version: 1
name: harness-throughput
cluster: { nodes: 3 }
workload: { kind: conversation, clients: 64, keys: 16, mix: { send: 50, read: 50 } }
run: { warmup: 1s, duration: 5s, settle: 10s }
checks: [linearizable, durable]
reach: { operations: 1000 }
";

/// The conversations of the whole system, and where its nodes are.
#[derive(Default)]
struct EchoSystem {
    directory: Directory,
    store: Rc<Store>,
}

#[derive(Default)]
struct Store {
    conversations: RefCell<BTreeMap<String, Vec<String>>>,
    applied: Cell<u64>,
}

struct EchoClient {
    directory: Directory,
    store: Rc<Store>,
    connections: BTreeMap<NodeName, TcpStream>,
}

impl System for EchoSystem {
    fn unsupported(&self, _plan: &Plan) -> Option<String> {
        None
    }

    fn directory(&self) -> &Directory {
        &self.directory
    }

    fn node_arguments(&self, _spec: &NodeSpec) -> Vec<OsString> {
        vec![NODE.into()]
    }

    fn prepare<'a>(
        &'a self,
        _plan: &'a Plan,
        _nodes: &'a [NodeName],
    ) -> LocalBoxFuture<'a, Result<(), String>> {
        ready(Ok(())).boxed_local()
    }

    fn client(&self, _identity: &str) -> Box<dyn Client> {
        let (directory, store) = (self.directory.clone(), Rc::clone(&self.store));
        Box::new(EchoClient { directory, store, connections: BTreeMap::new() })
    }

    /// `n1` leads term 1 for ever.
    fn status<'a>(&'a self, node: &'a str, _limit: Duration) -> LocalBoxFuture<'a, Result<NodeView, String>> {
        let role = if node == "n1" { "leader" } else { "follower" }.to_owned();
        let applied = self.store.applied.get();
        let leader = Some("n1".to_owned());
        ready(Ok(NodeView {
            role,
            term: 1,
            leader,
            applied,
            last_log: applied,
            purged: 0,
            members: BTreeMap::new(),
            is_changing: false,
        }))
        .boxed_local()
    }

    fn digest<'a>(
        &'a self,
        _node: &'a str,
        _at_least: u64,
        _limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(u64, String), String>> {
        let applied = self.store.applied.get();
        ready(Ok((applied, format!("{applied:032x}")))).boxed_local()
    }
}

impl Client for EchoClient {
    fn execute<'a>(
        &'a mut self,
        node: &'a str,
        invocation: &'a Invocation,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Outcome> {
        async move {
            match tokio::time::timeout(limit, self.echo(node)).await {
                Ok(Ok(())) => Outcome::Ok(self.store.apply(invocation)),
                Ok(Err(error)) => Outcome::Info(format!("unavailable: {error}")),
                Err(_) => Outcome::Info("deadline".to_owned()),
            }
        }
        .boxed_local()
    }
}

impl EchoClient {
    async fn echo(&mut self, node: &str) -> std::io::Result<()> {
        if !self.connections.contains_key(node) {
            let address = self.directory.get(node).ok_or_else(|| std::io::Error::other("no such node"))?;
            let stream = TcpStream::connect(address.clients).await?;
            stream.set_nodelay(true)?;
            self.connections.insert(node.to_owned(), stream);
        }
        let stream = self.connections.get_mut(node).expect("it is connected");
        let mut message = [7; MESSAGE_BYTES];
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        Ok(())
    }
}

impl Store {
    fn apply(&self, invocation: &Invocation) -> Value {
        let value = &invocation.value;
        let key = invocation.key.as_deref().unwrap_or_default();
        let mut conversations = self.conversations.borrow_mut();
        if !conversations.contains_key(key) {
            conversations.insert(key.to_owned(), Vec::new());
        }
        let messages = conversations.get_mut(key).expect("it is there");
        if invocation.f == "send" {
            messages.push(value["id"].as_str().expect("a message has an id").to_owned());
            self.applied.set(self.applied.get() + 1);
            return json!({ "id": value["id"], "seq": messages.len() });
        }
        let head = messages.len() as u64;
        let page = match value["before"].as_u64() {
            Some(before) => {
                let end = before.saturating_sub(1).min(head);
                end.saturating_sub(PAGE_MAX)..end
            }
            None => {
                let begin = value["after"].as_u64().unwrap_or(0).min(head);
                begin..(begin + PAGE_MAX).min(head)
            }
        };
        let message = |index: u64| {
            let place = usize::try_from(index).expect("it is in memory");
            json!({ "seq": index + 1, "id": messages[place] })
        };
        let shown: Vec<Value> = page.map(message).collect();
        json!({ "messages": shown, "head": head })
    }
}

/// A node: says where it listens, and echoes until whoever started it is gone.
async fn be_a_node() -> Result<(), String> {
    end_with(parent_id().cast_signed())?;
    let say = |error: std::io::Error| error.to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(say)?;
    let address = listener.local_addr().map_err(say)?;
    println!("{}", json!({ "event": "listening", "listen": address, "peer_listen": address }));
    loop {
        let (mut stream, _) = listener.accept().await.map_err(say)?;
        stream.set_nodelay(true).map_err(say)?;
        tokio::spawn(async move {
            let mut buffer = [0; 16 * MESSAGE_BYTES];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                if stream.write_all(&buffer[..read]).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// A node of the bare loop; it ends when this is dropped.
struct BareNode(Child);

impl BareNode {
    fn start() -> Result<(Self, SocketAddr), String> {
        let mut command = Command::new("/proc/self/exe");
        command.arg(NODE).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut node = Self(command.spawn().map_err(|error| format!("could not start a node: {error}"))?);
        let stdout = node.0.stdout.take().expect("it was asked for as a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.map_err(|error| format!("a node says nothing: {error}"))?;
        let said: Value = serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))?;
        let address = said["listen"].as_str().and_then(|address| address.parse().ok());
        Ok((node, address.ok_or_else(|| format!("a node does not say where it listens: {line}"))?))
    }
}

impl Drop for BareNode {
    fn drop(&mut self) {
        // They fail only for a process that has ended, which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The same clients and operations without workers, recorder and history; operations per second.
async fn bare_loop(plan: &Plan) -> Result<f64, String> {
    let system = EchoSystem::default();
    let names = Rc::new(plan.cluster.node_names());
    let mut nodes = Vec::new();
    for name in names.iter() {
        let (node, address) = BareNode::start()?;
        system.directory().set(name, Addresses { clients: address, clients_from: None, testbed: address });
        nodes.push(node);
    }
    let workload = Rc::new(RefCell::new(workload::of_plan(plan, &plan.rng().fork("workload"))));
    let answered = Rc::new(Cell::new(0_u32));
    let until = Instant::now() + BARE;
    let mut tasks = JoinSet::new();
    for number in 0..plan.workload.clients as usize {
        let mut client = system.client("bare");
        let (workload, names, answered) = (Rc::clone(&workload), Rc::clone(&names), Rc::clone(&answered));
        let limit = plan.workload.operation_timeout;
        tasks.spawn_local(async move {
            while Instant::now() < until {
                let invocation = workload.borrow_mut().next(number);
                let outcome = client.execute(&names[number % names.len()], &invocation, limit).await;
                workload.borrow_mut().completed(&invocation, &outcome);
                answered.set(answered.get() + u32::from(matches!(outcome, Outcome::Ok(_))));
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| error.to_string())?;
    }
    Ok(f64::from(answered.get()) / BARE.as_secs_f64())
}

/// A whole run; operations per second under load.
async fn whole_run(plan: Plan) -> Result<f64, String> {
    let runs = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (_stopper, interrupt) = stop();
    let label = Label { scenario: plan.name.clone(), seed: plan.seed, is_one_of_many: false };
    let progress = Progress::new(ProgressMode::None, Duration::ZERO, label);
    let settings = RunSettings {
        plan: Rc::new(plan),
        system: Rc::new(EchoSystem::default()),
        scenario_text: SCENARIO.to_owned(),
        runs: runs.path().to_owned(),
        node_binary: Some(PathBuf::from("/proc/self/exe")),
        replay_of: None,
        namespace: None,
        interrupt,
    };
    let report = run(settings, progress).await.map_err(|failure| chain(&failure))?;
    let verdict = report.verdict.ok_or("the run came to no verdict")?;
    println!("{}", terminal::render(&verdict, "(removed)"));
    let metrics = verdict.metrics.filter(|_| verdict.verdict == Verdict::Pass);
    Ok(metrics.ok_or("the run did not pass, so its speed says nothing")?.ok_per_second)
}

async fn compare() -> Result<bool, String> {
    let path = Path::new("harness-throughput.yaml");
    let file = ScenarioFile::parse(path, SCENARIO, &[]).map_err(|errors| errors.to_string())?;
    let plan = Plan::resolve(&file, 1);
    let bare = bare_loop(&plan).await?;
    let whole = whole_run(plan).await?;
    let costs_us = 1e6 / whole - 1e6 / bare;
    println!("bare loop    {bare:>8.0} operations/s");
    println!("whole run    {whole:>8.0} operations/s: the testbed costs {costs_us:.1} us an operation");
    println!("floor        {FLOOR_PER_SECOND:>8.0} operations/s");
    Ok(whole >= FLOOR_PER_SECOND)
}

fn main() -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build().expect("the kernel gives what it needs");
    let is_node = std::env::args().nth(1).is_some_and(|argument| argument == NODE);
    let ended = if is_node {
        runtime.block_on(be_a_node()).map(|()| true)
    } else {
        LocalSet::new().block_on(&runtime, compare())
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            println!("harness_throughput: {why}");
            ExitCode::FAILURE
        }
    }
}

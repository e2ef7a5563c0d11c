//! A node as a process: command line in, exit code out.
//!
//! One tokio thread runs all tasks: a node's work per message is small, and what is not (the disk, passwords, snapshots)
//! has threads of its own. With one thread nothing moves between cores, and several nodes share a machine fairly.

use std::ffi::OsString;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use clap::error::ErrorKind;
use nix::unistd::getppid;
use prost::Message as _;
use proto::log::Proposal;
use serde::Serialize;
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tonic::service::Routes;
use tracing_subscriber::EnvFilter;

use crate::bug::heads::CachedHeads;
use crate::bug::{Bug, Bugs};
use crate::chain::Chain;
use crate::config::{Args, Clock, ConfigError, DiskKind};
use crate::env::fault::disk::volatile::{UNSYNCED, VolatileDisk};
use crate::env::fault::{DiskControl, FaultControls, SkewedClock};
use crate::env::host::{self, clients::ClientListener};
use crate::env::{Disk, Env, HostDisk, HostRuntime, Peers, Runtime};
use crate::machine::{self, Applied};
use crate::node::{Failed, Node, StartError};
use crate::raft::machine_store::Apply;
use crate::rpc::admin::AdminRpc;
use crate::rpc::chat::ChatRpc;
use crate::rpc::fault::FaultRpc;
use crate::service::Service;
use crate::service::consensus::{Consensus, Operate};
use crate::store::database::is_guarded;
use crate::trace::Trace;

/// How many threads do what blocks: reads of the state, passwords, snapshots.
const BLOCKING_THREADS: usize = 8;
/// How long calls in flight may take when the node stops.
const DRAIN: Duration = Duration::from_secs(1);

/// Why a node ended other than asked to.
#[derive(Debug, Error)]
enum NodeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot listen for {who} on {address}")]
    Bind { who: &'static str, address: SocketAddr, source: io::Error },
    #[error("cannot use the data directory {directory}")]
    Directory { directory: String, source: io::Error },
    #[error("cannot open the trace {file}")]
    Trace { file: String, source: io::Error },
    #[error("{what}")]
    System { what: &'static str, source: io::Error },
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Failed(#[from] Failed),
    #[error("the process that started this one is gone")]
    Orphan,
}

impl NodeError {
    fn exit(&self) -> u8 {
        match self {
            NodeError::Config(_) | NodeError::Start(StartError::Pristine) => 2,
            NodeError::Bind { .. }
            | NodeError::Directory { .. }
            | NodeError::Trace { .. }
            | NodeError::System { .. }
            | NodeError::Orphan => 4,
            NodeError::Start(StartError::Store(_) | StartError::Consensus(_))
            | NodeError::Failed(Failed::Store(_)) => 5,
            NodeError::Failed(Failed::Consensus(_)) => PANIC,
        }
    }
}

/// The exit code of a bug of ours.
const PANIC: u8 = 70;

/// Runs a node until it is told to stop or cannot go on. `args` begins with the name of the program.
pub fn main<I>(args: I) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are not errors, and go to standard output.
            let code = if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                0
            } else {
                2
            };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    exit_on_panic();
    start_logs();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&args, &error);
            ExitCode::from(error.exit())
        }
    }
}

fn run(args: &Args) -> Result<(), NodeError> {
    if args.die_with_parent {
        die_with_parent()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(|source| NodeError::System { what: "cannot start the runtime", source })?;
    let ended = runtime.block_on(serve(args));
    // What still runs must not answer any more.
    runtime.shutdown_background();
    ended
}

async fn serve(args: &Args) -> Result<(), NodeError> {
    let mut signals = Signals::listen()?;
    let config = args.node_config()?;
    let name = config.node.clone();
    let bind = |who, address| move |source| NodeError::Bind { who, address, source };
    let (clients, listen) = ClientListener::bind(args.listen).await.map_err(bind("clients", args.listen))?;
    let host: Arc<dyn Runtime> = Arc::new(HostRuntime::current());
    let clock = (args.clock == Clock::Skewable).then(|| SkewedClock::new(host.clone()));
    let runtime = clock.as_ref().map_or_else(|| host.clone(), SkewedClock::runtime);
    let (peers, peer_listen) = Peers::bind(runtime.clone(), args.peer_listen, args.peer_bind, args.table())
        .await
        .map_err(bind("peers", args.peer_listen))?;
    let (disk, disk_control) = open_disk(args, host.clone())
        .map_err(|source| NodeError::Directory { directory: args.data_dir.display().to_string(), source })?;
    // A trace is evidence, whatever the node takes the time to be.
    let trace = open_trace(args, host)?;
    let env = host::env(runtime, peers, disk, Bugs::planted(&args.inject_bug));

    let node = Node::start(env.clone(), config, apply(&env), trace).await?;
    let service = Service::new(env.clone(), node.replica().clone(), args.service_config());
    let faults = disk_control.map(|disk| FaultControls::new(&env, clock, disk));
    let routes = routes(service.clone(), node.replica().clone(), faults);
    let (stop, stopped) = oneshot::channel::<()>();
    let (drained, all_drained) = oneshot::channel::<()>();
    env.spawn(async move {
        // A sender that is dropped stops it as one that sends does.
        let stopped = async { drop(stopped.await) };
        if let Err(error) = clients.serve(routes, stopped).await {
            tracing::error!(%error, "clients are not heard any more");
        }
        drop(drained);
    });
    announce(&Listening {
        event: "listening",
        node: name.as_str(),
        listen,
        peer_listen,
        pid: std::process::id(),
    })?;
    tracing::info!(node = %name, %listen, %peer_listen, "listens");

    tokio::select! {
        failed = node.failed() => return Err(failed.into()),
        () = signals.stop() => {}
    }
    // Subscriptions would go on for ever, and the connections of their clients with them.
    service.stop();
    node.retire().await;
    drop(stop);
    if env.timeout_at(env.now() + DRAIN, all_drained).await.is_err() {
        tracing::info!("does not wait for the calls that are still in flight");
    }
    node.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// What clients, operators and, with controls of faults, testers are served.
fn routes<C: Consensus, O: Operate>(
    service: Service<C>,
    operator: O,
    faults: Option<FaultControls>,
) -> Routes {
    let routes =
        Routes::new(ChatRpc::server(service.clone())).add_service(AdminRpc::server(service, operator));
    match faults {
        None => routes,
        Some(controls) => {
            tracing::warn!("testers may break this node: it was started with --faults");
            routes.add_service(FaultRpc::server(controls))
        }
    }
}

/// The node's directory, and what breaks it when testers may.
fn open_disk(args: &Args, runtime: Arc<dyn Runtime>) -> io::Result<(Arc<dyn Disk>, Option<DiskControl>)> {
    let plain: Arc<dyn Disk> = Arc::new(HostDisk::open(&args.data_dir)?);
    let (disk, volatile) = match args.disk {
        DiskKind::Plain => {
            // What an earlier run on a volatile disk said is not so any more.
            plain.remove(UNSYNCED)?;
            (plain, None)
        }
        DiskKind::Volatile => {
            let volatile = VolatileDisk::over(plain)?;
            (Arc::new(volatile.clone()) as Arc<dyn Disk>, Some(volatile))
        }
    };
    if !args.faults {
        return Ok((disk, None));
    }
    let (disk, control) = DiskControl::over(disk, volatile, runtime);
    Ok((disk, Some(control)))
}

/// The signals that ask the node to stop. They are listened to before anyone is told that the node is there.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, NodeError> {
        let listen = |kind| {
            signal(kind).map_err(|source| NodeError::System { what: "cannot wait for signals", source })
        };
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The chat, as the machine that the node replicates.
fn apply(env: &Env) -> Apply {
    let env = env.clone();
    let heads = CachedHeads::default();
    Arc::new(move |tables, index, proposal| {
        let context = Applied { index, bugs: env.bugs };
        if env.bugs.has(Bug::CachedHead) {
            return machine::apply(&mut heads.before(tables), context, proposal);
        }
        if env.bugs.has(Bug::LocalTime) {
            return machine::apply(tables, context, &at_local_time(&env, proposal));
        }
        machine::apply(tables, context, proposal)
    })
}

/// What a planted bug makes of a proposal: the time in it is this node's own.
fn at_local_time(env: &Env, proposal: &[u8]) -> Vec<u8> {
    match Proposal::decode(proposal) {
        Ok(proposal) => Proposal { time_ms: env.unix_ms(), ..proposal }.encode_to_vec(),
        Err(_) => proposal.to_vec(),
    }
}

/// The one line on standard output: where the node is heard.
#[derive(Debug, Serialize)]
struct Listening<'a> {
    event: &'static str,
    node: &'a str,
    listen: SocketAddr,
    peer_listen: SocketAddr,
    pid: u32,
}

fn announce(listening: &Listening<'_>) -> Result<(), NodeError> {
    let line = serde_json::to_string(listening).expect("it has only strings and numbers");
    let mut out = io::stdout().lock();
    // Whoever reads it started this node. If nobody can, nobody may be left to stop it either.
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|_| NodeError::Orphan)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a trace is not the node's own file: the tester says where it goes"
)]
fn open_trace(args: &Args, runtime: Arc<dyn Runtime>) -> Result<Trace, NodeError> {
    let Some(path) = &args.trace else { return Ok(Trace::default()) };
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|source| NodeError::Trace { file: path.display().to_string(), source })?;
    Ok(Trace::new(args.node_id.as_str(), runtime, Box::new(file)))
}

/// Has the kernel kill this process when its parent ends. A parent that ended before is noticed by its pid, or, when it
/// was gone already, by nobody reading the first line.
fn die_with_parent() -> Result<(), NodeError> {
    let parent = getppid();
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::SIGKILL).map_err(|error| NodeError::System {
        what: "cannot ask to die with the parent",
        source: error.into(),
    })?;
    if getppid() == parent { Ok(()) } else { Err(NodeError::Orphan) }
}

/// A node that met a bug of ours must not go on with what is left of it: a dead replica is safe. A panic of redb over a
/// damaged page is no bug of ours, and is caught where the page is read.
fn exit_on_panic() {
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let of_redb = info.location().is_some_and(|location| location.file().contains("/redb"));
        if !(of_redb && is_guarded()) {
            show(info);
            std::process::exit(PANIC.into());
        }
    }));
}

/// Text for people, JSON for files. `CHAT_LOG` says how much.
fn start_logs() {
    let filter =
        EnvFilter::try_from_env("CHAT_LOG").unwrap_or_else(|_| EnvFilter::new("info,openraft=error"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A second node in one process logs where the first one does.
    let _ = if io::stderr().is_terminal() { logs.try_init() } else { logs.json().try_init() };
}

/// The last words, for a person and for a file of logs alike.
#[expect(clippy::print_stderr, reason = "the last words of a node go to standard error, and from here only")]
fn complain(args: &Args, error: &NodeError) {
    struct Words<'a>(&'a Args, &'a NodeError);
    impl fmt::Display for Words<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "chat-node {}: {}", self.0.node_id, Chain(self.1))
        }
    }
    if io::stderr().is_terminal() {
        eprintln!("{}", Words(args, error));
    } else {
        tracing::error!(exit = error.exit(), "{}", Words(args, error));
    }
}

//! `supervisor up`: a cluster for people, on this machine, until Ctrl-C.

use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;
use std::time::Duration;

use super::{Interrupt, UpArgs, fail, say};
use crate::cluster::{Cluster, ClusterSettings, NodeState, Programs};
use crate::exit::Exit;
use crate::harness::{HarnessFailure, chain};
use crate::network::Network;
use crate::process::NodeBinary;
use crate::report::progress::{Label, Progress, ProgressMode};
use crate::run::clock::RunClock;
use crate::run::event::Events;
use crate::run::monitor::{Roles, watch_leaders};
use crate::rundir::JsonLines;
use crate::scenario::plan::{ClockKind, DiskKind};
use crate::system::{self, Directory};

/// How long the nodes may take to agree on a leader.
const LEADER_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long a node that died stays dead.
const RESTART_DELAY: Duration = Duration::from_secs(2);

/// How often the nodes are looked after.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

pub(super) async fn up(args: UpArgs, interrupt: Interrupt) -> Exit {
    let cluster = match interrupt.stop.unless_stopped(start(&args, &interrupt)).await {
        Some(Ok(cluster)) => cluster,
        Some(Err(failure)) => return fail(&chain(&failure), Exit::Harness),
        // The nodes that have started go with us.
        None => return interrupt.exit().unwrap_or(Exit::Expected),
    };
    while interrupt.stop.unless_stopped(tokio::time::sleep(LOOK_INTERVAL)).await.is_some() {
        if !args.no_restart
            && let Err(failure) = look_after(&cluster, &interrupt).await
        {
            // A node that cannot start now may start later: a person is there to see to it.
            fail(&chain(&failure), Exit::Harness);
        }
    }
    match cluster.stop_all().await {
        Ok(()) => interrupt.exit().unwrap_or(Exit::Expected),
        Err(failure) => fail(&chain(&failure), Exit::Harness),
    }
}

async fn start(args: &UpArgs, interrupt: &Interrupt) -> Result<Cluster, HarnessFailure> {
    fs::create_dir_all(&args.data).map_err(HarnessFailure::file("create", &args.data))?;
    let data = fs::canonicalize(&args.data).map_err(HarnessFailure::file("find", &args.data))?;
    let names: Vec<String> = (1..=args.nodes).map(|number| format!("n{number}")).collect();
    let mut directories = BTreeMap::new();
    let mut client_ports = BTreeMap::new();
    for (name, place) in names.iter().zip(0_u16..) {
        let directory = data.join(name);
        fs::create_dir_all(&directory).map_err(HarnessFailure::file("create", &directory))?;
        directories.insert(name.clone(), directory);
        let port = args.port.checked_add(place).ok_or_else(|| {
            HarnessFailure::Unsupported(format!(
                "--port {} leaves no room for {} nodes",
                args.port, args.nodes
            ))
        })?;
        client_ports.insert(name.clone(), port);
    }
    let label = Label { scenario: "up".to_owned(), seed: 0, is_one_of_many: false };
    let progress = Progress::new(ProgressMode::Plain, Duration::ZERO, label);
    let events = Events::new(RunClock::start(), JsonLines::append(data.join("events.jsonl"))?, progress);
    let binary = args.node_binary.clone().map_or_else(NodeBinary::itself, NodeBinary::at);
    let settings = ClusterSettings {
        founders: names,
        spares: Vec::new(),
        network: Network::Direct,
        programs: Programs::only(binary),
        directories,
        client_ports,
        inject_bug: None,
        disk: DiskKind::Plain,
        clock: ClockKind::Real,
        config: BTreeMap::new(),
        resume: true,
    };
    let system = system::built_in(0, 1)
        .ok_or_else(|| HarnessFailure::Unsupported("this build has no system of its own".to_owned()))?;
    let cluster = Cluster::new(settings, Rc::clone(&system), events.clone());
    cluster.start_all().await?;
    let leader = cluster.wait_for_leader(LEADER_WAIT_MAX).await?;
    say(&welcome(&cluster, system.directory(), &leader));
    let watch = watch_leaders(cluster.clone(), Roles::default(), events, interrupt.stop.clone());
    tokio::task::spawn_local(watch);
    Ok(cluster)
}

fn welcome(cluster: &Cluster, addresses: &Directory, leader: &str) -> String {
    let mut text = String::new();
    let mut servers = Vec::new();
    for name in &cluster.members() {
        let address = addresses.get(name).map(|addresses| addresses.clients.to_string()).unwrap_or_default();
        let pid = cluster.pid(name).map(|pid| pid.to_string()).unwrap_or_default();
        let role = if name == leader { "leader" } else { "" };
        text += format!("{name}  {address}  pid {pid}  {role}").trim_end();
        text.push('\n');
        servers.push(address);
    }
    text + &format!(
        "\nin another terminal:\n  export CHAT_SERVERS={}\n  cargo run --release -p chat-cli -- cluster status\nCtrl-C ends it.\n",
        servers.join(",")
    )
}

/// Starts what died, after a while.
async fn look_after(cluster: &Cluster, interrupt: &Interrupt) -> Result<(), HarnessFailure> {
    let members = cluster.members();
    let is_dead = |name: &&String| cluster.state(name) == NodeState::Dead;
    let dead: Vec<&String> = members.iter().filter(is_dead).collect();
    if dead.is_empty() || interrupt.stop.unless_stopped(tokio::time::sleep(RESTART_DELAY)).await.is_none() {
        return Ok(());
    }
    for name in dead {
        cluster.start(name).await?;
    }
    Ok(())
}

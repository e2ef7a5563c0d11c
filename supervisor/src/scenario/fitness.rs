//! Whether a cluster can suffer a fault: what is certain before anything starts, for a scenario as for a plan.
//!
//! A cluster has so many nodes, a network, disks and clocks of some kind. Whom a target means is seen when the fault
//! strikes; that it can never mean anybody, or that a disk cannot lose what it is not told to keep, is seen here. None of
//! it depends on what ranges are drawn to.

use super::file::ClusterSection;
use super::plan::{ClockKind, ClusterPlan, DiskKind, NODES_DEFAULT, NetworkKind};
use super::signal::Signal;
use super::target::Target;
use super::verb::{Disk, DiskVerb, Kill, Loss, Membership, Network, Partition, Party, Verb};
use crate::quorum::may_fail;

/// What kind of a cluster it is that faults are to strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClusterKind {
    /// How many nodes found it.
    nodes: usize,
    network: NetworkKind,
    disk: DiskKind,
    clock: ClockKind,
}

/// Why a verb cannot strike a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The field of the verb that asks for what cannot be, as the format calls it; empty: the verb itself.
    pub(super) field: &'static str,
    /// What is wrong.
    pub(super) message: String,
    /// What to write instead.
    pub(super) help: Option<String>,
}

impl From<&ClusterPlan> for ClusterKind {
    fn from(plan: &ClusterPlan) -> Self {
        let ClusterPlan { nodes, network, disk, clock, .. } = plan;
        Self { nodes: usize::from(*nodes), network: *network, disk: *disk, clock: *clock }
    }
}

impl From<&ClusterSection> for ClusterKind {
    fn from(said: &ClusterSection) -> Self {
        Self {
            nodes: usize::from(said.nodes.unwrap_or(NODES_DEFAULT)),
            network: said.network.map_or(NetworkKind::Proxy, |said| said.value),
            disk: said.disk.map_or(DiskKind::Plain, |said| said.value),
            clock: said.clock.map_or(ClockKind::Real, |said| said.value),
        }
    }
}

impl Misfit {
    fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into(), help: None }
    }

    fn helped(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Everything because of which `verb` can never strike such a cluster.
pub(super) fn misfits(verb: &Verb, cluster: &ClusterKind) -> Vec<Misfit> {
    match verb {
        Verb::Kill(Kill { target, signal }) => {
            let signal = unkilling(*signal).map(|why| Misfit::new("signal", why));
            nobody("target", target, cluster.nodes).into_iter().chain(signal).collect()
        }
        Verb::Pause(_) | Verb::Restart(_) | Verb::Crash(_) | Verb::Snapshot(_) => {
            let target = verb.target().expect("these verbs have a target");
            nobody("target", target, cluster.nodes)
        }
        Verb::TransferLeader(transfer) => nobody("to", &transfer.to, cluster.nodes),
        Verb::Clock(clock) => {
            let mut misfits = nobody("target", &clock.target, cluster.nodes);
            if cluster.clock != ClockKind::Skewable {
                let message = "the clocks of these nodes are the machine's and cannot be set wrong";
                misfits.push(Misfit::new("", message).helped("write `cluster: { clock: skewable }`"));
            }
            misfits
        }
        Verb::Disk(disk) => of_disk(disk, cluster),
        Verb::Membership(change) => of_change(change, cluster),
        Verb::Partition(Partition { shape, .. }) => {
            let names: Vec<String> = (1..=cluster.nodes).map(|number| format!("n{number}")).collect();
            let impossible = shape.check(&names).err();
            impossible.map(|why| Misfit::new("shape", why.to_string())).into_iter().collect()
        }
        Verb::Network(network) => of_network(network, cluster),
    }
}

/// Why a signal ends no node, if it does not.
pub(super) fn unkilling(signal: Signal) -> Option<String> {
    use nix::sys::signal::Signal as S;
    match signal.0 {
        S::SIGSTOP | S::SIGTSTP | S::SIGTTIN | S::SIGTTOU | S::SIGCONT => {
            Some(format!("`{signal}` stops or continues a process and does not end it; use `pause`"))
        }
        S::SIGCHLD | S::SIGURG | S::SIGWINCH => {
            Some(format!("`{signal}` does not end a process: nobody notices it who does not ask for it"))
        }
        S::SIGPIPE => {
            Some(format!("`{signal}` does not end a node, which ignores it as all Rust programs do"))
        }
        // The runtime of Rust looks whether the stack overflowed, sees that it did not, and goes on.
        S::SIGSEGV | S::SIGBUS => Some(format!("`{signal}` does not end a node: only the second one would")),
        _ => None,
    }
}

/// Why a target can never mean anybody, or means somebody who is not there.
pub(super) fn nobody(field: &'static str, target: &Target, nodes: usize) -> Vec<Misfit> {
    let one = |message| vec![Misfit::new(field, message)];
    match target {
        Target::Named(names) => {
            let number = |name: &String| name.trim_start_matches('n').parse::<usize>();
            let missing = names.iter().filter(|name| number(name).is_ok_and(|number| number > nodes));
            let message = |name| format!("there is no node `{name}` in a cluster of {nodes}: n1 to n{nodes}");
            missing.map(|name| Misfit::new(field, message(name))).collect()
        }
        Target::Follower | Target::Followers if nodes == 1 => {
            one(format!("`{target}` is nobody in a cluster of 1"))
        }
        _ => match target.count(nodes) {
            Some(0) => one(format!("`{target}` is nobody in a cluster of {nodes}")),
            Some(count) if count > nodes => {
                one(format!("`{target}` is more than the {nodes} nodes of the cluster"))
            }
            _ => Vec::new(),
        },
    }
}

fn of_disk(Disk { target, fault }: &Disk, cluster: &ClusterKind) -> Vec<Misfit> {
    let nodes = cluster.nodes;
    let mut misfits = nobody("target", target, nodes);
    match fault {
        DiskVerb::PowerLoss(loss) if cluster.disk != DiskKind::Volatile => {
            let field = if *loss == Loss::Torn { "torn-write" } else { "power-loss" };
            let message = "the disks of these nodes survive a power failure: what is written stays";
            misfits.push(Misfit::new(field, message).helped("write `cluster: { disk: volatile }`"));
        }
        DiskVerb::BitFlip(_) => {
            let (struck, most) = (target.count(nodes).unwrap_or(nodes), may_fail(nodes));
            if struck > most {
                let message = format!(
                    "`{target}` may be {struck} of {nodes} nodes, and a node whose disk is damaged may be lost for good: \
                     at most {most} can be"
                );
                misfits.push(Misfit::new("target", message));
            }
        }
        _ => {}
    }
    misfits
}

fn of_change(change: &Membership, cluster: &ClusterKind) -> Vec<Misfit> {
    let field = change.word();
    let mut misfits = change.target().map_or(Vec::new(), |target| nobody(field, target, cluster.nodes));
    // Who joins first is not counted: it may be struck, too.
    let is_everybody = |target: &Target| match target {
        Target::All => true,
        target => target.count(cluster.nodes).is_some_and(|count| count >= cluster.nodes),
    };
    if let Membership::Remove(target) = change
        && is_everybody(target)
    {
        let message = format!("`{target}` is all {} nodes, and nobody would be left", cluster.nodes);
        misfits.push(Misfit::new(field, message));
    }
    misfits
}

fn of_network(network: &Network, cluster: &ClusterKind) -> Vec<Misfit> {
    let Network { from, to, lag, rate: _, loss, hold, black_hole, reset: _ } = network;
    let mut misfits = Vec::new();
    for (field, party) in [("from", from), ("to", to)] {
        if let Party::Nodes(target) = party {
            misfits.extend(nobody(field, target, cluster.nodes));
        }
    }
    let is_one = |target: &Target| match target {
        Target::Leader => true,
        Target::Named(names) => names.len() == 1,
        _ => cluster.nodes == 1,
    };
    match (from, to) {
        (Party::Clients, Party::Clients) => {
            let message = "clients send nothing to clients; one end of the links must be nodes";
            misfits.push(Misfit::new("to", message));
        }
        (Party::Nodes(one), Party::Nodes(other)) if one == other && is_one(one) => {
            misfits.push(Misfit::new("to", format!("`{one}` sends nothing to itself")));
        }
        _ => {}
    }
    if cluster.network == NetworkKind::Proxy && loss.is_some() {
        let message = "`loss` is of packets, and a proxy sees streams of bytes";
        misfits.push(Misfit::new("loss", message).helped("write `network: kernel` in `cluster`"));
    }
    if cluster.network == NetworkKind::Kernel {
        let kept = [("delay", lag.is_some()), ("hold", *hold), ("black-hole", *black_hole)];
        for (field, _) in kept.iter().filter(|(_, is_said)| *is_said) {
            let message = format!(
                "the kernel's network has no `{field}`: it can only drop packets and reset connections"
            );
            misfits.push(Misfit::new(field, message).helped("leave out `network: kernel` in `cluster`"));
        }
    }
    misfits
}

//! Partitions, and links that are slow, narrow, held, lossy or reset.

use std::io;
use std::time::Duration;

use super::effect::Effect;
use super::guard::{FaultGuard, Undo};
use super::{Aim, Nemesis};
use crate::cluster::view;
use crate::fabric::shape::{self, Shape, Ways};
use crate::fabric::{self, Edge, Traffic};
use crate::harness::HarnessFailure;
use crate::kernel;
use crate::network::{CLIENTS, LinkFault, Wrong};
use crate::rng::Rng;
use crate::scenario::count::Count;
use crate::scenario::target::{self, NodeStatus};
use crate::scenario::unit::Size;
use crate::scenario::verb::{Network, Partition, Party};
use crate::system::NodeName;

/// How often it is looked whether what a cut node needs has been purged.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

impl Partition {
    /// Whom it cuts from whom now.
    pub(super) fn aim(&self, nodes: &[NodeStatus], rng: &mut Rng) -> Result<Aim, String> {
        let ways = if self.one_way { Ways::One } else { Ways::Both };
        let cut = shape::Partition { shape: self.shape.clone(), ways }.cut(nodes, rng);
        let cut = cut.map_err(|why| why.to_string())?;
        Ok(Aim { nodes: cut.first, edges: cut.edges })
    }
}

impl Network {
    /// Which links it strikes now.
    pub(super) fn aim(&self, nodes: &[NodeStatus], rng: &mut Rng) -> Result<Aim, String> {
        let (from, to) = (ends(&self.from, nodes, rng)?, ends(&self.to, nodes, rng)?);
        let edges: Vec<Edge> = from
            .iter()
            .flat_map(|from| to.iter().filter(move |to| *to != from).map(move |to| Edge::new(from, to)))
            .collect();
        if edges.is_empty() {
            return Err(format!("{} sends nothing to itself", from.join(", ")));
        }
        let nodes = if self.from == Party::Clients { to } else { from };
        Ok(Aim { nodes, edges })
    }
}

/// The names of one end.
fn ends(party: &Party, nodes: &[NodeStatus], rng: &mut Rng) -> Result<Vec<NodeName>, String> {
    match party {
        Party::Clients => Ok(vec![CLIENTS.to_owned()]),
        Party::Nodes(target) => target::resolve(target, nodes, rng).map_err(|why| why.to_string()),
    }
}

impl Nemesis {
    pub(super) fn cut(&self, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let faults = vec![self.impose(Wrong::Cut, &aim.edges)?];
        Ok(self.standing.install(aim.nodes, Undo::Links { faults, resets: 0 }))
    }

    pub(super) fn disturb(&self, network: &Network, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let wrongs = [
            network.lag.map(|lag| Wrong::Delay(lag.into())),
            network.rate.map(|rate| Wrong::Rate(rate.bytes_per_second)),
            network.loss.map(Wrong::Loss),
            network.hold.then_some(Wrong::Hold),
            network.black_hole.then_some(Wrong::BlackHole),
        ];
        let faults = wrongs.into_iter().flatten().map(|wrong| self.impose(wrong, &aim.edges));
        let faults = faults.collect::<Result<Vec<LinkFault>, _>>()?;
        let resets = if network.reset { self.cluster.network().reset(&aim.edges) } else { Ok(0) };
        let resets = resets.map_err(refused)?;
        let undo = if network.is_momentary() {
            Undo::Done(Effect::of(describe_resets(resets), &[(Count::ConnectionsReset, resets)]))
        } else {
            Undo::Links { faults, resets }
        };
        Ok(self.standing.install(aim.nodes, undo))
    }

    fn impose(&self, wrong: Wrong, edges: &[Edge]) -> Result<LinkFault, HarnessFailure> {
        self.cluster.network().impose(wrong, edges).map_err(refused)
    }

    /// Waits until the leader has purged from its log what the nodes of `cut` do not have yet.
    pub(super) async fn purged_beyond(&self, cut: &[NodeName]) {
        let mut known: Option<u64> = None;
        loop {
            let views = self.cluster.views().await;
            let of_cut = cut.iter().filter_map(|node| views.get(node)?.as_ref()).map(|view| view.last_log);
            // What a cut node was seen to have first is what it had when it was cut, or more.
            known = known.or(of_cut.min());
            let leader = view::leader(&views);
            if let (Some(known), Some((_, leader))) = (known, leader)
                && leader.purged > known
            {
                return;
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}

fn refused(source: io::Error) -> HarnessFailure {
    HarnessFailure::Network { source }
}

/// Lifts what stands on links, and says what it did. `resets` connections were reset when it struck.
pub(super) fn let_go(mut faults: Vec<LinkFault>, resets: u64) -> Result<Effect, HarnessFailure> {
    // The conditions of one strike stand on the same edges, and each sees all that happened there.
    let Some(last) = faults.pop() else { return Ok(Effect::default()) };
    drop(faults);
    match last {
        LinkFault::Proxy(fault) => Ok(let_go_of_links(fault)),
        LinkFault::Kernel(fault) => let_go_of_packets(fault, resets).map_err(refused),
    }
}

fn let_go_of_links(fault: fabric::EdgeFault) -> Effect {
    let (traffic, struck, edges) = (fault.traffic(), fault.struck(), fault.edges().count());
    drop(fault);
    Effect::of(
        describe(traffic, struck, edges),
        &[
            (Count::LinksStruck, struck),
            (Count::BytesHeld, traffic.held_bytes),
            (Count::BytesLost, traffic.lost_bytes),
            (Count::BytesSlowed, traffic.slowed_bytes),
            (Count::ConnectionsReset, traffic.resets),
        ],
    )
}

fn let_go_of_packets(fault: kernel::EdgeFault, resets: u64) -> io::Result<Effect> {
    let (dropped, struck, edges) = (fault.traffic()?.dropped(), fault.struck()?, fault.edges().count());
    fault.lift()?;
    let what = match dropped.packets {
        0 => "nothing was dropped".to_owned(),
        1 => "1 packet dropped".to_owned(),
        packets => format!("{packets} packets dropped"),
    };
    let reset = if resets == 0 { String::new() } else { format!(", {}", describe_resets(resets)) };
    let counts = [
        (Count::LinksStruck, struck),
        (Count::PacketsDropped, dropped.packets),
        (Count::ConnectionsReset, resets),
    ];
    Ok(Effect::of(format!("{struck} of {edges} directions struck: {what}{reset}"), &counts))
}

fn describe_resets(resets: u64) -> String {
    let connections = if resets == 1 { "connection" } else { "connections" };
    format!("reset {resets} {connections}")
}

fn describe(traffic: Traffic, struck: u64, edges: usize) -> String {
    let amounts =
        [(traffic.held_bytes, "held"), (traffic.lost_bytes, "lost"), (traffic.slowed_bytes, "slowed")];
    let amounts: Vec<String> = amounts
        .iter()
        .filter(|(bytes, _)| *bytes > 0)
        .map(|(bytes, word)| format!("{} {word}", Size(*bytes)))
        .collect();
    let amounts = if amounts.is_empty() { "nothing was sent".to_owned() } else { amounts.join(", ") };
    format!("{struck} of {edges} directions struck: {amounts}")
}

/// Whether a partition is over as soon as something has been purged.
pub(super) fn is_until_snapshot(partition: &Partition) -> bool {
    partition.shape == Shape::UntilSnapshot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::target::{Role, Target};

    fn nodes() -> Vec<NodeStatus> {
        let status = |number: u8| NodeStatus {
            name: format!("n{number}"),
            role: if number == 2 { Role::Leader { term: 3 } } else { Role::Follower },
            alive: true,
        };
        (1..=3).map(status).collect()
    }

    fn aim(from: &str, to: &str) -> Result<Aim, String> {
        let network = Network {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            lag: None,
            rate: None,
            loss: None,
            hold: true,
            black_hole: false,
            reset: false,
        };
        network.aim(&nodes(), &mut Rng::from_seed(7))
    }

    fn drawn(aim: &Aim) -> String {
        let edges: Vec<String> = aim.edges.iter().map(ToString::to_string).collect();
        format!("{}: {}", aim.nodes.join(" "), edges.join(" "))
    }

    #[test]
    fn links_are_struck_in_the_direction_that_was_said() {
        assert_eq!(drawn(&aim("leader", "followers").unwrap()), "n2: n2→n1 n2→n3");
        assert_eq!(drawn(&aim("followers", "leader").unwrap()), "n1 n3: n1→n2 n3→n2");
        assert_eq!(drawn(&aim("clients", "leader").unwrap()), "n2: clients→n2");
        assert_eq!(drawn(&aim("n1,n2", "clients").unwrap()), "n1 n2: n1→clients n2→clients");
        assert_eq!(aim("n1", "n1").unwrap_err(), "n1 sends nothing to itself");
    }

    #[test]
    fn a_partition_says_who_is_on_its_first_side() {
        let partition = Partition { shape: Shape::Isolate(Target::Leader), one_way: true };
        let aim = partition.aim(&nodes(), &mut Rng::from_seed(7)).unwrap();
        assert_eq!(drawn(&aim), "n2: n2→n1 n2→n3");
    }
}

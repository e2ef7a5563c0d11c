//! Partitions, and links that are slow, narrow, held, lossy or reset.

use std::time::Duration;

use super::effect::Effect;
use super::guard::{FaultGuard, Undo};
use super::{Aim, Nemesis};
use crate::fabric::shape::{self, Shape, Ways};
use crate::fabric::{Condition, Edge, EdgeFault, Fabric, Traffic};
use crate::harness::HarnessFailure;
use crate::network::CLIENTS;
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
        let fault = impose(self.fabric()?, Condition::Cut, &aim.edges)?;
        Ok(self.standing.install(aim.nodes, Undo::Links(vec![fault])))
    }

    pub(super) fn disturb(&self, network: &Network, aim: Aim) -> Result<FaultGuard, HarnessFailure> {
        let fabric = self.fabric()?;
        let conditions = [
            network.lag.map(|lag| Condition::Delay(lag.into())),
            network.rate.map(|rate| Condition::Rate(rate.bytes_per_second)),
            network.hold.then_some(Condition::Hold),
            network.black_hole.then_some(Condition::BlackHole),
        ];
        let faults: Result<Vec<EdgeFault>, _> =
            conditions.into_iter().flatten().map(|condition| impose(fabric, condition, &aim.edges)).collect();
        let faults = faults?;
        let resets = if network.reset { fabric.reset(&aim.edges) } else { 0 };
        let undo = if network.is_momentary() {
            let connections = if resets == 1 { "connection" } else { "connections" };
            Undo::Done(Effect::of(
                format!("reset {resets} {connections}"),
                &[(Count::ConnectionsReset, resets)],
            ))
        } else {
            Undo::Links(faults)
        };
        Ok(self.standing.install(aim.nodes, undo))
    }

    /// Waits until the leader has purged from its log what the nodes of `cut` do not have yet.
    pub(super) async fn purged_beyond(&self, cut: &[NodeName]) {
        let mut known: Option<u64> = None;
        loop {
            let views = self.cluster.views().await;
            let of_cut = cut.iter().filter_map(|node| views.get(node)?.as_ref()).map(|view| view.last_log);
            // What a cut node was seen to have first is what it had when it was cut, or more.
            known = known.or(of_cut.min());
            let leader = views.values().flatten().filter(|view| view.leads()).max_by_key(|view| view.term);
            if let (Some(known), Some(leader)) = (known, leader)
                && leader.purged > known
            {
                return;
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    fn fabric(&self) -> Result<&Fabric, HarnessFailure> {
        let none = || HarnessFailure::Unsupported("the nodes have no links that could be broken".to_owned());
        self.cluster.network().fabric().ok_or_else(none)
    }
}

fn impose(fabric: &Fabric, condition: Condition, edges: &[Edge]) -> Result<EdgeFault, HarnessFailure> {
    fabric.impose(condition, edges).map_err(|source| HarnessFailure::Network { source })
}

/// Lifts what stands on links, and says what it did.
pub(super) fn let_go(faults: Vec<EdgeFault>) -> Effect {
    // The conditions of one strike stand on the same edges, and each sees all that happened there.
    let Some(fault) = faults.first() else { return Effect::default() };
    let (traffic, struck, edges) = (fault.traffic(), fault.struck(), fault.edges().count());
    drop(faults);
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

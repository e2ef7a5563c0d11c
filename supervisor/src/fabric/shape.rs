//! Which edges a partition cuts.
//!
//! A scenario names a shape; who is on which side is drawn, and resolved when the partition strikes, as
//! [`crate::scenario::target`] does it: randomness gives an order of all nodes of the cluster, whoever is up, and leaders
//! are those of the moment. With `n` nodes, a *majority* is `n/2+1` of them, counts are of the whole cluster, and *cut
//! from each other* means both directions:
//!
//! | shape | cut |
//! |---|---|
//! | `one` | one node from all others |
//! | `halves` | `n/2` nodes from the others, which are one more if `n` is odd |
//! | `majorities-ring` | every node sees a majority, no two see the same one, and no node sees all |
//! | `bridge` | as `halves`, but for one node, of the others, that sees everybody and is seen by all |
//! | `leader-in-minority` | the leader and others, `(n-1)/2` in all, from the rest, which is a majority |
//! | `leader-in-majority` | the leader and others, `n/2+1` in all, from the rest |
//! | `one-way` | one node: nothing that it sends arrives, or nothing that is sent to it; drawn which |
//! | `until-snapshot` | one follower from all others, until they have purged what it needs |
//! | `isolate: TARGET` | the nodes that the target means from all others; not from each other |
//! | `groups: [[n1, n2], [n2, n3]]` | two nodes that are in no group together; a node may be in several |
//!
//! `one`, `halves`, `majorities-ring` and `bridge` are Jepsen's nemeses of these names. In the ring, nodes sit in a
//! circle and see the same number of neighbours on each side, as few as make a majority. Jepsen lets the majority be as
//! small as possible, and lets a node see somebody who does not see it where that number is even; connections need both
//! directions, so there is one more neighbour here. Of three nodes everybody would see all that way: there the ring is
//! open, and its ends do not see each other.
//!
//! Any shape can be cut [one way](Ways::One): of two nodes that would be cut from each other, what the first sends does
//! not arrive, and it still hears the second. The first is the one on the side that the table names first: the node of
//! `one`, the smaller half, the leader's side, the isolated nodes, an earlier group; in the ring, whom the draw put first.
//!
//! Which shapes a cluster of `n` nodes can have is known before anything starts ([`Shape::check`]); whether there is a
//! leader, only when the partition strikes ([`Partition::cut`]). Clients are not part of a partition: they reach nodes
//! on both sides.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::edge::Edge;
use crate::quorum::{majority, may_fail};
use crate::rng::Rng;
use crate::scenario::target::{self, NodeStatus, Target};
use crate::system::NodeName;

/// How a cluster falls apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One node on its own.
    One,
    /// Two sides, as equal as can be.
    Halves,
    /// Each node sees a majority, each another one.
    MajoritiesRing,
    /// Two sides, and a node that sees both.
    Bridge,
    /// The leader on the smaller side.
    LeaderInMinority,
    /// The leader on the greater side.
    LeaderInMajority,
    /// One node that cannot send, or cannot hear.
    OneWay,
    /// One follower on its own, until the others have purged what it needs to catch up, so that it needs a snapshot.
    UntilSnapshot,
    /// These nodes from all others.
    Isolate(Target),
    /// Nodes that are in no group together.
    Groups(Vec<Vec<NodeName>>),
}

/// The shapes that are one word, as the format writes them, and the fewest nodes that they need.
const WORDS: [(&str, Shape, usize); 8] = [
    ("one", Shape::One, 2),
    ("halves", Shape::Halves, 2),
    ("majorities-ring", Shape::MajoritiesRing, 3),
    ("bridge", Shape::Bridge, 3),
    ("leader-in-minority", Shape::LeaderInMinority, 3),
    ("leader-in-majority", Shape::LeaderInMajority, 3),
    ("one-way", Shape::OneWay, 2),
    ("until-snapshot", Shape::UntilSnapshot, 3),
];

/// Which directions a partition cuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ways {
    /// Both: nodes are cut from each other.
    #[default]
    Both,
    /// What the first side sends does not arrive. See the [module](self) for which one that is.
    One,
}

/// A partition that may strike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Who is cut from whom.
    pub shape: Shape,
    /// In which directions.
    pub ways: Ways,
}

/// A shape that a cluster can not have, whatever it is doing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Impossible {
    /// It has too few nodes.
    #[error("`{shape}` needs at least {wanted} nodes, and there are {nodes}")]
    TooFew {
        /// The shape.
        shape: String,
        /// How many nodes it needs.
        wanted: usize,
        /// How many there are.
        nodes: usize,
    },
    /// The target is no node, or every node.
    #[error("`{target}` is {meant} of {nodes} nodes: there is nobody to cut from anybody")]
    NoSides {
        /// The target.
        target: Target,
        /// How many nodes it means.
        meant: usize,
        /// How many there are.
        nodes: usize,
    },
    /// A group names somebody who is not there.
    #[error("there is no node {0}")]
    Unknown(NodeName),
    /// A node is in no group.
    #[error("{0} is in no group: say on which side it is")]
    Unlisted(NodeName),
    /// Every two nodes are in some group together.
    #[error("the groups cut nobody: every two nodes are in one together")]
    NoCut,
}

/// Why a partition cannot strike now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Why {
    /// It never can.
    #[error(transparent)]
    Impossible(#[from] Impossible),
    /// Its target, or the leader that it needs, is nobody.
    #[error(transparent)]
    Target(#[from] target::Why),
    /// Its target is everybody at the moment.
    #[error("`{0}` is every node: there is nobody to cut it from")]
    Everybody(Target),
}

impl Shape {
    /// The shapes that are one word.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(word, ..)| *word)
    }

    /// Tells whether a cluster of these nodes can have this shape.
    ///
    /// # Errors
    /// If it cannot, whatever its nodes are doing.
    pub fn check(&self, nodes: &[NodeName]) -> Result<(), Impossible> {
        match self {
            Self::Isolate(target) => check_target(target, nodes),
            Self::Groups(groups) => check_groups(groups, nodes),
            word => match WORDS.iter().find(|(_, of, _)| of == word) {
                Some((word, _, wanted)) if nodes.len() < *wanted => {
                    Err(Impossible::TooFew { shape: (*word).to_owned(), wanted: *wanted, nodes: nodes.len() })
                }
                _ => Ok(()),
            },
        }
    }
}

fn check_target(target: &Target, nodes: &[NodeName]) -> Result<(), Impossible> {
    let meant = match target {
        Target::All => nodes.len(),
        Target::Named(names) => {
            if let Some(unknown) = names.iter().find(|name| !nodes.contains(name)) {
                return Err(Impossible::Unknown(unknown.clone()));
            }
            nodes.iter().filter(|node| names.contains(node)).count()
        }
        // What these mean depends on the moment; one node is among it at least.
        Target::Any | Target::Followers => 1,
        target => target.count(nodes.len()).expect("every other target is a number of nodes"),
    };
    if (1..nodes.len()).contains(&meant) {
        return Ok(());
    }
    Err(Impossible::NoSides { target: target.clone(), meant, nodes: nodes.len() })
}

fn check_groups(groups: &[Vec<NodeName>], nodes: &[NodeName]) -> Result<(), Impossible> {
    if let Some(unknown) = groups.iter().flatten().find(|name| !nodes.contains(name)) {
        return Err(Impossible::Unknown(unknown.clone()));
    }
    if let Some(unlisted) = nodes.iter().find(|node| !groups.iter().flatten().any(|name| name == *node)) {
        return Err(Impossible::Unlisted(unlisted.clone()));
    }
    if apart(groups, nodes).is_empty() { Err(Impossible::NoCut) } else { Ok(()) }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Isolate(target) => f.pad(&format!("isolate {target}")),
            Self::Groups(groups) => {
                let groups: Vec<String> = groups.iter().map(|group| group.join(",")).collect();
                f.pad(&groups.join(" | "))
            }
            word => {
                let (word, ..) =
                    WORDS.iter().find(|(_, of, _)| of == word).expect("every other shape has a word");
                f.pad(word)
            }
        }
    }
}

/// A text that is no shape.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown shape `{0}`")]
pub struct UnknownShape(pub String);

impl FromStr for Shape {
    type Err = UnknownShape;

    /// Reads a shape that is one word.
    fn from_str(text: &str) -> Result<Self, UnknownShape> {
        let found = WORDS.iter().find(|(word, ..)| *word == text);
        found.map(|(_, shape, _)| shape.clone()).ok_or_else(|| UnknownShape(text.to_owned()))
    }
}

/// Two nodes, as places in the list of all. What the first sends to the second is cut.
type Pair = (usize, usize);

/// A partition as it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The nodes of the first side, in order; see the [module](self).
    pub first: Vec<NodeName>,
    /// The edges that are cut, in order, at least one.
    pub edges: Vec<Edge>,
}

impl Partition {
    /// What this partition cuts now. `rng` is the fork of the strike.
    ///
    /// # Errors
    /// If it cannot strike a cluster like this, or in this state.
    pub fn cut(&self, nodes: &[NodeStatus], rng: &mut Rng) -> Result<Cut, Why> {
        let names: Vec<NodeName> = nodes.iter().map(|node| node.name.clone()).collect();
        self.shape.check(&names)?;
        let mut pairs = self.shape.pairs(nodes, &names, rng)?;
        let first: BTreeSet<usize> = pairs.iter().map(|(from, _)| *from).collect();
        if self.ways == Ways::Both && self.shape != Shape::OneWay {
            pairs.extend(pairs.clone().into_iter().map(|(from, to)| (to, from)));
        }
        pairs.sort_unstable();
        Ok(Cut {
            first: first.into_iter().map(|node| names[node].clone()).collect(),
            edges: pairs.into_iter().map(|(from, to)| Edge::new(&names[from], &names[to])).collect(),
        })
    }
}

impl Shape {
    /// Who is cut from whom; of each two, in the order of the sides.
    fn pairs(&self, nodes: &[NodeStatus], names: &[NodeName], rng: &mut Rng) -> Result<Vec<Pair>, Why> {
        let n = nodes.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(rng);
        Ok(match self {
            Self::One => split(&order, 1),
            Self::Halves => split(&order, n / 2),
            Self::MajoritiesRing => ring(&order),
            Self::Bridge => between(&order[..n / 2], &order[n / 2 + 1..]),
            Self::LeaderInMinority => split(&leader_first(order, nodes, rng)?, may_fail(n)),
            Self::LeaderInMajority => split(&leader_first(order, nodes, rng)?, majority(n)),
            Self::OneWay => {
                let (node, others) = order.split_at(1);
                if rng.random() { between(node, others) } else { between(others, node) }
            }
            Self::UntilSnapshot => {
                let follower = target::resolve(&Target::Follower, nodes, rng)?;
                let (cut, others): (Vec<_>, Vec<_>) =
                    (0..n).partition(|node| follower.contains(&names[*node]));
                between(&cut, &others)
            }
            Self::Isolate(target) => {
                let isolated = target::resolve(target, nodes, rng)?;
                let (isolated, others): (Vec<_>, Vec<_>) =
                    (0..n).partition(|node| isolated.contains(&names[*node]));
                if others.is_empty() {
                    return Err(Why::Everybody(target.clone()));
                }
                between(&isolated, &others)
            }
            Self::Groups(groups) => apart(groups, names),
        })
    }
}

/// The first `count` nodes of `order` from the others.
fn split(order: &[usize], count: usize) -> Vec<Pair> {
    let (first, others) = order.split_at(count);
    between(first, others)
}

fn between(first: &[usize], second: &[usize]) -> Vec<Pair> {
    first.iter().flat_map(|from| second.iter().map(|to| (*from, *to))).collect()
}

/// The same order, but for the leader, who comes first.
fn leader_first(mut order: Vec<usize>, nodes: &[NodeStatus], rng: &mut Rng) -> Result<Vec<usize>, Why> {
    let leader = target::resolve(&Target::Leader, nodes, rng)?;
    let place = order.iter().position(|node| nodes[*node].name == leader[0]);
    order[..=place.expect("the leader is one of the nodes")].rotate_right(1);
    Ok(order)
}

/// The nodes in a circle, each cut from those that are too far away.
fn ring(order: &[usize]) -> Vec<Pair> {
    let n = order.len();
    let reach = (n / 2).div_ceil(2);
    let distance = |from: usize, to: usize| match n {
        3 => to - from,
        _ => (to - from).min(n - (to - from)),
    };
    let places = (0..n).flat_map(|from| (from + 1..n).map(move |to| (from, to)));
    let far = places.filter(|(from, to)| distance(*from, *to) > reach);
    far.map(|(from, to)| (order[from], order[to])).collect()
}

/// The nodes that are in no group together; who is in an earlier group is first.
fn apart(groups: &[Vec<NodeName>], nodes: &[NodeName]) -> Vec<Pair> {
    let place = |node: usize| groups.iter().position(|group| group.contains(&nodes[node]));
    let together = |one: usize, other: usize| {
        groups.iter().any(|group| group.contains(&nodes[one]) && group.contains(&nodes[other]))
    };
    let pairs = (0..nodes.len()).flat_map(|from| (0..nodes.len()).map(move |to| (from, to)));
    pairs.filter(|(from, to)| place(*from) < place(*to) && !together(*from, *to)).collect()
}

#[cfg(test)]
mod tests;

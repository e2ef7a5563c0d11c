//! Which nodes a fault strikes.
//!
//! A scenario says `leader` or `minority`; who that is shows only when the fault strikes. [`resolve`] decides it from
//! what is known of the nodes at that moment. Randomness never depends on that moment: a generator gives an *order of
//! preference* over all nodes of the cluster, and the first that qualify are struck. So the same strike of the same
//! plan chooses the same nodes whenever they are up.
//!
//! A node is *up* when it can be struck: its process runs and is not paused. All counts are fractions of the whole
//! cluster of `n` nodes, also when some are down:
//!
//! | target | struck |
//! |---|---|
//! | `leader` | the node that leads; of several that claim to, the one of the highest term |
//! | `follower`, `followers` | one node that follows; all of them |
//! | `one` | one node that is up, whatever its role |
//! | `any` | some: a drawn number from 1 to `n`, of those that are up |
//! | `all` | every node that is up |
//! | `minority` | `(n-1)/2` nodes: the most whose loss leaves a majority |
//! | `majority` | `n/2+1` nodes: the fewest whose loss leaves none |
//! | `minority-third` | `(n-1)/3` nodes: less than a third |
//! | `n3`, `[n1, n3]` | the named ones that are up |
//! | `random:2` | two nodes that are up |
//!
//! Where too few nodes are up, or none qualifies, the answer is a [`Why`]: the fault is skipped, which is no error.

use std::fmt;
use std::str::FromStr;

use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::quorum::{majority, may_fail};
use crate::rng::Rng;

/// The nodes that a fault is aimed at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// The node that leads.
    Leader,
    /// One node that follows.
    Follower,
    /// Every node that follows.
    Followers,
    /// One node.
    One,
    /// A random, non-empty set of nodes.
    Any,
    /// Every node.
    All,
    /// As many nodes as can fail while a majority is left.
    Minority,
    /// As few nodes as leave no majority when they fail.
    Majority,
    /// Less than a third of the nodes.
    MinorityThird,
    /// These nodes; at least one.
    Named(Vec<String>),
    /// So many nodes; at least 1.
    Random(u8),
}

/// The targets that are one word, as the format writes them.
const WORDS: [(&str, Target); 9] = [
    ("leader", Target::Leader),
    ("follower", Target::Follower),
    ("followers", Target::Followers),
    ("one", Target::One),
    ("minority", Target::Minority),
    ("majority", Target::Majority),
    ("minority-third", Target::MinorityThird),
    ("all", Target::All),
    ("any", Target::Any),
];

impl Target {
    /// How many nodes of a cluster of `n` this strikes, where that depends on `n` only.
    #[must_use]
    pub fn count(&self, n: usize) -> Option<usize> {
        match self {
            Self::Minority => Some(may_fail(n)),
            Self::Majority => Some(majority(n)),
            Self::MinorityThird => Some(n.saturating_sub(1) / 3),
            Self::Random(count) => Some(usize::from(*count)),
            Self::Leader | Self::Follower | Self::One => Some(1),
            Self::Named(names) => Some(names.len()),
            Self::Followers | Self::Any | Self::All => None,
        }
    }

    /// The targets that are one word.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(word, _)| *word)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(nodes) => f.pad(&nodes.join(",")),
            Self::Random(count) => f.pad(&format!("random:{count}")),
            word => {
                let (word, _) =
                    WORDS.iter().find(|(_, of)| of == word).expect("every other target has a word");
                f.pad(word)
            }
        }
    }
}

/// A text that is no target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown target `{0}`")]
pub struct UnknownTarget(pub String);

impl FromStr for Target {
    type Err = UnknownTarget;

    /// Reads what [`Target`] displays: `leader`, `random:2`, `n3`, `n1,n3`.
    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        if let Some((_, target)) = WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(target.clone());
        }
        let unknown = || UnknownTarget(text.to_owned());
        if let Some(count) = text.strip_prefix("random:") {
            return match count.parse() {
                Ok(count @ 1..) => Ok(Self::Random(count)),
                _ => Err(unknown()),
            };
        }
        let nodes: Vec<String> = text.split(',').map(|node| node.trim().to_owned()).collect();
        if nodes.iter().all(|node| is_node_name(node)) { Ok(Self::Named(nodes)) } else { Err(unknown()) }
    }
}

impl TryFrom<String> for Target {
    type Error = UnknownTarget;

    fn try_from(text: String) -> Result<Self, UnknownTarget> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

/// `n1`, `n2`, … `n99`.
fn is_node_name(text: &str) -> bool {
    let number = text.strip_prefix('n').filter(|number| !number.starts_with('0'));
    number.is_some_and(|number| {
        matches!(number.len(), 1..=2) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// What a node does in the cluster, as far as the testbed knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It says that it leads.
    Leader {
        /// In this term.
        term: u64,
    },
    /// It says that it follows.
    Follower,
    /// Anything else: a candidate, a learner, or no answer.
    Other,
}

/// What is known of a node when a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// Its role. That of a node which is not alive is not looked at.
    pub role: Role,
    /// Its process runs and is not paused: it can be struck.
    pub alive: bool,
}

/// Why a target is nobody at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Why {
    /// No node that is up says that it leads.
    #[error("no leader is known")]
    NoLeader,
    /// No node that is up says that it follows.
    #[error("no follower is known")]
    NoFollower,
    /// The target needs more nodes than are up, or there are none in a cluster of this size.
    #[error("{target} means {wanted} of {nodes} nodes, and {up} are up")]
    TooFew {
        /// The target.
        target: Target,
        /// How many nodes it means.
        wanted: usize,
        /// How many nodes the cluster has.
        nodes: usize,
        /// How many of them are up.
        up: usize,
    },
    /// None of the named nodes is up.
    #[error("{0} is not up")]
    NotUp(Target),
}

/// The nodes that `target` means now, in the order of `nodes`, at least one. `rng` is the fork of the strike.
///
/// # Errors
/// If it means nobody now.
pub fn resolve(target: &Target, nodes: &[NodeStatus], rng: &mut Rng) -> Result<Vec<String>, Why> {
    let mut preference: Vec<usize> = (0..nodes.len()).collect();
    preference.shuffle(rng);
    let up = |index: &usize| nodes[*index].alive;
    let follows = |index: &usize| up(index) && nodes[*index].role == Role::Follower;
    let all_up: Vec<usize> = preference.iter().copied().filter(up).collect();
    let too_few =
        |wanted| Why::TooFew { target: target.clone(), wanted, nodes: nodes.len(), up: all_up.len() };

    let mut struck: Vec<usize> = match target {
        Target::Leader => vec![leader(nodes).ok_or(Why::NoLeader)?],
        Target::Follower => vec![preference.into_iter().find(follows).ok_or(Why::NoFollower)?],
        Target::Followers => non_empty(preference.into_iter().filter(follows).collect(), || Why::NoFollower)?,
        Target::All => non_empty(all_up.clone(), || too_few(nodes.len()))?,
        Target::Any => {
            let wanted = rng.random_range(1..=nodes.len().max(1));
            non_empty(all_up.iter().copied().take(wanted).collect(), || too_few(wanted))?
        }
        Target::Named(names) => {
            let named = |index: &usize| up(index) && names.contains(&nodes[*index].name);
            non_empty((0..nodes.len()).filter(named).collect(), || Why::NotUp(target.clone()))?
        }
        Target::One | Target::Minority | Target::Majority | Target::MinorityThird | Target::Random(_) => {
            let wanted = target.count(nodes.len()).expect("these targets are a number of nodes");
            if wanted == 0 || wanted > all_up.len() {
                return Err(too_few(wanted));
            }
            all_up[..wanted].to_vec()
        }
    };
    struck.sort_unstable();
    Ok(struck.into_iter().map(|index| nodes[index].name.clone()).collect())
}

/// Of the nodes that are up and say that they lead, the one of the highest term.
fn leader(nodes: &[NodeStatus]) -> Option<usize> {
    let term = |node: &NodeStatus| match node.role {
        Role::Leader { term } if node.alive => Some(term),
        _ => None,
    };
    let leaders = nodes.iter().enumerate().filter_map(|(index, node)| Some((term(node)?, index)));
    leaders.max().map(|(_, index)| index)
}

fn non_empty(struck: Vec<usize>, why: impl FnOnce() -> Why) -> Result<Vec<usize>, Why> {
    if struck.is_empty() { Err(why()) } else { Ok(struck) }
}

#[cfg(test)]
mod tests;

//! The digests of the nodes' states.

use std::collections::{BTreeMap, BTreeSet};

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::evidence::{Evidence, StateDigest};
use crate::explain;
use crate::findings::Findings;

pub(super) fn check(evidence: &Evidence) -> Findings {
    let mut by_index: BTreeMap<u64, Vec<&StateDigest>> = BTreeMap::new();
    for digest in &evidence.digests {
        by_index.entry(digest.index).or_default().push(digest);
    }
    let anomalies: Vec<Anomaly> =
        by_index.iter().filter_map(|(index, digests)| compare(*index, digests)).collect();
    let doubts = doubt(&evidence.remaining(), &by_index).into_iter().collect();
    Findings {
        anomalies_total: anomalies.len() as u64,
        anomalies,
        doubts,
        operations: evidence.digests.len() as u64,
        ..Findings::default()
    }
}

fn compare(index: u64, digests: &[&StateDigest]) -> Option<Anomaly> {
    let mut by_digest: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for digest in digests {
        by_digest.entry(&digest.digest).or_default().insert(&digest.node);
    }
    if by_digest.len() < 2 {
        return None;
    }
    let mut groups: Vec<Vec<&str>> =
        by_digest.into_values().map(|nodes| nodes.into_iter().collect()).collect();
    // The largest group first, in whose eyes the others are wrong; among equals the one with the first node.
    groups.sort_by_key(|nodes| (std::cmp::Reverse(nodes.len()), nodes[0]));
    let parts: Vec<String> = groups.iter().map(|nodes| format!("one on {}", explain::list(nodes))).collect();
    let sentence = format!(
        "the log up to index {index} has left {} different states: {}",
        parts.len(),
        parts.join(", ")
    );
    let digests = digests.iter().map(|digest| (*digest).clone()).collect();
    Some(Anomaly::of_digests(AnomalyKind::Diverged, digests, sentence))
}

/// Why the digests do not compare all nodes.
fn doubt(nodes: &BTreeSet<&str>, by_index: &BTreeMap<u64, Vec<&StateDigest>>) -> Option<String> {
    let gave: BTreeSet<&str> = by_index.values().flatten().map(|digest| digest.node.as_str()).collect();
    if gave.is_empty() {
        return Some("no node gave a digest of its state".to_owned());
    }
    let missing: Vec<&str> = nodes.difference(&gave).copied().collect();
    if !missing.is_empty() {
        return Some(format!("there is no digest of the state of {}", explain::list(&missing)));
    }
    let of_all = |digests: &Vec<&StateDigest>| {
        let nodes: BTreeSet<&str> = digests.iter().map(|digest| digest.node.as_str()).collect();
        nodes == gave
    };
    if by_index.values().any(of_all) {
        return None;
    }
    let last =
        |node: &&str| by_index.iter().rev().find(|(_, digests)| digests.iter().any(|d| d.node == *node));
    let indexes: Vec<String> =
        gave.iter().filter_map(|node| Some(format!("{node} at {}", last(node)?.0))).collect();
    Some(format!("the digests are of different indexes: {}", indexes.join(", ")))
}

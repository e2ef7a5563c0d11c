//! Whether the cluster stayed alive: no node ended by itself, and once healed it served again.
//!
//! Unlike the checks, which are the checker's, this is judged from what the testbed saw of the processes. It is always
//! judged, for a run in which a node crashed is no good run whatever the clients saw.

use std::collections::BTreeSet;

use checker::verdict::Verdict as CheckVerdict;
use serde::Serialize;

use crate::run::event::{RunEvent, TimedEvent};

/// The name under which reports and signatures speak of it.
pub const LIVENESS: &str = "liveness";

/// What was seen of the processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Liveness {
    /// The judgement.
    pub verdict: CheckVerdict,
    /// Why, unless it is valid.
    pub reason: Option<String>,
    /// The nodes that ended although nobody ended them.
    pub node_ends: Vec<NodeEnd>,
    /// How many milliseconds after the last fault was lifted every node had caught up with a followed leader.
    pub healed_after_ms: Option<u64>,
    /// Why that did not come about within its limit.
    pub not_healed: Option<String>,
}

/// A node that ended although nobody ended it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeEnd {
    /// The node.
    pub node: String,
    /// When, in ns since the start of the run.
    pub at: u64,
    /// How: `exit code 5`.
    pub status: String,
}

impl Liveness {
    /// The judgement from the events of a run.
    #[must_use]
    pub fn of(events: &[TimedEvent]) -> Self {
        let healed = events.iter().find_map(|timed| match &timed.event {
            RunEvent::Healed { after_ms } => Some(Ok(*after_ms)),
            RunEvent::NotHealed { why } => Some(Err(why.clone())),
            _ => None,
        });
        Self::judge(node_ends(events), healed)
    }

    /// The judgement from the nodes that ended, and from how the heal came out if it did.
    pub(super) fn judge(node_ends: Vec<NodeEnd>, healed: Option<Result<u64, String>>) -> Self {
        let (verdict, reason) = match (node_ends.first(), &healed) {
            (Some(NodeEnd { node, status, .. }), _) => {
                let why = format!("{node} ended by itself: {status}; see nodes/{node}/log.jsonl");
                (CheckVerdict::Invalid, Some(why))
            }
            (None, Some(Err(why))) => {
                (CheckVerdict::Invalid, Some(format!("the faults are lifted, and still {why}")))
            }
            (None, Some(Ok(_))) => (CheckVerdict::Valid, None),
            (None, None) => (CheckVerdict::Unknown, Some("the run was cut short before its heal".to_owned())),
        };
        let (healed_after_ms, not_healed) = match healed {
            Some(Ok(after_ms)) => (Some(after_ms), None),
            Some(Err(why)) => (None, Some(why)),
            None => (None, None),
        };
        Self { verdict, reason, node_ends, healed_after_ms, not_healed }
    }

    /// The kind of the violation: `liveness/node-ended`.
    pub(super) fn signature(&self) -> String {
        let kind = if self.node_ends.is_empty() { "not-healed" } else { "node-ended" };
        format!("{LIVENESS}/{kind}")
    }
}

/// The nodes that ended by themselves. One that never came up does not count: it was not part of a cluster yet, and a
/// testbed that could not start one has itself failed.
fn node_ends(events: &[TimedEvent]) -> Vec<NodeEnd> {
    let mut started = BTreeSet::new();
    let mut ends = Vec::new();
    for TimedEvent { at, event } in events {
        match event {
            RunEvent::NodeStarted { node, .. } => drop(started.insert(node)),
            RunEvent::NodeExited { node, status, expected: false } if started.contains(node) => {
                ends.push(NodeEnd { node: node.clone(), at: *at, status: status.clone() });
            }
            _ => {}
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(events: Vec<RunEvent>) -> Vec<TimedEvent> {
        (1..).zip(events).map(|(at, event)| TimedEvent { at, event }).collect()
    }

    fn started(node: &str) -> RunEvent {
        let address = || "127.0.0.1:1".to_owned();
        let (listen, peer_listen) = (address(), address());
        RunEvent::NodeStarted { node: node.to_owned(), pid: 1, generation: 1, listen, peer_listen }
    }

    fn exited(node: &str, expected: bool) -> RunEvent {
        RunEvent::NodeExited { node: node.to_owned(), status: "exit code 5".to_owned(), expected }
    }

    #[test]
    fn a_node_that_ends_by_itself_is_a_violation_even_if_it_comes_back() {
        let healed = RunEvent::Healed { after_ms: 7 };
        let liveness = Liveness::of(&timed(vec![started("n1"), exited("n1", false), started("n1"), healed]));
        assert_eq!(liveness.verdict, CheckVerdict::Invalid);
        assert_eq!(
            liveness.reason.as_deref(),
            Some("n1 ended by itself: exit code 5; see nodes/n1/log.jsonl")
        );
        assert_eq!((liveness.node_ends[0].at, liveness.healed_after_ms), (2, Some(7)));
        assert_eq!(liveness.signature(), "liveness/node-ended");
    }

    #[test]
    fn a_node_that_we_end_or_that_never_came_up_is_none() {
        let liveness = Liveness::of(&timed(vec![started("n1"), exited("n1", true), exited("n2", false)]));
        assert_eq!((liveness.verdict, liveness.node_ends), (CheckVerdict::Unknown, Vec::new()));
    }

    #[test]
    fn a_cluster_that_does_not_heal_is_a_violation() {
        let liveness = Liveness::of(&timed(vec![RunEvent::NotHealed { why: "no leader".to_owned() }]));
        assert_eq!(liveness.reason.as_deref(), Some("the faults are lifted, and still no leader"));
        assert_eq!(liveness.signature(), "liveness/not-healed");
    }
}

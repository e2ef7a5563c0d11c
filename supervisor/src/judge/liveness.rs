//! Whether the cluster stayed alive: no node ended by itself, and once healed it served again.
//!
//! Unlike the checks, which are the checker's, this is judged from what the testbed saw of the processes. It is always
//! judged, for a run in which a node crashed is no good run whatever the clients saw.

use std::collections::BTreeSet;

use checker::verdict::Verdict as CheckVerdict;
use serde::Serialize;

use crate::run::event::{RunEvent, TimedEvent};
use crate::scenario::expectation::{FailureKind, LivenessKind};

/// What was seen of the processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Liveness {
    /// The judgement.
    pub verdict: CheckVerdict,
    /// Why, unless it is valid.
    pub reason: Option<String>,
    /// The nodes that ended although nobody ended them.
    pub node_ends: Vec<NodeEnd>,
    /// How many milliseconds after the last fault was lifted every node had caught up with a followed leader, if the
    /// final reads succeeded, too.
    pub healed_after_ms: Option<u64>,
    /// Why that did not come about within its limit.
    pub not_healed: Option<String>,
    /// What a step waited for or asserted in vain. There is at most one: the steps end with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unmet: Option<UnmetStep>,
}

/// A step that ended without what it was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnmetStep {
    /// The step.
    pub step: String,
    /// When, in ns since the start of the run.
    pub at: u64,
    /// The system owed it to us; otherwise the run proves nothing.
    pub is_violation: bool,
    /// Why.
    pub why: String,
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
        // A cluster may have caught up, and still serve nobody.
        let healed = events.iter().rev().find_map(|timed| match &timed.event {
            RunEvent::Healed { after_ms } => Some(Ok(*after_ms)),
            RunEvent::NotHealed { why } => Some(Err(why.clone())),
            _ => None,
        });
        Self::judge(node_ends(events), healed).with_step(events.iter().find_map(unmet))
    }

    /// The same, in a run of which a step ended without what it was for.
    fn with_step(self, unmet: Option<UnmetStep>) -> Self {
        let Some(step) = unmet else { return self };
        let reason = Some(format!("{}: {}", step.step, step.why));
        let (verdict, reason) = match self.verdict {
            // A node that ended by itself explains more.
            CheckVerdict::Invalid if !self.node_ends.is_empty() => (self.verdict, self.reason),
            _ if step.is_violation => (CheckVerdict::Invalid, reason),
            CheckVerdict::Invalid => (self.verdict, self.reason),
            CheckVerdict::Valid | CheckVerdict::Unknown => (CheckVerdict::Unknown, reason),
        };
        Self { verdict, reason, unmet: Some(step), ..self }
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
        Self { verdict, reason, node_ends, healed_after_ms, not_healed, unmet: None }
    }

    /// The kind of the violation: `liveness/node-ended`.
    pub(super) fn signature(&self) -> String {
        let kind = match (&self.unmet, self.node_ends.is_empty()) {
            (_, false) => LivenessKind::NodeEnded,
            (Some(step), true) if step.is_violation => LivenessKind::StepUnmet,
            _ => LivenessKind::NotHealed,
        };
        FailureKind::Liveness(kind).to_string()
    }

    /// When what its signature says was seen, in ns since the start of the run, if that is one moment.
    pub(super) fn failed_at(&self) -> Option<u64> {
        let step = self.unmet.as_ref().filter(|step| step.is_violation);
        self.node_ends.first().map(|end| end.at).or_else(|| step.map(|step| step.at))
    }
}

fn unmet(TimedEvent { at, event }: &TimedEvent) -> Option<UnmetStep> {
    match event {
        RunEvent::StepUnmet { step, is_violation, why } => {
            Some(UnmetStep { step: step.clone(), at: *at, is_violation: *is_violation, why: why.clone() })
        }
        _ => None,
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
    fn a_cluster_that_caught_up_and_does_not_serve_is_not_healed() {
        let why = "no final read of a:b through n4: not-a-member".to_owned();
        let liveness =
            Liveness::of(&timed(vec![RunEvent::Healed { after_ms: 7 }, RunEvent::NotHealed { why }]));
        assert_eq!((liveness.verdict, liveness.healed_after_ms), (CheckVerdict::Invalid, None));
        let reason = "the faults are lifted, and still no final read of a:b through n4: not-a-member";
        assert_eq!(liveness.reason.as_deref(), Some(reason));
        assert_eq!(liveness.signature(), "liveness/not-healed");
    }

    #[test]
    fn a_node_that_we_end_or_that_never_came_up_is_none() {
        let liveness = Liveness::of(&timed(vec![started("n1"), exited("n1", true), exited("n2", false)]));
        assert_eq!((liveness.verdict, liveness.node_ends), (CheckVerdict::Unknown, Vec::new()));
    }

    #[test]
    fn a_step_that_waits_in_vain_is_a_violation_if_it_was_owed_and_a_doubt_otherwise() {
        let unmet = |is_violation| RunEvent::StepUnmet {
            step: "step-2-wait-for".to_owned(),
            is_violation,
            why: "no leader".to_owned(),
        };
        let healed = || RunEvent::Healed { after_ms: 7 };
        let owed = Liveness::of(&timed(vec![unmet(true), healed()]));
        assert_eq!((owed.verdict, owed.failed_at()), (CheckVerdict::Invalid, Some(1)));
        assert_eq!(owed.reason.as_deref(), Some("step-2-wait-for: no leader"));
        assert_eq!(owed.signature(), "liveness/step-unmet");
        let doubt = Liveness::of(&timed(vec![unmet(false), healed()]));
        assert_eq!((doubt.verdict, doubt.failed_at()), (CheckVerdict::Unknown, None));
        let worse = Liveness::of(&timed(vec![started("n1"), unmet(true), exited("n1", false)]));
        assert_eq!(worse.signature(), "liveness/node-ended");
        let stuck = RunEvent::NotHealed { why: "no leader".to_owned() };
        let stuck = Liveness::of(&timed(vec![unmet(false), stuck]));
        assert_eq!(stuck.signature(), "liveness/not-healed");
    }

    #[test]
    fn a_cluster_that_does_not_heal_is_a_violation() {
        let liveness = Liveness::of(&timed(vec![RunEvent::NotHealed { why: "no leader".to_owned() }]));
        assert_eq!(liveness.reason.as_deref(), Some("the faults are lifted, and still no leader"));
        assert_eq!(liveness.signature(), "liveness/not-healed");
    }
}

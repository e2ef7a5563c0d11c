//! When nodes came up: what a node knew in one life it may know later or not at all in the next.
//!
//! A node that left a trace says itself when it started. Of another one nothing is known but the faults that struck it,
//! and any of them may have been its end.

use std::collections::HashMap;

use super::Evidence;
use super::trace::TraceEvent;
use crate::history::{History, Moment, Operation, Symbol};

/// How far the clock of a node's trace and that of the recorder may be apart. Both are the same machine's.
const CLOCKS_APART_NS: u64 = 1_000_000_000;

/// The lives of the nodes of a run.
#[derive(Debug)]
pub struct Lives<'e> {
    history: &'e History,
    /// By node that left a trace: when it started, in ns since the start of the run, in their order.
    starts: HashMap<&'e str, Vec<u64>>,
}

impl<'e> Lives<'e> {
    /// Looks at the traces, which say when nodes started only if it is known when the run did.
    #[must_use]
    pub fn of(evidence: &'e Evidence) -> Self {
        let history = &evidence.history;
        let mut starts: HashMap<&str, Vec<u64>> = HashMap::new();
        if let Some(began) = history.started_unix_ns() {
            for trace in &evidence.traces {
                let came_up = trace.events.iter().filter_map(|event| match event {
                    TraceEvent::Start { at, .. } => Some(at.saturating_sub(began)),
                    _ => None,
                });
                let own = starts.entry(trace.node.as_str()).or_default();
                own.extend(came_up);
                own.sort_unstable();
            }
        }
        Lives { history, starts }
    }

    /// Whether the node that both operations talked to certainly was in the same life for both: it did not come up
    /// between the invocation of the first and the end of the second.
    #[must_use]
    pub fn is_one(&self, first: &Operation, second: &Operation) -> bool {
        let (Some(node), Some(ended)) = (second.node, second.completed) else { return false };
        first.node == second.node && !self.may_have_ended(node, first.invoked, ended)
    }

    /// Whether a life of the node may have ended between two moments.
    fn may_have_ended(&self, node: Symbol, from: Moment, to: Moment) -> bool {
        if let Some(starts) = self.starts.get(self.history.text(node)) {
            let from = from.time.saturating_sub(CLOCKS_APART_NS);
            let next = starts.partition_point(|start| *start < from);
            return starts.get(next).is_some_and(|start| *start <= to.time.saturating_add(CLOCKS_APART_NS));
        }
        self.history.faults().iter().any(|fault| {
            let strikes = fault.nodes.is_empty() || fault.nodes.contains(&node);
            let over = fault.ended.is_some_and(|ended| ended.index < from.index);
            strikes && fault.began.index < to.index && !over
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::NodeTrace;
    use crate::history::timeline;

    fn evidence(picture: &str, starts_ms: &[u64]) -> Evidence {
        let mut history = timeline::parse(picture).unwrap();
        history.set_started_unix_ns(5_000_000_000);
        let start =
            |ms: &u64| TraceEvent::Start { at: 5_000_000_000 + ms * 1_000_000, node: "n1".to_owned() };
        let trace =
            NodeTrace { node: "n1".to_owned(), events: starts_ms.iter().map(start).collect(), lines: vec![] };
        Evidence { history, traces: vec![trace], ..Evidence::default() }
    }

    /// Whether the first two operations fell into one life of their node.
    fn is_one(evidence: &Evidence) -> bool {
        let [first, second] = &evidence.history.operations()[..2] else { panic!("two operations") };
        Lives::of(evidence).is_one(first, second)
    }

    #[test]
    fn a_life_ends_with_the_next_start() {
        let reads = "p0@n1: |-read []-|  |-read []-|";
        assert!(is_one(&evidence(reads, &[])));
        assert!(!is_one(&evidence(reads, &[10])));
        assert!(!is_one(&evidence(reads, &[1_020])), "clocks are not exactly one");
        assert!(is_one(&evidence(reads, &[1_100])));
        assert!(
            !is_one(&evidence("p0@n1: |-read []-|\np1@n2:  |-read []-|", &[])),
            "two nodes have two lives"
        );
        assert!(!is_one(&evidence("p0: |-read []-|  |-read []-|", &[])), "nobody knows the node");
    }

    #[test]
    fn of_a_node_without_a_trace_the_faults_tell() {
        let two = "p0@n2:       |-read []-|     |-read []-|";
        assert!(is_one(&evidence(two, &[10])));
        assert!(!is_one(&evidence(&format!("{two}\nnemesis:               |-kill n2-|"), &[])));
        assert!(is_one(&evidence(&format!("{two}\nnemesis:               |-kill n3-|"), &[])));
        assert!(!is_one(&evidence(&format!("{two}\nnemesis:               |-kill-|"), &[])));
        let before = "nemesis: |-kill n2-|\np0@n2:                |-read []-|     |-read []-|";
        assert!(is_one(&evidence(before, &[])));
    }
}

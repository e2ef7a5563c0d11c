//! Speed and availability of one run, computed from its history.
//!
//! Everything is measured inside the load window: from the end of the warm-up to the heal.

use std::collections::BTreeSet;

use checker::history::{Fault, History, Operation, Outcome};
use serde::Serialize;

/// A span of time in ns since the start of the run; `from` is inside, `to` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The beginning.
    pub from: u64,
    /// The end.
    pub to: u64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// When.
    pub window: Window,
    /// Operations invoked in the window.
    pub operations: u64,
    /// Of those, how many succeeded.
    pub ok: u64,
    /// Of those, how many certainly did not happen.
    pub fail: u64,
    /// Of those, how many may have happened.
    pub info: u64,
    /// `ok / operations`; 1 when there was no operation.
    pub ok_ratio: f64,
    /// Successful operations per second.
    pub ok_per_second: f64,
    /// Latency of successful operations, in ns.
    pub latency_ok_ns: Option<Latency>,
    /// The longest time in which no operation succeeded, in ns.
    pub longest_outage_ns: u64,
    /// When that began, in ns since the start of the run.
    pub longest_outage_from_ns: u64,
    /// Successful operations that completed while a fault stood that did something.
    pub ok_during_faults: u64,
    /// How long each successful operation took, in ns, the fastest first.
    #[serde(skip)]
    ok_latencies: Vec<u64>,
}

/// Quantiles of a latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Half were faster.
    pub p50: u64,
    /// 95 of 100 were faster.
    pub p95: u64,
    /// 99 of 100 were faster.
    pub p99: u64,
    /// The slowest.
    pub max: u64,
}

impl Metrics {
    /// Measures the operations that were invoked in `window`. The faults that did something are `effective`, by the names
    /// of their strikes.
    #[must_use]
    pub fn of(history: &History, window: Window, effective: &BTreeSet<&str>) -> Self {
        let stood: Vec<&Fault> = history
            .faults()
            .iter()
            .filter(|fault| fault.key.is_some_and(|key| effective.contains(history.text(key))))
            .collect();
        let inside = |operation: &&Operation| (window.from..window.to).contains(&operation.invoked.time);
        let operations: Vec<&Operation> = history.operations().iter().filter(inside).collect();
        let count = |of: fn(&Outcome) -> bool| operations.iter().filter(|o| of(&o.outcome)).count() as u64;
        let ok = count(|outcome| matches!(outcome, Outcome::Ok(_)));
        let spans: Vec<(u64, u64)> = operations.iter().filter_map(|operation| ok_span(operation)).collect();
        let mut ok_latencies: Vec<u64> =
            spans.iter().map(|(invoked, completed)| completed - invoked).collect();
        ok_latencies.sort_unstable();
        let successes = history.operations().iter().filter_map(ok_span).map(|(_, end)| end);
        let (longest_outage_from_ns, longest_outage_ns) = longest_gap(successes, window);
        let seconds = std::time::Duration::from_nanos(window.to.saturating_sub(window.from)).as_secs_f64();
        Self {
            window,
            operations: operations.len() as u64,
            ok,
            fail: count(|outcome| matches!(outcome, Outcome::Fail(_))),
            info: count(|outcome| matches!(outcome, Outcome::Info(_))),
            ok_ratio: if operations.is_empty() { 1.0 } else { ok as f64 / operations.len() as f64 },
            ok_per_second: if seconds > 0.0 { ok as f64 / seconds } else { 0.0 },
            latency_ok_ns: Latency::of(&ok_latencies),
            longest_outage_ns,
            longest_outage_from_ns,
            ok_during_faults: spans.iter().filter(|(_, end)| stands_one(&stood, *end)).count() as u64,
            ok_latencies,
        }
    }

    /// The latency, in ns, that a `share` of the successful operations does not exceed; none if nothing succeeded.
    #[must_use]
    pub fn ok_latency(&self, share: f64) -> Option<u64> {
        quantile(&self.ok_latencies, share)
    }
}

impl Latency {
    fn of(sorted: &[u64]) -> Option<Self> {
        Some(Self {
            p50: quantile(sorted, 0.5)?,
            p95: quantile(sorted, 0.95)?,
            p99: quantile(sorted, 0.99)?,
            max: quantile(sorted, 1.0)?,
        })
    }
}

/// The nearest rank: the smallest value that at least a `share` of all do not exceed.
fn quantile(sorted: &[u64], share: f64) -> Option<u64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// Invocation and completion of an operation that succeeded.
fn ok_span(operation: &Operation) -> Option<(u64, u64)> {
    operation.output()?;
    Some((operation.invoked.time, operation.completed?.time))
}

/// The longest time in the window without a successful completion: where it began, and how long it was.
fn longest_gap(successes: impl Iterator<Item = u64>, window: Window) -> (u64, u64) {
    let mut ends: Vec<u64> = successes.filter(|end| (window.from..window.to).contains(end)).collect();
    ends.push(window.from);
    ends.push(window.to);
    ends.sort_unstable();
    let gaps = ends.windows(2).map(|pair| (pair[0], pair[1] - pair[0]));
    gaps.max_by_key(|(_, length)| *length).unwrap_or((window.from, 0))
}

/// One of the faults stands at a time.
fn stands_one(faults: &[&Fault], time: u64) -> bool {
    let stands =
        |fault: &&Fault| fault.began.time <= time && fault.ended.is_none_or(|ended| time <= ended.time);
    faults.iter().any(stands)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_outage_counts_the_edges_of_the_window() {
        let window = Window { from: 100, to: 1_000 };
        let gap = |successes: &[u64]| longest_gap(successes.iter().copied(), window);
        assert_eq!(gap(&[]), (100, 900));
        assert_eq!(gap(&[150, 700, 750]), (150, 550));
        assert_eq!(gap(&[150]), (150, 850), "an outage may last until the end");
        assert_eq!(gap(&[20, 1_000, 2_000]), (100, 900), "what is outside does not count");
    }

    #[test]
    fn an_operation_counts_only_during_a_fault_that_did_something() {
        let history = checker::history::timeline::parse(
            "p0:       |-send a=1-|  |-send b=2-|  |-send c=3-|
             nemesis: |-kill n1 @kill#1-|
             nemesis:                          |-kill n2 @kill#2-|",
        );
        let history = history.expect("the drawing is one");
        let during = |effective: &[&str]| {
            let effective = effective.iter().copied().collect();
            Metrics::of(&history, Window { from: 0, to: 1_000_000_000 }, &effective).ok_during_faults
        };
        assert_eq!(during(&[]), 0);
        assert_eq!(during(&["kill#1"]), 1);
        assert_eq!(during(&["kill#1", "kill#2"]), 3);
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let latencies: Vec<u64> = (1..=100).collect();
        assert_eq!(Latency::of(&latencies), Some(Latency { p50: 50, p95: 95, p99: 99, max: 100 }));
        assert_eq!(Latency::of(&[7]), Some(Latency { p50: 7, p95: 7, p99: 7, max: 7 }));
        assert_eq!(Latency::of(&[]), None);
    }
}

//! What a check says in the end.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::anomaly::Anomaly;
use crate::check::CheckName;
use crate::durability::Losses;
use crate::explain::Paint;

/// The judgement of one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The property holds of everything that was recorded.
    Valid,
    /// The property is violated; there is a proof.
    Invalid,
    /// Nobody can say: a limit was hit, or the evidence is missing.
    Unknown,
}

impl Verdict {
    /// The verdict about two things together: a violation outweighs everything, doubt outweighs validity.
    #[must_use]
    pub fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (Verdict::Invalid, _) | (_, Verdict::Invalid) => Verdict::Invalid,
            (Verdict::Unknown, _) | (_, Verdict::Unknown) => Verdict::Unknown,
            (Verdict::Valid, Verdict::Valid) => Verdict::Valid,
        }
    }

    /// The colour of its word.
    #[must_use]
    pub fn paint(self) -> Paint {
        match self {
            Verdict::Valid => Paint::Good,
            Verdict::Invalid => Paint::Bad,
            Verdict::Unknown => Paint::Doubt,
        }
    }

    /// The verdict about all the checks together. No check at all is [`Verdict::Unknown`].
    #[must_use]
    pub fn of(results: &[CheckResult]) -> Verdict {
        results.iter().map(|result| result.verdict).reduce(Verdict::and).unwrap_or(Verdict::Unknown)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Valid => "valid",
            Verdict::Invalid => "invalid",
            Verdict::Unknown => "unknown",
        })
    }
}

/// How some times are distributed, in ns: the quantiles that Jepsen reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// How many times there are, at least 1.
    pub count: u64,
    /// The smallest.
    #[serde(rename = "0")]
    pub min: u64,
    /// The median.
    #[serde(rename = "0.5")]
    pub median: u64,
    /// 95 in a hundred are no greater.
    #[serde(rename = "0.95")]
    pub p95: u64,
    /// 99 in a hundred are no greater.
    #[serde(rename = "0.99")]
    pub p99: u64,
    /// The greatest.
    #[serde(rename = "1")]
    pub max: u64,
}

impl Quantiles {
    /// Of some times, which are sorted for it; `None` if there are none. A quantile is one of the times: the one at the
    /// place that is the share of their count, rounded down, as Jepsen's `frequency-distribution` takes it.
    #[must_use]
    pub fn of(times: &mut [u64]) -> Option<Self> {
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        let at = |percent: usize| times[last.min(times.len() * percent / 100)];
        let count = times.len() as u64;
        Some(Quantiles { count, min: at(0), median: at(50), p95: at(95), p99: at(99), max: at(100) })
    }
}

/// The most anomalies that one result carries; [`CheckResult::anomalies_total`] counts them all.
pub const ANOMALIES_MAX: usize = 8;

/// What one check found: an element of `checks` in `verdict.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Which check.
    pub name: CheckName,
    /// Its judgement.
    pub verdict: Verdict,
    /// Why: the headline of a violation, the cause of a doubt. `None` if valid.
    pub reason: Option<String>,
    /// How many operations (of a trace: events) the judgement rests on.
    pub operations: u64,
    /// How many objects: conversations, names, registers, nodes.
    pub keys: u64,
    /// How long the check took, in milliseconds; filled in by a caller who has a clock.
    pub ms: Option<u64>,
    /// The most memory that was counted at a time, in bytes, beside the history. Where objects are judged several at a
    /// time it is what the greatest of them took: how many are judged at once depends on the machine, and the result
    /// does not.
    pub peak_bytes: Option<u64>,
    /// Numbers that the check's readers expect by name, such as `acknowledged` and `lost`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
    /// Times that the check's readers expect by name, such as `lateness`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub latencies: BTreeMap<String, Quantiles>,
    /// Numbers over time that the check's readers expect by name, such as `unseen`: pairs of a time, in ns since the
    /// start of the run, and a number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub series: BTreeMap<String, Vec<[u64; 2]>>,
    /// What was lost, and to which node and which fault it is laid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub losses: Option<Losses>,
    /// How many anomalies were found.
    pub anomalies_total: u64,
    /// The gravest of them, at most [`ANOMALIES_MAX`].
    pub anomalies: Vec<Anomaly>,
}

impl CheckResult {
    /// A check that found nothing wrong.
    #[must_use]
    pub fn valid(name: CheckName, operations: u64, keys: u64) -> Self {
        Self::new(name, Verdict::Valid, None, operations, keys)
    }

    /// A check that cannot say, and why.
    #[must_use]
    pub fn unknown(name: CheckName, reason: impl Into<String>, operations: u64, keys: u64) -> Self {
        Self::new(name, Verdict::Unknown, Some(reason.into()), operations, keys)
    }

    /// A check that found `anomalies`; the gravest come first, of a kind the clearest, and become the
    /// headline.
    ///
    /// # Panics
    /// If there is no anomaly: an invalid verdict has a proof.
    #[must_use]
    pub fn invalid(name: CheckName, mut anomalies: Vec<Anomaly>, operations: u64, keys: u64) -> Self {
        assert!(!anomalies.is_empty(), "an invalid verdict of {name} names an anomaly");
        // Of a kind, the clearest: what leaves least doubt about the order, then what takes the fewest operations. A
        // stable sort: among equals, the order in which the check found them.
        anomalies.sort_by_key(|anomaly| (anomaly.kind, Reverse(anomaly.margin_ns), anomaly.operations.len()));
        let reason = Some(anomalies[0].sentence.clone());
        let anomalies_total = anomalies.len() as u64;
        anomalies.truncate(ANOMALIES_MAX);
        let result = Self::new(name, Verdict::Invalid, reason, operations, keys);
        CheckResult { anomalies_total, anomalies, ..result }
    }

    fn new(name: CheckName, verdict: Verdict, reason: Option<String>, operations: u64, keys: u64) -> Self {
        CheckResult {
            name,
            verdict,
            reason,
            operations,
            keys,
            ms: None,
            peak_bytes: None,
            counts: BTreeMap::new(),
            latencies: BTreeMap::new(),
            series: BTreeMap::new(),
            losses: None,
            anomalies_total: 0,
            anomalies: Vec::new(),
        }
    }

    /// The same result with a number that its readers expect by name.
    #[must_use]
    pub fn with_count(mut self, name: &str, count: u64) -> Self {
        self.counts.insert(name.to_owned(), count);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::AnomalyKind;

    #[test]
    fn invalid_outweighs_unknown_and_unknown_outweighs_valid() {
        let result = |verdict| CheckResult { verdict, ..CheckResult::valid(CheckName::Durable, 1, 1) };
        let fold =
            |verdicts: &[Verdict]| Verdict::of(&verdicts.iter().map(|v| result(*v)).collect::<Vec<_>>());
        use Verdict::{Invalid, Unknown, Valid};
        assert_eq!(fold(&[]), Unknown, "nothing was checked");
        assert_eq!(fold(&[Valid, Valid]), Valid);
        assert_eq!(fold(&[Valid, Unknown]), Unknown);
        assert_eq!(fold(&[Unknown, Invalid, Valid]), Invalid);
    }

    #[test]
    fn the_gravest_kind_comes_first_and_of_a_kind_the_widest_margin() {
        let anomaly = |kind, margin_ns| Anomaly {
            margin_ns,
            ..Anomaly::of_digests(kind, Vec::new(), format!("{kind} {margin_ns:?}"))
        };
        let (stale, lost) = (AnomalyKind::StaleRead, AnomalyKind::Lost);
        let found = [(stale, None), (stale, Some(5)), (lost, None), (stale, Some(7))];
        let found = found.map(|(kind, margin_ns)| anomaly(kind, margin_ns)).to_vec();
        let result = CheckResult::invalid(CheckName::Linearizable, found, 4, 1);
        let told: Vec<_> = result.anomalies.iter().map(|anomaly| (anomaly.kind, anomaly.margin_ns)).collect();
        assert_eq!(told, [(lost, None), (stale, Some(7)), (stale, Some(5)), (stale, None)]);
        assert_eq!(result.reason.as_deref(), Some("lost None"));
    }

    #[test]
    fn quantiles_are_times_that_there_were() {
        let of = |times: &[u64]| {
            let quantiles = Quantiles::of(&mut times.to_vec())?;
            Some([quantiles.min, quantiles.median, quantiles.p95, quantiles.p99, quantiles.max])
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some([7; 5]));
        let hundred: Vec<u64> = (0..100).rev().collect();
        assert_eq!(of(&hundred), Some([0, 50, 95, 99, 99]));
        let quantiles = Quantiles::of(&mut [3, 1]).unwrap();
        let text = r#"{"count":2,"0":1,"0.5":3,"0.95":3,"0.99":3,"1":3}"#;
        assert_eq!(serde_json::to_string(&quantiles).unwrap(), text);
    }

    #[test]
    fn a_result_has_the_shape_of_verdict_json() {
        let result =
            CheckResult::unknown(CheckName::Durable, "there is no final read", 3, 1).with_count("lost", 0);
        assert_eq!(
            serde_json::to_string(&result).unwrap(),
            r#"{"name":"durable","verdict":"unknown","reason":"there is no final read","operations":3,"keys":1,"ms":null,"peak_bytes":null,"counts":{"lost":0},"anomalies_total":0,"anomalies":[]}"#
        );
    }
}

//! Kinds of failures: what two failures have in common whose particulars differ.

use std::collections::BTreeSet;
use std::time::Duration;

use checker::anomaly::Anomaly;
use checker::verdict::{CheckResult, Verdict as CheckVerdict};

use super::file::VerdictFile;

impl VerdictFile {
    /// Every kind of failure that was found, as in [`VerdictFile::signature`], which is the first of them.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let of_check = |check: &CheckResult| -> Vec<String> {
            check.anomalies.iter().map(|anomaly| kind_of(check, anomaly)).collect()
        };
        let mut kinds: Vec<String> = self.checks.iter().flat_map(of_check).collect();
        if self.liveness.verdict == CheckVerdict::Invalid {
            kinds.push(self.liveness.signature());
        }
        kinds.extend(self.thresholds.iter().filter(|threshold| !threshold.met).map(|threshold| {
            let metric = threshold.threshold.split_whitespace().next().unwrap_or_default();
            format!("threshold/{metric}")
        }));
        let mut seen = BTreeSet::new();
        kinds.retain(|kind| seen.insert(kind.clone()));
        kinds
    }

    /// When, from the end of the warm-up, the first failure of this kind was complete, as far as its proof says. None
    /// when there was no load.
    #[must_use]
    pub fn failed_after(&self, kind: &str) -> Option<Duration> {
        let window = self.metrics.as_ref()?.window;
        let proofs = self
            .checks
            .iter()
            .flat_map(|check| check.anomalies.iter().filter(move |anomaly| kind_of(check, anomaly) == kind));
        let complete = |anomaly: &Anomaly| {
            let times = anomaly.operations.iter().map(|witness| witness.completed.unwrap_or(witness.invoked));
            times.max()
        };
        let seen = self.liveness.failed_at().filter(|_| self.liveness.signature() == kind);
        let first = proofs.filter_map(complete).chain(seen).min()?;
        Some(Duration::from_nanos(first.saturating_sub(window.from)))
    }
}

fn kind_of(check: &CheckResult, anomaly: &Anomaly) -> String {
    format!("{}/{}", check.name, anomaly.kind.name())
}

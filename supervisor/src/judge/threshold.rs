//! Speed and availability against the bounds that the scenario sets.

use std::time::Duration;

use super::file::ThresholdRecord;
use crate::metrics::Metrics;
use crate::scenario::threshold::{Measure, Metric, Threshold};

/// Whether the threshold holds. What could not be measured holds no bound: a run without load has no measures, and one
/// in which nothing succeeded has no latency.
pub(super) fn judge(threshold: &Threshold, metrics: Option<&Metrics>) -> ThresholdRecord {
    let time = |ns| Measure::Time(Duration::from_nanos(ns));
    let measured = metrics.and_then(|metrics| match threshold.metric {
        Metric::LongestOutage => Some(time(metrics.longest_outage_ns)),
        Metric::OkRatio => Some(Measure::Ratio(metrics.ok_ratio)),
        Metric::OkLatency(quantile) => metrics.ok_latency(quantile.share()).map(time),
    });
    ThresholdRecord {
        threshold: threshold.to_string(),
        measured: measured.map_or_else(|| "nothing succeeded".to_owned(), describe),
        met: measured.is_some_and(|measured| threshold.is_met_by(measured)),
    }
}

fn describe(measure: Measure) -> String {
    match measure {
        Measure::Time(time) => format!("{:.3} s", time.as_secs_f64()),
        Measure::Ratio(ratio) => format!("{ratio:.4}"),
    }
}

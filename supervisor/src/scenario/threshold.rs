//! Thresholds: what a run must reach in speed and availability, over and above being correct.
//!
//! A threshold is one comparison: `longest-outage < 3s`, `ok-ratio > 0.80`, `latency.ok.p99 < 500ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::unit::{self, Time};
use super::word::Word;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// The longest time of the load in which no operation succeeded.
    LongestOutage,
    /// Of all operations of the load, the share that succeeded.
    OkRatio,
    /// How long the operations that succeeded took: the value that so many percent of them do not exceed.
    OkLatency(Quantile),
}

/// A point of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantile {
    /// The median.
    P50,
    /// 90 %.
    P90,
    /// 95 %.
    P95,
    /// 99 %.
    P99,
    /// 99.9 %.
    P999,
    /// The largest.
    Max,
}

impl Quantile {
    /// The share of values that do not exceed it: 0.5 for the median, 1 for the largest.
    #[must_use]
    pub fn share(self) -> f64 {
        match self {
            Self::P50 => 0.5,
            Self::P90 => 0.9,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
            Self::P999 => 0.999,
            Self::Max => 1.0,
        }
    }
}

impl Word for Metric {
    const ALL: &'static [Self] = &[
        Self::LongestOutage,
        Self::OkRatio,
        Self::OkLatency(Quantile::P50),
        Self::OkLatency(Quantile::P90),
        Self::OkLatency(Quantile::P95),
        Self::OkLatency(Quantile::P99),
        Self::OkLatency(Quantile::P999),
        Self::OkLatency(Quantile::Max),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::LongestOutage => "longest-outage",
            Self::OkRatio => "ok-ratio",
            Self::OkLatency(Quantile::P50) => "latency.ok.p50",
            Self::OkLatency(Quantile::P90) => "latency.ok.p90",
            Self::OkLatency(Quantile::P95) => "latency.ok.p95",
            Self::OkLatency(Quantile::P99) => "latency.ok.p99",
            Self::OkLatency(Quantile::P999) => "latency.ok.p999",
            Self::OkLatency(Quantile::Max) => "latency.ok.max",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// How a measured value is compared with the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Word for Comparison {
    const ALL: &'static [Self] = &[Self::Below, Self::AtMost, Self::Above, Self::AtLeast];

    fn word(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// A measured value, or the limit for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// A time.
    Time(Duration),
    /// A share of the whole, from 0 to 1.
    Ratio(f64),
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => Time(*time).fmt(f),
            Self::Ratio(ratio) => ratio.fmt(f),
        }
    }
}

/// One condition on a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Threshold {
    /// What is measured.
    pub metric: Metric,
    /// How.
    pub comparison: Comparison,
    /// Against what; a time or a ratio, as the metric is.
    pub limit: Measure,
}

impl Threshold {
    /// Whether `measured` is as it must be.
    ///
    /// # Panics
    /// If `measured` is a time and the metric a ratio, or the reverse.
    #[must_use]
    pub fn is_met_by(&self, measured: Measure) -> bool {
        let order = match (measured, self.limit) {
            (Measure::Time(measured), Measure::Time(limit)) => measured.partial_cmp(&limit),
            (Measure::Ratio(measured), Measure::Ratio(limit)) => measured.partial_cmp(&limit),
            (measured, limit) => {
                panic!("{} was measured as {measured:?}, its limit is {limit:?}", self.metric)
            }
        };
        order.is_some_and(|order| match self.comparison {
            Comparison::Below => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Above => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.metric, self.comparison.word(), self.limit)
    }
}

/// Why a text is not a threshold. It names the offending part.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAThreshold {
    /// It is not a metric, a comparison and a limit.
    #[error("a threshold is a metric, a comparison and a limit, e.g. longest-outage < 3s")]
    Form,
    /// The metric does not exist.
    #[error("unknown metric `{0}`")]
    Metric(String),
    /// The comparison does not exist.
    #[error("unknown comparison `{0}`; use one of <, <=, >, >=")]
    Comparison(String),
    /// The limit is not what the metric is measured in.
    #[error(transparent)]
    Limit(unit::NotAQuantity),
    /// A window of time, which this version cannot evaluate.
    #[error("`{0}` is not supported yet: a threshold holds for the whole load")]
    Window(String),
}

impl FromStr for Threshold {
    type Err = NotAThreshold;

    fn from_str(text: &str) -> Result<Self, NotAThreshold> {
        let mut words = text.split_whitespace();
        let (Some(metric), Some(comparison), Some(limit)) = (words.next(), words.next(), words.next()) else {
            return Err(NotAThreshold::Form);
        };
        let rest = words.collect::<Vec<_>>().join(" ");
        if !rest.is_empty() {
            return Err(NotAThreshold::Window(rest));
        }
        let metric = Metric::of_word(metric).ok_or_else(|| NotAThreshold::Metric(metric.to_owned()))?;
        let comparison = Comparison::of_word(comparison)
            .ok_or_else(|| NotAThreshold::Comparison(comparison.to_owned()))?;
        let limit = match metric {
            Metric::OkRatio => unit::parse_ratio(limit).map(Measure::Ratio),
            Metric::LongestOutage | Metric::OkLatency(_) => unit::parse_duration(limit).map(Measure::Time),
        };
        Ok(Self { metric, comparison, limit: limit.map_err(NotAThreshold::Limit)? })
    }
}

impl TryFrom<String> for Threshold {
    type Error = NotAThreshold;

    fn try_from(text: String) -> Result<Self, NotAThreshold> {
        text.parse()
    }
}

impl From<Threshold> for String {
    fn from(threshold: Threshold) -> Self {
        threshold.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_read_and_written() {
        for text in
            ["longest-outage < 3s", "ok-ratio >= 0.8", "latency.ok.p99 <= 500ms", "latency.ok.max > 1us"]
        {
            assert_eq!(text.parse::<Threshold>().unwrap().to_string(), text);
        }
        assert_eq!("ok-ratio > 80%".parse::<Threshold>().unwrap().to_string(), "ok-ratio > 0.8");
    }

    #[test]
    fn each_part_is_refused_by_name() {
        let error = |text: &str| text.parse::<Threshold>().unwrap_err().to_string();
        assert!(error("longest-outage").contains("a metric, a comparison and a limit"));
        assert!(error("outage < 3s").contains("`outage`"));
        assert!(error("ok-ratio = 1").contains("`=`"));
        assert!(error("longest-outage < 3").contains("write a unit, e.g. 3s"));
        assert!(error("ok-ratio > 1.5").contains("share of the whole"));
        assert!(
            error("latency.ok.p99 < 500ms outside faults").contains("`outside faults` is not supported yet")
        );
    }

    #[test]
    fn the_limit_itself_meets_only_the_inclusive_comparisons() {
        let met = |text: &str, ratio| text.parse::<Threshold>().unwrap().is_met_by(Measure::Ratio(ratio));
        assert!(met("ok-ratio >= 0.8", 0.8) && !met("ok-ratio > 0.8", 0.8));
        assert!(met("ok-ratio <= 0.8", 0.8) && !met("ok-ratio < 0.8", 0.8));
        assert!(met("ok-ratio > 0.8", 0.9) && met("ok-ratio < 0.8", 0.7));
        assert!(!met("ok-ratio > 0.8", f64::NAN), "what could not be measured meets nothing");
        let outage = "longest-outage < 3s".parse::<Threshold>().unwrap();
        assert!(outage.is_met_by(Measure::Time(Duration::from_millis(2_999))));
    }
}

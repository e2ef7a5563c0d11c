//! How a run is to end: the verdict that is expected, and what stays on disk.

use checker::anomaly::AnomalyKind;
use checker::check::CheckName;
use serde::{Deserialize, Serialize};

use crate::scenario::word::words;

/// Which verdict is the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Expectation {
    /// Every check is valid.
    Pass,
    /// A check finds a violation: there is a bug, and the testbed must catch it.
    Fail {
        /// The check that must find it.
        check: CheckName,
        /// The anomaly that it must find.
        anomaly: AnomalyKind,
        /// Within how many seeds, counted from the plan's own; at least 1.
        within_seeds: u32,
    },
}

/// What stays in the run directory. What is needed to check and report again always stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Artifacts {
    /// When the rest stays.
    pub keep: Keep,
    /// Whether the nodes' data directories are part of the rest.
    pub data_dirs: bool,
}

words! {
    /// When bulky artifacts stay on disk.
    pub enum Keep {
        /// When the run did not end as expected.
        OnFailure = "on-failure",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",}
}

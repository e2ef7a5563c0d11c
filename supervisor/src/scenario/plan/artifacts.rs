//! What stays on disk of a run.

use serde::{Deserialize, Serialize};

use crate::scenario::word::words;

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

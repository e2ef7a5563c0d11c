//! What is done to processes.

use serde::{Deserialize, Serialize};

use crate::scenario::signal::Signal;
use crate::scenario::target::Target;

/// A signal that ends a process; the node is started again when the strike is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Kill {
    /// Whom.
    pub target: Target,
    /// With which signal; never one that only stops or continues a process.
    pub signal: Signal,
}

/// A process stands still until the strike is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pause {
    /// Whom.
    pub target: Target,
}

/// A graceful stop and a new start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Restart {
    /// Whom.
    pub target: Target,
}

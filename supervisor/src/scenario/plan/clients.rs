//! The clients of a plan: what they do, how many they are, and when each begins its next operation.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::scenario::unit::{self, Rate};
use crate::scenario::workload::{Routing, WorkloadKind};

/// What the clients do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorkloadPlan {
    /// The kind of operations.
    pub kind: WorkloadKind,
    /// How many clients at once; each is one process of the history at a time.
    pub clients: u32,
    /// When the next operation begins.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub load: Load,
    /// Through which node.
    pub routing: Routing,
    /// The deadline of one operation.
    #[serde(with = "unit::duration")]
    pub operation_timeout: Duration,
    /// How often a write is tried whose outcome nobody knows, as the same write, each time at another node and within its
    /// share of the deadline; at least 1.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub tries: u32,
    /// How many objects (conversations, accounts) the operations are spread over.
    pub keys: u32,
    /// The length of a message's text in bytes; without meaning for accounts.
    #[serde(with = "unit::size")]
    pub payload: u64,
    /// The operations with their weights, each at least 1; what is not named is not done.
    pub mix: BTreeMap<String, u32>,
}

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_once(tries: &u32) -> bool {
    *tries == 1
}

/// When clients begin operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// At this rate over all clients, however slow the answers are.
    Open(#[serde(with = "unit::text")] Rate),
    /// Each client begins its next operation when the last one has ended.
    Closed,
}

//! What clients do: an endless, seeded stream of operations, shaped by what was seen so far.
//!
//! A workload speaks in the words of the history (`send`, `read`, `create-account`) and knows nothing of how an
//! operation is carried out; that is the system's part. Each worker draws from a fork of its own, so what one worker
//! asks does not depend on how fast another is.

mod accounts;
mod conversation;
mod mix;

use crate::rng::Rng;
use crate::scenario::plan::{Plan, WorkloadKind};
use crate::system::{Invocation, Outcome};

pub use accounts::Accounts;
pub use conversation::{Conversation, keys as conversation_keys};
pub use mix::Mix;

/// A stream of operations.
pub trait Workload {
    /// What `worker` does next.
    fn next(&mut self, worker: usize) -> Invocation;

    /// Learns how an operation ended.
    fn completed(&mut self, invocation: &Invocation, outcome: &Outcome);

    /// The reads that decide, once the faults are over, what was kept: to be done through every node.
    fn final_reads(&self) -> Vec<Invocation>;

    /// The final read that goes on where `invocation` ended; `None` when it reached the end.
    fn next_page(&self, invocation: &Invocation, outcome: &Outcome) -> Option<Invocation>;
}

/// The workload of a plan.
#[must_use]
pub fn of_plan(plan: &Plan, rng: &Rng) -> Box<dyn Workload> {
    let workers = (0..plan.workload.clients).map(|worker| rng.fork(&format!("worker-{worker}"))).collect();
    match plan.workload.kind {
        WorkloadKind::Conversation => Box::new(Conversation::new(plan, workers)),
        WorkloadKind::Accounts => Box::new(Accounts::new(plan, workers)),
    }
}

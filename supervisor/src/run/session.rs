//! A succession of processes of the history, each with a client of its own.
//!
//! A process that got an indefinite outcome is dead, for its operation may still take effect at any time; its
//! successor has a new number, a new identity and a new connection.

use std::rc::Rc;
use std::time::Duration;

use super::worker::Bench;
use crate::harness::HarnessFailure;
use crate::system::{Client, Invocation, Outcome};

/// See the module.
pub(super) struct Session {
    bench: Rc<Bench>,
    process: u64,
    client: Box<dyn Client>,
}

impl Session {
    /// A session with its first process.
    pub(super) fn open(bench: Rc<Bench>) -> Self {
        let (process, client) = next_process(&bench);
        Self { bench, process, client }
    }

    /// Carries out one operation, and records both its ends.
    pub(super) async fn operate(
        &mut self,
        node: &str,
        invocation: &Invocation,
        limit: Duration,
    ) -> Result<Outcome, HarnessFailure> {
        let open = self.bench.recorder.invoke(self.process, node, invocation)?;
        let outcome = self.client.execute(node, invocation, limit).await;
        self.bench.recorder.complete(open, &outcome)?;
        if matches!(outcome, Outcome::Info(_)) {
            (self.process, self.client) = next_process(&self.bench);
        }
        Ok(outcome)
    }
}

/// The number of a process that never was, and a client under its name.
fn next_process(bench: &Bench) -> (u64, Box<dyn Client>) {
    let process = bench.recorder.new_process();
    (process, bench.system.client(&format!("p{process}")))
}

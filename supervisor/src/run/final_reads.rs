//! After the heal: every key is read whole from every node, and every node's state is digested.
//!
//! The reads are linearizable ones, through each node, and part of the history. They decide what was kept. A node that
//! does not serve them, though the cluster has healed, is not healed.

use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::Stage;
use super::event::RunEvent;
use super::session::Session;
use super::worker::Bench;
use crate::harness::{HarnessFailure, chain};
use crate::system::{Invocation, Outcome};

/// How long one final read may take. The cluster is whole again, so this is generous.
const FINAL_READ_LIMIT: Duration = Duration::from_secs(10);

/// How often one final read is tried at least. A leader may change even now, and what is not read is not known to be
/// kept.
const FINAL_READ_TRIES_MIN: u32 = 5;

/// How long to wait between two tries.
const FINAL_READ_REST: Duration = Duration::from_millis(200);

/// How long a node may take to digest its whole state.
const DIGEST_LIMIT: Duration = Duration::from_secs(30);

/// How often digests are taken again when some node had applied more than another in between.
const DIGEST_ROUNDS_MAX: u32 = 5;

impl Stage {
    /// Reads everything from every node, the nodes side by side. The cluster has as long to serve these reads as it had
    /// to heal.
    pub(super) async fn final_reads(&self, bench: &Rc<Bench>) -> Result<(), HarnessFailure> {
        let nodes = self.cluster.members();
        let give_up = Instant::now() + self.plan.run.settle;
        let readers = nodes.iter().enumerate().map(|(number, node)| {
            let wanted = bench.workload.borrow().final_reads(number, nodes.len());
            self.read_all(bench, node, wanted, give_up)
        });
        let missing: Result<Vec<_>, _> = join_all(readers).await.into_iter().collect();
        if let Some(why) = missing?.into_iter().flatten().next() {
            self.events.emit(RunEvent::NotHealed { why });
        }
        Ok(())
    }

    /// Reads `wanted` through `node`. Returns the first that did not succeed, in words.
    async fn read_all(
        &self,
        bench: &Rc<Bench>,
        node: &str,
        mut wanted: Vec<Invocation>,
        give_up: Instant,
    ) -> Result<Option<String>, HarnessFailure> {
        let mut session = Session::open(Rc::clone(bench));
        let mut missing = None;
        wanted.reverse();
        while let Some(invocation) = wanted.pop() {
            let mut tries = 0;
            let outcome = loop {
                let outcome = session.operate(node, &invocation, FINAL_READ_LIMIT).await?;
                tries += 1;
                let is_over = tries >= FINAL_READ_TRIES_MIN && Instant::now() >= give_up;
                if matches!(outcome, Outcome::Ok(_)) || is_over {
                    break outcome;
                }
                tokio::time::sleep(FINAL_READ_REST).await;
            };
            if let Outcome::Fail(why) | Outcome::Info(why) = &outcome {
                let of = invocation.key.as_deref().map(|key| format!(" of {key}")).unwrap_or_default();
                let text = format!("no final {}{of} through {node}: {why}", invocation.f);
                missing.get_or_insert_with(|| text.clone());
                self.events.emit(RunEvent::Note { text });
            }
            bench.workload.borrow_mut().completed(&invocation, &outcome);
            wanted.extend(bench.workload.borrow().next_page(&invocation, &outcome));
        }
        Ok(missing)
    }

    /// Takes a digest of every node at one index. A new leader's first entry may move some node on in between, so it
    /// is tried again until all agree on the index; what was taken last is what the check sees.
    pub(super) async fn digests(&self) {
        let names = self.cluster.members();
        let mut taken = Vec::new();
        for _ in 0..DIGEST_ROUNDS_MAX {
            taken = match self.cluster.wait_until_caught_up(self.plan.run.settle).await {
                Ok(index) => {
                    join_all(names.iter().map(|node| self.system.digest(node, index, DIGEST_LIMIT))).await
                }
                Err(failure) => vec![Err(chain(&failure)); names.len()],
            };
            let mut indexes = taken.iter().flatten().map(|(index, _)| index);
            let first = indexes.next();
            if indexes.all(|index| Some(index) == first) {
                break;
            }
        }
        for (node, taken) in names.iter().cloned().zip(taken) {
            self.events.emit(match taken {
                Ok((index, digest)) => RunEvent::Digest { node, index, digest },
                Err(why) => RunEvent::DigestMissing { node, why },
            });
        }
    }
}

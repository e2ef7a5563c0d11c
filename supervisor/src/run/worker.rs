//! A client at work: it asks the workload what to do and which way to go, does it, and tells the workload what came
//! of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rand::RngExt;
use rand::seq::IteratorRandom;

use super::arrivals::Arrivals;
use super::monitor::Roles;
use super::recorder::Recorder;
use super::session::Session;
use super::stop::Stop;
use crate::cluster::Members;
use crate::harness::HarnessFailure;
use crate::rng::Rng;
use crate::scenario::plan::Routing;
use crate::system::{NodeName, Outcome, System};
use crate::workload::Workload;

/// How long a worker rests, at most, after an operation that did not succeed: a node that refuses at once must not
/// be asked a thousand times a second.
const REST_MAX: Duration = Duration::from_millis(40);

/// After so many operations in a row that did not succeed, a sticky worker moves on to the next node.
const STICKY_FAILURES_MAX: u32 = 3;

/// Everything that the workers of a run share.
pub struct Bench {
    /// The system under test.
    pub system: Rc<dyn System>,
    /// What to do.
    pub workload: RefCell<Box<dyn Workload>>,
    /// Where it is written down.
    pub recorder: Recorder,
    /// When to do it.
    pub arrivals: Arrivals,
    /// Who leads, as far as is known.
    pub roles: Roles,
    /// The nodes.
    pub members: Members,
    /// Through which node.
    pub routing: Routing,
    /// How long an operation may take.
    pub operation_timeout: Duration,
}

/// One worker; see the module.
pub struct Worker {
    number: usize,
    bench: Rc<Bench>,
    rng: Rng,
    session: Session,
    /// How many operations in a row did not succeed.
    failures: u32,
    /// How often it moved on to another node.
    moves: usize,
}

impl Worker {
    /// The worker `number`, which draws its routes from `rng`.
    #[must_use]
    pub fn new(number: usize, bench: Rc<Bench>, rng: Rng) -> Self {
        let session = Session::open(Rc::clone(&bench));
        Self { number, bench, rng, session, failures: 0, moves: 0 }
    }

    /// Works until `stop`. The operation that is under way then is finished: it has a limit of its own.
    pub async fn work(mut self, stop: Stop) -> Result<(), HarnessFailure> {
        while self.bench.arrivals.next(&stop).await {
            let outcome = self.operate().await?;
            if !matches!(outcome, Outcome::Ok(_)) {
                let rest = REST_MAX.mul_f64(self.rng.random::<f64>());
                stop.unless_stopped(tokio::time::sleep(rest)).await;
            }
        }
        Ok(())
    }

    async fn operate(&mut self) -> Result<Outcome, HarnessFailure> {
        let invocation = self.bench.workload.borrow_mut().next(self.number);
        let node = self.route();
        let outcome = self.session.operate(&node, &invocation, self.bench.operation_timeout).await?;
        self.bench.workload.borrow_mut().completed(&invocation, &outcome);
        self.failures = if matches!(outcome, Outcome::Ok(_)) { 0 } else { self.failures + 1 };
        if self.failures == STICKY_FAILURES_MAX {
            self.failures = 0;
            self.moves += 1;
        }
        Ok(outcome)
    }

    fn route(&mut self) -> NodeName {
        let nodes = self.bench.members.now();
        let leader = self.bench.roles.leader();
        let any = |rng: &mut Rng| nodes[rng.random_range(0..nodes.len())].clone();
        match self.bench.routing {
            Routing::Any => any(&mut self.rng),
            Routing::Sticky => nodes[(self.number + self.moves) % nodes.len()].clone(),
            Routing::Leader => leader.unwrap_or_else(|| any(&mut self.rng)),
            Routing::Follower => {
                let followers = nodes.iter().filter(|node| Some(*node) != leader.as_ref());
                // A cluster of one node has no follower.
                followers.choose(&mut self.rng).unwrap_or(&nodes[0]).clone()
            }
        }
    }
}

#[cfg(test)]
mod tests;

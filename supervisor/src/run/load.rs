//! The load of a run: the workers, the nemesis and the monitor, side by side.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::Stage;
use super::arrivals::Arrivals;
use super::event::{Phase, RunEvent};
use super::monitor::{Roles, watch_leaders};
use super::stop::{Stop, stop};
use super::worker::{Bench, Worker};
use crate::harness::HarnessFailure;
use crate::scenario::plan::Load;
use crate::workload;

/// How often the watcher is told how far the run is.
const TICK_INTERVAL: Duration = Duration::from_millis(100);

impl Stage {
    /// Warm-up, then load and faults, until the time is over, somebody interrupts, or a violation is seen that ends it. When it returns, no operation is
    /// open and no fault stands.
    pub(super) async fn load(&self) -> Result<Rc<Bench>, HarnessFailure> {
        let bench = Rc::new(self.bench());
        let (stopper, stopped) = stop();
        let mut tasks = JoinSet::new();
        self.spawn_workers(&mut tasks, &bench, &stopped);
        self.spawn_lookouts(&mut tasks, &bench, &stopped);

        self.phase(Phase::Warmup);
        let warm = self.wait(self.plan.run.warmup, &mut tasks).await;
        let faulty = match warm {
            Ok(()) => self.load_under_faults(&bench.roles, &mut tasks).await,
            Err(failure) => Err(failure),
        };
        stopper.stop();
        while let Some(ended) = tasks.join_next().await {
            ended.expect("no task of the load panics or is cancelled")?;
        }
        faulty?;
        let shed = bench.arrivals.shed();
        if shed > 0 {
            let text =
                format!("{shed} operations of the open loop found every client busy and were not made");
            self.events.emit(RunEvent::Note { text });
        }
        Ok(bench)
    }

    async fn load_under_faults(
        &self,
        roles: &Roles,
        tasks: &mut JoinSet<Result<(), HarnessFailure>>,
    ) -> Result<(), HarnessFailure> {
        self.phase(Phase::Load);
        let nemesis = self.nemesis();
        let (lift, lifted) = stop();
        let origin = Instant::now();
        let strikes = nemesis.strike_all(origin, &lifted);
        let steps = nemesis.carry_out_steps(roles, &lifted);
        let over = async {
            let waited = self.wait(self.plan.run.duration, tasks).await;
            lift.stop();
            waited
        };
        tokio::try_join!(strikes, steps, over)?;
        assert_eq!(nemesis.standing(), 0, "after the load no fault stands");
        Ok(())
    }

    /// Waits for `length`, for an interrupt, for a violation that ends the load, or for the first failure of a task.
    async fn wait(
        &self,
        length: Duration,
        tasks: &mut JoinSet<Result<(), HarnessFailure>>,
    ) -> Result<(), HarnessFailure> {
        let violated = &self.violation.1;
        let over = violated.unless_stopped(self.interrupt.unless_stopped(sleep(length)));
        tokio::pin!(over);
        loop {
            tokio::select! {
                _ = &mut over => return Ok(()),
                Some(ended) = tasks.join_next() => ended.expect("no task of the load panics or is cancelled")?,
            }
        }
    }

    fn bench(&self) -> Bench {
        let rng = self.plan.rng();
        Bench {
            system: Rc::clone(&self.system),
            workload: RefCell::new(workload::of_plan(&self.plan, &rng.fork("workload"))),
            recorder: self.recorder.clone(),
            arrivals: match self.plan.workload.load {
                Load::Closed => Arrivals::closed_loop(),
                Load::Open(rate) => Arrivals::open_loop(f64::from(rate.per_second)),
            },
            roles: Roles::default(),
            members: self.cluster.member_list(),
            routing: self.plan.workload.routing,
            operation_timeout: self.plan.workload.operation_timeout,
        }
    }

    fn spawn_workers(
        &self,
        tasks: &mut JoinSet<Result<(), HarnessFailure>>,
        bench: &Rc<Bench>,
        stopped: &Stop,
    ) {
        let rng = self.plan.rng().fork("routing");
        for number in 0..self.plan.workload.clients as usize {
            let worker = Worker::new(number, Rc::clone(bench), rng.fork(&format!("worker-{number}")));
            tasks.spawn_local(worker.work(stopped.clone()));
        }
        let (arrivals, stopped) = (bench.arrivals.clone(), stopped.clone());
        tasks.spawn_local(async move {
            arrivals.run(stopped).await;
            Ok(())
        });
    }

    fn spawn_lookouts(
        &self,
        tasks: &mut JoinSet<Result<(), HarnessFailure>>,
        bench: &Rc<Bench>,
        stopped: &Stop,
    ) {
        let (cluster, roles, events) = (self.cluster.clone(), bench.roles.clone(), self.events.clone());
        let until = stopped.clone();
        tasks.spawn_local(async move {
            watch_leaders(cluster, roles, events, until).await;
            Ok(())
        });
        let (watcher, clock, recorder) = (Rc::clone(&self.watcher), self.clock, self.recorder.clone());
        let until = stopped.clone();
        tasks.spawn_local(async move {
            while until.unless_stopped(sleep(TICK_INTERVAL)).await.is_some() {
                watcher.tick(clock.elapsed(), recorder.tally());
            }
            Ok(())
        });
    }
}

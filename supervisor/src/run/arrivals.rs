//! When operations arrive.
//!
//! *Closed loop*: a worker's next operation arrives when its last one ended. *Open loop*: operations arrive at a
//! fixed rate, whether or not the system keeps up, which is what a real crowd does. An arrival that finds every worker
//! busy is shed and counted: queueing it would turn an outage into a burst that no crowd sends.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::stop::Stop;

/// When the next operation of some worker arrives. Clones share one stream.
#[derive(Debug, Clone)]
pub struct Arrivals {
    open: Option<Rc<Open>>,
}

#[derive(Debug)]
struct Open {
    interval: Duration,
    /// Arrivals that were handed out and not yet taken up; at most as many as workers wait.
    ready: Semaphore,
    waiting: Cell<usize>,
    shed: Cell<u64>,
}

impl Arrivals {
    /// An operation arrives whenever a worker is free.
    #[must_use]
    pub fn closed_loop() -> Self {
        Self { open: None }
    }

    /// `per_second` operations arrive, evenly spaced.
    #[must_use]
    pub fn open_loop(per_second: f64) -> Self {
        let interval = Duration::from_secs_f64(1.0 / per_second);
        let open = Open { interval, ready: Semaphore::new(0), waiting: Cell::new(0), shed: Cell::new(0) };
        Self { open: Some(Rc::new(open)) }
    }

    /// Makes the operations of an open loop arrive until `stop`; ends at once in a closed loop.
    pub async fn run(&self, stop: Stop) {
        let Some(open) = &self.open else { return };
        let mut ticks = interval_at(Instant::now() + open.interval, open.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while stop.unless_stopped(ticks.tick()).await.is_some() {
            if open.waiting.get() > open.ready.available_permits() {
                open.ready.add_permits(1);
            } else {
                open.shed.set(open.shed.get() + 1);
            }
        }
    }

    /// Waits for the next operation of a worker that is free; `false` once it is over.
    pub async fn next(&self, stop: &Stop) -> bool {
        if let Some(open) = &self.open {
            open.waiting.set(open.waiting.get() + 1);
            let permit = stop.unless_stopped(open.ready.acquire()).await;
            open.waiting.set(open.waiting.get() - 1);
            if let Some(Ok(permit)) = permit {
                permit.forget();
            }
        }
        !stop.is_stopped()
    }

    /// How many arrivals found no worker free.
    #[must_use]
    pub fn shed(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.shed.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::stop::stop;

    #[tokio::test(start_paused = true)]
    async fn arrivals_that_nobody_takes_are_shed_and_not_kept() {
        let arrivals = Arrivals::open_loop(100.0);
        let (stopper, stopped) = stop();
        let local = tokio::task::LocalSet::new();
        let ran = arrivals.clone();
        local.spawn_local({
            let stopped = stopped.clone();
            async move { ran.run(stopped).await }
        });
        local
            .run_until(async {
                tokio::time::sleep(Duration::from_millis(1_005)).await;
                assert_eq!(arrivals.shed(), 100, "nobody waited for a second at 100/s");
                let before = Instant::now();
                assert!(arrivals.next(&stopped).await);
                assert_eq!(before.elapsed(), Duration::from_millis(5), "the next arrival, not a kept one");
                stopper.stop();
                assert!(!arrivals.next(&stopped).await);
            })
            .await;
    }
}

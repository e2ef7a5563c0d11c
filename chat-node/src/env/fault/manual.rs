//! A host for tests, whose time passes when the test says so.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::env::{HostRuntime, Instant, Runtime, Task, watch};

/// The wall clock when a test begins: the year 2026.
const BEGUN_UNIX_MS: u64 = 1_780_000_000_000;
/// How long a test waits for a future, by its own clock.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// Some moment; which does not matter.
pub(crate) fn moment() -> Instant {
    HostRuntime::clock()
}

/// A host whose clocks stand still between two calls of [`ManualHost::advance`].
#[derive(Debug)]
pub(crate) struct ManualHost {
    begun: Instant,
    now: Mutex<watch::Sender<Instant>>,
    seen: watch::Receiver<Instant>,
}

impl ManualHost {
    pub(crate) fn new() -> Arc<Self> {
        let begun = moment();
        let (now, seen) = watch::channel(begun);
        Arc::new(Self { begun, now: Mutex::new(now), seen })
    }

    /// How much time has passed.
    pub(crate) fn passed(&self) -> Duration {
        self.seen.get() - self.begun
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, time: Duration) {
        self.now.lock().unwrap().send(self.seen.get() + time);
    }

    /// Lets time pass by the millisecond until `future` is done, and returns how much has passed since the beginning.
    pub(crate) fn until<T>(&self, future: impl Future<Output = T>) -> Duration {
        let mut future = pin!(future);
        while future.as_mut().now_or_never().is_none() {
            assert!(self.passed() < PATIENCE, "not done after {PATIENCE:?}");
            self.advance(Duration::from_millis(1));
        }
        self.passed()
    }

    /// The wall clock in unix milliseconds.
    pub(crate) fn unix_ms(&self) -> i64 {
        i64::try_from(self.unix_ns() / 1_000_000).unwrap()
    }
}

impl Runtime for ManualHost {
    fn now(&self) -> Instant {
        self.seen.get()
    }

    fn unix_ns(&self) -> u64 {
        u64::try_from((Duration::from_millis(BEGUN_UNIX_MS) + self.passed()).as_nanos()).unwrap()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let mut now = self.seen.clone();
        async move {
            // A host that is gone stands still.
            if now.wait_for(|now| *now >= at).await.is_err() {
                std::future::pending().await
            }
        }
        .boxed()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Task {
        HostRuntime::current().spawn(task)
    }

    fn worker(&self, name: &str, work: BoxFuture<'static, ()>) -> std::io::Result<()> {
        HostRuntime::current().worker(name, work)
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) {
        HostRuntime::current().blocking(work);
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(4);
    }

    fn crash(&self) {
        panic!("no test of clocks crashes");
    }
}

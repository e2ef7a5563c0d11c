//! A runtime for tests, which counts crashes instead of ending the process of the test.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;

use crate::env::{HostRuntime, Instant, Runtime, Task};

/// The host's runtime, but for crashes.
pub(crate) struct Recorder {
    host: HostRuntime,
    crashes: AtomicUsize,
    at_crash: Mutex<Option<AtCrash>>,
}

/// What a test does at the moment of a crash.
type AtCrash = Box<dyn FnOnce() + Send>;

impl Recorder {
    /// Over the tokio runtime of the calling task.
    pub(crate) fn current() -> Arc<Self> {
        Arc::new(Self {
            host: HostRuntime::current(),
            crashes: AtomicUsize::new(0),
            at_crash: Mutex::default(),
        })
    }

    /// Does this at the next crash.
    pub(crate) fn at_crash(&self, look: impl FnOnce() + Send + 'static) {
        *self.at_crash.lock().unwrap() = Some(Box::new(look));
    }

    /// How often the node ended.
    pub(crate) fn crashes(&self) -> usize {
        self.crashes.load(Ordering::SeqCst)
    }
}

impl Runtime for Recorder {
    fn now(&self) -> Instant {
        self.host.now()
    }

    fn unix_ns(&self) -> u64 {
        self.host.unix_ns()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        self.host.sleep_until(at)
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Task {
        self.host.spawn(task)
    }

    fn worker(&self, name: &str, work: BoxFuture<'static, ()>) -> std::io::Result<()> {
        self.host.worker(name, work)
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.host.blocking(work);
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.host.fill_random(bytes);
    }

    fn crash(&self) {
        if let Some(look) = self.at_crash.lock().unwrap().take() {
            look();
        }
        self.crashes.fetch_add(1, Ordering::SeqCst);
    }
}

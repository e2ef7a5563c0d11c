//! The system's clocks and randomness, tokio's tasks, and OS threads for the workers.
#![expect(clippy::disallowed_methods, reason = "this module is what Env stands on")]

use std::time::{SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::runtime::Handle;

use crate::env::{Instant, Runtime, Task};

/// The process that the node runs in.
#[derive(Debug, Clone)]
pub struct HostRuntime {
    handle: Handle,
}

impl HostRuntime {
    /// The tokio runtime of the calling task.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn current() -> Self {
        Self { handle: Handle::current() }
    }

    /// The host's monotonic clock, also outside a tokio runtime.
    #[must_use]
    pub fn clock() -> Instant {
        Instant::now()
    }
}

impl Runtime for HostRuntime {
    fn now(&self) -> Instant {
        Self::clock()
    }

    fn unix_ns(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        tokio::time::sleep_until(at).boxed()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) -> Task {
        Task::new(self.handle.spawn(task).abort_handle())
    }

    fn worker(&self, name: &str, work: BoxFuture<'static, ()>) -> std::io::Result<()> {
        let handle = self.handle.clone();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || handle.block_on(work))?;
        Ok(())
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) {
        self.handle.spawn_blocking(work);
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has randomness");
    }

    fn crash(&self) {
        if let Err(error) = kill(Pid::this(), Signal::SIGKILL) {
            // The node must not go on from here, come what may.
            tracing::error!(%error, "cannot kill itself");
            std::process::abort();
        }
        // The signal ends every thread of the process, this one too.
        loop {
            std::thread::park();
        }
    }
}

//! The one way from a node to the world: tasks and time, randomness, peers, files.
//!
//! A node is started with an [`Env`] and touches nothing else, so several nodes can live in one process, and the same
//! node can run in a simulation that owns time, chance, the network and the disk. `chat-node/clippy.toml` bans the
//! ways around it outside the modules below this one.
//!
//! # What it does not do
//! * It does not schedule: tasks run on the tokio runtime they are spawned on. A simulation brings a current-thread
//!   runtime with paused time, and a [`Runtime`] whose workers are tasks instead of threads.
//! * Signals, standard output and the command line belong to [`crate::cli`], not to the node.

pub mod current;
pub mod disk;
pub mod fault;
pub mod host;
pub mod runtime;
pub mod transport;
pub mod watch;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{Either, select};

pub use disk::Disk;
pub use fault::CrashPoints;
pub use host::{HostDisk, HostRuntime, PeerTable, Peers};
pub use runtime::{Runtime, Task};
pub use transport::Transport;

use crate::bug::Bugs;

/// A reading of the monotonic clock. In a simulation it advances with the paused clock of the runtime.
pub type Instant = tokio::time::Instant;

/// What one node may touch. Cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// Tasks, workers, clocks and randomness.
    pub runtime: Arc<dyn Runtime>,
    /// The other nodes.
    pub transport: Arc<dyn Transport>,
    /// The node's own directory.
    pub disk: Arc<dyn Disk>,
    /// Where the node can be told to end.
    pub crash_points: CrashPoints,
    /// What is wrong with the node on purpose.
    pub bugs: Bugs,
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env")
    }
}

/// The deadline came before the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed")]
pub struct Elapsed;

/// Awaits `future` until `deadline`, then drops it.
///
/// # Errors
/// [`Elapsed`] when the deadline came first.
pub async fn timeout_at<T>(
    runtime: &dyn Runtime,
    deadline: Instant,
    future: impl Future<Output = T>,
) -> Result<T, Elapsed> {
    let future = std::pin::pin!(future);
    match select(future, runtime.sleep_until(deadline)).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(Elapsed),
    }
}

impl Env {
    /// Awaits `future` until `deadline`, then drops it.
    ///
    /// # Errors
    /// [`Elapsed`] when the deadline came first.
    pub async fn timeout_at<T>(
        &self,
        deadline: Instant,
        future: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        timeout_at(&*self.runtime, deadline, future).await
    }

    /// Runs `work`, which may block or compute for long, where it holds up no task. `None` when the runtime is shutting
    /// down, or when `work` panicked.
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (tx, rx) = tokio::sync::oneshot::channel();
        self.runtime.blocking(Box::new(move || {
            // The receiver is gone when nobody awaits the result any more.
            let _ = tx.send(work());
        }));
        rx.await.ok()
    }

    /// Starts a task that ends by itself; dropping the handle does not stop it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Task {
        self.runtime.spawn(current::within(self.runtime.clone(), task).boxed())
    }

    /// The monotonic clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.runtime.now()
    }

    /// The wall clock in unix milliseconds.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.runtime.unix_ns() / 1_000_000
    }

    /// `N` random bytes, fit for secrets.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.runtime.fill_random(&mut bytes);
        bytes
    }
}

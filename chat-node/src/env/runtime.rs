//! Tasks, workers, clocks and randomness.

use futures::future::BoxFuture;

use super::Instant;

/// What a node may ask of the process it runs in.
pub trait Runtime: Send + Sync + 'static {
    /// The monotonic clock.
    fn now(&self) -> Instant;

    /// The wall clock, in nanoseconds since 1970.
    fn unix_ns(&self) -> u64;

    /// Completes at `at`.
    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()>;

    /// Starts a task. It must not block.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Task;

    /// Starts a worker: a future that may block between its awaits, as one that writes to a file does. In a node of its
    /// own process that is an OS thread; in a simulation, a task. It ends when the future does.
    ///
    /// # Errors
    /// The system refused a thread.
    fn worker(&self, name: &str, work: BoxFuture<'static, ()>) -> std::io::Result<()>;

    /// Runs `work` once, somewhere it may block, soon.
    fn blocking(&self, work: Box<dyn FnOnce() + Send>);

    /// Fills `bytes` with randomness that is fit for secrets.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Ends the node at once, as by kill -9. In a process of its own this does not return. In a simulation it may:
    /// whatever the node does afterwards must then reach neither its disk nor its peers.
    fn crash(&self);
}

/// A running task. Dropping it lets the task go on.
#[derive(Debug)]
pub struct Task(tokio::task::AbortHandle);

impl Task {
    pub(super) fn new(handle: tokio::task::AbortHandle) -> Self {
        Self(handle)
    }

    /// Stops the task at its next await.
    pub fn abort(&self) {
        self.0.abort();
    }
}

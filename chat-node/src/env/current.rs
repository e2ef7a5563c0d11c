//! Which node's runtime a task belongs to, for code that is told nothing but asks.
//!
//! The library of consensus takes its clock, its timers and its randomness from static functions. Several nodes with
//! clocks of their own can live in one process, so what these functions answer depends on the task that calls them: a
//! task that runs [`within`] a runtime, and all that it starts through the library, belongs to it.
//!
//! # What it does not do
//! It does not follow a task that is started by others, as tonic does for each connection. There the host's runtime is
//! given. Whoever has an [`Env`](super::Env) asks that.

use std::future::Future;
use std::sync::Arc;

use super::{HostRuntime, Instant, Runtime};

tokio::task_local! {
    static RUNTIME: Arc<dyn Runtime>;
}

/// Runs `future` as a part of the node that `runtime` belongs to.
pub fn within<F: Future>(runtime: Arc<dyn Runtime>, future: F) -> impl Future<Output = F::Output> {
    RUNTIME.scope(runtime, future)
}

/// Shows the runtime that the calling task belongs to.
///
/// # Panics
/// Outside a tokio runtime.
pub fn with<T>(show: impl Fn(&Arc<dyn Runtime>) -> T) -> T {
    RUNTIME.try_with(&show).unwrap_or_else(|_| {
        let host: Arc<dyn Runtime> = Arc::new(HostRuntime::current());
        show(&host)
    })
}

/// The monotonic clock of the node that the calling task belongs to. It can be asked anywhere.
#[must_use]
pub fn now() -> Instant {
    RUNTIME.try_with(|runtime| runtime.now()).unwrap_or_else(|_| HostRuntime::clock())
}

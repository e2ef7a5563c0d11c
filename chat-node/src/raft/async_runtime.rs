//! The runtime of the library of consensus: tokio's tasks and channels, and the time and the randomness of the node.
//!
//! The library takes all of it from static functions. [`crate::env::current`] says which node the calling task belongs
//! to; what is spawned here belongs to the same. So the clock of a node can be skewed, or simulated, and its elections
//! with it, while other nodes of the same process have other clocks.
//!
//! # What it does not do
//! Channels and locks are tokio's, and so is the order in which a watch wakes who waits.

use std::convert::Infallible;
use std::future::Future;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use openraft::OptionalSend;
use openraft::async_runtime::{self as library, AsyncRuntime};
use openraft::impls::TokioRuntime;

use crate::env::{Elapsed, Instant, Runtime, current};

/// The runtime that consensus runs on. A value of it is only made by tests of the library.
#[derive(Debug)]
pub struct NodeRuntime(TokioRuntime);

impl AsyncRuntime for NodeRuntime {
    type JoinError = <TokioRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::JoinHandle<T>;
    type Sleep = BoxFuture<'static, ()>;
    type Instant = NodeInstant;
    type TimeoutError = Elapsed;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = Timeout<T>;
    type ThreadLocalRng = NodeRng;

    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        TokioRuntime::spawn(current::within(current::with(Arc::clone), future))
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        current::with(|runtime| runtime.sleep_until(later(runtime.now(), duration)))
    }

    fn sleep_until(deadline: NodeInstant) -> Self::Sleep {
        current::with(|runtime| runtime.sleep_until(deadline.0))
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(duration: Duration, future: F) -> Timeout<F> {
        Timeout { future, sleep: Self::sleep(duration) }
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(deadline: NodeInstant, future: F) -> Timeout<F> {
        Timeout { future, sleep: Self::sleep_until(deadline) }
    }

    fn is_panic(join_error: &Self::JoinError) -> bool {
        TokioRuntime::is_panic(join_error)
    }

    fn thread_rng() -> NodeRng {
        NodeRng(current::with(Arc::clone))
    }

    type Mpsc = <TokioRuntime as AsyncRuntime>::Mpsc;
    type Watch = <TokioRuntime as AsyncRuntime>::Watch;
    type Oneshot = <TokioRuntime as AsyncRuntime>::Oneshot;
    type Mutex<T: OptionalSend + 'static> = <TokioRuntime as AsyncRuntime>::Mutex<T>;

    fn new(threads: usize) -> Self {
        Self(TokioRuntime::new(threads))
    }

    fn block_on<F, T>(&mut self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        self.0.block_on(future)
    }
}

/// As tokio does it: what is too far away to be expressed does not come.
fn later(now: Instant, duration: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 366 * 24 * 60 * 60);
    now.checked_add(duration).unwrap_or_else(|| now + FAR)
}

/// A reading of the node's monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeInstant(Instant);

impl From<Instant> for NodeInstant {
    fn from(at: Instant) -> Self {
        Self(at)
    }
}

impl library::Instant for NodeInstant {
    fn now() -> Self {
        Self(current::now())
    }
}

impl Add<Duration> for NodeInstant {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0 + time)
    }
}

impl AddAssign<Duration> for NodeInstant {
    fn add_assign(&mut self, time: Duration) {
        self.0 += time;
    }
}

impl Sub<Duration> for NodeInstant {
    type Output = Self;

    fn sub(self, time: Duration) -> Self {
        Self(self.0 - time)
    }
}

impl Sub for NodeInstant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.0 - earlier.0
    }
}

impl SubAssign<Duration> for NodeInstant {
    fn sub_assign(&mut self, time: Duration) {
        self.0 -= time;
    }
}

pin_project_lite::pin_project! {
    /// A future that is given up when its time has come.
    pub struct Timeout<F> {
        #[pin]
        future: F,
        sleep: BoxFuture<'static, ()>,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(value) = this.future.poll(cx) {
            return Poll::Ready(Ok(value));
        }
        this.sleep.as_mut().poll(cx).map(|()| Err(Elapsed))
    }
}

/// The node's randomness.
pub struct NodeRng(Arc<dyn Runtime>);

impl NodeRng {
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_random(&mut bytes);
        bytes
    }
}

impl rand::TryRng for NodeRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.bytes()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_random(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::fault::clock::{Skew, SkewedClock};
    use crate::env::fault::manual::ManualHost;

    #[test]
    fn it_passes_the_suite_of_the_library() {
        openraft_rt::testing::Suite::<NodeRuntime>::test_all();
    }

    #[tokio::test]
    async fn a_task_and_what_it_spawns_have_the_clock_of_their_node() {
        let host = ManualHost::new();
        let clock = SkewedClock::new(host.clone());
        clock.set(Skew { drift_ppm: 9_000_000, ..Skew::default() }).unwrap();
        let now = <NodeInstant as library::Instant>::now;
        let child = async move {
            let begun = now();
            NodeRuntime::sleep(Duration::from_secs(10)).await;
            let never = NodeRuntime::timeout(Duration::from_secs(10), std::future::pending::<()>()).await;
            assert_eq!(never, Err(Elapsed));
            now() - begun
        };
        let parent = async move { NodeRuntime::spawn(child).await.unwrap() };
        let parent = NodeRuntime::spawn(current::within(clock.runtime(), parent));
        let begun = host.passed();
        while !parent.is_finished() {
            assert!(host.passed() < Duration::from_secs(60), "it has another clock");
            tokio::task::yield_now().await;
            host.advance(Duration::from_millis(1));
        }
        let (by_node, by_host) = (parent.await.unwrap(), host.passed() - begun);
        assert!((20_000..21_000).contains(&by_node.as_millis()), "{by_node:?}");
        assert!((2_000..2_100).contains(&by_host.as_millis()), "{by_host:?}");
    }

    #[tokio::test]
    async fn chance_is_the_nodes() {
        let host: Arc<dyn Runtime> = ManualHost::new();
        let drawn = async { rand::Rng::next_u32(&mut NodeRuntime::thread_rng()) };
        assert_eq!(current::within(host, drawn).await, 0x0404_0404);
    }
}

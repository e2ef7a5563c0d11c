//! A value that many wait on, woken in the order in which they began to wait.
//!
//! `tokio::sync::watch` wakes in an order drawn from the thread's generator, which would make a simulation depend on
//! chance that it does not own.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

/// Makes a watched value. The watch closes when its sender is dropped.
pub fn channel<T: Clone + Send>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Mutex::new(Shared { value, version: 0, closed: false, wakers: Vec::new() }));
    (Sender { shared: shared.clone() }, Receiver { shared, seen: 0 })
}

#[derive(Debug)]
struct Shared<T> {
    value: T,
    version: u64,
    closed: bool,
    wakers: Vec<Waker>,
}

fn lock<T>(shared: &Mutex<Shared<T>>) -> MutexGuard<'_, Shared<T>> {
    shared.lock().expect("nothing that runs under this lock can panic")
}

/// Sets the value.
#[derive(Debug)]
pub struct Sender<T> {
    shared: Arc<Mutex<Shared<T>>>,
}

impl<T: Clone> Sender<T> {
    /// Sets the value and wakes everyone who waits.
    pub fn send(&self, value: T) {
        let wakers = {
            let mut shared = lock(&self.shared);
            shared.value = value;
            shared.version += 1;
            std::mem::take(&mut shared.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> T {
        lock(&self.shared).value.clone()
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let wakers = {
            let mut shared = lock(&self.shared);
            shared.closed = true;
            std::mem::take(&mut shared.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// Sees the value and waits for the next one. Each clone has its own memory of what it has seen.
#[derive(Debug, Clone)]
pub struct Receiver<T> {
    shared: Arc<Mutex<Shared<T>>>,
    seen: u64,
}

/// The sender is gone: the value does not change any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the watched value does not change any more")]
pub struct Closed;

impl<T: Clone> Receiver<T> {
    /// The value now. Does not count as having seen it.
    #[must_use]
    pub fn get(&self) -> T {
        lock(&self.shared).value.clone()
    }

    /// Waits until the value was set since this receiver last saw it, and returns it.
    ///
    /// # Errors
    /// [`Closed`] when the sender is gone and its last value was seen.
    pub async fn changed(&mut self) -> Result<T, Closed> {
        poll_fn(|cx| {
            let mut shared = lock(&self.shared);
            if shared.version != self.seen {
                self.seen = shared.version;
                return Poll::Ready(Ok(shared.value.clone()));
            }
            if shared.closed {
                return Poll::Ready(Err(Closed));
            }
            if !shared.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                shared.wakers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// Waits until the value satisfies `wanted`, and returns it.
    ///
    /// # Errors
    /// [`Closed`] when the sender is gone and the last value does not satisfy it.
    pub async fn wait_for(&mut self, mut wanted: impl FnMut(&T) -> bool) -> Result<T, Closed> {
        let value = self.get();
        if wanted(&value) {
            return Ok(value);
        }
        loop {
            let value = self.changed().await?;
            if wanted(&value) {
                return Ok(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_receiver_sees_each_latest_value_once_and_then_the_end() {
        let (tx, mut rx) = channel(1);
        assert_eq!(rx.get(), 1);
        tx.send(2);
        tx.send(3);
        assert_eq!(rx.changed().await, Ok(3));
        let waiting = tokio::join!(rx.changed(), async {
            tokio::task::yield_now().await;
            tx.send(4);
        });
        assert_eq!(waiting.0, Ok(4));
        assert_eq!(rx.wait_for(|value| *value == 4).await, Ok(4));
        drop(tx);
        assert_eq!(rx.changed().await, Err(Closed));
    }
}

//! A signal that something is over, which many can wait for.

use std::future::Future;

use tokio::sync::watch;

/// The end that is waited for. Clones wait for the same one.
#[derive(Debug, Clone)]
pub struct Stop {
    receiver: watch::Receiver<bool>,
}

/// The end that says so; dropping it says so too.
#[derive(Debug)]
pub struct Stopper {
    sender: watch::Sender<bool>,
}

/// A new signal, not given yet.
#[must_use]
pub fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper { sender }, Stop { receiver })
}

impl Stopper {
    /// Gives the signal; a second time changes nothing.
    pub fn stop(&self) {
        self.sender.send_replace(true);
    }
}

impl Stop {
    /// Whether the signal was given.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.receiver.borrow() || self.receiver.has_changed().is_err()
    }

    /// Waits for the signal.
    pub async fn stopped(&self) {
        let mut receiver = self.receiver.clone();
        // A sender that is gone will never say anything else.
        drop(receiver.wait_for(|stopped| *stopped).await);
    }

    /// What `future` gives, or `None` when the signal comes first.
    pub async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stopped() => None,
            value = future => Some(value),
        }
    }
}

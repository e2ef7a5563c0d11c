//! What every call to the disk passes through, until the power is gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// Open until it is shut, and then shut for ever.
#[derive(Debug, Default)]
pub(super) struct Gate {
    shut: AtomicBool,
    within: RwLock<()>,
}

impl Gate {
    /// Does `work` and returns what it returns. Once the gate is shut the calling thread waits here for ever instead,
    /// also when its work was done meanwhile: nobody learns of it.
    pub(super) fn pass<T>(&self, work: impl FnOnce() -> T) -> T {
        if !self.is_shut() {
            // A call that panicked leaves nothing behind that this lock protects.
            let within = self.within.read().unwrap_or_else(PoisonError::into_inner);
            if !self.is_shut() {
                let done = work();
                drop(within);
                if !self.is_shut() {
                    return done;
                }
            }
        }
        loop {
            std::thread::park();
        }
    }

    /// Shuts the gate, and waits until nobody is within. Whether it was open.
    pub(super) fn shut(&self) -> bool {
        let was_open = !self.shut.swap(true, Ordering::SeqCst);
        drop(self.within.write().unwrap_or_else(PoisonError::into_inner));
        was_open
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::SeqCst)
    }
}

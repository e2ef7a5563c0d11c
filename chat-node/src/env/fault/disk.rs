//! A disk that a tester can break: calls that fail, syncs that take long or never end, and power that is gone.
//!
//! - [`failing`]: a disk over another one whose calls fail or wait as it is told.
//! - [`volatile`]: a disk that keeps in memory what is not synced, and can lose its power.
//!
//! The failing disk stands over the volatile one, so a sync that is stuck has passed on nothing.

pub mod failing;
pub mod volatile;

use std::fmt;
use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::oneshot;

use self::failing::{FailingDisk, Switch};
use self::volatile::{Keep, Loss, VolatileDisk};
use super::super::{Disk, Runtime};
pub use failing::DiskFault;

/// Breaks the disk of one node. Clones break the same disk.
#[derive(Clone)]
pub struct DiskControl {
    runtime: Arc<dyn Runtime>,
    switch: Arc<Switch>,
    volatile: Option<VolatileDisk>,
}

impl fmt::Debug for DiskControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskControl").field("volatile", &self.volatile.is_some()).finish_non_exhaustive()
    }
}

/// The power could not be cut.
#[derive(Debug, Error)]
pub enum PowerError {
    /// The disk is not volatile.
    #[error(
        "the disk is not volatile, so nothing is known of what is not synced: start the node with `--disk volatile`"
    )]
    NotVolatile,
    /// It was cut before.
    #[error("the power is gone already: kill the process and start it again")]
    Gone,
    /// The power is gone, and what was to be kept could not be written.
    #[error("the power is gone, but what was to be kept could not be written")]
    Io(#[source] io::Error),
}

impl DiskControl {
    /// A disk over `disk` that can be broken, and what breaks it. `volatile` is `disk`, or stands below it, if the power
    /// can be cut.
    #[must_use]
    pub fn over(
        disk: Arc<dyn Disk>,
        volatile: Option<VolatileDisk>,
        runtime: Arc<dyn Runtime>,
    ) -> (Arc<dyn Disk>, Self) {
        let switch = Arc::new(Switch::default());
        let failing = FailingDisk::new(disk, switch.clone());
        (Arc::new(failing), Self { runtime, switch, volatile })
    }

    /// Replaces what is wrong with the disk; what waits and would not have to any more goes on at once. Returns how many
    /// calls were failed, delayed or held since the node started.
    pub fn set(&self, fault: DiskFault) -> u64 {
        self.switch.set(fault)
    }

    /// Cuts the power: from now on no call to the disk returns, and on it is what was synced and what `keep` lets
    /// through. Returns when that is so. The process is then to be killed: a task that calls the disk itself never runs
    /// again, and others that need its thread neither.
    ///
    /// # Errors
    /// [`PowerError`] says which.
    pub async fn cut_power(&self, keep: Keep) -> Result<Loss, PowerError> {
        let volatile = self.volatile.clone().ok_or(PowerError::NotVolatile)?;
        let (tx, rx) = oneshot::channel();
        let switch = self.switch.clone();
        // Threads for what blocks may all be held by a stuck sync; this is one of its own.
        let cut = self.runtime.worker(
            "power",
            Box::pin(async move {
                // No call may fail from now on: the node would see it.
                switch.retire();
                // The receiver is gone when nobody waits any more.
                let _ = tx.send(volatile.cut_power(keep));
            }),
        );
        cut.map_err(PowerError::Io)?;
        match rx.await {
            Ok(Ok(loss)) => Ok(loss),
            Ok(Err(error)) if error.kind() == io::ErrorKind::AlreadyExists => Err(PowerError::Gone),
            Ok(Err(error)) => Err(PowerError::Io(error)),
            Err(_) => Err(PowerError::Io(io::Error::other("the thread that cuts it ended"))),
        }
    }
}

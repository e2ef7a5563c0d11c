//! What a tester may break inside one node, as decorators of the parts of [`Env`].
//!
//! - [`clock`]: clocks that jump, drift and strobe.
//! - [`crash`]: places at which the node ends as by kill -9.
//! - [`disk`]: a disk whose calls fail or wait, and that can lose its power.
//!
//! A fault is inflicted through [`FaultControls`], which [`crate::rpc::fault`] serves when the node was started with
//! `--faults`. A node that was not has no controls, and what stands here costs it nothing that can be measured.

pub mod clock;
pub mod crash;
pub mod disk;
#[cfg(test)]
pub(crate) mod manual;
#[cfg(test)]
pub(crate) mod recorder;

use super::Env;
pub use clock::SkewedClock;
pub use crash::{BadPoint, CommitPoints, CrashPoint, CrashPoints};
pub use disk::DiskControl;

/// The handles of everything that can be broken in one node. Clones are the same handles.
#[derive(Debug, Clone)]
pub struct FaultControls {
    /// The clocks, when they can be skewed.
    pub clock: Option<SkewedClock>,
    /// Where the node can be told to end.
    pub crash_points: CrashPoints,
    /// The disk.
    pub disk: DiskControl,
}

impl FaultControls {
    /// The controls of a node that runs in `env`, on `clock` if its clocks can be skewed, and whose disk is broken by
    /// `disk`.
    #[must_use]
    pub fn new(env: &Env, clock: Option<SkewedClock>, disk: DiskControl) -> Self {
        Self { clock, crash_points: env.crash_points.clone(), disk }
    }
}

//! The environment of a node in a process of its own: tokio, the system's clocks, threads, files, and tonic.

pub mod clients;
pub mod disk;
pub mod peers;
pub mod runtime;

pub use disk::HostDisk;
pub use peers::{PeerTable, Peers};
pub use runtime::HostRuntime;

use std::sync::Arc;

use super::{CrashPoints, Disk, Env, Runtime};
use crate::bug::Bugs;

/// What a node in a process of its own may touch.
#[must_use]
pub fn env(runtime: Arc<dyn Runtime>, peers: Peers, disk: Arc<dyn Disk>, bugs: Bugs) -> Env {
    let crash_points = CrashPoints::new(runtime.clone());
    Env { runtime, transport: Arc::new(peers), disk, crash_points, bugs }
}

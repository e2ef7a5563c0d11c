//! The points around the commits of one database.
//!
//! A database writes a commit and syncs it in one call, so the place between the two is in its backend, which does not
//! know what it writes. Whoever commits says which points lie there; the backend reaches them when it is asked to sync.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{CrashPoint, CrashPoints};

/// Where a node can be told to end while it commits to one database. Clones are of the same database. The default has no
/// such place.
#[derive(Debug, Clone, Default)]
pub struct CommitPoints(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    points: CrashPoints,
    /// The points that the next sync reaches, as bits.
    before_sync: AtomicU32,
}

// Every point has a bit.
const _: () = assert!(CrashPoint::ALL.len() <= 32);

fn bit(point: CrashPoint) -> u32 {
    1 << point as u32
}

impl CommitPoints {
    /// The points of a database of the node that has `points`.
    #[must_use]
    pub fn new(points: CrashPoints) -> Self {
        Self(Some(Arc::new(Shared { points, before_sync: AtomicU32::new(0) })))
    }

    /// Runs `commit`, before whose sync `points` lie.
    pub fn before_sync<T>(&self, points: &[CrashPoint], commit: impl FnOnce() -> T) -> T {
        let Some(shared) = &self.0 else { return commit() };
        let bits = points.iter().fold(0, |bits, point| bits | bit(*point));
        shared.before_sync.store(bits, Ordering::Relaxed);
        let value = commit();
        shared.before_sync.store(0, Ordering::Relaxed);
        value
    }

    /// All is written that is synced next.
    pub fn written(&self) {
        let Some(shared) = &self.0 else { return };
        // One commit reaches its points once, however often its file is synced.
        let bits = shared.before_sync.swap(0, Ordering::Relaxed);
        if bits != 0 {
            CrashPoint::ALL
                .iter()
                .filter(|point| bits & bit(**point) != 0)
                .for_each(|point| self.reach(*point));
        }
    }

    /// The node is at `point`.
    pub fn reach(&self, point: CrashPoint) {
        if let Some(shared) = &self.0 {
            shared.points.reach(point);
        }
    }
}

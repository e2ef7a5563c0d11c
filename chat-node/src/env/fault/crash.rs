//! Points at which a node can be told to end, as by kill -9, where that is cruel.
//!
//! The code says [`CrashPoints::reach`] at every such place. While nothing is armed that is one relaxed load of an
//! atomic. An armed point is passed as often as it was told to, and then ends the node through its
//! [`Runtime`].
//!
//! # What it does not do
//! It does not decide what a crash leaves on the disk: that is the disk's business. On a plain disk everything that was
//! written survives, synced or not, since the system goes on.

mod commit;

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use thiserror::Error;

use crate::env::Runtime;

pub use self::commit::CommitPoints;

/// How many names an error about a wrong one suggests.
const SUGGESTIONS_MAX: usize = 3;

macro_rules! points {
    ($($(#[$doc:meta])* $point:ident = $name:literal;)*) => {
        /// A place in the code at which the node can be told to end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum CrashPoint {
            $($(#[$doc])* $point,)*
        }

        impl CrashPoint {
            /// All of them.
            pub const ALL: &'static [CrashPoint] = &[$(CrashPoint::$point,)*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(CrashPoint::$point => $name,)*
                }
            }
        }
    };
}

points! {
    /// A vote is written to the log's file, and not synced.
    VoteBeforeSync = "vote-before-sync";
    /// A vote is durable, and nobody knows.
    VoteAfterSync = "vote-after-sync";
    /// Entries are written to the log's file, and not synced.
    AppendBeforeSync = "append-before-sync";
    /// Entries are durable, and nobody knows.
    AppendAfterSync = "append-after-sync";
    /// Entries that a leader does not have are gone from memory, and still in the file; the leader's are in neither.
    TruncateBeforeAppend = "truncate-before-append";
    /// Entries are applied, and nobody knows.
    ApplyBeforeReply = "apply-before-reply";
    /// A checkpoint of the state is written to its file, and not synced.
    CheckpointBeforeSync = "checkpoint-before-sync";
    /// A commit of the log or of the state is durable, and its witness does not count it.
    CommitBeforeMark = "commit-before-mark";
    /// A snapshot of this node's own is complete and synced, and has not got its name.
    SnapshotBeforeDeclare = "snapshot-before-declare";
    /// A snapshot of this node's own has got its name, and nothing is purged yet.
    SnapshotAfterDeclare = "snapshot-after-declare";
    /// Entries that a snapshot holds are gone from memory, and still in the file.
    PurgeBeforeCommit = "purge-before-commit";
    /// The commit that purges entries is written to the log's file, and not synced.
    PurgeBeforeSync = "purge-before-sync";
    /// One more part of a leader's snapshot is written to a file; more are to come.
    InstallMidReceive = "install-mid-receive";
    /// A leader's snapshot is received, verified and synced, and has not got its name.
    InstallBeforeDeclare = "install-before-declare";
    /// A leader's snapshot has got its name, and the state is still the old one.
    InstallBeforeReplace = "install-before-replace";
    /// One more record of a leader's snapshot is put in place of the state's, in a transaction that is not committed.
    InstallMidReplace = "install-mid-replace";
    /// A leader's snapshot is written to the file of the state, and not synced.
    InstallBeforeSync = "install-before-sync";
    /// The state is a leader's snapshot, and the log knows nothing of it.
    InstallAfterReplace = "install-after-replace";
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no crash point has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no crash point `{name}`; the nearest are: {}", nearest(name).join(", "))]
pub struct BadPoint {
    name: String,
}

/// The names that are most like `name`, best first.
fn nearest(name: &str) -> Vec<&'static str> {
    let mut names: Vec<_> = CrashPoint::ALL.iter().map(|point| point.name()).collect();
    names.sort_by(|one, other| {
        strsim::jaro_winkler(name, other).total_cmp(&strsim::jaro_winkler(name, one)).then(one.cmp(other))
    });
    names.truncate(SUGGESTIONS_MAX);
    names
}

impl FromStr for CrashPoint {
    type Err = BadPoint;

    fn from_str(name: &str) -> Result<Self, BadPoint> {
        let found = CrashPoint::ALL.iter().copied().find(|point| point.name() == name);
        found.ok_or_else(|| BadPoint { name: name.to_owned() })
    }
}

/// The crash points of one node. Clones are the same points.
#[derive(Clone)]
pub struct CrashPoints {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: Arc<dyn Runtime>,
    /// The number of the armed point, counted from 1; 0 when none is.
    armed: AtomicUsize,
    /// How often the armed point is passed before it crashes.
    skip: AtomicU32,
    /// Held while the two above are changed.
    change: Mutex<()>,
}

impl fmt::Debug for CrashPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrashPoints").field(&self.armed()).finish()
    }
}

impl CrashPoints {
    /// Points of a node that `runtime` ends. Nothing is armed.
    #[must_use]
    pub fn new(runtime: Arc<dyn Runtime>) -> Self {
        let shared =
            Shared { runtime, armed: AtomicUsize::new(0), skip: AtomicU32::new(0), change: Mutex::new(()) };
        Self { shared: Arc::new(shared) }
    }

    /// Arms `point` in place of what was armed: the node ends when it reaches it, after it has passed it `skip` times.
    pub fn arm(&self, point: CrashPoint, skip: u32) {
        let _change = self.shared.change.lock().expect("nothing that runs under this lock can panic");
        self.shared.skip.store(skip, Ordering::Relaxed);
        self.shared.armed.store(number(point), Ordering::Release);
    }

    /// Nothing is armed any more.
    pub fn disarm(&self) {
        let _change = self.shared.change.lock().expect("nothing that runs under this lock can panic");
        self.shared.armed.store(0, Ordering::Release);
    }

    /// The point that is armed.
    #[must_use]
    pub fn armed(&self) -> Option<CrashPoint> {
        let armed = self.shared.armed.load(Ordering::Acquire);
        CrashPoint::ALL.get(armed.checked_sub(1)?).copied()
    }

    /// The node is at `point`. In a process of its own this does not return when the point is armed; in a simulation it
    /// may, and nothing that the node does afterwards counts.
    #[inline]
    pub fn reach(&self, point: CrashPoint) {
        if self.shared.armed.load(Ordering::Relaxed) == number(point) {
            self.pass(point);
        }
    }

    #[cold]
    fn pass(&self, point: CrashPoint) {
        {
            let _change = self.shared.change.lock().expect("nothing that runs under this lock can panic");
            if self.shared.armed.load(Ordering::Relaxed) != number(point) {
                return;
            }
            let skip = self.shared.skip.load(Ordering::Relaxed);
            if skip > 0 {
                self.shared.skip.store(skip - 1, Ordering::Relaxed);
                return;
            }
            self.shared.armed.store(0, Ordering::Relaxed);
        }
        tracing::warn!(%point, "ends here, as it was told to");
        self.shared.runtime.crash();
    }
}

fn number(point: CrashPoint) -> usize {
    point as usize + 1
}

#[cfg(test)]
mod tests;

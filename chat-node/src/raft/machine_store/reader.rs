//! The state, for those who read it beside consensus: clients, operators, peers.
//!
//! A reader does not keep the file open: the node closes it when it stops, and who still waits for something then, on a
//! connection that does not close or for an entry that does not come, is told so when it goes on. Only a read that is
//! under way holds it.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::env::watch;
use crate::machine::tables::StoreError;
use crate::store::state::{StateFile, View};
use crate::store::{Faults, database, snapshot};

/// Reads the state of one node. Clones read the same state.
#[derive(Clone)]
pub struct StateReader {
    pub(super) file: Weak<StateFile>,
    pub(super) path: Arc<str>,
    pub(super) applied: watch::Receiver<u64>,
    pub(super) faults: Faults,
    pub(super) temporaries: Arc<AtomicU64>,
}

impl StateReader {
    /// The last applied index, and its changes. It closes when the node stops.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.applied.clone()
    }

    /// How a person finds the file of the state.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Shows a view of the state as it is now to `f`. May block.
    ///
    /// # Errors
    /// The file was closed, or cannot be read, or it is what `f` says; of a fault the node stops.
    pub fn read<T>(&self, f: impl FnOnce(&View) -> Result<T, StoreError>) -> io::Result<T> {
        let file = self.file.upgrade().ok_or_else(|| io::Error::other("the state is closed"))?;
        let seen = database::guarded(&self.path, || file.view().and_then(|view| f(&view)));
        seen.map_err(|fault| self.report(fault))
    }

    /// Reports a fault that a reader met; the node stops.
    pub fn report(&self, fault: StoreError) -> io::Error {
        self.faults.report(fault)
    }

    /// A name for a file that is not a snapshot yet.
    #[must_use]
    pub fn temporary(&self) -> String {
        snapshot::temporary(self.temporaries.fetch_add(1, Ordering::Relaxed))
    }
}

//! The one place where a fault of the disk is reported, and where the node waits for one.
//!
//! After an error of a write nobody knows what is on the disk, so a store that met one never answers again, and its
//! node stops. The first fault is kept: those after it are its consequences.

use std::sync::{Arc, Mutex};

use crate::chain::Chain;
use crate::env::watch;
use crate::machine::tables::StoreError;

/// Reports faults, and tells of them. Clones share one fault.
#[derive(Debug, Clone)]
pub struct Faults {
    first: Arc<Mutex<watch::Sender<Option<Arc<StoreError>>>>>,
    seen: watch::Receiver<Option<Arc<StoreError>>>,
}

impl Default for Faults {
    fn default() -> Self {
        let (first, seen) = watch::channel(None);
        Self { first: Arc::new(Mutex::new(first)), seen }
    }
}

impl Faults {
    /// Reports a fault, and returns it as the library of consensus wants it.
    pub fn report(&self, fault: StoreError) -> std::io::Error {
        let fault = Arc::new(fault);
        let error = std::io::Error::other(fault.clone());
        let first = self.first.lock().expect("nothing that runs under this lock can panic");
        if first.get().is_none() {
            tracing::error!(fault = %Chain(&*fault), "the disk failed, the node stops");
            first.send(Some(fault));
        }
        error
    }

    /// The fault, if there was one.
    #[must_use]
    pub fn get(&self) -> Option<Arc<StoreError>> {
        self.seen.get()
    }

    /// Waits for a fault.
    pub async fn wait(&self) -> Arc<StoreError> {
        let mut seen = self.seen.clone();
        match seen.wait_for(Option::is_some).await {
            Ok(Some(fault)) => fault,
            // The sender lives as long as this clone does.
            Ok(None) | Err(watch::Closed) => std::future::pending().await,
        }
    }
}

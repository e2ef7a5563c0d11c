//! The library's own conformance suite, on the stores that a node uses.

use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use tempfile::TempDir;

use super::log_store::LogStore;
use super::machine_store::MachineStore;
use super::testing;
use super::types::{NodeName, TypeConfig};
use crate::store::Faults;
use crate::trace::Trace;

struct Stores;

impl StoreBuilder<TypeConfig, LogStore, MachineStore, TempDir> for Stores {
    async fn build(&self) -> Result<(TempDir, LogStore, MachineStore), StorageError<TypeConfig>> {
        let directory = TempDir::new().unwrap();
        let env = testing::env(&directory);
        let faults = Faults::default();
        let trace = Trace::default();
        let log = LogStore::open(&env, &NodeName::from(0), faults.clone(), trace.clone()).await.unwrap();
        let state = MachineStore::open(&env, log.store.clone(), testing::keeper(), faults, trace).unwrap();
        Ok((directory, log.store, state.store))
    }
}

#[tokio::test]
async fn the_stores_pass_the_suite() {
    Suite::test_all(Stores).await.unwrap();
}

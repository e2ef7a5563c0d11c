//! The state and its snapshots, as the library of consensus wants them.
//!
//! Writes go to one worker; reads take a view of `state.redb` and go beside it. A snapshot is only declared once the
//! state that it was made from is durable, so the log is never purged beyond what a crash leaves of the state.

mod reader;
mod stored;
mod worker;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use futures::{Stream, StreamExt as _};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{OptionalSend, RaftSnapshotBuilder};
use tokio::sync::{mpsc, oneshot};

pub use self::reader::StateReader;
use self::stored::Stored;
use self::worker::{Job, Origin, Worker, tick};
use super::log_store::LogStore;
use super::types::{LogId, NodeName, SnapshotMeta, StoredMembership, TypeConfig};
use super::wire;
use crate::bug::Bug;
use crate::bug::ahead::Ahead;
use crate::env::fault::CommitPoints;
use crate::env::{Env, watch};
use crate::machine::tables::{StoreError, TablesMut};
use crate::store::state::{Head, State, StateFile, View};
use crate::store::{Faults, database, snapshot};
use crate::trace::Trace;

/// How many entries one transaction applies at most.
const BATCH_ENTRIES_MAX: usize = 1024;

/// The machine: what an entry does to the records. The number is the entry's index, the bytes are its proposal.
pub type Apply =
    Arc<dyn Fn(&mut dyn TablesMut, u64, &[u8]) -> Result<proto::log::Reply, StoreError> + Send + Sync>;

/// A snapshot, as it is handed around.
pub enum SnapshotData {
    /// The newest snapshot, open at its beginning, so that a newer one does not take it away.
    Stored(Box<dyn io::Read + Send>),
    /// A verified file in the node's directory that is not declared yet.
    Received(String),
}

/// The state of one node. Clones are the same state.
#[derive(Clone)]
pub struct MachineStore {
    env: Env,
    jobs: mpsc::UnboundedSender<Job>,
    file: Arc<StateFile>,
    applied: watch::Receiver<u64>,
    faults: Faults,
    temporaries: Arc<AtomicU64>,
    /// Lives as long as the clones that the library has.
    wanted: Arc<()>,
    /// The node, when a planted bug lets it take itself for the only voter.
    alone: Option<NodeName>,
}

/// A state that was opened.
pub struct OpenState {
    /// The state.
    pub store: MachineStore,
    /// Sees its end when the file is closed.
    pub closed: watch::Receiver<()>,
}

impl MachineStore {
    /// Opens the state, verifies all of it, and starts its worker.
    ///
    /// # Errors
    /// `Corrupt` when it is not as it was written.
    pub fn open(
        env: &Env,
        log: LogStore,
        apply: Apply,
        faults: Faults,
        trace: Trace,
    ) -> Result<OpenState, StoreError> {
        if !env.bugs.has(Bug::KeepTemporaries) {
            snapshot::remove_temporaries(&*env.disk)?;
        }
        snapshot::verify(&*env.disk)?;
        let (state, closed) = State::open(env.disk.clone(), CommitPoints::new(env.crash_points.clone()))?;
        let file = state.file();
        let alone = env.bugs.has(Bug::RestartAlone).then(|| log.node().clone());
        let (sender, applied) = watch::channel(state.head().index());
        let (jobs, queue) = mpsc::unbounded_channel();
        let tick = env.spawn(tick(env.clone(), jobs.downgrade()));
        let (reports, ahead) = (faults.clone(), Ahead::default());
        let worker = Worker {
            env: env.clone(),
            state,
            log,
            apply,
            applied: sender,
            faults: reports,
            trace,
            tick,
            ahead,
        };
        env.runtime.worker("state", Box::pin(worker.run(queue))).map_err(|source| StoreError::Io {
            file: file.path().to_owned(),
            action: "cannot start the thread that writes it".to_owned(),
            source: source.into(),
        })?;
        let temporaries = Arc::new(AtomicU64::new(0));
        let wanted = Arc::new(());
        let store = Self { env: env.clone(), jobs, file, applied, faults, temporaries, wanted, alone };
        Ok(OpenState { store, closed })
    }

    /// The state, for those who must not keep it open.
    #[must_use]
    pub fn reader(&self) -> StateReader {
        StateReader {
            file: Arc::downgrade(&self.file),
            path: self.file.path().into(),
            applied: self.applied.clone(),
            faults: self.faults.clone(),
            temporaries: self.temporaries.clone(),
        }
    }

    /// A name for a file that is not a snapshot yet.
    fn temporary(&self) -> String {
        snapshot::temporary(self.temporaries.fetch_add(1, Ordering::Relaxed))
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> io::Result<T> {
        let (answer, rx) = oneshot::channel();
        // When the worker is gone the job is dropped here, and with it the sender of the answer.
        let _ = self.jobs.send(job(answer));
        rx.await.map_err(|_| match self.faults.get() {
            Some(fault) => io::Error::other(fault),
            None => io::Error::other("the state is closed"),
        })
    }

    /// The newest snapshot, open at its beginning.
    fn stored(&self) -> io::Result<SnapshotData> {
        let disk = &*self.env.disk;
        let file = snapshot::open(disk).map_err(|fault| self.faults.report(fault))?;
        let stored = Stored::new(file, disk.path(snapshot::FILE), self.faults.clone());
        Ok(SnapshotData::Stored(Box::new(stored)))
    }

    fn meta(&self, head: &Head) -> io::Result<SnapshotMeta> {
        wire::parse_snapshot_head(&head.message())
            .map_err(|error| self.faults.report(database::corrupt(self.file.path(), &error.to_string())))
    }
}

impl RaftStateMachine<TypeConfig> for MachineStore {
    type SnapshotData = SnapshotData;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let view = self.file.view().map_err(|fault| self.faults.report(fault))?;
        let meta = self.meta(view.head())?;
        let members = match (&self.alone, meta.last_log_id) {
            (Some(node), Some(_)) => wire::only_voter(node, meta.last_log_id),
            _ => meta.last_membership,
        };
        Ok((meta.last_log_id, members))
    }

    async fn apply<S>(&mut self, entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        let mut batches = entries.ready_chunks(BATCH_ENTRIES_MAX);
        while let Some(batch) = batches.next().await {
            let (entries, responders): (Vec<_>, Vec<_>) =
                batch.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            let answers = self.ask(|answer| Job::Apply(entries, answer)).await?;
            for (responder, answer) in responders.into_iter().zip(answers) {
                if let Some(responder) = responder {
                    responder.send(answer);
                }
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        // The builder keeps the file open, but it is not who wants the snapshot.
        let store = Self { wanted: Arc::new(()), ..self.clone() };
        Builder { view: self.ask(Job::View).await, store, wanted: Arc::downgrade(&self.wanted) }
    }

    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMeta,
        snapshot: SnapshotData,
    ) -> Result<(), io::Error> {
        let (name, origin) = match snapshot {
            SnapshotData::Received(name) => (name, Origin::Leader),
            SnapshotData::Stored(mut file) => {
                let (disk, name) = (self.env.disk.clone(), self.temporary());
                let temporary = name.clone();
                let copied = self.env.blocking(move || snapshot::copy(&*disk, &temporary, &mut file)).await;
                copied.ok_or_else(stopping)?.map_err(|fault| self.faults.report(fault))?;
                (name, Origin::Here)
            }
        };
        self.ask(|answer| Job::Install(name, origin, answer)).await
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<openraft::alias::SnapshotOf<TypeConfig, SnapshotData>>, io::Error> {
        let disk = &*self.env.disk;
        let Some(head) = snapshot::newest(disk).map_err(|fault| self.faults.report(fault))? else {
            return Ok(None);
        };
        let snapshot = self.stored()?;
        Ok(Some(openraft::Snapshot { meta: self.meta(&head)?, snapshot }))
    }
}

fn stopping() -> io::Error {
    io::Error::other("the node is stopping")
}

/// Builds one snapshot from a view that was taken when it was asked for. When the node stops, what is not written is not
/// wanted any more.
pub struct Builder {
    store: MachineStore,
    view: io::Result<View>,
    wanted: Weak<()>,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = SnapshotData;

    async fn build_snapshot(
        &mut self,
    ) -> Result<openraft::alias::SnapshotOf<TypeConfig, SnapshotData>, io::Error> {
        let view = std::mem::replace(&mut self.view, Err(io::Error::other("the view was used up")))?;
        let meta = self.store.meta(view.head())?;
        let disk = self.store.env.disk.clone();
        let name = self.store.temporary();
        let temporary = name.clone();
        let path = self.store.file.path().to_owned();
        let wanted = self.wanted.clone();
        let wanted = move || wanted.strong_count() > 0;
        let write = move || database::guarded(&path, || snapshot::write(&*disk, &temporary, &view, &wanted));
        let written = self.store.env.blocking(write).await;
        match written {
            Some(Ok(true)) => self.store.ask(|answer| Job::Declare(name, answer)).await?,
            Some(Err(fault)) => return Err(self.store.faults.report(fault)),
            Some(Ok(false)) | None => return Err(stopping()),
        }
        let snapshot = self.store.stored()?;
        Ok(openraft::Snapshot { meta, snapshot })
    }
}

#[cfg(test)]
mod tests;

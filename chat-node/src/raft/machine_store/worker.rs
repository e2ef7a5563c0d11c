//! The one writer of the state: applies entries, makes checkpoints and installs snapshots, in the order it is asked to.
//!
//! It has a thread of its own, so that no write of the state holds up a task.

use std::ops::ControlFlow;
use std::time::Duration;

use openraft::EntryPayload;
use openraft::storage::RaftLogReader as _;
use tokio::sync::{mpsc, oneshot};

use super::Apply;
use crate::bug::Bug;
use crate::bug::ahead::Ahead;
use crate::env::fault::CrashPoint;
use crate::env::{Env, Task, watch};
use crate::machine::attempt;
use crate::machine::tables::StoreError;
use crate::raft::log_store::LogStore;
use crate::raft::types::{Answer, Entry};
use crate::raft::wire;
use crate::store::state::{Head, State, View};
use crate::store::{Faults, database, snapshot};
use crate::trace::{Event, Trace};

/// How old a change of the state may be before it is made durable. What is not durable is applied again from the log
/// after a crash, so this bounds the time that a restart takes.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// What the worker is asked to do. The answer goes to the sender within; it is dropped after a fault.
pub(super) enum Job {
    /// Applies entries in one transaction.
    Apply(Vec<Entry>, oneshot::Sender<Vec<Answer>>),
    /// Makes the state durable.
    Checkpoint(oneshot::Sender<()>),
    /// Makes the state durable and returns a view of it.
    View(oneshot::Sender<View>),
    /// Makes the complete snapshot file of this name the newest snapshot, unless there is a newer one.
    Declare(String, oneshot::Sender<()>),
    /// Takes the state of the verified snapshot file of this name, which a leader sent or which was here already.
    Install(String, Origin, oneshot::Sender<()>),
}

/// Where a snapshot that is to be installed comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A leader sent it.
    Leader,
    /// It was declared here before a crash, and the state is older.
    Here,
}

/// The worker's own things.
pub(super) struct Worker {
    pub(super) env: Env,
    pub(super) state: State,
    pub(super) log: LogStore,
    pub(super) apply: Apply,
    pub(super) applied: watch::Sender<u64>,
    pub(super) faults: Faults,
    pub(super) trace: Trace,
    pub(super) tick: Task,
    /// What a planted bug applied too early.
    pub(super) ahead: Ahead,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tick.abort();
    }
}

impl Worker {
    /// Works until the last sender is gone, then makes the state durable.
    pub(super) async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        while let Some(job) = jobs.recv().await {
            if self.work(job).await.is_break() {
                return;
            }
        }
        if let Err(fault) = self.checkpoint().await {
            self.faults.report(fault);
        }
    }

    async fn work(&mut self, job: Job) -> ControlFlow<()> {
        match job {
            Job::Apply(entries, answer) => {
                let file = self.state.file();
                let early = self.early(&entries).await;
                let answers = database::guarded(file.path(), || match early {
                    Some(fresh) => {
                        let answers = self.apply(&fresh)?;
                        Ok(self.ahead.answers(&entries, &fresh, answers))
                    }
                    None => self.apply(&entries),
                });
                if answers.is_ok() {
                    self.reach(CrashPoint::ApplyBeforeReply);
                }
                self.answer(answer, answers)
            }
            Job::Checkpoint(answer) => {
                let done = self.checkpoint().await;
                self.answer(answer, done)
            }
            Job::View(answer) => {
                let hasty = self.env.bugs.has(Bug::PurgeBeforeSnapshot);
                let durable = if hasty { Ok(()) } else { self.checkpoint().await };
                let view = durable.and_then(|()| self.state.file().view());
                self.answer(answer, view)
            }
            Job::Declare(name, answer) => self.answer(answer, self.declare(&name)),
            Job::Install(name, origin, answer) => {
                let file = self.state.file();
                let installed = database::guarded(file.path(), || self.install(&name, origin));
                self.answer(answer, installed)
            }
        }
    }

    /// Answers, or reports the fault before whoever asked learns that there is no answer.
    fn answer<T>(&self, answer: oneshot::Sender<T>, result: Result<T, StoreError>) -> ControlFlow<()> {
        match result {
            Ok(value) => {
                // Whoever asked may not wait for the answer any more.
                let _ = answer.send(value);
                ControlFlow::Continue(())
            }
            Err(fault) => {
                self.faults.report(fault);
                ControlFlow::Break(())
            }
        }
    }

    /// What a planted bug applies in place of `entries`: all of the log that was not applied yet.
    async fn early(&mut self, entries: &[Entry]) -> Option<Vec<Entry>> {
        let last = entries.last().filter(|_| self.env.bugs.has(Bug::ApplyUncommitted))?;
        let log = self.log.try_get_log_entries(last.log_id.index() + 1..).await.unwrap_or_default();
        Some(Ahead::fresh(entries, log, self.state.head().index()))
    }

    fn apply(&mut self, entries: &[Entry]) -> Result<Vec<Answer>, StoreError> {
        let apply = self.apply.clone();
        let mut changes = Vec::new();
        let answers = self.state.change(|tables, head| {
            let mut answers = Vec::with_capacity(entries.len());
            for entry in entries {
                let id = wire::log_id(&entry.log_id);
                assert!(id.index == 0 || id.index > head.index(), "entry {} is applied twice", id.index);
                let reply = match &entry.payload {
                    EntryPayload::Blank => None,
                    EntryPayload::Normal(proposal) => {
                        let reply = apply(tables, id.index, &proposal.0)?;
                        if self.env.bugs.has(Bug::ApplyTwice) {
                            apply(tables, id.index, &proposal.0)?;
                        }
                        Some(reply)
                    }
                    EntryPayload::Membership(members) => {
                        let membership = wire::membership(members);
                        changes.push(Event::members(id, &membership));
                        let membership = Some(membership);
                        head.membership = Some(proto::raft::StoredMembership { id: Some(id), membership });
                        None
                    }
                };
                head.applied = Some(id);
                answers.push(Answer(reply));
            }
            Ok(answers)
        })?;
        changes.iter().for_each(|change| self.trace.write(change));
        self.announce();
        Ok(answers)
    }

    /// Makes the state durable, and before it the log that it comes from: a node may apply an entry that a majority has
    /// before it is on its own disk, and a state that is ahead of its log would not fit it after a power failure.
    async fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.log.barrier().await.map_err(|source| StoreError::Io {
            file: self.env.disk.path(crate::store::log::FILE),
            action: "cannot wait for the log".to_owned(),
            source: source.into(),
        })?;
        let file = self.state.file();
        database::guarded(file.path(), || self.state.checkpoint())
    }

    /// A snapshot takes long to build, and a newer one can come from the leader meanwhile.
    fn declare(&self, name: &str) -> Result<(), StoreError> {
        let disk = &*self.env.disk;
        let index = |head: Option<Head>| head.map_or(0, |head| head.index());
        if index(Some(snapshot::head(disk, name)?)) >= index(snapshot::newest(disk)?) {
            self.reach(CrashPoint::SnapshotBeforeDeclare);
            snapshot::declare(disk, name)?;
            self.reach(CrashPoint::SnapshotAfterDeclare);
            if let Some(id) = snapshot::newest(disk)?.and_then(|head| head.applied) {
                self.trace.write(&Event::SnapshotMade { index: id.index, term: id.term });
            }
            Ok(())
        } else {
            snapshot::remove(disk, name)
        }
    }

    /// The snapshot is declared before the state is replaced: after a crash between the two, the library finds a
    /// snapshot that is newer than the state, and installs it again.
    fn install(&mut self, name: &str, origin: Origin) -> Result<(), StoreError> {
        let disk = self.env.disk.clone();
        self.reach(CrashPoint::InstallBeforeDeclare);
        snapshot::declare(&*disk, name)?;
        self.reach(CrashPoint::InstallBeforeReplace);
        self.state.replace(|put| snapshot::read(&*disk, snapshot::FILE, put))?;
        if self.env.bugs.has(Bug::SnapshotWithoutOutcomes) {
            self.state.change(|tables, _| attempt::forget_all(tables))?;
        }
        self.reach(CrashPoint::InstallAfterReplace);
        self.trace_install(origin);
        self.announce();
        Ok(())
    }

    fn reach(&self, point: CrashPoint) {
        self.env.crash_points.reach(point);
    }

    fn trace_install(&self, origin: Origin) {
        let head = self.state.head();
        if let Some(id) = head.applied.as_ref().filter(|_| origin == Origin::Leader) {
            self.trace.write(&Event::SnapshotInstalled { index: id.index, term: id.term });
        }
        let stored = head.membership.as_ref();
        if let Some((id, members)) = stored.and_then(|stored| stored.id.zip(stored.membership.as_ref())) {
            self.trace.write(&Event::members(id, members));
        }
    }

    fn announce(&self) {
        let head = self.state.head();
        if let Some(id) = &head.applied {
            self.applied.send(id.index);
            self.trace.write_with(|| Event::Applied {
                index: id.index,
                term: id.term,
                state: head.digest.to_string(),
            });
        }
    }
}

/// Asks for a checkpoint now and then, so that the last change before a pause is made durable, too.
pub(super) async fn tick(env: Env, jobs: mpsc::WeakUnboundedSender<Job>) {
    loop {
        env.runtime.sleep_until(env.now() + CHECKPOINT_EVERY).await;
        let Some(jobs) = jobs.upgrade() else { return };
        let (done, _) = oneshot::channel();
        if jobs.send(Job::Checkpoint(done)).is_err() {
            return;
        }
    }
}

//! Group commit: one worker that drains the queue of operations into one transaction, as often as the disk allows.
//!
//! There is no linger. While one commit waits for the disk, the queue fills, and the next commit takes all of it.
//! Operations that nobody waits for ride along with the next one that somebody does.

use std::sync::Arc;

use redb::Database;
use tokio::sync::mpsc;

use super::{MARK, Op, commit};
use crate::env::fault::{CommitPoints, CrashPoint};
use crate::env::{Disk, Env, watch};
use crate::machine::tables::StoreError;
use crate::store::Faults;
use crate::store::mark::Mark;

/// How many bytes one transaction takes in, at most, beyond the operation that reached it.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// The open file. It is closed when the last clone of its `Arc` is dropped; the fields are dropped in their order, so
/// nobody sees it closed, or can take the directory, before it is.
pub struct LogFile {
    /// The database.
    pub database: Database,
    /// How a person finds it.
    pub path: String,
    points: CommitPoints,
    _disk: Arc<dyn Disk>,
    _open: watch::Sender<()>,
}

impl LogFile {
    /// Wraps an open database, whose commits reach `points`. The receiver sees its end when the file is closed.
    #[must_use]
    pub fn new(
        database: Database,
        disk: Arc<dyn Disk>,
        points: CommitPoints,
    ) -> (Arc<Self>, watch::Receiver<()>) {
        let (open, closed) = watch::channel(());
        let path = disk.path(super::FILE);
        (Arc::new(Self { database, path, points, _disk: disk, _open: open }), closed)
    }
}

impl std::fmt::Debug for LogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)
    }
}

/// What is called when an operation is durable, or will not be. It is called in every case: dropping it calls it with
/// an error.
pub struct Done(Option<Box<dyn FnOnce(std::io::Result<()>) + Send>>);

impl Done {
    /// Calls `done` once.
    pub fn new(done: impl FnOnce(std::io::Result<()>) + Send + 'static) -> Self {
        Self(Some(Box::new(done)))
    }

    fn call(mut self, result: std::io::Result<()>) {
        if let Some(done) = self.0.take() {
            done(result);
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done(Err(std::io::Error::other("the log is closed")));
        }
    }
}

struct Request {
    op: Option<Op>,
    done: Option<Done>,
}

/// The queue to the worker. The worker ends when the last clone is dropped, after it has committed what rides along.
#[derive(Debug, Clone)]
pub struct Writer {
    queue: mpsc::UnboundedSender<Request>,
}

impl Writer {
    /// Starts the worker over a file that has seen `commits` commits.
    ///
    /// # Errors
    /// The witness says that the file lost commits, or a thread could not be started.
    pub fn start(env: &Env, file: Arc<LogFile>, commits: u64, faults: Faults) -> Result<Self, StoreError> {
        let mark = Mark::open(&*env.disk, MARK, super::FILE, commits)?;
        let (queue, requests) = mpsc::unbounded_channel();
        let path = file.path.clone();
        let worker = Worker { file, mark, commits, faults, ops: Vec::new(), bytes: 0, waiting: Vec::new() };
        env.runtime.worker("log", Box::pin(worker.run(requests))).map_err(|source| StoreError::Io {
            file: path,
            action: "cannot start the thread that writes it".to_owned(),
            source: source.into(),
        })?;
        Ok(Self { queue })
    }

    /// Queues an operation. It is committed soon, and then `done` is called.
    pub fn submit(&self, op: Op, done: Done) {
        self.send(Request { op: Some(op), done: Some(done) });
    }

    /// Queues an operation that nobody waits for: it is committed with the next one that somebody waits for.
    pub fn ride_along(&self, op: Op) {
        self.send(Request { op: Some(op), done: None });
    }

    /// Waits until every operation that was submitted before is durable.
    ///
    /// # Errors
    /// One of them is not.
    pub async fn barrier(&self) -> std::io::Result<()> {
        let (tx, rx) = tokio::sync::oneshot::channel();
        // The receiver is gone when nobody waits any more.
        let done = Done::new(move |result| drop(tx.send(result)));
        self.send(Request { op: None, done: Some(done) });
        rx.await.unwrap_or_else(|_| Err(std::io::Error::other("the log is closed")))
    }

    fn send(&self, request: Request) {
        // When the worker is gone the request is dropped here, and its `done` called with an error.
        let _ = self.queue.send(request);
    }
}

struct Worker {
    file: Arc<LogFile>,
    mark: Mark,
    commits: u64,
    faults: Faults,
    ops: Vec<Op>,
    bytes: usize,
    waiting: Vec<Done>,
}

impl Worker {
    async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        while let Some(request) = requests.recv().await {
            let mut awaited = self.take(request);
            while self.bytes < BATCH_BYTES_MAX
                && let Ok(request) = requests.try_recv()
            {
                awaited |= self.take(request);
            }
            if awaited {
                self.commit();
            }
            let failed = self.faults.get().is_some();
            for done in self.waiting.drain(..) {
                done.call(if failed { Err(std::io::Error::other("the disk failed")) } else { Ok(()) });
            }
        }
        if !self.ops.is_empty() {
            self.commit();
        }
    }

    /// Adds a request to the batch, and says whether somebody waits for its operation.
    fn take(&mut self, Request { op, done }: Request) -> bool {
        let awaited = op.is_some() && done.is_some();
        if let Some(op) = op {
            self.bytes += op.bytes();
            self.ops.push(op);
        }
        self.waiting.extend(done);
        awaited
    }

    /// Makes the batch durable. After a fault, here or in the other store, nothing is written any more.
    fn commit(&mut self) {
        let ops = std::mem::take(&mut self.ops);
        self.bytes = 0;
        if self.faults.get().is_some() {
            return;
        }
        self.commits += 1;
        let LogFile { database, path, points, .. } = &*self.file;
        let result = commit(database, path, self.commits, &ops, points).and_then(|()| {
            points.reach(CrashPoint::CommitBeforeMark);
            self.mark.set(self.commits)
        });
        match result {
            Ok(()) => {
                let after_sync = ops.iter().filter_map(Op::crash_points).filter_map(|(_, after)| after);
                after_sync.for_each(|point| points.reach(point));
            }
            Err(fault) => {
                self.faults.report(fault);
            }
        }
    }
}

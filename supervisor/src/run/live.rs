//! The history is judged while it is being written, so that a violation is known when it happens.
//!
//! A thread of its own follows the history, as it stands on the disk: it sees what the judge will see in the end, and
//! the recorder, which must not wait for anybody, only rings. A bell that rings already need not ring again, so what goes
//! from one thread to the other is bounded, and a check that lags behind lags: it has the file, and catches up.
//!
//! Conversations are judged with every event. What takes a search over the whole history is judged now and then, each
//! time after a pause of a few times what the last one took.
//!
//! # Caveats
//! The history is in memory while it is followed. What is found here is found again in the end, by the judge, who has
//! the last word; the other way round, much is found only then.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use checker::check::CheckName;
use checker::limits::Limits;
use checker::live::{Finding, Follower};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::event::{Events, RunEvent};
use super::recorder::Recorder;
use super::stop::Stopper;
use crate::scenario::plan::{LiveCheck, Plan, WorkloadKind};

/// How much of the history is taken at once, in bytes.
const PIECE_BYTES: usize = 64 << 10;

/// The shortest pause between two judgements of the whole.
const PAUSE_MIN: Duration = Duration::from_millis(500);

/// How many times longer the pause is than the judgement before it.
const PAUSE_FACTOR: u32 = 4;

/// A check that follows a run. It ends when this is dropped.
pub(super) struct Following {
    recorder: Recorder,
    events: Events,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Tells what was seen.
    relay: tokio::task::JoinHandle<()>,
}

/// What the thread has to say.
enum Word {
    Seen(Finding),
    Failed(String),
}

impl Following {
    /// Begins to follow the run of `plan`, if it wants that and names a check that can. The first violation is told by an
    /// event, and stops the load if that is wanted.
    pub(super) fn begin(
        plan: &Plan,
        history: PathBuf,
        recorder: &Recorder,
        events: &Events,
        stopper: &Rc<Stopper>,
    ) -> Option<Self> {
        let names: Vec<CheckName> =
            plan.checks.iter().copied().filter(|name| checker::live::CHECKS.contains(name)).collect();
        if plan.run.live_check == LiveCheck::Off || names.is_empty() {
            return None;
        }
        let ended = Arc::new(AtomicBool::new(false));
        let (words, heard) = unbounded_channel();
        let thread = Thread {
            // Of conversations everything is known with the event.
            searches: plan.workload.kind != WorkloadKind::Conversation,
            names,
            bell: recorder.follow(),
            ended: Arc::clone(&ended),
            words,
        };
        let thread =
            std::thread::Builder::new().name("live-check".to_owned()).spawn(move || thread.run(&history));
        let ends_load = plan.run.live_check == LiveCheck::Stop;
        let relay =
            tokio::task::spawn_local(relay(heard, events.clone(), ends_load.then(|| Rc::clone(stopper))));
        match thread {
            Ok(thread) => {
                let (recorder, events) = (recorder.clone(), events.clone());
                Some(Self { recorder, events, ended, thread: Some(thread), relay })
            }
            Err(error) => {
                let why = format!("could not start its thread: {error}");
                events.emit(RunEvent::LiveCheckEnded { why });
                None
            }
        }
    }

    /// Ends it, and waits until everything that it has seen is told.
    pub(super) async fn end(mut self) {
        self.hang_up();
        (&mut self.relay).await.expect("what tells what was seen does not panic");
    }

    fn hang_up(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.recorder.unfollow();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            self.events.emit(RunEvent::LiveCheckEnded { why: "it has a bug, and panicked".to_owned() });
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.hang_up();
    }
}

async fn relay(mut heard: UnboundedReceiver<Word>, events: Events, stopper: Option<Rc<Stopper>>) {
    while let Some(word) = heard.recv().await {
        match word {
            Word::Seen(finding) => {
                let Finding { check, kind, key, sentence, at } = finding;
                events.emit(RunEvent::ViolationSeen {
                    check: check.to_string(),
                    anomaly: kind.to_string(),
                    key,
                    sentence,
                    recorded_ms: at / 1_000_000,
                    ends_load: stopper.is_some(),
                });
                if let Some(stopper) = &stopper {
                    stopper.stop();
                }
            }
            Word::Failed(why) => events.emit(RunEvent::LiveCheckEnded { why }),
        }
    }
}

/// What the thread needs.
struct Thread {
    names: Vec<CheckName>,
    searches: bool,
    /// Rings when there is more in the history; hung up when the run is over.
    bell: Receiver<()>,
    ended: Arc<AtomicBool>,
    words: UnboundedSender<Word>,
}

impl Thread {
    fn run(self, history: &Path) {
        let word = match self.follow(history) {
            Ok(None) => return,
            Ok(Some(finding)) => Word::Seen(finding),
            Err(why) => Word::Failed(why),
        };
        // If nobody listens any more, the run is over.
        let _ = self.words.send(word);
    }

    /// Follows the history until the first violation or the end of the run.
    fn follow(&self, path: &Path) -> Result<Option<Finding>, String> {
        let unreadable = |error: std::io::Error| format!("could not read {}: {error}", path.display());
        let name = path.file_name().unwrap_or_default().display();
        let mut file = File::open(path).map_err(unreadable)?;
        let mut follower = Follower::new(&self.names);
        let mut piece = vec![0; PIECE_BYTES];
        let mut search = Search::new()?;
        while !self.ended.load(Ordering::Relaxed) {
            let length = file.read(&mut piece).map_err(unreadable)?;
            let found = follower.feed(&piece[..length]).map_err(|error| format!("{name}: {error}"))?;
            let found = match found {
                None if self.searches => search.when_due(&mut follower, &self.ended),
                found => found,
            };
            if found.is_some() {
                return Ok(found);
            }
            if length == 0 && self.bell.recv_timeout(PAUSE_MIN) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
        }
        Ok(None)
    }
}

/// Judges the whole now and then.
struct Search {
    /// One thread, so that the run keeps the others.
    threads: rayon::ThreadPool,
    due: Instant,
    /// How many operations there were at the last time.
    operations: usize,
}

impl Search {
    fn new() -> Result<Self, String> {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let threads = threads.map_err(|error| format!("could not start a thread: {error}"))?;
        Ok(Search { threads, due: Instant::now() + PAUSE_MIN, operations: 0 })
    }

    fn when_due(&mut self, follower: &mut Follower, ended: &AtomicBool) -> Option<Finding> {
        let operations = follower.history().operations().len();
        let began = Instant::now();
        if began < self.due || operations == self.operations {
            return None;
        }
        self.operations = operations;
        let expired = || ended.load(Ordering::Relaxed);
        let limits = Limits { expired: &expired, ..Limits::none() };
        let found = self.threads.install(|| follower.judge(&limits));
        self.due = Instant::now() + (began.elapsed() * PAUSE_FACTOR).max(PAUSE_MIN);
        found
    }
}

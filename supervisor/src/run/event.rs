//! What a run says while it goes: a closed set of events.
//!
//! The runner emits, `report/` prints, and every event is a line of `events.jsonl`. Operations are not events: they
//! are in the history.

mod line;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

pub use line::{TimedEvent, read};

use super::clock::RunClock;
use crate::harness::HarnessFailure;
use crate::rundir::JsonLines;
use crate::scenario::count::Count;

/// Something happened in the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case", deny_unknown_fields)]
pub enum RunEvent {
    /// The run directory exists.
    Began {
        /// The scenario.
        scenario: String,
        /// Its seed.
        seed: u64,
        /// The run directory, as a person would type it.
        directory: String,
    },
    /// A phase began.
    Phase {
        /// Which one.
        phase: Phase,
    },
    /// A node process listens.
    NodeStarted {
        /// Which node.
        node: String,
        /// The process.
        pid: u32,
        /// How often the node was started, this time included.
        generation: u32,
        /// Where clients reach it.
        listen: String,
        /// Where its peers reach it.
        peer_listen: String,
    },
    /// A node process ended; `expected` when the testbed ended it.
    NodeExited {
        /// Which node.
        node: String,
        /// How: `exit code 5`.
        status: String,
        /// The testbed ended it.
        expected: bool,
    },
    /// A node has become a part of the cluster.
    NodeJoined {
        /// Which node.
        node: String,
    },
    /// A node is no part of the cluster any more.
    NodeLeft {
        /// Which node.
        node: String,
        /// Why.
        why: String,
    },
    /// A node was seen to lead a term for the first time.
    Leader {
        /// Which node.
        node: String,
        /// The term.
        term: u64,
    },
    /// A fault struck.
    FaultInstalled {
        /// The name of the strike.
        fault: String,
        /// What it does.
        verb: String,
        /// The nodes it struck.
        nodes: Vec<String>,
    },
    /// A fault could not strike, which is no error: there was no leader to kill, say.
    FaultSkipped {
        /// The name of the strike.
        fault: String,
        /// What it does.
        verb: String,
        /// Why.
        why: String,
    },
    /// A fault was lifted.
    FaultLifted {
        /// The name of the strike.
        fault: String,
        /// What it does.
        verb: String,
        /// The nodes it struck.
        nodes: Vec<String>,
        /// What came of it.
        effect: String,
        /// The same in numbers. Where there are none, the fault did nothing.
        #[serde(default)]
        counts: BTreeMap<Count, u64>,
    },
    /// A step begins.
    StepBegan {
        /// Its name.
        step: String,
        /// What is done, in words.
        what: String,
    },
    /// What a step waited for or asserted is so.
    StepMet {
        /// Its name.
        step: String,
        /// What was seen.
        seen: String,
        /// Milliseconds since the step began.
        after_ms: u64,
    },
    /// What a step waited for or asserted is not so, or the step could not be carried out before the load ended. The steps
    /// after it are left out.
    StepUnmet {
        /// Its name.
        step: String,
        /// The system owed it to us; otherwise the run proves nothing.
        is_violation: bool,
        /// Why.
        why: String,
    },
    /// After the heal the cluster served again.
    Healed {
        /// Milliseconds since the heal began.
        after_ms: u64,
    },
    /// After the heal the cluster did not serve again within its limit, or had caught up and did not serve the final
    /// reads.
    NotHealed {
        /// Why.
        why: String,
    },
    /// The state of a node at an index.
    Digest {
        /// Which node.
        node: String,
        /// The last index that it had applied.
        index: u64,
        /// 32 hexadecimal digits.
        digest: String,
    },
    /// A node gave no digest.
    DigestMissing {
        /// Which node.
        node: String,
        /// Why.
        why: String,
    },
    /// The live check found a violation. The judgement in the end has the last word.
    ViolationSeen {
        /// The check: `linearizable`.
        check: String,
        /// What kind of contradiction: `stale-read`.
        anomaly: String,
        /// The object, if it is about one.
        key: Option<String>,
        /// The contradiction in one sentence.
        sentence: String,
        /// When the last event was recorded that it rests on, in ms since the start of the run.
        recorded_ms: u64,
        /// The load ends early because of it.
        ends_load: bool,
    },
    /// The live check cannot go on. The judgement in the end does not need it.
    LiveCheckEnded {
        /// Why.
        why: String,
    },
    /// Somebody asked the run to end early.
    Interrupted,
    /// The testbed noticed something that is worth knowing and changes nothing.
    Note {
        /// A sentence.
        text: String,
    },
}

/// The parts of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The nodes are started and elect a leader.
    Start,
    /// The system is prepared for the workload.
    Prepare,
    /// Load without faults and outside every measure.
    Warmup,
    /// Load and faults.
    Load,
    /// Every fault is lifted; the cluster must serve again.
    Heal,
    /// Every key is read from every node, and digests are taken.
    FinalReads,
    /// The nodes stop.
    Stop,
    /// The checker decides.
    Check,
}

impl Phase {
    /// A word for a person.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Prepare => "prepare",
            Self::Warmup => "warm-up",
            Self::Load => "load",
            Self::Heal => "heal",
            Self::FinalReads => "final reads",
            Self::Stop => "stop",
            Self::Check => "check",
        }
    }
}

/// One that watches a run: the terminal, for instance.
pub trait Observer {
    /// Sees one event.
    fn event(&self, event: &TimedEvent);
}

/// The way events take: first to the file, then to the observer.
#[derive(Clone)]
pub struct Events {
    inner: Rc<Inner>,
}

struct Inner {
    clock: RunClock,
    file: RefCell<JsonLines>,
    observer: Rc<dyn Observer>,
    failure: RefCell<Option<HarnessFailure>>,
}

impl Events {
    /// Events go to `file` and are shown to `observer`.
    #[must_use]
    pub fn new(clock: RunClock, file: JsonLines, observer: Rc<dyn Observer>) -> Self {
        let inner = Inner { clock, file: RefCell::new(file), observer, failure: RefCell::default() };
        Self { inner: Rc::new(inner) }
    }

    /// Says that something happened, now. A file that cannot be written is kept for [`Events::take_failure`]: the
    /// one who emits can do nothing about it.
    pub fn emit(&self, event: RunEvent) {
        let event = TimedEvent { at: self.inner.clock.now_ns(), event };
        if let Err(failure) = self.inner.file.borrow_mut().push(&event.to_object()) {
            self.inner.failure.borrow_mut().get_or_insert(failure);
        }
        self.inner.observer.event(&event);
    }

    /// Takes the first failure to write an event, if there was one.
    pub fn take_failure(&self) -> Option<HarnessFailure> {
        self.inner.failure.borrow_mut().take()
    }
}

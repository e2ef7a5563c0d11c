//! Writes operations on objects down as the history that a recorder would have left.

use super::{Sampled, Sampler};
use crate::differential::random::Random;
use crate::history::{Datum, History, Moment, OperationId, Outcome, Output, Symbol, Symbols};
use crate::model::register::Semantics;

/// What operations are written on.
pub(crate) struct Paper<'s> {
    /// The texts and the lists of the history.
    pub(crate) symbols: &'s mut Symbols,
    /// How its answers will be read.
    pub(crate) semantics: Semantics,
    /// The object.
    pub(crate) key: Symbol,
}

/// Done, and nothing more to say.
pub(crate) fn done() -> Outcome {
    Outcome::Ok(Output::Done)
}

/// This value, or nobody knows.
pub(crate) fn answered(value: Option<Datum>) -> Outcome {
    value.map_or(Outcome::Info(None), |value| Outcome::Ok(Output::Value { value }))
}

/// Writes down operations on objects, one object after the other.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) history: History,
    semantics: Semantics,
    /// How far the clock goes from event to event, in ns at most.
    tick: u64,
    time: u64,
    processes: u64,
}

/// What happens at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Invoked,
    Returned,
}

impl Recorder {
    /// Nothing yet.
    pub(crate) fn new(semantics: Semantics, tick: u64) -> Self {
        Recorder { semantics, tick, ..Self::default() }
    }

    fn now(&mut self, random: &mut Random) -> Moment {
        self.time += random.below(self.tick + 1);
        Moment { index: self.history.next_index(), time: self.time }
    }

    /// Writes down the operations on one object. Those at the positions in `failed` failed; of those that nobody has an
    /// answer to, some are said to have none, sooner or later. Returns which operation of the history each one is.
    pub(crate) fn record<S: Sampler>(
        &mut self,
        sampler: &S,
        random: &mut Random,
        key: &str,
        operations: &[Sampled<S>],
        failed: &[usize],
    ) -> Vec<OperationId> {
        let key = self.history.symbols.intern(key);
        let mut events: Vec<(u32, What, usize)> = Vec::with_capacity(2 * operations.len());
        for (number, operation) in operations.iter().enumerate() {
            events.push((operation.invoked, What::Invoked, number));
            events.extend(operation.returned.map(|returned| (returned, What::Returned, number)));
        }
        events.sort_unstable();
        let mut ids = vec![OperationId::new(0); operations.len()];
        let mut process_of = vec![0; operations.len()];
        let (mut idle, mut lost) = (Vec::new(), Vec::new());
        for (_, what, number) in events {
            let operation = &operations[number];
            let semantics = self.semantics;
            let mut paper = Paper { symbols: &mut self.history.symbols, semantics, key };
            let (asked, outcome) = sampler.write(&mut paper, &operation.input, operation.output.as_ref());
            let at = self.now(random);
            if what == What::Invoked {
                let process = idle.pop().unwrap_or_else(|| {
                    self.processes += 1;
                    self.processes
                });
                process_of[number] = process;
                ids[number] =
                    self.history.invoke(at, process, None, Some(key), asked).expect("the process is idle");
                if operation.returned.is_none() {
                    lost.push(number);
                }
            } else {
                let refused = Outcome::Fail(Some(self.history.symbols.intern("no-leader")));
                let outcome = if failed.contains(&number) { refused } else { outcome };
                self.complete(at, process_of[number], ids[number], outcome);
                idle.push(process_of[number]);
            }
            if !lost.is_empty() && random.one_in(4) {
                let number = lost.swap_remove(random.below(lost.len()));
                let at = self.now(random);
                self.complete(at, process_of[number], ids[number], Outcome::Info(None));
            }
        }
        ids
    }

    fn complete(&mut self, at: Moment, process: u64, id: OperationId, outcome: Outcome) {
        let f = self.history.f(self.history.operation(id)).to_owned();
        self.history.complete(at, process, &f, outcome).expect("the answer fits the operation");
    }
}

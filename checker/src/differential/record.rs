//! Histories of operations that were made for one object.

use super::{Sampled, Sampler};
use crate::history::{History, Input, Moment, Outcome, Output, Symbols};
use crate::model::{Model, Operation};

/// A sampler whose operations can stand in a history.
pub(crate) trait Recorded: Sampler {
    /// What an operation is in a history, and its answer, if it has one.
    fn recorded(
        symbols: &mut Symbols,
        input: &<Self::Model as Model>::Input,
        output: Option<&<Self::Model as Model>::Output>,
    ) -> (Input, Option<Output>);
}

/// Writes down operations on objects, one object after the other.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) history: History,
    processes: u64,
}

impl Recorder {
    fn at(&self) -> Moment {
        let index = self.history.next_index();
        Moment { index, time: u64::from(index) * 1000 }
    }

    /// Writes down the operations on one object, all of them; of those at `failed` it is said that they failed.
    pub(crate) fn record<S: Recorded>(&mut self, key: &str, operations: &[Sampled<S>], failed: &[usize]) {
        let key = self.history.symbols.intern(key);
        let mut events: Vec<(u32, usize)> = Vec::new();
        for (number, operation) in operations.iter().enumerate() {
            events.push((operation.invoked, number));
            events.extend(operation.returned.map(|returned| (returned, number)));
        }
        events.sort_unstable();
        let mut process_of = vec![None; operations.len()];
        let mut idle = Vec::new();
        for (_, number) in events {
            let Operation { input, output, .. } = &operations[number];
            let (asked, answered) = S::recorded(&mut self.history.symbols, input, output.as_ref());
            let at = self.at();
            if let Some(process) = process_of[number] {
                let outcome = match answered {
                    _ if failed.contains(&number) => Outcome::Fail(None),
                    Some(answer) => Outcome::Ok(answer),
                    None => Outcome::Info(None),
                };
                let f = asked.f(&self.history.symbols).to_owned();
                self.history.complete(at, process, &f, outcome).unwrap();
                idle.push(process);
            } else {
                let process = idle.pop().unwrap_or_else(|| {
                    self.processes += 1;
                    self.processes
                });
                process_of[number] = Some(process);
                self.history.invoke(at, process, None, Some(key), asked).unwrap();
            }
        }
    }
}

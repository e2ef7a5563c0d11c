//! Operations on a queue.

use std::collections::VecDeque;

use crate::differential::Sampler;
use crate::differential::random::Random;
use crate::differential::record::{Paper, answered, done};
use crate::fitting::ModelName;
use crate::history::{self, Datum, Outcome};
use crate::model::queue::{Input, Output, Queue};
use crate::model::register::{FailedCas, NilRead};

/// Enqueues and dequeues of small numbers.
#[derive(Debug)]
pub(crate) struct Queues<'a> {
    pub(crate) queue: Queue<'a>,
    /// Whether every enqueue has a value of its own.
    pub(crate) unique: bool,
    /// Whether dequeues may find the queue empty.
    pub(crate) empties: bool,
}

impl<'a> Sampler for Queues<'a> {
    type Model = Queue<'a>;

    fn model(&self) -> &Queue<'a> {
        &self.queue
    }

    fn ask(&self, random: &mut Random, number: usize) -> Input {
        match random.one_in(2) {
            true => Input::Dequeue,
            false if self.unique => Input::Enqueue(Datum::Int(number as i64)),
            false => Input::Enqueue(Datum::Int(random.below(3))),
        }
    }

    fn answer(&self, _random: &mut Random, state: &VecDeque<Datum>, input: &Input) -> Option<Output> {
        match (input, state.front()) {
            (Input::Enqueue(_), _) => Some(Output::Done),
            (Input::Dequeue, Some(first)) => Some(Output::Value(*first)),
            (Input::Dequeue, None) => self.empties.then_some(Output::Empty),
        }
    }

    fn lie(&self, random: &mut Random, input: &Input) -> Output {
        match input {
            Input::Enqueue(_) => Output::Done,
            Input::Dequeue if self.empties && random.one_in(3) => Output::Empty,
            Input::Dequeue => Output::Value(Datum::Int(random.below(6))),
        }
    }

    fn named(&self) -> ModelName {
        ModelName::Queue
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &Input,
        output: Option<&Output>,
    ) -> (history::Input, Outcome) {
        let asked = match *input {
            Input::Enqueue(value) => history::Input::Enqueue { value },
            Input::Dequeue => history::Input::Dequeue,
        };
        let answer = match output {
            Some(Output::Done) => done(),
            Some(Output::Value(value)) => answered(Some(*value)),
            Some(Output::Empty) if paper.semantics.failed_cas == FailedCas::ValueDiffered => {
                Outcome::Fail(None)
            }
            Some(Output::Empty) if paper.semantics.nil_read == NilRead::Anything => {
                Outcome::Fail(Some(paper.symbols.intern("empty")))
            }
            Some(Output::Empty) => answered(Some(Datum::Nil)),
            None => Outcome::Info(None),
        };
        (asked, answer)
    }
}

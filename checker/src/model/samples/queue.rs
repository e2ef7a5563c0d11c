//! Operations on a queue.

use std::collections::VecDeque;

use crate::differential::Sampler;
use crate::differential::random::Random;
use crate::history::Datum;
use crate::model::queue::{Input, Output, Queue};

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
}

//! Operations on counters, marks and locks.

use crate::differential::Sampler;
use crate::differential::generate::Shape;
use crate::differential::random::Random;
use crate::model::Model;
use crate::model::{counter, marks, mutex};

/// Additions and reads.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) counter: counter::Counter,
    /// What is added.
    pub(crate) amounts: &'static [i64],
    /// Whether additions may answer with the number.
    pub(crate) tells: bool,
}

impl Sampler for Counters {
    type Model = counter::Counter;

    fn model(&self) -> &counter::Counter {
        &self.counter
    }

    fn ask(&self, random: &mut Random, _number: usize) -> counter::Input {
        match random.one_in(2) {
            true => counter::Input::Read,
            false => counter::Input::Add(random.pick(self.amounts)),
        }
    }

    fn answer(&self, random: &mut Random, state: &i64, input: &counter::Input) -> Option<counter::Output> {
        Some(match input {
            counter::Input::Read => counter::Output::Value(*state),
            counter::Input::Add(amount) if self.tells && random.one_in(2) => {
                counter::Output::Value(state + amount)
            }
            counter::Input::Add(_) => counter::Output::Done,
        })
    }

    fn lie(&self, random: &mut Random, input: &counter::Input) -> counter::Output {
        let value = self.counter.initial + random.pick(self.amounts) * random.below(5_i64);
        match input {
            counter::Input::Add(_) if !self.tells => counter::Output::Done,
            _ => counter::Output::Value(value),
        }
    }
}

/// Marks and reads.
#[derive(Debug, Default)]
pub(crate) struct Markers {
    pub(crate) marks: marks::Marks,
    /// Whether marks may answer with the number.
    pub(crate) tells: bool,
    /// Whether each mark has a number of its own.
    pub(crate) unique: bool,
}

impl Sampler for Markers {
    type Model = marks::Marks;

    fn model(&self) -> &marks::Marks {
        &self.marks
    }

    fn ask(&self, random: &mut Random, number: usize) -> marks::Input {
        match random.one_in(2) {
            true => marks::Input::Read,
            false if self.unique => marks::Input::Mark(number as i64 + 1),
            false => marks::Input::Mark(random.below(6_i64) - 1),
        }
    }

    fn answer(&self, random: &mut Random, state: &i64, input: &marks::Input) -> Option<marks::Output> {
        Some(match input {
            marks::Input::Read => marks::Output::Value(*state),
            marks::Input::Mark(number) if self.tells && random.one_in(2) => {
                marks::Output::Value(*state.max(number))
            }
            marks::Input::Mark(_) => marks::Output::Done,
        })
    }

    fn lie(&self, random: &mut Random, input: &marks::Input) -> marks::Output {
        match input {
            marks::Input::Mark(_) if !self.tells => marks::Output::Done,
            _ => marks::Output::Value(random.below(7_i64) - 2),
        }
    }
}

/// Acquisitions and releases.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    pub(crate) mutex: mutex::Mutex,
    /// Whether refusals are answers.
    pub(crate) refuses: bool,
}

impl Sampler for Locks {
    type Model = mutex::Mutex;

    fn model(&self) -> &mutex::Mutex {
        &self.mutex
    }

    fn ask(&self, random: &mut Random, _number: usize) -> mutex::Input {
        random.pick(&[mutex::Input::Acquire, mutex::Input::Release])
    }

    /// Who cannot take his turn gets no answer, so that there is little to bend.
    fn shape(&self) -> Shape {
        Shape { operations_min: 4, lies_one_in: 2, ..Shape::small() }
    }

    fn answer(
        &self,
        _random: &mut Random,
        state: &mutex::Lock,
        input: &mutex::Input,
    ) -> Option<mutex::Output> {
        match self.mutex.step(state, input, Some(&mutex::Output::Done)) {
            Some(_) => Some(mutex::Output::Done),
            None => self.refuses.then_some(mutex::Output::Refused),
        }
    }

    fn lie(&self, random: &mut Random, _input: &mutex::Input) -> mutex::Output {
        if self.refuses && random.one_in(2) { mutex::Output::Refused } else { mutex::Output::Done }
    }
}

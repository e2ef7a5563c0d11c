//! Operations on counters, marks and locks.

use crate::differential::Sampler;
use crate::differential::generate::Shape;
use crate::differential::random::Random;
use crate::differential::record::{Paper, answered, done};
use crate::fitting::ModelName;
use crate::history::{self, Datum, Outcome};
use crate::model::Model;
use crate::model::register::FailedCas;
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

    fn named(&self) -> ModelName {
        ModelName::Counter
    }

    fn write(
        &self,
        _paper: &mut Paper<'_>,
        input: &counter::Input,
        output: Option<&counter::Output>,
    ) -> (history::Input, Outcome) {
        let asked = match *input {
            counter::Input::Add(1) => history::Input::Increment { by: Datum::Nil },
            counter::Input::Add(-1) => history::Input::Decrement { by: Datum::Nil },
            counter::Input::Add(value) => history::Input::Add { value: Datum::Int(value) },
            counter::Input::Read => history::Input::Get,
        };
        let answer = match output {
            Some(counter::Output::Done) => done(),
            Some(counter::Output::Value(number)) => answered(Some(Datum::Int(*number))),
            None => Outcome::Info(None),
        };
        (asked, answer)
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

    fn named(&self) -> ModelName {
        ModelName::Marks
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &marks::Input,
        output: Option<&marks::Output>,
    ) -> (history::Input, Outcome) {
        let asked = match input {
            marks::Input::Mark(number) => {
                history::Input::Other { f: paper.symbols.intern("mark"), value: Datum::Int(*number) }
            }
            marks::Input::Read => history::Input::Get,
        };
        let answer = output.map(|output| match output {
            marks::Output::Done => Datum::Nil,
            marks::Output::Value(number) => Datum::Int(*number),
        });
        (asked, answered(answer))
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

    fn named(&self) -> ModelName {
        ModelName::Mutex
    }

    fn write(
        &self,
        paper: &mut Paper<'_>,
        input: &mutex::Input,
        output: Option<&mutex::Output>,
    ) -> (history::Input, Outcome) {
        let asked = match input {
            mutex::Input::Acquire => history::Input::Acquire { holder: Datum::Nil },
            mutex::Input::Release => history::Input::Release { holder: Datum::Nil },
        };
        let answer = match output {
            Some(mutex::Output::Done) => done(),
            Some(mutex::Output::Refused) if paper.semantics.failed_cas == FailedCas::ValueDiffered => {
                Outcome::Fail(None)
            }
            Some(mutex::Output::Refused) => answered(Some(Datum::Bool(false))),
            None => Outcome::Info(None),
        };
        (asked, answer)
    }
}

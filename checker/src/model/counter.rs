//! A counter: a number to which something is added, and which is read.
//!
//! An addition may answer with the number that it left, or only that it was done. What is added may be negative. A
//! number that grows beyond 64 bits wraps around.

use crate::model::Model;

/// What is asked of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// Add so much.
    Add(i64),
    /// What is the number?
    Read,
}

/// What a counter answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// Added.
    Done,
    /// The number, after what was asked.
    Value(i64),
}

/// The model of one counter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counter {
    /// The number at the start.
    pub initial: i64,
}

impl Model for Counter {
    type State = i64;
    type Input = Input;
    type Output = Output;

    fn initial(&self) -> Vec<i64> {
        vec![self.initial]
    }

    fn step(&self, state: &i64, input: &Input, output: Option<&Output>) -> Option<i64> {
        let next = match input {
            Input::Add(amount) => state.wrapping_add(*amount),
            Input::Read => *state,
        };
        let fits = match (input, output) {
            (_, None) | (Input::Add(_), Some(Output::Done)) => true,
            (_, Some(Output::Value(value))) => *value == next,
            (Input::Read, Some(Output::Done)) => false,
        };
        fits.then_some(next)
    }

    fn refusal(&self, state: &i64, input: &Input, _output: Option<&Output>) -> String {
        match input {
            Input::Read => format!("a read here must return {state}"),
            Input::Add(amount) => format!("the number after it is {}", state.wrapping_add(*amount)),
        }
    }

    fn is_bare(&self, input: &Input, output: &Output) -> bool {
        matches!((input, output), (Input::Add(_), Output::Done))
    }

    fn observes(&self, input: &Input, _output: Option<&Output>) -> bool {
        matches!(input, Input::Read | Input::Add(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_read() {
        let counter = Counter { initial: 7 };
        assert_eq!(counter.initial(), [7]);
        assert_eq!(counter.step(&7, &Input::Add(-2), Some(&Output::Done)), Some(5));
        assert_eq!(counter.step(&7, &Input::Add(-2), Some(&Output::Value(5))), Some(5));
        assert_eq!(counter.step(&7, &Input::Add(-2), Some(&Output::Value(7))), None);
        assert_eq!(counter.step(&7, &Input::Read, Some(&Output::Value(7))), Some(7));
        assert_eq!(counter.step(&7, &Input::Read, Some(&Output::Value(8))), None);
        assert_eq!(counter.step(&7, &Input::Add(1), None), Some(8));
        assert_eq!(counter.refusal(&7, &Input::Read, Some(&Output::Value(8))), "a read here must return 7");
    }
}

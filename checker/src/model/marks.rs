//! A mark that only goes forward: up to where somebody has read a conversation.
//!
//! To mark what is behind the mark already changes nothing. This is a max register (Aspnes, Attiya and Censor, "Max
//! registers, counters, and monotone circuits", PODC 2009).

use crate::model::Model;

/// What is asked of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// Everything up to this number is read.
    Mark(i64),
    /// Where is the mark?
    Read,
}

/// What a mark answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// Marked.
    Done,
    /// Where the mark is, after what was asked.
    Value(i64),
}

/// The model of one mark.
#[derive(Debug, Clone, Copy, Default)]
pub struct Marks {
    /// Where it is at the start.
    pub initial: i64,
}

impl Model for Marks {
    type State = i64;
    type Input = Input;
    type Output = Output;

    fn initial(&self) -> Vec<i64> {
        vec![self.initial]
    }

    fn step(&self, state: &i64, input: &Input, output: Option<&Output>) -> Option<i64> {
        let next = match input {
            Input::Mark(number) => *state.max(number),
            Input::Read => *state,
        };
        let fits = match (input, output) {
            (_, None) | (Input::Mark(_), Some(Output::Done)) => true,
            (_, Some(Output::Value(value))) => *value == next,
            (Input::Read, Some(Output::Done)) => false,
        };
        fits.then_some(next)
    }

    fn refusal(&self, state: &i64, input: &Input, _output: Option<&Output>) -> String {
        match input {
            Input::Read => format!("the mark is at {state} here"),
            Input::Mark(number) => format!("the mark after it is at {}", state.max(number)),
        }
    }

    fn is_bare(&self, input: &Input, output: &Output) -> bool {
        matches!((input, output), (Input::Mark(_), Output::Done))
    }

    fn observes(&self, input: &Input, _output: Option<&Output>) -> bool {
        matches!(input, Input::Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back() {
        let marks = Marks::default();
        assert_eq!(marks.step(&5, &Input::Mark(7), Some(&Output::Done)), Some(7));
        assert_eq!(marks.step(&5, &Input::Mark(3), Some(&Output::Done)), Some(5));
        assert_eq!(marks.step(&5, &Input::Mark(3), Some(&Output::Value(5))), Some(5));
        assert_eq!(marks.step(&5, &Input::Mark(3), Some(&Output::Value(3))), None);
        assert_eq!(marks.step(&5, &Input::Read, Some(&Output::Value(5))), Some(5));
        assert_eq!(marks.step(&5, &Input::Read, Some(&Output::Value(3))), None);
        assert_eq!(marks.refusal(&5, &Input::Read, Some(&Output::Value(3))), "the mark is at 5 here");
    }
}

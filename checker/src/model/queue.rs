//! A queue: what was put in first is taken out first.
//!
//! To take all that is there is to take it one after the other; that is no operation of its own here.

use std::collections::VecDeque;

use crate::history::{Datum, Symbols};
use crate::model::Model;

/// What is asked of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// Put this in.
    Enqueue(Datum),
    /// Take out what was put in first.
    Dequeue,
}

/// What a queue answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// It was put in.
    Done,
    /// What was taken out.
    Value(Datum),
    /// There was nothing to take out.
    Empty,
}

/// The model of one queue, empty at the start.
#[derive(Debug, Clone, Copy)]
pub struct Queue<'a> {
    symbols: &'a Symbols,
}

impl<'a> Queue<'a> {
    /// A queue whose values have their texts in `symbols`.
    #[must_use]
    pub fn new(symbols: &'a Symbols) -> Self {
        Queue { symbols }
    }

    /// The text of a value.
    #[must_use]
    pub fn text(&self, value: Datum) -> String {
        value.told(self.symbols)
    }
}

impl Model for Queue<'_> {
    type State = VecDeque<Datum>;
    type Input = Input;
    type Output = Output;

    fn initial(&self) -> Vec<VecDeque<Datum>> {
        vec![VecDeque::new()]
    }

    fn step(
        &self,
        state: &VecDeque<Datum>,
        input: &Input,
        output: Option<&Output>,
    ) -> Option<VecDeque<Datum>> {
        let fits = match (input, output) {
            (_, None) | (Input::Enqueue(_), Some(Output::Done)) => true,
            (Input::Dequeue, Some(Output::Value(value))) => state.front() == Some(value),
            (Input::Dequeue, Some(Output::Empty)) => state.is_empty(),
            (Input::Enqueue(_), Some(Output::Value(_) | Output::Empty))
            | (Input::Dequeue, Some(Output::Done)) => false,
        };
        fits.then(|| {
            let mut next = state.clone();
            match input {
                Input::Enqueue(value) => next.push_back(*value),
                Input::Dequeue => drop(next.pop_front()),
            }
            next
        })
    }

    fn refusal(&self, state: &VecDeque<Datum>, input: &Input, _output: Option<&Output>) -> String {
        match (input, state.front()) {
            (Input::Enqueue(_), _) => "an enqueue has nothing to answer".to_owned(),
            (Input::Dequeue, None) => "the queue is empty here".to_owned(),
            (Input::Dequeue, Some(first)) => {
                format!("the first in the queue here is {}", self.text(*first))
            }
        }
    }

    fn is_bare(&self, input: &Input, output: &Output) -> bool {
        matches!((input, output), (Input::Enqueue(_), Output::Done))
    }

    fn observes(&self, input: &Input, output: Option<&Output>) -> bool {
        *input == Input::Dequeue && output == Some(&Output::Empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_first_in_is_first_out() {
        let symbols = Symbols::default();
        let queue = Queue::new(&symbols);
        let [one, two] = [1, 2].map(Datum::Int);
        let step = |state: &[Datum], input, output: Option<&Output>| {
            queue.step(&state.iter().copied().collect(), &input, output).map(Vec::from)
        };
        assert_eq!(step(&[one], Input::Enqueue(two), Some(&Output::Done)), Some(vec![one, two]));
        assert_eq!(step(&[one, two], Input::Dequeue, Some(&Output::Value(one))), Some(vec![two]));
        assert_eq!(step(&[one, two], Input::Dequeue, Some(&Output::Value(two))), None);
        assert_eq!(step(&[], Input::Dequeue, Some(&Output::Empty)), Some(vec![]));
        assert_eq!(step(&[one], Input::Dequeue, Some(&Output::Empty)), None);
        assert_eq!(step(&[one, two], Input::Dequeue, None), Some(vec![two]));
        let state = VecDeque::from([one, two]);
        assert_eq!(queue.refusal(&state, &Input::Dequeue, None), "the first in the queue here is 1");
    }
}

//! A list to which values are appended, and which is read as a whole.
//!
//! An operation is one or several micro-operations that happen at once, as in the transactions of Jepsen's list-append
//! that keep to one key: `[[:append 3 1] [:r 3 nil] [:append 3 2]]`.

use std::borrow::Cow;

use crate::history::{Datum, Symbols};
use crate::model::Model;

/// A part of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Micro {
    /// Put this at the end.
    Append(Datum),
    /// Which values are in it?
    Read,
}

/// What is asked: these, one after the other and nothing in between.
pub type Input = Box<[Micro]>;

/// A list that was seen.
pub type Seen<'a> = Cow<'a, [Datum]>;

/// What is answered: for each read of the operation, in order, the values; nothing for the appends.
pub type Output<'a> = Box<[Seen<'a>]>;

/// The model of one list, empty at the start.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    symbols: &'a Symbols,
}

impl<'a> List<'a> {
    /// A list whose values have their texts in `symbols`.
    #[must_use]
    pub fn new(symbols: &'a Symbols) -> Self {
        List { symbols }
    }

    /// The text of a value.
    #[must_use]
    pub fn text(&self, value: Datum) -> String {
        value.told(self.symbols)
    }
}

/// The values that an operation appends, in order.
pub fn appended(input: &[Micro]) -> impl Iterator<Item = Datum> {
    input.iter().filter_map(|micro| match micro {
        Micro::Append(value) => Some(*value),
        Micro::Read => None,
    })
}

impl<'a> Model for List<'a> {
    type State = Vec<Datum>;
    type Input = Input;
    type Output = Output<'a>;

    fn initial(&self) -> Vec<Vec<Datum>> {
        vec![Vec::new()]
    }

    fn step(&self, state: &Vec<Datum>, input: &Input, output: Option<&Output<'a>>) -> Option<Vec<Datum>> {
        if let Some(output) = output {
            let reads = input.iter().filter(|micro| **micro == Micro::Read).count();
            let mut seen = output.iter();
            let mut own = 0;
            // Nothing is copied as long as it may be refused.
            let fits = input.iter().all(|micro| match micro {
                Micro::Append(_) => {
                    own += 1;
                    true
                }
                Micro::Read => seen.next().is_some_and(|seen| {
                    seen.len() == state.len() + own
                        && seen.starts_with(state)
                        && seen[state.len()..].iter().copied().eq(appended(input).take(own))
                }),
            });
            if !fits || reads != output.len() {
                return None;
            }
        }
        let mut next = state.clone();
        next.extend(appended(input));
        Some(next)
    }

    fn refusal(&self, state: &Vec<Datum>, _input: &Input, _output: Option<&Output<'a>>) -> String {
        match state.last() {
            Some(last) => {
                format!("the list here has {} values and ends with {}", state.len(), self.text(*last))
            }
            None => "the list here is empty".to_owned(),
        }
    }

    fn is_bare(&self, input: &Input, output: &Output<'a>) -> bool {
        output.is_empty() && !input.contains(&Micro::Read)
    }

    fn observes(&self, input: &Input, _output: Option<&Output<'a>>) -> bool {
        appended(input).next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_stands_at_the_end() {
        let symbols = Symbols::default();
        let list = List::new(&symbols);
        let [one, two, three] = [1, 2, 3].map(Datum::Int);
        let input: Input = Box::new([Micro::Read, Micro::Append(two), Micro::Append(three), Micro::Read]);
        let answer =
            |answers: [&[Datum]; 2]| -> Output<'static> { answers.map(|seen| seen.to_vec().into()).into() };
        let state = vec![one];
        let right = answer([&[one], &[one, two, three]]);
        assert_eq!(list.step(&state, &input, Some(&right)), Some(vec![one, two, three]));
        for wrong in [
            answer([&[], &[one, two, three]]),
            answer([&[one], &[one, two]]),
            answer([&[one], &[one, three, two]]),
        ] {
            assert_eq!(list.step(&state, &input, Some(&wrong)), None, "{wrong:?}");
        }
        assert_eq!(list.step(&state, &input, None), Some(vec![one, two, three]));
        assert_eq!(list.refusal(&state, &input, None), "the list here has 1 values and ends with 1");
        let read: Input = Box::new([Micro::Read]);
        assert!(list.observes(&read, None) && !list.observes(&input, None));
    }
}

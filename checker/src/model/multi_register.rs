//! Several registers that transactions read and write at once.
//!
//! This is one object: an operation may be about any of the registers. So a history of it cannot be split by key.

use std::collections::BTreeMap;

use crate::history::{Datum, Symbols};
use crate::model::Model;
use crate::model::register::NilRead;

/// A part of a transaction, about one register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Micro {
    /// What is the value?
    Read(Datum),
    /// Set the value.
    Write(Datum, Datum),
}

/// A transaction: these, one after the other and nothing in between.
pub type Input = Box<[Micro]>;

/// For each read of the transaction, in order, the value.
pub type Output = Box<[Datum]>;

/// The model of all the registers, each of them nil at the start unless something else is said.
#[derive(Debug, Clone, Copy)]
pub struct MultiRegister<'a> {
    symbols: &'a Symbols,
    nil_read: NilRead,
    initial: Datum,
}

impl<'a> MultiRegister<'a> {
    /// Registers whose values have their texts in `symbols`.
    #[must_use]
    pub fn new(symbols: &'a Symbols, nil_read: NilRead, initial: Datum) -> Self {
        MultiRegister { symbols, nil_read, initial }
    }

    fn value(&self, state: &BTreeMap<Datum, Datum>, register: Datum) -> Datum {
        state.get(&register).copied().unwrap_or(self.initial)
    }

    fn fits(&self, seen: Datum, value: Datum) -> bool {
        seen == value || (seen == Datum::Nil && self.nil_read == NilRead::Anything)
    }
}

impl Model for MultiRegister<'_> {
    /// The registers that were written.
    type State = BTreeMap<Datum, Datum>;
    type Input = Input;
    type Output = Output;

    fn initial(&self) -> Vec<BTreeMap<Datum, Datum>> {
        vec![BTreeMap::new()]
    }

    fn step(
        &self,
        state: &BTreeMap<Datum, Datum>,
        input: &Input,
        output: Option<&Output>,
    ) -> Option<BTreeMap<Datum, Datum>> {
        let mut seen = output.into_iter().flatten();
        let mut next = state.clone();
        for micro in input {
            match *micro {
                Micro::Write(register, value) => drop(next.insert(register, value)),
                Micro::Read(register) if output.is_some() => {
                    if !self.fits(*seen.next()?, self.value(&next, register)) {
                        return None;
                    }
                }
                Micro::Read(_) => {}
            }
        }
        seen.next().is_none().then_some(next)
    }

    fn refusal(&self, state: &BTreeMap<Datum, Datum>, input: &Input, output: Option<&Output>) -> String {
        let text = |value: Datum| value.told(self.symbols);
        let mut seen = output.into_iter().flatten();
        let mut state = state.clone();
        for micro in input {
            match *micro {
                Micro::Write(register, value) => drop(state.insert(register, value)),
                Micro::Read(register) => {
                    let value = self.value(&state, register);
                    if seen.next().is_some_and(|seen| !self.fits(*seen, value)) {
                        return format!("a read of {} here must return {}", text(register), text(value));
                    }
                }
            }
        }
        "the answer does not have a value for each read".to_owned()
    }

    fn is_bare(&self, input: &Input, output: &Output) -> bool {
        output.is_empty() && input.iter().all(|micro| matches!(micro, Micro::Write(..)))
    }

    fn observes(&self, input: &Input, _output: Option<&Output>) -> bool {
        input.iter().all(|micro| matches!(micro, Micro::Read(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_reads_and_writes_at_once() {
        let symbols = Symbols::default();
        let registers = MultiRegister::new(&symbols, NilRead::Nil, Datum::Int(0));
        let [zero, x, y, one] = [0, 10, 11, 1].map(Datum::Int);
        let input: Input = Box::new([Micro::Read(x), Micro::Write(x, one), Micro::Read(x), Micro::Read(y)]);
        let empty = BTreeMap::new();
        let after = BTreeMap::from([(x, one)]);
        let answer = |values: [Datum; 3]| -> Output { values.into() };
        assert_eq!(registers.step(&empty, &input, Some(&answer([zero, one, zero]))), Some(after.clone()));
        assert_eq!(registers.step(&empty, &input, Some(&answer([one, one, zero]))), None);
        assert_eq!(registers.step(&empty, &input, Some(&Output::from([zero]))), None);
        assert_eq!(registers.step(&empty, &input, None), Some(after.clone()));
        assert_eq!(
            registers.refusal(&after, &input, Some(&answer([zero, one, zero]))),
            "a read of 10 here must return 1"
        );
        let any = MultiRegister::new(&symbols, NilRead::Anything, Datum::Nil);
        assert_eq!(any.step(&empty, &input, Some(&answer([Datum::Nil; 3]))), Some(after));
    }
}

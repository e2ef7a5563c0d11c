//! Operations on a register.

use crate::differential::Sampler;
use crate::differential::random::Random;
use crate::history::{Datum, Symbols};
use crate::model::Model;
use crate::model::register::{Input, NilRead, Output, Register, Value};

/// Reads, writes, and compares and sets of some values, nil among them, that repeat or do not.
#[derive(Debug)]
pub(crate) struct Registers<'a> {
    model: Register<'a>,
    /// Whether every write and cas has a value of its own.
    unique: bool,
    /// Whether there are cas.
    cas: bool,
}

/// Nil and the positive numbers.
fn value(number: usize) -> Value {
    if number == 0 { Datum::Nil } else { Datum::Int(i64::try_from(number).expect("numbers are small")) }
}

impl<'a> Registers<'a> {
    pub(crate) fn new(symbols: &'a Symbols, nil_read: NilRead) -> Self {
        Registers { model: Register::new(symbols, nil_read), unique: false, cas: true }
    }

    /// The same with values that are written once.
    pub(crate) fn unique(self) -> Self {
        Registers { unique: true, ..self }
    }

    /// The same without cas.
    pub(crate) fn without_cas(self) -> Self {
        Registers { cas: false, ..self }
    }

    fn any(&self, random: &mut Random) -> Value {
        value(random.below(if self.unique { 6 } else { 3 }))
    }
}

impl<'a> Sampler for Registers<'a> {
    type Model = Register<'a>;

    fn model(&self) -> &Register<'a> {
        &self.model
    }

    fn ask(&self, random: &mut Random, number: usize) -> Input {
        let new = if self.unique { value(number + 1) } else { self.any(random) };
        match random.below(5) {
            0 | 1 => Input::Read,
            2 if self.cas => Input::Cas { from: self.any(random), to: new },
            _ => Input::Write(new),
        }
    }

    fn answer(&self, random: &mut Random, state: &Value, input: &Input) -> Option<Output> {
        let nil = Output::Value(Datum::Nil);
        let possible = match input {
            Input::Read => vec![Output::Value(*state), Output::Value(*state), nil],
            Input::Write(_) => vec![Output::Done],
            Input::Cas { .. } => vec![Output::Done, Output::Differed],
        };
        let allowed = |output: &&Output| self.model.step(state, input, Some(output)).is_some();
        let possible: Vec<Output> = possible.iter().filter(allowed).copied().collect();
        (!possible.is_empty()).then(|| random.pick(&possible))
    }

    fn lie(&self, random: &mut Random, input: &Input) -> Output {
        match input {
            Input::Read => Output::Value(self.any(random)),
            Input::Write(_) => Output::Done,
            Input::Cas { .. } => random.pick(&[Output::Done, Output::Differed]),
        }
    }
}

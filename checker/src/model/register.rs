//! A register: a cell with read, write and compare-and-set.
//!
//! A value is any [`Datum`]; nil is the value of a register that nobody wrote. Values may repeat.
//!
//! Histories disagree about three things, so all are switches ([`Semantics`]):
//!
//! | | the one | the other |
//! |---|---|---|
//! | a read that answered nil | saw a register that nobody wrote: one that is nil, or has the value of the start | proves nothing: Knossos takes `:ok :read nil` as "any" |
//! | a cas that failed without an error | did not happen: Jepsen | saw another value: Porcupine's etcd logs |
//! | the register at the start | is nil, or has a value that is given | has a value that nobody knows |
//!
//! A cas that failed with the error `conflict` saw another value, by either; with any other error it did not happen and
//! proves nothing: the error says why, and it is not the value.

use crate::history::{Datum, Symbols};
use crate::model::Model;

/// A value.
pub type Value = Datum;

/// What an answer means where histories disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Semantics {
    /// A read that answered nil.
    pub nil_read: NilRead,
    /// A cas that failed without an error.
    pub failed_cas: FailedCas,
    /// The register at the start.
    pub initially: Initially,
}

/// What a read that answered nil has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NilRead {
    /// A register that nobody wrote, or whose value is nil.
    #[default]
    Nil,
    /// Anything: the client does not say.
    Anything,
    /// A register that has the value of the start.
    Initial,
}

/// What a cas that failed without an error proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailedCas {
    /// That it did not happen, and nothing else.
    #[default]
    NotApplied,
    /// That the value was another one at some point between its invocation and its completion.
    ValueDiffered,
}

/// What a register holds before the first operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Initially {
    /// Nil.
    #[default]
    Nil,
    /// Nobody knows: it may be any value that the operations speak of, or another one.
    Unknown,
    /// This value.
    Value(Value),
}

impl Initially {
    /// The value at the start, nil where nobody knows it.
    #[must_use]
    pub fn value(self) -> Value {
        match self {
            Initially::Value(value) => value,
            Initially::Nil | Initially::Unknown => Datum::Nil,
        }
    }
}

/// What is asked of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// What is the value?
    Read,
    /// Set the value.
    Write(Value),
    /// Set the value to `to` if it is `from`.
    Cas {
        /// The value expected.
        from: Value,
        /// The new value.
        to: Value,
    },
}

/// What a register answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Output {
    /// The value read.
    Value(Value),
    /// Written, or compared and set.
    Done,
    /// Not set: the value was not the expected one.
    Differed,
}

/// The model of one register.
#[derive(Debug, Clone, Copy)]
pub struct Register<'a> {
    symbols: &'a Symbols,
    nil_read: NilRead,
    initial: &'a [Value],
}

impl<'a> Register<'a> {
    /// A register whose values have their texts in `symbols`. It is nil at the start.
    #[must_use]
    pub fn new(symbols: &'a Symbols, nil_read: NilRead) -> Self {
        Register { symbols, nil_read, initial: &[Datum::Nil] }
    }

    /// The same, but with one of these values at the start.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn starting_with(self, initial: &'a [Value]) -> Self {
        assert!(!initial.is_empty(), "a register has a value at the start");
        Register { initial, ..self }
    }

    /// The values that it may have at the start.
    #[must_use]
    pub fn initial_values(&self) -> &'a [Value] {
        self.initial
    }

    /// The JSON text of a value, `null` for nil.
    #[must_use]
    pub fn text(&self, value: Value) -> String {
        value.told(self.symbols)
    }

    /// Whether a read may answer this in any state.
    #[must_use]
    pub fn fits_any(&self, read: Value) -> bool {
        read == Datum::Nil && self.nil_read == NilRead::Anything
    }
}

impl Model for Register<'_> {
    type State = Value;
    type Input = Input;
    type Output = Output;

    fn initial(&self) -> Vec<Value> {
        self.initial.to_vec()
    }

    fn step(&self, state: &Value, input: &Input, output: Option<&Output>) -> Option<Value> {
        match (*input, output) {
            (Input::Read, None) => Some(*state),
            (Input::Read, Some(Output::Value(value))) if self.fits_any(*value) => Some(*state),
            (Input::Read, Some(Output::Value(value))) => (value == state).then_some(*state),
            (Input::Write(value), None | Some(Output::Done)) => Some(value),
            (Input::Cas { from, to }, None) => Some(if *state == from { to } else { *state }),
            (Input::Cas { from, to }, Some(Output::Done)) => (*state == from).then_some(to),
            (Input::Cas { from, .. }, Some(Output::Differed)) => (*state != from).then_some(*state),
            (Input::Read, Some(Output::Done | Output::Differed))
            | (Input::Write(_), Some(Output::Value(_) | Output::Differed))
            | (Input::Cas { .. }, Some(Output::Value(_))) => None,
        }
    }

    fn refusal(&self, state: &Value, input: &Input, output: Option<&Output>) -> String {
        let now = self.text(*state);
        match (input, output) {
            (Input::Read, _) => format!("a read here must return {now}"),
            (Input::Write(_), _) => "a write has nothing to answer".to_owned(),
            (Input::Cas { .. }, Some(Output::Differed)) => {
                format!("the value here is {now}, so the cas must succeed")
            }
            (Input::Cas { from, .. }, _) => format!("the value here is {now}, not {}", self.text(*from)),
        }
    }

    fn is_bare(&self, input: &Input, output: &Output) -> bool {
        matches!((input, output), (Input::Write(_), Output::Done))
    }

    fn observes(&self, input: &Input, output: Option<&Output>) -> bool {
        match input {
            Input::Read => true,
            Input::Write(_) => false,
            Input::Cas { from, to } => from == to || output == Some(&Output::Differed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> (Symbols, Value, Value) {
        (Symbols::default(), Datum::Int(1), Datum::Int(2))
    }

    #[test]
    fn a_read_returns_what_was_written_last() {
        let (symbols, one, two) = values();
        let register = Register::new(&symbols, NilRead::Nil);
        assert_eq!(register.initial(), [Datum::Nil]);
        assert_eq!(register.starting_with(&[one, two]).initial(), [one, two]);
        let written = register.step(&Datum::Nil, &Input::Write(one), Some(&Output::Done)).unwrap();
        assert_eq!(register.step(&written, &Input::Read, Some(&Output::Value(one))), Some(one));
        assert_eq!(register.step(&written, &Input::Read, Some(&Output::Value(two))), None);
        assert_eq!(
            register.refusal(&written, &Input::Read, Some(&Output::Value(two))),
            "a read here must return 1"
        );
    }

    #[test]
    fn a_cas_sets_only_what_it_expects() {
        let (symbols, one, two) = values();
        let register = Register::new(&symbols, NilRead::Nil);
        let cas = Input::Cas { from: one, to: two };
        assert_eq!(register.step(&one, &cas, Some(&Output::Done)), Some(two));
        assert_eq!(register.step(&two, &cas, Some(&Output::Done)), None);
        assert_eq!(register.refusal(&two, &cas, Some(&Output::Done)), "the value here is 2, not 1");
        assert_eq!(register.step(&two, &cas, Some(&Output::Differed)), Some(two));
        assert_eq!(register.step(&one, &cas, Some(&Output::Differed)), None);
        assert_eq!(
            (register.step(&one, &cas, None), register.step(&Datum::Nil, &cas, None)),
            (Some(two), Some(Datum::Nil))
        );
    }

    #[test]
    fn a_nil_read_is_nil_or_anything() {
        let (symbols, one, _) = values();
        let nil = Some(&Output::Value(Datum::Nil));
        assert_eq!(Register::new(&symbols, NilRead::Nil).step(&one, &Input::Read, nil), None);
        assert_eq!(Register::new(&symbols, NilRead::Anything).step(&one, &Input::Read, nil), Some(one));
    }

    #[test]
    fn what_observes_leaves_the_state_alone() {
        let (symbols, one, two) = values();
        let register = Register::new(&symbols, NilRead::Nil);
        let all_inputs = [Datum::Nil, one, two].into_iter().flat_map(|from| {
            let cas = [Datum::Nil, one, two].map(|to| Input::Cas { from, to });
            [vec![Input::Read, Input::Write(from)], cas.to_vec()].concat()
        });
        for input in all_inputs {
            let values = [Datum::Nil, one, two].map(|value| Some(Output::Value(value)));
            for output in [vec![None, Some(Output::Done), Some(Output::Differed)], values.to_vec()].concat() {
                let observes = register.observes(&input, output.as_ref());
                for state in [Datum::Nil, one, two] {
                    let next = register.step(&state, &input, output.as_ref());
                    assert!(!observes || next.is_none_or(|next| next == state), "{input:?} {output:?}");
                }
            }
        }
    }
}

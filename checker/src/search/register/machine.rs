//! Registers for the [reduced search](crate::search::reduced): states are the values that were seen, by number.
//!
//! All values that nobody saw are one state: no answer can tell them apart.

use crate::limits::{Budget, Exceeded};
use crate::model::register::{Input, Output, Register, Value};
use crate::model::{Model, OperationOf};
use crate::search::numbers::Numbers;
use crate::search::reduced::{Kind, Machine};

use super::unique::spoken_of;

/// The state of a value that nobody saw.
const UNSEEN: u32 = 0;

/// What an operation does, in terms of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::search) enum Action {
    /// It fits any state.
    Any,
    Read(u32),
    Write(u32),
    /// It was there and was replaced by another.
    Replace(u32, u32),
    /// Nobody knows whether it was there; if so, it was replaced.
    Try(u32, u32),
    /// It was not there.
    Differed(u32),
    /// No state allows the answer.
    Never,
}

/// A register whose values are numbered.
#[derive(Debug)]
pub(in crate::search) struct Numbered<'a> {
    model: Register<'a>,
    operations: &'a [OperationOf<Register<'a>>],
    actions: Vec<Action>,
    /// By state: its value. That of [`UNSEEN`] is one that nobody saw, if there is any.
    values: Vec<Value>,
    initial: Vec<u32>,
}

impl<'a> Numbered<'a> {
    pub(in crate::search) fn new(
        model: Register<'a>,
        operations: &'a [OperationOf<Register<'a>>],
        budget: &mut Budget<'_>,
    ) -> Result<Self, Exceeded> {
        budget.allocate(size_of::<Action>() as u64 * operations.len() as u64)?;
        let mut numbers = Numbers::of(operations.iter().flat_map(spoken_of));
        let mut states = States { of: Vec::new(), values: vec![Value::default()] };
        budget.allocate(numbers.bytes())?;
        for operation in operations {
            budget.tick()?;
            if let Some(value) = seen(&model, operation) {
                states.add(numbers.number(value), value);
            }
        }
        let mut state = |value| states.state(numbers.number(value), value);
        let mut actions = Vec::with_capacity(operations.len());
        for operation in operations {
            budget.tick()?;
            actions.push(action(&model, operation, &mut state));
        }
        let mut initial: Vec<u32> = model.initial_values().iter().map(|value| state(*value)).collect();
        initial.sort_unstable();
        initial.dedup();
        budget.allocate((states.of.len() * size_of::<u32>() + size_of_val(&states.values[..])) as u64)?;
        Ok(Numbered { model, operations, actions, values: states.values, initial })
    }
}

/// The states of values, by their numbers.
struct States {
    of: Vec<u32>,
    values: Vec<Value>,
}

impl States {
    /// Gives a value a state of its own, unless it has one.
    fn add(&mut self, number: u32, value: Value) {
        if self.of.len() <= number as usize {
            self.of.resize(number as usize + 1, UNSEEN);
        }
        if self.of[number as usize] == UNSEEN {
            self.of[number as usize] = u32::try_from(self.values.len()).expect("values are counted in a u32");
            self.values.push(value);
        }
    }

    fn state(&mut self, number: u32, value: Value) -> u32 {
        let state = self.of.get(number as usize).copied().unwrap_or(UNSEEN);
        if state == UNSEEN {
            self.values[UNSEEN as usize] = value;
        }
        state
    }
}

/// The value that an operation depends on, if it could have been another one.
fn seen(model: &Register<'_>, operation: &OperationOf<Register<'_>>) -> Option<Value> {
    match (operation.input, operation.output) {
        (Input::Read, Some(Output::Value(value))) => (!model.fits_any(value)).then_some(value),
        (Input::Cas { from, .. }, _) => Some(from),
        (Input::Read | Input::Write(_), _) => None,
    }
}

fn action(
    model: &Register<'_>,
    operation: &OperationOf<Register<'_>>,
    state: &mut impl FnMut(Value) -> u32,
) -> Action {
    match (operation.input, operation.output) {
        (Input::Read, None) => Action::Any,
        (Input::Read, Some(Output::Value(value))) if model.fits_any(value) => Action::Any,
        (Input::Read, Some(Output::Value(value))) => Action::Read(state(value)),
        (Input::Write(value), None | Some(Output::Done)) => Action::Write(state(value)),
        (Input::Cas { from, to }, Some(Output::Done)) if from == to => Action::Read(state(from)),
        (Input::Cas { from, to }, Some(Output::Done)) => Action::Replace(state(from), state(to)),
        (Input::Cas { from, to }, None) if from == to => Action::Any,
        (Input::Cas { from, to }, None) => Action::Try(state(from), state(to)),
        (Input::Cas { from, .. }, Some(Output::Differed)) => Action::Differed(state(from)),
        (Input::Read, Some(Output::Done | Output::Differed))
        | (Input::Write(_), Some(Output::Value(_) | Output::Differed))
        | (Input::Cas { .. }, Some(Output::Value(_))) => Action::Never,
    }
}

impl Machine for Numbered<'_> {
    type Action = Action;

    fn initial(&self) -> Vec<u32> {
        self.initial.clone()
    }

    fn action(&self, operation: usize) -> Action {
        self.actions[operation]
    }

    fn kind(&self, action: Action) -> Kind {
        match action {
            Action::Any | Action::Read(_) | Action::Differed(_) | Action::Never => Kind::Observes,
            Action::Write(_) => Kind::Overwrites,
            Action::Try(..) => Kind::Total,
            Action::Replace(..) => Kind::Partial,
        }
    }

    fn step(&mut self, state: u32, action: Action) -> Option<u32> {
        match action {
            Action::Any => Some(state),
            Action::Read(value) => (value == state).then_some(state),
            Action::Write(value) => Some(value),
            Action::Replace(from, to) => (from == state).then_some(to),
            Action::Try(from, to) => Some(if from == state { to } else { state }),
            Action::Differed(value) => (value != state).then_some(state),
            Action::Never => None,
        }
    }

    fn refusal(&self, state: u32, operation: usize) -> String {
        let operation = &self.operations[operation];
        self.model.refusal(&self.values[state as usize], &operation.input, operation.output.as_ref())
    }
}

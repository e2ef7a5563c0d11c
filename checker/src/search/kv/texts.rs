//! Entries of texts for the [reduced search](crate::search::reduced): states are the beginnings of texts that were read.
//!
//! An append only adds, so a text that is not the beginning of any that was read stays so until something is put: all
//! of these are one state. The others are found by halving among the sorted texts, each step once.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::limits::{Budget, Exceeded};
use crate::model::Model;
use crate::model::OperationOf;
use crate::model::kv::{Input, Kv, Output};
use crate::search::numbers::Folding;
use crate::search::reduced::{Kind, Machine};

/// The state of a text that is not the beginning of any that was read.
const UNSEEN: u32 = 0;
/// The state of the empty text, if anything was read.
const EMPTY: u32 = 1;

/// What an operation does, in terms of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    /// It fits any state.
    Any,
    Get(u32),
    Put(u32),
    /// The number of what is appended.
    Append(u32),
    /// No state allows the answer.
    Never,
}

/// The texts that begin with the same `length` bytes are those from `first` to before `end`, in order.
#[derive(Debug, Clone)]
struct State {
    first: u32,
    end: u32,
    length: u32,
    /// What comes after an append, as far as it was asked for.
    next: Vec<(u32, u32)>,
}

/// The beginnings of the texts that were read.
#[derive(Debug)]
pub(super) struct Texts<'o, 'a: 'o> {
    model: Kv<'a>,
    operations: &'o [OperationOf<Kv<'a>>],
    actions: Vec<Action>,
    /// The texts that were read, sorted, each once.
    read: Vec<&'a str>,
    /// The texts that were appended, by number.
    appended: Vec<&'a str>,
    states: Vec<State>,
    numbers: HashMap<(u32, u32), u32, BuildHasherDefault<Folding>>,
    initial: u32,
}

impl<'o, 'a> Texts<'o, 'a> {
    pub(super) fn new(
        model: &Kv<'a>,
        operations: &'o [OperationOf<Kv<'a>>],
        budget: &mut Budget<'_>,
    ) -> Result<Self, Exceeded> {
        budget.allocate((operations.len() * (size_of::<Action>() + 2 * size_of::<&str>())) as u64)?;
        let mut read: Vec<&str> = Vec::new();
        for operation in operations {
            budget.tick()?;
            if let Some(Output::Value(text)) = operation.output {
                read.push(text);
            }
        }
        let mut once: HashMap<&str, (), BuildHasherDefault<Folding>> = HashMap::default();
        read.retain(|text| once.insert(text, ()).is_none());
        read.sort_unstable();
        let end = u32::try_from(read.len()).expect("operations are counted in a u32");
        let unseen = State { first: 0, end: 0, length: 0, next: Vec::new() };
        let mut texts = Texts {
            model: *model,
            operations,
            actions: Vec::with_capacity(operations.len()),
            states: vec![unseen.clone(), State { end, ..unseen }],
            numbers: HashMap::default(),
            read,
            appended: Vec::new(),
            initial: UNSEEN,
        };
        texts.numbers.insert((0, 0), EMPTY);
        texts.initial = texts.locate(model.initial);
        let mut known = Known::default();
        for operation in operations {
            budget.tick()?;
            let action = texts.action_of(operation, &mut known);
            texts.actions.push(action);
        }
        budget.allocate((texts.states.len() * 2 * size_of::<State>()) as u64)?;
        Ok(texts)
    }

    fn action_of(&mut self, operation: &OperationOf<Kv<'a>>, known: &mut Known<'a>) -> Action {
        match (operation.input, operation.output) {
            (Input::Get, None) | (Input::Append(""), None | Some(Output::Done)) => Action::Any,
            (Input::Get, Some(Output::Value(text))) => Action::Get(known.state(self, text)),
            (Input::Put(text), None | Some(Output::Done)) => Action::Put(known.state(self, text)),
            (Input::Append(text), None | Some(Output::Done)) => Action::Append(known.piece(self, text)),
            (Input::Get, Some(Output::Done)) | (Input::Put(_) | Input::Append(_), Some(Output::Value(_))) => {
                Action::Never
            }
        }
    }

    /// The state of a whole text.
    fn locate(&mut self, text: &str) -> u32 {
        if self.read.is_empty() { UNSEEN } else { self.extend(EMPTY, text) }
    }

    /// The state after `text` is appended in a state.
    fn extend(&mut self, state: u32, text: &str) -> u32 {
        let State { first, end, length, .. } = self.states[state as usize];
        let among = &self.read[first as usize..end as usize];
        let length_before = length as usize;
        let before = among.partition_point(|read| &read.as_bytes()[length_before..] < text.as_bytes());
        let goes_on = |read: &&str| read.as_bytes()[length_before..].starts_with(text.as_bytes());
        let count = among[before..].partition_point(goes_on);
        if count == 0 {
            return UNSEEN;
        }
        let as_u32 = |number: usize| u32::try_from(number).expect("texts are shorter than 4 GiB");
        let first = first + as_u32(before);
        let length = length + as_u32(text.len());
        let next = as_u32(self.states.len());
        let number = *self.numbers.entry((first, length)).or_insert(next);
        if number == next {
            self.states.push(State { first, end: first + as_u32(count), length, next: Vec::new() });
        }
        number
    }
}

/// What was looked up already.
#[derive(Default)]
struct Known<'a> {
    states: HashMap<&'a str, u32, BuildHasherDefault<Folding>>,
    pieces: HashMap<&'a str, u32, BuildHasherDefault<Folding>>,
}

impl<'a> Known<'a> {
    fn state(&mut self, texts: &mut Texts<'_, 'a>, text: &'a str) -> u32 {
        *self.states.entry(text).or_insert_with(|| texts.locate(text))
    }

    fn piece(&mut self, texts: &mut Texts<'_, 'a>, text: &'a str) -> u32 {
        *self.pieces.entry(text).or_insert_with(|| {
            texts.appended.push(text);
            u32::try_from(texts.appended.len() - 1).expect("operations are counted in a u32")
        })
    }
}

impl Machine for Texts<'_, '_> {
    type Action = Action;

    fn initial(&self) -> Vec<u32> {
        vec![self.initial]
    }

    fn action(&self, operation: usize) -> Action {
        self.actions[operation]
    }

    fn kind(&self, action: Action) -> Kind {
        match action {
            Action::Any | Action::Get(_) | Action::Never => Kind::Observes,
            Action::Put(_) => Kind::Overwrites,
            Action::Append(_) => Kind::Total,
        }
    }

    fn step(&mut self, state: u32, action: Action) -> Option<u32> {
        match action {
            Action::Any => Some(state),
            Action::Get(text) => (text == state).then_some(state),
            Action::Put(text) => Some(text),
            Action::Append(_) if state == UNSEEN => Some(UNSEEN),
            Action::Append(piece) => {
                let known = self.states[state as usize].next.iter().find(|(other, _)| *other == piece);
                if let Some((_, next)) = known {
                    return Some(*next);
                }
                let next = self.extend(state, self.appended[piece as usize]);
                self.states[state as usize].next.push((piece, next));
                Some(next)
            }
            Action::Never => None,
        }
    }

    fn refusal(&self, state: u32, operation: usize) -> String {
        if state == UNSEEN {
            return "a get here must return a text that no get has returned".to_owned();
        }
        let State { first, length, .. } = self.states[state as usize];
        let text = self.read[first as usize].get(..length as usize).unwrap_or_default().to_owned();
        let operation = &self.operations[operation];
        self.model.refusal(&text, &operation.input, operation.output.as_ref())
    }
}

//! Entries whose texts are each put or appended once, as [chains](crate::search::chains).
//!
//! A put begins an *era*; appends continue it. If no text that was put or appended is the beginning of another (or the
//! same), what was read can be taken apart from left to right in one way only: an era and its appends, in their order.
//! So each beginning of what was read is a value that one operation wrote: the put, or an append that replaces the value
//! before it. A put or an append that nobody read from leaves a text that no get has returned, which nothing but the
//! next put ends: it is a write of a value that was never seen.
//!
//! [`None`] means that texts are not like that, or that something was read that cannot be taken apart: then the general
//! way decides, and finds the reason.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::limits::{Budget, Exceeded, sort_by_key};
use crate::model::OperationOf;
use crate::model::kv::{Input, Kv, Output};
use crate::search::chains::{self, Decision, Initial, NEVER, Part, Role};
use crate::search::numbers::Folding;

/// The value at the start.
const START: u32 = 0;

/// Decides in time linear in what was read; `None` if texts repeat or cannot be taken apart.
pub(super) fn decide<'a>(
    model: &Kv<'a>,
    operations: &[OperationOf<Kv<'a>>],
    budget: &mut Budget<'_>,
) -> Result<Option<Decision>, Exceeded> {
    let Some(mut pieces) = Pieces::of(model, operations, budget)? else { return Ok(None) };
    let mut read = Vec::with_capacity(operations.len());
    for operation in operations {
        budget.tick()?;
        read.push(match (operation.input, operation.output) {
            (Input::Get, Some(Output::Value(text))) if operation.returned.is_some() => {
                budget.ticks(text.len() as u64 / 16)?;
                let Some(value) = pieces.value(text) else { return Ok(None) };
                Some(value)
            }
            (Input::Get, None) | (Input::Put(_) | Input::Append(_), None | Some(Output::Done)) => None,
            (Input::Get, Some(Output::Value(_))) => None,
            // An answer that does not fit.
            (Input::Get, Some(Output::Done)) | (Input::Put(_) | Input::Append(_), Some(Output::Value(_))) => {
                return Ok(None);
            }
        });
    }
    budget.allocate((operations.len() * (size_of::<Part>() + size_of::<Option<u32>>())) as u64)?;
    let mut parts = Vec::with_capacity(operations.len());
    for (operation, read) in operations.iter().zip(read) {
        let answered = operation.returned.is_some();
        let role = match (operation.input, read) {
            (Input::Get, Some(value)) => Role::Reads(value),
            (Input::Get, None) if answered => Role::Free,
            (Input::Get, None) => Role::Absent,
            (Input::Put(text) | Input::Append(text), _) => pieces.writes(text),
        };
        let returned = operation.returned.unwrap_or(NEVER);
        parts.push(Part { role, invoked: operation.invoked, returned });
    }
    let decision = chains::decide(&parts, pieces.values as usize, Initial::Known(START), budget)?;
    Ok(Some(decision).filter(|decision| *decision != Decision::Repeats))
}

/// A text that was put or appended.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    /// Whether it begins an era.
    is_put: bool,
    /// What was before it, if it was appended and read.
    before: u32,
    /// The value that it leaves, if it was read.
    value: Option<u32>,
}

/// All texts that were put or appended, none of which is the beginning of another.
#[derive(Debug)]
struct Pieces<'a> {
    /// Sorted by text.
    all: Vec<Piece<'a>>,
    initial: &'a str,
    /// How many values there are.
    values: u32,
    /// The values of texts that were read.
    known: HashMap<&'a str, u32, BuildHasherDefault<Folding>>,
    /// The text that was taken apart last, and its value.
    last: (&'a str, u32),
}

impl<'a> Pieces<'a> {
    fn of(
        model: &Kv<'a>,
        operations: &[OperationOf<Kv<'a>>],
        budget: &mut Budget<'_>,
    ) -> Result<Option<Self>, Exceeded> {
        // A text that repeats soon is mostly found out before anything is sorted.
        let mut once: HashMap<&str, (), BuildHasherDefault<Folding>> = HashMap::default();
        let mut all = Vec::new();
        for operation in operations {
            budget.tick()?;
            let (text, is_put) = match operation.input {
                Input::Get => continue,
                Input::Put(text) => (text, true),
                Input::Append(text) => (text, false),
            };
            if text.is_empty() || once.insert(text, ()).is_some() {
                return Ok(None);
            }
            all.push(Piece { text, is_put, before: START, value: None });
        }
        budget.allocate((all.len() * 2 * (size_of::<Piece<'_>>() + size_of::<&str>())) as u64)?;
        sort_by_key(budget, &mut all, |piece| piece.text)?;
        let begins = |pair: &[Piece<'_>]| pair[1].text.starts_with(pair[0].text);
        let initial = model.initial;
        let overlaps = |piece: &Piece<'_>| initial.starts_with(piece.text) || piece.text.starts_with(initial);
        if all.windows(2).any(begins) || (!initial.is_empty() && all.iter().any(overlaps)) {
            return Ok(None);
        }
        Ok(Some(Pieces { all, initial, values: 1, known: HashMap::default(), last: (initial, START) }))
    }

    /// The value that a whole text is; `None` if it cannot be taken apart into an era and its appends.
    fn value(&mut self, text: &'a str) -> Option<u32> {
        if let Some(value) = self.known.get(text) {
            return Some(*value);
        }
        let (mut rest, mut value) = match text.strip_prefix(self.last.0) {
            // An empty beginning is the start, or nothing that a put could not begin.
            Some(rest) if !self.last.0.is_empty() => (rest, Some(self.last.1)),
            _ => match text.strip_prefix(self.initial) {
                Some(rest) if !self.initial.is_empty() || rest.is_empty() => (rest, Some(START)),
                _ => (text, None),
            },
        };
        while !rest.is_empty() {
            let place = self.all.partition_point(|piece| piece.text <= rest).checked_sub(1)?;
            let piece = &mut self.all[place];
            rest = rest.strip_prefix(piece.text)?;
            let before = match (value, piece.is_put) {
                (None, true) => START,
                (None, false) if self.initial.is_empty() => START,
                (Some(value), false) => value,
                (Some(_), true) | (None, false) => return None,
            };
            // Appended in two places.
            if piece.value.is_some() && piece.before != before {
                return None;
            }
            piece.before = before;
            value = Some(*piece.value.get_or_insert_with(|| {
                self.values += 1;
                self.values - 1
            }));
        }
        let value = value?;
        self.known.insert(text, value);
        self.last = (text, value);
        Some(value)
    }

    /// What the put or append of a text does.
    fn writes(&mut self, text: &str) -> Role {
        let place = self.all.partition_point(|piece| piece.text < text);
        let piece = self.all[place];
        match piece.value {
            Some(to) if !piece.is_put => Role::Replaces { from: piece.before, to },
            Some(value) => Role::Writes(value),
            None => {
                self.values += 1;
                Role::Writes(self.values - 1)
            }
        }
    }
}

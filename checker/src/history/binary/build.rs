//! A whole history from a file.

use std::io::Read;

use super::error::{BinaryError, Problem, Torn};
use super::read::Reader;
use super::record::{Asked, Event, Learned, Page, What};
use crate::history::value::ValueError;
use crate::history::{
    Datum, Entry, FaultLine, History, HistoryError, Input, Moment, Outcome, Output, Symbol,
};

/// Reads a history.
///
/// # Errors
/// [`BinaryError`] for the first thing that cannot be used, an unfinished last block excepted.
pub fn read(input: impl Read) -> Result<(History, Option<Torn>), BinaryError> {
    read_into(History::new(), input)
}

pub(in crate::history) fn read_into(
    mut history: History,
    input: impl Read,
) -> Result<(History, Option<Torn>), BinaryError> {
    let mut reader = Reader::new(input)?;
    reader.header().describe(&mut history);
    // The numbers of names here and there differ as soon as a value has names of its own.
    let mut names: Vec<Symbol> = Vec::new();
    loop {
        let event = match reader.next(|name| names.push(history.symbols.intern(name))) {
            Ok(Some(event)) => add(&mut history, &names, &event),
            Ok(None) => return Ok((history, reader.torn())),
            Err(error) => return Err(error),
        };
        event.map_err(|problem| problem.at(reader.event_offset()))?;
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        Problem::Refused(error)
    }
}

/// Adds an event. `names` are the names of the file, as those of the history.
pub(super) fn add(history: &mut History, names: &[Symbol], event: &Event<'_>) -> Result<(), Problem> {
    let name = |number: u32| names[number as usize];
    let at = Moment { index: history.next_index(), time: event.time };
    match event.what {
        What::Invoked { key, node, asked } => {
            let input = input(history, names, asked)?;
            history.invoke(at, event.process, node.map(name), key.map(name), input)?;
        }
        What::Completed(learned) => {
            let open = history.open(event.process).map(|id| history.operation(id).input);
            let outcome = outcome(history, names, open.as_ref(), learned)?;
            let f = open.map_or(String::new(), |input| input.f(&history.symbols).to_owned());
            history.complete(at, event.process, &f, outcome)?;
        }
        What::Fault { f, key, nodes, value } => {
            let value = Datum::from_json(value, &mut history.symbols)
                .map_err(|error| refused("the nemesis", &ValueError::from(error)))?;
            let nodes = nodes.iter().map(|node| name(*node)).collect();
            history.nemesis(at, FaultLine { f: name(f), key: key.map(name), nodes, value })?;
        }
    }
    Ok(())
}

fn refused(f: &str, error: &ValueError) -> Problem {
    let message = match error {
        ValueError::Json(error) => crate::json::message(error),
        ValueError::Meaning(message) => message.clone(),
    };
    Problem::Value { f: f.to_owned(), message }
}

fn input(history: &mut History, names: &[Symbol], asked: Asked<'_>) -> Result<Input, Problem> {
    Ok(match asked {
        Asked::Send { id } => Input::Send { id: names[id as usize] },
        Asked::Read { range, last } => Input::Read { range, last },
        Asked::Delete { seq } => Input::Delete { seq },
        Asked::Other { f, value } => {
            Input::parse(f, value, &mut history.symbols).map_err(|error| refused(f, &error))?
        }
    })
}

fn outcome(
    history: &mut History,
    names: &[Symbol],
    open: Option<&Input>,
    learned: Learned<'_>,
) -> Result<Outcome, Problem> {
    let name = |number: u32| names[number as usize];
    Ok(match learned {
        Learned::Sent { seq } => Outcome::Ok(Output::Sent { seq }),
        Learned::Page(page) => Outcome::Ok(Output::Page { entries: entries(names, &page), head: page.head }),
        Learned::Done => Outcome::Ok(Output::Done),
        Learned::Failed { error } => Outcome::Fail(error.map(name)),
        Learned::Unknown { error } => Outcome::Info(error.map(name)),
        Learned::Other { value } => match open {
            Some(input) => {
                let output = Output::parse(input, value, &mut history.symbols);
                Outcome::Ok(output.map_err(|error| refused(input.f(&history.symbols), &error))?)
            }
            // The history refuses this.
            None => Outcome::Ok(Output::Done),
        },
    })
}

fn entries(names: &[Symbol], page: &Page<'_>) -> Box<[Entry]> {
    let mut tombstones = page.tombstones.iter().copied().peekable();
    let entry = |(place, id): (u32, &u32)| Entry {
        seq: page.seqs.get(place as usize).copied().unwrap_or(page.first.wrapping_add(place.into())),
        id: names[*id as usize],
        deleted: tombstones.next_if_eq(&place).is_some(),
    };
    (0..).zip(page.ids).map(entry).collect()
}

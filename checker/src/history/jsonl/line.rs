//! One line, as a reader finds it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::Problem;
use super::event::{Process, Type};
use crate::history::value::ValueError;
use crate::history::{Datum, FaultLine, History, HistoryError, Input, Moment, Outcome, Output, general};

/// A line as it is read: the value stays text until its operation is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    index: u32,
    time: u64,
    process: Process,
    r#type: Type,
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(borrow)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    node: Option<Cow<'a, str>>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
}

/// A problem of which the line is not known yet.
pub(super) struct Refusal {
    pub(super) column: usize,
    pub(super) problem: Problem,
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Refusal { column: 1, problem: Problem::Event(message) }
    }
}

impl From<HistoryError> for Refusal {
    fn from(error: HistoryError) -> Self {
        Refusal { column: 1, problem: Problem::Refused(error) }
    }
}

/// Adds the event of a line.
pub(super) fn push(history: &mut History, text: &[u8]) -> Result<(), Refusal> {
    let line: Line<'_> = serde_json::from_slice(text).map_err(|error| {
        let (message, column) = (crate::json::message(&error), error.column());
        let problem = if error.is_data() { Problem::Event(message) } else { Problem::Syntax(message) };
        Refusal { column, problem }
    })?;
    add(history, &line, text)
}

/// `text` is the line, to find the column of what is wrong in its value.
fn add(history: &mut History, line: &Line<'_>, text: &[u8]) -> Result<(), Refusal> {
    let at = Moment { index: line.index, time: line.time };
    let value = line.value.map_or("null", RawValue::get);
    let misfit = |error| match error {
        ValueError::Meaning(message) => format!("value of `{}`: {message}", line.f).into(),
        ValueError::Json(error) => Refusal {
            // The value is a slice of the line, so its address says where it begins. A missing one has no place.
            column: line
                .value
                .map_or(1, |value| value.get().as_ptr() as usize - text.as_ptr() as usize + error.column()),
            problem: Problem::Event(format!("value of `{}`: {}", line.f, crate::json::message(&error))),
        },
    };
    let Process::Client(process) = line.process else {
        let fault = fault_line(history, line, value).map_err(misfit)?;
        return Ok(history.nemesis(at, fault)?);
    };
    let f = general::canonical(&line.f);
    let error = |history: &mut History| line.error.as_deref().map(|error| history.symbols.intern(error));
    let outcome = match line.r#type {
        Type::Invoke => {
            let input = Input::parse(&line.f, value, &mut history.symbols).map_err(misfit)?;
            let node = line.node.as_deref().map(|node| history.symbols.intern(node));
            let key = line.key.as_deref().map(|key| history.symbols.intern(key));
            history.invoke(at, process, node, key, input)?;
            return Ok(());
        }
        Type::Ok => match history.open(process).map(|id| history.operation(id).input) {
            // The answer's shape depends on the question; without the right one the history refuses it below.
            Some(input) if input.f(&history.symbols) == f => {
                Outcome::Ok(Output::parse(&input, value, &mut history.symbols).map_err(misfit)?)
            }
            Some(_) | None => Outcome::Ok(Output::Done),
        },
        Type::Fail => Outcome::Fail(error(history)),
        Type::Info => Outcome::Info(error(history)),
    };
    let asked = history.open(process).and_then(|id| history.operation(id).key);
    if let (Some(key), Some(asked)) = (line.key.as_deref(), asked.map(|asked| history.text(asked)))
        && key != asked
    {
        let message =
            format!("process {process} completes `{}` of `{key}` but asked it of `{asked}`", line.f);
        return Err(message.into());
    }
    history.complete(at, process, f, outcome)?;
    Ok(())
}

/// The nodes of a nemesis line, if its value says them.
#[derive(Default, Deserialize)]
struct Nodes {
    nodes: Option<Vec<String>>,
}

fn fault_line(history: &mut History, line: &Line<'_>, value: &str) -> Result<FaultLine, ValueError> {
    if line.r#type != Type::Info {
        return Err(ValueError::Meaning("a line of the nemesis has the type `info`".to_owned()));
    }
    // The value is free; only where it is an object with a list of names does it say the nodes.
    // A list is no such object, though serde would take its first item for the first field.
    let nodes = match value.starts_with('{') {
        true => serde_json::from_str::<Nodes>(value).unwrap_or_default().nodes.unwrap_or_default(),
        false => Vec::new(),
    };
    let symbols = &mut history.symbols;
    let nodes: Vec<&str> = match nodes.is_empty() {
        true => line.node.as_deref().into_iter().collect(),
        false => nodes.iter().map(String::as_str).collect(),
    };
    Ok(FaultLine {
        nodes: nodes.iter().map(|node| symbols.intern(node)).collect(),
        f: symbols.intern(&line.f),
        key: line.key.as_deref().map(|key| symbols.intern(key)),
        value: Datum::from_json(value, symbols)?,
    })
}

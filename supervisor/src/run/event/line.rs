//! One line of `events.jsonl`: an object whose first field is the time and whose others are the event's.
//!
//! ```text
//! {"at":8017734101,"kind":"leader","node":"n3","term":4}
//! ```

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use super::RunEvent;
use crate::harness::HarnessFailure;

/// The field of the time.
const AT: &str = "at";

/// Something happened at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedEvent {
    /// When, in ns since the start of the run.
    pub at: u64,
    /// What.
    pub event: RunEvent,
}

impl TimedEvent {
    /// The object of the line.
    #[must_use]
    pub fn to_object(&self) -> Map<String, Value> {
        let mut object = Map::from_iter([(AT.to_owned(), self.at.into())]);
        match serde_json::to_value(&self.event) {
            Ok(Value::Object(fields)) => object.extend(fields),
            other => unreachable!("an event is an object of plain data, not {other:?}"),
        }
        object
    }

    /// The event of a line.
    fn from_line(line: &str) -> Result<Self, serde_json::Error> {
        let mut object: Map<String, Value> = serde_json::from_str(line)?;
        let at = object.remove(AT).unwrap_or_default();
        Ok(Self { at: serde_json::from_value(at)?, event: serde_json::from_value(Value::Object(object))? })
    }
}

/// The events of a run. A last line that was torn by a kill is left out.
///
/// # Errors
/// If the file cannot be read, or a line of it is no event.
pub fn read(path: &Path) -> Result<Vec<TimedEvent>, HarnessFailure> {
    let bytes = fs::read(path).map_err(HarnessFailure::file("read", path))?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _torn)| whole);
    let parse = |(number, line): (usize, &str)| {
        TimedEvent::from_line(line).map_err(|error| HarnessFailure::Check {
            path: path.to_owned(),
            why: format!("line {}: {error}", number + 1),
        })
    };
    whole.lines().enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "\
{\"at\":1,\"kind\":\"phase\",\"phase\":\"warmup\"}
{\"at\":25,\"kind\":\"leader\",\"node\":\"n3\",\"term\":4}
{\"at\":30,\"kind\":\"interrupted\"}
";

    fn read_text(text: &[u8]) -> Result<Vec<TimedEvent>, HarnessFailure> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn a_line_is_one_object_and_is_read_back() {
        let events = read_text(LINES.as_bytes()).unwrap();
        assert_eq!(events[1].event, RunEvent::Leader { node: "n3".to_owned(), term: 4 });
        let written: String = events
            .iter()
            .map(|event| format!("{}\n", serde_json::to_string(&event.to_object()).unwrap()))
            .collect();
        assert_eq!(written, LINES);
    }

    #[test]
    fn a_torn_last_line_is_left_out_wherever_it_was_torn() {
        let torn = "{\"at\":31,\"kind\":\"note\",\"text\":\"é\"}";
        for length in 0..torn.len() {
            let text = [LINES.as_bytes(), &torn.as_bytes()[..length]].concat();
            assert_eq!(read_text(&text).unwrap().len(), 3);
        }
    }

    #[test]
    fn a_line_that_is_no_event_is_named() {
        for bad in [
            "{\"kind\":\"interrupted\"}",
            "{\"at\":1,\"kind\":\"earthquake\"}",
            "{\"at\":1,\"kind\":\"leader\",\"node\":\"n1\",\"term\":1,\"mood\":\"good\"}",
        ] {
            let error = read_text(format!("{LINES}{bad}\n").as_bytes()).unwrap_err();
            assert!(error.to_string().contains("line 4: "), "{error}");
        }
    }
}

//! Jepsen's console log and `history.txt`: a line for each event, between lines about everything else.
//!
//! ```text
//! INFO [2024-05-06 07:08:09,012] jepsen worker 3 - jepsen.util 3   :invoke   :cas   [1 2]
//! INFO  jepsen.util - 3   :info   :cas    :timed-out
//! 3   :fail   :read   nil   "connection refused"
//! ```
//!
//! An event is a process (a number or a keyword such as `:nemesis`), a type, a name, a value and perhaps an error, at the
//! end of a line and with anything before it. Every other line is passed over. There are no times: only the order
//! counts. How a history of others becomes ours is said in [`format`](mod@super::format).

#[cfg(test)]
mod tests;

use std::io::Read;

use memchr::memchr;

use super::blocks::Blocks;
use super::edn::{self, Cursor, Stop, Values};
use super::foreign::{Foreign, Told};
use super::format::ReadError;
use super::jsonl::{Process, Torn};
use super::{Datum, History};

/// Reads a history.
///
/// # Errors
/// [`ReadError`] for the first event that cannot be used, an unfinished last line excepted.
pub fn read(input: impl Read) -> Result<(History, Option<Torn>), ReadError> {
    read_into(History::new(), input)
}

pub(super) fn read_into(history: History, input: impl Read) -> Result<(History, Option<Torn>), ReadError> {
    read_blocks(history, Blocks::new(input))
}

fn read_blocks<R: Read>(
    history: History,
    mut blocks: Blocks<R>,
) -> Result<(History, Option<Torn>), ReadError> {
    let mut foreign = Foreign::of(history);
    let mut stack = Vec::new();
    loop {
        let text = blocks.text();
        let mut used = 0;
        while let Some(length) = memchr(b'\n', &text[used..]) {
            line(&text[used..used + length], &mut foreign, &mut stack)
                .map_err(|(at, message)| ReadError::at(blocks.place(used + at), message))?;
            used += length + 1;
        }
        if blocks.is_whole() {
            return last(&blocks, used, foreign, &mut stack);
        }
        blocks.consume(used);
        blocks.more().map_err(|error| ReadError::unreadable(blocks.place(0), &error))?;
    }
}

/// The last line has no end; if it makes no sense, it was torn.
fn last<R: Read>(
    blocks: &Blocks<R>,
    used: usize,
    mut foreign: Foreign,
    stack: &mut Vec<Datum>,
) -> Result<(History, Option<Torn>), ReadError> {
    let text = &blocks.text()[used..];
    // What is wrong with an event of which the value was read is no matter of where the line ends.
    match line(text, &mut foreign, stack) {
        Ok(()) => Ok((foreign.history, None)),
        Err((at, _)) if at == text.len() => Ok((foreign.history, Some(Torn { line: blocks.place(used).0 }))),
        Err((at, message)) => Err(ReadError::at(blocks.place(used + at), message)),
    }
}

/// Reads a line, if it is an event. What is wrong is said with its place; a line that ends too early is wrong at its end.
fn line(text: &[u8], foreign: &mut Foreign, stack: &mut Vec<Datum>) -> Result<(), (usize, String)> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let Some(Found { process, at }) = find(text) else { return Ok(()) };
    stack.clear();
    let mut values = Values { symbols: &mut foreign.history.symbols, stack };
    let mut cursor = Cursor { text, at, whole: true };
    let told = event(&mut cursor, process, &mut values).map_err(|stop| match stop {
        Stop::End => (text.len(), "the line ends before the operation does".to_owned()),
        Stop::Wrong { at, message } => (at, message),
    })?;
    foreign.event(&told).map_err(|message| (at, message))
}

fn event<'a>(cursor: &mut Cursor<'a>, process: Process, values: &mut Values<'_>) -> Result<Told<'a>, Stop> {
    let r#type = edn::r#type(cursor)?;
    cursor.trivia(0)?;
    let f = edn::name(cursor)?;
    cursor.trivia(0)?;
    let mut told = Told { process: Some(process), r#type: Some(r#type), f: Some(f), ..Told::default() };
    if cursor.at == cursor.text.len() {
        return Ok(told);
    }
    told.value = edn::argument(cursor, values)?;
    cursor.trivia(0)?;
    if cursor.at < cursor.text.len() {
        // The error is EDN or a plain sentence.
        let rest = cursor.at;
        let error =
            edn::error(cursor, values).ok().filter(|_| cursor.text[cursor.at..].trim_ascii().is_empty());
        told.error = error.unwrap_or_else(|| {
            Some(values.symbols.intern(&String::from_utf8_lossy(cursor.text[rest..].trim_ascii())))
        });
    }
    Ok(told)
}

/// Where the event of a line is.
struct Found {
    process: Process,
    /// Where its type begins.
    at: usize,
}

/// Whether a line is one of an event.
pub(super) fn is_event(line: &[u8]) -> bool {
    find(line).is_some()
}

/// Looks for a type with a process before it and a name behind it.
fn find(line: &[u8]) -> Option<Found> {
    let mut from = 0;
    while let Some(colon) = memchr(b':', &line[from..]) {
        let at = from + colon;
        from = at + 1;
        let rest = &line[at..];
        let Some(length) = [&b":invoke"[..], b":ok", b":fail", b":info"].iter().find_map(|r#type| {
            let is_it =
                rest.starts_with(r#type) && rest.get(r#type.len()).is_some_and(u8::is_ascii_whitespace);
            is_it.then_some(r#type.len())
        }) else {
            continue;
        };
        let named = rest[length..].trim_ascii_start().starts_with(b":");
        if let Some(process) = process(&line[..at]).filter(|_| named) {
            return Some(Found { process, at });
        }
    }
    None
}

/// The process at the end of what stands before the type.
fn process(before: &[u8]) -> Option<Process> {
    let trimmed = before.trim_ascii_end();
    let begin = trimmed.iter().rposition(|byte| edn::is_delimiter(*byte)).map_or(0, |last| last + 1);
    let word = &trimmed[begin..];
    if trimmed.len() == before.len() || word.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(word).ok()?;
    if text.starts_with(':') && text.len() > 1 {
        return Some(Process::Nemesis);
    }
    // As large as it can be in EDN.
    text.parse().ok().filter(|number| i64::try_from(*number).is_ok()).map(Process::Client)
}

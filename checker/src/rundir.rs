//! Reads what a run left behind: a run directory, or a history alone.
//!
//! ```text
//! history.jsonl             what the clients saw            required, or else
//! history.bin               the same in a few bytes an event
//! nodes/*/trace.jsonl       what each node wrote down       no file, no trace
//! events.jsonl              lines {"kind":"digest","node":"n1","index":9,"digest":"…"} and
//!                           {"kind":"node-left","node":"n1"}; others are passed over
//! ```
//!
//! Files that a killed process left with a torn last line are used as far as they go; [`Loaded::notes`] says so.

#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use crate::evidence::trace::{self, Trace, TraceError};
use crate::evidence::{Evidence, NodeTrace, StateDigest};
use crate::history::format::{self, Format, Place, ReadError, Torn};
use crate::limits::{Limited, Limits};

/// What could be read.
#[derive(Debug)]
pub struct Loaded {
    /// The evidence.
    pub evidence: Evidence,
    /// What a person should know about it: files that end in the middle of a line.
    pub notes: Vec<String>,
}

/// Why a run cannot be judged.
#[derive(Debug, Error)]
pub enum RunDirError {
    /// A file or a directory cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// A directory that no run has left.
    #[error("{} is not a run directory: it has no history.jsonl and no history.bin", path.display())]
    NoHistory {
        /// The directory.
        path: PathBuf,
    },
    /// A line cannot be used. Lines and columns count from 1.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The column.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A binary history cannot be used from this byte on, counted from 0.
    #[error("{}: byte {offset}: {message}", path.display())]
    Byte {
        /// The file.
        path: PathBuf,
        /// The byte.
        offset: u64,
        /// What is wrong.
        message: String,
    },
}

/// Reads a run directory, or a history of whatever format if `path` is a file.
///
/// # Errors
/// [`RunDirError`] for the first file that cannot be used.
pub fn read(path: &Path) -> Result<Loaded, RunDirError> {
    read_as(path, None, &Limits::none())
}

/// Reads a run directory, or a history of this format if `path` is a file; without a format, of that which it seems to have.
/// It stops with an error once the time is over or the memory is full. What is read is not counted.
///
/// # Errors
/// [`RunDirError`] for the first file that cannot be used, or in which a limit was hit.
pub fn read_as(path: &Path, format: Option<Format>, limits: &Limits<'_>) -> Result<Loaded, RunDirError> {
    if !path.is_dir() {
        return read_history(path, open(path, limits)?, format);
    }
    let (history, format) = history_in(path)?;
    let mut loaded = read_history(&history, open(&history, limits)?, Some(format))?;
    read_traces(&path.join("nodes"), &mut loaded, limits)?;
    read_events(&path.join("events.jsonl"), &mut loaded, limits)?;
    Ok(loaded)
}

/// Where an event stands that was read before, for people: `history.jsonl:12:1`, or `history.bin: byte 300`. Nothing is said
/// if it cannot be found again, as in a pipe, or a limit is hit before.
#[must_use]
pub fn place_of(path: &Path, format: Option<Format>, index: u32, limits: &Limits<'_>) -> Option<String> {
    let (path, format) = match path.is_dir() {
        true => history_in(path).map(|(path, format)| (path, Some(format))).ok()?,
        false => (path.to_owned(), format),
    };
    // Who opens a pipe waits for ever.
    if !path.is_file() {
        return None;
    }
    let place = format::place_of(open(&path, limits).ok()?, format, index)?;
    Some(match place {
        Place::Line { line, column } => format!("{}:{line}:{column}", path.display()),
        Place::Byte(offset) => format!("{}: byte {offset}", path.display()),
    })
}

/// The history of a run directory, and how it is written.
fn history_in(path: &Path) -> Result<(PathBuf, Format), RunDirError> {
    let histories = [("history.jsonl", Format::Jsonl), ("history.bin", Format::Binary)];
    let mut histories = histories.into_iter().map(|(name, format)| (path.join(name), format));
    histories
        .find(|(history, _)| history.exists())
        .ok_or_else(|| RunDirError::NoHistory { path: path.to_owned() })
}

/// Reads a history alone; `path` is what errors call it.
///
/// # Errors
/// [`RunDirError::Line`], or [`RunDirError::Byte`] if it is binary.
pub fn read_history(path: &Path, input: impl BufRead, format: Option<Format>) -> Result<Loaded, RunDirError> {
    let (history, torn) =
        format::read(input, format).map_err(|ReadError { place, message }| match place {
            Place::Line { line, column } => {
                RunDirError::Line { path: path.to_owned(), line, column, message }
            }
            Place::Byte(offset) => RunDirError::Byte { path: path.to_owned(), offset, message },
        })?;
    let note = |torn| match torn {
        Torn::Line(line) => torn_note(path, line),
        Torn::Block(offset) => {
            format!("{}: byte {offset}: the block is torn and was passed over", path.display())
        }
    };
    let notes = torn.map(note).into_iter().collect();
    Ok(Loaded { evidence: Evidence { history, ..Evidence::default() }, notes })
}

fn torn_note(path: &Path, line: u64) -> String {
    format!("{}:{line}: the line is torn and was passed over", path.display())
}

#[expect(clippy::disallowed_methods, reason = "this module is where files are read")]
fn open<'l>(path: &Path, limits: &Limits<'l>) -> Result<Limited<'l, BufReader<fs::File>>, RunDirError> {
    let file = fs::File::open(path).map_err(|cause| RunDirError::Read { path: path.to_owned(), cause })?;
    Ok(Limited::new(BufReader::new(file), limits))
}

fn read_traces(nodes: &Path, loaded: &mut Loaded, limits: &Limits<'_>) -> Result<(), RunDirError> {
    for (node, path) in trace_paths(nodes)? {
        let Trace { events, lines, torn } = trace::read(open(&path, limits)?).map_err(|error| {
            let TraceError { line, column, message } = error;
            RunDirError::Line { path: path.clone(), line, column, message }
        })?;
        loaded.notes.extend(torn.iter().map(|torn| torn_note(&path, torn.line)));
        loaded.evidence.traces.push(NodeTrace { node, events, lines });
    }
    Ok(())
}

/// The traces that there are, by the names of their nodes.
#[expect(clippy::disallowed_methods, reason = "this module is where directories are read")]
fn trace_paths(nodes: &Path) -> Result<Vec<(String, PathBuf)>, RunDirError> {
    if !nodes.is_dir() {
        return Ok(Vec::new());
    }
    let error = |cause| RunDirError::Read { path: nodes.to_owned(), cause };
    let mut paths = Vec::new();
    for entry in fs::read_dir(nodes).map_err(error)? {
        let entry = entry.map_err(error)?;
        let path = entry.path().join("trace.jsonl");
        if path.is_file() {
            paths.push((entry.file_name().to_string_lossy().into_owned(), path));
        }
    }
    // The order of a directory is the file system's whim.
    paths.sort();
    Ok(paths)
}

/// What every line of `events.jsonl` has.
#[derive(Deserialize)]
struct EventKind {
    kind: String,
}

/// The fields of a `digest` that matter here; its writer may add others, such as a time.
#[derive(Deserialize)]
struct DigestEvent {
    node: String,
    index: u64,
    digest: String,
}

/// The fields of a `node-left` that matter here.
#[derive(Deserialize)]
struct LeftEvent {
    node: String,
}

fn read_events(path: &Path, loaded: &mut Loaded, limits: &Limits<'_>) -> Result<(), RunDirError> {
    if !path.is_file() {
        return Ok(());
    }
    let mut input = open(path, limits)?;
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let length = input
            .read_until(b'\n', &mut text)
            .map_err(|cause| RunDirError::Read { path: path.to_owned(), cause })?;
        if length == 0 {
            break;
        }
        match event(&text) {
            Ok(Some(Event::Digest(digest))) => loaded.evidence.digests.push(digest),
            Ok(Some(Event::Left(node))) => drop(loaded.evidence.departed.insert(node)),
            Ok(None) => {}
            Err(error) if text.last() != Some(&b'\n') && !error.is_data() => {
                loaded.notes.push(torn_note(path, line));
            }
            Err(error) => {
                let (column, message) = (error.column().max(1), crate::json::message(&error));
                return Err(RunDirError::Line { path: path.to_owned(), line, column, message });
            }
        }
    }
    Ok(())
}

/// An event that is evidence.
enum Event {
    Digest(StateDigest),
    /// A node is no part of the cluster any more.
    Left(String),
}

fn event(line: &[u8]) -> Result<Option<Event>, serde_json::Error> {
    let EventKind { kind } = serde_json::from_slice(line)?;
    Ok(match kind.as_str() {
        "digest" => {
            let DigestEvent { node, index, digest } = serde_json::from_slice(line)?;
            Some(Event::Digest(StateDigest { node, index, digest }))
        }
        "node-left" => {
            let LeftEvent { node } = serde_json::from_slice(line)?;
            Some(Event::Left(node))
        }
        _ => None,
    })
}

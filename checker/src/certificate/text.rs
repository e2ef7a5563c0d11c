//! Certificates as text; the format is described in the module above.

use std::io::{self, BufRead, Write};

use serde_json::Value;
use thiserror::Error;

use super::{Certificate, Kind, Sequence};
use crate::explain;

/// The first line.
const HEADER: &str = "hearsay-certificate 1";

/// Why a certificate cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A line that does not belong there. Lines count from 1.
    #[error("{line}: {message}")]
    Line {
        /// The line.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The reader failed.
    #[error("it could not be read")]
    Io(#[from] io::Error),
}

/// Writes a certificate.
///
/// # Errors
/// Those of the writer.
pub fn write(certificate: &Certificate, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{HEADER}\nevents {}", certificate.events)?;
    certificate.reading.lines().iter().try_for_each(|line| writeln!(out, "{line}"))?;
    for object in &certificate.objects {
        let part = object.part.as_ref().map_or(String::new(), |part| format!(" {part}"));
        writeln!(out, "object {} {}{part}", object.kind, serde_json::to_string(&object.key)?)?;
        object.order.iter().try_for_each(|index| writeln!(out, "{index}"))?;
        if !object.left_out.is_empty() {
            writeln!(out, "left-out")?;
            object.left_out.iter().try_for_each(|index| writeln!(out, "{index}"))?;
        }
    }
    writeln!(out, "end")
}

/// Reads a certificate.
///
/// # Errors
/// [`ReadError`], with the line.
pub fn read(input: impl BufRead) -> Result<Certificate, ReadError> {
    let mut reading = Reading { certificate: Certificate::default(), left_out: false };
    let mut ended = false;
    let mut last = 0;
    for (number, text) in input.lines().enumerate() {
        let (line, text) = (number + 1, text?);
        last = line;
        let error = |message: String| ReadError::Line { line, message };
        ended = match (line, text.as_str()) {
            (_, _) if ended => return Err(error("nothing comes after `end`".to_owned())),
            (1, HEADER) => false,
            (1, _) => return Err(error(format!("a certificate begins with `{HEADER}`"))),
            (2, text) => {
                let events = text.strip_prefix("events ").and_then(|events| events.parse().ok());
                reading.certificate.events =
                    events.ok_or_else(|| error("`events` and a number belong here".to_owned()))?;
                false
            }
            (_, "end") => true,
            (line, text) => {
                reading.line(line, text).map_err(error)?;
                false
            }
        };
    }
    if !ended {
        let message = "the certificate ends without `end`: it is torn".to_owned();
        return Err(ReadError::Line { line: last + 1, message });
    }
    Ok(reading.certificate)
}

struct Reading {
    certificate: Certificate,
    /// Whether what is read is left out of the order.
    left_out: bool,
}

impl Reading {
    fn line(&mut self, line: usize, text: &str) -> Result<(), String> {
        if let Some(object) = text.strip_prefix("object ") {
            let (kind, names) = object.split_once(' ').unwrap_or((object, "null"));
            let kind: Kind = kind.parse().map_err(|()| {
                let kinds = explain::list(&Kind::ALL.map(Kind::name));
                format!("`{kind}` is no kind of object: there are {kinds}")
            })?;
            let (key, part) =
                self::names(names).ok_or_else(|| format!("`{names}` is no key: a text as JSON, or null"))?;
            self.certificate.objects.push(Sequence {
                kind,
                key,
                part,
                order: Vec::new(),
                left_out: Vec::new(),
                line,
            });
            self.left_out = false;
            return Ok(());
        }
        if self.certificate.objects.is_empty() && self.certificate.reading.line(text) {
            return Ok(());
        }
        let Some(object) = self.certificate.objects.last_mut() else {
            return Err("an `object` belongs here".to_owned());
        };
        if text == "left-out" && !self.left_out {
            self.left_out = true;
            return Ok(());
        }
        let index = text.parse().map_err(|_| {
            format!("`{text}` is neither the number of an event nor `object`, `left-out` or `end`")
        })?;
        if self.left_out {
            object.left_out.push(index)
        } else {
            object.order.push(index)
        }
        Ok(())
    }
}

/// The key, a text or null, and what transactions call the object.
fn names(text: &str) -> Option<(Option<String>, Option<String>)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let key = match values.next()?.ok()? {
        Value::Null => None,
        Value::String(key) => Some(key),
        _ => return None,
    };
    let part = text[values.byte_offset()..].trim();
    let is_whole = part.is_empty() || serde_json::from_str::<Value>(part).is_ok();
    is_whole.then(|| (key, Some(part.to_owned()).filter(|part| !part.is_empty())))
}

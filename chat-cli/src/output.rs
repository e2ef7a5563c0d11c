//! Where results and notes go: results to standard output in the form that was asked for, everything else to standard
//! error. Only this file writes to either.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::Format;
use crate::failure::Failure;

/// A result: its fields are the stable ones of `-o json`.
pub(crate) trait Report: Serialize {
    /// For people: whole lines, or nothing.
    fn text(&self, look: &Look) -> String;

    /// What `-o jsonl` prints, one object a line: the items of a list, or else the whole.
    fn items(&self) -> Vec<impl Serialize>;
}

/// How text for people looks here.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) color: bool,
    zone: TimeZone,
    /// The day that a reader takes for granted, as `2026-11-21`.
    today: String,
}

impl Look {
    fn here() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = io::stdout().is_terminal() && !set("NO_COLOR") && !dumb;
        let zone = TimeZone::system();
        let today = Timestamp::now().to_zoned(zone.clone()).strftime("%F").to_string();
        Look { color, zone, today }
    }

    /// Beside the point.
    pub(crate) fn dim(&self, text: &str) -> String {
        if self.color { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// `time_ms` of Unix as a day and a time of day, where this is read.
    pub(crate) fn moment(&self, time_ms: u64) -> (String, String) {
        let Ok(timestamp) = Timestamp::from_millisecond(i64::try_from(time_ms).unwrap_or(i64::MAX)) else {
            return ("????-??-??".to_owned(), "??:??:??".to_owned());
        };
        let zoned = timestamp.to_zoned(self.zone.clone());
        (zoned.strftime("%F").to_string(), zoned.strftime("%T").to_string())
    }

    /// The heading that tells on which day the following lines were written; none for today, or for `last`, the day of
    /// the line before.
    pub(crate) fn day_heading(&self, day: &str, last: Option<&str>) -> Option<String> {
        if last.unwrap_or(&self.today) == day { None } else { Some(self.dim(&format!("-- {day} --"))) }
    }
}

/// Where results and notes go.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    look: Look,
    /// What was printed since [`Output::begin`], for the assertions of a script.
    printed: String,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Output { format, look: Look::here(), printed: String::new() }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn look(&self) -> &Look {
        &self.look
    }

    /// Somebody reads the results as they come, and may be told more than was asked for.
    pub(crate) fn is_interactive(&self) -> bool {
        self.format == Format::Text && io::stdout().is_terminal()
    }

    /// A new command begins.
    pub(crate) fn begin(&mut self) {
        self.printed.clear();
    }

    /// What the last command printed.
    pub(crate) fn printed(&self) -> &str {
        &self.printed
    }

    /// Prints a command's result.
    pub(crate) fn result(&mut self, report: &impl Report) -> Result<(), Failure> {
        let text = match self.format {
            Format::Text => report.text(&self.look),
            Format::Json => json(report) + "\n",
            Format::Jsonl => {
                report.items().iter().fold(String::new(), |lines, item| lines + &json(item) + "\n")
            }
        };
        self.print(&text)
    }

    /// Prints one line of a stream that has no end.
    pub(crate) fn item(&mut self, text: &str, item: &impl Serialize) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.print(text),
            Format::Json | Format::Jsonl => self.print(&(json(item) + "\n")),
        }
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.printed.push_str(text);
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::local("could not print the results", error),
        })
    }

    /// Tells something that is not a result.
    pub(crate) fn note(&mut self, line: &str) {
        let line = format!("chat-cli: {}\n", printable(line));
        self.printed.push_str(&line);
        complain(&line);
    }

    /// Tells of a failure and what to do about it.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        if matches!(failure, Failure::BrokenPipe) {
            return;
        }
        self.note(&failure.to_string());
        if let Some(advice) = failure.advice() {
            let line = format!("  {advice}\n");
            self.printed.push_str(&line);
            complain(&line);
        }
    }
}

/// Writes to standard error; when even that is gone, nobody is left to be told.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("reports have string keys and finite numbers")
}

/// `text` without anything that would command the terminal: control characters are written out, except that a line break
/// stays one.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && is_command(character) {
            write!(printable, "{}", character.escape_unicode()).expect("a string takes every character");
        } else {
            printable.push(character);
        }
    }
    printable
}

/// Control characters, and those that turn the direction of what follows.
fn is_command(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

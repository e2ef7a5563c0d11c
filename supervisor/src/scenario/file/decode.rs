//! From the tree to values: the small steps that every section is read by.
//!
//! A decoder never stops at an error. It notes it and answers `None`, so that the next field is read as well; whether
//! something was lost is asked in the end.

use std::fmt::Display;
use std::time::Duration;

use super::error::ScenarioError;
use super::place::{Place, Placed};
use super::suggest;
use super::tree::{Entry, Node, Value};
use crate::scenario::drawn::Drawn;
use crate::scenario::unit;
use crate::scenario::word::Word;

/// The fields of a map of the format.
pub(super) struct Fields {
    /// Those that this version carries out.
    pub(super) known: &'static [&'static str],
    /// Those that the format has and this version refuses.
    pub(super) later: &'static [&'static str],
    /// Those that are often looked for here, with the place where they belong.
    pub(super) elsewhere: &'static [(&'static str, &'static str)],
}

/// A map that is being read.
#[derive(Clone, Copy)]
pub(super) struct Map<'n> {
    entries: &'n [Entry],
    /// Its beginning.
    pub(super) place: Place,
    name: &'n str,
}

impl<'n> Map<'n> {
    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(super) fn entries(&self) -> &'n [Entry] {
        self.entries
    }
}

/// Notes what is wrong while sections are read.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    pub(super) errors: Vec<ScenarioError>,
    /// A value could not be read, so what was read must not be judged as a whole.
    pub(super) is_lossy: bool,
}

impl Decoder {
    /// Notes an error.
    pub(super) fn refuse(&mut self, place: Place, message: impl Into<String>) {
        self.errors.push(ScenarioError { place, message: message.into(), help: None });
    }

    /// Notes an error with what would be right.
    pub(super) fn refuse_with(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(ScenarioError { place, message: message.into(), help: Some(help.into()) });
    }

    /// Notes an error by which a value was lost.
    pub(super) fn lose<T>(&mut self, place: Place, message: impl Into<String>) -> Option<T> {
        self.refuse(place, message);
        self.is_lossy = true;
        None
    }

    /// Reads a map called `name` and refuses every field that it must not have.
    pub(super) fn map<'n>(&mut self, node: &'n Node, name: &'n str, fields: &Fields) -> Option<Map<'n>> {
        self.map_with(node, name, fields, &[])
    }

    /// The same of a map that may have the fields `more`, too.
    pub(super) fn map_with<'n>(
        &mut self,
        node: &'n Node,
        name: &'n str,
        fields: &Fields,
        more: &[&str],
    ) -> Option<Map<'n>> {
        let entries = self.entries(node, name)?;
        let known: Vec<&str> = fields.known.iter().chain(more).copied().collect();
        for entry in entries {
            let key = entry.key.as_str();
            if known.contains(&key) {
                continue;
            }
            if fields.later.contains(&key) {
                self.lose::<()>(entry.key_place, format!("`{key}` is not supported yet"));
            } else if let Some((_, belongs)) = fields.elsewhere.iter().find(|(field, _)| *field == key) {
                self.refuse_with(entry.key_place, format!("unknown field `{key}` in {name}"), *belongs);
            } else {
                let question = suggest::question(key, known.iter().copied());
                let help = format!("expected one of: {}", known.join(", "));
                self.refuse_with(entry.key_place, format!("unknown field `{key}` in {name}{question}"), help);
            }
        }
        Some(Map { entries, place: node.place, name })
    }

    /// Reads a map whose keys are data.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, name: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => Some(entries),
            other => self.lose(node.place, format!("{name} must be a map, found {}", other.describe())),
        }
    }

    /// A field that must be there.
    pub(super) fn require<'n>(&mut self, map: &Map<'n>, key: &str) -> Option<&'n Node> {
        let node = map.get(key);
        if node.is_none() {
            self.lose::<()>(map.place, format!("missing field `{key}` in {}", map.name));
        }
        node
    }

    /// Reads a list.
    pub(super) fn list<'n>(&mut self, node: &'n Node, name: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(items) => Some(items),
            other => self.lose(node.place, format!("{name} must be a list, found {}", other.describe())),
        }
    }

    /// Reads text; `expected` says what: `a duration`.
    pub(super) fn text<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n str> {
        match &node.value {
            Value::Text(text) => Some(text),
            other => self.lose(node.place, format!("expected {expected}, found {}", other.describe())),
        }
    }

    /// Reads text that `read` understands.
    pub(super) fn read<T, E: Display>(
        &mut self,
        node: &Node,
        expected: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(node, expected)?;
        match read(text) {
            Ok(value) => Some(value),
            Err(why) => self.lose(node.place, why.to_string()),
        }
    }

    /// Reads `a`, or a range `a..b`.
    pub(super) fn drawn<T: Copy + PartialOrd, E: Display>(
        &mut self,
        node: &Node,
        expected: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Drawn<T>> {
        self.read(node, expected, |text| {
            let why = |why: E| why.to_string();
            let Some((min, max)) = text.split_once("..") else {
                return read(text).map(Drawn::exactly).map_err(why);
            };
            let range = Drawn { min: read(min.trim()).map_err(why)?, max: read(max.trim()).map_err(why)? };
            if range.min > range.max {
                return Err(format!("the range `{text}` is empty; write the smaller end first"));
            }
            Ok(range)
        })
    }

    /// Reads a duration, which may be 0, or a range of them.
    pub(super) fn duration_or_zero(&mut self, node: &Node) -> Option<Drawn<Duration>> {
        self.drawn(node, "a duration, e.g. 8s", unit::parse_duration)
    }

    /// Reads a duration, which must not be 0, or a range of them.
    pub(super) fn duration(&mut self, node: &Node) -> Option<Drawn<Duration>> {
        let drawn = self.duration_or_zero(node)?;
        if drawn.min.is_zero() {
            return self.lose(node.place, "a duration of 0 means nothing here; leave the field out");
        }
        Some(drawn)
    }

    /// Reads a whole number from `min` to `max`, or a range of them.
    pub(super) fn count(&mut self, node: &Node, min: u64, max: u64) -> Option<Drawn<u64>> {
        self.drawn(node, "a whole number", |text| count(text, min, max))
    }

    /// Reads one whole number from `min` to `max`.
    pub(super) fn one_count(&mut self, node: &Node, min: u64, max: u64) -> Option<u64> {
        self.read(node, "a whole number", |text| count(text, min, max))
    }

    /// Reads `true` or `false`.
    pub(super) fn boolean(&mut self, node: &Node) -> Option<bool> {
        self.read(node, "true or false", |text| {
            text.parse().map_err(|_| format!("`{text}` is neither true nor false"))
        })
    }

    /// Reads one of the words of `W`; `what` says what it stands for: `routing`.
    pub(super) fn word<W: Word>(&mut self, node: &Node, what: &str, later: &[&str]) -> Option<W> {
        let text = self.text(node, &format!("a {what}"))?;
        self.word_of(text, node.place, what, later)
    }

    /// The value of a word that stands at `place`.
    pub(super) fn word_of<W: Word>(
        &mut self,
        text: &str,
        place: Place,
        what: &str,
        later: &[&str],
    ) -> Option<W> {
        let value = W::of_word(text);
        if value.is_none() {
            self.lose_word(text, place, what, &W::words(), later);
        }
        value
    }

    /// Notes that `text` is none of `words`.
    pub(super) fn lose_word(&mut self, text: &str, place: Place, what: &str, words: &[&str], later: &[&str]) {
        self.is_lossy = true;
        if later.contains(&text) {
            return self.refuse(place, format!("the {what} `{text}` is not supported yet"));
        }
        let question = suggest::question(text, words.iter().copied());
        let help = format!("expected one of: {}", words.join(", "));
        self.refuse_with(place, format!("unknown {what} `{text}`{question}"), help);
    }

    /// Reads a name: small letters, digits and single hyphens.
    pub(super) fn kebab(&mut self, node: &Node, what: &str) -> Option<Placed<String>> {
        let text = self.text(node, what)?;
        let is_part = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if text.split('-').all(is_part) {
            return Some(Placed { value: text.to_owned(), place: node.place });
        }
        self.lose(
            node.place,
            format!("`{text}` is not a name; use small letters, digits and hyphens, e.g. kill-leader"),
        )
    }
}

fn count(text: &str, min: u64, max: u64) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        Ok(number) => Err(format!("`{number}` is out of range; at least {min}, at most {max}")),
        Err(_) => Err(format!("`{text}` is not a whole number from {min} to {max}")),
    }
}

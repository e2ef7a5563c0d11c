//! YAML as a tree in which everything knows its place.
//!
//! The parser's events become [`Node`]s. What the format does not need is refused here, because it would only hide
//! mistakes: duplicate keys, anchors and aliases, tags, keys that are not plain words, several documents in a file.
//! Scalars stay text; what they mean is decided by the field that they stand in.

use saphyr_parser::{Event, Parser, ScanError, Span, StrInput};

use super::error::ScenarioError;
use super::place::Place;

/// The deepest nesting that is read; the format needs six levels.
const DEPTH_MAX: usize = 32;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) struct Node {
    pub(in crate::scenario) value: Value,
    pub(in crate::scenario) place: Place,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) enum Value {
    /// Nothing was written.
    Empty,
    /// Text, without its quotes.
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) struct Entry {
    pub(in crate::scenario) key: String,
    pub(in crate::scenario) key_place: Place,
    pub(in crate::scenario) value: Node,
}

impl Value {
    /// What it is, for a message: `a list`.
    pub(in crate::scenario) fn describe(&self) -> String {
        match self {
            Self::Empty => "nothing".to_owned(),
            Self::Text(text) => format!("`{text}`"),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
        }
    }
}

/// Reads one document. What is wrong but does not hinder reading goes to `errors`; `None` when nothing can be read.
///
/// `place` gives every node its place: that in the file, or the override that the text came from.
pub(in crate::scenario) fn read(
    text: &str,
    place: &dyn Fn(Span) -> Place,
    errors: &mut Vec<ScenarioError>,
) -> Option<Node> {
    let mut reader = Reader { events: Parser::new_from_str(text), place, errors };
    match reader.document() {
        Ok(node) => node,
        Err(error) => {
            let mark = *error.marker();
            let message = format!("not YAML: {}", error.info());
            let help = error.info().contains("tab").then(|| "indent with spaces".to_owned());
            errors.push(ScenarioError { place: place(Span::empty(mark)), message, help });
            None
        }
    }
}

struct Reader<'t, 'e> {
    events: Parser<'t, StrInput<'t>>,
    place: &'e dyn Fn(Span) -> Place,
    errors: &'e mut Vec<ScenarioError>,
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> Result<(Event<'t>, Span), ScanError> {
        self.events.next_event().expect("the parser is not asked beyond the end of the stream")
    }

    fn refuse(&mut self, place: Place, message: impl Into<String>) {
        self.errors.push(ScenarioError { place, message: message.into(), help: None });
    }

    fn document(&mut self) -> Result<Option<Node>, ScanError> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) if root.is_some() => {
                    self.refuse((self.place)(span), "a second document; a file holds one scenario");
                    return Ok(root);
                }
                Event::DocumentStart(_) => {}
                event => root = Some(self.node(event, span, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, ScanError> {
        if depth > DEPTH_MAX {
            return Err(ScanError::new(span.start, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        let place = (self.place)(span);
        let (anchor, tag) = match &event {
            Event::Scalar(_, _, anchor, tag) => (*anchor, tag.as_ref()),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => (*anchor, tag.as_ref()),
            Event::Alias(_) => (1, None),
            _ => (0, None),
        };
        if anchor != 0 {
            self.refuse(place, "anchors and aliases are not part of the format; write the value out");
        }
        if let Some(tag) = tag {
            self.refuse(place, format!("the tag `{tag}` is not part of the format; leave it out"));
        }
        let value = match event {
            Event::Scalar(text, style, ..) => {
                let is_plain = style == saphyr_parser::ScalarStyle::Plain;
                let is_empty = is_plain && matches!(&*text, "" | "~" | "null");
                if is_empty { Value::Empty } else { Value::Text(text.into_owned()) }
            }
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            _ => Value::Empty,
        };
        Ok(Node { value, place })
    }

    fn list(&mut self, depth: usize) -> Result<Value, ScanError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, ScanError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Map(entries));
            }
            let key_node = self.node(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let mut value = self.node(event, span, depth + 1)?;
            if value.value == Value::Empty {
                // The place of what is not there is behind the line; a person looks at the key.
                value.place = key_node.place;
            }
            let Value::Text(key) = key_node.value else {
                self.refuse(
                    key_node.place,
                    format!("a key must be a word, found {}", key_node.value.describe()),
                );
                continue;
            };
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                let message = match first.key_place {
                    Place::File { line, .. } => {
                        format!("duplicate key `{key}`; it is already on line {line}")
                    }
                    Place::Override(_) => format!("duplicate key `{key}`"),
                };
                self.refuse(key_node.place, message);
                continue;
            }
            entries.push(Entry { key, key_place: key_node.place, value });
        }
    }
}

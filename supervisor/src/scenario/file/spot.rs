//! A place in a YAML text that is read by serde, which tells what is wrong but does not show it.

use super::error::{ScenarioError, ScenarioErrors};
use super::place::Place;
use super::tree::{self, Node, Value};

/// Where something is wrong.
#[derive(Debug, Clone, Copy)]
pub(in crate::scenario) enum Spot<'a> {
    /// From this line and column on, both from 1: at the first key or value there that is `word`, if there is one.
    /// Serde knows where the map begins that something is wrong with, and quotes what it is.
    From(usize, usize, Option<&'a str>),
    /// At the node of this path: `strikes.3.at`. A path that leads beyond the text means its last node there.
    Path(&'a str),
}

/// The one thing that is wrong with `text`, the text of the file `source`, shown as a compiler would.
pub(in crate::scenario) fn refuse_at(
    source: &str,
    text: &str,
    spot: Spot<'_>,
    message: String,
) -> ScenarioErrors {
    let place = match spot {
        Spot::From(line, column, word) => {
            let from = Place::File { line: line.max(1), column: column.max(1), width: 1 };
            word.and_then(|word| place_of_word(text, word, from)).unwrap_or(from)
        }
        Spot::Path(path) => place_of(text, path),
    };
    ScenarioErrors::new(source, text, &[], vec![ScenarioError { place, message, help: None }])
}

fn read(text: &str) -> Option<Node> {
    let end = Place::end_of(text);
    tree::read(text, &|span| Place::of(span, end), &mut Vec::new())
}

fn place_of_word(text: &str, word: &str, from: Place) -> Option<Place> {
    fn collect<'n>(node: &'n Node, words: &mut Vec<(&'n str, Place)>) {
        match &node.value {
            Value::Map(entries) => {
                for entry in entries {
                    words.push((&entry.key, entry.key_place));
                    collect(&entry.value, words);
                }
            }
            Value::List(items) => items.iter().for_each(|item| collect(item, words)),
            Value::Text(text) => words.push((text, node.place)),
            Value::Empty => {}
        }
    }
    let (root, mut words) = (read(text)?, Vec::new());
    collect(&root, &mut words);
    // Places are in the order of the text, and so are the words.
    words.into_iter().find(|(text, place)| *text == word && *place >= from).map(|(_, place)| place)
}

fn place_of(text: &str, path: &str) -> Place {
    let Some(root) = read(text) else { return Place::START };
    let mut node = &root;
    for step in path.split('.') {
        let Some(next) = child(node, step) else { break };
        node = next;
    }
    node.place
}

fn child<'n>(node: &'n Node, step: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == step).map(|entry| &entry.value),
        Value::List(items) => items.get(step.parse::<usize>().ok()?),
        Value::Empty | Value::Text(_) => None,
    }
}

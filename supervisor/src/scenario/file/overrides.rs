//! `--set path=value`: changes to the tree before anything is decoded.
//!
//! A path is made of field names and places in a list: `run.duration`, `faults[0].kill.target`. The value is YAML:
//! `10s`, `[n1, n3]`, `{ send: 1 }`; `null` takes the field away, as if it had never been said. Maps on the way that are not there are made, so that every field can be set; the
//! decoder then judges the result like anything else that was said, and names the override.

use super::decode::Decoder;
use super::error::ScenarioError;
use super::place::Place;
use super::tree::{self, Entry, Node, Value};

/// Applies every override to `root`, in order.
pub(super) fn apply(root: &mut Node, overrides: &[String], decoder: &mut Decoder) {
    for (index, text) in overrides.iter().enumerate() {
        let place = Place::Override(index);
        if let Err(error) = apply_one(root, text, place) {
            decoder.errors.push(error);
            decoder.is_lossy = true;
        }
    }
}

fn apply_one(root: &mut Node, text: &str, place: Place) -> Result<(), ScenarioError> {
    let refuse = |message: String| ScenarioError { place, message, help: None };
    let Some((path, value)) = text.split_once('=') else {
        return Err(refuse("write path=value, e.g. run.duration=10s".to_owned()));
    };
    let mut errors = Vec::new();
    let node = tree::read(value, &|_| place, &mut errors);
    if let Some(error) = errors.into_iter().next() {
        return Err(error);
    }
    let node = node.filter(|node| node.value != Value::Empty);
    if node.is_none() && value.trim() != "null" {
        return Err(refuse(format!("the value is missing; {path}=null takes the field away")));
    }
    let steps =
        steps(path).ok_or_else(|| refuse(format!("`{path}` is not a path, e.g. faults[0].kill.target")))?;
    let (last, way) = steps.split_last().expect("a path has at least one step");
    let mut at = root;
    for step in way {
        at = descend(at, step, place).map_err(refuse)?;
    }
    match (node, last, &mut at.value) {
        (Some(node), last, _) => *descend(at, last, place).map_err(refuse)? = node,
        (None, Step::Field(field), Value::Map(entries)) => entries.retain(|entry| entry.key != *field),
        (None, Step::Item(index), Value::List(items)) if *index < items.len() => drop(items.remove(*index)),
        // There is nothing to take away.
        (None, ..) => {}
    }
    Ok(())
}

/// One step of a path.
enum Step<'p> {
    Field(&'p str),
    Item(usize),
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (field, items) = part.find('[').map_or((part, ""), |bracket| part.split_at(bracket));
        if field.is_empty() {
            return None;
        }
        steps.push(Step::Field(field));
        let mut rest = items;
        while let Some(inside) = rest.strip_prefix('[') {
            let (index, behind) = inside.split_once(']')?;
            steps.push(Step::Item(index.parse().ok()?));
            rest = behind;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    Some(steps)
}

/// The node that a step leads to; a field that is not there is made.
fn descend<'n>(node: &'n mut Node, step: &Step<'_>, place: Place) -> Result<&'n mut Node, String> {
    if let (Step::Field(_), Value::Empty) = (step, &node.value) {
        *node = Node { value: Value::Map(Vec::new()), place };
    }
    match (step, &mut node.value) {
        (Step::Field(field), Value::Map(entries)) => {
            let index = entries.iter().position(|entry| entry.key == *field).unwrap_or_else(|| {
                let value = Node { value: Value::Empty, place };
                entries.push(Entry { key: (*field).to_owned(), key_place: place, value });
                entries.len() - 1
            });
            Ok(&mut entries[index].value)
        }
        (Step::Item(index), Value::List(items)) => {
            let count = items.len();
            items
                .get_mut(*index)
                .ok_or_else(|| format!("[{index}] is beyond the list, which has {count} items"))
        }
        (Step::Field(field), other) => Err(format!("there is no `{field}` in {}", other.describe())),
        (Step::Item(index), other) => Err(format!("there is no [{index}] in {}", other.describe())),
    }
}

//! `binaries:`, and which of them a node runs.

use std::collections::BTreeMap;

use super::decode::{Decoder, Fields};
use super::place::Placed;
use super::tree::{Node, Value};
use crate::scenario::step::DEFAULT_BINARY;

const BINARY: Fields = Fields { known: &["path"], later: &[], elsewhere: &[] };

/// Which program the nodes run from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidBinary {
    /// All the same.
    All(Placed<String>),
    /// A node and its program; whoever is not named runs the default one.
    Each(Vec<(Placed<String>, Placed<String>)>),
}

/// Reads programs by name. Whether one is there is asked when it is needed: a plan can be drawn without.
pub(super) fn binaries(decoder: &mut Decoder, node: &Node) -> Option<BTreeMap<String, Placed<String>>> {
    let mut binaries = BTreeMap::new();
    for entry in decoder.entries(node, "`binaries`")? {
        let key = Node { value: Value::Text(entry.key.clone()), place: entry.key_place };
        let Some(name) = decoder.kebab(&key, "a name") else { continue };
        if name.value == DEFAULT_BINARY {
            decoder.refuse(
                name.place,
                "`default` is the program of `--node-binary`, or the supervisor itself; choose another name",
            );
        }
        let Some(map) = decoder.map(&entry.value, "a binary", &BINARY) else { continue };
        let Some(node) = decoder.require(&map, "path") else { continue };
        let Some(path) = decoder.text(node, "a path") else { continue };
        if path.is_empty() {
            decoder.lose::<()>(node.place, "the path is empty");
            continue;
        }
        binaries.insert(name.value, Placed { value: path.to_owned(), place: node.place });
    }
    Some(binaries)
}

/// Reads `cluster.binary`.
pub(super) fn binary(decoder: &mut Decoder, node: &Node) -> Option<SaidBinary> {
    let Value::Map(entries) = &node.value else {
        return decoder.kebab(node, "the name of a binary").map(SaidBinary::All);
    };
    let each = entries.iter().filter_map(|entry| {
        let binary = decoder.kebab(&entry.value, "the name of a binary")?;
        Some((Placed { value: entry.key.clone(), place: entry.key_place }, binary))
    });
    Some(SaidBinary::Each(each.collect()))
}

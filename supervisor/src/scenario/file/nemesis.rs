//! `nemesis:`, the random faults, as they were said.
//!
//! What is drawn from this is the business of [`plan::swarm`](crate::scenario::plan::swarm).

use std::collections::BTreeMap;
use std::time::Duration;

use super::decode::{Decoder, Fields, Map};
use super::place::{Place, Placed};
use super::tree::{Entry, Node, Value};
use super::verb::{Length, Said, SaidVerb, verb};
use crate::scenario::drawn::Drawn;
use crate::scenario::verb::FaultKind;

/// The largest weight of a kind: so large a ratio is no chance.
const WEIGHT_MAX: u64 = 10_000;

/// The most faults that may be asked to stand at once.
const ACTIVE_MAX: u64 = 16;

const NEMESIS: Fields = Fields {
    known: &[
        "start",
        "interval",
        "duration",
        "quiet",
        "max-active",
        "keep-majority",
        "break-majority",
        "swarm",
        "kinds",
        "options",
    ],
    later: &[],
    elsewhere: &[
        ("every", "the time between two faults is `interval`"),
        ("for", "the length of a fault is `duration`"),
        ("target", "it belongs inside a verb of `options`, e.g. `options: { kill: { target: leader } }`"),
    ],
};

/// What random faults may do to the majority of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Majority {
    /// At any time enough nodes are left that can work together.
    Keep,
    /// Some faults leave no majority.
    Break,
    /// Whatever is drawn.
    Any,
}

/// Random faults, as they were said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NemesisSection {
    /// When they begin, from the end of the warm-up; `None`: at once.
    pub start: Option<Drawn<Duration>>,
    /// The time before the first fault, and between the beginnings of two.
    pub interval: Placed<Drawn<Duration>>,
    /// How long a fault stands.
    pub duration: Drawn<Duration>,
    /// How long no fault stands before the load ends.
    pub quiet: Option<Drawn<Duration>>,
    /// How many faults may stand at once; `None`: one.
    pub max_active: Option<u64>,
    /// What becomes of the majority. The place is that of the field that says it, or of the section.
    pub majority: Placed<Majority>,
    /// Whether each seed draws its own subset of the kinds; `None`: it does.
    pub swarm: Option<bool>,
    /// What may be drawn, with weights, each at least 1; at least one.
    pub kinds: BTreeMap<FaultKind, Placed<u32>>,
    /// Kinds of which only these faults are to be drawn, at least one, each as likely as the others; each kind is one of
    /// `kinds`.
    pub options: BTreeMap<FaultKind, Vec<Narrowed>>,
}

/// A fault that is to be drawn of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowed {
    /// What it does.
    pub verb: SaidVerb,
    /// For how long, where the verb has a length; `None`: for the `duration` of all faults, or it ends by itself.
    pub lasts: Option<Drawn<Duration>>,
    /// Where it was said.
    pub place: Place,
}

/// Reads the section, whose key stands at the place of `entry`.
pub(super) fn nemesis(decoder: &mut Decoder, entry: &Entry) -> Option<NemesisSection> {
    let map = decoder.map(&entry.value, "`nemesis`", &NEMESIS)?;
    let start = map.get("start").and_then(|node| decoder.duration_or_zero(node));
    let interval = decoder.require(&map, "interval").and_then(|node| {
        let value = decoder.duration(node)?;
        Some(Placed { value, place: node.place })
    });
    let duration = decoder.require(&map, "duration").and_then(|node| decoder.duration(node));
    let quiet = map.get("quiet").and_then(|node| decoder.duration_or_zero(node));
    let max_active = map.get("max-active").and_then(|node| decoder.one_count(node, 1, ACTIVE_MAX));
    let majority = majority(decoder, &map, entry.key_place);
    let swarm = map.get("swarm").and_then(|node| decoder.boolean(node));
    let kinds = decoder.require(&map, "kinds").and_then(|node| kinds(decoder, node));
    let options = match (map.get("options"), &kinds, duration) {
        (Some(node), Some(kinds), Some(duration)) => options(decoder, node, kinds, duration)?,
        _ => BTreeMap::new(),
    };
    Some(NemesisSection {
        start,
        interval: interval?,
        duration: duration?,
        quiet,
        max_active,
        majority: majority?,
        swarm,
        kinds: kinds?,
        options,
    })
}

/// The majority is kept unless something else is said.
fn majority(decoder: &mut Decoder, map: &Map<'_>, section: Place) -> Option<Placed<Majority>> {
    let mut said = |key| match map.get(key) {
        Some(node) => decoder.boolean(node).map(|value| Some(Placed { value, place: node.place })),
        None => Some(None),
    };
    let (keep, breaks) = (said("keep-majority"), said("break-majority"));
    let placed = |value, place| Some(Placed { value, place });
    match (keep?, breaks?) {
        (Some(Placed { value: true, .. }), Some(Placed { value: true, place })) => {
            decoder.lose(place, "a majority cannot be kept and broken; say one of the two")
        }
        (_, Some(Placed { value: true, place })) => placed(Majority::Break, place),
        (Some(Placed { value: false, place }), _) => placed(Majority::Any, place),
        (keep, _) => placed(Majority::Keep, keep.map_or(section, |keep| keep.place)),
    }
}

/// The kind that a key names.
fn kind(decoder: &mut Decoder, entry: &Entry) -> Option<FaultKind> {
    decoder.word_of(&entry.key, entry.key_place, "kind of fault", &[])
}

fn kinds(decoder: &mut Decoder, node: &Node) -> Option<BTreeMap<FaultKind, Placed<u32>>> {
    let entries = decoder.entries(node, "`kinds`")?;
    if entries.is_empty() {
        let help = "write e.g. `kinds: { kill: 2, partition: 1 }`";
        decoder.is_lossy = true;
        decoder.refuse_with(node.place, "`kinds` names no kind of fault", help);
        return None;
    }
    let mut kinds = BTreeMap::new();
    for entry in entries {
        let weight = decoder.one_count(&entry.value, 1, WEIGHT_MAX);
        if let (Some(kind), Some(weight)) = (kind(decoder, entry), weight) {
            let value = u32::try_from(weight).expect("a weight is within the limits that it was read with");
            kinds.insert(kind, Placed { value, place: entry.key_place });
        }
    }
    Some(kinds)
}

fn options(
    decoder: &mut Decoder,
    node: &Node,
    kinds: &BTreeMap<FaultKind, Placed<u32>>,
    duration: Drawn<Duration>,
) -> Option<BTreeMap<FaultKind, Vec<Narrowed>>> {
    let mut options = BTreeMap::new();
    for entry in decoder.entries(node, "`options`")? {
        let Some(kind) = kind(decoder, entry) else { continue };
        if !kinds.contains_key(&kind) {
            let message = format!("`{}` is not among the `kinds`, so it is never drawn", entry.key);
            decoder.refuse(entry.key_place, message);
        }
        let length = Length { said: None, is_repeated: false, is_step: false, drawn: Some(duration) };
        // One fault, or a list of them.
        let of_list = |node: &Node| (Entry { value: node.clone(), ..entry.clone() }, node.place);
        let items = match &entry.value.value {
            Value::List(items) if items.is_empty() => {
                decoder.lose::<()>(entry.value.place, "the list names no fault; leave the option out");
                continue;
            }
            Value::List(items) => items.iter().map(of_list).collect(),
            _ => vec![(entry.clone(), entry.key_place)],
        };
        let narrowed = items.iter().filter_map(|(entry, place)| {
            let Said { verb, lasts } = verb(decoder, entry, length)?;
            Some(Narrowed { verb, lasts, place: *place })
        });
        options.insert(kind, narrowed.collect());
    }
    Some(options)
}

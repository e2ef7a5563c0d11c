//! `faults:`, the timed faults.

use std::time::Duration;

use super::decode::{Decoder, Fields, Map};
use super::place::Placed;
use super::tree::Node;
use super::verb::{Length, Said, SaidVerb, verb, verb_entry};
use crate::scenario::drawn::Drawn;
use crate::scenario::verb::FaultKind;
use crate::scenario::word::Word;

/// The most strikes that `times` may ask for.
const TIMES_MAX: u64 = crate::scenario::plan::STRIKES_MAX as u64;

const FAULT: Fields = Fields {
    known: &["name", "at", "every", "for", "times"],
    later: &[],
    elsewhere: &[
        ("target", "it belongs inside the verb, e.g. `kill: { target: leader }`"),
        ("signal", "it belongs inside `kill`"),
        ("restart-after", "it belongs inside `kill`"),
        ("isolate", "it belongs inside `partition`"),
        ("shape", "it belongs inside `partition`"),
    ],
};

/// A timed fault, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name; where none was said, one made of the verb and the target: `kill-leader`.
    pub name: Placed<String>,
    /// When it strikes.
    pub when: When,
    /// For how long; `None`: until the heal, or it ends by itself.
    pub lasts: Option<Drawn<Duration>>,
    /// What it does.
    pub verb: SaidVerb,
}

/// When a fault strikes, from the end of the warm-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Once.
    At(Placed<Drawn<Duration>>),
    /// Again and again.
    Every {
        /// The time before the first strike, and between two.
        interval: Placed<Drawn<Duration>>,
        /// How often; `None`: as often as fits.
        times: Option<Placed<Drawn<u64>>>,
    },
}

/// Reads the list of faults.
pub(super) fn faults(decoder: &mut Decoder, node: &Node) -> Option<Vec<Fault>> {
    let items = decoder.list(node, "`faults`")?;
    let mut faults: Vec<Fault> = Vec::new();
    for item in items {
        if let Some(fault) = fault(decoder, item, &faults) {
            faults.push(fault);
        }
    }
    Some(faults)
}

fn fault(decoder: &mut Decoder, item: &Node, earlier: &[Fault]) -> Option<Fault> {
    let map = decoder.map_with(item, "a fault", &FAULT, &FaultKind::words())?;
    let said_name = map.get("name").and_then(|node| decoder.kebab(node, "a name"));
    let when = when(decoder, &map);
    let length = Length {
        said: map.entry("for"),
        is_repeated: map.entry("every").is_some(),
        is_step: false,
        drawn: None,
    };
    let said = verb_entry(decoder, &map, "a fault").and_then(|entry| verb(decoder, entry, length));
    let (when, Said { verb, lasts }) = (when?, said?);
    let name = said_name.unwrap_or_else(|| Placed { value: usual_name(&verb, earlier), place: item.place });
    if earlier.iter().any(|fault| fault.name.value == name.value) {
        decoder.refuse(name.place, format!("two faults are called `{}`", name.value));
    }
    Some(Fault { name, when, lasts, verb })
}

/// `kill-leader`, or `kill-leader-2` where there is one already.
fn usual_name(verb: &SaidVerb, earlier: &[Fault]) -> String {
    let stem = verb.stem();
    let is_free = |name: &String| earlier.iter().all(|fault| fault.name.value != *name);
    let mut names = (2..).map(|number| format!("{stem}-{number}"));
    std::iter::once(stem.clone())
        .chain(names.by_ref())
        .find(is_free)
        .expect("there are more numbers than faults")
}

fn when(decoder: &mut Decoder, map: &Map<'_>) -> Option<When> {
    let placed = |decoder: &mut Decoder, node: &Node| {
        let value = decoder.duration(node)?;
        Some(Placed { value, place: node.place })
    };
    match (map.get("at"), map.get("every")) {
        (Some(at), None) => {
            if let Some(times) = map.entry("times") {
                decoder.refuse(
                    times.key_place,
                    "`times` has no meaning with `at`, which strikes once; write `every`",
                );
            }
            placed(decoder, at).map(When::At)
        }
        (None, Some(every)) => {
            let interval = placed(decoder, every);
            let times = map.get("times").and_then(|node| {
                let value = decoder.count(node, 1, TIMES_MAX)?;
                Some(Placed { value, place: node.place })
            });
            Some(When::Every { interval: interval?, times })
        }
        (Some(_), Some(every)) => decoder.lose(every.place, "a fault has `at` or `every`, not both"),
        (None, None) => decoder.lose(map.place, "a fault needs a time: `at: 5s` or `every: 8s`"),
    }
}

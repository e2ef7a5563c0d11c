//! `partition` and `network`.

use std::time::Duration;

use super::super::decode::{Decoder, Fields, Map};
use super::super::place::Placed;
use super::super::suggest;
use super::super::tree::{Entry, Node, Value};
use super::{BESIDE_VERB, Length, Said, SaidVerb, node_names, target};
use crate::fabric::Distribution;
use crate::fabric::shape::{Shape, UnknownShape};
use crate::rng::Rng;
use crate::scenario::drawn::Drawn;
use crate::scenario::unit::{Bandwidth, Chance};
use crate::scenario::verb::{Lag, Network, Partition, Party, Verb};

const PARTITION: Fields =
    Fields { known: &["shape", "isolate", "groups", "one-way"], later: &[], elsewhere: BESIDE_VERB };

const NETWORK: Fields = Fields {
    known: &["from", "to", "delay", "jitter", "distribution", "rate", "loss", "hold", "black-hole", "reset"],
    later: &[],
    elsewhere: BESIDE_VERB,
};

/// The fields that say what is wrong.
const EFFECTS: [&str; 6] = ["delay", "rate", "loss", "hold", "black-hole", "reset"];

/// A partition, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidPartition {
    /// Who is cut from whom.
    pub shape: Placed<Shape>,
    /// In one direction only.
    pub one_way: bool,
}

/// What is wrong with links, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidNetwork {
    /// Who sends.
    pub from: Placed<Party>,
    /// Who receives.
    pub to: Placed<Party>,
    /// Bytes come late: the middle, how far from it, and how spread.
    pub lag: Option<(Drawn<Duration>, Option<Drawn<Duration>>, Distribution)>,
    /// So many bytes a second.
    pub rate: Option<Drawn<Bandwidth>>,
    /// Single packets are lost.
    pub loss: Option<Drawn<Chance>>,
    /// Bytes are kept.
    pub hold: bool,
    /// Bytes vanish.
    pub black_hole: bool,
    /// Connections are reset.
    pub reset: bool,
    /// The fields that say what is wrong, as they were said.
    pub effects: Vec<Placed<String>>,
}

impl SaidPartition {
    pub(super) fn draw(&self) -> Verb {
        Verb::Partition(Partition { shape: self.shape.value.clone(), one_way: self.one_way })
    }
}

impl SaidNetwork {
    pub(super) fn draw(&self, rng: &Rng) -> Verb {
        let Self { from, to, lag, rate, loss, hold, black_hole, reset, effects: _ } = self;
        let lag = lag.map(|(delay, jitter, distribution)| Lag {
            delay: delay.draw(&mut rng.fork("delay")),
            jitter: jitter.map_or(Duration::ZERO, |jitter| jitter.draw(&mut rng.fork("jitter"))),
            distribution,
        });
        Verb::Network(Network {
            from: from.value.clone(),
            to: to.value.clone(),
            lag,
            rate: rate.map(|rate| rate.draw(&mut rng.fork("rate"))),
            loss: loss.map(|loss| loss.draw(&mut rng.fork("loss"))),
            hold: *hold,
            black_hole: *black_hole,
            reset: *reset,
        })
    }
}

pub(super) fn partition(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    let map = decoder.map(&entry.value, "`partition`", &PARTITION)?;
    let one_way = map.get("one-way").and_then(|node| decoder.boolean(node)).unwrap_or(false);
    let shape = shape(decoder, &map);
    let lasts = length.read(
        decoder,
        entry,
        "a partition that strikes again and again needs its length: write `for: 5s` beside it",
    );
    let shape = shape?;
    if one_way && shape.value == Shape::OneWay {
        decoder.refuse(shape.place, "the shape `one-way` is one way already; leave out `one-way: true`");
    }
    Some(Said { verb: SaidVerb::Partition(SaidPartition { shape, one_way }), lasts: lasts? })
}

/// The one field that says who is cut from whom.
fn shape(decoder: &mut Decoder, map: &Map<'_>) -> Option<Placed<Shape>> {
    let said: Vec<&Entry> = ["shape", "isolate", "groups"].iter().filter_map(|key| map.entry(key)).collect();
    let [entry] = said[..] else {
        let message = "a partition has exactly one of `shape`, `isolate` and `groups`";
        return decoder.lose(map.place, message);
    };
    let node = &entry.value;
    let value = match entry.key.as_str() {
        "isolate" => Shape::Isolate(target(decoder, node)?.value),
        "groups" => Shape::Groups(groups(decoder, node)?),
        _ => {
            let text = decoder.text(node, "a shape, e.g. halves")?;
            match text.parse() {
                Ok(shape) => shape,
                Err(UnknownShape(text)) => {
                    decoder.lose_word(&text, node.place, "shape", &Shape::words().collect::<Vec<_>>(), &[]);
                    return None;
                }
            }
        }
    };
    Some(Placed { value, place: node.place })
}

fn groups(decoder: &mut Decoder, node: &Node) -> Option<Vec<Vec<String>>> {
    let items = decoder.list(node, "`groups`")?;
    let mut groups = Vec::new();
    for item in items {
        let nodes = decoder.list(item, "a group")?;
        if nodes.is_empty() {
            return decoder.lose(item.place, "the group names no node");
        }
        groups.push(node_names(decoder, nodes)?);
    }
    Some(groups)
}

pub(super) fn network(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    let map = decoder.map(&entry.value, "`network`", &NETWORK)?;
    let from = decoder.require(&map, "from").and_then(|node| party(decoder, node));
    let to = decoder.require(&map, "to").and_then(|node| party(decoder, node));
    let lag = lag(decoder, &map);
    let rate = map
        .get("rate")
        .and_then(|node| decoder.drawn(node, "a bandwidth, e.g. 64KiB/s", str::parse::<Bandwidth>));
    let loss =
        map.get("loss").and_then(|node| decoder.drawn(node, "a chance, e.g. 2%", str::parse::<Chance>));
    let mut flag = |key| map.get(key).and_then(|node| decoder.boolean(node)).unwrap_or(false);
    let (hold, black_hole, reset) = (flag("hold"), flag("black-hole"), flag("reset"));
    let effects: Vec<_> = map
        .entries()
        .iter()
        .filter(|entry| EFFECTS.contains(&entry.key.as_str()))
        .map(|entry| Placed { value: entry.key.clone(), place: entry.key_place })
        .collect();
    let stands = effects.iter().any(|effect| effect.value != "reset");
    if !stands && !reset {
        return decoder.lose(
            map.place,
            "the network fault does nothing; write one of `delay`, `rate`, `loss`, `hold`, `black-hole` and `reset`",
        );
    }
    let lasts = if stands {
        length.read(
            decoder,
            entry,
            "a network fault that strikes again and again needs its length: write `for: 5s` beside it",
        )
    } else {
        length.refuse(decoder, "a reset happens once");
        Some(None)
    };
    let (from, to) = (from?, to?);
    let verb =
        SaidVerb::Network(SaidNetwork { from, to, lag: lag?, rate, loss, hold, black_hole, reset, effects });
    Some(Said { verb, lasts: lasts? })
}

type SaidLag = (Drawn<Duration>, Option<Drawn<Duration>>, Distribution);

/// The delay, if there is one; `None` when it could not be read.
#[expect(clippy::option_option, reason = "what is absent is not what could not be read")]
fn lag(decoder: &mut Decoder, map: &Map<'_>) -> Option<Option<SaidLag>> {
    let jitter = map.get("jitter").map(|node| decoder.duration(node));
    let distribution =
        map.get("distribution").map(|node| decoder.word::<Distribution>(node, "distribution", &[]));
    let Some(delay) = map.get("delay") else {
        for key in ["jitter", "distribution"] {
            if let Some(entry) = map.entry(key) {
                decoder.refuse(entry.key_place, format!("`{key}` has no meaning without `delay`"));
            }
        }
        return Some(None);
    };
    let delay = decoder.duration_or_zero(delay)?;
    let jitter = match jitter {
        Some(jitter) => Some(jitter?),
        None => None,
    };
    let distribution = match distribution {
        Some(distribution) => distribution?,
        None => Distribution::default(),
    };
    Some(Some((delay, jitter, distribution)))
}

fn party(decoder: &mut Decoder, node: &Node) -> Option<Placed<Party>> {
    if matches!(&node.value, Value::Text(text) if text == "clients") {
        return Some(Placed { value: Party::Clients, place: node.place });
    }
    if let Value::Text(text) = &node.value
        && suggest::nearest(text, ["clients"]).is_some()
    {
        return decoder.lose(node.place, format!("unknown party `{text}`; did you mean `clients`?"));
    }
    let Placed { value, place } = target(decoder, node)?;
    Some(Placed { value: Party::Nodes(value), place })
}

//! The verbs of faults and steps, as they are said: a module for each family.

mod membership;
mod network;
mod node;
mod process;

use std::time::Duration;

use super::decode::{Decoder, Fields, Map};
use super::error::ScenarioError;
use super::place::{Place, Placed};
use super::suggest;
use super::tree::{self, Entry, Node, Value};
use crate::rng::Rng;
use crate::scenario::drawn::Drawn;
use crate::scenario::signal::Signal;
use crate::scenario::target::{Target, UnknownTarget};
use crate::scenario::verb::{Crash, FaultKind, Kill, Pause, Restart, Verb};
use crate::scenario::word::Word;

pub use membership::SaidMembership;
pub use network::{SaidNetwork, SaidPartition};
pub use node::{SaidClock, SaidDisk, SaidDiskVerb};

/// Where `for` and the like belong when they stand inside a verb.
const BESIDE: &str = "it belongs beside the verb, not inside it";

/// What stands beside a verb and not inside it.
const BESIDE_VERB: &[(&str, &str)] =
    &[("for", BESIDE), ("at", BESIDE), ("every", BESIDE), ("times", BESIDE), ("name", BESIDE)];

/// What a fault does, as it was said: ranges are not drawn yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidVerb {
    /// A signal.
    Kill {
        /// Whom.
        target: Placed<Target>,
        /// With which signal; `None`: KILL.
        signal: Option<Signal>,
    },
    /// SIGSTOP, and SIGCONT later.
    Pause {
        /// Whom.
        target: Placed<Target>,
    },
    /// A graceful stop and a new start.
    Restart {
        /// Whom.
        target: Placed<Target>,
    },
    /// Nodes that do not hear each other.
    Partition(SaidPartition),
    /// Something is wrong with links.
    Network(SaidNetwork),
    /// Clocks are wrong.
    Clock(SaidClock),
    /// Something is wrong with a disk.
    Disk(SaidDisk),
    /// A crash at a point of the code.
    Crash {
        /// Whom.
        target: Placed<Target>,
        /// Where.
        at: Placed<String>,
        /// How often the node passes there before.
        skip: Option<Drawn<u64>>,
    },
    /// Other members.
    Membership(SaidMembership),
    /// Another leader.
    TransferLeader {
        /// Whom.
        to: Placed<Target>,
    },
    /// Snapshots on demand.
    Snapshot {
        /// Whom.
        target: Placed<Target>,
        /// Logs are purged, too.
        purge: bool,
    },
}

/// A verb, and for how long.
pub(super) struct Said {
    pub(super) verb: SaidVerb,
    /// `None`: until the heal, or it ends by itself.
    pub(super) lasts: Option<Drawn<Duration>>,
}

impl SaidVerb {
    /// What is done: every range is drawn from a fork of `rng`.
    #[must_use]
    pub fn draw(&self, rng: &Rng) -> Verb {
        match self {
            Self::Kill { target, signal } => {
                Verb::Kill(Kill { target: target.value.clone(), signal: signal.unwrap_or(Signal::KILL) })
            }
            Self::Pause { target } => Verb::Pause(Pause { target: target.value.clone() }),
            Self::Restart { target } => Verb::Restart(Restart { target: target.value.clone() }),
            Self::Partition(partition) => partition.draw(),
            Self::Network(network) => network.draw(rng),
            Self::Clock(clock) => clock.draw(rng),
            Self::Disk(disk) => disk.draw(rng),
            Self::Membership(membership) => membership.draw(),
            Self::TransferLeader { to } => membership::drawn_transfer(&to.value),
            Self::Snapshot { target, purge } => membership::drawn_snapshot(&target.value, *purge),
            Self::Crash { target, at, skip } => Verb::Crash(Crash {
                target: target.value.clone(),
                at: at.value.clone(),
                skip: skip.map_or(0, |skip| {
                    let skip = skip.draw(&mut rng.fork("skip"));
                    u32::try_from(skip).expect("the parser has limited the count")
                }),
            }),
        }
    }

    /// Where the field stands that a cluster cannot suffer.
    pub(super) fn place_of(&self, field: &str) -> Place {
        match self {
            Self::Kill { target, .. }
            | Self::Pause { target }
            | Self::Restart { target }
            | Self::Crash { target, .. }
            | Self::TransferLeader { to: target }
            | Self::Snapshot { target, .. } => target.place,
            Self::Partition(partition) => partition.shape.place,
            Self::Network(network) => match field {
                "from" => network.from.place,
                "to" => network.to.place,
                effect => {
                    let said = network.effects.iter().find(|said| said.value == effect);
                    said.map_or(network.to.place, |said| said.place)
                }
            },
            Self::Clock(clock) if field == "target" => clock.target.place,
            Self::Clock(clock) => clock.place,
            Self::Disk(disk) if field == "target" => disk.target.place,
            Self::Disk(disk) => disk.fault.place,
            Self::Membership(membership) => membership.change.place,
        }
    }

    /// What its name is made of, where none was said: `kill-leader`.
    pub(super) fn stem(&self) -> String {
        let stem = match self {
            Self::Kill { target, .. } => format!("kill-{}", target.value),
            Self::Pause { target } => format!("pause-{}", target.value),
            Self::Restart { target } => format!("restart-{}", target.value),
            Self::Partition(partition) => format!("partition-{}", partition.shape.value),
            Self::Network(network) => format!("network-{}-to-{}", network.from.value, network.to.value),
            Self::Clock(clock) => format!("clock-{}", clock.target.value),
            Self::Disk(disk) => format!("disk-{}", disk.target.value),
            Self::Crash { target, .. } => format!("crash-{}", target.value),
            Self::Membership(SaidMembership { change }) => match change.value.target() {
                Some(target) => format!("{}-{target}", change.value.word()),
                None => change.value.word().to_owned(),
            },
            Self::TransferLeader { .. } => "transfer-leader".to_owned(),
            Self::Snapshot { target, .. } => format!("snapshot-{}", target.value),
        };
        stem.replace([':', ',', ' '], "-").replace(['|'], "").replace("--", "-")
    }
}

/// What stands beside a verb of its length.
#[derive(Clone, Copy)]
pub(super) struct Length<'n> {
    /// `for`, where it was said.
    pub(super) said: Option<&'n Entry>,
    /// The fault strikes again and again.
    pub(super) is_repeated: bool,
    /// The length that the fault gets where none can be said, if it has one.
    pub(super) drawn: Option<Drawn<Duration>>,
    /// The fault is a step, which stands until another step heals it.
    pub(super) is_step: bool,
}

impl Length<'_> {
    /// The verb has no length that could be said.
    fn refuse(self, decoder: &mut Decoder, why: &str) {
        if let Some(entry) = self.said {
            decoder.refuse(entry.key_place, format!("`for` has no meaning here: {why}"));
        }
    }

    /// The verb must have a length, unless it is a step.
    #[expect(clippy::option_option, reason = "what is absent is not what could not be read")]
    fn require(self, decoder: &mut Decoder, verb: &Entry, missing: &str) -> Option<Option<Drawn<Duration>>> {
        match self.said {
            Some(entry) => decoder.duration(&entry.value).map(Some),
            None if self.drawn.is_some() || self.is_step => Some(self.drawn),
            None => decoder.lose(verb.key_place, missing),
        }
    }

    /// The verb stands until the heal where no length was said, if it strikes once.
    #[expect(clippy::option_option, reason = "what is absent is not what could not be read")]
    fn read(self, decoder: &mut Decoder, verb: &Entry, missing: &str) -> Option<Option<Drawn<Duration>>> {
        match self.said {
            Some(entry) => decoder.duration(&entry.value).map(Some),
            None if self.is_repeated => decoder.lose(verb.key_place, missing),
            None => Some(self.drawn),
        }
    }
}

/// The one verb among the fields of `map`, which is called `what`.
pub(super) fn verb_entry<'n>(decoder: &mut Decoder, map: &Map<'n>, what: &str) -> Option<&'n Entry> {
    let is_verb = |entry: &&Entry| FaultKind::of_word(&entry.key).is_some();
    let mut verbs = map.entries().iter().filter(is_verb);
    let Some(first) = verbs.next() else {
        let message = format!("{what} needs exactly one verb: {}", FaultKind::words().join(", "));
        return decoder.lose(map.place, message);
    };
    for second in verbs {
        let message =
            format!("`{}` is a second verb beside `{}`; {what} has exactly one", second.key, first.key);
        decoder.refuse_with(second.key_place, message, "write a second item of the list");
    }
    Some(first)
}

/// Reads a verb, which [`verb_entry`] has found; its key is the word of a kind.
pub(super) fn verb(decoder: &mut Decoder, entry: &Entry, length: Length<'_>) -> Option<Said> {
    let read = match FaultKind::of_word(&entry.key)? {
        FaultKind::Kill => process::kill,
        FaultKind::Pause => process::pause,
        FaultKind::Restart => process::restart,
        FaultKind::Partition => network::partition,
        FaultKind::Network => network::network,
        FaultKind::Clock => node::clock,
        FaultKind::Disk => node::disk,
        FaultKind::Crash => node::crash,
        FaultKind::Membership => membership::membership,
        FaultKind::TransferLeader => membership::transfer_leader,
        FaultKind::Snapshot => membership::snapshot,
    };
    read(decoder, entry, length)
}

/// Reads the verb `name` of which the text is what stands behind it, e.g. `{ target: leader }`. Where the verb has a
/// length and the text says none, it is `length`.
///
/// # Errors
/// Everything that is wrong with the text.
pub(in crate::scenario) fn said_verb(
    name: &str,
    text: &str,
    length: Drawn<Duration>,
) -> Result<(SaidVerb, Option<Drawn<Duration>>), Vec<ScenarioError>> {
    let mut decoder = Decoder::default();
    let end = Place::end_of(text);
    let value = tree::read(text, &|span| Place::of(span, end), &mut decoder.errors);
    let length = Length { said: None, is_repeated: false, is_step: false, drawn: Some(length) };
    let said = value.and_then(|value| {
        let entry = Entry { key: name.to_owned(), key_place: Place::START, value };
        verb(&mut decoder, &entry, length)
    });
    match said {
        Some(Said { verb, lasts }) if decoder.errors.is_empty() => Ok((verb, lasts)),
        _ => Err(decoder.errors),
    }
}

fn target_of(decoder: &mut Decoder, entry: &Entry, name: &str, fields: &Fields) -> Option<Placed<Target>> {
    let map = decoder.map(&entry.value, name, fields)?;
    let node = decoder.require(&map, "target")?;
    target(decoder, node)
}

pub(super) fn target(decoder: &mut Decoder, node: &Node) -> Option<Placed<Target>> {
    let value = match &node.value {
        Value::List(items) if items.is_empty() => {
            return decoder.lose(node.place, "the target names no node");
        }
        Value::List(items) => Target::Named(node_names(decoder, items)?),
        _ => {
            let text = decoder.text(node, "a target, e.g. leader")?;
            match text.parse::<Target>() {
                Ok(Target::Named(nodes)) if nodes.len() > 1 => {
                    return decoder
                        .lose(node.place, format!("several nodes are a list: [{}]", nodes.join(", ")));
                }
                Ok(target) => target,
                Err(UnknownTarget(text)) => {
                    lose_target(decoder, node, &text);
                    return None;
                }
            }
        }
    };
    Some(Placed { value, place: node.place })
}

pub(super) fn node_names(decoder: &mut Decoder, items: &[Node]) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for item in items {
        let text = decoder.text(item, "a node, e.g. n3")?;
        match text.parse() {
            Ok(Target::Named(nodes)) if nodes.len() == 1 && names.contains(&nodes[0]) => {
                return decoder.lose(item.place, format!("`{text}` is named twice"));
            }
            Ok(Target::Named(nodes)) if nodes.len() == 1 => names.extend(nodes),
            _ => {
                return decoder
                    .lose(item.place, format!("`{text}` is not a node; a list names nodes: [n1, n3]"));
            }
        }
    }
    Some(names)
}

fn lose_target(decoder: &mut Decoder, node: &Node, text: &str) {
    if text.starts_with("random") {
        let message = format!("`{text}` is not a target; write how many, e.g. random:2");
        decoder.lose::<()>(node.place, message);
        return;
    }
    let words: Vec<&str> = Target::words().collect();
    decoder.is_lossy = true;
    if text == "spare" {
        return decoder.refuse(node.place, "the target `spare` is not supported yet");
    }
    let question = suggest::question(text, words.iter().copied());
    let help =
        format!("expected one of: {}, a node (n3), a list of nodes ([n1, n3]), random:2", words.join(", "));
    decoder.refuse_with(node.place, format!("unknown target `{text}`{question}"), help);
}

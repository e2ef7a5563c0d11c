//! `steps:`, what is done in order.

use std::time::Duration;

use super::decode::{Decoder, Fields};
use super::place::{Place, Placed};
use super::tree::{Entry, Node, Value};
use super::verb::{Length, SaidVerb, node_names, target, verb};
use crate::scenario::drawn::Drawn;
use crate::scenario::step::{ALL, Condition, Healed, Stopped};
use crate::scenario::target::Target;
use crate::scenario::verb::FaultKind;
use crate::scenario::word::Word;

/// The most steps of a scenario.
pub(in crate::scenario) const STEPS_MAX: usize = 1_000;

/// The most of anything that a condition counts.
const COUNT_MAX: u64 = 1_000_000_000;

/// The words that are no verbs.
const WORDS: [&str; 8] =
    ["wait", "wait-for", "assert", "upgrade", "rolling-restart", "start", "stop", "heal"];

const CONDITIONS: [&str; 6] =
    ["leader", "leader-changes", "caught-up", "operations", "snapshot-installed", "members"];

const WAIT_FOR: Fields = Fields {
    known: &[
        "leader",
        "leader-changes",
        "caught-up",
        "operations",
        "snapshot-installed",
        "members",
        "within",
    ],
    later: &[],
    elsewhere: &[],
};

const ASSERT: Fields = Fields {
    known: &CONDITIONS,
    later: &[],
    elsewhere: &[("within", "an assertion is about now; write `wait-for`")],
};

const UPGRADE: Fields = Fields { known: &["target", "binary", "one-at-a-time"], later: &[], elsewhere: &[] };

const ROLLING: Fields = Fields { known: &["target"], later: &[], elsewhere: &[] };

/// The word for all nodes, the followers before the leader, which is the order of every upgrade.
const FOLLOWERS_FIRST: &str = "followers-first";

/// A step, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidStep {
    /// Its name; where none was said, one made of its number and its word: `step-3-kill`.
    pub name: Placed<String>,
    /// What is done.
    pub action: SaidAction,
}

/// What a step does, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidAction {
    /// A fault.
    Strike {
        /// What it does.
        verb: SaidVerb,
        /// For how long; `None`: until it is healed, or it ends by itself.
        lasts: Option<Drawn<Duration>>,
    },
    /// Nothing, for so long.
    Wait(Placed<Drawn<Duration>>),
    /// Nothing, until something has come about.
    WaitFor {
        /// What.
        condition: Placed<Condition>,
        /// How long at most.
        within: Option<Drawn<Duration>>,
    },
    /// Something must be so now.
    Assert(Placed<Condition>),
    /// Another program.
    Upgrade {
        /// Whom.
        target: Placed<Target>,
        /// Which one.
        binary: Placed<String>,
        /// One after the other.
        one_at_a_time: bool,
    },
    /// A restart of one after the other.
    RollingRestart(Placed<Target>),
    /// Nodes are stopped.
    Stop(Placed<Target>),
    /// Nodes are started.
    Start(Placed<Stopped>),
    /// Faults are lifted.
    Heal(Placed<Healed>),
}

/// Reads the list of steps.
pub(super) fn steps(decoder: &mut Decoder, node: &Node) -> Option<Vec<SaidStep>> {
    let items = decoder.list(node, "`steps`")?;
    if items.len() > STEPS_MAX {
        return decoder.lose(node.place, format!("{} steps are more than {STEPS_MAX}", items.len()));
    }
    let mut steps: Vec<SaidStep> = Vec::new();
    for (item, number) in items.iter().zip(1_usize..) {
        if let Some(step) = step(decoder, item, number) {
            if steps.iter().any(|earlier| earlier.name.value == step.name.value) {
                decoder.refuse(step.name.place, format!("two steps are called `{}`", step.name.value));
            }
            steps.push(step);
        }
    }
    Some(steps)
}

fn step(decoder: &mut Decoder, item: &Node, number: usize) -> Option<SaidStep> {
    let entries = decoder.entries(item, "a step")?;
    let said = |key: &str| entries.iter().find(|entry| entry.key == key);
    let said_name = said("name").and_then(|entry| name(decoder, &entry.value));
    let mut actions = entries.iter().filter(|entry| !["name", "for"].contains(&entry.key.as_str()));
    let Some(entry) = actions.next() else {
        let message = format!("a step needs exactly one word: {}, or a verb", WORDS.join(", "));
        return decoder.lose(item.place, message);
    };
    for second in actions {
        if known().any(|word| word == second.key) {
            let message =
                format!("`{}` is a second word beside `{}`; a step has exactly one", second.key, entry.key);
            decoder.refuse_with(second.key_place, message, "write a second item of the list");
        } else {
            unknown(decoder, second);
        }
    }
    let length = said("for");
    let action = if FaultKind::of_word(&entry.key).is_some() {
        let said =
            verb(decoder, entry, Length { said: length, is_repeated: false, is_step: true, drawn: None })?;
        SaidAction::Strike { verb: said.verb, lasts: said.lasts }
    } else {
        if let Some(length) = length {
            decoder.refuse(length.key_place, format!("`for` has no meaning with `{}`", entry.key));
        }
        action(decoder, entry)?
    };
    let usual = || Placed { value: format!("step-{number}-{}", entry.key), place: entry.key_place };
    Some(SaidStep { name: said_name.unwrap_or_else(usual), action })
}

fn known() -> impl Iterator<Item = &'static str> {
    WORDS.into_iter().chain(FaultKind::words())
}

fn unknown(decoder: &mut Decoder, entry: &Entry) {
    let words: Vec<&str> = known().collect();
    if ["at", "every", "times"].contains(&entry.key.as_str()) {
        let message =
            format!("`{}` has no meaning in a step, which begins when the one before it is over", entry.key);
        decoder.refuse_with(entry.key_place, message, "write it among the `faults`, or a `wait` before it");
        decoder.is_lossy = true;
        return;
    }
    decoder.lose_word(&entry.key, entry.key_place, "step", &words, &[]);
}

fn name(decoder: &mut Decoder, node: &Node) -> Option<Placed<String>> {
    let name = decoder.kebab(node, "a name")?;
    if name.value == ALL {
        return decoder.lose(node.place, "no step is called `all`: `heal: all` means every fault");
    }
    Some(name)
}

fn action(decoder: &mut Decoder, entry: &Entry) -> Option<SaidAction> {
    let node = &entry.value;
    match entry.key.as_str() {
        "wait" => {
            let value = decoder.duration(node)?;
            Some(SaidAction::Wait(Placed { value, place: node.place }))
        }
        "wait-for" => {
            let condition = condition(decoder, entry, "`wait-for`", &WAIT_FOR);
            let within = match &node.value {
                Value::Map(entries) => entries.iter().find(|entry| entry.key == "within"),
                _ => None,
            };
            let within = match within {
                Some(within) => Some(decoder.duration(&within.value)?),
                None => None,
            };
            Some(SaidAction::WaitFor { condition: condition?, within })
        }
        "assert" => condition(decoder, entry, "`assert`", &ASSERT).map(SaidAction::Assert),
        "upgrade" => upgrade(decoder, node),
        "rolling-restart" => {
            let map = decoder.map(node, "`rolling-restart`", &ROLLING)?;
            let target = decoder.require(&map, "target").and_then(|node| in_turn(decoder, node));
            target.map(SaidAction::RollingRestart)
        }
        "stop" => target(decoder, node).map(SaidAction::Stop),
        "start" => start(decoder, node),
        "heal" => {
            let text = decoder.text(node, "the name of a step, or all")?.to_owned();
            Some(SaidAction::Heal(Placed { value: Healed::from(text), place: node.place }))
        }
        _ => {
            unknown(decoder, entry);
            None
        }
    }
}

fn upgrade(decoder: &mut Decoder, node: &Node) -> Option<SaidAction> {
    let map = decoder.map(node, "`upgrade`", &UPGRADE)?;
    let target = decoder.require(&map, "target").and_then(|node| in_turn(decoder, node));
    let binary = decoder.require(&map, "binary").and_then(|node| decoder.kebab(node, "the name of a binary"));
    let one_at_a_time = map.get("one-at-a-time").map_or(Some(true), |node| decoder.boolean(node));
    Some(SaidAction::Upgrade { target: target?, binary: binary?, one_at_a_time: one_at_a_time? })
}

/// A target that is struck in turn. The leader is always last, so the word that says so means all.
fn in_turn(decoder: &mut Decoder, node: &Node) -> Option<Placed<Target>> {
    match &node.value {
        Value::Text(text) if text == FOLLOWERS_FIRST => {
            Some(Placed { value: Target::All, place: node.place })
        }
        _ => target(decoder, node),
    }
}

fn start(decoder: &mut Decoder, node: &Node) -> Option<SaidAction> {
    let value = match &node.value {
        Value::List(items) if !items.is_empty() => Stopped::Named(node_names(decoder, items)?),
        _ => decoder.read(node, "nodes that were stopped, e.g. all-stopped", str::parse)?,
    };
    Some(SaidAction::Start(Placed { value, place: node.place }))
}

fn condition(decoder: &mut Decoder, entry: &Entry, name: &str, fields: &Fields) -> Option<Placed<Condition>> {
    let map = decoder.map(&entry.value, name, fields)?;
    let said: Vec<&Entry> = CONDITIONS.iter().filter_map(|key| map.entry(key)).collect();
    let [said] = said[..] else {
        let message = format!("{name} has exactly one condition of {}", CONDITIONS.join(", "));
        return decoder.lose(map.place, message);
    };
    let value = value_of(decoder, said)?;
    Some(Placed { value, place: said.key_place })
}

fn value_of(decoder: &mut Decoder, said: &Entry) -> Option<Condition> {
    let node = &said.value;
    let count = |decoder: &mut Decoder, most: u64| decoder.one_count(node, 1, most);
    Some(match said.key.as_str() {
        "leader" => {
            if !decoder.boolean(node)? {
                return decoder.lose(node.place, "that nobody leads cannot be seen; write `leader: true`");
            }
            Condition::Leader
        }
        "leader-changes" => Condition::LeaderChanges(count(decoder, COUNT_MAX)?),
        "caught-up" => Condition::CaughtUp(target(decoder, node)?.value),
        "operations" => Condition::Operations(count(decoder, COUNT_MAX)?),
        "snapshot-installed" => Condition::SnapshotInstalled(count(decoder, COUNT_MAX)?),
        _ => Condition::Members(count(decoder, u64::from(crate::scenario::plan::NODES_MAX))?),
    })
}

impl SaidStep {
    /// Where its verb or its word stands, as far as that is known: at its name otherwise.
    pub(super) fn place(&self) -> Place {
        match &self.action {
            SaidAction::Wait(said) => said.place,
            _ => self.name.place,
        }
    }

    /// What a strike of it does.
    #[must_use]
    pub fn verb(&self) -> Option<&SaidVerb> {
        match &self.action {
            SaidAction::Strike { verb, .. } => Some(verb),
            _ => None,
        }
    }
}

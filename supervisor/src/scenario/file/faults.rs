//! `faults:`, the timed faults.

use std::time::Duration;

use super::decode::{Decoder, Fields, Map};
use super::place::Placed;
use super::suggest;
use super::tree::{Entry, Node, Value};
use crate::scenario::drawn::Drawn;
use crate::scenario::signal::Signal;
use crate::scenario::target::{Target, UnknownTarget};

/// The most strikes that `times` may ask for.
const TIMES_MAX: u64 = crate::scenario::plan::STRIKES_MAX as u64;

/// The verbs that this version carries out.
const VERBS: [&str; 3] = ["kill", "pause", "restart"];

const FAULT: Fields = Fields {
    known: &["name", "at", "every", "for", "times", "kill", "pause", "restart"],
    later: &["partition", "network", "clock", "disk", "membership", "transfer-leader", "snapshot"],
    elsewhere: &[
        ("target", "it belongs inside the verb, e.g. `kill: { target: leader }`"),
        ("signal", "it belongs inside `kill`"),
        ("restart-after", "it belongs inside `kill`"),
    ],
};

/// Where `for` and the like belong when they stand inside a verb.
const BESIDE: &str = "it belongs beside the verb, not inside it";

const ELSEWHERE: &[(&str, &str)] =
    &[("for", BESIDE), ("at", BESIDE), ("every", BESIDE), ("times", BESIDE), ("name", BESIDE)];

const KILL: Fields =
    Fields { known: &["target", "signal", "restart-after"], later: &[], elsewhere: ELSEWHERE };

const PAUSE: Fields = Fields { known: &["target"], later: &[], elsewhere: ELSEWHERE };

const RESTART: Fields = Fields { known: &["target"], later: &[], elsewhere: ELSEWHERE };

/// A timed fault, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name; where none was said, one made of the verb and the target: `kill-leader`.
    pub name: Placed<String>,
    /// When it strikes.
    pub when: When,
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

/// What a fault does, as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidVerb {
    /// A signal.
    Kill {
        /// Whom.
        target: Placed<Target>,
        /// With which signal; `None`: KILL.
        signal: Option<Signal>,
        /// When to start the node again; `None`: at the heal.
        restart_after: Option<Drawn<Duration>>,
    },
    /// SIGSTOP, and SIGCONT later.
    Pause {
        /// Whom.
        target: Placed<Target>,
        /// For how long.
        lasts: Drawn<Duration>,
    },
    /// A graceful stop and a new start.
    Restart {
        /// Whom.
        target: Placed<Target>,
    },
}

impl SaidVerb {
    /// Whom.
    #[must_use]
    pub fn target(&self) -> &Placed<Target> {
        match self {
            Self::Kill { target, .. } | Self::Pause { target, .. } | Self::Restart { target } => target,
        }
    }

    /// After which time it is lifted; `None`: it lifts itself, or ends at the heal.
    #[must_use]
    pub fn lasts(&self) -> Option<Drawn<Duration>> {
        match self {
            Self::Kill { restart_after, .. } => *restart_after,
            Self::Pause { lasts, .. } => Some(*lasts),
            Self::Restart { .. } => None,
        }
    }
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
    let map = decoder.map(item, "a fault", &FAULT)?;
    let said_name = map.get("name").and_then(|node| decoder.kebab(node, "a name"));
    let when = when(decoder, &map);
    let verb = verb_entry(decoder, &map).and_then(|entry| verb(decoder, entry, &map));
    let (when, verb) = (when?, verb?);
    let name = said_name.unwrap_or_else(|| Placed { value: usual_name(&verb, earlier), place: item.place });
    if earlier.iter().any(|fault| fault.name.value == name.value) {
        decoder.refuse(name.place, format!("two faults are called `{}`", name.value));
    }
    Some(Fault { name, when, verb })
}

/// `kill-leader`, or `kill-leader-2` where there is one already.
fn usual_name(verb: &SaidVerb, earlier: &[Fault]) -> String {
    let word = match verb {
        SaidVerb::Kill { .. } => "kill",
        SaidVerb::Pause { .. } => "pause",
        SaidVerb::Restart { .. } => "restart",
    };
    let stem = format!("{word}-{}", verb.target().value).replace([':', ','], "-");
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

/// The one verb of a fault.
fn verb_entry<'n>(decoder: &mut Decoder, map: &Map<'n>) -> Option<&'n Entry> {
    let is_verb = |entry: &&Entry| {
        // A verb that is refused by name still is the fault's verb.
        let key = entry.key.as_str();
        VERBS.contains(&key) || FAULT.later.contains(&key)
    };
    let mut verbs = map.entries().iter().filter(is_verb);
    let Some(first) = verbs.next() else {
        let message = "a fault needs exactly one verb: kill, pause or restart";
        return decoder.lose(map.place, message);
    };
    for second in verbs {
        let message =
            format!("`{}` is a second verb beside `{}`; a fault has exactly one", second.key, first.key);
        decoder.refuse_with(second.key_place, message, "write a second item of the list");
    }
    VERBS.contains(&first.key.as_str()).then_some(first)
}

fn verb(decoder: &mut Decoder, entry: &Entry, fault: &Map<'_>) -> Option<SaidVerb> {
    let lasts = fault.entry("for");
    match entry.key.as_str() {
        "kill" => {
            refuse_for(decoder, lasts, "a dead process stays dead; write `restart-after` inside `kill`");
            kill(decoder, entry)
        }
        "pause" => {
            let target = target_of(decoder, entry, "`pause`", &PAUSE);
            let Some(lasts) = lasts else {
                return decoder
                    .lose(entry.key_place, "a pause needs its length: write `for: 4s` beside `pause`");
            };
            let lasts = decoder.duration(&lasts.value);
            Some(SaidVerb::Pause { target: target?, lasts: lasts? })
        }
        _ => {
            refuse_for(decoder, lasts, "a restart takes as long as it takes");
            Some(SaidVerb::Restart { target: target_of(decoder, entry, "`restart`", &RESTART)? })
        }
    }
}

fn refuse_for(decoder: &mut Decoder, lasts: Option<&Entry>, why: &str) {
    if let Some(entry) = lasts {
        decoder.refuse(entry.key_place, format!("`for` has no meaning here: {why}"));
    }
}

fn kill(decoder: &mut Decoder, entry: &Entry) -> Option<SaidVerb> {
    let map = decoder.map(&entry.value, "`kill`", &KILL)?;
    let target = decoder.require(&map, "target").and_then(|node| target(decoder, node));
    let signal = map.get("signal").and_then(|node| signal(decoder, node));
    let restart_after = map.get("restart-after").and_then(|node| decoder.duration(node));
    Some(SaidVerb::Kill { target: target?, signal, restart_after })
}

fn signal(decoder: &mut Decoder, node: &Node) -> Option<Signal> {
    use nix::sys::signal::Signal::{SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    let text = decoder.text(node, "a signal, e.g. KILL")?;
    match text.parse() {
        Ok(Signal(SIGSTOP | SIGTSTP | SIGTTIN | SIGTTOU | SIGCONT)) => decoder.lose(
            node.place,
            format!("`{text}` stops or continues a process and does not end it; use `pause`"),
        ),
        Ok(signal) => Some(signal),
        Err(_) => {
            let question = suggest::question(text.trim_start_matches("SIG"), Signal::names());
            decoder.lose(node.place, format!("unknown signal `{text}`{question}"))
        }
    }
}

fn target_of(decoder: &mut Decoder, entry: &Entry, name: &str, fields: &Fields) -> Option<Placed<Target>> {
    let map = decoder.map(&entry.value, name, fields)?;
    let node = decoder.require(&map, "target")?;
    target(decoder, node)
}

fn target(decoder: &mut Decoder, node: &Node) -> Option<Placed<Target>> {
    let value = match &node.value {
        Value::List(items) if items.is_empty() => {
            return decoder.lose(node.place, "the target names no node");
        }
        Value::List(items) => Target::Named(named_nodes(decoder, items)?),
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

fn named_nodes(decoder: &mut Decoder, items: &[Node]) -> Option<Vec<String>> {
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

//! The sections of a scenario, field by field.

use std::collections::BTreeMap;

use checker::check::CheckName;

use super::decode::{Decoder, Fields};
use super::place::Placed;
use super::tree::{Entry, Node, Value};
use super::{
    ClusterSection, RunSection, ScenarioFile, WorkloadSection, binaries, faults, nemesis, steps, suggest,
};
use crate::scenario::expectation::{Expectation, ExpectedFailure, FailureKind, Finder};
use crate::scenario::plan::{Keep, NODES_MAX, Reach, STRIKES_MAX, STRUCK};
use crate::scenario::threshold::{Metric, NotAThreshold, Threshold};
use crate::scenario::unit;
use crate::scenario::word::Word;
use crate::scenario::workload::WorkloadKind;

/// The version of the format that is read.
const VERSION: u64 = 1;

/// The most clients: each has a connection to every node.
const CLIENTS_MAX: u64 = 1_000;

/// The most objects that a workload is spread over: all are read from every node in the end.
const KEYS_MAX: u64 = 10_000;

/// The largest message in bytes.
const PAYLOAD_MAX: u64 = 64 * 1024;

/// The largest weight in a mix, so that the sum of all fits into 32 bits.
const WEIGHT_MAX: u64 = 1_000_000;

/// The most of anything that a scenario may want to reach.
const REACH_MAX: u64 = 1_000_000_000_000;

const SCENARIO: Fields = Fields {
    known: &[
        "version",
        "name",
        "description",
        "tags",
        "timeout",
        "seed",
        "binaries",
        "cluster",
        "workload",
        "run",
        "faults",
        "nemesis",
        "steps",
        "checks",
        "thresholds",
        "reach",
        "expect",
        "artifacts",
    ],
    later: &["repeat", "matrix"],
    elsewhere: &[],
};

const CLUSTER: Fields = Fields {
    known: &["nodes", "spares", "network", "disk", "clock", "config", "inject-bug", "binary"],
    later: &["log"],
    elsewhere: &[],
};

const CONFIG: Fields =
    Fields { known: &["snapshot-entries", "keep-entries", "in-flight-max"], later: &[], elsewhere: &[] };

/// The largest value of a setting of the nodes.
const SETTING_MAX: u64 = 1_000_000_000;

const WORKLOAD: Fields = Fields {
    known: &["kind", "clients", "rate", "routing", "operation-timeout", "tries", "keys", "payload", "mix"],
    later: &[],
    elsewhere: &[("duration", "it belongs into `run`")],
};

const RUN: Fields = Fields {
    known: &["warmup", "duration", "settle", "final-reads", "live-check", "history"],
    later: &[],
    elsewhere: &[("timeout", "it belongs to the top level")],
};

const EXPECT: Fields = Fields { known: &["fail"], later: &[], elsewhere: &[] };

const FAIL: Fields = Fields { known: &["check", "anomaly", "within-seeds"], later: &[], elsewhere: &[] };

const ARTIFACTS: Fields = Fields { known: &["keep", "data-dirs"], later: &[], elsewhere: &[] };

const CHECKS_LATER: [&str; 3] = ["session", "liveness", "no-log-match"];

/// Reads the whole file. `None` when something that must be there could not be read.
pub(super) fn scenario(decoder: &mut Decoder, root: &Node) -> Option<ScenarioFile> {
    let map = decoder.map(root, "the scenario", &SCENARIO)?;
    if let Some(node) = decoder.require(&map, "version") {
        decoder.read(node, "the version of the format", |text| match text.parse::<u64>() {
            Ok(VERSION) => Ok(()),
            _ => Err(format!(
                "version `{text}` of the format is not known; this supervisor reads version {VERSION}"
            )),
        });
    }
    let name = decoder.require(&map, "name").and_then(|node| decoder.kebab(node, "a name"));
    let description = map.get("description").and_then(|node| decoder.text(node, "a sentence"));
    let tags = map.get("tags").and_then(|node| tags(decoder, node));
    let timeout = map.get("timeout").and_then(|node| {
        let value = decoder.read(node, "a duration, e.g. 2m", unit::parse_duration)?;
        Some(Placed { value, place: node.place })
    });
    let seed = map.get("seed").and_then(|node| seed(decoder, node));
    let binaries = map.get("binaries").and_then(|node| binaries::binaries(decoder, node));
    let cluster = map.get("cluster").and_then(|node| cluster(decoder, node));
    let workload = decoder.require(&map, "workload").and_then(|node| workload(decoder, node));
    let run = decoder.require(&map, "run").and_then(|node| run(decoder, node));
    let faults = map.get("faults").and_then(|node| faults::faults(decoder, node));
    let nemesis = map.entry("nemesis").and_then(|entry| nemesis::nemesis(decoder, entry));
    let steps = map.get("steps").and_then(|node| steps::steps(decoder, node));
    let checks = decoder.require(&map, "checks").and_then(|node| checks(decoder, node));
    let thresholds = map.get("thresholds").and_then(|node| thresholds(decoder, node));
    let reach = map.get("reach").and_then(|node| reach(decoder, node));
    let expect = map.get("expect").and_then(|node| {
        let value = expect(decoder, node)?;
        Some(Placed { value, place: node.place })
    });
    let artifacts = map.get("artifacts").and_then(|node| decoder.map(node, "`artifacts`", &ARTIFACTS));
    let keep = artifacts
        .and_then(|map| map.get("keep"))
        .and_then(|node| decoder.word::<Keep>(node, "time to keep", &[]));
    let data_dirs = artifacts.and_then(|map| map.get("data-dirs")).and_then(|node| decoder.boolean(node));
    Some(ScenarioFile {
        source: String::new(),
        text: String::new(),
        overrides: Vec::new(),
        name: name?,
        description: description.map(str::to_owned),
        tags: tags.unwrap_or_default(),
        timeout,
        seed: seed.flatten(),
        binaries: binaries.unwrap_or_default(),
        cluster: cluster.unwrap_or_default(),
        workload: workload?,
        run: run?,
        faults: faults.unwrap_or_default(),
        nemesis,
        steps: steps.unwrap_or_default(),
        checks: checks?,
        thresholds: thresholds.unwrap_or_default(),
        reach: reach.unwrap_or_default(),
        expect,
        keep,
        data_dirs,
    })
}

fn tags(decoder: &mut Decoder, node: &Node) -> Option<Vec<String>> {
    let items = decoder.list(node, "`tags`")?;
    Some(items.iter().filter_map(|item| decoder.kebab(item, "a tag")).map(|tag| tag.value).collect())
}

/// The seed; within, `None` when every run is to have its own.
fn seed(decoder: &mut Decoder, node: &Node) -> Option<Option<u64>> {
    decoder.read(node, "a seed", |text| match text {
        "random" => Ok(None),
        number => match number.parse() {
            Ok(seed) => Ok(Some(seed)),
            Err(_) => Err(format!("`{text}` is not a seed; write a whole number below 2^64, or random")),
        },
    })
}

fn cluster(decoder: &mut Decoder, node: &Node) -> Option<ClusterSection> {
    let map = decoder.map(node, "`cluster`", &CLUSTER)?;
    let nodes = map.get("nodes").and_then(|node| decoder.one_count(node, 1, u64::from(NODES_MAX)));
    let spares = map.get("spares").and_then(|node| {
        let value = decoder.one_count(node, 1, u64::from(NODES_MAX))?;
        let value = u8::try_from(value).expect("a count is within the limits that it was read with");
        Some(Placed { value, place: node.place })
    });
    let network = map.get("network").and_then(|node| placed_word(decoder, node, "network"));
    let disk = map.get("disk").and_then(|node| placed_word(decoder, node, "disk"));
    let clock = map.get("clock").and_then(|node| placed_word(decoder, node, "clock"));
    let config = map.get("config").and_then(|node| config(decoder, node));
    let inject_bug = map.get("inject-bug").and_then(|node| decoder.kebab(node, "the id of a bug"));
    let binary = map.get("binary").and_then(|node| binaries::binary(decoder, node));
    let nodes =
        nodes.map(|nodes| u8::try_from(nodes).expect("a count is within the limits that it was read with"));
    Some(ClusterSection {
        nodes,
        spares,
        network,
        disk,
        clock,
        config: config.unwrap_or_default(),
        inject_bug,
        binary,
    })
}

fn placed_word<W: Word>(decoder: &mut Decoder, node: &Node, what: &str) -> Option<Placed<W>> {
    let value = decoder.word(node, what, &[])?;
    Some(Placed { value, place: node.place })
}

/// How often a client may try a write. More tries than nodes tell nothing new.
const TRIES_MAX: u64 = 10;

/// Settings of the nodes. Their meaning is the system's; what stands here is what may be set.
fn config(decoder: &mut Decoder, node: &Node) -> Option<BTreeMap<String, String>> {
    let map = decoder.map(node, "`config`", &CONFIG)?;
    let settings = map.entries().iter().filter_map(|entry| {
        let value = decoder.one_count(&entry.value, 1, SETTING_MAX)?;
        Some((entry.key.clone(), value.to_string()))
    });
    Some(settings.collect())
}

fn workload(decoder: &mut Decoder, node: &Node) -> Option<WorkloadSection> {
    let map = decoder.map(node, "`workload`", &WORKLOAD)?;
    let kind =
        decoder.require(&map, "kind").and_then(|node| decoder.word::<WorkloadKind>(node, "workload", &[]));
    let clients = map.get("clients").and_then(|node| decoder.count(node, 1, CLIENTS_MAX));
    let rate = map.get("rate").and_then(|node| decoder.drawn(node, "a rate, e.g. 200/s", str::parse));
    let routing = map.get("routing").and_then(|node| decoder.word(node, "routing", &[]));
    let operation_timeout = map.get("operation-timeout").and_then(|node| decoder.duration(node));
    let tries = map.get("tries").and_then(|node| decoder.one_count(node, 1, TRIES_MAX));
    let keys = map.get("keys").and_then(|node| decoder.count(node, 1, KEYS_MAX));
    let payload = map.get("payload").and_then(|node| {
        let value = decoder.drawn(node, "a size, e.g. 64B", |text| match unit::parse_size(text) {
            Ok(bytes @ 1..=PAYLOAD_MAX) => Ok(bytes),
            Ok(_) => {
                Err(format!("`{text}` is out of range; at least 1B, at most {}", unit::Size(PAYLOAD_MAX)))
            }
            Err(why) => Err(why.to_string()),
        })?;
        Some(Placed { value, place: node.place })
    });
    let mix = map.get("mix").and_then(|node| mix(decoder, node, kind?));
    Some(WorkloadSection {
        kind: kind?,
        clients,
        rate,
        routing,
        operation_timeout,
        tries,
        keys,
        payload,
        mix,
    })
}

fn mix(decoder: &mut Decoder, node: &Node, kind: WorkloadKind) -> Option<BTreeMap<String, u32>> {
    let entries = decoder.entries(node, "`mix`")?;
    let mut mix = BTreeMap::new();
    for entry in entries {
        let key = entry.key.as_str();
        if !kind.operations().contains(&key) {
            decoder.lose_word(
                key,
                entry.key_place,
                &format!("operation of {kind}"),
                kind.operations(),
                kind.later_operations(),
            );
        }
        if let Some(weight) = decoder.one_count(&entry.value, 1, WEIGHT_MAX) {
            let weight = u32::try_from(weight).expect("a weight is within the limits that it was read with");
            mix.insert(entry.key.clone(), weight);
        }
    }
    if entries.is_empty() {
        return decoder.lose(node.place, "`mix` names no operation; leave it out for the usual one");
    }
    if mix.contains_key("poll") && !mix.contains_key("send") {
        return decoder
            .lose(node.place, "`mix` has `poll` and no `send`, so that nothing would be delivered");
    }
    Some(mix)
}

fn run(decoder: &mut Decoder, node: &Node) -> Option<RunSection> {
    let map = decoder.map(node, "`run`", &RUN)?;
    let warmup = map.get("warmup").and_then(|node| decoder.duration_or_zero(node));
    let duration = decoder.require(&map, "duration").and_then(|node| {
        let value = decoder.duration(node)?;
        Some(Placed { value, place: node.place })
    });
    let settle = map.get("settle").and_then(|node| decoder.duration(node));
    let final_reads = map.get("final-reads").and_then(|node| {
        let value = decoder.boolean(node)?;
        Some(Placed { value, place: node.place })
    });
    let live_check = map.get("live-check").and_then(|node| {
        let value = decoder.word(node, "live check", &[])?;
        Some(Placed { value, place: node.place })
    });
    let history = map.get("history").and_then(|node| decoder.word(node, "form of the history", &[]));
    Some(RunSection { warmup, duration: duration?, settle, final_reads, live_check, history })
}

fn checks(decoder: &mut Decoder, node: &Node) -> Option<Vec<Placed<CheckName>>> {
    let items = decoder.list(node, "`checks`")?;
    if items.is_empty() {
        return decoder.lose(node.place, "`checks` is empty; a run without a check proves nothing");
    }
    let mut checks: Vec<Placed<CheckName>> = Vec::new();
    for item in items {
        let Some(value) = decoder.word(item, "check", &CHECKS_LATER) else { continue };
        if checks.iter().any(|check| check.value == value) {
            decoder.refuse(item.place, format!("the check `{value}` is named twice"));
        }
        checks.push(Placed { value, place: item.place });
    }
    Some(checks)
}

fn thresholds(decoder: &mut Decoder, node: &Node) -> Option<Vec<Threshold>> {
    let items = decoder.list(node, "`thresholds`")?;
    let threshold = |item: &Node| {
        let text = decoder.text(item, "a threshold, e.g. longest-outage < 3s")?;
        match text.parse() {
            Ok(threshold) => Some(threshold),
            Err(NotAThreshold::Metric(metric)) => {
                decoder.lose_word(&metric, item.place, "metric", &Metric::words(), &[]);
                None
            }
            Err(why) => decoder.lose(item.place, why.to_string()),
        }
    };
    Some(items.iter().filter_map(threshold).collect())
}

fn reach(decoder: &mut Decoder, node: &Node) -> Option<BTreeMap<Reach, Placed<u64>>> {
    let entries = decoder.entries(node, "`reach`")?;
    let mut reach = BTreeMap::new();
    for entry in entries {
        if entry.key == STRUCK {
            reach.extend(struck(decoder, &entry.value).unwrap_or_default());
            continue;
        }
        let goal = Reach::of_word(&entry.key);
        if goal.is_none() {
            let words: Vec<&str> = Reach::words().chain([STRUCK]).collect();
            decoder.lose_word(&entry.key, entry.key_place, "goal", &words, &[]);
        }
        let count = decoder.one_count(&entry.value, 1, REACH_MAX);
        if let (Some(goal), Some(value)) = (goal, count) {
            reach.insert(goal, Placed { value, place: entry.value.place });
        }
    }
    Some(reach)
}

/// Faults and steps by their names, and how often each is to have done what it is for.
fn struck(decoder: &mut Decoder, node: &Node) -> Option<BTreeMap<Reach, Placed<u64>>> {
    let entries = decoder.entries(node, "`struck`")?;
    if entries.is_empty() {
        return decoder.lose(node.place, "`struck` names no fault; write e.g. `struck: { kill-leader: 1 }`");
    }
    let count = |entry: &Entry| {
        let value = decoder.one_count(&entry.value, 1, STRIKES_MAX as u64)?;
        Some((Reach::Struck(entry.key.clone()), Placed { value, place: entry.key_place }))
    };
    Some(entries.iter().filter_map(count).collect())
}

fn expect(decoder: &mut Decoder, node: &Node) -> Option<Expectation> {
    if let Value::Text(text) = &node.value {
        if text == "pass" {
            return Some(Expectation::Pass);
        }
        let question = suggest::question(text, ["pass"]);
        return decoder
            .lose(node.place, format!("expected `pass`, or `fail` with a check, found `{text}`{question}"));
    }
    let map = decoder.map(node, "`expect`", &EXPECT)?;
    let fail = decoder.require(&map, "fail")?;
    let map = decoder.map(fail, "`fail`", &FAIL)?;
    let finder: Option<Finder> =
        decoder.require(&map, "check").and_then(|node| decoder.word(node, "check", &CHECKS_LATER));
    let anomaly = decoder.require(&map, "anomaly");
    let kind = finder.zip(anomaly).and_then(|(finder, node)| match finder {
        Finder::Check(check) => {
            decoder.word(node, "anomaly", &[]).map(|anomaly| FailureKind::Anomaly(check, anomaly))
        }
        Finder::Liveness => decoder.word(node, "failure of liveness", &[]).map(FailureKind::Liveness),
    });
    let within = map.get("within-seeds").map_or(Some(1), |node| decoder.one_count(node, 1, 1_000));
    let within_seeds = u32::try_from(within?).expect("a count is within the limits that it was read with");
    Some(Expectation::Fail(ExpectedFailure { kind: kind?, within_seeds }))
}

//! The plan: what a run will do, with nothing left to decide.
//!
//! [`Plan::resolve`] spends the seed: ranges are drawn, defaults are written down, and every timed fault is unrolled
//! into [`Strike`]s at fixed offsets. What stays symbolic is the [`Target`](super::target::Target) of a strike, because it depends on the
//! cluster at that moment; [`Plan::rng_of`] gives the generator that then decides.
//!
//! Every part draws from a fork of its own, named after it (`workload.clients`, `fault/<name>`), so one
//! change in a scenario changes nothing else of the plan.
//!
//! # When faults strike
//! Times count from the end of the warm-up. `at: 5s` strikes once, `every: 8s` first at 8 s and then every 8 s (a
//! range is drawn anew for each interval). A strike is planned only if it can be lifted before the load ends: `at`
//! plus its `for` or `restart-after` does not exceed `run.duration`. A kill without `restart-after` lasts until the
//! heal; it, and a restart, must begin before the load ends. After the first strike of a fault that does not fit, that
//! fault strikes no more.
//!
//! # The file
//! `plan.yaml` is this type, written and read by serde: strict, stable, and the same bytes for the same plan, so that
//! [`Plan::hash`] names it. A plan says everything: no field may be missing.

mod load;
mod resolve;
mod steps;
pub(super) mod swarm;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use checker::anomaly::AnomalyKind;
use checker::check::CheckName;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::count::Count;
use super::step::Step;
use super::threshold::Threshold;
use super::unit::{self, Rate};
use super::verb::Verb;
use super::word::Word;
use crate::rng::Rng;

pub use super::workload::{Routing, WorkloadKind};
pub use load::PlanLoadError;
pub use swarm::FaultKind;

/// The version of `plan.yaml`.
pub const PLAN_VERSION: u32 = 1;

/// The most nodes of a cluster.
pub const NODES_MAX: u8 = 9;

/// The nodes of a cluster whose scenario says nothing of them: the fewest that survive two failures.
pub(crate) const NODES_DEFAULT: u8 = 5;

/// The most strikes of a plan.
pub const STRIKES_MAX: usize = 1_000;

/// Everything that a run will do.
///
/// Invariants: 1 to [`NODES_MAX`] nodes; at least one client, key and operation in the mix, of the workload's own;
/// strikes in the order of their times, each within the load and with a name of its own, at most [`STRIKES_MAX`]; at least
/// one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// The version of this format: [`PLAN_VERSION`].
    pub version: u32,
    /// The scenario's name: the stem of its file.
    pub name: String,
    /// The scenario's file, as it was named to the supervisor. Not part of [`Plan::hash`].
    pub source: String,
    /// What was changed in it on the command line, each `path=value`. Not part of [`Plan::hash`].
    pub overrides: Vec<String>,
    /// The scenario in a sentence; may be empty.
    pub description: String,
    /// Words to select scenarios by.
    pub tags: Vec<String>,
    /// The seed of everything that is drawn, here and in the run.
    pub seed: u64,
    /// The limit of the whole run, from the start of the first node to the end of the last.
    #[serde(with = "unit::duration")]
    pub timeout: Duration,
    /// Programs that a node can be besides the default one, by name: a path, or the name of a file beside the supervisor.
    pub binaries: BTreeMap<String, String>,
    /// The cluster.
    pub cluster: ClusterPlan,
    /// The clients.
    pub workload: WorkloadPlan,
    /// The phases.
    pub run: RunPlan,
    /// The kinds of random faults that this seed has, with their weights; none where the scenario has no nemesis. Their
    /// strikes are among the others; this says what they were drawn from.
    pub swarm: BTreeMap<FaultKind, u32>,
    /// The faults, in the order in which they strike.
    pub strikes: Vec<Strike>,
    /// What is done in order beside them, from the end of the warm-up on.
    pub steps: Vec<Step>,
    /// What the checker must find valid.
    pub checks: Vec<CheckName>,
    /// What is demanded in speed and availability.
    pub thresholds: Vec<Threshold>,
    /// What must have happened, and how often at least.
    pub reach: BTreeMap<Reach, u64>,
    /// Which verdict is the expected one.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub expect: Expectation,
    /// What stays on disk.
    pub artifacts: Artifacts,
}

/// The cluster under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClusterPlan {
    /// How many nodes, 1 to [`NODES_MAX`]. They are called `n1`, `n2`, …
    pub nodes: u8,
    /// How many more may join later; nodes and spares are at most [`NODES_MAX`]. Their names go on where the nodes' end.
    pub spares: u8,
    /// What the nodes reach each other by.
    pub network: NetworkKind,
    /// What the nodes write to.
    pub disk: DiskKind,
    /// What the nodes read the time from.
    pub clock: ClockKind,
    /// Settings of every node, by name.
    pub config: BTreeMap<String, String>,
    /// The planted bug that every node is to have, by its id in the build under test.
    // Named, because serde lets an `Option` be missing unless a function of its own reads it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub inject_bug: Option<String>,
    /// The program that each node runs at first, by the name in [`Plan::binaries`]; the default one where it is not named.
    pub binary: BTreeMap<String, String>,
}

impl ClusterPlan {
    /// The names of the nodes that found the cluster: `n1`, `n2`, …
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        (1..=self.nodes).map(|number| format!("n{number}")).collect()
    }

    /// The names of the spares, in the order in which they are used.
    #[must_use]
    pub fn spare_names(&self) -> Vec<String> {
        (self.nodes + 1..=self.nodes + self.spares).map(|number| format!("n{number}")).collect()
    }
}

/// What nodes and clients reach nodes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// Proxies in the supervisor.
    Proxy,
    /// The kernel, in a network namespace of the run's own.
    Kernel,
}

impl Word for NetworkKind {
    const ALL: &'static [Self] = &[Self::Proxy, Self::Kernel];

    fn word(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Kernel => "kernel",
        }
    }
}

/// What nodes write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskKind {
    /// The file system; what was written survives the end of the process.
    Plain,
    /// What was not synced is lost with the process, as in a power failure.
    Volatile,
}

impl Word for DiskKind {
    const ALL: &'static [Self] = &[Self::Plain, Self::Volatile];

    fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Volatile => "volatile",
        }
    }
}

/// What nodes read the time from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockKind {
    /// The clocks of the machine.
    Real,
    /// Clocks of their own, which can be set wrong.
    Skewable,
}

impl Word for ClockKind {
    const ALL: &'static [Self] = &[Self::Real, Self::Skewable];

    fn word(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Skewable => "skewable",
        }
    }
}

/// What the clients do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorkloadPlan {
    /// The kind of operations.
    pub kind: WorkloadKind,
    /// How many clients at once; each is one process of the history at a time.
    pub clients: u32,
    /// When the next operation begins.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub load: Load,
    /// Through which node.
    pub routing: Routing,
    /// The deadline of one operation.
    #[serde(with = "unit::duration")]
    pub operation_timeout: Duration,
    /// How many objects (conversations, accounts) the operations are spread over.
    pub keys: u32,
    /// The length of a message's text in bytes; without meaning for accounts.
    #[serde(with = "unit::size")]
    pub payload: u64,
    /// The operations with their weights, each at least 1; what is not named is not done.
    pub mix: BTreeMap<String, u32>,
}

/// When clients begin operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// At this rate over all clients, however slow the answers are.
    Open(#[serde(with = "unit::text")] Rate),
    /// Each client begins its next operation when the last one has ended.
    Closed,
}

/// The phases of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RunPlan {
    /// Load without faults, outside every measure.
    #[serde(with = "unit::duration")]
    pub warmup: Duration,
    /// Load and faults.
    #[serde(with = "unit::duration")]
    pub duration: Duration,
    /// The limit of the heal: how long the cluster may take, all faults lifted, to serve again and to catch up.
    #[serde(with = "unit::duration")]
    pub settle: Duration,
    /// Whether everything is read from every node, and digests are taken, before the nodes stop.
    pub final_reads: bool,
}

/// One fault at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Strike {
    /// The name of this strike alone: `kill-leader#2`.
    pub name: String,
    /// The name of the scenario's fault: `kill-leader`.
    pub fault: String,
    /// When, from the end of the warm-up.
    #[serde(with = "unit::duration")]
    pub at: Duration,
    /// For how long; `None`: until the heal, or, where the verb says so, until it has been carried out.
    #[serde(with = "unit::optional_duration", rename = "for")]
    pub lasts: Option<Duration>,
    /// What.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub verb: Verb,
}

/// Something that must have happened often enough for a green run to mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reach {
    /// A node became leader, not counting the first leader.
    LeaderChanges,
    /// An operation succeeded while a fault was in force.
    OkDuringFaults,
    /// A strike struck, and had an effect.
    FaultsInstalled,
    /// An operation completed.
    Operations,
    /// A node replaced its state by a snapshot that a leader sent.
    SnapshotInstalled,
    /// Faults have done something so often.
    Count(Count),
}

impl Reach {
    /// What can be reached that is not a figure of the faults.
    const OWN: [Self; 5] = [
        Self::LeaderChanges,
        Self::OkDuringFaults,
        Self::FaultsInstalled,
        Self::Operations,
        Self::SnapshotInstalled,
    ];

    /// Everything that can be reached, in the order in which it is listed to a person.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::OWN.into_iter().chain(Count::ALL.iter().copied().map(Self::Count))
    }

    /// Its word: `leader-changes`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Count(count) => count.word(),
            Self::LeaderChanges => "leader-changes",
            Self::OkDuringFaults => "ok-during-faults",
            Self::FaultsInstalled => "faults-installed",
            Self::Operations => "operations",
            Self::SnapshotInstalled => "snapshot-installed",
        }
    }
}

impl TryFrom<String> for Reach {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::all().find(|goal| goal.word() == text).ok_or_else(|| format!("unknown goal `{text}`"))
    }
}

impl From<Reach> for String {
    fn from(goal: Reach) -> Self {
        goal.word().to_owned()
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Which verdict is the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Expectation {
    /// Every check is valid.
    Pass,
    /// A check finds a violation: there is a bug, and the testbed must catch it.
    Fail {
        /// The check that must find it.
        check: CheckName,
        /// The anomaly that it must find.
        anomaly: AnomalyKind,
        /// Within how many seeds, counted from the plan's own; at least 1.
        within_seeds: u32,
    },
}

/// What stays in the run directory. What is needed to check and report again always stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Artifacts {
    /// When the rest stays.
    pub keep: Keep,
    /// Whether the nodes' data directories are part of the rest.
    pub data_dirs: bool,
}

/// When bulky artifacts stay on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// When the run did not end as expected.
    OnFailure,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Word for Keep {
    const ALL: &'static [Self] = &[Self::OnFailure, Self::Always, Self::Never];

    fn word(self) -> &'static str {
        match self {
            Self::OnFailure => "on-failure",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// Why a text is not a plan.
#[derive(Debug, Error)]
pub enum PlanError {
    /// It is not the YAML of a plan; the cause says where.
    #[error("not a plan")]
    Form(#[source] serde_yaml::Error),
    /// It contradicts an invariant of [`Plan`].
    #[error("not a plan that can be run: {why}")]
    Sense {
        /// Where: the path of the field, `strikes.3.at`.
        at: String,
        /// What, in a few words.
        why: String,
    },
}

impl Plan {
    /// The canonical text: `plan.yaml`.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        serde_yaml::to_string(self).expect("a plan has string keys and no failing serialiser")
    }

    /// Reads what [`Plan::to_yaml`] wrote.
    ///
    /// # Errors
    /// If the text is not YAML, has a field too many or too few, or breaks an invariant of [`Plan`].
    pub fn from_yaml(text: &str) -> Result<Self, PlanError> {
        let plan: Self = serde_yaml::from_str(text).map_err(PlanError::Form)?;
        match plan.broken_invariant() {
            None => Ok(plan),
            Some((at, why)) => Err(PlanError::Sense { at, why }),
        }
    }

    /// The name of this plan in reports: XXH3 of its canonical text without where it came from, 16 hexadecimal
    /// digits. Two plans of one hash do the same.
    #[must_use]
    pub fn hash(&self) -> String {
        let bare = Self { source: String::new(), overrides: Vec::new(), ..self.clone() };
        format!("{:016x}", xxh3_64(bare.to_yaml().as_bytes()))
    }

    /// The root of all randomness of the run.
    #[must_use]
    pub fn rng(&self) -> Rng {
        Rng::from_seed(self.seed)
    }

    /// The generator that decides whom `strike` means: the same for the same strike of the same seed.
    #[must_use]
    pub fn rng_of(&self, strike: &Strike) -> Rng {
        self.rng().fork(&format!("strike/{}", strike.name))
    }

    /// The same for a step.
    #[must_use]
    pub fn rng_of_step(&self, step: &Step) -> Rng {
        self.rng().fork(&format!("step/{}", step.name))
    }

    /// Every verb that is carried out, timed or as a step, with the name of its strike.
    pub fn verbs(&self) -> impl Iterator<Item = (&str, &Verb)> {
        let timed = self.strikes.iter().map(|strike| (strike.name.as_str(), &strike.verb));
        let steps = self.steps.iter().filter_map(|step| Some((step.name.as_str(), step.action.verb()?)));
        timed.chain(steps)
    }

    /// The path of a field that breaks an invariant, and which one.
    pub(crate) fn broken_invariant(&self) -> Option<(String, String)> {
        let Self { cluster, workload, strikes, .. } = self;
        let own = |operation: &&String| !workload.kind.operations().contains(&operation.as_str());
        let broken = [
            (
                self.version != PLAN_VERSION,
                "version",
                format!("version {} is not {PLAN_VERSION}", self.version),
            ),
            (
                cluster.nodes == 0 || cluster.nodes.saturating_add(cluster.spares) > NODES_MAX,
                "cluster.nodes",
                format!("{} nodes and {} spares", cluster.nodes, cluster.spares),
            ),
            (workload.clients == 0, "workload.clients", "no clients".to_owned()),
            (workload.keys == 0, "workload.keys", "no keys".to_owned()),
            (
                workload.mix.is_empty() || workload.mix.values().any(|weight| *weight == 0),
                "workload.mix",
                "an empty mix".to_owned(),
            ),
            (
                workload.mix.keys().any(|key| own(&key)),
                "workload.mix",
                format!("an operation that {} has not", workload.kind),
            ),
            (strikes.len() > STRIKES_MAX, "strikes", format!("{} strikes", strikes.len())),
            (self.checks.is_empty(), "checks", "no checks".to_owned()),
        ];
        let broken = broken.into_iter().find_map(|(is_broken, at, why)| is_broken.then_some((at, why)));
        broken
            .map(|(at, why)| (at.to_owned(), why))
            .or_else(|| self.broken_strike())
            .or_else(|| steps::broken(self))
    }

    /// The same of the strikes.
    fn broken_strike(&self) -> Option<(String, String)> {
        let (mut names, mut last) = (BTreeSet::new(), Duration::ZERO);
        for (index, strike) in self.strikes.iter().enumerate() {
            let broken = [
                (!names.insert(&strike.name), "name", "two strikes of one name"),
                (strike.at < last, "at", "strikes out of order"),
                (strike.at > self.run.duration, "at", "a strike after the end of the load"),
            ];
            last = strike.at;
            if let Some((_, field, why)) = broken.into_iter().find(|(is_broken, ..)| *is_broken) {
                return Some((format!("strikes.{index}.{field}"), why.to_owned()));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;

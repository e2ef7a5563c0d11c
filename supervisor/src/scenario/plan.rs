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

mod artifacts;
mod clients;
mod cluster;
mod invariant;
mod load;
mod reach;
mod resolve;
mod steps;
pub(super) mod swarm;

use std::collections::BTreeMap;
use std::time::Duration;

use checker::check::CheckName;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use super::expectation::Expectation;
use super::step::Step;
use super::threshold::Threshold;
use super::unit;
use super::verb::{FaultKind, Verb};
use crate::rng::Rng;

pub use super::workload::{Routing, WorkloadKind};
pub use artifacts::{Artifacts, Keep};
pub use clients::{Load, WorkloadPlan};
pub use cluster::{ClockKind, ClusterPlan, DiskKind, NetworkKind};
pub use load::PlanLoadError;
pub use reach::Reach;
pub(crate) use reach::STRUCK;

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
    /// Whether the history is judged while it is being written; left out where it is not.
    #[serde(default, skip_serializing_if = "LiveCheck::is_off")]
    pub live_check: LiveCheck,
    /// How the history is written; left out where it is as lines.
    #[serde(default, skip_serializing_if = "HistoryForm::is_jsonl")]
    pub history: HistoryForm,
}

/// How the history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryForm {
    /// As lines that people can read: [`checker::history::jsonl`].
    #[default]
    Jsonl,
    /// In a few bytes an event, with checksums: [`checker::history::binary`].
    Binary,
}

impl HistoryForm {
    fn is_jsonl(&self) -> bool {
        *self == HistoryForm::Jsonl
    }

    /// What the file is called in the run directory.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            HistoryForm::Jsonl => "history.jsonl",
            HistoryForm::Binary => "history.bin",
        }
    }
}

/// Whether the history is judged while it is being written, and what comes of a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LiveCheck {
    /// It is judged in the end.
    #[default]
    Off,
    /// A violation is told at once, and the run goes on.
    Tell,
    /// The first violation is told at once and ends the load: faults are lifted, everything is read, and it is judged.
    Stop,
}

impl LiveCheck {
    fn is_off(&self) -> bool {
        *self == LiveCheck::Off
    }
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
        let plan = Self::of_run(text)?;
        match plan.broken_invariant() {
            None => Ok(plan),
            Some((at, why)) => Err(PlanError::Sense { at, why }),
        }
    }

    /// Reads the plan of a run that was made. It was carried out, whatever a later version would refuse of it.
    ///
    /// # Errors
    /// If the text is not YAML, or has a field too many or too few.
    pub fn of_run(text: &str) -> Result<Self, PlanError> {
        serde_yaml::from_str(text).map_err(PlanError::Form)
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
}

#[cfg(test)]
mod tests;

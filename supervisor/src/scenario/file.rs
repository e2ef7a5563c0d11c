//! The scenario as it was said.
//!
//! [`ScenarioFile::parse`] goes in four steps, none of which stops at the first error:
//!
//! 1. `tree` reads YAML into nodes that know their line and column;
//! 2. `overrides` puts `--set path=value` into the tree;
//! 3. `sections`, `faults`, `steps` and `binaries` read every field by name, with the small steps of `decode`;
//! 4. `sense` looks at several fields at once: a target that the cluster does not have, a fault that never strikes.
//!
//! A [`ScenarioFile`] holds only what was said: an absent field is `None`, and a range is a range. Defaults and draws
//! are the business of [`Plan::resolve`](super::plan::Plan::resolve), which therefore cannot fail.
//!
//! # Caveats
//! Values are checked as a whole (step 4) only when each of them could be read, so that one mistake is not reported
//! as two.

mod binaries;
mod decode;
mod error;
mod faults;
mod nemesis;
mod overrides;
mod place;
mod sections;
mod sense;
mod spot;
mod steps;
mod suggest;
mod tree;
mod verb;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use checker::check::CheckName;

use super::drawn::Drawn;
use super::expectation::Expectation;
use super::plan::{ClockKind, DiskKind, HistoryForm, Keep, LiveCheck, NetworkKind, Reach};
use super::threshold::Threshold;
use super::unit::Rate;
use super::workload::{Routing, WorkloadKind};
use decode::Decoder;

pub use binaries::SaidBinary;
pub use error::{LoadError, ScenarioError, ScenarioErrors};
pub use faults::{Fault, When};
pub use nemesis::{Majority, Narrowed, NemesisSection};
pub use place::{Place, Placed};
pub(super) use sense::{senseless, spares_needed};
pub(super) use spot::{Spot, refuse_at};
pub(super) use steps::STEPS_MAX;
pub use steps::{SaidAction, SaidStep};
pub(super) use verb::said_verb;
pub use verb::{SaidClock, SaidDisk, SaidDiskVerb, SaidMembership, SaidNetwork, SaidPartition, SaidVerb};

/// What a scenario says.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioFile {
    /// The file, as it was named to the supervisor.
    pub source: String,
    /// The whole text of the file, without the overrides.
    pub text: String,
    /// What was changed on the command line, each `path=value`.
    pub overrides: Vec<String>,
    /// Its name, the stem of its file.
    pub name: Placed<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// The limit of a run.
    pub timeout: Option<Placed<Duration>>,
    /// The seed, where the file fixes one; `None`: a new one for every run.
    pub seed: Option<u64>,
    /// `binaries:`, paths by name.
    pub binaries: BTreeMap<String, Placed<String>>,
    /// `cluster:`
    pub cluster: ClusterSection,
    /// `workload:`
    pub workload: WorkloadSection,
    /// `run:`
    pub run: RunSection,
    /// `faults:`
    pub faults: Vec<Fault>,
    /// `nemesis:`
    pub nemesis: Option<NemesisSection>,
    /// `steps:`
    pub steps: Vec<SaidStep>,
    /// `checks:`, at least one, each once.
    pub checks: Vec<Placed<CheckName>>,
    /// `thresholds:`
    pub thresholds: Vec<Threshold>,
    /// `reach:`
    pub reach: BTreeMap<Reach, Placed<u64>>,
    /// `expect:`
    pub expect: Option<Placed<Expectation>>,
    /// `artifacts.keep`
    pub keep: Option<Keep>,
    /// `artifacts.data-dirs`
    pub data_dirs: Option<bool>,
}

/// What a scenario says of its cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterSection {
    /// How many nodes.
    pub nodes: Option<u8>,
    /// How many more may join.
    pub spares: Option<Placed<u8>>,
    /// What the nodes reach each other by.
    pub network: Option<Placed<NetworkKind>>,
    /// What the nodes write to.
    pub disk: Option<Placed<DiskKind>>,
    /// What the nodes read the time from.
    pub clock: Option<Placed<ClockKind>>,
    /// Settings of every node, by name.
    pub config: BTreeMap<String, String>,
    /// The planted bug, in kebab case.
    pub inject_bug: Option<Placed<String>>,
    /// The programs that the nodes run from the beginning.
    pub binary: Option<SaidBinary>,
}

/// What a scenario says of its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadSection {
    /// The kind of operations.
    pub kind: WorkloadKind,
    /// How many clients.
    pub clients: Option<Drawn<u64>>,
    /// The rate of an open loop.
    pub rate: Option<Drawn<Rate>>,
    /// Through which node.
    pub routing: Option<Routing>,
    /// The deadline of an operation.
    pub operation_timeout: Option<Drawn<Duration>>,
    /// How often a write is tried whose outcome nobody knows.
    pub tries: Option<u64>,
    /// How many objects.
    pub keys: Option<Drawn<u64>>,
    /// The length of a message in bytes.
    pub payload: Option<Placed<Drawn<u64>>>,
    /// Operations of this kind with their weights, each at least 1.
    pub mix: Option<BTreeMap<String, u32>>,
}

/// What a scenario says of the phases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSection {
    /// Load without faults.
    pub warmup: Option<Drawn<Duration>>,
    /// Load and faults.
    pub duration: Placed<Drawn<Duration>>,
    /// The limit of the heal.
    pub settle: Option<Drawn<Duration>>,
    /// Whether everything is read in the end.
    pub final_reads: Option<Placed<bool>>,
    /// What is judged while the run goes on, and what comes of it.
    pub live_check: Option<Placed<LiveCheck>>,
    /// How the history is written.
    pub history: Option<HistoryForm>,
}

impl ScenarioFile {
    /// The one thing that is wrong with this scenario, shown as a compiler would.
    #[must_use]
    pub fn refuse(&self, error: ScenarioError) -> ScenarioErrors {
        self.refuse_all(vec![error])
    }

    /// The same of several things, at least one.
    #[must_use]
    pub fn refuse_all(&self, errors: Vec<ScenarioError>) -> ScenarioErrors {
        ScenarioErrors::new(&self.source, &self.text, &self.overrides, errors)
    }

    /// Every verb that is said, by timed faults, by what random ones are narrowed to, and by steps.
    pub fn verbs(&self) -> impl Iterator<Item = &SaidVerb> {
        let random = self.nemesis.iter().flat_map(|said| said.options.values().flatten());
        let timed = self.faults.iter().map(|fault| &fault.verb);
        timed.chain(random.map(|narrowed| &narrowed.verb)).chain(self.steps.iter().filter_map(SaidStep::verb))
    }

    /// Reads and parses the file at `path`, with `overrides` (each `path=value`).
    ///
    /// # Errors
    /// If the file cannot be read or is not a scenario.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, LoadError> {
        let text = fs::read_to_string(path).map_err(|source| LoadError::Read {
            path: path.to_owned(),
            suggestion: (!path.exists()).then(|| similar_file(path)).flatten(),
            source,
        })?;
        Ok(Self::parse(path, &text, overrides)?)
    }

    /// Parses the text of the file at `path`, with `overrides` (each `path=value`). Nothing is read from disk.
    ///
    /// # Errors
    /// Everything that is wrong, as far as it can be told apart.
    pub fn parse(path: &Path, text: &str, overrides: &[String]) -> Result<Self, ScenarioErrors> {
        let source = path.display().to_string();
        let mut decoder = Decoder::default();
        let end = Place::end_of(text);
        let tree = tree::read(text, &|span| Place::of(span, end), &mut decoder.errors);
        let file = match tree {
            Some(mut root) => {
                overrides::apply(&mut root, overrides, &mut decoder);
                sections::scenario(&mut decoder, &root)
            }
            None => {
                if decoder.errors.is_empty() {
                    decoder.refuse(Place::START, "the file holds no scenario");
                }
                None
            }
        };
        let file = file.map(|file| Self {
            source: source.clone(),
            text: text.to_owned(),
            overrides: overrides.to_vec(),
            ..file
        });
        if let Some(file) = file.as_ref().filter(|_| !decoder.is_lossy) {
            sense::check(file, path, &mut decoder);
        }
        match file {
            Some(file) if decoder.errors.is_empty() => Ok(file),
            _ => Err(ScenarioErrors::new(&source, text, overrides, decoder.errors)),
        }
    }
}

/// A file beside the one that cannot be read, of a similar name.
fn similar_file(path: &Path) -> Option<String> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names = fs::read_dir(directory).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names: Vec<String> = names.filter(|name| name.ends_with(".yaml")).collect();
    let wanted = path.file_name()?.to_str()?;
    let nearest = suggest::nearest(wanted, names.iter().map(String::as_str))?;
    Some(path.with_file_name(nearest).display().to_string())
}

#[cfg(test)]
mod tests;

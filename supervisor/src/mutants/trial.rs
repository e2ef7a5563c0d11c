//! The runs that a score needs, in the order in which they are made.
//!
//! Every bug gets its first seed before any gets its second, so that what a budget cuts off is the last seeds of all
//! and not all seeds of the last.

use serde::{Deserialize, Serialize};

use crate::scenario::expectation::Expectation;
use crate::scenario::file::ScenarioFile;
use crate::scenario::plan::Plan;
use crate::suite::case::Case;

/// Why a run is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Does the scenario that was made for a bug catch it?
    Own,
    /// Does a scenario that was made for no bug catch it?
    General,
    /// Does a scenario that was made for a bug let a node without it pass?
    Clean,
    /// Does a scenario catch its bug without any of its faults?
    Calm,
    /// Does it without one of them?
    Without,
    /// Does a scenario let a change pass that breaks no promise?
    Legal,
    /// Does it see a fault that nobody is expected to see?
    Invisible,
}

impl Purpose {
    /// The name in files and on command lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Own => "own",
            Purpose::General => "general",
            Purpose::Clean => "clean",
            Purpose::Calm => "calm",
            Purpose::Without => "without",
            Purpose::Legal => "legal",
            Purpose::Invisible => "invisible",
        }
    }
}

/// One run to be made.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Why it is made.
    pub purpose: Purpose,
    /// The bug it is about; the one that is left out, if it is [`Purpose::Clean`].
    pub bug: String,
    /// The fault that is left out, if it is [`Purpose::Without`].
    pub without: Option<String>,
    /// The scenario, changed as the purpose asks, and the seed.
    pub case: Case,
}

/// A scenario that was made for a bug, as it was read and as a purpose changes it.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Why it is run.
    pub purpose: Purpose,
    /// The bug.
    pub bug: String,
    /// The fault that is left out.
    pub without: Option<String>,
    /// The scenario as it is run.
    pub file: ScenarioFile,
}

impl Purpose {
    /// What is to be changed in a scenario about `bug`, as `--set` takes it.
    #[must_use]
    pub fn changes(self, bug: &str) -> Vec<String> {
        let changes: &[&str] = match self {
            Purpose::Own => &["expect.fail.within-seeds=1"],
            Purpose::General => return vec![format!("cluster.inject-bug={bug}"), "expect=null".to_owned()],
            Purpose::Clean => &["cluster.inject-bug=null", "expect=null"],
            Purpose::Calm => {
                &["expect.fail.within-seeds=1", "faults=null", "nemesis=null", "steps=null", "reach=null"]
            }
            Purpose::Without => &["expect.fail.within-seeds=1", "reach=null"],
            Purpose::Legal | Purpose::Invisible => {
                return vec![format!("cluster.inject-bug={bug}"), "expect=null".to_owned()];
            }
        };
        changes.iter().map(|change| (*change).to_owned()).collect()
    }
}

/// The bug that a scenario plants, and what it expects to come of it.
#[must_use]
pub fn planted(file: &ScenarioFile) -> Option<(String, Expectation)> {
    let plan = Plan::resolve(file, 0);
    plan.cluster.inject_bug.map(|bug| (bug, plan.expect))
}

/// The faults of a scenario, of which one at a time can be left out: the name of each, and what leaves it out, as `--set`
/// takes it. None if there is only one: without it the scenario is [`Purpose::Calm`].
#[must_use]
pub fn left_out(file: &ScenarioFile) -> Vec<(String, String)> {
    let faults = file.faults.iter().enumerate();
    let faults = faults.map(|(index, fault)| (fault.name.value.clone(), format!("faults[{index}]=null")));
    let kinds = file.nemesis.iter().flat_map(|nemesis| &nemesis.kinds);
    let kinds =
        kinds.map(|(kind, _)| (kind.name().to_owned(), format!("nemesis.kinds.{}=null", kind.name())));
    let all: Vec<(String, String)> = faults.chain(kinds).collect();
    if all.len() > 1 { all } else { Vec::new() }
}

/// The trials of all variants with the `seeds` from `first` on.
#[must_use]
pub fn draw(variants: &[Variant], first: u64, seeds: u32) -> Vec<Trial> {
    let seeds = (first..).take(usize::try_from(seeds).unwrap_or(usize::MAX));
    let of_seed = |seed| {
        variants.iter().map(move |variant| Trial {
            purpose: variant.purpose,
            bug: variant.bug.clone(),
            without: variant.without.clone(),
            case: Case { file: variant.file.clone(), seed },
        })
    };
    seeds.flat_map(of_seed).collect()
}

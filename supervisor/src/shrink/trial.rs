//! Plans tried by whole runs.
//!
//! The runs are made below a directory of their own. The newest one that failed is kept, which is one of the smallest
//! plan so far; every other is removed as soon as it is judged.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use futures::future::{FutureExt, LocalBoxFuture};

use super::{Attempt, Laboratory, Step};
use crate::harness::HarnessFailure;
use crate::kernel::namespace::Namespace;
use crate::run::event::{Observer, TimedEvent};
use crate::run::recorder::Tally as OperationTally;
use crate::run::stop::Stop;
use crate::run::{RunSettings, Watcher, run};
use crate::scenario::plan::Plan;
use crate::system::System;

/// The file of the smallest plan.
const PLAN_FILE: &str = "shrunk.plan.yaml";

/// The directory of the runs.
const RUNS: &str = "shrink";

/// Where a system to run a plan on comes from, or why this build has none.
pub type MakeSystem = Box<dyn Fn(&Plan) -> Result<Rc<dyn System>, String>>;

/// What trials are made of.
pub struct TrialSettings {
    /// The failure to look for, as in `signature` of `verdict.json`.
    pub kind: String,
    /// Where the smallest plan and the runs go.
    pub directory: PathBuf,
    /// The plan file of the run that failed.
    pub source: PathBuf,
    /// The scenario of that run, to be kept with the evidence.
    pub scenario_text: String,
    /// The program that is each node; none: the supervisor itself.
    pub node_binary: Option<PathBuf>,
    /// The system of each run.
    pub system: MakeSystem,
    /// The process is in a network namespace of its own, which some plans need.
    pub namespace: Option<Namespace>,
    /// Ends a run early.
    pub stop: Stop,
    /// Shown each step.
    pub show: Box<dyn Fn(&Step)>,
}

/// See the module.
pub struct Trials {
    settings: TrialSettings,
    /// The newest run that failed.
    kept: Option<PathBuf>,
}

impl Trials {
    /// Prepares the directory.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn new(settings: TrialSettings) -> Result<Self, HarnessFailure> {
        let runs = settings.directory.join(RUNS);
        fs::create_dir_all(&runs).map_err(HarnessFailure::file("create", runs))?;
        Ok(Self { settings, kept: None })
    }

    /// Where the smallest plan is written to.
    #[must_use]
    pub fn plan_file(&self) -> PathBuf {
        self.settings.directory.join(PLAN_FILE)
    }

    /// Takes away what is of no use after the last trial, and tells where the newest run that failed is.
    ///
    /// # Errors
    /// If something cannot be removed.
    pub fn finish(self) -> Result<Option<PathBuf>, HarnessFailure> {
        let runs = self.settings.directory.join(RUNS);
        for link in ["latest", "latest-failed"] {
            unless_gone(fs::remove_file(runs.join(link)), &runs.join(link))?;
        }
        if self.kept.is_none() {
            // Runs of an earlier search may be there.
            drop(fs::remove_dir(runs));
        }
        Ok(self.kept)
    }

    async fn try_once(&mut self, plan: &Plan) -> Result<Attempt, HarnessFailure> {
        let Ok(system) = (self.settings.system)(plan) else { return Ok(Attempt::Passed) };
        let settings = RunSettings {
            plan: Rc::new(plan.clone()),
            system,
            scenario_text: self.settings.scenario_text.clone(),
            runs: self.settings.directory.join(RUNS),
            node_binary: self.settings.node_binary.clone(),
            replay_of: Some(self.settings.source.clone()),
            namespace: self.settings.namespace,
            interrupt: self.settings.stop.clone(),
        };
        let report = run(settings, Rc::new(Nobody)).await?;
        let directory = report.directory.path();
        let kind = &self.settings.kind;
        let verdict = report.verdict.filter(|verdict| verdict.kinds().contains(kind));
        if let Some(verdict) = verdict {
            if let Some(older) = self.kept.replace(directory.to_owned()) {
                remove(&older)?;
            }
            return Ok(Attempt::Failed { after: verdict.failed_after(kind) });
        }
        remove(directory)?;
        report.failure.map_or(Ok(Attempt::Passed), Err)
    }
}

impl Laboratory for Trials {
    fn attempt<'a>(&'a mut self, plan: &'a Plan) -> LocalBoxFuture<'a, Attempt> {
        async move { self.try_once(plan).await.unwrap_or_else(Attempt::Untold) }.boxed_local()
    }

    fn step(&mut self, step: &Step) {
        (self.settings.show)(step);
    }

    fn keep(&mut self, plan: &Plan) -> Result<(), HarnessFailure> {
        let path = self.plan_file();
        // In one step: whoever ends the search, the file is a whole plan.
        let fresh = path.with_extension("new");
        fs::write(&fresh, plan.to_yaml()).map_err(HarnessFailure::file("write", &fresh))?;
        fs::rename(&fresh, &path).map_err(HarnessFailure::file("replace", path))
    }
}

fn remove(directory: &Path) -> Result<(), HarnessFailure> {
    unless_gone(fs::remove_dir_all(directory), directory)
}

fn unless_gone(removed: std::io::Result<()>, path: &Path) -> Result<(), HarnessFailure> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(HarnessFailure::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Looks at no run: the steps are what is shown.
struct Nobody;

impl Observer for Nobody {
    fn event(&self, _event: &TimedEvent) {}
}

impl Watcher for Nobody {
    fn tick(&self, _elapsed: Duration, _tally: OperationTally) {}
}

//! `verdict.json`, format 1.

use std::path::Path;

use checker::history::History;
use checker::verdict::{CheckResult, Verdict as CheckVerdict};
use serde::{Deserialize, Serialize};

use super::liveness::Liveness;
use crate::environment::{Environment, quoted};
use crate::exit::Exit;
use crate::metrics::Metrics;
use crate::scenario::expectation::Expectation;
use crate::scenario::plan::Plan;

/// What a run says about the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check is valid, and the run was interesting.
    Pass,
    /// Something is violated.
    Fail,
    /// Nobody can say.
    Inconclusive,
    /// The testbed failed before anything could be said.
    Error,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
        }
    }
}

/// What most scenarios expect.
pub const EXPECT_PASS: &str = "pass";

/// Everything that a run found out.
#[derive(Debug, Clone, Serialize)]
pub struct VerdictFile {
    /// The version of this format.
    pub format: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed that everything was drawn from.
    pub seed: u64,
    /// The hash of the plan: equal hashes, equal plans.
    pub plan_hash: String,
    /// About the system.
    pub verdict: Verdict,
    /// What the scenario expects: [`EXPECT_PASS`], or the check and the anomaly, `linearizable/stale-read`.
    pub expect: String,
    /// The verdict is that one.
    pub expected: bool,
    /// The verdict in a sentence.
    pub reason: String,
    /// The same for failures of the same kind: `linearizable/stale-read`.
    pub signature: Option<String>,
    /// Every kind of failure that was found; the signature is the first of them.
    #[serde(rename = "kinds")]
    pub found: Vec<String>,
    /// The properties, in the order in which the scenario names them.
    pub checks: Vec<CheckResult>,
    /// Whether the cluster stayed alive; judged in every run.
    pub liveness: Liveness,
    /// Speed and availability against their bounds.
    pub thresholds: Vec<ThresholdRecord>,
    /// What the nemesis did.
    pub faults: Vec<FaultRecord>,
    /// Whether the run was interesting.
    pub reached: Vec<ReachRecord>,
    /// Faults were planned, and none of them had an effect.
    pub nothing_struck: bool,
    /// Kinds of operations of which none ever succeeded.
    pub never_succeeded: Vec<String>,
    /// Somebody asked the run to stop.
    pub interrupted: bool,
    /// What the live check saw and the checks do not confirm: one of them has a bug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<String>,
    /// What was measured of the load, if there was one.
    pub metrics: Option<Metrics>,
    /// What the readers of the evidence noticed.
    pub notes: Vec<String>,
    /// The command that does it again.
    pub reproduce: String,
    /// The command that judges the same evidence again.
    pub recheck: String,
}

/// One threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThresholdRecord {
    /// As the scenario says it: `longest-outage < 3s`.
    pub threshold: String,
    /// What was measured, with its unit.
    pub measured: String,
    /// It holds.
    pub met: bool,
}

/// One thing that the run had to reach to be interesting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReachRecord {
    /// What: `leader-changes`.
    pub name: String,
    /// How often it had to happen at least.
    pub wanted: u64,
    /// How often it happened.
    pub reached: u64,
}

impl ReachRecord {
    /// It happened often enough.
    #[must_use]
    pub fn met(&self) -> bool {
        self.reached >= self.wanted
    }
}

/// One fault that struck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultRecord {
    /// Its name in the scenario, and which strike of it.
    pub fault: String,
    /// What it did.
    pub verb: String,
    /// To which nodes.
    pub nodes: Vec<String>,
    /// When, in ns since the start of the run.
    pub began: u64,
    /// Until when; none when the run ended first.
    pub ended: Option<u64>,
}

/// The faults of a history.
pub(super) fn faults(history: &History) -> Vec<FaultRecord> {
    let text = |symbol| history.text(symbol).to_owned();
    let record = |fault: &checker::history::Fault| FaultRecord {
        fault: fault.key.map(text).unwrap_or_default(),
        verb: text(fault.f),
        nodes: fault.nodes.iter().copied().map(text).collect(),
        began: fault.began.time,
        ended: fault.ended.map(|moment| moment.time),
    };
    history.faults().iter().map(record).collect()
}

impl VerdictFile {
    /// A verdict about nothing yet.
    #[must_use]
    pub fn new(plan: &Plan, directory: &Path, environment: &Environment) -> Self {
        Self {
            format: 1,
            scenario: plan.name.clone(),
            seed: plan.seed,
            plan_hash: plan.hash(),
            verdict: Verdict::Inconclusive,
            expect: match plan.expect {
                Expectation::Pass => EXPECT_PASS.to_owned(),
                Expectation::Fail(failure) => failure.kind.to_string(),
            },
            expected: false,
            reason: "nothing was checked".to_owned(),
            signature: None,
            found: Vec::new(),
            checks: Vec::new(),
            liveness: Liveness::judge(Vec::new(), None),
            thresholds: Vec::new(),
            faults: Vec::new(),
            reached: Vec::new(),
            nothing_struck: false,
            never_succeeded: Vec::new(),
            interrupted: false,
            unconfirmed: None,
            metrics: None,
            notes: Vec::new(),
            reproduce: environment.reproduce(plan, &display_path(directory)),
            recheck: format!("cargo run --release -- check {}", quoted(&display_path(directory))),
        }
    }

    /// Takes into account that the testbed itself failed. A violation that was found and not expected stands.
    pub fn note_failure(&mut self, failure: &str) {
        if self.exit() != Exit::Violated || self.verdict != Verdict::Fail {
            self.verdict = Verdict::Error;
            self.reason = failure.to_owned();
            self.expected = false;
        } else {
            self.notes.push(format!("the testbed failed: {failure}"));
        }
    }

    /// The exit code that this verdict asks for.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let only_thresholds = self.checks.iter().all(|check| check.verdict == CheckVerdict::Valid)
            && self.liveness.verdict == CheckVerdict::Valid;
        match self.verdict {
            _ if self.expected => Exit::Expected,
            Verdict::Fail if only_thresholds => Exit::Thresholds,
            Verdict::Pass | Verdict::Fail => Exit::Violated,
            Verdict::Inconclusive => Exit::Inconclusive,
            Verdict::Error => Exit::Harness,
        }
    }

    /// Whether the scenario expects this verdict.
    pub(super) fn meets(&self, expect: &Expectation) -> bool {
        match expect {
            Expectation::Pass => self.verdict == Verdict::Pass,
            Expectation::Fail(failure) => self.kinds().contains(&failure.kind.to_string()),
        }
    }
}

/// A path as a person would type it. Links are followed: `runs/latest` is another run tomorrow.
pub(crate) fn display_path(path: &Path) -> String {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(&path).display().to_string()
}

//! From what a run left behind to its verdict.
//!
//! Everything is read from the run directory, by `run` as by `check`: the same evidence gives the same verdict, now
//! and by any later version. Three things stay apart: the checks (about the system), the thresholds (about its speed)
//! and whether the run was interesting (about the test). A violation outweighs everything; after that, doubt.

mod file;
mod kind;
mod liveness;
mod reach;
#[cfg(test)]
mod tests;
mod threshold;

use std::path::Path;
use std::time::{Duration, Instant};

use checker::check::{CheckName, check};
use checker::evidence::Evidence;
use checker::limits::Limits;
use checker::verdict::{CheckResult, Verdict as CheckVerdict};

pub(crate) use file::display_path;
pub use file::{EXPECT_PASS, FaultRecord, ReachRecord, ThresholdRecord, Verdict, VerdictFile};
pub use liveness::{Liveness, NodeEnd};

use crate::environment::Environment;
use crate::harness::{HarnessFailure, chain};
use crate::metrics::{Metrics, Window};
use crate::run::event::{self, Phase, RunEvent, TimedEvent};
use crate::scenario::expectation::{Expectation, LIVENESS};
use crate::scenario::plan::Plan;

/// How long all the checks of one run may take together.
const CHECK_TIME_MAX: Duration = Duration::from_secs(300);

/// How much memory one check may use beside the history.
const CHECK_MEMORY_MAX: u64 = 4 << 30;

/// Judges a run by its directory alone.
///
/// # Errors
/// If a file of it is missing or is not what it should be.
pub fn judge(directory: &Path, plan: &Plan) -> Result<VerdictFile, HarnessFailure> {
    let unreadable = |why: String| HarnessFailure::Check { path: directory.to_owned(), why };
    let read = checker::rundir::read(directory).map_err(|error| unreadable(chain(&error)))?;
    let events = event::read(&directory.join("events.jsonl"))?;
    let mut verdict = VerdictFile::new(plan, directory, &Environment::read(directory)?);
    verdict.notes.extend(read.notes);
    verdict.notes.extend(events.iter().filter_map(|timed| remark(&timed.event)));
    let evidence = read.evidence;
    verdict.checks = run_checks(&evidence, &plan.checks);
    verdict.liveness = Liveness::of(&events);
    let effective = reach::effective(&events);
    let window = load_window(&events, &evidence);
    let metrics = window.map(|window| Metrics::of(&evidence.history, window, &effective));
    verdict.thresholds =
        plan.thresholds.iter().map(|threshold| threshold::judge(threshold, metrics.as_ref())).collect();
    verdict.reached = reach::judge(plan, &evidence, &events, metrics.as_ref());
    verdict.nothing_struck = reach::nothing_struck(plan, &events);
    verdict.never_succeeded = reach::never_succeeded(&evidence.history);
    verdict.faults = file::faults(&evidence.history);
    verdict.interrupted = events.iter().any(|timed| timed.event == RunEvent::Interrupted);
    verdict.unconfirmed = unconfirmed(&events, &verdict.checks);
    verdict.metrics = metrics;
    verdict.conclude(&plan.expect);
    Ok(verdict)
}

/// What a reader of the verdict should know of an event.
fn remark(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::Note { text } => Some(text.clone()),
        RunEvent::FaultSkipped { fault, verb, why } => Some(format!("{fault}: {verb} skipped, {why}")),
        RunEvent::DigestMissing { node, why } => Some(format!("no digest of {node}: {why}")),
        _ => None,
    }
}

/// What the live check saw of a check that finds nothing in the end.
fn unconfirmed(events: &[TimedEvent], checks: &[CheckResult]) -> Option<String> {
    let is_confirmed = |name: &str| {
        checks.iter().any(|check| check.name.name() == name && check.verdict == CheckVerdict::Invalid)
    };
    events.iter().find_map(|timed| match &timed.event {
        RunEvent::ViolationSeen { check, sentence, .. } if !is_confirmed(check) => {
            Some(format!("{check}: {sentence}"))
        }
        _ => None,
    })
}

fn run_checks(evidence: &Evidence, names: &[CheckName]) -> Vec<CheckResult> {
    let began = Instant::now();
    let expired = || began.elapsed() > CHECK_TIME_MAX;
    let limits = Limits { memory: CHECK_MEMORY_MAX, expired: &expired, ..Limits::none() };
    let run_one = |name: &CheckName| {
        let began = Instant::now();
        let mut results = check(evidence, &[*name], &limits);
        for result in &mut results {
            result.ms = u64::try_from(began.elapsed().as_millis()).ok();
        }
        results
    };
    names.iter().flat_map(run_one).collect()
}

/// From the beginning of the load to its end; to the last thing that was recorded when the testbed itself was ended.
/// None when there was no load.
fn load_window(events: &[TimedEvent], evidence: &Evidence) -> Option<Window> {
    let mut phases = events.iter().filter_map(|timed| match timed.event {
        RunEvent::Phase { phase } => Some((timed.at, phase)),
        _ => None,
    });
    let (from, _) = phases.find(|(_, phase)| *phase == Phase::Load)?;
    // The heal, or the stop after a failure.
    let to = phases.next().map(|(at, _)| at).unwrap_or_else(|| {
        let invoked = evidence.history.operations().iter().map(|operation| operation.invoked.time + 1);
        events.iter().map(|timed| timed.at).chain(invoked).max().unwrap_or(from)
    });
    Some(Window { from, to })
}

impl VerdictFile {
    /// Draws the conclusion from everything that was found.
    fn conclude(&mut self, expect: &Expectation) {
        let invalid = self.checks.iter().find(|check| check.verdict == CheckVerdict::Invalid);
        let unknown = self.checks.iter().find(|check| check.verdict == CheckVerdict::Unknown);
        let liveness = |why: &Option<String>| format!("{LIVENESS}: {}", why.as_deref().unwrap_or("violated"));
        let (verdict, reason) = if let Some(check) = invalid {
            (Verdict::Fail, format!("{}: {}", check.name, check.reason.as_deref().unwrap_or("violated")))
        } else if self.liveness.verdict == CheckVerdict::Invalid {
            (Verdict::Fail, liveness(&self.liveness.reason))
        } else if let Some(seen) = &self.unconfirmed {
            let text = format!("the live check saw what the checks do not confirm: {seen}");
            (Verdict::Inconclusive, text)
        } else if self.interrupted {
            (Verdict::Inconclusive, "the run was interrupted".to_owned())
        } else if self.liveness.verdict == CheckVerdict::Unknown {
            (Verdict::Inconclusive, liveness(&self.liveness.reason))
        } else if let Some(check) = unknown {
            (
                Verdict::Inconclusive,
                format!("{}: {}", check.name, check.reason.as_deref().unwrap_or("unknown")),
            )
        } else if let Some(reach) = self.reached.iter().find(|reach| !reach.met()) {
            let text =
                format!("reach: {} is {}, wanted at least {}", reach.name, reach.reached, reach.wanted);
            (Verdict::Inconclusive, text)
        } else if self.nothing_struck {
            (Verdict::Inconclusive, "faults were planned, and none of them struck".to_owned())
        } else if let Some(f) = self.never_succeeded.first() {
            (Verdict::Inconclusive, format!("no `{f}` ever succeeded"))
        } else if let Some(threshold) = self.thresholds.iter().find(|threshold| !threshold.met) {
            let text = format!("threshold: {} is {}", threshold.threshold, threshold.measured);
            (Verdict::Fail, text)
        } else {
            (Verdict::Pass, "every check is valid".to_owned())
        };
        self.verdict = verdict;
        self.reason = reason;
        self.found = self.kinds();
        self.signature = self.found.first().cloned();
        self.expected = self.meets(expect);
    }
}

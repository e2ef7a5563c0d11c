//! The outcome of a run, for a person: what was found, why, and how to see it again.
//!
//! ```text
//! PASS  leader-kill, seed 7: every check is valid
//!
//!   linearizable         valid    6,012 operations, 8 keys, 21 ms
//!   …
//! ```
//!
//! A violation comes with its sentence and its drawing, for they are what the reader came for. Sentences are wrapped;
//! paths and commands never are, for they are there to be copied.

use checker::report::{counterexamples, summary, wrap};
use checker::verdict::Verdict as CheckVerdict;

use super::words::{count, duration};
use crate::judge::{EXPECT_PASS, Liveness, Verdict, VerdictFile};
use crate::scenario::expectation::LIVENESS;

/// The most anomalies of one check that are drawn; `verdict.json` has more.
const DRAWN_MAX: usize = 2;

/// The column in which the facts of a run begin.
const FACTS: usize = 13;

/// The column in which the facts of a check begin.
const CHECK_FACTS: usize = 32;

/// The text of a verdict: paragraphs with a line between them.
#[must_use]
pub fn render(verdict: &VerdictFile, directory: &str) -> String {
    let mut checks: String = verdict.checks.iter().map(summary).collect();
    checks += &liveness_line(&verdict.liveness);
    let mut paragraphs = vec![render_headline(verdict), checks, facts(verdict)];
    for check in verdict.checks.iter().filter(|check| check.verdict == CheckVerdict::Invalid) {
        paragraphs.extend(counterexamples(check, DRAWN_MAX, "verdict.json"));
    }
    paragraphs.push(ways(directory, &verdict.reproduce, &verdict.recheck));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}

/// Where the evidence is, and the commands that go on from here.
fn ways(directory: &str, reproduce: &str, recheck: &str) -> String {
    format!("  run        {directory}\n  reproduce  {reproduce}\n  re-check   {recheck}\n")
}

/// The verdict in one sentence, and whether it is the one that the scenario expects.
#[must_use]
pub fn render_headline(verdict: &VerdictFile) -> String {
    let word = verdict.verdict.word().to_uppercase();
    let indent = word.len() + 2;
    let sentence = format!("{}, seed {}: {}", verdict.scenario, verdict.seed, verdict.reason);
    let mut text = wrap(&format!("{word}  "), &sentence, indent);
    let expected = match (verdict.verdict, verdict.expected) {
        (Verdict::Pass, true) | (Verdict::Inconclusive | Verdict::Error, _) => return text,
        (Verdict::Fail, false) if verdict.expect == EXPECT_PASS => return text,
        (Verdict::Fail, true) => "as the scenario expects",
        (Verdict::Pass | Verdict::Fail, false) => "not what the scenario expects",
    };
    text += &format!("{:indent$}{expected}: {}\n", "", verdict.expect);
    text
}

fn liveness_line(liveness: &Liveness) -> String {
    let why = match (&liveness.reason, liveness.healed_after_ms) {
        (Some(reason), _) => reason.clone(),
        (None, Some(after_ms)) => format!("every node has caught up after {} ms of heal", count(after_ms)),
        (None, None) => String::new(),
    };
    wrap(&format!("  {LIVENESS:<20} {:<8} ", liveness.verdict), &why, CHECK_FACTS)
}

/// What was measured, struck and reached, and what else is worth knowing.
fn facts(verdict: &VerdictFile) -> String {
    let mut text = measures(verdict);
    let struck = verdict.faults.iter();
    let struck =
        struck.map(|fault| format!("{} {} at {}", fault.verb, fault.nodes.join("+"), duration(fault.began)));
    text += &list("faults", struck);
    // Without load there is nothing to compare.
    if verdict.metrics.is_some() {
        text += &goals(verdict);
    }
    for note in &verdict.notes {
        text += &wrap(&label("note"), note, FACTS);
    }
    text
}

fn measures(verdict: &VerdictFile) -> String {
    let Some(metrics) = &verdict.metrics else { return String::new() };
    let operations = format!(
        "{} in {}: {} ok, {} failed, {} unknown; {:.0} ok/s",
        count(metrics.operations),
        duration(metrics.window.to - metrics.window.from),
        count(metrics.ok),
        count(metrics.fail),
        count(metrics.info),
        metrics.ok_per_second
    );
    let mut text = wrap(&label("operations"), &operations, FACTS);
    if let Some(latency) = metrics.latency_ok_ns {
        let [p50, p99, max] = [latency.p50, latency.p99, latency.max].map(duration);
        let outage = duration(metrics.longest_outage_ns);
        let latency = format!("p50 {p50}, p99 {p99}, max {max}; longest outage {outage}");
        text += &wrap(&label("latency"), &latency, FACTS);
    }
    text
}

fn goals(verdict: &VerdictFile) -> String {
    let reached = verdict.reached.iter().map(|reach| {
        let sign = if reach.met() { "" } else { " (not reached)" };
        format!("{} {} of {}{sign}", reach.name, count(reach.reached), count(reach.wanted))
    });
    let mut text = list("reached", reached);
    for threshold in &verdict.thresholds {
        let sign = if threshold.met { "holds" } else { "does NOT hold" };
        let line = format!("{} {sign}: {}", threshold.threshold, threshold.measured);
        text += &wrap(&label("threshold"), &line, FACTS);
    }
    text
}

/// A label of the facts, as wide as all of them.
fn label(word: &str) -> String {
    format!("  {word:<10} ")
}

/// Items with commas between them under a label, none of them broken; nothing at all without an item.
fn list(word: &str, items: impl Iterator<Item = String>) -> String {
    const UNBREAKABLE: &str = "\u{a0}";
    let items: Vec<String> = items.map(|item| item.replace(' ', UNBREAKABLE)).collect();
    if items.is_empty() {
        return String::new();
    }
    wrap(&label(word), &items.join(", "), FACTS).replace(UNBREAKABLE, " ")
}

#[cfg(test)]
mod tests;

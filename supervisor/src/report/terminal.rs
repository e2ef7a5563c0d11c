//! The outcome of a run, for a person: what was found, why, and how to see it again.
//!
//! ```text
//! PASS  leader-kill, seed 7: every check is valid
//!
//!   linearizable         valid    6,012 operations, 8 keys, 21 ms
//!   …
//! ```
//!
//! A violation comes with its sentence and its drawing, for they are what the reader came for.

use std::fmt::Write as _;

use checker::anomaly::Anomaly;
use checker::verdict::{CheckResult, Verdict as CheckVerdict};

use super::words::{count, duration, many};
use crate::judge::{EXPECT_PASS, LIVENESS, Liveness, Verdict, VerdictFile};

/// The most anomalies of one check that are drawn; `verdict.json` has more.
const DRAWN_MAX: usize = 2;

/// The text of a verdict: paragraphs with a line between them.
#[must_use]
pub fn render(verdict: &VerdictFile, directory: &str) -> String {
    let mut checks = String::new();
    for check in &verdict.checks {
        check_line(&mut checks, check);
    }
    liveness_line(&mut checks, &verdict.liveness);
    let mut paragraphs = vec![render_headline(verdict), checks, facts(verdict)];
    for check in verdict.checks.iter().filter(|check| check.verdict == CheckVerdict::Invalid) {
        paragraphs.extend(counterexamples(check));
    }
    let mut ways = String::new();
    put(&mut ways, &format!("  run        {directory}"));
    put(&mut ways, &format!("  reproduce  {}", verdict.reproduce));
    put(&mut ways, &format!("  re-check   {}", verdict.recheck));
    paragraphs.push(ways);
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}

/// The verdict in one sentence, and whether it is the one that the scenario expects.
#[must_use]
pub fn render_headline(verdict: &VerdictFile) -> String {
    let mut text = String::new();
    let word = verdict.verdict.word().to_uppercase();
    put(&mut text, &format!("{word}  {}, seed {}: {}", verdict.scenario, verdict.seed, verdict.reason));
    let indent = " ".repeat(word.len() + 2);
    match (verdict.verdict, verdict.expected) {
        (Verdict::Pass, true) | (Verdict::Inconclusive | Verdict::Error, _) => {}
        (Verdict::Fail, true) => {
            put(&mut text, &format!("{indent}as the scenario expects: {}", verdict.expect))
        }
        (Verdict::Fail, false) if verdict.expect == EXPECT_PASS => {}
        (Verdict::Pass | Verdict::Fail, false) => {
            put(&mut text, &format!("{indent}not what the scenario expects: {}", verdict.expect));
        }
    }
    text
}

fn check_line(text: &mut String, check: &CheckResult) {
    let mut line = format!("  {:<20} {:<8}", check.name, check.verdict);
    match check.verdict {
        CheckVerdict::Valid | CheckVerdict::Invalid => {
            let _ = write!(line, " {} examined", count(check.operations));
            if check.keys > 0 {
                let _ = write!(line, ", {}", many(check.keys, "key", "keys"));
            }
            if check.anomalies_total > 0 {
                let _ = write!(line, ", {}", many(check.anomalies_total, "anomaly", "anomalies"));
            }
        }
        CheckVerdict::Unknown => {
            let _ = write!(line, " {}", check.reason.as_deref().unwrap_or("unknown"));
        }
    }
    if let Some(ms) = check.ms {
        let _ = write!(line, ", {ms} ms");
    }
    put(text, &line);
    let counts = check.counts.iter().filter(|(_, number)| **number > 0);
    let counts: Vec<_> = counts.map(|(name, number)| format!("{} {name}", count(*number))).collect();
    if !counts.is_empty() {
        put(text, &wrapped(&" ".repeat(32), &counts));
    }
}

fn liveness_line(text: &mut String, liveness: &Liveness) {
    let why = match (&liveness.reason, liveness.healed_after_ms) {
        (Some(reason), _) => reason.clone(),
        (None, Some(after_ms)) => format!("every node has caught up after {after_ms} ms of heal"),
        (None, None) => String::new(),
    };
    put(text, &format!("  {LIVENESS:<20} {:<8} {why}", liveness.verdict));
}

/// What was measured, struck and reached, and what else is worth knowing.
fn facts(verdict: &VerdictFile) -> String {
    let mut text = String::new();
    if let Some(metrics) = &verdict.metrics {
        put(
            &mut text,
            &format!(
                "  operations {} in {}: {} ok, {} failed, {} unknown; {:.0} ok/s",
                count(metrics.operations),
                duration(metrics.window.to - metrics.window.from),
                count(metrics.ok),
                count(metrics.fail),
                count(metrics.info),
                metrics.ok_per_second
            ),
        );
        if let Some(latency) = metrics.latency_ok_ns {
            let of = |ns| duration(ns);
            let quantiles =
                format!("p50 {}, p99 {}, max {}", of(latency.p50), of(latency.p99), of(latency.max));
            put(
                &mut text,
                &format!("  latency    {quantiles}; longest outage {}", of(metrics.longest_outage_ns)),
            );
        }
    }
    if !verdict.faults.is_empty() {
        let struck: Vec<_> = verdict
            .faults
            .iter()
            .map(|fault| format!("{} {} at {}", fault.verb, fault.nodes.join("+"), duration(fault.began)))
            .collect();
        put(&mut text, &wrapped("  faults     ", &struck));
    }
    // Without load there is nothing to compare.
    if verdict.metrics.is_some() {
        goals(&mut text, verdict);
    }
    for note in &verdict.notes {
        put(&mut text, &format!("  note       {note}"));
    }
    text
}

fn goals(text: &mut String, verdict: &VerdictFile) {
    if !verdict.reached.is_empty() {
        let reached = verdict.reached.iter().map(|reach| {
            let sign = if reach.met() { "" } else { " (not reached)" };
            format!("{} {} of {}{sign}", reach.name, count(reach.reached), count(reach.wanted))
        });
        put(text, &wrapped("  reached    ", &reached.collect::<Vec<_>>()));
    }
    for threshold in &verdict.thresholds {
        let sign = if threshold.met { "holds" } else { "does NOT hold" };
        put(text, &format!("  threshold  {} {sign}: {}", threshold.threshold, threshold.measured));
    }
}

/// The gravest anomalies, a paragraph each, and how many there are beside them.
fn counterexamples(check: &CheckResult) -> Vec<String> {
    let mut paragraphs: Vec<String> =
        check.anomalies.iter().take(DRAWN_MAX).map(|anomaly| counterexample(check, anomaly)).collect();
    let more = check.anomalies_total.saturating_sub(paragraphs.len() as u64);
    if more > 0 {
        paragraphs.push(format!("  … and {} more of {}; see verdict.json\n", count(more), check.name));
    }
    paragraphs
}

fn counterexample(check: &CheckResult, anomaly: &Anomaly) -> String {
    let mut text = String::new();
    let key = anomaly.key.as_ref().map(|key| format!(" in {key}")).unwrap_or_default();
    let elle = anomaly.elle.as_ref().map(|elle| format!(" ({elle})")).unwrap_or_default();
    put(&mut text, &format!("  {}: {}{elle}{key}", check.name, anomaly.kind));
    put(&mut text, &format!("  {}", anomaly.sentence));
    put(&mut text, "");
    for line in anomaly.drawing.lines() {
        put(&mut text, &format!("    {line}"));
    }
    text
}

fn put(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Items with commas between them, in lines of at most 100 columns under a label.
fn wrapped(label: &str, items: &[String]) -> String {
    let mut lines = vec![label.to_owned()];
    for (number, item) in items.iter().enumerate() {
        let comma = if number + 1 < items.len() { ", " } else { "" };
        let line = lines.last_mut().expect("there is a first line");
        if line.len() + item.len() > 100 && line.len() > label.len() {
            lines.push(format!("{:width$}{item}{comma}", "", width = label.len()));
        } else {
            line.push_str(item);
            line.push_str(comma);
        }
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;

//! Several runs, a line each, and what they say together.
//!
//! ```text
//!   calm         seed 5         pass               516 ops  outage 45 ms
//! ! leader-kill  seed 5         fail             3,911 ops  outage 1.20 s   durable/lost
//! 2 runs: 1 passed, 1 failed; longest outage of a run: median 45 ms, worst 1.20 s
//! ```
//!
//! A `!` marks what is not as the scenario expects.

use std::fmt::Write as _;

use super::words::{count, duration, many};
use crate::judge::{Verdict, VerdictFile};

/// One run of a batch.
#[derive(Debug, Clone)]
pub struct BatchLine {
    scenario: String,
    seed: u64,
    verdict: Verdict,
    expected: bool,
    operations: u64,
    outage_ns: Option<u64>,
    /// The kind of a failure, or why there is no verdict.
    why: String,
}

impl BatchLine {
    /// The run that ended in `verdict`.
    #[must_use]
    pub fn of(verdict: &VerdictFile) -> Self {
        let metrics = verdict.metrics.as_ref();
        Self {
            scenario: verdict.scenario.clone(),
            seed: verdict.seed,
            verdict: verdict.verdict,
            expected: verdict.expected,
            operations: metrics.map_or(0, |metrics| metrics.operations),
            outage_ns: metrics.map(|metrics| metrics.longest_outage_ns),
            why: match verdict.verdict {
                Verdict::Pass => String::new(),
                Verdict::Fail | Verdict::Inconclusive | Verdict::Error => {
                    verdict.signature.clone().unwrap_or_else(|| verdict.reason.clone())
                }
            },
        }
    }

    /// A run that came to no verdict.
    #[must_use]
    pub fn failed(scenario: &str, seed: u64, why: &str) -> Self {
        Self {
            scenario: scenario.to_owned(),
            seed,
            verdict: Verdict::Error,
            expected: false,
            operations: 0,
            outage_ns: None,
            why: why.to_owned(),
        }
    }
}

/// The table of a batch and the line below it.
#[must_use]
pub fn render(lines: &[BatchLine]) -> String {
    let width = lines.iter().map(|line| line.scenario.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for line in lines {
        let mark = if line.expected { ' ' } else { '!' };
        let outage = line.outage_ns.map(duration).unwrap_or_default();
        let BatchLine { scenario, seed, why, .. } = line;
        let word = line.verdict.word();
        let operations = count(line.operations);
        let row = format!(
            "{mark} {scenario:<width$}  seed {seed:<8}  {word:<12} {operations:>9} ops  outage {outage:<8} {why}"
        );
        text += row.trim_end();
        text.push('\n');
    }
    text + &summary(lines) + "\n"
}

fn summary(lines: &[BatchLine]) -> String {
    let mut text = many(lines.len() as u64, "run", "runs");
    let kinds = [
        (Verdict::Pass, "passed"),
        (Verdict::Fail, "failed"),
        (Verdict::Inconclusive, "inconclusive"),
        (Verdict::Error, "ended in an error of the testbed"),
    ];
    let mut separator = ": ";
    for (verdict, word) in kinds {
        let number = lines.iter().filter(|line| line.verdict == verdict).count();
        if number > 0 {
            let _ = write!(text, "{separator}{number} {word}");
            separator = ", ";
        }
    }
    let unexpected = lines.iter().filter(|line| !line.expected).count();
    let as_expected = if unexpected == 0 { "all".to_owned() } else { format!("all but {unexpected}") };
    let _ = write!(text, "; {as_expected} as expected");
    let mut outages: Vec<u64> = lines.iter().filter_map(|line| line.outage_ns).collect();
    outages.sort_unstable();
    if let (Some(median), Some(worst)) = (outages.get(outages.len() / 2), outages.last()) {
        let (median, worst) = (duration(*median), duration(*worst));
        let _ = write!(text, "; longest outage of a run: median {median}, worst {worst}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_each_and_what_they_say_together() {
        let line = |scenario: &str, seed, verdict, expected, operations, outage_ns, why: &str| BatchLine {
            outage_ns,
            operations,
            expected,
            verdict,
            ..BatchLine::failed(scenario, seed, why)
        };
        let lines = [
            line("calm", 5, Verdict::Pass, true, 516, Some(45_000_000), ""),
            line("leader-kill", 5, Verdict::Fail, false, 3_911, Some(1_200_000_000), "durable/lost"),
            line(
                "stale-read",
                123_456,
                Verdict::Fail,
                true,
                9_000,
                Some(80_000_000),
                "linearizable/stale-read",
            ),
            BatchLine::failed("calm", 6, "could not create runs/calm"),
        ];
        let expected = "
  calm         seed 5         pass               516 ops  outage 45 ms
! leader-kill  seed 5         fail             3,911 ops  outage 1.20 s   durable/lost
  stale-read   seed 123456    fail             9,000 ops  outage 80 ms    linearizable/stale-read
! calm         seed 6         error                0 ops  outage          could not create runs/calm
4 runs: 1 passed, 2 failed, 1 ended in an error of the testbed; all but 2 as expected; longest outage of a run: median 80 ms, worst 1.20 s
";
        assert_eq!(format!("\n{}", render(&lines)), expected);
        assert!(render(&lines[..1]).ends_with(
            "1 run: 1 passed; all as expected; longest outage of a run: median 45 ms, worst 45 ms\n"
        ));
    }
}

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
use crate::judge::Verdict;
use crate::suite::case::Attempt;

/// One run, and its scenario.
#[derive(Debug, Clone)]
pub struct Row {
    /// The scenario's name.
    pub scenario: String,
    /// What came of it.
    pub attempt: Attempt,
}

/// The table of a batch and the line below it.
#[must_use]
pub fn render(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.scenario.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for Row { scenario, attempt } in rows {
        let mark = if attempt.expected { ' ' } else { '!' };
        let outage = attempt.longest_outage_ns.map(duration).unwrap_or_default();
        let (seed, word, operations) = (attempt.seed, attempt.verdict.word(), count(attempt.operations));
        let row = format!(
            "{mark} {scenario:<width$}  seed {seed:<8}  {word:<12} {operations:>9} ops  outage {outage:<8} {}",
            why(attempt)
        );
        text += row.trim_end();
        text.push('\n');
    }
    text + &summary(rows) + "\n"
}

/// The kind of a failure, or why there is no verdict.
fn why(attempt: &Attempt) -> &str {
    match attempt.verdict {
        Verdict::Pass => "",
        Verdict::Fail | Verdict::Inconclusive | Verdict::Error => {
            attempt.signature.as_deref().unwrap_or(&attempt.reason)
        }
    }
}

fn summary(rows: &[Row]) -> String {
    let mut text = many(rows.len() as u64, "run", "runs");
    let kinds = [
        (Verdict::Pass, "passed"),
        (Verdict::Fail, "failed"),
        (Verdict::Inconclusive, "inconclusive"),
        (Verdict::Error, "ended in an error of the testbed"),
    ];
    let mut separator = ": ";
    for (verdict, word) in kinds {
        let number = rows.iter().filter(|row| row.attempt.verdict == verdict).count();
        if number > 0 {
            let _ = write!(text, "{separator}{number} {word}");
            separator = ", ";
        }
    }
    let unexpected = rows.iter().filter(|row| !row.attempt.expected).count();
    let as_expected = if unexpected == 0 { "all".to_owned() } else { format!("all but {unexpected}") };
    let _ = write!(text, "; {as_expected} as expected");
    let mut outages: Vec<u64> = rows.iter().filter_map(|row| row.attempt.longest_outage_ns).collect();
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
        let attempt = |seed, verdict, expected, operations, outage_ns, signature: Option<&str>| Attempt {
            verdict,
            expected,
            operations,
            longest_outage_ns: Some(outage_ns),
            signature: signature.map(str::to_owned),
            kinds: Vec::new(),
            ..Attempt::failed(seed, "a sentence")
        };
        let row = |scenario: &str, attempt| Row { scenario: scenario.to_owned(), attempt };
        let stale = Some("linearizable/stale-read");
        let rows = [
            row("calm", attempt(5, Verdict::Pass, true, 516, 45_000_000, None)),
            row("leader-kill", attempt(5, Verdict::Fail, false, 3_911, 1_200_000_000, Some("durable/lost"))),
            row("stale-read", attempt(123_456, Verdict::Fail, true, 9_000, 80_000_000, stale)),
            row("calm", Attempt::failed(6, "could not create runs/calm")),
        ];
        let expected = "
  calm         seed 5         pass               516 ops  outage 45 ms
! leader-kill  seed 5         fail             3,911 ops  outage 1.20 s   durable/lost
  stale-read   seed 123456    fail             9,000 ops  outage 80 ms    linearizable/stale-read
! calm         seed 6         error                0 ops  outage          could not create runs/calm
4 runs: 1 passed, 2 failed, 1 ended in an error of the testbed; all but 2 as expected; longest outage of a run: median 80 ms, worst 1.20 s
";
        assert_eq!(format!("\n{}", render(&rows)), expected);
        assert!(render(&rows[..1]).ends_with(
            "1 run: 1 passed; all as expected; longest outage of a run: median 45 ms, worst 45 ms\n"
        ));
    }
}

//! What planted bugs came to, as a table for a person.
//!
//! ```text
//! bug          purpose  caught     chance     seeds  seconds    seen
//! stale-read   own      5 of 5    57..100 %       1  12 / 14    linearizable/stale-read 5
//! stale-read   clean    0 of 5     0..43 %        -  -          -
//! ```

use std::fmt::Write as _;

use super::words::tally;
use crate::mutants::score::Score;
use crate::mutants::trial::Purpose;

/// The table, and a line that says what it comes to; `not_made` runs are missing in it.
#[must_use]
pub fn render(scores: &[Score], not_made: usize) -> String {
    let header = ["bug", "asked", "caught", "chance", "seeds", "seconds", "seen"].map(str::to_owned);
    let rows: Vec<[String; 7]> = std::iter::once(header).chain(scores.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    let _ = writeln!(text, "\n{}", summary(scores, not_made));
    text
}

/// One object and a line end.
#[must_use]
pub fn to_json(scores: &[Score]) -> String {
    let scores = serde_json::json!({ "format": 1, "scores": scores });
    serde_json::to_string_pretty(&scores).expect("scores are plain data") + "\n"
}

fn row(score: &Score) -> [String; 7] {
    let (low, high) = score.chance;
    let seconds = score.seconds.map_or("-".to_owned(), |(median, worst)| format!("{median:.0} / {worst:.0}"));
    let mut caught = format!("{} of {}", score.caught, score.runs);
    for (number, word) in [(score.inconclusive, "inconclusive"), (score.errors, "errors")] {
        if number > 0 {
            let _ = write!(caught, ", {number} {word}");
        }
    }
    let seen: Vec<String> = score.kinds.iter().map(|(kind, runs)| format!("{kind} {runs}")).collect();
    [
        score.bug.clone(),
        score
            .without
            .as_ref()
            .map_or_else(|| score.purpose.name().to_owned(), |name| format!("without {name}")),
        caught,
        format!("{:.0}..{:.0} %", low * 100.0, high * 100.0),
        score.seeds_until_caught.map_or("-".to_owned(), |seeds| seeds.to_string()),
        seconds,
        if seen.is_empty() { "-".to_owned() } else { seen.join(", ") },
    ]
}

/// `9 of 10 bugs caught; false alarms: 0 of 50 runs, 1 inconclusive`.
fn summary(scores: &[Score], not_made: usize) -> String {
    let of = |purpose| scores.iter().filter(move |score| score.purpose == purpose);
    let mut parts = Vec::new();
    for (purpose, words) in [
        (Purpose::Own, "caught by their own scenario"),
        (Purpose::General, "caught by the general one"),
        (Purpose::Calm, "caught without faults"),
        (Purpose::Without, "caught without one of its faults"),
        (Purpose::Invisible, "seen that nobody could be expected to see"),
    ] {
        let (caught, all) = (of(purpose).filter(|score| score.caught > 0).count(), of(purpose).count());
        if all > 0 {
            parts.push(format!("{caught} of {} {words}", tally(all, "bug", "bugs")));
        }
    }
    for (purpose, words) in
        [(Purpose::Clean, "without a bug"), (Purpose::Legal, "with a change that is legal")]
    {
        let total = |number: fn(&Score) -> u32| of(purpose).map(number).sum::<u32>();
        if of(purpose).next().is_some() {
            parts.push(format!(
                "false alarms: {} of {} {words}, {} inconclusive",
                total(|score| score.caught),
                tally(total(|score| score.runs) as usize, "run", "runs"),
                total(|score| score.inconclusive),
            ));
        }
    }
    if not_made > 0 {
        parts.push(format!("{} not made", tally(not_made, "run", "runs")));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(bug: &str, purpose: Purpose, caught: u32, runs: u32) -> Score {
        Score {
            bug: bug.to_owned(),
            purpose,
            scenario: bug.to_owned(),
            without: None,
            without_check: Vec::new(),
            runs,
            caught,
            inconclusive: u32::from(purpose == Purpose::Clean),
            errors: 0,
            seeds_until_caught: (caught > 0).then_some(1),
            seconds: (caught > 0).then_some((11.6, 14.2)),
            chance: crate::mutants::score::wilson(caught, runs),
            kinds: if caught > 0 { vec![("linearizable/stale-read".to_owned(), caught)] } else { Vec::new() },
        }
    }

    #[test]
    fn a_table_says_what_was_caught_how_surely_and_what_was_a_false_alarm() {
        let scores = [
            score("stale-read", Purpose::Own, 5, 5),
            score("forget-vote", Purpose::Own, 0, 5),
            score("stale-read", Purpose::Clean, 0, 5),
        ];
        let text = "\
bug          asked  caught                  chance     seeds  seconds  seen
stale-read   own    5 of 5                  57..100 %  1      12 / 14  linearizable/stale-read 5
forget-vote  own    0 of 5                  0..43 %    -      -        -
stale-read   clean  0 of 5, 1 inconclusive  0..43 %    -      -        -

1 of 2 bugs caught by their own scenario; false alarms: 0 of 5 runs without a bug, 1 inconclusive; 2 runs not made
";
        assert_eq!(render(&scores, 2), text);
    }
}

//! What the trials of one bug come to.
//!
//! How likely a seed shows a bug is told with the Wilson score interval (Wilson, "Probable inference, the law of
//! succession, and statistical inference", JASA 1927), which is right for few trials and for rates near 0 and 1, where
//! the usual one is not.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::record::Made;
use super::trial::Purpose;
use crate::judge::Verdict;

/// The quantile of the normal distribution that leaves 2.5 % on each side.
const Z_95: f64 = 1.959_963_985;

/// What the trials of one bug with one purpose come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The bug.
    pub bug: String,
    /// What was asked.
    pub purpose: Purpose,
    /// The scenario.
    pub scenario: String,
    /// The fault that was left out, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without: Option<String>,
    /// How many runs came to a verdict.
    pub runs: u32,
    /// How many of them show the failure that is looked for: the expected one, or any where none is expected.
    pub caught: u32,
    /// How many could not say.
    pub inconclusive: u32,
    /// How many runs came to no verdict at all.
    pub errors: u32,
    /// Of how many seeds, from the first on, the last is the first that shows it.
    pub seeds_until_caught: Option<u32>,
    /// The median and the longest of the times, in seconds, that a run that shows it took.
    pub seconds: Option<(f64, f64)>,
    /// From and to where the chance that a seed shows it is, with 95 % confidence.
    pub chance: (f64, f64),
    /// The kinds of failures that were seen, with the number of runs that show them, most frequent first.
    pub kinds: Vec<(String, u32)>,
    /// The checks that found something, and how many of the runs that show it would be failures without that check.
    pub without_check: Vec<(String, u32)>,
}

/// The scores of what was made, by purpose and bug.
#[must_use]
pub fn scores(made: &[Made]) -> Vec<Score> {
    let mut groups: BTreeMap<(Purpose, &str, &str, Option<&str>), Vec<&Made>> = BTreeMap::new();
    for one in made {
        let group = (one.purpose, one.bug.as_str(), one.scenario.as_str(), one.without.as_deref());
        groups.entry(group).or_default().push(one);
    }
    groups.into_values().filter_map(|made| score(&made)).collect()
}

/// The score of trials that are alike but for their seeds; none, of no trials.
fn score(made: &[&Made]) -> Option<Score> {
    let Made { purpose, bug, scenario, without, .. } = (*made.first()?).clone();
    let mut in_order = made.to_vec();
    in_order.sort_by_key(|one| one.seed);
    let counted = |holds: &dyn Fn(&Made) -> bool| count(in_order.iter().filter(|one| holds(one)).count());
    let errors = counted(&|one| one.verdict == Verdict::Error);
    let caught = counted(&|one| one.caught);
    let runs = count(in_order.len()) - errors;
    let mut seconds: Vec<f64> = in_order.iter().filter(|one| one.caught).map(|one| one.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for kind in in_order.iter().flat_map(|one| &one.kinds) {
        *kinds.entry(kind).or_default() += 1;
    }
    let mut kinds: Vec<(String, u32)> =
        kinds.into_iter().map(|(kind, runs)| (kind.to_owned(), runs)).collect();
    kinds.sort_by(|(one, fewer), (other, more)| more.cmp(fewer).then_with(|| one.cmp(other)));
    Some(Score {
        bug,
        purpose,
        scenario,
        without,
        runs,
        caught,
        inconclusive: counted(&|one| one.verdict == Verdict::Inconclusive),
        errors,
        seeds_until_caught: in_order.iter().position(|one| one.caught).map(|place| count(place) + 1),
        seconds: seconds.last().map(|worst| (seconds[(seconds.len() - 1) / 2], *worst)),
        chance: wilson(caught, runs),
        kinds,
        without_check: without_check(&in_order),
    })
}

/// The checks that found something, and how many of the runs that were caught another check would have failed, too.
fn without_check(made: &[&Made]) -> Vec<(String, u32)> {
    let check = |kind: &str| kind.split('/').next().unwrap_or_default().to_owned();
    let found: Vec<BTreeSet<String>> = made
        .iter()
        .filter(|one| one.caught)
        .map(|one| one.kinds.iter().map(|kind| check(kind)).collect())
        .collect();
    let checks: BTreeSet<&String> = found.iter().flatten().collect();
    let others = |check: &String| found.iter().filter(|by| by.iter().any(|other| other != check)).count();
    checks.into_iter().map(|check| (check.clone(), count(others(check)))).collect()
}

/// Between which chances of success `hits` of `of` are likely, with 95 % confidence. Without trials anything is.
#[must_use]
pub fn wilson(hits: u32, of: u32) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (f64::from(of), f64::from(hits) / f64::from(of));
    let z2 = Z_95 * Z_95;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(bug: &str, seed: u64, verdict: Verdict, kinds: &[&str], seconds: f64) -> Made {
        Made {
            purpose: Purpose::Own,
            bug: bug.to_owned(),
            scenario: bug.to_owned(),
            without: None,
            changes: Vec::new(),
            seed,
            verdict,
            caught: verdict == Verdict::Fail,
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            seconds,
            reason: String::new(),
            directory: None,
        }
    }

    #[test]
    fn a_score_says_how_soon_and_how_surely_a_bug_is_caught() {
        use Verdict::{Error, Fail, Inconclusive, Pass};
        let made = [
            made("b", 3, Fail, &["durable/lost", "linearizable/hole"], 30.0),
            made("b", 1, Pass, &[], 9.0),
            made("b", 2, Inconclusive, &[], 9.0),
            made("b", 4, Fail, &["durable/lost"], 10.0),
            made("b", 5, Error, &[], 1.0),
            made("a", 1, Fail, &["linearizable/stale-read"], 5.0),
        ];
        let scores = scores(&made);
        let names: Vec<&str> = scores.iter().map(|score| score.bug.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let b = &scores[1];
        assert_eq!((b.runs, b.caught, b.inconclusive, b.errors), (4, 2, 1, 1));
        assert_eq!((b.seeds_until_caught, b.seconds), (Some(3), Some((10.0, 30.0))));
        assert_eq!(b.kinds, [("durable/lost".to_owned(), 2), ("linearizable/hole".to_owned(), 1)]);
        assert_eq!(b.without_check, [("durable".to_owned(), 1), ("linearizable".to_owned(), 2)]);
    }

    #[test]
    fn the_interval_is_wilsons() {
        // Worked by hand for 5 of 5 and 1 of 10.
        let near = |(low, high): (f64, f64), (from, to): (f64, f64)| {
            assert!((low - from).abs() < 5e-4 && (high - to).abs() < 5e-4, "{low} {high}");
        };
        near(wilson(5, 5), (0.5655, 1.0));
        near(wilson(0, 5), (0.0, 0.4345));
        near(wilson(1, 10), (0.0179, 0.4042));
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}

//! The verdict for people.

use std::collections::BTreeSet;

use super::Judgement;
use crate::explain::{Style, printable, wrapped};
use crate::report;
use crate::verdict::{CheckResult, Verdict};

/// The most anomalies that are drawn for each check; one proves the point.
const DRAWN_MAX: usize = 2;

/// Everything that was found out about `file`: paragraphs with a line between them.
pub(super) fn judgement(style: Style, judgement: &Judgement, file: &str) -> String {
    let word = judgement.verdict.to_string().to_uppercase();
    let why = printable(&format!("{file}: {}", why(judgement))).into_owned();
    let headline = wrapped(&format!("{word}  "), &style.letters(&why), word.len() + 2, style.width);
    let headline = headline.replacen(&word, &style.paint(judgement.verdict.paint(), &word), 1);
    let summaries = judgement.checks.iter().map(|check| report::summary_in(style, check)).collect();
    let mut paragraphs = vec![headline, summaries];
    for check in judgement.checks.iter().filter(|check| check.verdict == Verdict::Invalid) {
        paragraphs.extend(report::counterexamples_in(style, check, DRAWN_MAX, "`-o json`"));
    }
    let note = |note: &String| wrapped("  note       ", &printable(note), 13, style.width);
    paragraphs.push(judgement.notes.iter().map(note).collect());
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n")
}

/// The verdict in a few words: `linearizable: stale-read in alice:bob`.
fn why(judgement: &Judgement) -> String {
    let of = |verdict| judgement.checks.iter().filter(move |check: &&CheckResult| check.verdict == verdict);
    let words: Vec<String> = match judgement.verdict {
        Verdict::Valid => vec!["every check is valid".to_owned()],
        Verdict::Invalid => of(Verdict::Invalid).map(found).collect(),
        Verdict::Unknown => of(Verdict::Unknown)
            .map(|check| format!("{}: {}", check.name, check.reason.as_deref().unwrap_or("nobody can say")))
            .collect(),
    };
    words.join("; ")
}

/// `linearizable: lost and stale-read in alice:bob`
fn found(check: &CheckResult) -> String {
    let kinds: BTreeSet<_> = check.anomalies.iter().map(|anomaly| anomaly.kind).collect();
    let kinds: Vec<&str> = kinds.into_iter().map(|kind| kind.name()).collect();
    let keys: BTreeSet<String> = check.anomalies.iter().map(report::of_key).collect();
    let key = if keys.len() == 1 { keys.into_iter().collect() } else { String::new() };
    format!("{}: {}{key}", check.name, crate::explain::list(&kinds))
}

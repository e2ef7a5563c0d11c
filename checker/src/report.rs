//! Results as paragraphs of text for whoever writes to a terminal, by default plain and at most [`WIDTH`] columns wide.
//!
//! ```text
//!   linearizable         invalid  42,383 examined, 2 keys, 253 anomalies, 41 ms
//!
//!   linearizable: stale-read (G-single-realtime) in carol:dave
//!   send c10-546 (A) was acknowledged at 11.315 s as number 4313; the read by client 7 on n5 (B)
//!   began at 11.324 s and ended at number 4312 without it; the read by client 8 on n2 (C), which
//!   ended at 11.333 s, shows it
//!
//!     client 10 on n4  ├─A────────┤
//!     …
//!
//!   impossible  A read shows the newest state of a moment between its beginning and its end. …
//!   look at     Events 651 to 655 of the history, and the logs of n4 and n5 from 11.312 s to 11.327 s. …
//! ```

use crate::anomaly::Anomaly;
use crate::explain::{Paint, Style, printable, wrapped};
use crate::verdict::{CheckResult, Quantiles, Verdict};

/// The most columns of a line, unless a single word is longer.
pub const WIDTH: usize = 100;

/// How far drawings are indented.
const DRAWING: usize = 4;

/// The column in which the numbers of a check begin.
const NUMBERS: usize = 32;

/// One check: its verdict and what it rests on, then its counts, those that are zero left out, and its times.
#[must_use]
pub fn summary(check: &CheckResult) -> String {
    summary_in(Style::default(), check)
}

/// [`summary`], in another style.
#[must_use]
pub fn summary_in(style: Style, check: &CheckResult) -> String {
    let mut facts = match check.verdict {
        Verdict::Valid | Verdict::Invalid => {
            let mut facts = vec![format!("{} examined", count(check.operations))];
            facts.extend((check.keys > 0).then(|| many(check.keys, "key", "keys")));
            let anomalies = check.anomalies_total;
            facts.extend((anomalies > 0).then(|| many(anomalies, "anomaly", "anomalies")));
            facts
        }
        Verdict::Unknown => vec![check.reason.clone().unwrap_or_else(|| "nobody can say".to_owned())],
    };
    facts.extend(check.ms.map(|ms| format!("{} ms", count(ms))));
    let label = format!("  {:<20} {:<8} ", check.name, check.verdict);
    let mut text = wrapped(&label, &printable(&facts.join(", ")), NUMBERS, style.width);
    let word = check.verdict.to_string();
    if style.colour {
        text = text.replacen(&word, &style.paint(check.verdict.paint(), &word), 1);
    }
    let counts = check.counts.iter().filter(|(_, number)| **number > 0);
    let counts: Vec<String> = counts.map(|(name, number)| format!("{} {name}", count(*number))).collect();
    if !counts.is_empty() {
        text.push_str(&wrapped(&" ".repeat(NUMBERS), &counts.join(", "), NUMBERS, style.width));
    }
    if let Some(losses) = &check.losses {
        text.push_str(&wrapped(&" ".repeat(NUMBERS), &losses.line(), NUMBERS, style.width));
    }
    for (name, quantiles) in check.latencies.iter().filter(|(_, quantiles)| quantiles.max > 0) {
        text.push_str(&wrapped(&" ".repeat(NUMBERS), &latency(name, quantiles), NUMBERS, style.width));
    }
    text
}

/// `stable 12: median 0.120 ms, p99 3.400 ms, max 8.100 ms`
fn latency(name: &str, quantiles: &Quantiles) -> String {
    let ms = |ns: u64| format!("{}.{:03} ms", count(ns / 1_000_000), ns / 1_000 % 1_000);
    let Quantiles { count: times, median, p99, max, .. } = *quantiles;
    format!("{name} of {}: median {}, p99 {}, max {}", count(times), ms(median), ms(p99), ms(max))
}

/// The clearest anomalies of a check, a paragraph each, and how many there are besides; `more_in` says where.
#[must_use]
pub fn counterexamples(check: &CheckResult, drawn_max: usize, more_in: &str) -> Vec<String> {
    counterexamples_in(Style::default(), check, drawn_max, more_in)
}

/// [`counterexamples`], in another style.
#[must_use]
pub fn counterexamples_in(style: Style, check: &CheckResult, drawn_max: usize, more_in: &str) -> Vec<String> {
    let drawn = check.anomalies.iter().take(drawn_max);
    let mut paragraphs: Vec<String> = drawn.map(|anomaly| counterexample(style, check, anomaly)).collect();
    let more = check.anomalies_total.saturating_sub(paragraphs.len() as u64);
    if more > 0 {
        let line = format!("  … and {} more of {}; see {more_in}\n", count(more), check.name);
        paragraphs.push(style.letters(&line).into_owned());
    }
    paragraphs
}

/// What happened, its picture, why it is impossible, and what to look at next.
fn counterexample(style: Style, check: &CheckResult, anomaly: &Anomaly) -> String {
    let elle = anomaly.elle.as_ref().map_or(String::new(), |elle| format!(" ({elle})"));
    let title = printable(&format!("{}: {}{elle}{}", check.name, anomaly.kind, of_key(anomaly))).into_owned();
    let title = wrapped("  ", &title, 2, style.width);
    let title =
        title.lines().map(|line| format!("{}\n", style.paint(Paint::Title, line))).collect::<String>();
    let sentence = wrapped("  ", &anomaly.told(), 2, style.width);
    // A drawing that an older version wrote cannot be drawn again.
    let drawing = match anomaly.draw(style.narrower(DRAWING)) {
        drawing if drawing.is_empty() => anomaly.drawing.clone(),
        drawing => drawing,
    };
    let drawing: String = drawing
        .lines()
        .map(|line| format!("{:DRAWING$}{line}", ""))
        .fold(String::new(), |text, line| text + line.trim_end() + "\n");
    let mut reasons = String::new();
    let mut reason = |label: &str, text: &str| {
        if !text.is_empty() {
            let label = format!("  {label:<10}  ");
            reasons.push_str(&wrapped(&label, &style.letters(text), label.len(), style.width));
        }
    };
    reason("impossible", &anomaly.why);
    for refusal in &anomaly.refusals {
        reason("refused", &format!("{}: {}", refusal.operation, refusal.why));
    }
    reason("look at", &anomaly.look_at);
    [format!("{title}{sentence}"), drawing, reasons]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// ` in alice:bob`, if the anomaly is about one object.
pub(crate) fn of_key(anomaly: &Anomaly) -> String {
    anomaly.key.as_ref().map_or(String::new(), |key| format!(" in {key}"))
}

/// A text behind a label, broken between words; what does not fit into the first line is indented.
#[must_use]
pub fn wrap(label: &str, text: &str, indent: usize) -> String {
    wrapped(label, text, indent, WIDTH)
}

/// `6012` as `6,012`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 key`, `6,012 keys`.
#[must_use]
pub fn many(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 1, 6_012].map(|number| many(number, "key", "keys")),
            ["0 keys", "1 key", "6,012 keys"]
        );
    }

    #[test]
    fn long_texts_are_broken_between_words() {
        let words = vec!["sentence"; 30].join(" ");
        let text = wrap("  label   ", &words, 4);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.starts_with("  label   sentence sentence"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("    sentence")), "{text}");
        assert_eq!(wrap("  ", "short", 2), "  short\n");
        assert_eq!(wrap("", "", 2), "\n");
    }
}

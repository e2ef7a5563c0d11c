//! Contradictions for people: a few operations in words, and as bars over time under the faults of that time.
//!
//! ```text
//!                      5.001            5.013   5.020           5.024 s
//! kill n1              ◀━━━━━━━━━━━━━━━━━━━━━ 4.000 .. 7.012 s ━━━━━━━━▶
//! client 3 on n1       ├─A──────────────┤
//! client 5 on n2                                ├─B──────────────────┤
//!
//! A  5.001 .. 5.013 s  send c3-17: ok, number 17
//! B  5.020 .. 5.024 s  read after 10 limit 50: head 16, 11:c1-4 … 16:c2-9 (6)
//! ```
//!
//! A [`Scene`] is what one contradiction shows. Its sentence and its drawing tell times alike: in milliseconds, or as
//! exactly as it takes to see which of two came first.
//!
//! Time goes from left to right; a gap much longer than the others is squeezed and marked with `≈`. A bar that ends in `?`
//! is an operation of which nobody knows the outcome, so it may take effect at any later time. A [`Style`] says how wide
//! a drawing may be and whether it is made of ASCII.

mod axis;
mod describe;
mod letters;
mod look;
mod picture;
mod precision;
mod scene;
mod style;
#[cfg(test)]
mod tests;
mod windows;

pub(crate) use describe::alternatives;
pub use describe::{client, list, operation_about, the_poll, the_read};
pub(crate) use letters::letter;
pub(crate) use look::look_at;
pub use precision::{Precision, seconds};
pub use scene::Scene;
pub(crate) use style::printable;
pub use style::{Paint, Style};
pub(crate) use windows::Stood;

use crate::anomaly::Anomaly;
use crate::evidence::StateDigest;
use crate::evidence::trace::TraceEvent;

/// The most columns of the drawing that an anomaly carries; indented by four, it fits into 100.
pub const WIDTH: usize = 96;

/// The columns of a node's name in front of what it wrote down.
const NODE_WIDTH: usize = 4;

/// The most columns of a digest.
const DIGEST_WIDTH: usize = 32;

/// The picture of an anomaly.
pub(crate) fn draw(anomaly: &Anomaly, style: Style) -> String {
    let style = style.narrower(0);
    let mut drawing = picture::draw(anomaly, style);
    drawing += &draw_trace(&anomaly.trace, style);
    drawing += &draw_digests(&anomaly.digests, style);
    drawing
}

/// The sentence of an anomaly, with the letters of its operations.
pub(crate) fn lettered(anomaly: &Anomaly) -> String {
    letters::lettered(anomaly)
}

/// Draws lines of the nodes' traces, a paragraph each, with times since the first of them.
fn draw_trace(events: &[TraceEvent], style: Style) -> String {
    let mut events: Vec<&TraceEvent> = events.iter().collect();
    events.sort_by_key(|event| event.at());
    let first = events.first().map_or(0, |event| event.at());
    let precision = Precision::telling_apart(events.iter().map(|event| event.at() - first));
    let line = |event: &&TraceEvent| {
        let at = precision.seconds(event.at() - first);
        node_line(event.node(), &format!("+{at}"), &describe::trace_event(event), style)
    };
    events.iter().map(line).collect()
}

/// Draws digests, one a line.
fn draw_digests(digests: &[StateDigest], style: Style) -> String {
    let line = |digest: &StateDigest| {
        let index = format!("index {}", digest.index);
        node_line(&digest.node, &index, &shorten(&digest.digest, DIGEST_WIDTH), style)
    };
    digests.iter().map(line).collect()
}

fn node_line(node: &str, when: &str, text: &str, style: Style) -> String {
    let label = printable(&format!("{:NODE_WIDTH$}  {when}   ", shorten(node, NODE_WIDTH))).into_owned();
    let (label, text) = (style.letters(&label), style.letters(&printable(text)).into_owned());
    wrapped(&label, &text, label.chars().count(), style.width)
}

/// A text of at most `width` columns.
fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let cut: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end_matches([' ', '…']))
}

/// A text behind a label, broken between words into lines of at most `width` columns; what does not fit into the first
/// line is indented. A single word may be longer.
pub(crate) fn wrapped(label: &str, text: &str, indent: usize, width: usize) -> String {
    let mut lines = vec![label.to_owned()];
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            // A number and its unit stay together.
            Some(number) if is_seconds(word) && number.ends_with(|c: char| c.is_ascii_digit()) => {
                *number = format!("{number} {word}");
            }
            _ => words.push(word.to_owned()),
        }
    }
    for word in &words {
        let line = lines.last_mut().expect("there is a first line");
        let begins = line.ends_with(' ') || line.is_empty();
        if !begins && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("{:indent$}{word}", ""));
        } else {
            line.push_str(if begins { "" } else { " " });
            line.push_str(word);
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Whether a word is the unit of a time, with or without a mark behind it.
fn is_seconds(word: &str) -> bool {
    word.trim_end_matches([',', '.', ';', ':', ')']) == "s"
}

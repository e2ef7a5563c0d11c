//! Contradictions for people: a few operations in words, and as bars over time under the faults of that time.
//!
//! ```text
//! kill n1              ◀────── 4.000 .. 7.012 s ──────────────────────────┤
//! client 3 on n1       send c3-17: ok, number 17
//!   5.001 .. 5.013 s   ├──────────────────┤
//! client 5 on n2       read after 10 limit 50: head 16, 11:c1-4 … 16:c2-9 (6)
//!   5.020 .. 5.024 s                                    ├─────────────────┤
//! ```
//!
//! A [`Scene`] is what one contradiction shows. Its sentence and its drawing tell times alike: in milliseconds, or as
//! exactly as it takes to see which of two came first.
//!
//! The axis keeps the order of all that begins and ends, not its scale: operations last a millisecond and can be a
//! minute apart. A bar that ends in `?` is an operation of which nobody knows the outcome, so it may take effect
//! at any later time. Plain text without colours, at most [`WIDTH`] columns.

mod describe;
mod drawing;
mod precision;
mod scene;
#[cfg(test)]
mod tests;

pub use describe::{client, list, operation_about, the_poll, the_read};
pub use precision::{Precision, seconds};
pub use scene::Scene;

use crate::evidence::StateDigest;
use crate::evidence::trace::TraceEvent;

/// The most columns of a drawing; indented by four, it fits into 100.
pub const WIDTH: usize = 96;

/// The columns left of what a node wrote down.
const NODE_WIDTH: usize = 16;

/// Draws lines of the nodes' traces, one a line, with times since the first of them.
#[must_use]
pub fn draw_trace(events: &[TraceEvent]) -> String {
    let mut events: Vec<&TraceEvent> = events.iter().collect();
    events.sort_by_key(|event| event.at());
    let first = events.first().map_or(0, |event| event.at());
    let precision = Precision::telling_apart(events.iter().map(|event| event.at() - first));
    let line = |event: &&TraceEvent| {
        let at = precision.seconds(event.at() - first);
        format!("{:NODE_WIDTH$}+{at}   {}\n", event.node(), describe::trace_event(event))
    };
    events.iter().map(line).collect()
}

/// Draws digests, one a line.
#[must_use]
pub fn draw_digests(digests: &[StateDigest]) -> String {
    let line = |digest: &StateDigest| {
        format!("{:NODE_WIDTH$}index {}   {}\n", digest.node, digest.index, shorten(&digest.digest, 64))
    };
    digests.iter().map(line).collect()
}

/// A text of at most `width` columns.
fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let cut: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end_matches([' ', '…']))
}

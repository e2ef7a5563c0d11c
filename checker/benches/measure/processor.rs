//! The time that this thread had of a processor, so that a busy machine does not count.

use std::time::Duration;

/// How long this thread has run, as Linux counts it in `schedstat`: at ticks and whenever it had to wait, so it takes
/// many milliseconds to say much. `None` where that is not known.
#[expect(clippy::disallowed_methods, reason = "the kernel says it in a file")]
pub(crate) fn on_processor() -> Option<Duration> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    statistics.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

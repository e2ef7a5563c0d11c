//! Numbers and times as a person says them.

use std::time::Duration;

pub(super) use checker::report::{count, many};

/// Nanoseconds: `1.23 s`, `87 ms`, `0.8 ms`.
pub(super) fn duration(ns: u64) -> String {
    let seconds = Duration::from_nanos(ns).as_secs_f64();
    match ns {
        0..10_000_000 => format!("{:.1} ms", seconds * 1e3),
        10_000_000..1_000_000_000 => format!("{:.0} ms", seconds * 1e3),
        1_000_000_000.. => format!("{seconds:.2} s"),
    }
}

/// Seconds of something long: `42 s`, `3 min 12 s`.
pub(super) fn minutes(seconds: f64) -> String {
    let whole = Duration::try_from_secs_f64(seconds).unwrap_or_default().as_secs_f64().round();
    if whole < 60.0 {
        format!("{whole:.0} s")
    } else {
        format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0)
    }
}

/// [`many`] of what is in memory.
pub(super) fn tally(number: usize, one: &str, more: &str) -> String {
    many(number as u64, one, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_times_have_units() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([800_000, 87_400_000, 1_234_000_000].map(duration), ["0.8 ms", "87 ms", "1.23 s"]);
        assert_eq!([0.2, 59.4, 59.6, 192.0].map(minutes), ["0 s", "59 s", "1 min 0 s", "3 min 12 s"]);
    }
}

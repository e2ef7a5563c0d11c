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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_times_have_units() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([800_000, 87_400_000, 1_234_000_000].map(duration), ["0.8 ms", "87 ms", "1.23 s"]);
    }
}

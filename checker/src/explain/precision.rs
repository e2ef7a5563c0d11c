//! How exactly times are told.

/// How many digits of a second are told.
///
/// Milliseconds are enough for a person, unless two times differ by less: then their order must still be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precision {
    digits: u32,
}

impl Precision {
    const MILLISECONDS: Precision = Precision { digits: 3 };
    pub(super) const ALL: [Precision; 3] =
        [Self::MILLISECONDS, Precision { digits: 6 }, Precision { digits: 9 }];

    /// The coarsest precision at which no two of these times, in ns, look alike that are not the same.
    #[must_use]
    pub fn telling_apart(times: impl IntoIterator<Item = u64>) -> Self {
        let mut times: Vec<u64> = times.into_iter().collect();
        times.sort_unstable();
        times.dedup();
        let tells = |precision: &Precision| {
            times.windows(2).all(|pair| pair[0] / precision.unit() < pair[1] / precision.unit())
        };
        Self::ALL.into_iter().find(tells).expect("nanoseconds tell all times apart")
    }

    /// A time in ns: `12.013 s`.
    #[must_use]
    pub fn seconds(self, ns: u64) -> String {
        format!("{} s", self.number(ns))
    }

    /// A time in ns, without its unit: `12.013`.
    pub(super) fn number(self, ns: u64) -> String {
        let part = ns % 1_000_000_000 / self.unit();
        format!("{}.{part:0width$}", ns / 1_000_000_000, width = self.digits as usize)
    }

    /// The length of the smallest step, in ns.
    fn unit(self) -> u64 {
        10_u64.pow(9 - self.digits)
    }
}

/// A time that stands alone, in ns: `12.013 s`.
#[must_use]
pub fn seconds(ns: u64) -> String {
    Precision::MILLISECONDS.seconds(ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_exactly_as_their_order_needs() {
        let told = |times: &[u64]| {
            let precision = Precision::telling_apart(times.iter().copied());
            times.iter().map(|time| precision.seconds(*time)).collect::<Vec<_>>()
        };
        assert_eq!(told(&[458_000_000, 459_000_001]), ["0.458 s", "0.459 s"]);
        assert_eq!(told(&[12_458_009_999, 12_458_010_000]), ["12.458009 s", "12.458010 s"]);
        assert_eq!(told(&[7, 9]), ["0.000000007 s", "0.000000009 s"]);
        // What happened in the same nanosecond has no order to be seen.
        assert_eq!(told(&[5, 5]), ["0.000 s", "0.000 s"]);
        assert_eq!(seconds(1_999_999_999), "1.999 s");
    }
}

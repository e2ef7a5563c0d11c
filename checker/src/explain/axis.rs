//! Which column a moment has: from left to right as time goes, with long gaps squeezed.
//!
//! What begins or ends is a *point*. Two points are never in one column as long as there are columns enough, so that
//! one sees which came first; what is left of the columns is shared out as time passes between them. A gap that is much
//! longer than is usual here gets no more columns than a few usual ones, and is marked.

/// How many usual gaps a squeezed one is as wide as.
const USUAL_MAX: u64 = 12;

/// The most columns that each gap gets before time is looked at: enough for a short bar with its letter.
const LEAST_MAX: usize = 4;

/// The columns of all that begins or ends in a picture.
#[derive(Debug)]
pub(super) struct Axis {
    points: Vec<Point>,
    width: usize,
}

/// Something begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    /// The event's number in the history.
    pub(super) index: u32,
    /// In ns.
    pub(super) time: u64,
    pub(super) column: usize,
    /// Whether the gap after it is squeezed.
    squeezed: bool,
}

impl Axis {
    /// The axis of some moments, each an event's number and its time; `None` without any.
    pub(super) fn of(moments: impl IntoIterator<Item = (u32, u64)>, width: usize) -> Option<Self> {
        let point = |(index, time)| Point { index, time, column: 0, squeezed: false };
        let mut points: Vec<Point> = moments.into_iter().map(point).collect();
        points.sort_unstable_by_key(|point| point.index);
        points.dedup_by_key(|point| point.index);
        if points.is_empty() {
            return None;
        }
        let mut axis = Axis { points, width };
        axis.place();
        Some(axis)
    }

    fn place(&mut self) {
        let gaps: Vec<u64> =
            self.points.windows(2).map(|pair| pair[1].time.saturating_sub(pair[0].time)).collect();
        let (count, last) = (gaps.len().max(1), self.width - 1);
        let usual = usual(&gaps);
        let weight = |gap: u64| u128::from(gap.min(usual.saturating_mul(USUAL_MAX)));
        let total: u128 = gaps.iter().map(|gap| weight(*gap)).sum();
        // Two thirds at most go to seeing the order, the rest to seeing the time.
        let least = (last * 2 / 3 / count).min(LEAST_MAX);
        let shared = (last - least * gaps.len().min(last)) as u128;
        let mut passed = 0_u128;
        for (number, point) in self.points.iter_mut().enumerate() {
            point.column = if least == 0 || total == 0 {
                number * last / count
            } else {
                least * number + usize::try_from(shared * passed / total).unwrap_or(last)
            };
            if let Some(gap) = gaps.get(number) {
                passed += weight(*gap);
                point.squeezed = *gap > usual.saturating_mul(USUAL_MAX) && total > 0;
            }
        }
    }

    /// The columns there are.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    /// The column of an event, `None` if it is not on the axis.
    pub(super) fn column(&self, index: u32) -> Option<usize> {
        let position = self.points.binary_search_by_key(&index, |point| point.index).ok()?;
        Some(self.points[position].column)
    }

    /// The columns in the middle of the gaps that are squeezed.
    pub(super) fn squeezed(&self) -> impl Iterator<Item = usize> {
        let pairs = self.points.windows(2).filter(|pair| pair[0].squeezed);
        pairs.map(|pair| pair[0].column.midpoint(pair[1].column + 1))
    }
}

/// How long most gaps are: the lower median of those that take any time.
fn usual(gaps: &[u64]) -> u64 {
    let mut gaps: Vec<u64> = gaps.iter().copied().filter(|gap| *gap > 0).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn columns(times: &[u64], width: usize) -> Vec<usize> {
        let axis = Axis::of((0..).zip(times.iter().copied()), width).unwrap();
        axis.points().iter().map(|point| point.column).collect()
    }

    #[test]
    fn time_goes_from_left_to_right_and_long_gaps_are_squeezed() {
        assert_eq!(columns(&[0, 10, 20, 30], 31), [0, 10, 20, 30]);
        assert_eq!(columns(&[0, 10, 40], 31), [0, 9, 30]);
        assert_eq!(columns(&[0, 10, 1_000_000, 1_000_010], 31), [0, 5, 24, 30]);
        assert_eq!(columns(&[5, 5, 5], 31), [0, 15, 30]);
        assert_eq!(columns(&[5], 31), [0]);
        let axis = Axis::of([(0, 0), (1, 10), (2, 1_000_000), (3, 1_000_010)], 31).unwrap();
        assert_eq!(axis.squeezed().collect::<Vec<_>>(), [15]);
    }

    proptest! {
        #[test]
        fn the_order_can_be_seen_while_there_are_columns(
            gaps in prop::collection::vec(prop_oneof![0..20_u64, 0..u64::MAX / 64], 0..40),
            width in 40..120_usize,
        ) {
            let mut times = vec![0];
            times.extend(gaps.iter().scan(0_u64, |time, gap| { *time += gap; Some(*time) }));
            let columns = columns(&times, width);
            prop_assert!(columns.iter().all(|column| *column < width));
            prop_assert!(columns.windows(2).all(|pair| pair[0] <= pair[1]));
            if times.len() * 3 < width {
                prop_assert!(columns.windows(2).all(|pair| pair[0] < pair[1]), "{columns:?}");
            }
        }
    }
}

//! What the histories of a comparison were like: it proves little if they were all good, or all simple.

use crate::model::Operation;

/// Counts of histories.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    histories: u64,
    /// Those without an order.
    bad: u64,
    /// Those in which two operations overlap.
    overlap: u64,
    /// Those in which an operation never returned.
    crashed: u64,
    operations: u64,
}

impl Tally {
    /// Counts a history of operations on some objects.
    pub(crate) fn count<I, O>(&mut self, objects: &[Vec<Operation<I, O>>], has_order: bool) {
        let ends = |operation: &Operation<I, O>| operation.returned.unwrap_or(u32::MAX);
        let overlap = |one: &Operation<I, O>, other: &Operation<I, O>| {
            one.invoked < other.invoked && other.invoked < ends(one)
        };
        let overlaps = |operations: &Vec<Operation<I, O>>| {
            operations.iter().any(|one| operations.iter().any(|other| overlap(one, other)))
        };
        let crashed = objects.iter().flatten().any(|operation| operation.returned.is_none());
        let operations = objects.iter().map(Vec::len).sum();
        self.add(operations, objects.iter().any(overlaps), crashed, has_order);
    }

    /// Counts a history of so many operations.
    pub(crate) fn add(&mut self, operations: usize, overlaps: bool, crashed: bool, has_order: bool) {
        self.histories += 1;
        self.bad += u64::from(!has_order);
        self.overlap += u64::from(overlaps);
        self.crashed += u64::from(crashed);
        self.operations += operations as u64;
    }

    /// Says what the histories were like.
    ///
    /// # Panics
    /// If one verdict is rare, or if hardly anything overlaps, crashes or happens. A few histories need not be so.
    #[track_caller]
    pub(crate) fn conclude(&self, name: &str) {
        let Tally { histories, bad, overlap, crashed, operations } = *self;
        let percent = |count: u64| count * 100 / histories.max(1);
        let shares = [bad, overlap, crashed].map(percent);
        let mean = operations as f64 / histories.max(1) as f64;
        println!(
            "{name:<44} {histories:>9} histories of {mean:.1} operations, {:>2} % without an order, {:>2} % overlap, \
             {:>2} % crashed: no disagreement",
            shares[0], shares[1], shares[2]
        );
        if histories >= 1000 {
            assert!((20..=80).contains(&shares[0]), "{name}: {} % have no order", shares[0]);
            assert!(shares[1] >= 30, "{name}: in {} % operations overlap", shares[1]);
            assert!(shares[2] >= 10, "{name}: in {} % operations crashed", shares[2]);
            assert!(mean >= 3.5, "{name}: {mean:.1} operations are few");
        }
    }
}

//! The end of the log, in memory: every entry that is not durable yet, and as many before them as fit.
//!
//! # Invariants
//! * The indexes have no hole.
//! * An entry that is not durable is here. An entry that is not here is in the file.

use std::collections::VecDeque;

use crate::raft::types::Entry;

/// How many bytes of durable entries are kept for the followers, who are usually close behind.
const KEPT_BYTES_MAX: usize = 32 << 20;

#[derive(Debug)]
struct Slot {
    entry: Entry,
    bytes: usize,
    /// The append that brought it. An index can be appended twice, with a truncation between; an append cannot.
    append: u64,
}

/// The end of the log.
#[derive(Debug, Default)]
pub(super) struct Tail {
    slots: VecDeque<Slot>,
    /// The index of the first slot; with no slots, the index after the last entry.
    first: u64,
    bytes: usize,
    /// The last append.
    appends: u64,
    /// The last append that is durable.
    durable: u64,
}

impl Tail {
    /// The end of a log of which nothing is in memory, and whose next index is `next`.
    pub(super) fn starting_at(next: u64) -> Self {
        Self { first: next, ..Self::default() }
    }

    /// Lets an empty log begin at `index`.
    pub(super) fn begin_at(&mut self, index: u64) {
        assert!(self.slots.is_empty(), "only an empty log has no beginning");
        self.first = index;
    }

    /// The first index that is here.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The index after the last entry.
    pub(super) fn next(&self) -> u64 {
        self.first + u64::try_from(self.slots.len()).expect("a length fits 64 bits")
    }

    /// Adds the entries of one append, each with its size, and returns the number of the append.
    pub(super) fn append(&mut self, entries: impl IntoIterator<Item = (Entry, usize)>) -> u64 {
        self.appends += 1;
        for (entry, bytes) in entries {
            assert_eq!(entry.log_id.index(), self.next(), "the log has no hole");
            self.bytes += bytes;
            self.slots.push_back(Slot { entry, bytes, append: self.appends });
        }
        self.appends
    }

    /// The append `append`, and all before it, are durable: old entries may go.
    pub(super) fn durable(&mut self, append: u64) {
        self.durable = self.durable.max(append);
        while self.bytes > KEPT_BYTES_MAX
            && self.slots.front().is_some_and(|slot| slot.append <= self.durable)
        {
            self.pop_front();
        }
    }

    /// Removes the entries from `index` on.
    pub(super) fn truncate_from(&mut self, index: u64) {
        while self.next() > index
            && let Some(slot) = self.slots.pop_back()
        {
            self.bytes -= slot.bytes;
        }
        self.first = self.first.min(index);
    }

    /// Removes the entries up to `index`, inclusive.
    pub(super) fn purge_to(&mut self, index: u64) {
        while self.first <= index && !self.slots.is_empty() {
            self.pop_front();
        }
        self.first = self.first.max(index + 1);
    }

    /// Entries of `start..end` from `first` on, until they have `bytes_max` bytes; at least one if there is one.
    pub(super) fn read(&self, start: u64, end: u64, bytes_max: usize) -> Vec<Entry> {
        let skip = usize::try_from(start.max(self.first) - self.first).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let fits = |slot: &&Slot| {
            let room = bytes < bytes_max;
            bytes += slot.bytes;
            room && slot.entry.log_id.index() < end
        };
        self.slots.iter().skip(skip).take_while(fits).map(|slot| slot.entry.clone()).collect()
    }

    fn pop_front(&mut self) {
        if let Some(slot) = self.slots.pop_front() {
            self.bytes -= slot.bytes;
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use openraft::EntryPayload;

    use super::*;
    use crate::raft::types::{LogId, Proposal};

    fn entry(index: u64, bytes: usize) -> (Entry, usize) {
        let payload = EntryPayload::Normal(Proposal(Bytes::new()));
        (Entry { log_id: LogId::new(1.into(), index), payload }, bytes)
    }

    fn indexes(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.log_id.index()).collect()
    }

    #[test]
    fn only_durable_entries_go() {
        let mut tail = Tail::starting_at(5);
        let half = KEPT_BYTES_MAX / 2 + 1;
        let one = tail.append([entry(5, half), entry(6, half)]);
        let two = tail.append([entry(7, half)]);
        assert_eq!(tail.first(), 5);
        tail.durable(one);
        assert_eq!((tail.first(), tail.next()), (7, 8));
        tail.durable(two);
        assert_eq!(indexes(&tail.read(0, 100, usize::MAX)), [7]);
    }

    #[test]
    fn an_old_append_does_not_vouch_for_a_new_entry_at_its_index() {
        let mut tail = Tail::starting_at(1);
        let one = tail.append([entry(1, KEPT_BYTES_MAX), entry(2, KEPT_BYTES_MAX)]);
        tail.truncate_from(1);
        tail.append([entry(1, KEPT_BYTES_MAX), entry(2, KEPT_BYTES_MAX)]);
        tail.durable(one);
        assert_eq!(indexes(&tail.read(0, 100, usize::MAX)), [1, 2]);
    }

    #[test]
    fn it_reads_within_its_bounds() {
        let mut tail = Tail::starting_at(1);
        tail.append((1..=5).map(|index| entry(index, 10)));
        assert_eq!(indexes(&tail.read(2, 5, usize::MAX)), [2, 3, 4]);
        assert_eq!(indexes(&tail.read(2, 5, 1)), [2]);
        assert_eq!(indexes(&tail.read(6, 9, usize::MAX)), [0; 0]);
        tail.purge_to(2);
        tail.truncate_from(5);
        assert_eq!(indexes(&tail.read(0, 100, usize::MAX)), [3, 4]);
        tail.purge_to(9);
        assert_eq!((tail.first(), tail.next()), (10, 10));
        tail.truncate_from(3);
        assert_eq!((tail.first(), tail.next()), (3, 3));
    }
}

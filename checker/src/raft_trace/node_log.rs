//! The log of one node, as its trace tells it.

use crate::evidence::trace::LogPlace;

/// Which entries a log holds: the terms of a log rise, so the first index of each term says it all.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeLog {
    /// The last entry that was removed from the front.
    purged: Option<LogPlace>,
    /// The first entry of each term.
    terms: Vec<LogPlace>,
    /// The index behind the last entry.
    next: u64,
}

/// What a log holds at an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing: the log ends before.
    Nothing,
    /// An entry of this term.
    Term(u64),
    /// It was removed from the front, so nobody knows the term any more.
    Purged,
}

impl NodeLog {
    /// The log that a node found when it came up.
    pub(super) fn recovered(purged: Option<LogPlace>, terms: &[LogPlace], last: Option<LogPlace>) -> Self {
        let behind = |place: Option<LogPlace>| place.map_or(0, |place| place.index.saturating_add(1));
        NodeLog { purged, terms: terms.to_vec(), next: behind(last).max(behind(purged)) }
    }

    /// Adds entries of one term. What stood at their indexes and behind is gone; a gap in front of them too, for a trace
    /// that lacks lines knows nothing of it.
    pub(super) fn append(&mut self, index: u64, term: u64, count: u64) {
        if index > self.next {
            *self = NodeLog { purged: Some(LogPlace { index: index - 1, term: 0 }), ..NodeLog::default() };
        }
        self.truncate(index);
        if self.terms.last().is_none_or(|last| last.term != term) {
            self.terms.push(LogPlace { index, term });
        }
        self.next = index.saturating_add(count);
    }

    /// Removes the entries from an index on.
    pub(super) fn truncate(&mut self, from: u64) {
        let kept = self.terms.partition_point(|first| first.index < from);
        self.terms.truncate(kept);
        self.next = self.next.min(from);
    }

    /// Removes the entries up to one, inclusive. A log that ends before begins behind it.
    pub(super) fn purge(&mut self, upto: LogPlace) {
        let begin = upto.index.saturating_add(1);
        self.next = self.next.max(begin);
        let gone = self.terms.partition_point(|first| first.index <= upto.index);
        if let Some(last) = gone.checked_sub(1) {
            // The entries of that term which are left begin behind what was purged.
            let term = self.terms[last].term;
            let ends = self.terms.get(gone).map_or(self.next, |following| following.index);
            self.terms.drain(..gone);
            if ends > begin {
                self.terms.insert(0, LogPlace { index: begin, term });
            }
        }
        self.purged = Some(upto);
    }

    /// What stands at an index.
    pub(super) fn at(&self, index: u64) -> Held {
        match self.purged {
            Some(purged) if purged.index == index && purged.term > 0 => return Held::Term(purged.term),
            Some(purged) if purged.index >= index => return Held::Purged,
            _ => {}
        }
        if index >= self.next {
            return Held::Nothing;
        }
        match self.terms.partition_point(|first| first.index <= index).checked_sub(1) {
            Some(own) => Held::Term(self.terms[own].term),
            None => Held::Nothing,
        }
    }

    /// Whether an entry may be there: it is, or nobody knows any more.
    pub(super) fn may_hold(&self, entry: LogPlace) -> bool {
        match self.at(entry.index) {
            Held::Nothing => false,
            Held::Term(term) => term == entry.term,
            Held::Purged => true,
        }
    }

    /// Whether an entry certainly is there.
    pub(super) fn holds(&self, entry: LogPlace) -> bool {
        self.at(entry.index) == Held::Term(entry.term)
    }

    /// The index behind the last entry.
    /// What it owns, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        size_of_val(&self.terms[..]) as u64
    }

    #[cfg(test)]
    fn next(&self) -> u64 {
        self.next
    }

    /// The term of the entry in front of an index, if that is known.
    pub(super) fn term_before(&self, index: u64) -> Option<u64> {
        match self.at(index.checked_sub(1)?) {
            Held::Term(term) => Some(term),
            Held::Nothing | Held::Purged => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(index: u64, term: u64) -> LogPlace {
        LogPlace { index, term }
    }

    #[test]
    fn entries_come_go_and_are_replaced() {
        let mut log = NodeLog::default();
        log.append(0, 1, 3);
        log.append(3, 2, 2);
        assert!(log.holds(place(2, 1)) && log.holds(place(4, 2)) && !log.may_hold(place(4, 1)));
        assert_eq!((log.at(5), log.term_before(3), log.term_before(0)), (Held::Nothing, Some(1), None));
        log.truncate(2);
        log.append(2, 3, 1);
        assert_eq!([1, 2, 3].map(|index| log.at(index)), [Held::Term(1), Held::Term(3), Held::Nothing]);
        log.purge(place(1, 1));
        assert_eq!([0, 1, 2].map(|index| log.at(index)), [Held::Purged, Held::Term(1), Held::Term(3)]);
        log.purge(place(9, 4));
        assert_eq!((log.at(9), log.at(10), log.next()), (Held::Term(4), Held::Nothing, 10));
        log.append(20, 5, 1);
        assert_eq!((log.at(15), log.at(19), log.at(20)), (Held::Purged, Held::Purged, Held::Term(5)));
    }

    proptest! {
        /// The runs of terms against a plain list of them.
        #[test]
        fn it_is_the_list_of_its_entries(changes in proptest::collection::vec((0..4_u8, 0..12_u64), 0..40)) {
            let (mut log, mut terms, mut begin) = (NodeLog::default(), Vec::<u64>::new(), 0_usize);
            for (term, (kind, by)) in (1..).zip(changes) {
                let at = begin as u64 + by.min((terms.len() - begin) as u64);
                match kind {
                    0 | 1 => {
                        terms.extend(std::iter::repeat_n(term, by as usize + 1));
                        log.append(terms.len() as u64 - by - 1, term, by + 1);
                    }
                    2 => {
                        terms.truncate(at as usize);
                        log.truncate(at);
                    }
                    _ if (at as usize) < terms.len() => {
                        begin = at as usize + 1;
                        log.purge(place(at, terms[at as usize]));
                    }
                    _ => {}
                }
                for (index, term) in terms.iter().enumerate().skip(begin) {
                    prop_assert_eq!(log.at(index as u64), Held::Term(*term));
                }
                prop_assert_eq!(log.next(), terms.len() as u64);
                prop_assert_eq!(log.at(terms.len() as u64), Held::Nothing);
            }
        }
    }
}

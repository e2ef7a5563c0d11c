//! Which numbers a read asks for, which of them it speaks about, and which it must show.
//!
//! A page may be short: a server bounds the bytes of an answer, so it may stop before the limit of messages, and the
//! client goes on from there. Then it speaks only about the numbers up to where it stopped, forward or backward. That
//! there are more is told by its head. A page that shows nothing at all where there is something would never come to
//! an end, so it is not short but wrong.

use std::ops::RangeInclusive;

use crate::history::{Entry, PageRange};

/// The numbers that a read shows of a conversation with `head` messages; an empty range if there is none.
#[inline]
pub(crate) fn expected(range: PageRange, head: u64) -> RangeInclusive<u64> {
    match range {
        PageRange::After { seq, limit } => {
            seq.saturating_add(1)..=seq.saturating_add(u64::from(limit)).min(head)
        }
        PageRange::Before { seq, limit } => {
            let last = seq.saturating_sub(1).min(head);
            (last.saturating_sub(u64::from(limit)) + 1)..=last
        }
    }
}

/// The numbers that a page speaks about: each of them is shown, or missing.
pub(crate) fn covered(range: PageRange, head: u64, entries: &[Entry]) -> RangeInclusive<u64> {
    let asked = expected(range, head);
    let stopped = match range {
        PageRange::After { .. } => entries.last(),
        PageRange::Before { .. } => entries.first(),
    };
    match (range, stopped.map(|entry| entry.seq).filter(|seq| asked.contains(seq))) {
        (_, None) => asked,
        (PageRange::After { .. }, Some(last)) => *asked.start()..=last,
        (PageRange::Before { .. }, Some(first)) => first..=*asked.end(),
    }
}

/// Whether a page of `count` messages with ascending numbers from `first` on is one that a read may show: what was
/// asked for or, if it is not empty, its beginning. This is `covered` without a list.
#[inline]
pub(crate) fn fits(range: PageRange, head: u64, first: u64, count: usize) -> bool {
    let asked = expected(range, head);
    let Some(last) = (count as u64).checked_sub(1).and_then(|more| first.checked_add(more)) else {
        return count == 0 && asked.is_empty();
    };
    match range {
        PageRange::After { .. } => first == *asked.start() && last <= *asked.end(),
        PageRange::Before { .. } => first >= *asked.start() && last == *asked.end() && !asked.is_empty(),
    }
}

/// The most messages that a read may show.
#[inline]
pub(crate) fn limit(range: PageRange) -> u32 {
    let (PageRange::After { limit, .. } | PageRange::Before { limit, .. }) = range;
    limit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Symbols;

    #[test]
    fn a_page_is_cut_by_its_limit_and_by_the_head() {
        let after = |seq, limit, head| expected(PageRange::After { seq, limit }, head);
        assert_eq!(after(0, 10, 3), 1..=3);
        assert_eq!(after(3, 2, 9), 4..=5);
        assert!(after(3, 2, 3).is_empty());
        assert!(after(9, 2, 3).is_empty());
        assert!(after(u64::MAX, 2, 3).is_empty());
        assert!(after(0, 0, 3).is_empty());
    }

    #[test]
    fn a_short_page_speaks_about_what_it_shows() {
        let mut symbols = Symbols::default();
        let id = symbols.intern("a");
        let covers = |range, head, seqs: &[u64]| {
            let entries: Vec<Entry> =
                seqs.iter().map(|seq| Entry { seq: *seq, id, deleted: false }).collect();
            covered(range, head, &entries)
        };
        let after = PageRange::After { seq: 2, limit: 5 };
        assert_eq!(covers(after, 9, &[3, 4, 5, 6, 7]), 3..=7);
        assert_eq!(covers(after, 9, &[3, 4]), 3..=4);
        assert_eq!(covers(after, 9, &[3, 5]), 3..=5);
        // What shows nothing, or ends elsewhere, is no beginning of what was asked for.
        assert_eq!(covers(after, 9, &[]), 3..=7);
        assert_eq!(covers(after, 9, &[8]), 3..=7);
        let before = PageRange::Before { seq: 8, limit: 5 };
        assert_eq!(covers(before, 9, &[6, 7]), 6..=7);
        assert_eq!(covers(before, 9, &[]), 3..=7);
    }

    #[test]
    fn a_page_fits_if_it_shows_the_numbers_that_it_speaks_about() {
        let id = Symbols::default().intern("a");
        for (seq, limit, head) in
            (0..6).flat_map(|seq| (0..4).flat_map(move |l| (0..6).map(move |h| (seq, l, h))))
        {
            for range in [PageRange::After { seq, limit }, PageRange::Before { seq, limit }] {
                for (first, count) in (1..8).flat_map(|first| (0..5).map(move |count| (first, count))) {
                    let seqs = first..first + count;
                    let entries: Vec<Entry> =
                        seqs.clone().map(|seq| Entry { seq, id, deleted: false }).collect();
                    let expected = seqs.eq(covered(range, head, &entries));
                    assert_eq!(
                        fits(range, head, first, entries.len()),
                        expected,
                        "{range:?}/{head}: {first}+{count}"
                    );
                }
            }
        }
        assert!(!fits(PageRange::After { seq: 0, limit: 9 }, u64::MAX, u64::MAX, 2));
    }

    #[test]
    fn a_backward_page_is_the_last_before_its_end() {
        let before = |seq, limit, head| expected(PageRange::Before { seq, limit }, head);
        assert_eq!(before(9, 3, 20), 6..=8);
        assert_eq!(before(9, 3, 4), 2..=4);
        assert_eq!(before(3, 9, 20), 1..=2);
        assert!(before(1, 9, 20).is_empty());
        assert!(before(0, 9, 20).is_empty());
        assert!(before(9, 3, 0).is_empty());
        assert!(before(9, 0, 20).is_empty());
    }
}

//! Delta debugging: of a set whose whole makes something fail, a small part that still does.
//!
//! This is `ddmin` of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE Transactions on
//! Software Engineering 28(2), 2002, turned inside out: a candidate comes out, the answer goes in. One candidate is tried
//! before all others: the empty set, because many failures need no part of it.
//!
//! If the oracle is a function of the candidate, what is kept in the end is 1-minimal: without any single element it does
//! not fail. If the oracle is flaky, what is kept has failed at least once, and that is all.

/// See the module. The elements are the numbers below the size of the set.
#[derive(Debug, Clone)]
pub(super) struct Ddmin {
    /// What fails, in ascending order.
    kept: Vec<usize>,
    /// Into how many parts that is divided; at least 2, and at most its length while there is a candidate.
    parts: usize,
    next: Next,
}

/// The next candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The empty set.
    Nothing,
    /// One part alone.
    Part(usize),
    /// Everything but one part.
    Rest(usize),
    /// There is none.
    Done,
}

impl Ddmin {
    /// A set of `size` elements, which fails.
    pub(super) fn new(size: usize) -> Self {
        let next = if size == 0 { Next::Done } else { Next::Nothing };
        Self { kept: (0..size).collect(), parts: 2, next }
    }

    /// The set to try, or none when there is nothing more to try.
    pub(super) fn candidate(&self) -> Option<Vec<usize>> {
        match self.next {
            Next::Nothing => Some(Vec::new()),
            Next::Part(part) => Some(self.kept[self.range(part)].to_vec()),
            Next::Rest(part) => {
                let range = self.range(part);
                Some([&self.kept[..range.start], &self.kept[range.end..]].concat())
            }
            Next::Done => None,
        }
    }

    /// Takes in whether the candidate failed.
    pub(super) fn learn(&mut self, failed: bool) {
        let Some(candidate) = self.candidate() else { return };
        if failed {
            self.parts = match self.next {
                Next::Rest(_) => (self.parts - 1).max(2),
                Next::Nothing | Next::Part(_) | Next::Done => 2,
            };
            self.kept = candidate;
            self.next = self.first();
            return;
        }
        self.next = match self.next {
            Next::Nothing => self.first(),
            Next::Part(part) if part + 1 < self.parts => Next::Part(part + 1),
            // Of two parts, each is what is left without the other.
            Next::Part(_) if self.parts > 2 => Next::Rest(0),
            Next::Rest(part) if part + 1 < self.parts => Next::Rest(part + 1),
            Next::Part(_) | Next::Rest(_) if self.parts < self.kept.len() => {
                self.parts = (2 * self.parts).min(self.kept.len());
                Next::Part(0)
            }
            Next::Part(_) | Next::Rest(_) | Next::Done => Next::Done,
        };
    }

    /// Where to begin with a new set. One element alone is needed: the empty set was tried.
    fn first(&self) -> Next {
        if self.kept.len() < 2 { Next::Done } else { Next::Part(0) }
    }

    /// The place of a part in `kept`; no part is empty.
    fn range(&self, part: usize) -> std::ops::Range<usize> {
        let border = |part: usize| part * self.kept.len() / self.parts;
        border(part)..border(part + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::RngExt;

    use super::*;
    use crate::rng::Rng;

    /// Asks `oracle` until there is nothing more to ask; what is kept, and how often it was asked.
    fn minimize(size: usize, mut oracle: impl FnMut(&[usize]) -> bool) -> (Vec<usize>, usize) {
        let mut ddmin = Ddmin::new(size);
        let mut asked = 0;
        while let Some(candidate) = ddmin.candidate() {
            assert!(candidate.len() < ddmin.kept.len(), "{candidate:?} is not less than {:?}", ddmin.kept);
            asked += 1;
            assert!(asked < 10_000, "it does not end");
            ddmin.learn(oracle(&candidate));
        }
        (ddmin.kept, asked)
    }

    #[test]
    fn what_is_needed_together_is_what_is_kept() {
        for seed in 0..500 {
            let mut rng = Rng::from_seed(seed);
            let size = rng.random_range(0..40);
            let needed: Vec<usize> = (0..size).filter(|_| rng.random_range(0..5) == 0).collect();
            let (kept, _) = minimize(size, |set| needed.iter().all(|one| set.contains(one)));
            assert_eq!(kept, needed, "seed {seed}");
        }
    }

    #[test]
    fn whatever_the_oracle_no_single_element_can_be_spared() {
        for seed in 0..200 {
            let size = Rng::from_seed(seed).random_range(1..16);
            // Any function of the set, with no order in it; the whole fails.
            let oracle = |set: &[usize]| {
                let name = format!("{seed}/{set:?}");
                set.len() == size || Rng::from_seed(seed).fork(&name).random_range(0..4) == 0
            };
            let (kept, _) = minimize(size, oracle);
            assert!(oracle(&kept), "seed {seed}");
            for spared in &kept {
                let rest: Vec<usize> = kept.iter().copied().filter(|one| one != spared).collect();
                assert!(!oracle(&rest), "seed {seed}: {kept:?} fails without {spared}, too");
            }
        }
    }

    #[test]
    fn one_of_many_is_found_in_few_steps() {
        for needed in 0..64 {
            let (kept, asked) = minimize(64, |set| set.contains(&needed));
            assert_eq!(kept, [needed]);
            assert!(asked <= 1 + 2 * 6, "{asked} steps for {needed}");
        }
        assert_eq!(minimize(64, |_| true), (Vec::new(), 1));
    }

    #[test]
    fn with_a_flaky_oracle_what_is_kept_has_failed() {
        for seed in 0..200 {
            let mut rng = Rng::from_seed(seed);
            let mut failed = BTreeSet::from([(0..20).collect::<Vec<_>>()]);
            let (kept, _) = minimize(20, |set| {
                let fails = set.contains(&7) && rng.random_range(0..3) > 0;
                if fails {
                    failed.insert(set.to_vec());
                }
                fails
            });
            assert!(failed.contains(&kept) && kept.contains(&7), "seed {seed}: {kept:?}");
        }
    }
}

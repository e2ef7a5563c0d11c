//! Bisection: of a number that makes something fail, a smaller one that still does.

/// Looks between `low`, which is not tried or did not fail, and `high`, which failed.
#[derive(Debug, Clone)]
pub(super) struct Bisect {
    low: u64,
    high: u64,
    /// Candidates are multiples of it, where there is one between the ends.
    grain: u64,
    /// The next candidate, if it is between the ends.
    guess: Option<u64>,
}

impl Bisect {
    /// `high` fails, `low` is not to be tried. The answer need not be nearer to the truth than `grain`, at least 1.
    /// `guess` is tried first.
    pub(super) fn new(low: u64, high: u64, grain: u64, guess: Option<u64>) -> Self {
        assert!(grain > 0, "a grain of nothing would never end");
        Self { low, high, grain, guess }
    }

    /// The greatest number that did not fail, or is not to be tried.
    pub(super) fn low(&self) -> u64 {
        self.low
    }

    /// The number to try, or none when the ends are near enough: by the grain, or by an eighth of `high`.
    pub(super) fn candidate(&self) -> Option<u64> {
        let (low, high) = (self.low, self.high);
        if let Some(guess) = self.guess.filter(|guess| low < *guess && *guess < high) {
            return Some(guess);
        }
        let gap = high.saturating_sub(low);
        if gap <= self.grain || (self.grain > 1 && gap <= high / 8) {
            return None;
        }
        let middle = low + gap / 2;
        let round = middle.next_multiple_of(self.grain);
        Some(if round < high { round } else { middle })
    }

    /// Takes in whether the candidate failed, and which number to try next if that is between the ends.
    pub(super) fn learn(&mut self, failed: bool, guess: Option<u64>) {
        let Some(candidate) = self.candidate() else { return };
        if failed {
            self.high = candidate;
        } else {
            self.low = candidate;
        }
        self.guess = guess;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least(mut bisect: Bisect, fails: impl Fn(u64) -> bool) -> (u64, usize) {
        let mut asked = 0;
        while let Some(candidate) = bisect.candidate() {
            asked += 1;
            assert!(asked < 100, "it does not end");
            bisect.learn(fails(candidate), None);
        }
        (bisect.high, asked)
    }

    #[test]
    fn the_least_number_that_fails_is_found() {
        for high in 1..40 {
            for needed in 1..=high {
                let (found, asked) = least(Bisect::new(0, high, 1, Some(1)), |number| number >= needed);
                assert_eq!(found, needed, "of {high}");
                assert!(asked <= 7, "{asked} steps");
            }
        }
    }

    #[test]
    fn a_grain_is_near_enough_and_candidates_are_round() {
        for needed in (0..30_000).step_by(777) {
            let mut bisect = Bisect::new(0, 30_000, 100, None);
            while let Some(candidate) = bisect.candidate() {
                assert_eq!(candidate % 100, 0);
                bisect.learn(candidate >= needed, None);
            }
            let near = 100.max(bisect.high / 8);
            assert!(bisect.high >= needed && bisect.high - needed <= near, "{} for {needed}", bisect.high);
        }
    }

    #[test]
    fn a_guess_beyond_the_ends_is_none() {
        assert_eq!(Bisect::new(10, 20, 1, Some(10)).candidate(), Some(15));
        assert_eq!(Bisect::new(10, 20, 1, Some(20)).candidate(), Some(15));
        assert_eq!(Bisect::new(10, 20, 1, Some(11)).candidate(), Some(11));
        assert_eq!(Bisect::new(10, 10, 1, Some(10)).candidate(), None);
        assert_eq!(Bisect::new(20, 10, 1, None).candidate(), None);
    }
}

//! How late bytes arrive.

use std::f64::consts::TAU;
use std::time::Duration;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::rng::Rng;

/// Bytes arrive later than they were sent, by a time that is drawn for each piece that comes in.
///
/// Order is kept, as TCP keeps it: a piece that was drawn a short delay waits for those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// What the draws are around.
    pub base: Duration,
    /// How far they are from it; zero: not at all.
    pub jitter: Duration,
    /// How they are spread.
    pub distribution: Distribution,
}

/// How the delays of pieces are spread. A delay is never less than zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Evenly between `base - jitter` and `base + jitter`.
    #[default]
    Uniform,
    /// Around `base` with the standard deviation `jitter`; at most 4 of them away.
    Normal,
    /// `base` and a long tail: on average half a `jitter` more, now and then much more, at most 10 of them. A Pareto
    /// distribution of shape 3.
    Pareto,
}

impl Distribution {
    /// The most that a draw can be above the base, in jitters.
    fn reach(self) -> f64 {
        match self {
            Self::Uniform => 1.0,
            Self::Normal => 4.0,
            Self::Pareto => 10.0,
        }
    }

    /// How far from the base, in jitters.
    fn draw(self, rng: &mut Rng) -> f64 {
        let drawn = match self {
            Self::Uniform => rng.random_range(-1.0..=1.0),
            // Box and Muller. A number of [0, 1) taken from 1 is never 0, of which there is no logarithm.
            Self::Normal => {
                let (distance, angle) = (1.0 - rng.random::<f64>(), rng.random::<f64>());
                (-2.0 * distance.ln()).sqrt() * (TAU * angle).cos()
            }
            Self::Pareto => (1.0 - rng.random::<f64>()).powf(-1.0 / 3.0) - 1.0,
        };
        drawn.clamp(-self.reach(), self.reach())
    }
}

impl Delay {
    /// The same delay for all.
    #[must_use]
    pub fn of(base: Duration) -> Self {
        Self { base, jitter: Duration::ZERO, distribution: Distribution::Uniform }
    }

    /// The longest that can be drawn.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.base + self.jitter.mul_f64(self.distribution.reach())
    }

    /// The delay of one piece.
    #[must_use]
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        if self.jitter.is_zero() {
            return self.base;
        }
        let off = self.distribution.draw(rng);
        let jitter = self.jitter.mul_f64(off.abs());
        if off < 0.0 { self.base.saturating_sub(jitter) } else { self.base + jitter }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE_MS: f64 = 100.0;

    fn draws(distribution: Distribution, jitter_ms: u64) -> Vec<f64> {
        let delay = Delay {
            base: Duration::from_millis(100),
            jitter: Duration::from_millis(jitter_ms),
            distribution,
        };
        let mut rng = Rng::from_seed(7);
        let draws: Vec<f64> = (0..10_000).map(|_| delay.draw(&mut rng).as_secs_f64() * 1e3).collect();
        let longest = delay.longest().as_secs_f64() * 1e3;
        assert!(draws.iter().all(|drawn| *drawn <= longest + 1e-6), "a draw is beyond the longest");
        draws
    }

    fn mean(draws: &[f64]) -> f64 {
        draws.iter().sum::<f64>() / 10_000.0
    }

    fn deviation(draws: &[f64]) -> f64 {
        let mean = mean(draws);
        (draws.iter().map(|drawn| (drawn - mean).powi(2)).sum::<f64>() / 10_000.0).sqrt()
    }

    #[test]
    fn without_jitter_every_piece_is_as_late() {
        assert!(draws(Distribution::Pareto, 0).iter().all(|drawn| (drawn - BASE_MS).abs() < 1e-6));
    }

    #[test]
    fn uniform_draws_fill_the_range_evenly() {
        let draws = draws(Distribution::Uniform, 20);
        assert!(draws.iter().all(|drawn| (80.0..=120.0).contains(drawn)));
        assert!((mean(&draws) - BASE_MS).abs() < 1.0);
        // A range of 40 has a deviation of 40 / √12.
        assert!((deviation(&draws) - 11.55).abs() < 0.5);
    }

    #[test]
    fn normal_draws_have_the_jitter_as_their_deviation() {
        let draws = draws(Distribution::Normal, 20);
        assert!((mean(&draws) - BASE_MS).abs() < 1.0);
        assert!((deviation(&draws) - 20.0).abs() < 1.0);
    }

    #[test]
    fn pareto_draws_are_never_early_and_sometimes_very_late() {
        let draws = draws(Distribution::Pareto, 20);
        assert!(draws.iter().all(|drawn| *drawn >= BASE_MS));
        assert!((mean(&draws) - 110.0).abs() < 1.0);
        assert!(draws.iter().any(|drawn| *drawn > 200.0));
    }

    #[test]
    fn a_jitter_above_the_base_never_makes_a_delay_negative() {
        assert!(draws(Distribution::Uniform, 500).contains(&0.0));
    }
}

//! Kinds of operations with weights, drawn by a seeded generator.

use rand::RngExt;

use crate::rng::Rng;

/// What may be drawn, each with a weight of at least 1.
#[derive(Debug, Clone)]
pub struct Mix<T> {
    choices: Vec<(T, u32)>,
    total: u32,
}

impl<T: Copy> Mix<T> {
    /// A mix of the choices whose weight is not 0.
    ///
    /// # Panics
    /// If no weight is above 0; the scenario's parser refuses such a mix.
    #[must_use]
    pub fn new(choices: impl IntoIterator<Item = (T, u32)>) -> Self {
        let choices: Vec<_> = choices.into_iter().filter(|(_, weight)| *weight > 0).collect();
        let total = choices.iter().map(|(_, weight)| weight).sum();
        assert!(total > 0, "a mix has a choice with a weight above 0");
        Self { choices, total }
    }

    /// One of the choices, as often as its weight says.
    pub fn draw(&self, rng: &mut Rng) -> T {
        let mut rest = rng.random_range(0..self.total);
        for (choice, weight) in &self.choices {
            match rest.checked_sub(*weight) {
                Some(less) => rest = less,
                None => return *choice,
            }
        }
        unreachable!("a number below the total falls on a choice")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_weight_is_never_drawn_and_the_rest_by_its_weight() {
        let mix = Mix::new([('a', 3), ('b', 0), ('c', 1)]);
        let mut rng = Rng::from_seed(1);
        let drawn: Vec<char> = (0..4_000).map(|_| mix.draw(&mut rng)).collect();
        let of = |choice| drawn.iter().filter(|drawn| **drawn == choice).count();
        assert_eq!(of('b'), 0);
        assert!((2_800..3_200).contains(&of('a')), "{} of 4,000 for a weight of 3 in 4", of('a'));
    }
}

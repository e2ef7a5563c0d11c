//! What a fault really did, in words and in numbers.

use std::collections::BTreeMap;

use crate::scenario::count::Count;

/// What came of a fault, told when it is lifted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// In words; sentences are joined by commas.
    pub text: String,
    /// In numbers, none of them 0. Where there are none, the fault did nothing.
    pub counts: BTreeMap<Count, u64>,
}

impl Effect {
    /// Something that was done, once for each of `counts`.
    #[must_use]
    pub fn of(text: impl Into<String>, counts: &[(Count, u64)]) -> Self {
        let counts = counts.iter().copied().filter(|(_, number)| *number > 0).collect();
        Self { text: text.into(), counts }
    }

    /// Several effects as one.
    #[must_use]
    pub fn all(effects: impl IntoIterator<Item = Self>) -> Self {
        effects.into_iter().fold(Self::default(), Self::and)
    }

    /// Both, one after the other.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        if !(self.text.is_empty() || other.text.is_empty()) {
            self.text.push_str(", ");
        }
        self.text.push_str(&other.text);
        for (count, number) in other.counts {
            *self.counts.entry(count).or_default() += number;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_add_up_and_nothing_counts_for_nothing() {
        let one = Effect::of("killed n1", &[(Count::Kills, 1), (Count::BytesHeld, 0)]);
        let other = Effect::of("killed n2", &[(Count::Kills, 1)]);
        let all = Effect::all([one, Effect::default(), other]);
        assert_eq!(all.text, "killed n1, killed n2");
        assert_eq!(all.counts, BTreeMap::from([(Count::Kills, 2)]));
        assert_eq!(Effect::all([]), Effect::default());
    }
}

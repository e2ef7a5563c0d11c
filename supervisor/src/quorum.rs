//! How many nodes a decision needs, and how many it can do without.

/// The fewest of `nodes` that are a majority.
#[must_use]
pub fn majority(nodes: usize) -> usize {
    nodes / 2 + 1
}

/// The most of `nodes` that may be out while a majority is left. No nodes can spare none.
#[must_use]
pub fn may_fail(nodes: usize) -> usize {
    nodes.saturating_sub(majority(nodes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_and_those_who_may_fail_are_everybody() {
        assert_eq!([0, 1, 2, 3, 4, 5, 9].map(may_fail), [0, 0, 0, 1, 1, 2, 4]);
        assert_eq!([1, 2, 3, 4, 5, 9].map(majority), [1, 2, 2, 3, 3, 5]);
    }
}

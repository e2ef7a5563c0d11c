//! Sorting that can be interrupted.

use super::{Budget, Exceeded};

/// How many elements are sorted between two ticks of the budget.
const RUN: usize = 1 << 12;

/// How many elements are worth one tick.
const ELEMENTS_PER_TICK: usize = 16;

/// Sorts by a key. Equal elements may change places.
///
/// What is in order already, as what was recorded in order is, takes one look. Else runs are sorted by the standard
/// library, and then merged, each time two into one (a merge sort from below). It takes as much memory again, which is
/// accounted for, if there is more than one run. If a limit is hit, the elements are all there, in some order.
///
/// # Errors
/// [`Exceeded`], by whichever limit.
pub fn sort_by_key<T: Copy, K: Ord>(
    budget: &mut Budget<'_>,
    elements: &mut Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<(), Exceeded> {
    if is_sorted(budget, elements, &key)? {
        return Ok(());
    }
    for run in elements.chunks_mut(RUN) {
        budget.ticks((run.len() / ELEMENTS_PER_TICK + 1) as u64)?;
        run.sort_unstable_by_key(&key);
    }
    if elements.len() <= RUN {
        return Ok(());
    }
    let bytes = (elements.len() * size_of::<T>()) as u64;
    budget.allocate(bytes)?;
    let mut merged = Vec::with_capacity(elements.len());
    let mut length = RUN;
    let mut outcome = Ok(());
    while length < elements.len() && outcome.is_ok() {
        outcome = merge_pairs(budget, elements, &mut merged, length, &key);
        if outcome.is_ok() {
            std::mem::swap(elements, &mut merged);
            merged.clear();
        }
        length *= 2;
    }
    budget.release(bytes);
    outcome
}

fn is_sorted<T, K: Ord>(
    budget: &mut Budget<'_>,
    elements: &[T],
    key: &impl Fn(&T) -> K,
) -> Result<bool, Exceeded> {
    let mut begin = 0;
    while begin < elements.len() {
        let end = elements.len().min(begin + RUN);
        budget.ticks(((end - begin) / ELEMENTS_PER_TICK + 1) as u64)?;
        // One element more, so that the border between two parts is looked at too.
        if !elements[begin..elements.len().min(end + 1)].is_sorted_by_key(key) {
            return Ok(false);
        }
        begin = end;
    }
    Ok(true)
}

/// Merges sorted runs of a length, two by two.
fn merge_pairs<T: Copy, K: Ord>(
    budget: &mut Budget<'_>,
    runs: &[T],
    merged: &mut Vec<T>,
    length: usize,
    key: &impl Fn(&T) -> K,
) -> Result<(), Exceeded> {
    for pair in runs.chunks(2 * length) {
        let (mut one, mut other) = pair.split_at(length.min(pair.len()));
        while let (Some(first), Some(second)) = (one.first(), other.first()) {
            if merged.len().is_multiple_of(ELEMENTS_PER_TICK) {
                budget.tick()?;
            }
            if key(second) < key(first) {
                merged.push(*second);
                other = &other[1..];
            } else {
                merged.push(*first);
                one = &one[1..];
            }
        }
        merged.extend_from_slice(one);
        merged.extend_from_slice(other);
    }
    Ok(())
}

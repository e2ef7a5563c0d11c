//! Objects whose values are each written once: linear instead of exponential.
//!
//! If every value that was seen has one operation that can have written it, that operation is where the value came from,
//! and nothing is left to guess. [`decide`] then answers in time linear in the number of operations, with a certificate
//! or with a few operations that contradict each other. It verifies that values are unique; where they are not, it says
//! so ([`Decision::Repeats`]) and decides nothing.
//!
//! An operation [reads](Role::Reads) a value, [writes](Role::Writes) one whatever was there before, or
//! [replaces](Role::Replaces) one: a compare-and-set that succeeded, or an append to a list whose contents are known.
//!
//! # Theorem
//! A value, its writer and its readers are a *cluster*. Values that replace one another form a *chain* of clusters, whose
//! first value was written or was there at the start: between the operations of a chain stands no other writer.
//! Let, for value i of a chain,
//! - `f(i)` be the first return of its writer or of a reader: its writer took effect before that;
//! - `s(i)` be the last call of its writer or of a reader: the value was there after that;
//! - `w(i)` be the call of its writer.
//!
//! A chain has the zone from `f`, the least of all `f(i)`, to `s`, the greatest of all `s(i)`. If `f < s`, it is *forward*:
//! the chain's values are there all the time from `f` to `s`. Otherwise it is *backward*: all its operations are pending
//! from `s` to `f`, and any moment of that is enough. What was there at the start has `f = -1`. The operations are
//! linearizable exactly if
//! 1. every value that was seen has a writer, each is replaced at most once, and chains have a beginning;
//! 2. within a chain, `s(j) < f(i)` for all `j < i`, and `w(j) < f(i)` for all `j ≤ i`;
//! 3. no two forward zones overlap, and no backward zone lies inside a forward one.
//!
//! For clusters alone this is Gibbons and Korach, "Testing Shared Memories", SIAM J. Comput. 26 (1997), section 4; for
//! chains the proof is the same. Each condition is necessary: 2, because what `f(i)` proves comes after what `s(j)` and
//! `w(j)` are earlier than; 3, because a chain cannot begin while another one must last. They suffice: put forward chains
//! at their zones, the writer of value i at the greatest of `f`, `s(j)` for `j < i` and `w(j)` for `j ≤ i`, its readers at
//! their calls or at the writer, whichever is later; a backward chain at `s`, or where the forward zone ends in which `s`
//! lies. By 2 and 3 everything is in its interval.
//!
//! # What nobody knows
//! A writer without an answer took effect exactly if its value was seen; then it is kept, with a return that never came.
//! Otherwise it is left out: it may never have happened, and no order needs it.

mod clusters;
mod order;
#[cfg(test)]
mod tests;
mod witness;
mod zones;

use crate::limits::{Budget, Exceeded};
use clusters::{Cluster, Clusters};

/// The return of an operation without an answer.
pub(super) const NEVER: u32 = u32::MAX;

/// How many operations are walked before the budget is asked again.
const CHUNK: usize = 1024;

/// What an operation does. Values are numbers below the count of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It saw the value. It has an answer.
    Reads(u32),
    /// It set the value, whatever was there before.
    Writes(u32),
    /// It saw one value and set another.
    Replaces { from: u32, to: u32 },
    /// It was answered and fits any state.
    Free,
    /// It takes no part.
    Absent,
}

/// An operation with its place in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) role: Role,
    pub(super) invoked: u32,
    /// [`NEVER`] if nobody knows whether it happened.
    pub(super) returned: u32,
}

/// The value at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Initial {
    Known(u32),
    /// Any value that nobody wrote.
    Unwritten,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// An order of all parts that have an answer and of those without one that were seen.
    Order(Vec<usize>),
    /// These parts alone have no order, ascending; a few of them could perhaps be spared.
    NoOrder(Vec<usize>),
    /// A value has more than one possible writer: the theorem does not apply.
    Repeats,
}

/// Decides whether `parts` have an order. There are `values` values; `parts` may come in any order, and no two of them
/// share a place in time.
///
/// # Errors
/// A limit was hit.
pub(super) fn decide(
    parts: &[Part],
    values: usize,
    initial: Initial,
    budget: &mut Budget<'_>,
) -> Result<Decision, Exceeded> {
    budget.allocate((size_of_val(parts) + values * size_of::<Cluster>()) as u64)?;
    let Some(clusters) = Clusters::collect(parts, values, initial, budget)? else {
        return Ok(Decision::Repeats);
    };
    let found = match clusters.flaw() {
        Some(flaw) => Err(flaw),
        None => match zones::of_chains(&clusters, budget)? {
            Ok(zones) => zones::sweep(zones, clusters.start(), budget)?,
            Err(flaw) => Err(flaw),
        },
    };
    match found {
        Ok(chains) => Ok(Decision::Order(order::order(parts, &clusters, &chains, budget)?)),
        // The value at the start may have been one that somebody wrote again.
        Err(_) if initial == Initial::Unwritten && !clusters.start_is_proven(parts) => Ok(Decision::Repeats),
        Err(flaw) => Ok(Decision::NoOrder(witness::witness(parts, &clusters, flaw))),
    }
}

/// Which condition of the theorem does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// The value was seen and has no writer.
    Phantom { value: u32 },
    /// A value was replaced by both of these.
    Fork { one: u32, other: u32 },
    /// The value is replaced by another, and so on, and in the end by itself.
    Cycle { value: u32 },
    /// What `f` of the value proves had not even begun: it comes after the call at `call`.
    Early { value: u32, call: u32 },
    /// The chains that begin with these values are in each other's way.
    Clash { one: u32, other: u32 },
}

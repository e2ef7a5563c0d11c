//! Is there an order of these operations that a [`Model`] allows and that agrees with real time?
//!
//! For objects in general the question is NP-complete (Gibbons and Korach, "Testing Shared Memories", SIAM J. Comput.
//! 1997), so this is a search, and it has [`Limits`]. Where an object has a linear decider, such as
//! [`log`](crate::log), that one is better; this one takes any model.
//!
//! # How
//! The algorithm of Wing and Gong ("Testing and Verifying Concurrent Objects", JPDC 1993): put one operation after the
//! other, each time one of those that were invoked before the first completion of an operation that is not yet placed,
//! and go back where none is allowed. Lowe ("Testing for linearizability", CCPE 2017) added a memory of the
//! configurations that led nowhere. Here
//! - a configuration is the number of completions behind it, the state, and which of the *pending* operations are
//!   placed: one bit per slot, where operations that follow one another share a slot. So a configuration is as wide as
//!   the history is concurrent, not as long as it is, and hashing it needs no increments;
//! - operations not yet placed are on linked lists, from which one is taken and put back in constant time;
//! - the operation whose completion comes first is tried first, then the others by invocation, and last those that
//!   need not have happened: they are placed just in time (Lowe), when something needs them;
//! - an operation that only observes is placed as soon as it is allowed, without alternatives: whatever order exists
//!   with it later exists with it now;
//! - an operation that need not have happened is placed only if it changes the state and what follows needs that: if
//!   the next one would lead to the same state without it, that was tried or will be. Of several equal ones that never
//!   completed, the one invoked first is placed first. Observations that never completed are left out;
//! - of several pending ones that do the same, the one that completes first is placed first: any two could change places.
//!
//! A history that is not linearizable is then [shrunk](Contradiction) until every operation left is needed.
//!
//! # Where less is to be searched
//! Registers and entries of texts have cheaper ways, tried in this order for each object:
//! - `chains`: every value that was seen has one writer. Linear, with a certificate or a few operations that contradict each
//!   other (Gibbons and Korach's zones; a compare-and-set links two values into a chain, and so does an append);
//! - `reduced`: what only observes or may happen at any time is no choice, and of configurations that can do the same only
//!   one is kept. It takes any object as a machine with numbered states: first depth first with a few steps for each
//!   operation, then breadth first;
//! - the walk above, where more operations are pending than the reduced search has room for.
//!
//! [`check_register`] and [`check_kv`] dispatch so; [`decide_register`] and [`decide_kv`] do not look for the smallest
//! contradiction. [`check`] is the reference that all of them are compared with.
//!
//! [`check`] takes operations on one object. [`accounts`] and [`register`] judge all objects of a history, each by
//! itself: linearizability is local (Herlihy and Wing 1990).
//!
//! # Caveats
//! * The time is exponential in the number of operations that are pending at once, in the worst case.
//! * What a state owns elsewhere counts against the memory limit only if [`Model::heap_bytes`] tells.

mod accounts;
mod chains;
mod general;
mod index;
mod keys;
mod kv;
mod links;
mod needed;
mod numbers;
mod objects;
mod problem;
mod reduced;
mod refused;
mod register;
mod seen;
mod shrink;
mod slots;
#[cfg(test)]
mod tests;
mod walk;

pub(crate) use accounts::account_orders;
pub use accounts::accounts;
pub(crate) use accounts::pages;
pub(crate) use general::{general, general_orders, text};
pub use kv::{check_kv, decide_kv};
pub(crate) use needed::only_needed;
pub use refused::refused;
pub(crate) use register::register_orders;
pub use register::{check_register, decide_register, register};

use crate::limits::{Budget, Exceeded, Limits};
use crate::model::{Model, Operation, OperationOf};
use chains::Decision;
use problem::Problem;
use shrink::Walked;
use walk::Walk;

/// The judgement about the operations on one object. Operations are named by their positions in the list checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// They are linearizable, in this order. Operations that are left out were not needed: nobody knows whether they
    /// happened, and if they did, they may have come later.
    Linearizable(Vec<usize>),
    /// They are not.
    NotLinearizable(Contradiction),
    /// A limit was hit first.
    Unknown(Unknown),
}

/// Why operations are not linearizable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The operations that cannot be in any order, ascending. Without any one of them the rest could be, unless the search
    /// for that was [cut short](Self::cut_short).
    ///
    /// The operations that are missing here were not assumed away: each may still take effect in its time, or not, and
    /// that does not help.
    pub operations: Vec<usize>,
    /// The operation that could not be placed any more, although it completed next.
    pub blocked: usize,
    /// Why the model refuses it: in the states that are possible there, a few of them.
    pub refusals: Vec<String>,
    /// The limit that ended the search for what can be spared, if one did: then there may be more operations here than
    /// it takes.
    pub cut_short: Option<Exceeded>,
}

impl Contradiction {
    /// One of which nobody asked more than whether it is there.
    fn untold(blocked: usize) -> Self {
        Contradiction { operations: vec![blocked], blocked, refusals: Vec::new(), cut_short: None }
    }
}

/// How far a search came before it hit a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The limit.
    pub exceeded: Exceeded,
    /// The most completions that an order was found for.
    pub ordered: usize,
    /// The completions there are.
    pub completions: usize,
    /// What comes next, if the search had begun.
    pub next: Option<Next>,
}

/// The operation that completes next behind the orders that came farthest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Its position in the list checked.
    pub operation: usize,
    /// Why the model refuses it at the ends of some of these orders; nothing if it was not refused there.
    pub refusals: Vec<String>,
}

/// Searches for an order of `operations` that `model` allows.
///
/// The operations may come in any order; no two of them may share a place in time.
///
/// ```
/// use checker::limits::Limits;
/// use checker::model::{Model, Operation};
/// use checker::search::{Outcome, check};
///
/// /// A ticket counter: each ticket has the next number.
/// struct Tickets;
///
/// impl Model for Tickets {
///     type State = u32;
///     type Input = ();
///     type Output = u32;
///
///     fn initial(&self) -> Vec<u32> {
///         vec![1]
///     }
///
///     fn step(&self, next: &u32, _input: &(), ticket: Option<&u32>) -> Option<u32> {
///         ticket.is_none_or(|ticket| ticket == next).then(|| next + 1)
///     }
///
///     fn refusal(&self, next: &u32, _input: &(), _ticket: Option<&u32>) -> String {
///         format!("the next ticket is {next}")
///     }
/// }
///
/// let ticket = |number, invoked, returned| Operation {
///     input: (),
///     output: Some(number),
///     invoked,
///     returned: Some(returned),
/// };
/// let overlapping = [ticket(2, 0, 2), ticket(1, 1, 3)];
/// assert_eq!(check(&Tickets, &overlapping, &Limits::none()), Outcome::Linearizable(vec![1, 0]));
///
/// let apart = [ticket(2, 0, 1), ticket(1, 2, 3)];
/// let Outcome::NotLinearizable(contradiction) = check(&Tickets, &apart, &Limits::none()) else { panic!() };
/// assert_eq!((contradiction.blocked, &contradiction.refusals[..]), (0, &["the next ticket is 1".to_owned()][..]));
/// ```
///
/// # Panics
/// If an operation returned before it was invoked, or `model` has no initial state.
#[must_use]
pub fn check<M: Model>(model: &M, operations: &[OperationOf<M>], limits: &Limits<'_>) -> Outcome {
    check_counted(model, operations, true, limits).0
}

/// [`check`], and the most memory it used. A contradiction that is not `told` is not shrunk: it has nothing but the
/// operation that could not be placed.
fn check_counted<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    told: bool,
    limits: &Limits<'_>,
) -> (Outcome, u64) {
    let mut budget = Budget::new(limits);
    let outcome = decide(model, operations, told, limits, &mut budget);
    (outcome, budget.peak())
}

fn decide<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    told: bool,
    limits: &Limits<'_>,
    budget: &mut Budget<'_>,
) -> Outcome {
    let problem = match Problem::whole(model, operations, budget) {
        Ok(problem) => problem,
        Err(exceeded) => return unknown(operations, exceeded),
    };
    let before = budget.memory();
    let mut walk = Walk::new(&problem, budget);
    match walk.find() {
        Ok(Some(order)) => Outcome::Linearizable(order),
        Ok(None) if !told => {
            let blocked = problem.members[problem.by_return[walk.reached()] as usize].operation;
            Outcome::NotLinearizable(Contradiction::untold(blocked))
        }
        Ok(None) => {
            // What completed later cannot matter: the search never came so far.
            let required = problem.returned(walk.reached() + 1);
            let states = walk.into_states();
            // Of what the walk has remembered only the states are left.
            let owned: usize = states.iter().map(|state| size_of_val(state) + model.heap_bytes(state)).sum();
            budget.release((budget.memory() - before).saturating_sub(owned as u64));
            let mut walked = Walked { whole: &problem, states };
            let contradiction = shrink::shrink(&mut walked, required, limits);
            Outcome::NotLinearizable(needed::only_needed(model, operations, contradiction, limits))
        }
        Err(exceeded) => {
            let (ordered, completions) = (walk.reached(), problem.returns());
            let next = walk.next();
            Outcome::Unknown(Unknown { exceeded, ordered, completions, next })
        }
    }
}

/// The same outcome; a contradiction that is `told` has only what it needs.
fn with_only_needed<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    outcome: Outcome,
    told: bool,
    limits: &Limits<'_>,
) -> Outcome {
    match outcome {
        Outcome::NotLinearizable(contradiction) if told => {
            Outcome::NotLinearizable(needed::only_needed(model, operations, contradiction, limits))
        }
        outcome => outcome,
    }
}

/// Nothing was ordered before a limit was hit.
fn unknown<I, O>(operations: &[Operation<I, O>], exceeded: Exceeded) -> Outcome {
    let completions = operations.iter().filter(|operation| operation.returned.is_some()).count();
    Outcome::Unknown(Unknown { exceeded, ordered: 0, completions, next: None })
}

/// What a decider of chains found, as an outcome. It must not be [`Decision::Repeats`].
fn decided<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    decision: Decision,
    told: bool,
    limits: &Limits<'_>,
) -> Outcome {
    match decision {
        Decision::Order(order) => Outcome::Linearizable(order),
        Decision::NoOrder(some) if !told => Outcome::NotLinearizable(Contradiction::untold(some[0])),
        Decision::NoOrder(some) => {
            Outcome::NotLinearizable(contradiction_among(model, operations, &some, limits))
        }
        Decision::Repeats => unreachable!("nothing was decided"),
    }
}

/// The contradiction among some operations that have no order by themselves, whatever the others do.
fn contradiction_among<M: Model>(
    model: &M,
    operations: &[OperationOf<M>],
    some: &[usize],
    limits: &Limits<'_>,
) -> Contradiction {
    let alone: Vec<OperationOf<M>> = some.iter().map(|position| operations[*position].clone()).collect();
    match check(model, &alone, limits) {
        Outcome::NotLinearizable(mut contradiction) => {
            contradiction.operations.iter_mut().for_each(|position| *position = some[*position]);
            contradiction.blocked = some[contradiction.blocked];
            contradiction
        }
        outcome => {
            let cut_short = match outcome {
                Outcome::Unknown(Unknown { exceeded, .. }) => Some(exceeded),
                _ => None,
            };
            debug_assert!(cut_short.is_some(), "{some:?} have an order: {outcome:?}");
            // The verdict stands; only the reasons are missing.
            let answered = |position: &usize| operations[*position].returned.is_some();
            let operations_left: Vec<usize> = some.iter().copied().filter(answered).collect();
            let last = operations_left.iter().max_by_key(|position| operations[**position].returned);
            let blocked = *last.expect("a contradiction has an operation that was answered");
            Contradiction { operations: operations_left, blocked, refusals: Vec::new(), cut_short }
        }
    }
}

//! Sequential objects: what an operation may answer in a state, and which state it leaves.
//!
//! A [`Model`] is the specification against which a concurrent history is judged: the history is linearizable if its
//! operations can be put in an order that agrees with real time and in which the model allows every answer
//! (Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects", TOPLAS 1990).
//! [`search`](crate::search) looks for that order.
//!
//! - [`register`] is a cell with read, write and compare-and-set; [`multi_register`] is several at once.
//! - [`accounts`] is one name that exists or not.
//! - [`kv`] is a text with put, append and get; [`list`] is a list with appends and whole reads.
//! - [`set`], [`queue`], [`counter`], [`mutex`] and [`marks`] are what their names say.
//!
//! A model says nothing about time, clients or faults. It is deterministic in its effect: the state and the input
//! determine the next state, also where nobody knows the answer. A choice that the object itself makes is either
//! visible in the answer, or has to be part of the input.

pub mod accounts;
pub mod counter;
pub mod kv;
pub mod list;
pub mod marks;
pub mod multi_register;
pub mod mutex;
pub mod queue;
pub mod register;
#[cfg(test)]
pub(crate) mod samples;
pub mod set;

use std::fmt::Debug;
use std::hash::Hash;

/// A sequential object.
///
/// One object, not a collection of them: linearizability is local, so a history over many keys is split and each key
/// is judged alone.
pub trait Model {
    /// What the object remembers. It is cloned and compared often, so it should be small.
    type State: Clone + Eq + Hash + Debug;
    /// What is asked.
    type Input: Clone + Eq + Hash + Debug;
    /// What is answered, a refusal included if it proves something.
    type Output: Clone + Eq + Hash + Debug;

    /// The states in which the object may start; more than one if nobody knows. Never empty.
    fn initial(&self) -> Vec<Self::State>;

    /// The state after `input`, or `None` if it cannot be answered with `output` in this state.
    ///
    /// Without an `output` nobody knows the answer: then it is the state that `input` leaves, whatever the answer was.
    /// It is asked millions of times and mostly refuses, which is why the reason is a question of its own.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Option<Self::State>;

    /// Why [`step`](Self::step) refuses, as a sentence without a full stop: `a read here must return 3`.
    fn refusal(&self, state: &Self::State, input: &Self::Input, output: Option<&Self::Output>) -> String;

    /// Whether the operation only observes: [`step`](Self::step) leaves every state that allows it as it is.
    ///
    /// `false` is always right; `true` lets a search place the operation without trying alternatives, and leave it
    /// out where its answer is unknown.
    fn observes(&self, _input: &Self::Input, _output: Option<&Self::Output>) -> bool {
        false
    }

    /// Whether the answer says nothing: [`step`](Self::step) does the same with it as without.
    ///
    /// `false` is always right; `true` lets a search take operations for the same of which some were answered.
    fn is_bare(&self, _input: &Self::Input, _output: &Self::Output) -> bool {
        false
    }

    /// The bytes that a state owns beside its own size, on the heap. They count against the limit of memory.
    fn heap_bytes(&self, _state: &Self::State) -> usize {
        0
    }
}

/// One operation, placed in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation<I, O> {
    /// What was asked.
    pub input: I,
    /// What was answered; `None` if nobody knows.
    pub output: Option<O>,
    /// The place of the invocation on the history's one line of events.
    pub invoked: u32,
    /// The place of the completion, after `invoked`. `None` if nobody knows whether the operation happened: it may have
    /// taken effect at any time after its invocation, or never.
    pub returned: Option<u32>,
}

/// An operation on the object that `M` describes.
pub type OperationOf<M> = Operation<<M as Model>::Input, <M as Model>::Output>;

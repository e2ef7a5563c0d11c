//! What operations on each object look like, for tests that need many of them.

mod accounts;
mod list;
mod numbers;
mod queue;
mod register;
mod set;

pub(crate) use accounts::Accounts;
pub(crate) use list::Lists;
pub(crate) use numbers::{Counters, Locks, Markers};
pub(crate) use queue::Queues;
pub(crate) use register::{Entries, MultiRegisters, Registers, UniqueEntries, Words, arranged};
pub(crate) use set::{Asks, Sets};

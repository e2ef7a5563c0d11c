//! What operations on each object look like, for tests that need many of them.

mod accounts;
mod register;

pub(crate) use accounts::Accounts;
pub(crate) use register::Registers;

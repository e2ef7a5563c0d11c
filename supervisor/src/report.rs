//! What a person and a machine get to see. Only here, and in `cli`, is anything printed.
//!
//! - [`progress`]: while a run goes on, on standard error: a bar on a terminal, plain lines elsewhere.
//! - [`terminal`]: the outcome of a run, on standard output, understood in half a minute.
//! - [`batch`]: the outcomes of several runs; [`recap`]: what failed of a suite, which [`junit`] and [`github`] say
//!   to a CI, and [`suite_progress`] shows while it goes on.
//! - [`shrink`]: a search for a smaller plan.
//! - [`doctor`]: what the machine can and cannot do.
//! - `verdict.json` is [`crate::judge::VerdictFile`] as it is.

pub mod batch;
pub mod doctor;
pub mod github;
pub mod junit;
pub mod mutants;
pub mod progress;
pub mod recap;
pub mod shrink;
pub mod suite_progress;
pub mod terminal;
mod words;

//! What a person and a machine get to see. Only here, and in `cli`, is anything printed.
//!
//! - [`progress`]: while a run goes on, on standard error: a bar on a terminal, plain lines elsewhere.
//! - [`terminal`]: the outcome of a run, on standard output, understood in half a minute.
//! - [`batch`]: the outcomes of several.
//! - `verdict.json` is [`crate::judge::VerdictFile`] as it is.

pub mod batch;
pub mod progress;
pub mod terminal;
mod words;

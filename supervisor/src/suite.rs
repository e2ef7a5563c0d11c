//! Many scenarios: which ones, how they are run, and what is remembered of them.
//!
//! ```text
//! paths ─ files ─▶ scenario files ─ tag ─▶ cases ─ queue ─▶ case reports ─▶ record
//! ```
//!
//! - [`files`] finds the scenario files below directories, in the order of their names;
//! - [`tag`] is the expression that selects some of them;
//! - [`case`] is one scenario of a batch, and what came of it;
//! - [`child`] runs a case in a process of its own, and [`queue`] several at once: a run lives on one thread;
//! - [`record`] is `suite.json`, from which `--rerun-failed` knows what failed.
//!
//! `supervisor run FILE...` reports in the same [`case::CaseReport`]s, but runs them itself, one after another.
//!
//! Nothing here prints: what a person, JUnit or GitHub gets to see is made in [`crate::report`].

pub mod case;
pub mod child;
pub mod files;
pub mod queue;
pub mod record;
pub mod tag;

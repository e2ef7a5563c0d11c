//! Proof that the testbed catches: planted bugs against scenarios and seeds, and the same scenarios without bugs.
//!
//! ```text
//! scenario files ─ trial::draw ─▶ trials ─ suite::queue ─▶ case reports ─ record ─▶ mutants.json ─ score ─▶ table
//! ```
//!
//! - [`trial`] is one run to be made: a bug or none, a scenario, a seed; what is planned is drawn before anything runs;
//! - [`record`] is `mutants.json`, written anew after every trial, so that what was made is not made again;
//! - [`score`] is what the trials of one bug come to: how many seeds show it, how soon, by which check; and how often
//!   the same scenarios cry wolf over a node without a bug.
//!
//! Each trial is a child process of [`crate::suite::child`], as in a suite. Which bugs there are is the system's to say
//! ([`crate::system::System`]): a trial only passes the name on.
//!
//! # What it does not do
//! It plants nothing: a node does that by itself, in a build that has bugs.

pub mod record;
pub mod score;
pub mod trial;

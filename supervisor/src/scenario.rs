//! Scenarios: what a person asked for, and what will be done.
//!
//! ```text
//! scenario.yaml ─ ScenarioFile::parse ─▶ ScenarioFile   what was said; every error has a file, line and column
//!               ─ Plan::resolve ───────▶ Plan           what will be done; the seed is spent, nothing is left open
//!               ─ Plan::to_yaml ───────▶ plan.yaml      the same, on disk, to be replayed
//! ```
//!
//! - [`mod@file`] reads the YAML strictly: a small tree with positions, a decoder that knows every field by name, and
//!   checks of sense that look at several fields at once.
//! - [`plan`] holds the plan; [`timeline`] draws it.
//! - [`step`] holds what is done in order, beside the faults that have their times.
//! - `fitness` knows what a cluster can suffer at all.
//! - [`target`] says which nodes a fault strikes. That is decided when the fault strikes, by a pure function of the
//!   cluster's state and the seed.
//! - [`mod@unit`], [`signal`], [`threshold`], [`workload`] are the small words of the format.
//!
//! # Caveats
//! A fault that the format knows and this version cannot carry out is refused by name. Which bugs can be planted and at
//! which points a node can crash is not known here: these words are the system's ([`crate::system::words`]).

pub mod count;
pub mod drawn;
pub mod expectation;
pub mod file;
mod fitness;
pub mod plan;
mod schedule;
pub mod signal;
pub mod step;
pub mod target;
pub mod threshold;
pub mod timeline;
pub mod unit;
pub mod verb;
mod word;
pub mod workload;

//! Evidence in, verdict out: was it linearizable, and was anything lost?
//!
//! ```text
//! history.jsonl ─▶ History ─┐
//! trace.jsonl   ─▶ traces  ─┼▶ Evidence ─▶ check::check ─▶ [CheckResult] ─▶ text, JSON
//! events.jsonl  ─▶ digests ─┘                                  └ Anomaly: a sentence, the operations, a drawing
//! ```
//!
//! - [`history`] holds what was recorded, with its invariants; [`evidence`] adds what the nodes wrote down.
//! - [`check`] names the checks and dispatches; [`limits`] bounds them. The deciders: [`log`] for conversations,
//!   [`search`] with a [`model`] for accounts, registers and general objects (and [`direct`] where no search is needed;
//!   [`fitting`] says which model), [`durability`], [`delivery`], [`session`], [`stale`], [`raft_trace`],
//!   [`convergence`].
//! - [`live`] judges a history that is still being written.
//! - [`findings`], [`anomaly`] and [`verdict`] hold what comes out, [`explain`] draws it, and
//!   [`report`] puts it into paragraphs. A [`certificate`] is the order that makes a history valid, to be followed by
//!   anybody.
//!
//! # Examples
//! A history, drawn, and judged:
//!
//! ```
//! use checker::check::{CheckName, check_one};
//! use checker::evidence::Evidence;
//! use checker::history::timeline;
//! use checker::limits::Limits;
//!
//! let history = timeline::parse(
//!     "p0: |-write 1-|  |-write 2-|
//!      p1:                            |-get 1-|",
//! )?;
//! let evidence = Evidence { history, ..Evidence::default() };
//! let result = check_one(&evidence, CheckName::Linearizable, &Limits::none());
//! assert_eq!(result.anomalies[0].kind.name(), "stale-read");
//! assert_eq!(
//!     result.anomalies[0].sentence,
//!     "`read x: 1` of client 1 began at 0.031 s, after `write x 2: ok` of client 0 had completed at 0.027 s, and nothing \
//!      could set it to 1 after that"
//! );
//! # Ok::<(), timeline::TimelineError>(())
//! ```
//!
//! A model of one's own is in `examples/own_model.rs`, and in short at [`search::check`].
//!
//! # Features
//! | feature | default | what it adds |
//! |---|---|---|
//! | `cli` | yes | the command line, [`cli`] |
//! | `files` | with `cli` | the reading of run directories, [`rundir`]; without it the crate never opens a file |
//!
//! **Invariant:** a verdict is a function of the evidence. There is no clock here, no randomness and no file, and no
//! order of a hash map or of threads reaches a result. `clippy.toml` and the lint below hold this. Threads there are,
//! rayon's, for objects that are judged independently: what they find is put together in the order of the objects, so a
//! result is the same for every number of them. Only a limit can make a difference: which object finds the memory full,
//! or the time over, is a matter of luck, and what was found out then is `unknown` and never the contrary. What touches
//! the world stands apart: `rundir` reads files (feature `files`), `cli` is the command line (feature `cli`).
//!
//! # Caveats
//! A valid verdict is about what was recorded, not about what could have happened. Time is the recorder's: an
//! interval may be wider than the operation was, never narrower, so a verdict can miss a violation but not invent one.
#![warn(clippy::iter_over_hash_type)]

pub mod anomaly;
pub mod certificate;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod convergence;
pub mod delivery;
#[cfg(test)]
pub(crate) mod differential;
pub mod direct;
pub mod durability;
pub mod evidence;
pub mod explain;
pub mod findings;
pub mod fitting;
pub mod history;
mod json;
pub mod limits;
pub mod live;
pub mod log;
pub mod model;
pub mod raft_trace;
pub mod report;
#[cfg(feature = "files")]
pub mod rundir;
pub mod search;
pub mod session;
pub mod stale;
pub mod verdict;

/// The examples of the page for users are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;

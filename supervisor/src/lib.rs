//! The testbed: a scenario runs a real cluster under faults, and the checker judges it.
//!
//! ```text
//! scenario ─▶ plan ─▶ cluster + workload + faults ─▶ history ─▶ checker ─▶ report
//! ```
//!
//! - [`scenario`] reads what was asked for and decides what will be done; [`rng`] makes it reproducible from one seed.
//! - [`system`] is the system under test as the testbed knows it; [`system::chat`] is the one that is built in.
//! - [`process`] is one node process, [`cluster`] all of them, [`network`] what is between them: the links of
//!   [`fabric`], or the same by the kernel's own means in [`kernel`].
//! - [`workload`] says what clients do, [`nemesis`] what goes wrong meanwhile.
//! - [`run`] does it all and writes [`rundir`], which is everything that [`judge`] reads.
//! - [`shrink`] looks for a smaller plan that fails as a run did.
//! - [`suite`] is many scenarios, one after another or side by side.
//! - [`quorum`] is how many nodes are enough.
//! - [`doctor`] says what the machine can do, and what a killed run left.
//! - [`report`] is what a person sees; [`cli`] is where they begin.
//!
//! A failure of the testbed is a [`harness::HarnessFailure`]; it is never a verdict about the system.

pub mod cli;
pub mod cluster;
pub mod doctor;
pub mod environment;
pub mod exit;
pub mod fabric;
pub mod harness;
pub mod judge;
pub mod kernel;
pub mod metrics;
pub mod mutants;
pub mod nemesis;
pub mod network;
pub mod process;
pub mod program;
pub mod quorum;
pub mod report;
pub mod rng;
pub mod run;
pub mod rundir;
pub mod scenario;
pub mod shrink;
pub mod suite;
pub mod system;
pub mod workload;

//! What can be broken inside a node, by asking the node itself.

use std::fmt;
use std::time::Duration;

use futures::future::LocalBoxFuture;

use super::System;
use crate::scenario::plan::Plan;
use crate::scenario::verb::Verb;

/// What is wrong with a node's clocks. The default: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockFault {
    /// Added to the wall clock, in milliseconds; negative: it runs behind.
    pub wall_jump_ms: i64,
    /// Added to the clock of timers, in milliseconds, once.
    pub timer_jump_ms: u64,
    /// How much faster both run than they should, in parts per million; negative: slower.
    pub drift_ppm: i32,
    /// The wall clock jumps by so much and back, at such intervals; both in milliseconds.
    pub strobe: Option<(i64, u32)>,
}

impl ClockFault {
    /// The slowest drift: a tenth of the right speed.
    pub const DRIFT_MIN: i32 = -900_000;
    /// The fastest drift: ten times the right speed.
    pub const DRIFT_MAX: i32 = 9_000_000;
}

/// What is wrong with a node's disk. The default: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiskFault {
    /// Reads fail.
    pub fail_reads: bool,
    /// Writes fail.
    pub fail_writes: bool,
    /// Syncs fail.
    pub fail_syncs: bool,
    /// There is no space left.
    pub full: bool,
    /// Each sync takes so much longer.
    pub slow_sync: Duration,
    /// No sync returns.
    pub stuck_sync: bool,
}

/// What of the unsynced writes is on the disk after a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// Some sectors, in no order.
    Some,
    /// All up to one write, and a part of that one.
    Torn,
}

/// What a power failure took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PowerLoss {
    /// Bytes that were written, not synced, and are lost.
    pub bytes_lost: u64,
    /// Bytes that were written, not synced, and are there all the same.
    pub bytes_kept: u64,
    /// A write was torn in two.
    pub torn: bool,
}

/// The way to break a node from within. Every call replaces what was set before it, and a node that ends forgets it.
///
/// Errors are sentences for a person: the node did not answer, or cannot do that.
pub trait NodeFaults {
    /// Replaces what is wrong with the node's clocks, and tells how far its wall clock is off then, in milliseconds.
    fn set_clock<'a>(
        &'a self,
        node: &'a str,
        fault: ClockFault,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<i64, String>>;

    /// Replaces what is wrong with the node's disk, and tells how many of its calls were struck since it started.
    fn set_disk<'a>(
        &'a self,
        node: &'a str,
        fault: DiskFault,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<u64, String>>;

    /// Cuts the power of the node's disk. The node is to be killed then. `seed` decides what is kept.
    fn power_loss<'a>(
        &'a self,
        node: &'a str,
        kept: Kept,
        seed: u64,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<PowerLoss, String>>;

    /// Has the node end, as by kill -9, when it comes to `point` after it has passed it `skip` times; `None` disarms.
    fn crash_at<'a>(
        &'a self,
        node: &'a str,
        point: Option<&'a str>,
        skip: u32,
        limit: Duration,
    ) -> LocalBoxFuture<'a, Result<(), String>>;

    /// The names of the points at which a node can be told to end.
    fn crash_points(&self) -> Vec<&'static str>;

    /// The exit code of a node whose disk has failed.
    fn disk_failure_code(&self) -> i32;

    /// The files of a node's data directory that hold what it must not lose.
    fn precious_files(&self) -> &'static [&'static str];
}

/// What the nodes of `system` cannot have broken within them of the plan, asked before anything is started.
#[must_use]
pub fn unsupported(system: &dyn System, plan: &Plan) -> Option<String> {
    let is_within = |verb: &Verb| matches!(verb, Verb::Clock(_) | Verb::Disk(_) | Verb::Crash(_));
    let (name, verb) = plan.verbs().find(|(_, verb)| is_within(verb))?;
    let Some(faults) = system.faults() else {
        let verb = verb.name();
        return Some(format!("{name}: `{verb}`: the nodes of this system cannot be broken from within"));
    };
    let points = faults.crash_points();
    plan.verbs().find_map(|(name, verb)| match verb {
        Verb::Crash(crash) if !points.contains(&crash.at.as_str()) => Some(format!(
            "{name}: there is no crash point `{}`; this build has {}",
            crash.at,
            points.join(", ")
        )),
        _ => None,
    })
}

impl fmt::Debug for dyn NodeFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeFaults")
    }
}

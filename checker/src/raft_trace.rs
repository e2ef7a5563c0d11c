//! What the nodes themselves wrote down: does it keep the promises of Raft?
//!
//! | rule | from | found by |
//! |---|---|---|
//! | a term has at most one leader | election safety | [`elections`] |
//! | a node votes for one candidate in a term, also across a restart | `votedFor` is durable | [`elections`] |
//! | a node's term never goes back, also across a restart | `currentTerm` is durable | [`elections`] |
//! | an index and a term name one entry, behind the same entries, in all logs | log matching | [`log`] |
//! | what was durable is there after a restart | the log is durable | [`log`] |
//! | a leader has all that was committed in the terms before its own | leader completeness | [`log`] |
//! | what a node knows to be committed it never removes from the end of its log | leader completeness | [`log`] |
//! | who becomes leader is a voter by the last members in its log | | [`log`] |
//! | in one life of a node its commit and applied indexes never go back | | [`log`] |
//! | only what a durable snapshot holds is removed from the front of a log | | [`log`] |
//! | the entry at a committed index never changes, on any node | leader completeness | [`agreement`] |
//! | the same log leaves the same state on every node | state machine safety | [`agreement`] |
//!
//! Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, figures 2
//! and 3. The clients need not have noticed: a broken rule is a violation even if all their answers were right.
//!
//! Within one trace the order of the lines counts; across traces nothing but the numbers in them does, because the
//! nodes' clocks may be wrong.
//!
//! # After a restart
//! A node says what it found on its disk, and goes on from there. A plain kill and a power failure are judged alike: what
//! was traced as durable (votes, terms, what was flushed, snapshots) must be there, whatever was not may be gone, and what
//! was removed from the end of a log but not yet durably may be back. Commit and applied indexes need not be durable and
//! may go back; what they name must not change. A node that finds an empty disk is a new one; only its votes still count.
//! What nobody was told is not missed: a rule speaks about what was traced as durable or as committed and nothing else.
//!
//! # Caveats
//! * A trace may lack its end, and a node may apply many entries between two lines. What was not written down is not
//!   judged.
//! * Followers say nothing of what they were sent and refused. Of entries that were purged only the last is known.

mod agreement;
mod elections;
mod node_log;
mod replication;
#[cfg(test)]
mod tests;
mod words;

use crate::evidence::trace::TraceEvent;
use crate::evidence::{Evidence, NodeTrace};
use crate::explain;
use crate::findings::Findings;
use crate::limits::{Budget, Exceeded, Limits};
use agreement::Agreement;
use elections::Elections;
use replication::Replication;

/// How many bytes that a line leaves are worth one tick.
const BYTES_PER_TICK: u64 = 64;

/// Whether terms have one leader, nodes one vote a term, and terms never go back.
///
/// Unknown if no leader was ever traced, or if a node that clients talked to left no trace.
#[must_use]
pub fn elections(evidence: &Evidence, limits: &Limits<'_>) -> Findings {
    let mut elections = Elections::default();
    let mut findings = walk(evidence, limits, |place| elections.see(place));
    findings.keys = evidence.traces.len() as u64;
    if evidence.traces.is_empty() {
        findings.doubts.push("there is no trace of any node".to_owned());
    } else if !elections.saw_leader() {
        findings.doubts.push("no leader was ever traced".to_owned());
    }
    findings.doubts.extend(missing(evidence));
    let told = elections.anomalies(&Narrator { evidence });
    Findings { anomalies_total: elections.total(), ..found(findings, told) }
}

/// Whether nodes agree about committed entries and about the states these leave.
///
/// It adds to [`convergence`](crate::convergence), so it is no doubt if nothing was traced.
#[must_use]
pub fn agreement(evidence: &Evidence, limits: &Limits<'_>) -> Findings {
    let mut agreement = Agreement::default();
    let findings = walk(evidence, limits, |place| agreement.see(place));
    found(findings, agreement.anomalies(&Narrator { evidence }))
}

/// Whether the logs of the nodes keep what they promise: they match, they are durable, leaders have what is committed, and
/// nothing that is committed goes.
///
/// Unknown if no node wrote down what it found on its disk, or if a node that clients talked to left no trace.
#[must_use]
pub fn log(evidence: &Evidence, limits: &Limits<'_>) -> Findings {
    let mut replication = Replication::default();
    let mut findings = walk(evidence, limits, |place| replication.see(place));
    replication.finish();
    findings.keys = evidence.traces.len() as u64;
    let mut events = evidence.traces.iter().flat_map(|trace| &trace.events);
    if !events.any(|event| matches!(event, TraceEvent::Recovered { .. })) {
        findings.doubts.push("no node wrote down what is in its log".to_owned());
    }
    findings.doubts.extend(missing(evidence));
    let narrator = Narrator { evidence };
    let told = replication.broken.first.iter().map(|broken| words::tell(&narrator, *broken)).collect();
    Findings { anomalies_total: replication.broken.total, ..found(findings, told) }
}

/// Shows all lines of all traces to `see`, which says how many bytes it has kept.
fn walk<'e>(evidence: &'e Evidence, limits: &Limits<'_>, mut see: impl FnMut(Place<'e>) -> u64) -> Findings {
    let mut budget = Budget::new(limits);
    let mut findings = Findings::default();
    let mut all = || -> Result<(), Exceeded> {
        for place in evidence.traces.iter().flat_map(Place::all) {
            budget.step()?;
            findings.operations += 1;
            let bytes = see(place);
            budget.allocate(bytes)?;
            budget.ticks(bytes / BYTES_PER_TICK)?;
        }
        Ok(())
    };
    if let Err(exceeded) = all() {
        let doubt = format!("{exceeded} after {} lines of the nodes' traces", findings.operations);
        findings.doubts.push(doubt);
    }
    Findings { peak_bytes: budget.peak(), ..findings }
}

fn found(findings: Findings, anomalies: Vec<crate::anomaly::Anomaly>) -> Findings {
    Findings { anomalies_total: anomalies.len() as u64, anomalies, ..findings }
}

/// The nodes that clients talked to and that left no trace.
fn missing(evidence: &Evidence) -> Option<String> {
    let traced = |node: &str| evidence.traces.iter().any(|trace| trace.node == node);
    let missing: Vec<&str> = evidence.nodes().into_iter().filter(|node| !traced(node)).collect();
    (!missing.is_empty() && !evidence.traces.is_empty())
        .then(|| format!("there is no trace of {}", explain::list(&missing)))
}

/// A line of a trace.
#[derive(Debug, Clone, Copy)]
struct Place<'e> {
    trace: &'e NodeTrace,
    /// Its position in the trace.
    position: usize,
}

impl<'e> Place<'e> {
    fn all(trace: &'e NodeTrace) -> impl Iterator<Item = Place<'e>> {
        (0..trace.events.len()).map(move |position| Place { trace, position })
    }

    fn event(self) -> &'e TraceEvent {
        &self.trace.events[self.position]
    }

    fn node(self) -> &'e str {
        &self.trace.node
    }

    /// Whether the node came up again between two lines of one trace.
    fn restarted_before(self, later: Place<'_>) -> bool {
        let between = self.trace.events.get(self.position..later.position).unwrap_or_default();
        self.node() == later.node() && between.iter().any(|event| matches!(event, TraceEvent::Start { .. }))
    }
}

/// Tells where a line is.
struct Narrator<'e> {
    evidence: &'e Evidence,
}

impl Narrator<'_> {
    /// `line 17 of its trace, 4.120 s by its clock`.
    fn place(&self, place: Place<'_>) -> String {
        let line = place.trace.line(place.position);
        let since = |started: u64| place.event().at().checked_sub(started);
        match self.evidence.history.started_unix_ns().and_then(since) {
            Some(time) => format!("line {line} of its trace, {} by its clock", explain::seconds(time)),
            None => format!("line {line} of its trace"),
        }
    }
}

//! Session guarantees: what a client may rely on of what it did and saw itself.
//!
//! | rule | anomaly | Elle |
//! |---|---|---|
//! | a read shows at least what the session has read before | `monotonic-reads` | G-single-process |
//! | a read shows at least what the session was acknowledged | `read-your-writes` | G-single-process |
//! | what a session sends gets rising numbers | `monotonic-writes` | G0-process |
//! | what a session sends gets a number behind all that it has read | `writes-follow-reads` | G1c-process |
//!
//! Source: Terry et al., "Session Guarantees for Weakly Consistent Replicated Data", PDIS 1994. A session is a process of
//! the history. Messages of a conversation are numbered without holes, so what a read shows is its head: one number, and
//! each rule is one comparison with the greatest number that the session has seen of the conversation, O(1) for each
//! operation and 100 bytes for each pair of a session and a conversation.
//!
//! # Reads that may be late
//! A stale read is answered from what its node has applied. Nothing promises that this includes what the session did
//! elsewhere; that is counted (`behind-own-writes`, `behind-own-reads`) and no violation. But a node never applies
//! backwards, so a stale read shows at least what the session has read through the same node in the same life of that
//! node ([`Lives`]). And what it shows is committed, so reads that are not stale, and sends, come behind it.
//!
//! # What it does not do
//! What is linearizable keeps all of this; then a broken rule is news only in that it names the session that noticed.
//! Which messages stand at the numbers is the part of [`log`](crate::log) and [`stale`](crate::stale). What a session
//! learned of one conversation obliges nothing in another.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::check::CheckName;
use crate::evidence::Evidence;
use crate::evidence::lives::Lives;
use crate::explain::{Scene, the_read};
use crate::findings::Findings;
use crate::history::{History, Input, Operation, OperationId, Output, Symbol};
use crate::limits::{Budget, Exceeded, Limits};
use crate::verdict::{ANOMALIES_MAX, CheckResult};

/// The counts, under their names in the result.
const COUNTS: [&str; 7] = [
    "sessions",
    "monotonic-reads",
    "read-your-writes",
    "monotonic-writes",
    "writes-follow-reads",
    "behind-own-writes",
    "behind-own-reads",
];

/// Checks the four session guarantees of every process, conversation by conversation.
#[must_use]
pub fn check(evidence: &Evidence, limits: &Limits<'_>) -> CheckResult {
    let mut judge = Judge {
        history: &evidence.history,
        lives: Lives::of(evidence),
        frontiers: HashMap::new(),
        counts: BTreeMap::new(),
        findings: Findings::default(),
    };
    let mut budget = Budget::new(limits);
    if let Err(exceeded) = judge.take(&mut budget) {
        judge.findings.doubts.push(exceeded.to_string());
    }
    judge.findings.peak_bytes = budget.peak();
    let counts = COUNTS.map(|name| (name.to_owned(), judge.counts.get(name).copied().unwrap_or(0)));
    CheckResult { counts: counts.into(), ..judge.findings.into_result(CheckName::Sessions) }
}

/// A number of a conversation, and the operation that told it.
#[derive(Debug, Clone, Copy)]
struct Told {
    seq: u64,
    by: OperationId,
}

/// How far a session has got with a conversation.
#[derive(Debug, Default)]
struct Frontier {
    /// The greatest head that it has read.
    read: Option<Told>,
    /// The greatest number that it was acknowledged.
    written: Option<Told>,
    /// The greatest head that it has read through each node, of which there are few.
    by_node: Vec<(Symbol, Told)>,
}

impl Frontier {
    fn through(&self, node: Option<Symbol>) -> Option<Told> {
        self.by_node.iter().find(|(known, _)| Some(*known) == node).map(|(_, told)| *told)
    }

    fn has_read(&mut self, node: Option<Symbol>, told: Told) {
        raise(&mut self.read, told);
        let Some(node) = node else { return };
        match self.by_node.iter_mut().find(|(known, _)| *known == node) {
            // The newest, not the greatest: after a restart the node may be behind, and goes on from there.
            Some((_, last)) => *last = told,
            None => self.by_node.push((node, told)),
        }
    }
}

fn raise(mark: &mut Option<Told>, told: Told) {
    if mark.is_none_or(|mark| mark.seq < told.seq) {
        *mark = Some(told);
    }
}

struct Judge<'e> {
    history: &'e History,
    lives: Lives<'e>,
    /// By process and conversation.
    frontiers: HashMap<(u64, Option<Symbol>), Frontier>,
    counts: BTreeMap<&'static str, u64>,
    findings: Findings,
}

impl Judge<'_> {
    /// Goes through the operations in the order of invocation, in which those of one process follow each other.
    fn take(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let history = self.history;
        let mut conversations: HashSet<Option<Symbol>> = HashSet::new();
        let mut sessions: HashSet<u64> = HashSet::new();
        for id in history.ids() {
            let operation = history.operation(id);
            let told = match (&operation.input, operation.output()) {
                (Input::Send { .. }, Some(Output::Sent { seq })) => Told { seq: *seq, by: id },
                (Input::Read { .. } | Input::StaleRead { .. }, Some(Output::Page { head, .. })) => {
                    Told { seq: *head, by: id }
                }
                _ => continue,
            };
            budget.step()?;
            self.findings.operations += 1;
            budget.room_in_set(&mut conversations)?;
            conversations.insert(operation.key);
            budget.room_in_set(&mut sessions)?;
            sessions.insert(operation.process);
            budget.room_in_map(&mut self.frontiers)?;
            let mut frontier = self.frontiers.remove(&(operation.process, operation.key)).unwrap_or_default();
            match operation.input {
                Input::Send { .. } => self.send(operation, told, &mut frontier),
                Input::StaleRead { .. } => self.stale_read(operation, told, &mut frontier),
                _ => self.read(operation, told, &mut frontier),
            }
            self.frontiers.insert((operation.process, operation.key), frontier);
        }
        self.findings.keys = conversations.len() as u64;
        self.counts.insert("sessions", sessions.len() as u64);
        Ok(())
    }

    fn send(&mut self, operation: &Operation, told: Told, frontier: &mut Frontier) {
        if let Some(before) = frontier.written.filter(|before| before.seq >= told.seq) {
            self.report(AnomalyKind::MonotonicWrites, operation, before, told);
        }
        if let Some(before) = frontier.read.filter(|before| before.seq >= told.seq) {
            self.report(AnomalyKind::WritesFollowReads, operation, before, told);
        }
        raise(&mut frontier.written, told);
    }

    fn read(&mut self, operation: &Operation, told: Told, frontier: &mut Frontier) {
        if let Some(before) = frontier.read.filter(|before| before.seq > told.seq) {
            self.report(AnomalyKind::MonotonicReads, operation, before, told);
        }
        if let Some(before) = frontier.written.filter(|before| before.seq > told.seq) {
            self.report(AnomalyKind::ReadYourWrites, operation, before, told);
        }
        frontier.has_read(operation.node, told);
    }

    fn stale_read(&mut self, operation: &Operation, told: Told, frontier: &mut Frontier) {
        let is_behind = |mark: Option<Told>| mark.is_some_and(|mark| mark.seq > told.seq);
        if is_behind(frontier.written) {
            self.add("behind-own-writes");
        }
        if is_behind(frontier.read) {
            self.add("behind-own-reads");
        }
        if let Some(before) = frontier.through(operation.node).filter(|before| before.seq > told.seq)
            && self.lives.is_one(self.history.operation(before.by), operation)
        {
            self.report(AnomalyKind::MonotonicReads, operation, before, told);
        }
        frontier.has_read(operation.node, told);
    }

    fn add(&mut self, count: &'static str) -> u64 {
        let count = self.counts.entry(count).or_default();
        *count += 1;
        *count
    }

    /// Reports that `before` obliges `told`, its successor in the session.
    fn report(&mut self, kind: AnomalyKind, operation: &Operation, before: Told, told: Told) {
        self.findings.anomalies_total += 1;
        if self.add(kind.name()) > ANOMALIES_MAX as u64 {
            return;
        }
        let history = self.history;
        let scene = Scene::new(history, operation.key, &[before.by, told.by]);
        let first = history.operation(before.by);
        let session = operation.process;
        let did = |told: Told| {
            let (operation, seq) = (history.operation(told.by), told.seq);
            match operation.input {
                Input::Send { id } => format!("send {} was acknowledged as number {seq}", history.text(id)),
                _ => format!("{} ended at number {seq}", the_read(history, operation)),
            }
        };
        let (ended, began) = (scene.ended(first), scene.at(operation.invoked));
        let sentence = format!(
            "in the session of client {session}, {} at {ended}, but then, from {began} on, {}",
            did(before),
            did(told)
        );
        let anomaly = Anomaly::of_scene(kind, &scene, sentence);
        self.findings.anomalies.push(match first.completed {
            Some(ended) => anomaly.with_margin(ended, operation.invoked),
            None => anomaly,
        });
    }
}

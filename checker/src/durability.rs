//! Durability: is what was acknowledged still there at the end?
//!
//! The final reads decide: those made after all faults were lifted, of every conversation, from every node. The
//! terms are those of Jepsen's `total-queue` and `set-full`, which fit a chat:
//!
//! | count | meaning |
//! |---|---|
//! | `attempts` | messages that were sent, with whatever outcome |
//! | `acknowledged` | those whose send was acknowledged |
//! | `lost` | acknowledged, and in no final read, although one covers its number |
//! | `missing` | acknowledged, and in some final reads but not in others that cover its number |
//! | `recovered` | of unknown outcome, and in a final read |
//! | `unexpected` | in a final read, but never sent |
//! | `duplicated` | in final reads at two numbers |
//! | `aborted` | refused, but in a final read |
//! | `unread` | acknowledged, but no final read covers its number |
//! | `resurrected` | deleted, which was acknowledged, and whole again in a final read |
//!
//! Beside these, which make the verdict, it is counted what became of each message over the whole run, in the terms of
//! `set-full`: `stable`, `stale`, `never-read`, and two distributions of times,
//! `stable-latency` and `lost-latency`. Each lost message is laid to the node that acknowledged it and to the fault
//! nearest to that moment ([`Losses`]).
//!
//! Order is not judged here: that is the part of [`log`](crate::log).

mod ending;
mod losses;
mod outcomes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use ending::{Ending, Fate};
pub use losses::{Loss, LossGroup, Losses, NearFault};
use outcomes::Outcomes;

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::check::CheckName;
use crate::explain::{Scene, the_read};
use crate::findings::{Findings, sent_twice};
use crate::history::{History, Input, Operation, OperationId, Outcome, Output, Symbol};
use crate::limits::{Budget, Exceeded, Limits};
use crate::verdict::{ANOMALIES_MAX, CheckResult, Quantiles};

/// The counts, under their names in the result.
const COUNTS: [&str; 14] = [
    "attempts",
    "acknowledged",
    "lost",
    "missing",
    "recovered",
    "unexpected",
    "duplicated",
    "aborted",
    "unread",
    "resurrected",
    "stable",
    "stale",
    "never-read",
    "final-reads",
];

/// Checks that the final reads show every acknowledged message, once, and nothing else.
#[must_use]
pub fn check(history: &History, limits: &Limits<'_>) -> CheckResult {
    let mut tally = Tally {
        history,
        counts: HashMap::new(),
        latencies: BTreeMap::new(),
        losses: Losses::default(),
        findings: Findings::default(),
    };
    let mut budget = Budget::new(limits);
    if let Err(exceeded) = tally.take(&mut budget) {
        tally.findings.doubts.push(exceeded.to_string());
    }
    tally.findings.peak_bytes = budget.peak();
    tally.into_result()
}

/// The counts so far, and what is wrong.
struct Tally<'a> {
    history: &'a History,
    counts: HashMap<&'static str, u64>,
    latencies: BTreeMap<String, Quantiles>,
    losses: Losses,
    findings: Findings,
}

impl Tally<'_> {
    fn take(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let ending = Ending::of(self.history, budget)?;
        self.findings.operations = ending.operations;
        self.findings.keys = ending.conversations.len() as u64;
        self.add("final-reads", ending.final_reads);
        for conversation in &ending.conversations {
            for (send, message, fate) in conversation.fates(self.history, budget)? {
                if !ending.repeated.contains(&message) {
                    self.judge(send, &fate);
                }
            }
            for (message, read) in conversation.strangers(&ending.sends, budget)? {
                self.stranger(message, read);
            }
        }
        self.doubts(&ending);
        self.resurrections(&ending, budget)?;
        self.outcomes(budget)
    }

    /// What was deleted is whole again in a final read that began later.
    fn resurrections(&mut self, ending: &Ending<'_>, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        for (delete, read, entry) in ending.resurrections(self.history, budget)? {
            self.report("resurrected", AnomalyKind::Resurrected, &[delete, read], |Tally { history, .. }, scene| {
                let deleted = scene.ended(history.operation(delete));
                let read = history.operation(read);
                let (id, seq) = (history.text(entry.id), entry.seq);
                format!(
                    "the deletion of number {seq} was acknowledged at {deleted}; {} began at {} and shows {id} there again",
                    the_read(history, read),
                    scene.at(read.invoked)
                )
            });
        }
        Ok(())
    }

    fn outcomes(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let outcomes = Outcomes::of(self.history, budget)?;
        self.add("stable", outcomes.stable);
        self.add("stale", outcomes.stale);
        self.add("never-read", outcomes.never_read);
        let named = [("stable-latency", outcomes.stable_latency), ("lost-latency", outcomes.lost_latency)];
        let there = named.into_iter().filter_map(|(name, times)| Some((name.to_owned(), times?)));
        self.latencies.extend(there);
        Ok(())
    }

    fn doubts(&mut self, ending: &Ending<'_>) {
        let doubts = &mut self.findings.doubts;
        doubts.extend(sent_twice(ending.repeated.iter().map(|message| self.history.text(*message))));
        if ending.sends.is_empty() {
            doubts.push("nothing to check: no message was sent".to_owned());
        } else if ending.final_reads == 0 {
            doubts.push("no final read succeeded, so nobody knows what is left".to_owned());
        } else if !self.counts.contains_key("acknowledged") {
            doubts.push("nothing to check: no message was acknowledged".to_owned());
        } else if let Some(unread) = self.counts.get("unread") {
            doubts.push(format!("acknowledged, but not covered by any final read: {unread}"));
        }
    }

    fn add(&mut self, count: &'static str, by: u64) {
        *self.counts.entry(count).or_default() += by;
    }

    /// What became of one message that was sent.
    fn judge(&mut self, send: OperationId, fate: &Fate) {
        let operation = self.history.operation(send);
        self.add("attempts", 1);
        if let Some((read, other)) = fate.twice {
            let operations = [send, read.0, other.0];
            self.report("duplicated", AnomalyKind::Duplicate, &operations, |tally, scene| {
                tally.words_twice(scene, operation, read, other)
            });
        }
        match (&operation.outcome, fate.seen, fate.missed) {
            (Outcome::Ok(Output::Sent { seq }), seen, missed) => {
                self.add("acknowledged", 1);
                match (seen, missed) {
                    (None, None) => self.add("unread", 1),
                    (None, Some(missed)) => {
                        self.losses.add(self.history, send, *seq);
                        self.report("lost", AnomalyKind::Lost, &[send, missed], |tally, scene| {
                            let missed = tally.words_missed(scene, operation, missed, *seq);
                            format!("{missed}, and no final read shows it")
                        });
                    }
                    (Some((seen, _)), Some(missed)) => {
                        let operations = [send, missed, seen];
                        self.report("missing", AnomalyKind::StaleRead, &operations, |tally, scene| {
                            let missed = tally.words_missed(scene, operation, missed, *seq);
                            format!("{missed}; {}", scene.shows_it(tally.history.operation(seen)))
                        });
                        self.suspect(missed);
                    }
                    (Some(_), None) => {}
                }
            }
            (Outcome::Fail(_), Some((read, seq)), _) => {
                self.report("aborted", AnomalyKind::AbortedRead, &[send, read], |tally, scene| {
                    tally.words_aborted(scene, operation, read, seq)
                });
            }
            (Outcome::Info(_), Some(_), _) => self.add("recovered", 1),
            _ => {}
        }
    }

    /// A message of the final reads that nobody has sent to this conversation.
    fn stranger(&mut self, message: Symbol, (read, seq): (OperationId, u64)) {
        self.report("unexpected", AnomalyKind::Phantom, &[read], |Tally { history, .. }, _| {
            let (read, id) = (the_read(history, history.operation(read)), history.text(message));
            format!("{read} shows message {id} as number {seq}, which nobody has sent to this conversation")
        });
    }

    /// Reports a contradiction. It is told only if it is among the first of its count.
    fn report(
        &mut self,
        count: &'static str,
        kind: AnomalyKind,
        operations: &[OperationId],
        tell: impl FnOnce(&Self, &Scene<'_>) -> String,
    ) {
        self.add(count, 1);
        self.findings.anomalies_total += 1;
        if self.counts[count] <= ANOMALIES_MAX as u64 {
            let scene = Scene::new(self.history, self.history.operation(operations[0]).key, operations);
            let sentence = tell(self, &scene);
            self.findings.anomalies.push(Anomaly::of_scene(kind, &scene, sentence));
        }
    }

    /// The answer that cannot be, of the anomaly that was reported last, is this read's.
    fn suspect(&mut self, read: OperationId) {
        if let Some(anomaly) = self.findings.anomalies.pop() {
            self.findings.anomalies.push(anomaly.with_suspect(self.history, read));
        }
    }

    fn words_missed(&self, scene: &Scene<'_>, send: &Operation, missed: OperationId, seq: u64) -> String {
        let missed = scene.without(self.history.operation(missed), seq);
        let (id, at) = (self.id(send), scene.ended(send));
        format!("send {id} was acknowledged at {at} as number {seq}; {missed}")
    }

    fn words_twice(
        &self,
        scene: &Scene<'_>,
        send: &Operation,
        (one, first): (OperationId, u64),
        (other, second): (OperationId, u64),
    ) -> String {
        let id = self.id(send);
        if one == other {
            let read = the_read(self.history, self.history.operation(one));
            return format!("{read} shows message {id} twice, as number {first} and as number {second}");
        }
        let read = |read: OperationId| {
            let read = self.history.operation(read);
            format!("{}, which ended at {},", the_read(self.history, read), scene.ended(read))
        };
        let (one, other) = (read(one), read(other));
        format!(
            "message {id} is in the conversation twice: {one} shows it as number {first}, and {other} as number \
             {second}"
        )
    }

    fn words_aborted(&self, scene: &Scene<'_>, send: &Operation, read: OperationId, seq: u64) -> String {
        let read = the_read(self.history, self.history.operation(read));
        let (id, at) = (self.id(send), scene.ended(send));
        format!("send {id} failed at {at}, so it never happened, but {read} shows it as number {seq}")
    }

    fn id(&self, send: &Operation) -> &str {
        match send.input {
            Input::Send { id } => self.history.text(id),
            _ => "",
        }
    }

    fn into_result(self) -> CheckResult {
        let counts = COUNTS.map(|name| (name.to_owned(), self.counts.get(name).copied().unwrap_or(0)));
        let result = self.findings.into_result(CheckName::Durable);
        CheckResult {
            counts: counts.into(),
            latencies: self.latencies,
            losses: self.losses.finish(),
            ..result
        }
    }
}

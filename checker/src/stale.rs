//! Reads that may be late: is each of them a prefix of the log, and does no node go back?
//!
//! A stale read is answered by a node from what it has applied, without asking whether it is the newest. Late is no
//! violation. But what it shows is the beginning of the one log there is, and every node applies that log forwards:
//!
//! | rule | anomaly |
//! |---|---|
//! | the page is what was asked for, in order and without gaps | `overlong-page`, `wrong-page` |
//! | each message was sent, to this conversation, before the read ended, and did not fail | `phantom`, `wrong-conversation`, `aborted-read` |
//! | each number holds the message that everybody else was told | `conflict`, `moved` |
//! | what it shows is committed: reads that are not stale and begin later show it too | `dirty-read` |
//! | the conversation never becomes shorter through one node, whoever asks, in one life of the node ([`Lives`]) | `monotonic-reads` |
//! | what was acknowledged before a message of another conversation was sent is there once a read through the same node, in the same life, has shown that message | `monotonic-reads` |
//!
//! Together: each stale read shows a prefix of the log that agrees in contents and order, and the stale reads through one
//! node are sequentially consistent with the log as that node applies it.
//!
//! Counted beside that: `stale-reads`; `late`, those that did not show what had been proven before they began; and how
//! late these were (`lateness`), from the first proof of a number that is missing to the beginning of the read. O(1) for
//! each message shown, O(log n) for each read.
//!
//! # What it does not do
//! * What acknowledgements and other reads say of each other is judged by [`log`](crate::log); here they are believed.
//! * Of which entry of the log a read is the prefix is not recorded. So two conversations are compared only as far as the
//!   times of acknowledged messages tell which came first.

mod across;
mod claims;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, HashMap};

use across::{Across, Reached};
use claims::Claims;

use crate::check::CheckName;
use crate::evidence::Evidence;
use crate::evidence::lives::Lives;
use crate::findings::{Findings, sent_twice};
use crate::history::{
    Entry, History, Input, Object, Operation, OperationId, Output, PageRange, Step, Symbol,
};
use crate::limits::{Budget, Exceeded, Limits};
use crate::log::page;
use crate::verdict::{ANOMALIES_MAX, CheckResult, Quantiles};

/// Checks all stale reads of a run.
#[must_use]
pub fn check(evidence: &Evidence, limits: &Limits<'_>) -> CheckResult {
    let mut judge = Judge {
        history: &evidence.history,
        lives: Lives::of(evidence),
        claims: Claims::default(),
        across: Across::default(),
        conversations: HashMap::new(),
        marks: HashMap::new(),
        told: BTreeMap::new(),
        late_ns: Vec::new(),
        findings: Findings::default(),
    };
    let mut budget = Budget::new(limits);
    if let Err(exceeded) = judge.take(&mut budget) {
        judge.findings.doubts.push(exceeded.to_string());
    }
    judge.findings.peak_bytes = budget.peak();
    let (late, reads) = (judge.late_ns.len() as u64, judge.findings.operations);
    let lateness = Quantiles::of(&mut judge.late_ns);
    let mut result = judge
        .findings
        .into_result(CheckName::StaleReads)
        .with_count("stale-reads", reads)
        .with_count("late", late);
    result.latencies.extend(lateness.map(|lateness| ("lateness".to_owned(), lateness)));
    result
}

/// A head of a conversation, and the operation that told it.
#[derive(Debug, Clone, Copy)]
struct Told {
    head: u64,
    by: OperationId,
}

/// One conversation so far.
#[derive(Debug, Default)]
struct Conversation {
    /// The greatest head that a stale read has shown.
    shown: Option<Told>,
    /// The greatest head that was read through each node, stale or not, in its present life.
    by_node: HashMap<Symbol, Told>,
    /// When each greater number was first proven to be there, in both ascending.
    proven: Vec<(u64, u64)>,
}

impl Conversation {
    /// Through each node the greatest head of its life counts; answers may overtake each other.
    fn read_through(&mut self, node: Option<Symbol>, told: Told, history: &History, lives: &Lives<'_>) {
        let Some(node) = node else { return };
        let last = self.by_node.entry(node).or_insert(told);
        if last.head <= told.head || !lives.is_one(history.operation(last.by), history.operation(told.by)) {
            *last = told;
        }
    }

    fn prove(&mut self, seq: u64, at: u64) {
        if self.proven.last().is_none_or(|(last, _)| *last < seq) {
            self.proven.push((seq, at));
        }
    }
}

/// What a read has to show, as it was known when the read began.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    /// What stale reads had shown.
    shown: Option<Told>,
    /// What had been read through the same node.
    through_node: Option<Told>,
    /// How far the same node had come, as reads of any conversation showed.
    reached: Option<Reached>,
    /// How many steps of [`Conversation::proven`] there were.
    proven: usize,
}

/// What is wrong with a stale read, or with what contradicts it.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    Overlong,
    Page,
    /// Shown, and never sent, or only `later`.
    Phantom {
        entry: Entry,
        later: Option<OperationId>,
    },
    /// Shown, though the send failed.
    Aborted {
        entry: Entry,
        send: OperationId,
    },
    /// Shown here and sent elsewhere.
    Misplaced {
        entry: Entry,
        send: OperationId,
    },
    /// The number holds another message.
    Conflict {
        entry: Entry,
        other: Symbol,
        by: OperationId,
    },
    /// The message has another number.
    Moved {
        entry: Entry,
        seq: u64,
        by: OperationId,
    },
    /// A read that is not stale ended before what a stale read had shown.
    Dirty {
        shown: Told,
    },
    /// The node showed more before.
    Back {
        before: Told,
    },
    /// The node had come further, as a read of another conversation showed: this message was acknowledged before.
    Behind {
        reached: Reached,
        seq: u64,
        missing: OperationId,
    },
}

struct Judge<'e> {
    history: &'e History,
    lives: Lives<'e>,
    claims: Claims,
    across: Across,
    conversations: HashMap<Option<Symbol>, Conversation>,
    /// Of the reads that are under way.
    marks: HashMap<OperationId, Marks>,
    /// How many anomalies of each kind are told.
    told: BTreeMap<crate::anomaly::AnomalyKind, usize>,
    late_ns: Vec<u64>,
    findings: Findings,
}

impl<'e> Judge<'e> {
    fn take(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let history = self.history;
        if !history.operations().iter().any(|operation| matches!(operation.input, Input::StaleRead { .. })) {
            return Ok(());
        }
        self.claims = Claims::of(history, budget)?;
        self.across = Across::of(history, budget)?;
        let repeated = self.claims.repeated().map(|message| history.text(message));
        self.findings.doubts.extend(sent_twice(repeated));
        for step in history.steps() {
            budget.step()?;
            match step {
                Step::Invoked(id) => self.invoked(id, budget)?,
                Step::Completed(id) => self.completed(id, budget)?,
            }
        }
        self.findings.keys = self.conversations.len() as u64;
        Ok(())
    }

    fn invoked(&mut self, id: OperationId, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let operation = self.history.operation(id);
        if !matches!(operation.input, Input::Read { .. } | Input::StaleRead { .. }) {
            return Ok(());
        }
        budget.room_in_map(&mut self.conversations)?;
        budget.room_in_map(&mut self.marks)?;
        let conversation = self.conversations.entry(operation.key).or_default();
        let through_node = operation.node.and_then(|node| conversation.by_node.get(&node).copied());
        let (shown, proven) = (conversation.shown, conversation.proven.len());
        let reached = self.across.reached(operation.node);
        self.marks.insert(id, Marks { shown, through_node, reached, proven });
        Ok(())
    }

    fn completed(&mut self, id: OperationId, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let operation = self.history.operation(id);
        if operation.input.object() != Object::Conversation {
            return Ok(());
        }
        let marks = self.marks.remove(&id).unwrap_or_default();
        let Some(completed) = operation.completed else { return Ok(()) };
        budget.room_in_map(&mut self.conversations)?;
        let conversation = self.conversations.entry(operation.key).or_default();
        match (&operation.input, operation.output()) {
            (Input::Send { .. }, Some(Output::Sent { seq })) => {
                conversation.prove(*seq, completed.time);
                budget.allocate(2 * size_of::<u64>() as u64)?;
            }
            (Input::Read { .. }, Some(Output::Page { head, .. })) => {
                conversation.prove(*head, completed.time);
                let told = Told { head: *head, by: id };
                conversation.read_through(operation.node, told, self.history, &self.lives);
                self.across.read(self.history, id, *head, &self.lives, budget)?;
                if let Some(shown) = marks.shown.filter(|shown| shown.head > *head) {
                    self.report(id, Wrong::Dirty { shown });
                }
            }
            (Input::StaleRead { range }, Some(Output::Page { entries, head })) => {
                budget.spend(entries.len() as u64)?;
                self.findings.operations += 1;
                self.judge(id, operation, marks, *range, entries, *head);
                self.claims.add(operation.key, entries, id, budget)?;
                let told = Told { head: *head, by: id };
                let conversation = self.conversations.entry(operation.key).or_default();
                conversation.prove(*head, completed.time);
                conversation.read_through(operation.node, told, self.history, &self.lives);
                if conversation.shown.is_none_or(|shown| shown.head < *head) {
                    conversation.shown = Some(told);
                }
                self.across.read(self.history, id, *head, &self.lives, budget)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn judge(
        &mut self,
        id: OperationId,
        operation: &Operation,
        marks: Marks,
        range: PageRange,
        entries: &[Entry],
        head: u64,
    ) {
        if entries.len() > page::limit(range) as usize {
            self.report(id, Wrong::Overlong);
        } else if !entries.iter().map(|entry| entry.seq).eq(page::covered(range, head, entries)) {
            self.report(id, Wrong::Page);
        }
        for entry in entries {
            if let Some(wrong) = self.claims.contradict(self.history, operation, *entry) {
                self.report(id, wrong);
                break;
            }
        }
        if let Some(before) = marks.through_node.filter(|before| before.head > head)
            && self.lives.is_one(self.history.operation(before.by), operation)
        {
            self.report(id, Wrong::Back { before });
        } else if let Some(reached) = marks.reached
            && let Some((seq, missing)) = self.across.missing(operation.key, head, reached)
            && self.lives.is_one(self.history.operation(reached.by), operation)
        {
            self.report(id, Wrong::Behind { reached, seq, missing });
        }
        let proven = &self.conversations[&operation.key].proven[..marks.proven];
        if let Some((_, since)) = proven.get(proven.partition_point(|(seq, _)| *seq <= head)) {
            self.late_ns.push(operation.invoked.time - since);
        }
    }

    fn report(&mut self, read: OperationId, wrong: Wrong) {
        self.findings.anomalies_total += 1;
        let told = self.told.entry(wrong.kind()).or_default();
        if *told < ANOMALIES_MAX {
            *told += 1;
            self.findings.anomalies.push(words::tell(self.history, read, wrong));
        }
    }
}

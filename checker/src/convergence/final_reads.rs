//! The final reads of conversations.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::explain::{self, Scene};
use crate::findings::Findings;
use crate::history::{Entry, History, Input, OperationId, Outcome, Output, PageRange, Symbol};
use crate::limits::{Budget, Exceeded};

/// The messages of one conversation, as the final reads show them.
#[derive(Debug, Default)]
struct Shown {
    /// By number: the message, and the first read that shows it.
    messages: BTreeMap<u64, (Entry, OperationId)>,
    /// Each read that succeeded, with the last number it says there is.
    reads: Vec<(OperationId, u64)>,
    /// The first message about which two reads disagree.
    contradiction: Option<(Entry, OperationId, Entry, OperationId)>,
}

pub(super) fn check(history: &History, budget: &mut Budget<'_>) -> Result<Findings, Exceeded> {
    let mut shown: BTreeMap<Symbol, Shown> = BTreeMap::new();
    let uncertain = uncertain_deletions(history);
    let mut answers: BTreeMap<String, bool> = BTreeMap::new();
    let mut findings = Findings::default();
    for id in history.ids().filter(|id| history.operation(*id).is_final()) {
        budget.step()?;
        let operation = history.operation(id);
        let (Some(key), Input::Read { range, .. }) = (operation.key, &operation.input) else { continue };
        findings.operations += 1;
        let page = match range {
            PageRange::After { seq: 0, .. } => String::new(),
            PageRange::After { seq, .. } => format!(" after {seq}"),
            PageRange::Before { seq, .. } => format!(" before {seq}"),
        };
        let node = operation.node.map_or("some node", |node| history.text(node));
        let answered = answers.entry(format!("read of `{}`{page} by {node}", history.text(key))).or_default();
        if let Some(Output::Page { entries, head }) = operation.output() {
            *answered = true;
            let shown = shown.entry(key).or_default();
            shown.reads.push((id, *head));
            budget.allocate(64 * entries.len() as u64)?;
            for entry in entries {
                shown.see(*entry, id, uncertain.contains(&(key, entry.seq)));
            }
        }
    }
    let sends = sends(history);
    findings.anomalies = shown
        .iter()
        .filter_map(|(key, shown)| {
            shown
                .contradiction(history, *key)
                .or_else(|| shown.acknowledged_but_missing(history, *key, &sends))
        })
        .collect();
    findings.anomalies_total = findings.anomalies.len() as u64;
    findings.doubts = super::unanswered(&answers).into_iter().collect();
    Ok(findings)
}

impl Shown {
    fn see(&mut self, entry: Entry, read: OperationId, deletion_is_uncertain: bool) {
        let (first, first_read) = *self.messages.entry(entry.seq).or_insert((entry, read));
        let differs = first.id != entry.id || (first.deleted != entry.deleted && !deletion_is_uncertain);
        if differs {
            self.contradiction.get_or_insert((first, first_read, entry, read));
        }
    }

    fn contradiction(&self, history: &History, key: Symbol) -> Option<Anomaly> {
        let (one, first, other, second) = self.contradiction?;
        let says = |entry: Entry, read: OperationId| {
            let deleted = if entry.deleted { ", deleted" } else { "" };
            format!(
                "`{}`{deleted} to {}",
                history.text(entry.id),
                explain::client(history, history.operation(read))
            )
        };
        let sentence = format!(
            "the nodes disagree about number {} of `{}`: the final reads show {} and {}",
            one.seq,
            history.text(key),
            says(one, first),
            says(other, second)
        );
        let scene = Scene::new(history, Some(key), &[first, second]).about(one.id, one.seq);
        Some(Anomaly::of_scene(AnomalyKind::Diverged, &scene, sentence))
    }

    /// A message that was acknowledged before a read began, behind the end of the conversation as that read has it.
    fn acknowledged_but_missing(
        &self,
        history: &History,
        key: Symbol,
        sends: &HashMap<Symbol, OperationId>,
    ) -> Option<Anomaly> {
        let missed = |(read, head): &(OperationId, u64)| {
            let began = history.operation(*read).invoked;
            let beyond = self.messages.range((Bound::Excluded(*head), Bound::Unbounded));
            beyond
                .filter_map(|(_, (entry, other))| Some((*entry, *other, *sends.get(&entry.id)?)))
                .find(|(_, _, send)| history.operation(*send).returned_before(began))
                .map(|(entry, other, send)| (*read, *head, entry, other, send))
        };
        let (read, head, entry, other, send) = self.reads.iter().find_map(missed)?;
        let sentence = format!(
            "`{}` is number {} of `{}` for {}, but for {} that conversation ends at {head}, though it was \
             acknowledged before",
            history.text(entry.id),
            entry.seq,
            history.text(key),
            explain::client(history, history.operation(other)),
            explain::client(history, history.operation(read)),
        );
        let scene = Scene::new(history, Some(key), &[send, read, other]);
        Some(Anomaly::of_scene(AnomalyKind::Diverged, &scene, sentence))
    }
}

/// The sends that were acknowledged, by the message's id.
fn sends(history: &History) -> HashMap<Symbol, OperationId> {
    let acknowledged = history.ids().filter_map(|id| {
        let operation = history.operation(id);
        match (&operation.input, &operation.outcome) {
            (Input::Send { id: message }, Outcome::Ok(_)) => Some((*message, id)),
            _ => None,
        }
    });
    acknowledged.collect()
}

/// The places of messages that may be deleted at any time: nobody knows the outcome of their deletion.
fn uncertain_deletions(history: &History) -> HashSet<(Symbol, u64)> {
    let uncertain =
        history.operations().iter().filter_map(|operation| match (&operation.input, &operation.outcome) {
            (Input::Delete { seq }, Outcome::Info(_)) => Some((operation.key?, *seq)),
            _ => None,
        });
    uncertain.collect()
}

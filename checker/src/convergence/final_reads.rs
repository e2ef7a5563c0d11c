//! The final reads of conversations.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::explain::{self, Scene};
use crate::findings::Findings;
use crate::history::{Entry, History, Input, OperationId, Outcome, Output, PageRange, Symbol};
use crate::limits::{Budget, Exceeded};

/// The most conversations of which it is told that the nodes disagree.
const TOLD_MAX: usize = 64;

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
    let uncertain = uncertain_deletions(history, budget)?;
    let mut answers: BTreeMap<String, bool> = BTreeMap::new();
    let mut findings = Findings::default();
    for id in history.ids() {
        budget.tick()?;
        let operation = history.operation(id);
        if !operation.is_final() {
            continue;
        }
        budget.step()?;
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
            for entry in entries {
                budget.tick()?;
                let new = shown.see(*entry, id, uncertain.contains(&(key, entry.seq)));
                // An entry of a tree, with its share of the nodes.
                budget.allocate(if new { 2 * size_of::<(u64, (Entry, OperationId))>() as u64 } else { 0 })?;
            }
        }
    }
    let sends = sends(history, budget)?;
    for (key, shown) in &shown {
        let found = match shown.contradiction(history, *key) {
            None => shown.acknowledged_but_missing(history, *key, &sends, budget)?,
            found => found,
        };
        findings.anomalies_total += u64::from(found.is_some());
        if findings.anomalies.len() < TOLD_MAX {
            findings.anomalies.extend(found);
        }
    }
    findings.doubts = super::unanswered(&answers).into_iter().collect();
    Ok(findings)
}

impl Shown {
    /// Takes in what a read shows; whether the number is new.
    fn see(&mut self, entry: Entry, read: OperationId, deletion_is_uncertain: bool) -> bool {
        let mut new = false;
        let (first, first_read) = *self.messages.entry(entry.seq).or_insert_with(|| {
            new = true;
            (entry, read)
        });
        let differs = first.id != entry.id || (first.deleted != entry.deleted && !deletion_is_uncertain);
        if differs {
            self.contradiction.get_or_insert((first, first_read, entry, read));
        }
        new
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
        budget: &mut Budget<'_>,
    ) -> Result<Option<Anomaly>, Exceeded> {
        let mut missed = None;
        'reads: for &(read, head) in &self.reads {
            let began = history.operation(read).invoked;
            for (_, &(entry, other)) in self.messages.range((Bound::Excluded(head), Bound::Unbounded)) {
                budget.tick()?;
                let send = sends.get(&entry.id);
                if let Some(send) = send.filter(|send| history.operation(**send).returned_before(began)) {
                    missed = Some((read, head, entry, other, *send));
                    break 'reads;
                }
            }
        }
        let Some((read, head, entry, other, send)) = missed else { return Ok(None) };
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
        Ok(Some(Anomaly::of_scene(AnomalyKind::Diverged, &scene, sentence).with_suspect(history, read)))
    }
}

/// The sends that were acknowledged, by the message's id.
fn sends(history: &History, budget: &mut Budget<'_>) -> Result<HashMap<Symbol, OperationId>, Exceeded> {
    let mut sends = HashMap::new();
    for (id, operation) in history.ids().zip(history.operations()) {
        budget.tick()?;
        if let (Input::Send { id: message }, Outcome::Ok(_)) = (&operation.input, &operation.outcome) {
            budget.room_in_map(&mut sends)?;
            sends.insert(*message, id);
        }
    }
    Ok(sends)
}

/// The places of messages that may be deleted at any time: nobody knows the outcome of their deletion.
fn uncertain_deletions(
    history: &History,
    budget: &mut Budget<'_>,
) -> Result<HashSet<(Symbol, u64)>, Exceeded> {
    let mut uncertain = HashSet::new();
    for operation in history.operations() {
        budget.tick()?;
        if let (Input::Delete { seq }, Outcome::Info(_), Some(key)) =
            (&operation.input, &operation.outcome, operation.key)
        {
            budget.room_in_set(&mut uncertain)?;
            uncertain.insert((key, *seq));
        }
    }
    Ok(uncertain)
}

//! The final lists of accounts.

use std::collections::{BTreeMap, BTreeSet};

use crate::anomaly::{Anomaly, AnomalyKind};
use crate::explain::{Scene, client};
use crate::findings::Findings;
use crate::history::{History, Input, OperationId, Outcome, Symbol};
use crate::limits::{Budget, Exceeded};
use crate::model::accounts::Presence;
use crate::search::pages::Names;

/// The most disagreements that are told.
const TOLD_MAX: usize = 64;

/// Compares what the final lists say about each name. A list that is not what was asked for says nothing.
pub(super) fn check(history: &History, budget: &mut Budget<'_>) -> Result<Findings, Exceeded> {
    let mut lists: Vec<OperationId> = Vec::new();
    for id in history.ids() {
        budget.tick()?;
        if is_final_list(history, id) {
            budget.push(&mut lists, id)?;
        }
    }
    let mut findings = Findings { operations: lists.len() as u64, ..Findings::default() };
    let Some(&first) = lists.first() else { return Ok(findings) };
    let names = Names::of(history, budget)?;
    let uncertain = uncertain(history, first, budget)?;
    let mut said: BTreeMap<usize, (Presence, OperationId)> = BTreeMap::new();
    let mut contradictions: BTreeMap<usize, [(Presence, OperationId); 2]> = BTreeMap::new();
    for id in &lists {
        let Some(Ok(page)) = names.page(history, *id, budget)? else { continue };
        let mut new = 0;
        for rank in 0..names.len() {
            budget.step()?;
            let Some(presence) = page.shows(rank, history.text(names.name(rank))) else { continue };
            let first = *said.entry(rank).or_insert_with(|| {
                new += 1;
                (presence, *id)
            });
            if first.0 != presence && !uncertain.contains(&names.name(rank)) {
                contradictions.entry(rank).or_insert_with(|| {
                    new += 1;
                    [first, (presence, *id)]
                });
            }
        }
        // An entry of a tree, with its share of the nodes.
        budget.allocate(new * 2 * size_of::<(usize, [(Presence, OperationId); 2])>() as u64)?;
    }
    findings.anomalies_total = contradictions.len() as u64;
    findings.anomalies = contradictions
        .into_iter()
        .take(TOLD_MAX)
        .map(|(rank, answers)| disagreement(history, names.name(rank), answers))
        .collect();
    findings.doubts = super::unanswered(&answers(history, &lists)).into_iter().collect();
    Ok(findings)
}

fn is_final_list(history: &History, id: OperationId) -> bool {
    matches!(history.operation(id).input, Input::ListAccounts { last: true, .. })
}

/// The names that may still change when the lists are made: nobody knows the outcome of a change, or it is late.
fn uncertain(
    history: &History,
    first: OperationId,
    budget: &mut Budget<'_>,
) -> Result<BTreeSet<Symbol>, Exceeded> {
    let began = history.operation(first).invoked;
    let may_change = |operation: &&crate::history::Operation| {
        matches!(operation.input, Input::CreateAccount | Input::DeleteAccount)
            && match operation.outcome {
                Outcome::Ok(_) => !operation.returned_before(began),
                Outcome::Fail(_) => false,
                Outcome::Info(_) => true,
            }
    };
    let mut uncertain = BTreeSet::new();
    for operation in history.operations() {
        budget.tick()?;
        if let Some(name) = operation.key.filter(|_| may_change(&operation)) {
            budget.allocate(if uncertain.insert(name) { 2 * size_of::<Symbol>() as u64 } else { 0 })?;
        }
    }
    Ok(uncertain)
}

fn disagreement(history: &History, name: Symbol, answers: [(Presence, OperationId); 2]) -> Anomaly {
    let says = |(presence, id): (Presence, OperationId)| {
        let who = client(history, history.operation(id));
        match presence {
            Presence::Present => format!("it exists for {who}"),
            Presence::Absent => format!("it does not exist for {who}"),
        }
    };
    let sentence = format!(
        "the nodes disagree about the account `{}` in the final lists: {}, and {}",
        history.text(name),
        says(answers[0]),
        says(answers[1])
    );
    let scene = Scene::new(history, Some(name), &answers.map(|(_, id)| id));
    Anomaly::of_scene(AnomalyKind::Diverged, &scene, sentence)
}

/// Which lists were asked for, by node and place, and whether one of them was answered.
fn answers(history: &History, lists: &[OperationId]) -> BTreeMap<String, bool> {
    let mut answers = BTreeMap::new();
    for operation in lists.iter().map(|id| history.operation(*id)) {
        let Input::ListAccounts { after, .. } = operation.input else { continue };
        let after = after.map_or(String::new(), |after| format!(" after `{}`", history.text(after)));
        let node = operation.node.map_or("some node", |node| history.text(node));
        *answers.entry(format!("list of accounts{after} by {node}")).or_default() |=
            operation.output().is_some();
    }
    answers
}

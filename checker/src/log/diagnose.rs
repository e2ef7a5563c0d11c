//! What happened to a conversation of which it is certain that something did.
//!
//! The walk stops at the first impossible event, which need not be what a person should hear first: a
//! lost message shows up as a reused number, a stale head or a gap, whatever comes along. So the conversation is
//! looked at as a whole: where each message was shown and where it was missing, from the gravest explanation to
//! the slightest, and what an earlier one explains is not told again:
//!
//! 1. messages that should not be there at all: never sent, sent elsewhere, refused;
//! 2. messages with two numbers;
//! 3. messages that were known and then missing: lost if no later read shows them, else the reads are stale;
//! 4. numbers with two messages;
//! 5. messages that were deleted and are alive, and tombstones that nobody asked for;
//! 6. pages that are not what was asked for; late appends; numbers that nobody can hold.
//!
//! Nothing here decides: if no rule matches, the event at which the walk stopped is reported as it is.

mod absence;
mod case;
mod identity;
mod shape;
mod tombstone;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use case::Case;

use super::online::Violation;
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::explain::Scene;
use crate::history::{History, Input, Moment, OperationId, Symbol};
use crate::limits::{Budget, Exceeded};
use crate::verdict::ANOMALIES_MAX;

/// Explains each violation. Returns examples of each kind, and how many anomalies there are.
///
/// If the time is over meanwhile, what was found so far stands, or else the event at which the walk stopped.
pub(super) fn diagnose(
    history: &History,
    violations: &[Violation],
    budget: &mut Budget<'_>,
) -> (Vec<Anomaly>, u64) {
    if violations.is_empty() {
        return (Vec::new(), 0);
    }
    let (sends, cut_short) = match sends(history, budget) {
        Ok(sends) => (sends, false),
        Err(_) => (HashMap::new(), true),
    };
    let (mut anomalies, mut total) = (Vec::new(), 0);
    for violation in violations {
        let before = budget.memory();
        let mut diagnosis = Diagnosis::new(Case::new(history, &sends, violation.key));
        if !cut_short {
            // The verdict stands already, so what cuts this short too is not worth a word.
            let _cut_short = diagnosis.explain(budget);
        }
        if diagnosis.anomalies.is_empty() {
            shape::as_found(&mut diagnosis, violation);
        }
        anomalies.extend(diagnosis.anomalies);
        total += diagnosis.total;
        budget.release(budget.memory().saturating_sub(before));
    }
    (anomalies, total)
}

/// The send of each message. Without all of them nothing can be told, least of all that one is missing.
fn sends(history: &History, budget: &mut Budget<'_>) -> Result<HashMap<Symbol, OperationId>, Exceeded> {
    let mut sends = HashMap::new();
    for (id, operation) in history.ids().zip(history.operations()) {
        budget.step()?;
        if let Input::Send { id: message } = operation.input {
            budget.room_in_map(&mut sends)?;
            sends.entry(message).or_insert(id);
        }
    }
    Ok(sends)
}

/// What has been understood of a conversation so far.
struct Diagnosis<'a> {
    case: Case<'a>,
    /// The messages whose fate is told.
    explained: BTreeSet<Symbol>,
    anomalies: Vec<Anomaly>,
    /// How many anomalies there are, drawn or not.
    total: u64,
    by_kind: BTreeMap<AnomalyKind, usize>,
}

impl<'a> Diagnosis<'a> {
    fn new(case: Case<'a>) -> Self {
        let (explained, by_kind) = (BTreeSet::new(), BTreeMap::new());
        Diagnosis { case, explained, anomalies: Vec::new(), total: 0, by_kind }
    }

    fn explain(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        self.case.take_in(budget)?;
        identity::strangers(self, budget)?;
        identity::two_numbers(self, budget)?;
        let absences = absence::from_pages(self, budget)?;
        let missed = absence::lost(self, &absences, budget)?;
        identity::two_messages(self, budget)?;
        absence::stale(self, &missed, budget)?;
        tombstone::tombstones(self, budget)?;
        shape::pages(self, &missed, budget)?;
        shape::late_appends(self, budget)
    }

    /// Reports a contradiction. It is told only if it is among the first of its kind.
    fn report(&mut self, proof: &Proof, tell: impl FnOnce(&Case<'a>, &Scene<'a>) -> String) {
        self.total += 1;
        let examples = self.by_kind.entry(proof.kind).or_default();
        *examples += 1;
        if *examples > ANOMALIES_MAX {
            return;
        }
        let (history, key) = (self.case.history, self.case.key);
        let mut scene = Scene::with_context(history, key, &proof.operations, &proof.context);
        if let Some((message, seq)) = proof.about {
            scene = scene.about(message, seq);
        }
        let mut anomaly = Anomaly::of_scene(proof.kind, &scene, tell(&self.case, &scene));
        if let Some(suspect) = proof.suspect {
            anomaly = anomaly.with_suspect(self.case.history, suspect);
        }
        self.anomalies.push(match proof.order {
            Some((first, second)) => anomaly.with_margin(first, second),
            None => anomaly,
        });
    }

    /// Whether another anomaly of this kind would be drawn.
    fn is_drawn(&self, kind: AnomalyKind) -> bool {
        self.by_kind.get(&kind).is_none_or(|examples| *examples < ANOMALIES_MAX)
    }

    /// The holders of a number whose fate is not told.
    fn unexplained(&self, holders: &[Symbol]) -> Vec<Symbol> {
        holders.iter().copied().filter(|id| !self.explained.contains(id)).collect()
    }
}

/// What a contradiction rests on.
struct Proof {
    kind: AnomalyKind,
    operations: Vec<OperationId>,
    /// What is spoken of beside.
    context: Vec<OperationId>,
    /// The message that matters, and its number.
    about: Option<(Symbol, u64)>,
    /// Two events, if it matters that the first came before the second.
    order: Option<(Moment, Moment)>,
    /// The operation whose answer cannot be; the last one, if nothing else is said.
    suspect: Option<OperationId>,
}

impl Proof {
    fn of(kind: AnomalyKind, operations: impl IntoIterator<Item = OperationId>) -> Self {
        let (operations, context) = (operations.into_iter().collect(), Vec::new());
        Proof { kind, operations, context, about: None, order: None, suspect: None }
    }

    fn beside(self, context: impl IntoIterator<Item = OperationId>) -> Self {
        Proof { context: self.context.into_iter().chain(context).collect(), ..self }
    }

    fn about(self, message: Symbol, seq: u64) -> Self {
        Proof { about: Some((message, seq)), ..self }
    }

    fn suspect(self, operation: OperationId) -> Self {
        Proof { suspect: Some(operation), ..self }
    }

    fn order(self, first: Moment, second: Moment) -> Self {
        Proof { order: Some((first, second)), ..self }
    }
}

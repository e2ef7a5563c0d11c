//! The account names of a history, each judged by itself.
//!
//! A list of accounts reads many names at one moment. Here it counts as one observation for each name whose place the
//! page covers ([`pages`]). If the history is linearizable, so is what remains of it for each name; the reverse does
//! not hold, because nothing is asked of two names together: two lists that saw two creations in opposite orders are
//! not found.

pub(crate) mod pages;
#[cfg(test)]
mod tests;

use pages::{Names, Page};

use super::keys::{Timed, after, no_order};
use super::objects::{Judged, Objects, judge_all};
use super::{Contradiction, check, check_counted, keys};
use crate::anomaly::{Anomaly, AnomalyKind};
use crate::certificate::{NotIssued, ObjectOrder};
use crate::explain;
use crate::findings::Findings;
use crate::history::{History, Input, Object, Operation, OperationId, Outcome, Symbol};
use crate::limits::{Budget, Exceeded, Limits};
use crate::model::accounts::{self, Account, Initially, Presence, effect};

/// The most lists that are told of those that are wrong by themselves.
const WRONG_PAGES_MAX: usize = 64;

/// Judges all account names of a history.
#[must_use]
pub fn accounts(history: &History, initially: Initially, limits: &Limits<'_>) -> Findings {
    let mut budget = Budget::new(limits);
    let (names, sorted) = match Names::of(history, &mut budget)
        .and_then(|names| Sorted::of(history, &names, &mut budget).map(|sorted| (names, sorted)))
    {
        Ok(sorted) => sorted,
        Err(exceeded) => return Findings::doubt(format!("{exceeded} before any account was judged")),
    };
    let judge = |rank: usize, told: bool| {
        let name = names.name(rank);
        let mut budget = Budget::new(limits);
        let timed = match sorted.about(history, rank, history.text(name), &mut budget) {
            Ok(timed) => timed,
            Err(exceeded) => return Judged::unknown(exceeded),
        };
        let ids = sorted.ids(rank);
        let explain = |contradiction: &Contradiction| {
            Explanation { history, name, initially, ids, timed: &timed }.anomaly(contradiction)
        };
        let outcome = check_counted(&Account { initially }, &timed.operations, told, limits);
        Judged::of(outcome, told, explain, |next| keys::next(history, Some(name), &timed.ids, next))
    };
    let judged = judge_all(names.len(), judge, |rank| history.text(names.name(rank)));
    Findings { keys: 0, ..sorted.findings }.and(judged)
}

/// An order of the operations on each account.
pub(crate) fn account_orders(
    history: &History,
    initially: Initially,
    limits: &Limits<'_>,
) -> Result<Vec<ObjectOrder>, NotIssued> {
    let whole = |why: Exceeded| NotIssued::NoOrder { key: "all accounts".to_owned(), why: why.to_string() };
    let mut budget = Budget::new(limits);
    let names = Names::of(history, &mut budget).map_err(whole)?;
    let sorted = Sorted::of(history, &names, &mut budget).map_err(whole)?;
    let order = |rank: usize| {
        let name = names.name(rank);
        let mut budget = Budget::new(limits);
        let timed = sorted.about(history, rank, history.text(name), &mut budget).map_err(whole)?;
        timed.order(history, Some(name), check(&Account { initially }, &timed.operations, limits))
    };
    (0..names.len()).map(order).collect()
}

/// The operations on accounts: those on one name by the rank of that name, and the lists.
struct Sorted<'h> {
    by_name: Objects,
    /// The object of each name, by its rank; none if there are only lists.
    objects: Vec<Option<usize>>,
    pages: Vec<Page<'h>>,
    /// How many operations there are, and what is wrong with lists by themselves.
    findings: Findings,
}

impl<'h> Sorted<'h> {
    fn of(history: &'h History, names: &Names, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let (mut pages, mut findings, mut nameless) = (Vec::new(), Findings::default(), 0);
        for (id, operation) in history.ids().zip(history.operations()) {
            budget.tick()?;
            if operation.input.object() != Object::Account {
                continue;
            }
            findings.operations += 1;
            if !matches!(operation.input, Input::ListAccounts { .. }) {
                nameless += u64::from(operation.key.is_none());
                continue;
            }
            match names.page(history, id, budget)? {
                Some(Ok(page)) => budget.push(&mut pages, page)?,
                Some(Err(wrong)) => {
                    findings.anomalies_total += 1;
                    if findings.anomalies.len() < WRONG_PAGES_MAX {
                        let mut wrong = wrong();
                        let who = explain::client(history, operation);
                        wrong.sentence = format!("in the answer to {who}, {}", wrong.sentence);
                        findings.anomalies.push(wrong);
                    }
                }
                None => {}
            }
        }
        if nameless > 0 {
            findings.doubts.push(format!("{nameless} operations on accounts do not say on which"));
        }
        let is_on_one = |operation: &Operation| {
            operation.input.object() == Object::Account
                && operation.key.is_some()
                && !matches!(operation.input, Input::ListAccounts { .. })
        };
        let by_name = Objects::of(history, is_on_one, budget)?;
        budget.allocate((names.len() * size_of::<Option<usize>>()) as u64)?;
        let mut objects = vec![None; names.len()];
        for number in 0..by_name.len() {
            budget.tick()?;
            let rank = by_name.get(number).0.and_then(|name| names.rank(name));
            objects[rank.expect("what an operation is about has a rank")] = Some(number);
        }
        Ok(Sorted { by_name, objects, pages, findings })
    }

    /// The operations on one name, lists excepted.
    fn ids(&self, rank: usize) -> &[OperationId] {
        self.objects[rank].map_or(&[], |number| self.by_name.get(number).1)
    }

    /// All that is known about one name.
    fn about(
        &self,
        history: &History,
        rank: usize,
        name: &str,
        budget: &mut Budget<'_>,
    ) -> Result<Timed<Account>, Exceeded> {
        let mut timed = Timed::new();
        for id in self.ids(rank) {
            budget.tick()?;
            if let Some((input, output)) = translate(history, *id) {
                timed.push(history, *id, input, output, budget)?;
            }
        }
        for page in &self.pages {
            budget.step()?;
            if let Some(presence) = page.shows(rank, name) {
                let output = Some(accounts::Output::Seen(presence));
                timed.push(history, page.id, accounts::Input::List, output, budget)?;
            }
        }
        Ok(timed)
    }
}

/// An operation in the words of the model; `None` if it certainly did not happen and proves nothing.
fn translate(history: &History, id: OperationId) -> Option<(accounts::Input, Option<accounts::Output>)> {
    let operation = history.operation(id);
    let input = match operation.input {
        Input::CreateAccount => accounts::Input::Create,
        Input::DeleteAccount => accounts::Input::Delete,
        Input::Login => accounts::Input::Login,
        _ => return None,
    };
    let output = match &operation.outcome {
        Outcome::Info(_) => None,
        Outcome::Ok(_) => Some(accounts::Output::Done),
        Outcome::Fail(error) => {
            let code = error.map_or("", |error| history.text(error)).split(':').next().unwrap_or_default();
            Some(accounts::Output::Seen(match (input, code) {
                (accounts::Input::Create, "exists" | "already-exists") => Presence::Present,
                (accounts::Input::Delete | accounts::Input::Login, "not-found") => Presence::Absent,
                _ => return None,
            }))
        }
    };
    Some((input, output))
}

/// What is needed to tell a person about a name that is not linearizable.
struct Explanation<'a> {
    history: &'a History,
    name: Symbol,
    initially: Initially,
    /// All operations on this name, lists excepted.
    ids: &'a [OperationId],
    timed: &'a Timed<Account>,
}

impl Explanation<'_> {
    fn anomaly(&self, contradiction: &Contradiction) -> Anomaly {
        let shown = self.timed.shown(contradiction);
        let (kind, context, sentence) = self.sharper(contradiction).unwrap_or_else(|| {
            let sentence = no_order(self.history, Some(self.name), &self.timed.ids, contradiction);
            (AnomalyKind::NotLinearizable, Vec::new(), sentence)
        });
        let anomaly = keys::anomaly(kind, self.history, Some(self.name), &shown, &context, sentence);
        let model = Account { initially: self.initially };
        keys::with_reasons(anomaly, self.history, &model, self.timed, contradiction)
    }

    /// The kind, the operations worth showing beside, and the sentence, if the contradiction has a known shape: one
    /// operation proves a state, the next one another, and nothing changed it.
    fn sharper(&self, contradiction: &Contradiction) -> Option<(AnomalyKind, Vec<OperationId>, String)> {
        let blocked = contradiction.blocked;
        if contradiction.operations == [blocked] {
            return self.never_created(blocked);
        }
        let others = contradiction.operations.iter().copied().filter(|operation| *operation != blocked);
        let other = self.before(blocked, &others.clone().collect::<Vec<usize>>())?;
        let (needed, left) = self.effect(blocked);
        let needed = needed?;
        let (ids, name) = (&self.timed.ids, self.history.text(self.name));
        let order = after(self.history, Some(self.name), ids[other], ids[blocked]);
        if self.timed.operations[blocked].input == accounts::Input::Create && left.is_some() {
            let sentence = order.map_or_else(
                || {
                    let (one, two) = (keys::name(self.history, Some(self.name), ids[other]), keys::name(self.history, Some(self.name), ids[blocked]));
                    format!("`{name}` was created while it existed: {one} and {two} overlap, and nobody deleted it")
                },
                |order| format!("`{name}` was created while it existed: {order}, and nobody deleted it in between"),
            );
            return Some((AnomalyKind::DuplicateCreate, Vec::new(), sentence));
        }
        let order = order?;
        let failed = self.failed_creates(self.timed.operations[other].invoked, blocked);
        if needed == Presence::Present && !failed.is_empty() {
            let sentence = format!("{order}, and in between creating `{name}` had only failed");
            return Some((AnomalyKind::AbortedRead, failed, sentence));
        }
        let changed = if needed == Presence::Present { "created" } else { "deleted" };
        let kind = match left {
            Some(_) => AnomalyKind::NotLinearizable,
            None if needed == Presence::Present && !self.was_there(other) => AnomalyKind::Phantom,
            None if needed == Presence::Present && self.is_gone_for_good(blocked, needed) => {
                AnomalyKind::Resurrected
            }
            None if self.is_gone_for_good(blocked, needed) => AnomalyKind::Lost,
            None => AnomalyKind::StaleRead,
        };
        let sentence = match others.count() {
            1 => format!("{order}, and nobody {changed} `{name}` in between"),
            count => format!("{order}, and after these {count} operations nobody {changed} `{name}`"),
        };
        Some((kind, Vec::new(), sentence))
    }

    /// Of the `others` in a contradiction the one to tell `blocked` by: the only one, or, if all were over when it began,
    /// the last of them.
    fn before(&self, blocked: usize, others: &[usize]) -> Option<usize> {
        if let [other] = others {
            return Some(*other);
        }
        let began = self.timed.operations[blocked].invoked;
        let ended = |other: &usize| self.timed.operations[*other].returned.filter(|end| *end < began);
        if others.iter().any(|other| ended(other).is_none()) {
            return None;
        }
        others.iter().copied().max_by_key(ended)
    }

    /// Whether the name was there before an operation completed, or may have been.
    fn was_there(&self, operation: usize) -> bool {
        let end = self.timed.operations[operation].returned.unwrap_or(u32::MAX);
        (0..self.timed.operations.len()).any(|position| {
            let (needed, left) = self.effect(position);
            self.timed.operations[position].invoked < end
                && (needed == Some(Presence::Present) || left == Some(Presence::Present))
        })
    }

    fn effect(&self, position: usize) -> (Option<Presence>, Option<Presence>) {
        let operation = &self.timed.operations[position];
        effect(operation.input, operation.output)
    }

    /// The same of one operation that found a name which nobody has created, when it is known that none was there.
    fn never_created(&self, found: usize) -> Option<(AnomalyKind, Vec<OperationId>, String)> {
        (self.effect(found).0 == Some(Presence::Present)).then(|| {
            let (operation, name) = (self.timed.ids[found], self.history.text(self.name));
            let found_it = format!("{} found `{name}`", keys::name(self.history, Some(self.name), operation));
            let failed = self.failed_creates(0, found);
            match failed.is_empty() {
                true => (AnomalyKind::Phantom, failed, format!("{found_it}, which nobody had created")),
                false => {
                    (AnomalyKind::AbortedRead, failed, format!("{found_it}, but creating it had only failed"))
                }
            }
        })
    }

    /// A few creations that certainly did not happen, and that may have been under way since the place `begin`.
    fn failed_creates(&self, begin: u32, last: usize) -> Vec<OperationId> {
        let end = self.timed.operations[last].returned;
        let is_failed = |id: &OperationId| {
            let operation = self.history.operation(*id);
            operation.input == Input::CreateAccount
                && matches!(operation.outcome, Outcome::Fail(_))
                && operation.completed.is_some_and(|completed| completed.index > begin)
                && end.is_none_or(|end| operation.invoked.index < end)
        };
        self.ids
            .iter()
            .copied()
            .filter(is_failed)
            .filter(|id| translate(self.history, *id).is_none())
            .take(2)
            .collect()
    }

    /// Whether everything after an observation agrees with it, until somebody may have changed the state.
    fn is_gone_for_good(&self, observation: usize, seen: Presence) -> bool {
        let end = self.timed.operations[observation].returned;
        let mut later: Vec<usize> = (0..self.timed.operations.len())
            .filter(|position| end.is_some_and(|end| self.timed.operations[*position].invoked > end))
            .collect();
        later.sort_unstable_by_key(|position| self.timed.operations[*position].invoked);
        for position in later {
            match self.effect(position) {
                (Some(needed), _) if needed != seen => return false,
                (_, Some(_)) => return true,
                (_, None) => {}
            }
        }
        true
    }
}

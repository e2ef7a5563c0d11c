//! The checks by name, and which decider answers for what.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::evidence::Evidence;
use crate::explain;
use crate::findings::Findings;
use crate::fitting::{self, Choice, ModelName};
use crate::history::{History, Object};
use crate::limits::{Limits, Pool};
use crate::model::accounts::Initially;
use crate::model::register::Semantics;
use crate::verdict::CheckResult;
use crate::{convergence, delivery, durability, log, raft_trace, search, session, stale};

/// A property that can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckName {
    /// Every operation seems to take effect at one point between its invocation and its completion.
    Linearizable,
    /// What was acknowledged is still there at the end.
    Durable,
    /// A term has at most one leader, and a node votes once in it.
    OneLeaderPerTerm,
    /// The logs of the nodes match, and nothing that is durable or committed goes.
    RaftLog,
    /// All nodes arrive at the same state.
    Convergence,
    /// A subscription delivers every message of its inbox, once and in order.
    Delivery,
    /// What a client did and saw itself stays done and seen.
    Sessions,
    /// A read that may be late shows a prefix of the log, and no node goes back.
    StaleReads,
}

impl CheckName {
    /// All the checks there are.
    pub const ALL: [CheckName; 8] = [
        CheckName::Linearizable,
        CheckName::Durable,
        CheckName::OneLeaderPerTerm,
        CheckName::RaftLog,
        CheckName::Convergence,
        CheckName::Delivery,
        CheckName::Sessions,
        CheckName::StaleReads,
    ];

    /// The name in scenarios and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CheckName::Linearizable => "linearizable",
            CheckName::Durable => "durable",
            CheckName::OneLeaderPerTerm => "one-leader-per-term",
            CheckName::RaftLog => "raft-log",
            CheckName::Convergence => "convergence",
            CheckName::Delivery => "delivery",
            CheckName::Sessions => "sessions",
            CheckName::StaleReads => "stale-reads",
        }
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no check's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown check `{0}`; there are {names}", names = names())]
pub struct UnknownCheck(pub String);

fn names() -> String {
    explain::list(&CheckName::ALL.map(CheckName::name))
}

impl FromStr for CheckName {
    type Err = UnknownCheck;

    fn from_str(name: &str) -> Result<Self, UnknownCheck> {
        CheckName::ALL
            .into_iter()
            .find(|check| check.name() == name)
            .ok_or_else(|| UnknownCheck(name.to_owned()))
    }
}

/// How a history is read where histories differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The model that all operations must fit. `None` takes operations of a chat by their names, and guesses a model for
    /// all others.
    pub model: Option<ModelName>,
    /// What answers mean that may mean several things.
    pub semantics: Semantics,
}

/// Judges the evidence by each of the checks, each within the limits. The results are in the order of the names.
#[must_use]
pub fn check(evidence: &Evidence, names: &[CheckName], limits: &Limits<'_>) -> Vec<CheckResult> {
    names.iter().map(|name| check_one(evidence, *name, limits)).collect()
}

/// Judges the evidence by one check, on the threads of the rayon pool that the caller is in.
#[must_use]
pub fn check_one(evidence: &Evidence, name: CheckName, limits: &Limits<'_>) -> CheckResult {
    check_with(evidence, name, &Options::default(), limits)
}

/// [`check_one`], with the history read in another way.
#[must_use]
pub fn check_with(
    evidence: &Evidence,
    name: CheckName,
    options: &Options,
    limits: &Limits<'_>,
) -> CheckResult {
    let pool = Pool::default();
    let limits = &limits.pooled(&pool);
    match name {
        CheckName::Linearizable => linearizable(&evidence.history, options, limits),
        CheckName::Durable => durability::check(&evidence.history, limits),
        CheckName::OneLeaderPerTerm => raft_trace::elections(evidence, limits).into_result(name),
        CheckName::RaftLog => raft_trace::log(evidence, limits).into_result(name),
        CheckName::Convergence => convergence::check(evidence, limits)
            .and(raft_trace::agreement(evidence, limits))
            .into_result(name),
        CheckName::Delivery => delivery::check(&evidence.history, limits),
        CheckName::Sessions => session::check(evidence, limits),
        CheckName::StaleReads => stale::check(evidence, limits),
    }
}

/// Each kind of object has a decider of its own; because linearizability is local (Herlihy and Wing, 1990), the
/// whole is linearizable exactly if each object is.
fn linearizable(history: &History, options: &Options, limits: &Limits<'_>) -> CheckResult {
    let choice = match fitting::choose(history, options.model, limits) {
        Ok(choice) => choice,
        Err(misfit) => return Findings::doubt(misfit.to_string()).into_result(CheckName::Linearizable),
    };
    let initially = if history.is_initially_empty() { Initially::Absent } else { Initially::Unknown };
    let (conversations, (accounts, others)) = rayon::join(
        || log::check(history, limits),
        || {
            rayon::join(
                || search::accounts(history, initially, limits),
                || general(history, &choice, options.semantics, limits),
            )
        },
    );
    conversations.and(accounts).and(others).into_result(CheckName::Linearizable)
}

/// Everything that is not about a chat, by the model that was chosen; registers by their own.
fn general(history: &History, choice: &Choice, semantics: Semantics, limits: &Limits<'_>) -> Findings {
    let chosen = choice
        .model
        .and_then(|model| search::general(history, model, semantics, fitting::is_general, limits));
    chosen.unwrap_or_else(|| search::register(history, semantics, limits).and(unknown_operations(history)))
}

/// The operations that no decider answers for: they must not pass in silence.
fn unknown_operations(history: &History) -> Findings {
    let unknown = history
        .operations()
        .iter()
        .filter(|operation| matches!(operation.input.object(), Object::General | Object::Unknown));
    let names: BTreeSet<&str> = unknown.map(|operation| history.f(operation)).collect();
    let doubts = names.into_iter().map(|name| format!("no model knows the operation `{name}`")).collect();
    Findings { doubts, ..Findings::default() }
}

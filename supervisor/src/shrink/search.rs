//! The search for a smaller plan, without any run: candidates come out, answers go in.
//!
//! 1. The whole plan, which must fail before anything is taken from it.
//! 2. Fewer strikes, by delta debugging.
//! 3. A shorter load: first to a little after the failure as it was seen, then to the end of the last strike that is
//!    needed, then by bisection between the two.
//! 4. Fewer clients, then fewer keys, by bisection; one of each is tried first.
//! 5. Fewer nodes: the next smaller odd number, as long as that fails and every node is there that the plan names.
//!
//! A strike that is kept draws what it drew before, because its generator is a fork of its name. Of every candidate
//! `reach` is taken away: it says when a run was interesting, and a smaller plan is interesting by its failure alone.
//!
//! # Caveats
//! Each of the steps is taken once. With a flaky failure, or one that needs, say, fewer clients before a strike can be
//! spared, a second search from the smaller plan may find a still smaller one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_yaml::Value;

use super::bisect::Bisect;
use super::ddmin::Ddmin;
use crate::scenario::plan::{Plan, Strike};
use crate::scenario::unit::Time;

/// The shortest load that is tried, and the grain of the others.
const LOAD_GRAIN_MS: u64 = 100;

/// How much longer than until the failure the load goes on in the first shorter candidate, beside half of that time:
/// the next time it may come later.
const LOAD_MARGIN: Duration = Duration::from_millis(500);

/// How many times more often the whole plan is tried than a candidate, before the search gives up.
pub(super) const WHOLE_FACTOR: u32 = 3;

/// A plan to be tried.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) plan: Plan,
    /// What it is, in a few words: `1 client`.
    pub(super) what: String,
    /// How often to try it, at most.
    pub(super) tries: u32,
}

/// What came of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// It failed, at least once.
    pub(super) failed: bool,
    /// If so: when, from the end of the warm-up, if that is known.
    pub(super) after: Option<Duration>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Search {
    /// The smallest plan that failed; before the first answer, the one that should.
    best: Plan,
    tries: u32,
    stage: Stage,
    open: Option<Candidate>,
    /// The hashes of the plans that did not fail.
    innocent: BTreeSet<String>,
    /// When the best plan failed.
    after: Option<Duration>,
}

/// What is being made smaller.
#[derive(Debug)]
enum Stage {
    Whole,
    /// The strikes, with those that the plan had when this began.
    Strikes(Ddmin, Vec<Strike>),
    /// The load, in milliseconds.
    Load(Bisect),
    Clients(Bisect),
    Keys(Bisect),
    Nodes,
    Done,
}

impl Search {
    /// The search for a smaller plan than `plan`, with at most `tries` tries of each candidate.
    pub(super) fn new(plan: &Plan, tries: u32) -> Self {
        let mut best = plan.clone();
        best.reach.clear();
        Self { best, tries, stage: Stage::Whole, open: None, innocent: BTreeSet::new(), after: None }
    }

    /// The smallest plan so far. It has failed once the whole plan has.
    #[cfg(test)]
    pub(super) fn best(&self) -> &Plan {
        &self.best
    }

    /// The next plan to try; the same until it is answered. None when nothing is left to try.
    pub(super) fn next(&mut self) -> Option<Candidate> {
        while self.open.is_none() {
            if matches!(self.stage, Stage::Done) {
                return None;
            }
            match self.propose() {
                None => self.advance(),
                Some(candidate) if self.is_worth_a_try(&candidate) => self.open = Some(candidate),
                Some(_) => self.learn(false),
            }
        }
        self.open.clone()
    }

    /// Takes in what came of the candidate.
    pub(super) fn answer(&mut self, answer: Answer) {
        let Some(candidate) = self.open.take() else { return };
        if answer.failed {
            self.best = candidate.plan;
            self.after = answer.after;
        } else {
            self.innocent.insert(candidate.plan.hash());
        }
        self.learn(answer.failed);
    }

    /// It can be run, and is none that has been tried in vain.
    fn is_worth_a_try(&self, candidate: &Candidate) -> bool {
        let is_new = matches!(self.stage, Stage::Whole) || candidate.plan != self.best;
        is_new
            && candidate.plan.broken_invariant().is_none()
            && !self.innocent.contains(&candidate.plan.hash())
    }

    fn propose(&self) -> Option<Candidate> {
        let (mut plan, mut tries) = (self.best.clone(), self.tries);
        let what = match &self.stage {
            Stage::Whole => {
                tries = tries.saturating_mul(WHOLE_FACTOR);
                "the whole plan".to_owned()
            }
            Stage::Strikes(ddmin, all) => {
                let kept = ddmin.candidate()?;
                plan.strikes = kept.iter().map(|index| all[*index].clone()).collect();
                describe_strikes(&plan.strikes, self.best.strikes.len())
            }
            Stage::Load(bisect) => {
                plan.run.duration = Duration::from_millis(bisect.candidate()?);
                format!("a load of {}", Time(plan.run.duration))
            }
            Stage::Clients(bisect) => {
                plan.workload.clients = count(bisect.candidate()?);
                many(plan.workload.clients, "client")
            }
            Stage::Keys(bisect) => {
                plan.workload.keys = count(bisect.candidate()?);
                many(plan.workload.keys, "key")
            }
            Stage::Nodes => {
                plan.cluster.nodes = fewer_nodes(&plan)?;
                many(u32::from(plan.cluster.nodes), "node")
            }
            Stage::Done => return None,
        };
        Some(Candidate { plan, what, tries })
    }

    fn learn(&mut self, failed: bool) {
        let guess = self.load_guess();
        match &mut self.stage {
            Stage::Strikes(ddmin, _) => ddmin.learn(failed),
            Stage::Load(bisect) => {
                let floor = load_floor_ms(&self.best.strikes);
                let floor = (bisect.low() < floor).then_some(floor);
                bisect.learn(failed, floor.or(guess.filter(|_| failed)));
            }
            Stage::Clients(bisect) | Stage::Keys(bisect) => bisect.learn(failed, None),
            Stage::Whole if failed => self.advance(),
            Stage::Nodes if failed => {}
            Stage::Whole | Stage::Nodes | Stage::Done => self.stage = Stage::Done,
        }
    }

    /// Goes on to what is made smaller next.
    fn advance(&mut self) {
        let one_of = |number: u32| Bisect::new(0, u64::from(number), 1, Some(1));
        self.stage = match self.stage {
            Stage::Whole => Stage::Strikes(Ddmin::new(self.best.strikes.len()), self.best.strikes.clone()),
            Stage::Strikes(..) => {
                let floor = load_floor_ms(&self.best.strikes);
                let high = millis(self.best.run.duration);
                let guess = self.load_guess().map(|guess| guess.max(floor)).filter(|guess| *guess < high);
                Stage::Load(Bisect::new(floor - 1, high, LOAD_GRAIN_MS, guess.or(Some(floor))))
            }
            Stage::Load(_) => Stage::Clients(one_of(self.best.workload.clients)),
            Stage::Clients(_) => Stage::Keys(one_of(self.best.workload.keys)),
            Stage::Keys(_) => Stage::Nodes,
            Stage::Nodes | Stage::Done => Stage::Done,
        };
    }

    /// A load that should be long enough for the failure to be seen again, in milliseconds.
    fn load_guess(&self) -> Option<u64> {
        self.after.map(|after| millis(after + after / 2 + LOAD_MARGIN).next_multiple_of(LOAD_GRAIN_MS))
    }
}

/// The shortest load in which every strike strikes and is lifted.
fn load_floor_ms(strikes: &[Strike]) -> u64 {
    let end = |strike: &Strike| strike.at + strike.lasts.unwrap_or_default();
    let last = strikes.iter().map(end).max().unwrap_or_default();
    millis(last).next_multiple_of(LOAD_GRAIN_MS) + LOAD_GRAIN_MS
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn count(number: u64) -> u32 {
    u32::try_from(number).expect("a candidate is less than a number of 32 bits")
}

fn many(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `no strikes`, `2 of 4 strikes: kill#1, pause#2`.
fn describe_strikes(strikes: &[Strike], of: usize) -> String {
    /// More names than this are not read.
    const NAMED_MAX: usize = 3;
    let names: Vec<&str> = strikes.iter().take(NAMED_MAX).map(|strike| strike.name.as_str()).collect();
    match strikes.len() {
        0 => "no strikes".to_owned(),
        number => {
            let more = if number > NAMED_MAX { ", …" } else { "" };
            format!("{number} of {of} strikes: {}{more}", names.join(", "))
        }
    }
}

/// The next smaller odd number of nodes, if there is one and the plan names no node beyond it.
fn fewer_nodes(plan: &Plan) -> Option<u8> {
    let nodes = plan.cluster.nodes.checked_sub(1)?;
    let fewer = if nodes.is_multiple_of(2) { nodes.checked_sub(1)? } else { nodes };
    (fewer > 0 && highest_node(plan) <= u32::from(fewer)).then_some(fewer)
}

/// The highest number of a node that the plan names anywhere, 0 if it names none. Whatever looks like the name of a node
/// counts as one: it is better to leave the nodes alone than to take away one that a fault means.
fn highest_node(plan: &Plan) -> u32 {
    let value = serde_yaml::to_value(plan).expect("a plan has string keys and no failing serialiser");
    let Value::Mapping(fields) = value else { return 0 };
    let about = ["name", "source", "overrides", "description", "tags"];
    let does = fields.iter().filter(|(field, _)| !field.as_str().is_some_and(|field| about.contains(&field)));
    does.map(|(_, value)| highest_in(value)).max().unwrap_or(0)
}

fn highest_in(value: &Value) -> u32 {
    match value {
        Value::String(text) => {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.filter_map(|word| word.strip_prefix('n')?.parse().ok()).max().unwrap_or(0)
        }
        Value::Sequence(items) => items.iter().map(highest_in).max().unwrap_or(0),
        Value::Mapping(fields) => {
            fields.iter().map(|(key, value)| highest_in(key).max(highest_in(value))).max().unwrap_or(0)
        }
        Value::Tagged(tagged) => highest_in(&tagged.value),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests;

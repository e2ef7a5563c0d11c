//! Random faults: what `nemesis:` says, drawn into strikes.
//!
//! A walk over the time of the load. Every `interval` a fault begins: a kind is drawn by weight, then a template of that
//! kind by weight, then its ranges and its length. Only what fits is in the draw:
//!
//! - it is lifted before the quiet time at the end of the load begins;
//! - at most `max-active` random faults stand at once;
//! - where the majority is kept, the worst cases of all faults that stand at once, timed ones included, add up to no more
//!   than [`may_fail`](crate::quorum::may_fail), whatever has become of the members ([`standing`]). A node that was started again counts as out
//!   for a while ([`toll`]);
//! - one change of members runs at a time, each finds its spare, and a node leaves only after one was added;
//! - a disk is damaged at most once.
//!
//! When nothing fits, the fault waits until something is lifted. Where the majority is to be broken, the first fault and
//! every second one of the others, as drawn, leaves no majority.
//!
//! *Swarm testing* (Groce et al., ISSTA 2012): a mix of everything hides the bugs that show only where something does
//! not happen: a cluster whose leader is killed every few seconds never gets far behind. So each seed leaves each kind out
//! with probability 1/2, and weighs the others anew. At least one stays; where the majority is to be broken, one that can.
//!
//! Every draw has a fork of its own, `nemesis/…`, so nothing else of the plan depends on it.
//!
//! # Caveats
//! A timed fault that takes a majority away does so whatever is said here; no random fault that takes a node out stands
//! beside it. Whether a node is back in time is up to the node: [`toll`] says how long it is given.

mod kind;
mod menu;
mod standing;
mod toll;

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;

use super::{STRIKES_MAX, Strike};
use crate::rng::Rng;
use crate::scenario::drawn::{Draw, Drawn};
use crate::scenario::file::{Majority, NemesisSection};
use crate::scenario::verb::{End, FaultKind};
use crate::scenario::word::Word;

pub(in crate::scenario) use menu::{Menu, Template};
use standing::{Burden, Standing, Stands};

/// How many faults stand at once, where nothing is said.
const MAX_ACTIVE_DEFAULT: u64 = 1;

/// The greatest factor by which a seed multiplies a weight.
const FACTOR_MAX: u32 = 8;

/// Lifting takes a moment: a fault that waited for another to be lifted begins so much later.
const GAP: Duration = Duration::from_millis(100);

/// Random faults as a seed chose them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Swarm {
    /// The kinds that stayed, with their weights.
    pub(super) weights: BTreeMap<FaultKind, u32>,
    /// The strikes, in order.
    pub(super) strikes: Vec<Strike>,
}

/// The most faults that can begin in a load of `duration`.
pub(in crate::scenario) fn strikes_max(said: &NemesisSection, duration: Duration) -> usize {
    let start = said.start.map_or(Duration::ZERO, |start| start.min);
    let quiet = said.quiet.map_or(Duration::ZERO, |quiet| quiet.min);
    let room = duration.saturating_sub(start + quiet).as_nanos();
    usize::try_from(room / said.interval.value.min.as_nanos().max(1)).unwrap_or(usize::MAX)
}

/// Draws the random faults of a load of `duration`, beside the timed strikes of the same plan.
pub(super) fn draw(
    said: &NemesisSection,
    menu: &Menu,
    duration: Duration,
    timed_strikes: &[Strike],
    rng: &Rng,
) -> Swarm {
    let weights = weights(said, menu, rng);
    let time = |said: Option<Drawn<Duration>>, name| draw_from(rng, name, said).unwrap_or_default();
    let mut standing = Standing::new(menu.nodes, menu.spares_left);
    timed_strikes.iter().for_each(|strike| standing.push(timed(strike, menu, duration)));
    let mut walk = Walk {
        said,
        menu,
        weights: &weights,
        rng,
        end: duration.saturating_sub(time(said.quiet, "quiet")),
        standing,
        strikes: Vec::new(),
    };
    let mut at = time(said.start, "start");
    for number in 1..=STRIKES_MAX.saturating_sub(timed_strikes.len()) {
        at += said.interval.value.draw(&mut fork(rng, &format!("interval#{number}")));
        let Some(begun) = walk.strike(at, number) else { break };
        at = begun;
    }
    let strikes = walk.strikes;
    Swarm { weights, strikes }
}

fn fork(rng: &Rng, name: &str) -> Rng {
    rng.fork(&format!("nemesis/{name}"))
}

fn draw_from<T: Draw>(rng: &Rng, name: &str, range: Option<Drawn<T>>) -> Option<T> {
    range.map(|range| range.draw(&mut fork(rng, name)))
}

/// The kinds that this seed has, with their weights.
fn weights(said: &NemesisSection, menu: &Menu, rng: &Rng) -> BTreeMap<FaultKind, u32> {
    let all: Vec<(FaultKind, u32)> = said.kinds.iter().map(|(kind, weight)| (*kind, weight.value)).collect();
    if said.swarm == Some(false) {
        return all.into_iter().collect();
    }
    let anew = |(kind, weight): (FaultKind, u32)| {
        let factor = fork(rng, &format!("factor/{}", kind.word())).random_range(1..=FACTOR_MAX);
        (kind, weight * factor)
    };
    let stays = |kind: FaultKind| fork(rng, &format!("swarm/{}", kind.word())).random();
    let mut kept: BTreeMap<FaultKind, u32> =
        all.iter().copied().filter(|(kind, _)| stays(*kind)).map(anew).collect();
    // One of these must stay.
    let is_wanted =
        |kind: FaultKind| said.majority.value != Majority::Break || menu.of(kind).any(|one| menu.breaks(one));
    if !kept.keys().any(|kind| is_wanted(*kind)) {
        let wanted: Vec<(FaultKind, u32)> = all.into_iter().filter(|(kind, _)| is_wanted(*kind)).collect();
        let mut rng = fork(rng, "last");
        kept.extend((!wanted.is_empty()).then(|| anew(wanted[rng.random_range(0..wanted.len())])));
    }
    kept
}

/// One of `all`, each as likely as its weight says; `None` where nothing has any.
fn choose<T>(all: impl IntoIterator<Item = (T, u32)>, mut rng: Rng) -> Option<T> {
    let all: Vec<(T, u32)> = all.into_iter().collect();
    let sum: u64 = all.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut left = (sum > 0).then(|| rng.random_range(0..sum))?;
    all.into_iter().find_map(|(one, weight)| match left.checked_sub(u64::from(weight)) {
        Some(rest) => {
            left = rest;
            None
        }
        None => Some(one),
    })
}

/// A timed strike, as the walk sees it.
fn timed(strike: &Strike, menu: &Menu, duration: Duration) -> Stands {
    let burden = Burden::of(&strike.verb, menu.nodes + menu.spares);
    let until = match (strike.lasts, strike.verb.end()) {
        (Some(lasts), _) => strike.at + lasts,
        (None, End::AtHeal) => duration,
        (None, End::Itself) => strike.at + burden.own_length,
    };
    Stands::new(burden, strike.at, until, true)
}

/// The state of the draw.
struct Walk<'a> {
    said: &'a NemesisSection,
    menu: &'a Menu,
    weights: &'a BTreeMap<FaultKind, u32>,
    rng: &'a Rng,
    /// When the last fault must be lifted.
    end: Duration,
    standing: Standing,
    strikes: Vec<Strike>,
}

impl<'a> Walk<'a> {
    /// Plans the fault of this number at `at` or as soon after as one fits, and answers when; `None`: none fits any more.
    fn strike(&mut self, mut at: Duration, number: usize) -> Option<Duration> {
        while at < self.end {
            if let Some((kind, template)) = self.choose(at, number) {
                self.plan(kind, template, at, number);
                return Some(at);
            }
            at = self.standing.next_change(at)?;
        }
        None
    }

    /// The template of the fault that begins at `at`.
    fn choose(&self, at: Duration, number: usize) -> Option<(FaultKind, &'a Template)> {
        let menu = self.menu;
        if self.standing.random_at(at) as u64 >= self.said.max_active.unwrap_or(MAX_ACTIVE_DEFAULT) {
            return None;
        }
        let is_breaking = self.said.majority.value == Majority::Break
            && (number == 1 || fork(self.rng, &format!("break#{number}")).random());
        let fitting = |must_break: bool| {
            let fits = move |one: &&Template| self.fits(one, at) && (!must_break || menu.breaks(one));
            let kinds = self.weights.iter();
            let kinds = kinds.map(|(kind, weight)| (*kind, *weight, menu.of(*kind).filter(fits)));
            kinds
                .map(|(kind, weight, fitting)| (kind, weight, fitting.collect::<Vec<_>>()))
                .filter(|(.., fitting)| !fitting.is_empty())
                .collect::<Vec<_>>()
        };
        let mut kinds = fitting(is_breaking);
        if kinds.is_empty() && is_breaking && number > 1 {
            kinds = fitting(false);
        }
        let weighed = kinds.into_iter().map(|(kind, weight, fitting)| ((kind, fitting), weight));
        let (kind, fitting) = choose(weighed, fork(self.rng, &format!("kind#{number}")))?;
        let weighed = fitting.into_iter().map(|one| (one, one.weight));
        let template = choose(weighed, fork(self.rng, &format!("template#{number}")))?;
        Some((kind, template))
    }

    /// Whether a fault of this template may begin at `at`.
    fn fits(&self, template: &Template, at: Duration) -> bool {
        if at + template.shortest() > self.end {
            return false;
        }
        let longest = template.longest().min(self.end - at);
        let new = Stands::new(template.burden, at, at + longest, false);
        self.standing.allows(&new)
            && (self.said.majority.value != Majority::Keep || self.standing.keeps_majority(&new))
    }

    fn plan(&mut self, kind: FaultKind, template: &Template, at: Duration, number: usize) {
        let (said, burden) = (template.verb.clone(), template.burden);
        let room = self.end - at;
        let lasts = template.lasts.map(|Drawn { min, max }| {
            Drawn { min, max: max.min(room) }.draw(&mut fork(self.rng, &format!("lasts#{number}")))
        });
        let verb = said.draw(&fork(self.rng, &format!("verb#{number}")));
        let fault = format!("nemesis-{}", kind.word());
        let earlier = self.strikes.iter().filter(|strike| strike.fault == fault).count();
        let until = at + lasts.unwrap_or(burden.own_length);
        self.standing.push(Stands::new(burden, at, until, false));
        self.strikes.push(Strike { name: format!("{fault}#{}", earlier + 1), fault, at, lasts, verb });
    }
}

#[cfg(test)]
mod tests;

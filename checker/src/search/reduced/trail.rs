//! How a configuration came to be: which operations were used, in which order. From that, an order of all.

use std::collections::VecDeque;

use super::configuration::Configuration;
use super::frontier::Frontier;
use super::plan::Event;
use super::{Kind, Machine};
use crate::limits::{Budget, Exceeded};

/// What was used, or where a trail begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Used {
    /// Nothing yet: the trail begins in this state.
    Begin(u32),
    /// The operation of a step.
    Step(u32),
    /// Some operation of a class.
    Class(u32),
}

/// An operation that was used at the event with this number.
#[derive(Debug, Clone, Copy)]
struct Entry {
    before: u32,
    event: u32,
    used: Used,
}

/// The trails of all configurations: a tree, because configurations share their beginnings.
#[derive(Debug, Default)]
pub(super) struct Trail {
    entries: Vec<Entry>,
}

/// What an entry takes at most, in bytes, in a vector that grows.
pub(super) const BYTES_EACH: u64 = 2 * size_of::<Entry>() as u64;

impl Trail {
    /// The trail that goes on with an operation used at an event.
    pub(super) fn on(&mut self, before: u32, event: usize, used: Used) -> u32 {
        let number = u32::try_from(self.entries.len()).expect("memory ends before 2^32 entries");
        let event = u32::try_from(event).expect("events are counted in a u32");
        self.entries.push(Entry { before, event, used });
        number
    }

    /// The trail that begins in a state.
    pub(super) fn begin(&mut self, state: u32) -> u32 {
        self.on(0, 0, Used::Begin(state))
    }

    /// The state in which a trail begins, and what was used at which event.
    fn forwards(&self, trail: u32, budget: &mut Budget<'_>) -> Result<(u32, Vec<(usize, Used)>), Exceeded> {
        let mut used = Vec::new();
        let mut at = self.entries[trail as usize];
        loop {
            budget.tick()?;
            if let Used::Begin(state) = at.used {
                used.reverse();
                return Ok((state, used));
            }
            budget.push(&mut used, (at.event as usize, at.used))?;
            at = self.entries[at.before as usize];
        }
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// The order that led to a configuration behind the last event: what was used, and what was covered at its first chance.
pub(super) fn order<M: Machine, const W: usize>(
    frontier: &mut Frontier<'_, '_, '_, M, W>,
    configuration: &Configuration<W>,
) -> Result<Vec<usize>, Exceeded> {
    let (initial, used) = frontier.trail.forwards(configuration.trail, frontier.budget)?;
    let each = size_of::<bool>() + 2 * size_of::<u32>() + size_of::<usize>();
    frontier.budget.allocate((frontier.plan.steps.len() * each) as u64)?;
    let mut replay = Replay::new(frontier, initial, &used);
    let mut used = used.into_iter().peekable();
    for number in 0..replay.frontier.plan.events.len() {
        while let Some((_, next)) = used.next_if(|(event, _)| *event == number) {
            replay.use_next(next)?;
        }
        match replay.frontier.plan.events[number] {
            Event::Called(step) => replay.called(step)?,
            Event::Lost(step) => {
                let class = replay.frontier.plan.steps[step as usize].slot;
                replay.lost[class as usize].push_back(step);
            }
            Event::Returned(step) => replay.returned(step),
        }
    }
    Ok(replay.order)
}

struct Replay<'r, 'm, 'b, 'l, M: Machine, const W: usize> {
    frontier: &'r mut Frontier<'m, 'b, 'l, M, W>,
    state: u32,
    /// By step: whether it is used, so that it is not also covered.
    is_used: Vec<bool>,
    /// Those pending that wait to be covered.
    waiting: Vec<u32>,
    /// By class: the steps that were lost and not used, the first one first.
    lost: Vec<VecDeque<u32>>,
    order: Vec<usize>,
}

impl<'r, 'm, 'b, 'l, M: Machine, const W: usize> Replay<'r, 'm, 'b, 'l, M, W> {
    fn new(frontier: &'r mut Frontier<'m, 'b, 'l, M, W>, initial: u32, used: &[(usize, Used)]) -> Self {
        let mut is_used = vec![false; frontier.plan.steps.len()];
        for (_, used) in used {
            if let Used::Step(step) = used {
                is_used[*step as usize] = true;
            }
        }
        let lost = vec![VecDeque::new(); frontier.plan.classes.len()];
        let order = Vec::with_capacity(is_used.len());
        Replay { frontier, state: initial, is_used, waiting: Vec::new(), lost, order }
    }

    fn called(&mut self, step: u32) -> Result<(), Exceeded> {
        if self.frontier.plan.steps[step as usize].is_required && !self.is_used[step as usize] {
            self.waiting.push(step);
            self.cover_idle()?;
        }
        Ok(())
    }

    fn returned(&mut self, step: u32) {
        debug_assert!(!self.waiting.contains(&step), "step {step} returns and was never placed");
    }

    fn use_next(&mut self, used: Used) -> Result<(), Exceeded> {
        let step = match used {
            Used::Begin(_) => return Ok(()),
            Used::Step(step) => step,
            Used::Class(class) => {
                self.lost[class as usize].pop_front().expect("no more are used than were called")
            }
        };
        let plan = self.frontier.plan;
        let step = &plan.steps[step as usize];
        if step.kind == Kind::Overwrites {
            self.cover_total();
        }
        let next = self.frontier.machine.step(self.state, step.action);
        self.state = next.expect("what was used was allowed");
        self.order.push(step.operation as usize);
        self.cover_idle()
    }

    /// Places what waits and leaves the state as it is.
    fn cover_idle(&mut self) -> Result<(), Exceeded> {
        self.frontier.budget.ticks(self.waiting.len() as u64 / 4)?;
        let (plan, state) = (self.frontier.plan, self.state);
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|step| {
            let step = &plan.steps[*step as usize];
            let is_idle = self.frontier.machine.step(state, step.action) == Some(state);
            if is_idle {
                self.order.push(step.operation as usize);
            }
            !is_idle
        });
        self.waiting = waiting;
        Ok(())
    }

    /// Places what waits and may happen at any time.
    fn cover_total(&mut self) {
        let plan = self.frontier.plan;
        self.waiting.retain(|step| {
            let step = &plan.steps[*step as usize];
            if step.kind.is_total() {
                self.order.push(step.operation as usize);
            }
            !step.kind.is_total()
        });
    }
}

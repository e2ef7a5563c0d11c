//! Where a search stands in time: which operations are pending, and what each configuration can do next.

use super::configuration::{Configuration, Slots, add};
use super::counts::Counts;
use super::plan::{Event, Plan, Step};
use super::trail::{self, Trail, Used};
use super::twins::Twins;
use super::{Ended, Kind, Machine};
use crate::limits::{Budget, Exceeded};

/// The pending operations at an event, and what belongs to all configurations.
#[derive(Debug)]
pub(super) struct Frontier<'m, 'b, 'l, M: Machine, const W: usize> {
    pub(super) machine: &'m mut M,
    pub(super) plan: &'m Plan<M::Action>,
    pub(super) budget: &'b mut Budget<'l>,
    pub(super) counts: Counts,
    pub(super) trail: Trail,
    /// The number of the event that comes next.
    pub(super) event: usize,
    pending: Slots<W>,
    /// Those pending that are required and may happen at any time.
    total: Slots<W>,
    /// Those pending that only observe.
    observing: Slots<W>,
    /// Those pending that overwrite.
    overwriting: Slots<W>,
    /// The step of each pending slot.
    steps: Vec<u32>,
    /// Which pending ones ask the same as which others.
    twins: Twins<W>,
    /// How many operations of each class were called.
    called: Vec<u32>,
    /// The configurations before the returning operation.
    explored: Vec<Configuration<W>>,
    /// How many configurations the caller keeps beside those before and after the returning operation.
    pub(super) kept: usize,
    /// The most configurations there were at a time. They are charged for: what a list has touched, it keeps.
    held: usize,
}

/// How many configurations are asked why they go no further.
const LEFT_MAX: usize = 64;

/// How many pending operations are looked at for one step.
const LOOKS_PER_STEP: usize = 16;

/// Something that could be used.
#[derive(Debug, Clone, Copy)]
struct Candidate<A> {
    used: Used,
    action: A,
    kind: Kind,
    /// Its slot or its class.
    slot: u32,
}

impl<'m, 'b, 'l, M: Machine, const W: usize> Frontier<'m, 'b, 'l, M, W> {
    /// Before the first event.
    pub(super) fn new(
        machine: &'m mut M,
        plan: &'m Plan<M::Action>,
        budget: &'b mut Budget<'l>,
    ) -> Result<Self, Exceeded> {
        let each = 2 * size_of::<Slots<W>>();
        budget.allocate((plan.slots * (each + size_of::<u32>()) + plan.classes.len() * each) as u64)?;
        let counts = Counts::new(plan.classes.len(), budget)?;
        Ok(Frontier {
            machine,
            plan,
            budget,
            counts,
            trail: Trail::default(),
            event: 0,
            pending: Slots::EMPTY,
            total: Slots::EMPTY,
            observing: Slots::EMPTY,
            overwriting: Slots::EMPTY,
            steps: vec![0; plan.slots],
            twins: Twins::new(plan.slots, plan.classes.len()),
            called: vec![0; plan.classes.len()],
            explored: Vec::new(),
            kept: 0,
            held: 0,
        })
    }

    /// Accounts for so many configurations beside those that the caller keeps.
    fn hold(&mut self, count: usize) -> Result<(), Exceeded> {
        let held = self.kept + count;
        if held > self.held {
            self.budget.allocate(((held - self.held) * size_of::<Configuration<W>>()) as u64)?;
            self.held = held;
        }
        Ok(())
    }

    /// Goes back to before the first event and forgets all configurations.
    pub(super) fn restart(&mut self) {
        self.trail.clear();
        self.event = 0;
        self.pending = Slots::EMPTY;
        self.total = Slots::EMPTY;
        self.observing = Slots::EMPTY;
        self.overwriting = Slots::EMPTY;
        self.called.fill(0);
    }

    /// The configuration in which nothing has happened.
    pub(super) fn begin(&mut self, state: u32) -> Configuration<W> {
        let trail = self.trail.begin(state);
        Configuration { state, counts: 0, trail, used: Slots::EMPTY, covered: Slots::EMPTY }
    }

    /// Passes the next event. For a return this comes after [`expand`](Self::expand).
    pub(super) fn pass(&mut self) {
        match self.plan.events[self.event] {
            Event::Called(step) => self.enter(step),
            Event::Returned(step) => self.leave(step),
            Event::Lost(step) => {
                let class = self.plan.steps[step as usize].slot as usize;
                self.called[class] += 1;
            }
        }
        self.event += 1;
    }

    /// A limit was hit here, with these configurations.
    pub(super) fn ended(&self, exceeded: Exceeded, left: &[Configuration<W>]) -> Ended {
        let left = left.iter().take(LEFT_MAX).map(|configuration| configuration.state).collect();
        Ended { exceeded, event: self.event, left }
    }

    /// Goes back by one event.
    pub(super) fn unpass(&mut self) {
        self.event -= 1;
        match self.plan.events[self.event] {
            Event::Called(step) => self.leave(step),
            Event::Returned(step) => self.enter(step),
            Event::Lost(step) => self.called[self.plan.steps[step as usize].slot as usize] -= 1,
        }
    }

    fn enter(&mut self, number: u32) {
        let step = &self.plan.steps[number as usize];
        let (plan, steps) = (self.plan, &self.steps);
        let pending = self.pending.iter().map(|slot| (slot, &plan.steps[steps[slot as usize] as usize]));
        self.twins.enter(step, pending);
        self.steps[step.slot as usize] = number;
        self.pending.insert(step.slot);
        if step.is_required && step.kind.is_total() {
            self.total.insert(step.slot);
        }
        match step.kind {
            Kind::Observes => self.observing.insert(step.slot),
            Kind::Overwrites => self.overwriting.insert(step.slot),
            Kind::Total | Kind::Partial => {}
        }
    }

    fn leave(&mut self, number: u32) {
        let slot = self.plan.steps[number as usize].slot;
        self.pending.remove(slot);
        self.total.remove(slot);
        self.observing.remove(slot);
        self.overwriting.remove(slot);
    }

    /// What an operation's call does to a configuration: what changes nothing is covered, and what is not required too.
    pub(super) fn called(&mut self, configuration: &mut Configuration<W>, step: u32) {
        let Step { action, is_required, slot, .. } = self.plan.steps[step as usize];
        let state = configuration.state;
        if !is_required || self.machine.step(state, action) == Some(state) {
            configuration.covered.insert(slot);
        }
    }

    /// The configurations in which an operation, which returns now, was placed before; added to `next`.
    pub(super) fn expand(
        &mut self,
        from: &Configuration<W>,
        returned: u32,
        next: &mut Vec<Configuration<W>>,
    ) -> Result<(), Exceeded> {
        self.budget.spend(1 + (next.len() / LOOKS_PER_STEP) as u64)?;
        let Step { action, kind, slot, .. } = self.plan.steps[returned as usize];
        if from.used.has(slot) || from.covered.has(slot) {
            let mut placed = *from;
            placed.used.remove(slot);
            placed.covered.remove(slot);
            add(next, placed, &self.counts);
            if kind == Kind::Observes || from.used.has(slot) {
                return Ok(());
            }
        }
        let last = Candidate { used: Used::Step(returned), action, kind, slot };
        let mut explored = std::mem::take(&mut self.explored);
        explored.clear();
        explored.push(*from);
        let mut number = 0;
        while let Some(at) = explored.get(number).copied() {
            number += 1;
            self.budget.spend(1 + (explored.len() / LOOKS_PER_STEP) as u64)?;
            self.budget.ticks((next.len() / LOOKS_PER_STEP) as u64)?;
            self.hold(next.len() + explored.len() + self.plan.slots + self.plan.classes.len())?;
            let placed = self.place_last(&at, last)?;
            if let Some(placed) = placed {
                add(next, placed, &self.counts);
                if kind == Kind::Observes {
                    continue;
                }
            }
            self.use_pending(&at, slot, &mut explored)?;
            self.use_lost(&at, &mut explored)?;
        }
        self.explored = explored;
        Ok(())
    }

    /// The configuration after the operation that returns, if it is allowed.
    fn place_last(
        &mut self,
        at: &Configuration<W>,
        last: Candidate<M::Action>,
    ) -> Result<Option<Configuration<W>>, Exceeded> {
        let Some(state) = self.machine.step(at.state, last.action) else { return Ok(None) };
        let mut placed = *at;
        if last.kind != Kind::Observes {
            placed = self.used(at, state, last)?;
        }
        placed.used.remove(last.slot);
        placed.covered.remove(last.slot);
        Ok(Some(placed))
    }

    /// The configuration after an operation was used that leads to `state`.
    fn used(
        &mut self,
        at: &Configuration<W>,
        state: u32,
        candidate: Candidate<M::Action>,
    ) -> Result<Configuration<W>, Exceeded> {
        self.budget.allocate(trail::BYTES_EACH)?;
        let mut next = *at;
        next.state = state;
        next.trail = self.trail.on(at.trail, self.event, candidate.used);
        if matches!(candidate.used, Used::Step(_)) {
            next.used.insert(candidate.slot);
            next.covered.remove(candidate.slot);
        }
        if candidate.kind == Kind::Overwrites {
            next.covered.add_all(&self.total.without([&next.used, &Slots::EMPTY]));
        }
        if state != at.state {
            for slot in self.pending.without([&next.used, &next.covered]).iter() {
                let action = self.step(slot).action;
                if self.machine.step(state, action) == Some(state) {
                    next.covered.insert(slot);
                }
            }
        }
        Ok(next)
    }

    fn step(&self, slot: u32) -> &'m Step<M::Action> {
        &self.plan.steps[self.steps[slot as usize] as usize]
    }

    /// Uses each pending operation but the one at `last`, where that may help.
    fn use_pending(
        &mut self,
        at: &Configuration<W>,
        last: u32,
        explored: &mut Vec<Configuration<W>>,
    ) -> Result<(), Exceeded> {
        let candidates = self.pending.without([&at.used, &self.observing]);
        for slot in candidates.iter().filter(|slot| *slot != last) {
            if self.twins.hold_back(slot, &self.pending, at) {
                continue;
            }
            let Step { action, kind, is_required, .. } = *self.step(slot);
            let candidate = Candidate { used: Used::Step(self.steps[slot as usize]), action, kind, slot };
            let Some(state) = self.changed(at, action, kind) else { continue };
            let must_now = kind == Kind::Partial && is_required && !at.covered.has(slot);
            if must_now || self.is_wanted(at, state, candidate)? {
                let next = self.used(at, state, candidate)?;
                explore(explored, next, &self.counts);
            }
        }
        Ok(())
    }

    /// Uses one operation of each class that never returns, where that may help.
    fn use_lost(
        &mut self,
        at: &Configuration<W>,
        explored: &mut Vec<Configuration<W>>,
    ) -> Result<(), Exceeded> {
        for (class, (action, kind)) in (0..).zip(&self.plan.classes) {
            let candidate = Candidate { used: Used::Class(class), action: *action, kind: *kind, slot: class };
            if self.counts.used(at.counts, class) >= self.called[class as usize]
                || self.twins.hold_back_class(class, &self.pending, at)
            {
                continue;
            }
            let Some(state) = self.changed(at, *action, *kind) else { continue };
            if !self.is_wanted(at, state, candidate)? {
                continue;
            }
            let counts = self.counts.with(at.counts, class, self.budget)?;
            let next = self.used(at, state, candidate)?;
            explore(explored, Configuration { counts, ..next }, &self.counts);
        }
        Ok(())
    }

    /// The state after an action that changes it, or that overwrites it so that others are covered.
    fn changed(&mut self, at: &Configuration<W>, action: M::Action, kind: Kind) -> Option<u32> {
        let state = self.machine.step(at.state, action)?;
        let covers = || kind == Kind::Overwrites && !self.total.without([&at.used, &at.covered]).is_empty();
        (state != at.state || covers()).then_some(state)
    }

    /// Whether something that does not overwrite can come after the candidate, which leads to `state`.
    fn is_wanted(
        &mut self,
        at: &Configuration<W>,
        state: u32,
        candidate: Candidate<M::Action>,
    ) -> Result<bool, Exceeded> {
        self.budget.ticks(((self.plan.slots + self.plan.classes.len()) / LOOKS_PER_STEP) as u64)?;
        for slot in self.pending.without([&at.used, &self.overwriting]).iter() {
            let Step { action, kind, is_required, .. } = *self.step(slot);
            if candidate.used == Used::Step(self.steps[slot as usize]) {
                continue;
            }
            let is_open = is_required && !at.covered.has(slot);
            if kind == Kind::Observes && !is_open {
                continue;
            }
            match self.machine.step(state, action) {
                Some(next) if next != state => return Ok(true),
                Some(_) if is_open && kind != Kind::Total => return Ok(true),
                _ => {}
            }
        }
        Ok((0..).zip(&self.plan.classes).any(|(class, (action, kind))| {
            let taken = self.counts.used(at.counts, class) + u32::from(candidate.used == Used::Class(class));
            *kind != Kind::Overwrites
                && taken < self.called[class as usize]
                && self.machine.step(state, *action).is_some_and(|next| next != state)
        }))
    }
}

/// Adds a configuration unless another one dominates it.
fn explore<const W: usize>(explored: &mut Vec<Configuration<W>>, new: Configuration<W>, counts: &Counts) {
    if !explored.iter().any(|old| old.dominates(&new, counts)) {
        explored.push(new);
    }
}

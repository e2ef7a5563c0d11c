//! The walk through the configurations of a [`Problem`], depth first, without recursion.
//!
//! A configuration is how many completions are behind it (the *frontier*), the state, and which pending members are
//! placed. Everything before the frontier is decided: a required member is placed, an optional one is placed or has
//! passed. The members that may be placed next are those invoked before the completion at the frontier.
//!
//! Each step is on a stack of [`Frame`]s and is undone exactly, in reverse: the walk has one configuration and changes
//! it in place. Only the memory of the configurations [seen](super::seen) holds copies.

mod farthest;
mod states;
mod twins;

pub(super) use farthest::{Farthest, REFUSALS_MAX};
use states::States;
use twins::Twins;

use super::Next;
use super::links::Links;
use super::problem::{OBSERVING, OPTIONAL, Problem, REQUIRED};
use super::seen::Seen;
use super::slots::Slots;
use crate::limits::{Budget, Exceeded};
use crate::model::Model;

#[derive(Debug)]
struct Configuration {
    frontier: u32,
    state: u32,
    placed: Slots,
}

/// One step, with what it takes to undo it.
#[derive(Debug, Clone, Copy)]
struct Frame {
    member: u32,
    kind: Kind,
    /// The frontier and the state before it.
    frontier: u32,
    state: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The member was placed; another could be instead.
    Chosen,
    /// The member was placed; there is nothing better.
    Forced,
    /// The optional member at the frontier was left out, after everything else had failed.
    Passed,
}

/// What to do next.
enum Turn {
    /// Try members from this one on.
    Try(Cursor),
    Back,
    Found,
}

/// A place in the order in which members are tried.
#[derive(Clone, Copy)]
enum Cursor {
    /// The member that completes at the frontier.
    Frontier,
    Required(Option<u32>),
    Optional(Option<u32>),
}

/// A walk in progress.
#[derive(Debug)]
pub(super) struct Walk<'p, 'b, 'l, M: Model> {
    problem: &'p Problem<'p, M>,
    budget: &'b mut Budget<'l>,
    links: Links,
    twins: Twins,
    states: States<M::State>,
    seen: Seen,
    at: Configuration,
    placed: Vec<bool>,
    missing: usize,
    frames: Vec<Frame>,
    reached: u32,
    /// The state there.
    reached_state: u32,
    farthest: Option<Farthest>,
    explains: bool,
}

impl<'p, 'b, 'l, M: Model> Walk<'p, 'b, 'l, M> {
    pub(super) fn new(problem: &'p Problem<'p, M>, budget: &'b mut Budget<'l>) -> Self {
        let placed = Slots::new(problem.slots);
        Walk {
            problem,
            budget,
            links: Links::new(3, problem.members.iter().map(|member| member.list)),
            twins: Twins::new(problem),
            states: States::new(),
            seen: Seen::new(&placed),
            at: Configuration { frontier: 0, state: 0, placed },
            placed: vec![false; problem.members.len()],
            missing: problem.required,
            frames: Vec::new(),
            reached: 0,
            reached_state: 0,
            farthest: None,
            explains: false,
        }
    }

    /// Makes the walk remember the configuration that came farthest.
    pub(super) fn explaining(mut self) -> Self {
        self.explains = true;
        self
    }

    /// Looks for an order; the operations are in it by their positions in the list checked.
    pub(super) fn find(&mut self) -> Result<Option<Vec<usize>>, Exceeded> {
        // A member's two links, its mark, and its frame.
        let bytes = 2 * size_of::<u32>() + size_of::<bool>() + size_of::<Frame>();
        self.budget.allocate((bytes * self.problem.members.len()) as u64 + self.twins.bytes())?;
        for initial in self.problem.initial.iter() {
            self.at.state = self.number(initial.clone())?;
            if self.walk()? {
                return Ok(Some(self.order()));
            }
        }
        Ok(None)
    }

    /// The most completions that were behind a configuration.
    pub(super) fn reached(&self) -> usize {
        self.reached as usize
    }

    /// The operation that completes next where the walk came farthest, and why it is refused there.
    pub(super) fn next(&self) -> Option<Next> {
        let blocked = *self.problem.by_return.get(self.reached as usize)?;
        let operation = self.problem.operation(blocked);
        let state = self.states.all.get(self.reached_state as usize)?;
        let (input, output) = (&operation.input, operation.output.as_ref());
        let refuses = self.problem.model.step(state, input, output).is_none();
        let refusals = refuses.then(|| self.problem.model.refusal(state, input, output));
        let operation = self.problem.members[blocked as usize].operation;
        Some(Next { operation, refusals: refusals.into_iter().collect() })
    }

    /// All states that the walk has been in. If it found no order, these are all that the operations can leave.
    pub(super) fn into_states(self) -> Vec<M::State> {
        self.states.all
    }

    /// The configuration that came farthest, if the walk explains and found no order.
    pub(super) fn into_farthest(self) -> Option<Farthest> {
        self.farthest
    }

    /// Walks from an initial configuration. If there is no order, everything is undone in the end.
    fn walk(&mut self) -> Result<bool, Exceeded> {
        let mut turn = self.arrive()?;
        loop {
            turn = match turn {
                Turn::Found => return Ok(true),
                Turn::Try(cursor) => self.attempt(cursor)?,
                Turn::Back => match self.frames.pop() {
                    None => return Ok(false),
                    Some(frame) => self.undo(frame),
                },
            }
        }
    }

    /// At a new configuration: places what only observes and is allowed, and remembers the place.
    fn arrive(&mut self) -> Result<Turn, Exceeded> {
        let mut candidate = self.links.first(OBSERVING);
        while let Some(member) = candidate.filter(|member| self.may_be_next(*member)) {
            self.budget.step()?;
            candidate = match self.next_state(member) {
                Some(state) => {
                    debug_assert!(
                        state == self.states.all[self.at.state as usize],
                        "an observation changes nothing"
                    );
                    let frontier = self.at.frontier;
                    self.place(member, self.at.state, Kind::Forced);
                    // A frontier that moved lets in members that were invoked later.
                    let moved = self.at.frontier != frontier;
                    if moved { self.links.first(OBSERVING) } else { self.links.after(member) }
                }
                None => self.links.after(member),
            };
        }
        if self.at.frontier > self.reached {
            (self.reached, self.reached_state) = (self.at.frontier, self.at.state);
        }
        if self.missing == 0 {
            return Ok(Turn::Found);
        }
        self.budget.spend(self.seen.steps_each())?;
        if !self.seen.insert(self.at.frontier, self.at.state, &self.at.placed, self.budget)? {
            return Ok(Turn::Back);
        }
        self.note_farthest();
        Ok(Turn::Try(Cursor::Frontier))
    }

    /// Tries members from `cursor` on, until one is allowed.
    fn attempt(&mut self, mut cursor: Cursor) -> Result<Turn, Exceeded> {
        let blocked = self.problem.by_return[self.at.frontier as usize];
        let first_required = Cursor::Required(self.links.first(REQUIRED));
        loop {
            self.budget.step()?;
            let (member, next) = match cursor {
                Cursor::Frontier => (Some(blocked), first_required),
                Cursor::Required(member) => match member.filter(|member| self.may_be_next(*member)) {
                    Some(member) => (Some(member), Cursor::Required(self.links.after(member))),
                    None => (None, Cursor::Optional(self.links.first(OPTIONAL))),
                },
                Cursor::Optional(member) => match member.filter(|member| self.may_be_next(*member)) {
                    Some(member) => (Some(member), Cursor::Optional(self.links.after(member))),
                    None => return self.pass(blocked),
                },
            };
            // The member at the frontier comes by once more on its list.
            let again = member == Some(blocked) && !matches!(cursor, Cursor::Frontier);
            if let Some(member) = member.filter(|_| !again)
                && !self.twins.hold_back(self.problem, member, &self.at, self.budget)?
                && let Some(state) = self.useful_state(member)
            {
                let state = self.number(state)?;
                self.place(member, state, Kind::Chosen);
                return self.arrive();
            }
            cursor = next;
        }
    }

    /// Nothing can be placed: leaves out the optional member at the frontier, else goes back.
    fn pass(&mut self, blocked: u32) -> Result<Turn, Exceeded> {
        // What was placed last for nothing can as well be placed behind this completion.
        if !self.problem.members[blocked as usize].is_optional() || self.before_idle().is_some() {
            return Ok(Turn::Back);
        }
        let Configuration { frontier, state, .. } = self.at;
        self.frames.push(Frame { member: blocked, kind: Kind::Passed, frontier, state });
        self.links.take(blocked);
        self.at.frontier += 1;
        self.advance();
        self.arrive()
    }

    /// Whether the member is invoked before the completion at the frontier. Behind the last completion nothing is.
    fn may_be_next(&self, member: u32) -> bool {
        let Some(frontier) = self.problem.by_return.get(self.at.frontier as usize) else { return false };
        let members = &self.problem.members;
        members[member as usize].invoked < members[*frontier as usize].returned
    }

    fn next_state(&self, member: u32) -> Option<M::State> {
        self.step(self.at.state, member)
    }

    fn step(&self, state: u32, member: u32) -> Option<M::State> {
        let operation = self.problem.operation(member);
        self.problem.model.step(&self.states.all[state as usize], &operation.input, operation.output.as_ref())
    }

    /// The state after a member, if it is allowed and worth placing.
    fn useful_state(&self, member: u32) -> Option<M::State> {
        let next = self.next_state(member)?;
        if self.problem.members[member as usize].is_optional() {
            let twin = self.problem.members[member as usize].twin;
            let twin_waits = twin.is_some_and(|twin| !self.placed[twin as usize]);
            if twin_waits || next == self.states.all[self.at.state as usize] {
                return None;
            }
        }
        // Without what was placed last for nothing, the member leads to the same state.
        let idle = self.before_idle().and_then(|state| self.step(state, member));
        (idle.as_ref() != Some(&next)).then_some(next)
    }

    /// The state before the last step, if that placed an optional member and nothing has needed it so far.
    fn before_idle(&self) -> Option<u32> {
        let last = self.frames.last()?;
        let idle = last.kind == Kind::Chosen
            && last.frontier == self.at.frontier
            && self.problem.members[last.member as usize].is_optional();
        idle.then_some(last.state)
    }

    fn number(&mut self, state: M::State) -> Result<u32, Exceeded> {
        self.states.number(self.problem.model, state, self.budget)
    }

    fn place(&mut self, member: u32, next: u32, kind: Kind) {
        let Configuration { frontier, state, .. } = self.at;
        self.frames.push(Frame { member, kind, frontier, state });
        self.links.take(member);
        self.twins.take(member);
        self.placed[member as usize] = true;
        self.missing -= usize::from(!self.problem.members[member as usize].is_optional());
        self.at.placed.insert(self.problem.members[member as usize].slot);
        self.at.state = next;
        self.advance();
    }

    /// Moves the frontier past all completions of members that are placed.
    fn advance(&mut self) {
        while let Some(member) = self.problem.by_return.get(self.at.frontier as usize)
            && self.placed[*member as usize]
        {
            self.at.placed.remove(self.problem.members[*member as usize].slot);
            self.at.frontier += 1;
        }
    }

    fn undo(&mut self, frame: Frame) -> Turn {
        let passed = frame.kind == Kind::Passed;
        // What `advance` moved past was placed; what was left out was not.
        let advanced = frame.frontier as usize + usize::from(passed)..self.at.frontier as usize;
        for member in &self.problem.by_return[advanced] {
            self.at.placed.insert(self.problem.members[*member as usize].slot);
        }
        let member = &self.problem.members[frame.member as usize];
        if !passed {
            self.at.placed.remove(member.slot);
            self.twins.put_back(frame.member);
            self.placed[frame.member as usize] = false;
            self.missing += usize::from(!member.is_optional());
        }
        self.links.put_back(frame.member);
        self.at.frontier = frame.frontier;
        self.at.state = frame.state;
        match frame.kind {
            Kind::Forced | Kind::Passed => Turn::Back,
            Kind::Chosen if self.problem.by_return[frame.frontier as usize] == frame.member => {
                Turn::Try(Cursor::Required(self.links.first(REQUIRED)))
            }
            Kind::Chosen if member.is_optional() => {
                Turn::Try(Cursor::Optional(self.links.after(frame.member)))
            }
            Kind::Chosen => Turn::Try(Cursor::Required(self.links.after(frame.member))),
        }
    }

    /// The operations placed, in order.
    fn order(&self) -> Vec<usize> {
        self.frames
            .iter()
            .filter(|frame| frame.kind != Kind::Passed)
            .map(|frame| self.problem.members[frame.member as usize].operation)
            .collect()
    }
}

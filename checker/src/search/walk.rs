//! The walk through the configurations of a [`Problem`], depth first, without recursion.
//!
//! A configuration is how many completions are behind it (the *frontier*), the state, and which pending members are
//! placed. Everything before the frontier is decided: a required member is placed, an optional one is placed or has
//! passed. The members that may be placed next are those invoked before the completion at the frontier.
//!
//! Each step is on a stack of [`Frame`]s and is undone exactly, in reverse: the walk has one configuration and changes
//! it in place. Only the memory of the configurations [seen](super::seen) holds copies.

use std::collections::HashMap;

use super::links::Links;
use super::problem::{OBSERVING, OPTIONAL, Problem, REQUIRED};
use super::seen::Seen;
use super::slots::Slots;
use crate::limits::{Budget, Exceeded};
use crate::model::Model;

/// The most refusals of the blocked operation that are kept.
pub(super) const REFUSALS_MAX: usize = 3;

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

/// The states of a walk, each once, named by small numbers.
#[derive(Debug)]
struct States<S> {
    all: Vec<S>,
    numbers: HashMap<S, u32>,
}

/// The configuration that came farthest.
#[derive(Debug, Clone)]
pub(super) struct Farthest {
    frontier: u32,
    /// The operation that completes next and could not be placed.
    pub(super) blocked: usize,
    /// Why, in each of the states that are possible there; a few of them.
    pub(super) refusals: Vec<String>,
    /// Why the others that could come next there cannot, each in one state.
    pub(super) others: Vec<(usize, String)>,
}

impl Farthest {
    /// The operation that could not be placed, and why.
    pub(super) fn new(blocked: usize, refusals: Vec<String>) -> Self {
        Farthest { frontier: 0, blocked, refusals, others: Vec::new() }
    }
}

/// A walk in progress.
#[derive(Debug)]
pub(super) struct Walk<'p, 'b, 'l, M: Model> {
    problem: &'p Problem<'p, M>,
    budget: &'b mut Budget<'l>,
    links: Links,
    states: States<M::State>,
    seen: Seen,
    at: Configuration,
    placed: Vec<bool>,
    missing: usize,
    frames: Vec<Frame>,
    reached: u32,
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
            states: States { all: Vec::new(), numbers: HashMap::new() },
            seen: Seen::new(&placed),
            at: Configuration { frontier: 0, state: 0, placed },
            placed: vec![false; problem.members.len()],
            missing: problem.required,
            frames: Vec::new(),
            reached: 0,
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
        self.budget.allocate((bytes * self.problem.members.len()) as u64)?;
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
        self.reached = self.reached.max(self.at.frontier);
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
        if let Some(number) = self.states.numbers.get(&state) {
            return Ok(*number);
        }
        // What it owns is there twice: in the list, and as a key.
        self.budget.allocate(2 * self.problem.model.heap_bytes(&state) as u64)?;
        self.budget.room_in_map(&mut self.states.numbers)?;
        let number = u32::try_from(self.states.all.len()).expect("memory ends before 2^32 states");
        self.budget.push(&mut self.states.all, state.clone())?;
        self.states.numbers.insert(state, number);
        Ok(number)
    }

    fn place(&mut self, member: u32, next: u32, kind: Kind) {
        let Configuration { frontier, state, .. } = self.at;
        self.frames.push(Frame { member, kind, frontier, state });
        self.links.take(member);
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

    fn note_farthest(&mut self) {
        let frontier = self.at.frontier;
        let blocked = self.problem.by_return[frontier as usize];
        let best = self.farthest.as_ref().map_or(0, |best| best.frontier);
        if !self.explains || self.problem.members[blocked as usize].is_optional() || frontier < best {
            return;
        }
        let refusal = self.refusal(blocked);
        let blocked = self.problem.members[blocked as usize].operation;
        match &mut self.farthest {
            Some(best) if best.frontier == frontier => {
                let is_new =
                    |why: &String| best.refusals.len() < REFUSALS_MAX && !best.refusals.contains(why);
                best.refusals.extend(refusal.filter(is_new));
            }
            farthest => {
                *farthest = Some(Farthest {
                    frontier,
                    blocked,
                    refusals: refusal.into_iter().collect(),
                    others: Vec::new(),
                });
                self.note_others();
            }
        }
    }

    /// Remembers of the configuration that came farthest why the others that could come next are refused.
    fn note_others(&mut self) {
        let mut others = Vec::new();
        for list in [REQUIRED, OBSERVING] {
            let mut candidate = self.links.first(list);
            while let Some(member) = candidate.filter(|member| self.may_be_next(*member)) {
                let operation = self.problem.members[member as usize].operation;
                others.extend(self.refusal(member).map(|why| (operation, why)));
                candidate = self.links.after(member);
            }
        }
        if let Some(farthest) = &mut self.farthest {
            others.retain(|(operation, _)| *operation != farthest.blocked);
            others.sort_unstable();
            farthest.others = others;
        }
    }

    /// Why the model refuses a member now; `None` if it does not.
    fn refusal(&self, member: u32) -> Option<String> {
        let operation = self.problem.operation(member);
        let state = &self.states.all[self.at.state as usize];
        let refuses = self.next_state(member).is_none();
        refuses.then(|| self.problem.model.refusal(state, &operation.input, operation.output.as_ref()))
    }
}

//! What a search has to order: the operations that matter, and what each of them may do.
//!
//! A *member* is an operation that takes part. A required member must be placed between its invocation and its
//! completion. An optional one may be placed there or left out: nobody knows whether it happened, or a shrinking step
//! does not insist on it.
//!
//! The horizon is the last completion of a required member. What was invoked behind it cannot matter, and what
//! completed behind it might as well never have completed.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::limits::{Budget, Exceeded, map_bytes, sort_by_key};
use crate::model::{Model, OperationOf};

/// The place of a completion that never came.
pub(super) const NEVER: u32 = u32::MAX;

/// The list of the members that must be placed and may change the state.
pub(super) const REQUIRED: u32 = 0;
/// The list of the members that may be left out.
pub(super) const OPTIONAL: u32 = 1;
/// The list of the members that must be placed and only observe.
pub(super) const OBSERVING: u32 = 2;

/// An operation that takes part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    /// Its position in the list of operations.
    pub(super) operation: usize,
    pub(super) invoked: u32,
    /// Where it completed; [`NEVER`] if it did not, or behind the horizon.
    pub(super) returned: u32,
    /// [`REQUIRED`], [`OPTIONAL`] or [`OBSERVING`].
    pub(super) list: u32,
    /// Its bit in a configuration. Only members that are never pending together share one.
    pub(super) slot: u32,
    /// The last optional member before it that asks the same and never completes.
    pub(super) twin: Option<u32>,
    /// Its class: members that do the same are of one. Those that only observe are of none.
    pub(super) class: Option<u32>,
}

impl Member {
    pub(super) fn is_optional(&self) -> bool {
        self.list == OPTIONAL
    }
}

/// A search problem.
#[derive(Debug)]
pub(super) struct Problem<'a, M: Model> {
    pub(super) model: &'a M,
    pub(super) operations: &'a [OperationOf<M>],
    pub(super) initial: Cow<'a, [M::State]>,
    /// In the order of invocation.
    pub(super) members: Vec<Member>,
    /// The members that complete, in that order.
    pub(super) by_return: Vec<u32>,
    pub(super) slots: usize,
    /// How many classes of members there are.
    pub(super) classes: u32,
    /// How many members must be placed.
    pub(super) required: usize,
}

impl<'a, M: Model> Problem<'a, M> {
    /// All operations, from the beginning. Those that completed are required.
    pub(super) fn whole(
        model: &'a M,
        operations: &'a [OperationOf<M>],
        budget: &mut Budget<'_>,
    ) -> Result<Self, Exceeded> {
        for (position, operation) in operations.iter().enumerate() {
            budget.tick()?;
            let returned = operation.returned.unwrap_or(NEVER);
            assert!(operation.invoked < returned, "operation {position} returns before it is invoked");
        }
        let required = |position: usize| operations[position].returned.is_some();
        Self::new(model, operations, model.initial().into(), required, 0, budget)
    }

    /// A part of the history: only the operations `required` must be placed, all others may be.
    ///
    /// What completed before the first of them was invoked is left out, and any of `states` may be the one it left.
    pub(super) fn part(
        model: &'a M,
        operations: &'a [OperationOf<M>],
        states: &'a [M::State],
        required: &HashSet<usize>,
        budget: &mut Budget<'_>,
    ) -> Result<Self, Exceeded> {
        budget.ticks(required.len() as u64)?;
        let since = required.iter().map(|position| operations[*position].invoked).min().unwrap_or(0);
        let mut has_past = false;
        for operation in operations {
            budget.tick()?;
            has_past |= operation.returned.is_some_and(|end| end < since);
        }
        let initial = if has_past { states.into() } else { model.initial().into() };
        Self::new(model, operations, initial, |position| required.contains(&position), since, budget)
    }

    /// The operations that can be pending at or after `since`. Only those `required` must be placed.
    pub(super) fn new(
        model: &'a M,
        operations: &'a [OperationOf<M>],
        initial: Cow<'a, [M::State]>,
        required: impl Fn(usize) -> bool,
        since: u32,
        budget: &mut Budget<'_>,
    ) -> Result<Self, Exceeded> {
        assert!(!initial.is_empty(), "a model has an initial state");
        let returned = |position: usize| operations[position].returned.unwrap_or(NEVER);
        let mut horizon = 0;
        for position in 0..operations.len() {
            budget.tick()?;
            if required(position) {
                horizon = horizon.max(returned(position));
            }
        }
        let mut members = Vec::new();
        for (position, operation) in operations.iter().enumerate() {
            budget.tick()?;
            let observes = model.observes(&operation.input, operation.output.as_ref());
            let list = match (required(position), observes) {
                (true, true) => OBSERVING,
                (true, false) => REQUIRED,
                (false, true) => continue,
                (false, false) => OPTIONAL,
            };
            let returned = Some(returned(position)).filter(|returned| *returned <= horizon).unwrap_or(NEVER);
            if operation.invoked < horizon && since <= returned {
                let invoked = operation.invoked;
                let member =
                    Member { operation: position, invoked, returned, list, slot: 0, twin: None, class: None };
                budget.push(&mut members, member)?;
            }
        }
        sort_by_key(budget, &mut members, |member| member.invoked)?;
        let required = members.iter().filter(|member| !member.is_optional()).count();
        let mut problem = Problem {
            model,
            operations,
            initial,
            members,
            by_return: Vec::new(),
            slots: 0,
            classes: 0,
            required,
        };
        problem.link_returns(budget)?;
        problem.assign_slots(budget)?;
        problem.classify(budget)?;
        Ok(problem)
    }

    /// The operations of the first completions.
    pub(super) fn returned(&self, completions: usize) -> Vec<usize> {
        let members = self.by_return[..completions].iter().map(|member| &self.members[*member as usize]);
        members.map(|member| member.operation).collect()
    }

    /// How many completions there are.
    pub(super) fn returns(&self) -> usize {
        self.by_return.len()
    }

    /// The operation of a member.
    pub(super) fn operation(&self, member: u32) -> &'a OperationOf<M> {
        &self.operations[self.members[member as usize].operation]
    }

    fn link_returns(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        for (number, member) in (0..).zip(&self.members) {
            budget.tick()?;
            if member.returned != NEVER {
                budget.push(&mut self.by_return, number)?;
            }
        }
        let members = &self.members;
        sort_by_key(budget, &mut self.by_return, |number| members[*number as usize].returned)
    }

    fn assign_slots(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let mut free = Vec::new();
        let mut returns = self.by_return.iter().copied().peekable();
        for number in 0..self.members.len() {
            budget.tick()?;
            let invoked = self.members[number].invoked;
            while let Some(done) = returns.next_if(|done| self.members[*done as usize].returned < invoked) {
                free.push(self.members[done as usize].slot);
            }
            self.members[number].slot = free.pop().unwrap_or_else(|| {
                self.slots += 1;
                u32::try_from(self.slots - 1).expect("there are fewer slots than operations")
            });
        }
        Ok(())
    }

    fn classify(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        // By what an operation does: its class, and the last optional member of it that never completes.
        let mut classes: HashMap<_, (u32, Option<u32>)> = HashMap::new();
        for (number, member) in (0..).zip(&mut self.members) {
            budget.tick()?;
            if member.list == OBSERVING {
                continue;
            }
            budget.room_in_map(&mut classes)?;
            let operation = &self.operations[member.operation];
            let told =
                operation.output.as_ref().filter(|output| !self.model.is_bare(&operation.input, output));
            let (class, last) = classes.entry((&operation.input, told)).or_insert_with(|| {
                self.classes += 1;
                (self.classes - 1, None)
            });
            member.class = Some(*class);
            if member.is_optional() && member.returned == NEVER {
                member.twin = last.replace(number);
            }
        }
        budget.release(map_bytes(&classes));
        Ok(())
    }
}

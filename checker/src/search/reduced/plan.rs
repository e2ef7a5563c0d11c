//! What happens in which order: calls and returns, with what each operation does.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::{Kind, Machine};
use crate::limits::{Budget, Exceeded, sort_by_key};
use crate::model::Operation;
use crate::search::numbers::Folding;

/// An operation that takes part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<A> {
    pub(super) action: A,
    pub(super) kind: Kind,
    /// Whether it must be placed before it returns.
    pub(super) is_required: bool,
    /// Its place among the pending operations, or its class if it never returns.
    pub(super) slot: u32,
    /// Its place in time when it returns; the greatest if it never does.
    pub(super) returned: u32,
    /// The class of those that never return and do the same, if there are any.
    pub(super) class: Option<u32>,
    /// Its position in the list of operations.
    pub(super) operation: u32,
}

/// One event; operations are named by their steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Called(u32),
    Returned(u32),
    /// Called, and it never returns.
    Lost(u32),
}

/// The events of a search.
#[derive(Debug)]
pub(super) struct Plan<A> {
    pub(super) steps: Vec<Step<A>>,
    pub(super) events: Vec<Event>,
    /// The classes of operations that never return.
    pub(super) classes: Vec<(A, Kind)>,
    /// The most operations that are pending at once, without those that never return.
    pub(super) slots: usize,
    /// How many required operations return.
    pub(super) completions: usize,
}

/// How many places in time there may be for each event, so that a table of them is better than sorting.
const PLACES_PER_EVENT: usize = 8;

impl<A: Copy + Eq + std::hash::Hash> Plan<A> {
    /// The operations that can be pending at or after `since`. Only those `required` must be placed, and nothing matters
    /// behind the last return of one of them.
    pub(super) fn new<I, O>(
        machine: &impl Machine<Action = A>,
        operations: &[Operation<I, O>],
        required: impl Fn(usize) -> bool,
        since: u32,
        budget: &mut Budget<'_>,
    ) -> Result<Self, Exceeded> {
        let bytes = size_of::<Step<A>>() + 2 * (size_of::<Event>() + size_of::<(u32, Event)>());
        budget.allocate((operations.len() * bytes) as u64)?;
        let mut horizon = 0;
        for (position, operation) in operations.iter().enumerate() {
            budget.tick()?;
            if required(position) {
                horizon = operation.returned.map_or(horizon, |returned| horizon.max(returned));
            }
        }
        let mut plan = Plan {
            steps: Vec::with_capacity(operations.len()),
            events: Vec::new(),
            classes: Vec::new(),
            slots: 0,
            completions: 0,
        };
        let mut timed = Vec::with_capacity(2 * operations.len());
        let mut classes: HashMap<A, u32, BuildHasherDefault<Folding>> = HashMap::default();
        for (position, operation) in operations.iter().enumerate() {
            budget.tick()?;
            let returned = operation.returned.filter(|returned| *returned <= horizon);
            if operation.invoked > horizon || operation.returned.is_some_and(|returned| returned < since) {
                continue;
            }
            if let Some(returned) = operation.returned {
                assert!(operation.invoked < returned, "operation {position} returns before it is invoked");
            }
            let action = machine.action(position);
            let kind = machine.kind(action);
            let is_required = required(position);
            if kind == Kind::Observes && !is_required {
                continue;
            }
            let number = count(&plan.steps);
            let slot = if let Some(returned) = returned {
                timed.push((operation.invoked, Event::Called(number)));
                timed.push((returned, Event::Returned(number)));
                0
            } else {
                timed.push((operation.invoked, Event::Lost(number)));
                budget.room_in_map(&mut classes)?;
                *classes.entry(action).or_insert_with(|| {
                    plan.classes.push((action, kind));
                    count(&plan.classes) - 1
                })
            };
            plan.completions += usize::from(is_required);
            let operation = u32::try_from(position).expect("operations are counted in a u32");
            let returned = returned.unwrap_or(u32::MAX);
            plan.steps.push(Step { action, kind, is_required, slot, returned, class: None, operation });
        }
        for step in &mut plan.steps {
            budget.tick()?;
            step.class = classes.get(&step.action).copied();
        }
        plan.events = sorted(timed, budget)?;
        plan.assign_slots(budget)?;
        Ok(plan)
    }

    fn assign_slots(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let mut free = Vec::new();
        for event in &self.events {
            budget.tick()?;
            match *event {
                Event::Called(step) => {
                    self.steps[step as usize].slot = free.pop().unwrap_or_else(|| {
                        self.slots += 1;
                        u32::try_from(self.slots - 1).expect("there are fewer slots than operations")
                    });
                }
                Event::Returned(step) => free.push(self.steps[step as usize].slot),
                Event::Lost(_) => {}
            }
        }
        Ok(())
    }

    /// The required operations that return among the first events, as many as that.
    pub(super) fn returned(&self, events: usize) -> Vec<usize> {
        let returned = self.events[..events].iter().filter_map(|event| match event {
            Event::Returned(step) => Some(&self.steps[*step as usize]),
            Event::Called(_) | Event::Lost(_) => None,
        });
        returned.filter(|step| step.is_required).map(|step| step.operation as usize).collect()
    }
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).expect("operations are counted in a u32")
}

/// The events by their places in time, in linear time if those are dense.
fn sorted(mut timed: Vec<(u32, Event)>, budget: &mut Budget<'_>) -> Result<Vec<Event>, Exceeded> {
    let least = timed.iter().map(|(place, _)| *place).min().unwrap_or(0);
    let spread = timed.iter().map(|(place, _)| (place - least) as usize + 1).max().unwrap_or(0);
    if spread / PLACES_PER_EVENT > timed.len() {
        sort_by_key(budget, &mut timed, |(place, _)| *place)?;
        return Ok(timed.into_iter().map(|(_, event)| event).collect());
    }
    let bytes = (spread * size_of::<Option<Event>>()) as u64;
    budget.allocate(bytes)?;
    let mut places = vec![None; spread];
    for (place, event) in timed {
        budget.tick()?;
        let before = places[(place - least) as usize].replace(event);
        assert_eq!(before, None, "two operations share the place {place}");
    }
    budget.release(bytes);
    Ok(places.into_iter().flatten().collect())
}

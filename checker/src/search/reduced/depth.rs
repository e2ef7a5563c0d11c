//! Depth first: one configuration, and back to the last choice where it gets stuck.
//!
//! Of the configurations after a return that is taken first which has placed most of what is pending. Histories without
//! faults mostly need nothing else, so this is given few steps; where it does not come through, it proves nothing.

use super::configuration::Configuration;
use super::frontier::Frontier;
use super::plan::Event;
use super::{Ended, Machine, trail};

/// How many steps per event it may take.
const STEPS_PER_EVENT: u64 = 4;

/// The configurations that could be taken instead after a return, the best one last.
struct Choice<const W: usize> {
    event: usize,
    others: Vec<Configuration<W>>,
}

/// Looks for an order; `None` if it found none within a few steps.
pub(super) fn search<M: Machine, const W: usize>(
    frontier: &mut Frontier<'_, '_, '_, M, W>,
    initial: &[u32],
) -> Result<Option<Vec<usize>>, Ended> {
    let events = frontier.plan.events.len();
    let enough = frontier.budget.steps() + STEPS_PER_EVENT * events as u64;
    let mut begins: Vec<_> = initial.iter().rev().map(|state| frontier.begin(*state)).collect();
    let Some(mut now) = begins.pop() else { return Ok(None) };
    let mut choices = Vec::new();
    if !begins.is_empty() {
        choices.push(Choice { event: 0, others: begins });
        frontier.kept = initial.len();
    }
    let mut next = Vec::new();
    while let Some(event) = frontier.plan.events.get(frontier.event).copied() {
        match event {
            Event::Called(step) => frontier.called(&mut now, step),
            Event::Lost(_) => {}
            Event::Returned(step) => {
                next.clear();
                let expanded = frontier.expand(&now, step, &mut next);
                expanded.map_err(|exceeded| frontier.ended(exceeded, &[now]))?;
                if next.len() > 1 {
                    next.sort_by_key(|configuration| configuration.used.len() + configuration.covered.len());
                }
                now = match next.pop() {
                    Some(best) => {
                        if !next.is_empty() {
                            let others = std::mem::take(&mut next);
                            frontier.kept += others.len();
                            choices.push(Choice { event: frontier.event + 1, others });
                        }
                        best
                    }
                    None => match back(frontier, &mut choices) {
                        Some(other) if frontier.budget.steps() < enough => {
                            now = other;
                            continue;
                        }
                        _ => return Ok(None),
                    },
                };
            }
        }
        frontier.pass();
    }
    let order = trail::order(frontier, &now);
    order.map(Some).map_err(|exceeded| frontier.ended(exceeded, &[now]))
}

/// Goes back to the last choice and takes another configuration.
fn back<M: Machine, const W: usize>(
    frontier: &mut Frontier<'_, '_, '_, M, W>,
    choices: &mut Vec<Choice<W>>,
) -> Option<Configuration<W>> {
    let choice = choices.last_mut()?;
    while frontier.event > choice.event {
        frontier.unpass();
    }
    let other = choice.others.pop().expect("a choice has others");
    frontier.kept -= 1;
    if choice.others.is_empty() {
        choices.pop();
    }
    Some(other)
}

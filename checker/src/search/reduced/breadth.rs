//! Breadth first: all configurations that are left, from event to event.

use super::configuration::Configuration;
use super::frontier::Frontier;
use super::plan::Event;
use super::{Ended, Found, Machine, Stuck, trail};

/// Goes through all events with all configurations.
pub(super) fn search<M: Machine, const W: usize>(
    frontier: &mut Frontier<'_, '_, '_, M, W>,
    initial: &[u32],
) -> Result<Found, Ended> {
    let mut now: Vec<Configuration<W>> = Vec::new();
    for state in initial {
        let begin = frontier.begin(*state);
        now.push(begin);
    }
    let mut next = Vec::new();
    let mut states = States::default();
    while let Some(event) = frontier.plan.events.get(frontier.event).copied() {
        match event {
            Event::Called(step) => {
                for configuration in &mut now {
                    frontier.called(configuration, step);
                }
                let spent = frontier.budget.spend(now.len() as u64);
                spent.map_err(|exceeded| frontier.ended(exceeded, &now))?;
            }
            Event::Lost(_) => {}
            Event::Returned(step) => {
                next.clear();
                frontier.kept = now.len();
                for configuration in &now {
                    let expanded = frontier.expand(configuration, step, &mut next);
                    expanded.map_err(|exceeded| frontier.ended(exceeded, &now))?;
                }
                if next.is_empty() {
                    let left = now.iter().map(|configuration| configuration.state).collect();
                    let blocked = frontier.plan.steps[step as usize].operation as usize;
                    let event = frontier.event;
                    return Ok(Found::Stuck(Stuck { event, blocked, left, seen: states.all }));
                }
                std::mem::swap(&mut now, &mut next);
                states.add(&now);
            }
        }
        frontier.pass();
    }
    let any = now.first().expect("there is a configuration");
    let order = trail::order(frontier, any);
    order.map(Found::Order).map_err(|exceeded| frontier.ended(exceeded, &now))
}

/// The states that configurations were in after a return, each once.
#[derive(Debug, Default)]
struct States {
    is_in: Vec<bool>,
    all: Vec<u32>,
}

impl States {
    fn add<const W: usize>(&mut self, configurations: &[Configuration<W>]) {
        for configuration in configurations {
            let state = configuration.state as usize;
            if state >= self.is_in.len() {
                self.is_in.resize(state + 1, false);
            }
            if !std::mem::replace(&mut self.is_in[state], true) {
                self.all.push(configuration.state);
            }
        }
    }
}

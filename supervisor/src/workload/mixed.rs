//! Everything at once: conversations with subscriptions, accounts and registers, each on keys of its own.
//!
//! The weights of the mix settle how often each family has its turn, and within a family what it does. A family of which
//! the mix names nothing is not there.

use super::{Mix, Workload, register};
use crate::rng::Rng;
use crate::scenario::workload::Family;
use crate::system::{Invocation, Outcome};

/// See the module.
pub struct Mixed {
    families: Vec<(Family, Box<dyn Workload>)>,
    /// The place in `families` of whose turn it is.
    turns: Mix<usize>,
    workers: Vec<Rng>,
}

impl Mixed {
    /// The families with their weights, of which one at least is not 0. Each worker has a generator for whose turn it is.
    #[must_use]
    pub fn new(families: Vec<(Family, u32, Box<dyn Workload>)>, workers: Vec<Rng>) -> Self {
        let turns = Mix::new(families.iter().enumerate().map(|(place, (_, weight, _))| (place, *weight)));
        let families = families.into_iter().map(|(family, _, workload)| (family, workload)).collect();
        Self { families, turns, workers }
    }

    /// The family that the invocation came from.
    fn of(&self, invocation: &Invocation) -> Option<usize> {
        let family = match invocation.f {
            _ if register::is_ours(invocation) => Family::Registers,
            "create-account" | "delete-account" | "login" | "list-accounts" => Family::Accounts,
            _ => Family::Conversations,
        };
        self.families.iter().position(|(own, _)| *own == family)
    }
}

impl Workload for Mixed {
    fn next(&mut self, worker: usize) -> Invocation {
        let turn = self.turns.draw(&mut self.workers[worker]);
        self.families[turn].1.next(worker)
    }

    fn completed(&mut self, invocation: &Invocation, outcome: &Outcome) {
        if let Some(place) = self.of(invocation) {
            self.families[place].1.completed(invocation, outcome);
        }
    }

    fn final_reads(&self, reader: usize, readers: usize) -> Vec<Invocation> {
        self.families.iter().flat_map(|(_, family)| family.final_reads(reader, readers)).collect()
    }

    fn next_page(&self, invocation: &Invocation, outcome: &Outcome) -> Option<Invocation> {
        self.families[self.of(invocation)?].1.next_page(invocation, outcome)
    }
}

//! The configuration that came farthest, for a person who asks why there is no order.

use super::Walk;
use crate::model::Model;
use crate::search::problem::{OBSERVING, REQUIRED};

/// The most refusals of the blocked operation that are kept.
pub(in crate::search) const REFUSALS_MAX: usize = 3;

/// The configuration that came farthest.
#[derive(Debug, Clone)]
pub(in crate::search) struct Farthest {
    frontier: u32,
    /// The operation that completes next and could not be placed.
    pub(in crate::search) blocked: usize,
    /// Why, in each of the states that are possible there; a few of them.
    pub(in crate::search) refusals: Vec<String>,
    /// Why the others that could come next there cannot, each in one state.
    pub(in crate::search) others: Vec<(usize, String)>,
}

impl Farthest {
    /// The operation that could not be placed, and why.
    pub(in crate::search) fn new(blocked: usize, refusals: Vec<String>) -> Self {
        Farthest { frontier: 0, blocked, refusals, others: Vec::new() }
    }
}

impl<M: Model> Walk<'_, '_, '_, M> {
    /// Remembers the configuration, if none came farther and the walk explains.
    pub(super) fn note_farthest(&mut self) {
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

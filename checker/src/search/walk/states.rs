//! The states that a walk has been in.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::limits::{Budget, Exceeded};
use crate::model::Model;
use crate::search::index::Index;

/// The states of a walk, each once, named by small numbers.
#[derive(Debug)]
pub(super) struct States<S> {
    pub(super) all: Vec<S>,
    index: Index,
}

impl<S: Eq + Hash> States<S> {
    /// No state.
    pub(super) fn new() -> Self {
        States { all: Vec::new(), index: Index::new() }
    }

    /// The number of a state.
    pub(super) fn number<M: Model<State = S>>(
        &mut self,
        model: &M,
        state: S,
        budget: &mut Budget<'_>,
    ) -> Result<u32, Exceeded> {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(number) = self.index.find(hash, |number| self.all[number as usize] == state) {
            return Ok(number);
        }
        budget.allocate(model.heap_bytes(&state) as u64)?;
        let number = self.index.add(hash, budget)?;
        budget.push(&mut self.all, state)?;
        Ok(number)
    }
}

//! A state that runs ahead of what is committed: where [`super::Bug::ApplyUncommitted`] bites.

use std::collections::BTreeMap;

use crate::raft::types::{Answer, Entry};

/// The answers of entries that were applied before anybody asked for it, by index.
#[derive(Default)]
pub struct Ahead(BTreeMap<u64, Answer>);

impl Ahead {
    /// Of `asked` and of `log`, which follows it, what is to be applied to a state that includes all up to `applied`.
    #[must_use]
    pub fn fresh(asked: &[Entry], log: Vec<Entry>, applied: u64) -> Vec<Entry> {
        let asked = asked.iter().cloned();
        asked.chain(log).filter(|entry| entry.log_id.index() == 0 || entry.log_id.index() > applied).collect()
    }

    /// Keeps the answers of `applied`, and gives those of `asked`: whatever stood at the index when it was applied.
    pub fn answers(&mut self, asked: &[Entry], applied: &[Entry], answers: Vec<Answer>) -> Vec<Answer> {
        self.0.extend(applied.iter().map(|entry| entry.log_id.index()).zip(answers));
        asked.iter().map(|entry| self.0.remove(&entry.log_id.index()).unwrap_or(Answer(None))).collect()
    }
}

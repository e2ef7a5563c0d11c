//! What each process of a history is doing.

use std::collections::HashMap;

use super::operation::OperationId;

/// What a process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Process {
    /// Nothing, or it never did anything.
    #[default]
    Idle,
    /// This operation.
    Open(OperationId),
    /// Nothing ever again: it got `info`.
    Dead,
}

/// Processes below this number have a place in a table.
const DENSE_MAX: u64 = 1 << 20;

/// The processes by their numbers. Numbers are mostly small, and asked for at every event.
#[derive(Debug, Clone, Default)]
pub(super) struct Processes {
    dense: Vec<Process>,
    sparse: HashMap<u64, Process>,
}

impl Processes {
    /// What a process is doing.
    pub(super) fn get(&self, number: u64) -> Process {
        let found = match Self::place(number) {
            Some(place) => self.dense.get(place),
            None => self.sparse.get(&number),
        };
        found.copied().unwrap_or_default()
    }

    /// Says what a process is doing.
    pub(super) fn set(&mut self, number: u64, process: Process) {
        match Self::place(number) {
            Some(place) => {
                if place >= self.dense.len() {
                    self.dense.resize(place + 1, Process::Idle);
                }
                self.dense[place] = process;
            }
            None => drop(self.sparse.insert(number, process)),
        }
    }

    fn place(number: u64) -> Option<usize> {
        usize::try_from(number).ok().filter(|_| number < DENSE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_numbers_are_kept() {
        let mut processes = Processes::default();
        let numbers = [0, 7, DENSE_MAX - 1, DENSE_MAX, u64::MAX];
        for (id, number) in (0..).zip(numbers) {
            assert_eq!(processes.get(number), Process::Idle);
            processes.set(number, Process::Open(OperationId(id)));
        }
        processes.set(7, Process::Dead);
        let all = numbers.map(|number| processes.get(number));
        let open = |id| Process::Open(OperationId(id));
        assert_eq!(all, [open(0), Process::Dead, open(2), open(3), open(4)]);
    }
}

//! People set, compare and read what they share one of: a register for each key.
//!
//! Every value is written once, so that a read tells whose write it saw. A compare-and-set mostly expects what was last
//! seen of its register, so that many succeed and many that run at once do not.

use std::collections::BTreeMap;

use rand::RngExt;
use serde_json::{Value, json};

use super::{Mix, Workload, people};
use crate::rng::Rng;
use crate::scenario::plan::{Plan, WorkloadKind};
use crate::system::{Invocation, Outcome};

/// How many in a hundred compare-and-sets expect a value that is probably outdated.
const OUTDATED_PERCENT: u32 = 15;

#[derive(Debug, Clone, Copy)]
enum Verb {
    Write,
    Read,
    Cas,
}

/// See the module.
#[derive(Debug)]
pub struct Register {
    keys: Vec<String>,
    mix: Mix<Verb>,
    workers: Vec<Worker>,
    /// What was last seen of each register, and what was seen before that.
    seen: BTreeMap<String, [Value; 2]>,
}

#[derive(Debug)]
struct Worker {
    rng: Rng,
    written: u64,
}

impl Register {
    /// The workload of `plan`, each worker with a generator of its own.
    #[must_use]
    pub fn new(plan: &Plan, workers: Vec<Rng>) -> Self {
        let weight = |verb: &str| plan.workload.mix.get(verb).copied().unwrap_or(0);
        let read = if plan.workload.kind == WorkloadKind::Mixed { "read-register" } else { "read" };
        Self {
            keys: people::registers(plan),
            mix: Mix::new([
                (Verb::Write, weight("write")),
                (Verb::Read, weight(read)),
                (Verb::Cas, weight("cas")),
            ]),
            workers: workers.into_iter().map(|rng| Worker { rng, written: 0 }).collect(),
            seen: BTreeMap::new(),
        }
    }

    /// A value that nobody has written: the workers take turns with the numbers.
    fn fresh(&mut self, worker: usize) -> u64 {
        let count = self.workers.len() as u64;
        let written = &mut self.workers[worker].written;
        *written += 1;
        *written * count + worker as u64
    }

    fn see(&mut self, key: &str, value: Value) {
        let [last, before] = self.seen.entry(key.to_owned()).or_default();
        if *last != value {
            *before = std::mem::replace(last, value);
        }
    }
}

/// Whether the invocation is one on a register: a read of one says nothing of pages.
pub(super) fn is_ours(invocation: &Invocation) -> bool {
    matches!(invocation.f, "write" | "cas") || (invocation.f == "read" && invocation.value.is_null())
}

impl Workload for Register {
    fn next(&mut self, worker: usize) -> Invocation {
        let rng = &mut self.workers[worker].rng;
        let key = self.keys[rng.random_range(0..self.keys.len())].clone();
        let is_outdated = rng.random_range(0..100) < OUTDATED_PERCENT;
        let (f, value) = match self.mix.draw(rng) {
            Verb::Read => ("read", Value::Null),
            Verb::Write => ("write", json!(self.fresh(worker))),
            Verb::Cas => {
                let [last, before] = self.seen.get(&key).cloned().unwrap_or_default();
                let from = if is_outdated { before } else { last };
                ("cas", json!([from, self.fresh(worker)]))
            }
        };
        Invocation { f, key: Some(key), value }
    }

    fn completed(&mut self, invocation: &Invocation, outcome: &Outcome) {
        let (Outcome::Ok(answer), Some(key)) = (outcome, &invocation.key) else { return };
        let value = match invocation.f {
            "read" => answer.clone(),
            "write" => invocation.value.clone(),
            _ => invocation.value[1].clone(),
        };
        self.see(key, value);
    }

    fn final_reads(&self, _reader: usize, _readers: usize) -> Vec<Invocation> {
        let read = |key: &String| Invocation { f: "read", key: Some(key.clone()), value: Value::Null };
        self.keys.iter().map(read).collect()
    }

    fn next_page(&self, _invocation: &Invocation, _outcome: &Outcome) -> Option<Invocation> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn register(workers: u64) -> Register {
        Register {
            keys: vec!["x".to_owned()],
            mix: Mix::new([(Verb::Write, 1), (Verb::Cas, 1)]),
            workers: (0..workers).map(|seed| Worker { rng: Rng::from_seed(seed), written: 0 }).collect(),
            seen: BTreeMap::new(),
        }
    }

    #[test]
    fn no_value_is_written_twice() {
        let mut register = register(3);
        let mut written = BTreeSet::new();
        for step in 0..300 {
            let invocation = register.next(step % 3);
            let value = if invocation.f == "cas" { &invocation.value[1] } else { &invocation.value };
            assert!(written.insert(value.as_u64().unwrap()), "{invocation:?}");
        }
    }

    #[test]
    fn a_compare_and_set_expects_what_was_last_seen_or_what_came_before() {
        let mut register = register(1);
        let read = register.final_reads(0, 1).remove(0);
        for value in [7, 8, 8] {
            register.completed(&read, &Outcome::Ok(json!(value)));
        }
        let mut expected = BTreeSet::new();
        for _ in 0..200 {
            let invocation = register.next(0);
            if invocation.f == "cas" {
                expected.insert(invocation.value[0].as_u64());
            }
        }
        assert_eq!(expected, BTreeSet::from([Some(7), Some(8)]));
    }
}

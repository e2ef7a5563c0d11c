//! People create accounts, log in and delete accounts, several at once under the same names.

use std::collections::BTreeSet;

use rand::RngExt;
use serde_json::{Value, json};

use super::{Mix, Workload};
use crate::rng::Rng;
use crate::scenario::plan::{Plan, WorkloadKind};
use crate::system::{Invocation, Outcome};

/// What the names of this workload match, and no others.
const NAMES_PATTERN: &str = "user-*";

/// The longest list that the chat gives at once.
const LIST_LIMIT: u64 = 1_000;

#[derive(Debug, Clone, Copy)]
enum Verb {
    Create,
    Delete,
    Login,
    List,
}

/// See the module.
#[derive(Debug)]
pub struct Accounts {
    names: Vec<String>,
    mix: Mix<Verb>,
    workers: Vec<Rng>,
    /// Names that somebody is logged in under, as far as the answers told: only those can be deleted.
    logged_in: BTreeSet<String>,
    /// The lists leave out everybody else, who is there for another family of operations.
    pattern: Option<&'static str>,
}

impl Accounts {
    /// The workload of `plan`, each worker with a generator of its own.
    #[must_use]
    pub fn new(plan: &Plan, workers: Vec<Rng>) -> Self {
        let weight = |verb: &str| plan.workload.mix.get(verb).copied().unwrap_or(0);
        Self {
            names: (0..plan.workload.keys).map(|number| format!("user-{number:03}")).collect(),
            mix: Mix::new([
                (Verb::Create, weight("create-account")),
                (Verb::Delete, weight("delete-account")),
                (Verb::Login, weight("login")),
                (Verb::List, weight("list-accounts")),
            ]),
            workers,
            logged_in: BTreeSet::new(),
            pattern: (plan.workload.kind == WorkloadKind::Mixed).then_some(NAMES_PATTERN),
        }
    }
}

impl Accounts {
    /// Every name at once: the pool of names is smaller than a page.
    fn list_all(&self, mut value: Value) -> Invocation {
        if let Some(pattern) = self.pattern {
            value["pattern"] = pattern.into();
        }
        Invocation { f: "list-accounts", key: None, value }
    }
}

impl Workload for Accounts {
    fn next(&mut self, worker: usize) -> Invocation {
        let rng = &mut self.workers[worker];
        let key = self.names[rng.random_range(0..self.names.len())].clone();
        let f = match self.mix.draw(rng) {
            Verb::List => return self.list_all(json!({ "limit": LIST_LIMIT })),
            Verb::Create => "create-account",
            Verb::Delete if self.logged_in.contains(&key) => "delete-account",
            Verb::Delete | Verb::Login => "login",
        };
        Invocation { f, key: Some(key), value: Value::Null }
    }

    fn completed(&mut self, invocation: &Invocation, outcome: &Outcome) {
        let Some(key) = &invocation.key else { return };
        match (invocation.f, outcome) {
            ("login", Outcome::Ok(_)) => self.logged_in.insert(key.clone()),
            ("delete-account", _) => self.logged_in.remove(key),
            _ => false,
        };
    }

    fn final_reads(&self, _reader: usize, _readers: usize) -> Vec<Invocation> {
        vec![self.list_all(json!({ "limit": LIST_LIMIT, "final": true }))]
    }

    fn next_page(&self, _invocation: &Invocation, _outcome: &Outcome) -> Option<Invocation> {
        None
    }
}

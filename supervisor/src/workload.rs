//! What clients do: an endless, seeded stream of operations, shaped by what was seen so far.
//!
//! A workload speaks in the words of the history (`send`, `read`, `create-account`) and knows nothing of how an
//! operation is carried out; that is the system's part. Each worker draws from a fork of its own, so what one worker
//! asks does not depend on how fast another is.

mod accounts;
mod conversation;
mod delivery;
mod mix;
mod mixed;
mod people;
mod register;

use crate::rng::Rng;
use crate::scenario::plan::{Plan, WorkloadKind};
use crate::scenario::workload::Family;
use crate::system::{Invocation, Outcome};

pub use accounts::Accounts;
pub use conversation::Conversation;
pub use delivery::Delivery;
pub use mix::Mix;
pub use mixed::Mixed;
pub use people::people;
pub use register::Register;

/// A stream of operations.
pub trait Workload {
    /// What `worker` does next.
    fn next(&mut self, worker: usize) -> Invocation;

    /// Learns how an operation ended.
    fn completed(&mut self, invocation: &Invocation, outcome: &Outcome);

    /// What decides, once the faults are over, what was kept: what the reader of the number `reader`, of `readers` in
    /// all, has to ask. There is one for each node. They read everything through every node; what need be asked only
    /// once they share among them.
    fn final_reads(&self, reader: usize, readers: usize) -> Vec<Invocation>;

    /// The final read that goes on where `invocation` ended; `None` when it reached the end.
    fn next_page(&self, invocation: &Invocation, outcome: &Outcome) -> Option<Invocation>;
}

/// The workload of a plan.
#[must_use]
pub fn of_plan(plan: &Plan, rng: &Rng) -> Box<dyn Workload> {
    let clients = plan.workload.clients;
    let workers_of = |rng: &Rng| (0..clients).map(|worker| rng.fork(&format!("worker-{worker}"))).collect();
    let of_family = |family: Family, rng: &Rng| -> Box<dyn Workload> {
        let workers = workers_of(rng);
        match family {
            Family::Conversations if plan.workload.mix.contains_key("poll") => {
                Box::new(Delivery::new(plan, workers, workers_of(&rng.fork("subscriptions"))))
            }
            Family::Conversations => Box::new(Conversation::new(plan, workers)),
            Family::Accounts => Box::new(Accounts::new(plan, workers)),
            Family::Registers => Box::new(Register::new(plan, workers)),
        }
    };
    match plan.workload.kind {
        WorkloadKind::Conversation | WorkloadKind::Delivery => of_family(Family::Conversations, rng),
        WorkloadKind::Accounts => of_family(Family::Accounts, rng),
        WorkloadKind::Register => of_family(Family::Registers, rng),
        WorkloadKind::Mixed => {
            let family = |family: Family| {
                let weight = family.operations().iter().filter_map(|name| plan.workload.mix.get(*name)).sum();
                (weight > 0).then(|| (family, weight, of_family(family, &rng.fork(family.name()))))
            };
            let families = Family::ALL.into_iter().filter_map(family).collect();
            Box::new(Mixed::new(families, workers_of(&rng.fork("family"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;
    use crate::scenario::file::ScenarioFile;

    fn plan(workload: &str) -> Plan {
        let text = format!(
            "version: 1\nname: w\nworkload: {{ {workload} }}\nrun: {{ duration: 1s }}\nchecks: [linearizable]\n"
        );
        let file = ScenarioFile::parse(Path::new("w.yaml"), &text, &[]);
        Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), 1)
    }

    fn drawn(plan: &Plan) -> Vec<Invocation> {
        let mut workload = of_plan(plan, &plan.rng());
        (0..2_000).map(|step| workload.next(step % 8)).collect()
    }

    #[test]
    fn every_workload_does_all_of_its_usual_mix_the_same_each_time() {
        let kinds = [
            WorkloadKind::Conversation,
            WorkloadKind::Accounts,
            WorkloadKind::Register,
            WorkloadKind::Delivery,
            WorkloadKind::Mixed,
        ];
        for kind in kinds {
            let plan = plan(&format!("kind: {kind}"));
            let operations = drawn(&plan);
            assert_eq!(operations, drawn(&plan), "{kind}");
            let done: BTreeSet<&str> = operations.iter().map(|invocation| invocation.f).collect();
            // Nobody is logged in, so nobody can delete an account; a read of a register is a read in the history.
            let expected = plan.workload.mix.keys().map(String::as_str);
            let expected = expected.filter(|name| *name != "delete-account").map(|name| match name {
                "read-register" | "stale-read" => "read",
                name => name,
            });
            assert_eq!(done, expected.collect(), "{kind}");
        }
    }

    #[test]
    fn some_reads_may_be_late_if_the_mix_says_so() {
        for kind in ["conversation", "delivery", "mixed"] {
            let drawn = drawn(&plan(&format!("kind: {kind}, mix: {{ send: 1, read: 1, stale-read: 1 }}")));
            let reads = drawn.iter().filter(|invocation| invocation.f == "read");
            let (stale, newest): (Vec<_>, Vec<_>) = reads.partition(|read| read.value["stale"] == true);
            let about_a_third = 500..800;
            assert!(about_a_third.contains(&stale.len()) && about_a_third.contains(&newest.len()), "{kind}");
        }
        assert!(drawn(&plan("kind: conversation")).iter().all(|read| read.value["stale"].is_null()));
    }

    #[test]
    fn no_key_belongs_to_two_families() {
        let mut family_of = BTreeMap::new();
        for invocation in drawn(&plan("kind: mixed, keys: 9")) {
            let family = match invocation.f {
                // An inbox is no object of its own.
                "poll" | "list-accounts" => continue,
                _ if register::is_ours(&invocation) => "register",
                "send" | "read" => "conversation",
                _ => "account",
            };
            let key = invocation.key.expect("it is about an object");
            assert_eq!(*family_of.entry(key.clone()).or_insert(family), family, "{key}");
        }
        let names: BTreeSet<String> = people(&plan("kind: mixed, keys: 9")).into_iter().collect();
        assert!(family_of.keys().all(|key| !names.contains(key)), "nobody deletes who talks");
    }

    #[test]
    fn a_family_that_is_not_in_the_mix_is_not_there() {
        let operations = drawn(&plan("kind: mixed, mix: { write: 1, send: 1 }"));
        let done: BTreeSet<&str> = operations.iter().map(|invocation| invocation.f).collect();
        assert_eq!(done, BTreeSet::from(["send", "write"]));
    }
}

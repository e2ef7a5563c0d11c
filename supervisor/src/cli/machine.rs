//! What plans need of this machine, asked before anything is started.
//!
//! Only the kernel's network needs something of it. It is asked in a process of its own, so that those who only ask, as
//! `validate` and `suite` do, stay where they are; who runs such a plan enters a namespace of his own then.

use std::cell::OnceCell;

use crate::kernel::namespace::{self, Namespace};
use crate::kernel::probe::{Ability, Capabilities, Missing, probe};
use crate::scenario::file::{ScenarioError, ScenarioErrors, ScenarioFile};
use crate::scenario::plan::{NetworkKind, Plan};
use crate::scenario::verb::Verb;

/// This machine, which is asked once, if at all.
#[derive(Debug, Default)]
pub(super) struct Machine {
    can: OnceCell<Result<Capabilities, Missing>>,
}

impl Machine {
    /// What it lacks for `plan`.
    pub(super) fn lack(&self, plan: &Plan) -> Option<Missing> {
        if !needs_namespace(plan) {
            return None;
        }
        match self.can.get_or_init(probe) {
            Ok(can) => abilities(plan).find_map(|ability| can.lack(ability)).cloned(),
            Err(missing) => Some(missing.clone()),
        }
    }

    /// What it lacks for `plan`, shown where `file`, of which the plan was made, asks for it.
    pub(super) fn refusal(&self, plan: &Plan, file: &ScenarioFile) -> Option<ScenarioErrors> {
        let Missing { what, remedy } = self.lack(plan)?;
        let said = file.cluster.network.expect("only a scenario that says so has the kernel's network");
        let message = format!("`network: kernel` is not possible here: {what}");
        Some(file.refuse(ScenarioError { place: said.place, message, help: Some(remedy) }))
    }
}

/// Moves this process into a namespace of its own, if one of `plans` needs it. To be done before a thread is started.
pub(super) fn enter_for<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Result<Option<Namespace>, String> {
    if !plans.into_iter().any(needs_namespace) {
        return Ok(None);
    }
    namespace::enter().map(Some).map_err(|missing| missing.to_string())
}

fn needs_namespace(plan: &Plan) -> bool {
    plan.cluster.network == NetworkKind::Kernel
}

/// What `plan` wants of the kernel besides partitions.
fn abilities(plan: &Plan) -> impl Iterator<Item = Ability> {
    let wanted = |ability: &Ability| {
        plan.verbs().any(|(_, verb)| match verb {
            Verb::Network(network) => match ability {
                Ability::Loss => network.loss.is_some(),
                Ability::Rate => network.rate.is_some(),
                Ability::Reset => network.reset,
            },
            _ => false,
        })
    };
    Ability::ALL.into_iter().filter(wanted)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn file(cluster: &str, fault: &str) -> ScenarioFile {
        let text = format!(
            "version: 1\nname: x\ncluster: {{ nodes: 3{cluster} }}\nworkload: {{ kind: conversation }}\n\
             run: {{ duration: 30s }}\nfaults:\n  - {{ at: 1s, {fault} }}\nchecks: [linearizable]\n"
        );
        ScenarioFile::parse(Path::new("x.yaml"), &text, &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn missing() -> Missing {
        Missing { what: "the kernel has no dice".to_owned(), remedy: "buy some".to_owned() }
    }

    #[test]
    fn a_machine_is_asked_only_by_those_who_need_it() {
        let machine = Machine::default();
        let plan = Plan::resolve(&file("", "for: 2s, partition: { isolate: n1 }"), 7);
        assert_eq!(machine.lack(&plan), None);
        assert!(machine.can.get().is_none());
        assert_eq!(enter_for([&plan]), Ok(None));
    }

    #[test]
    fn what_is_missing_is_shown_where_it_is_asked_for() {
        let file = file(", network: kernel", "for: 2s, partition: { isolate: n1 }");
        let machine = Machine { can: OnceCell::from(Err(missing())) };
        let refusal = machine.refusal(&Plan::resolve(&file, 7), &file).unwrap().to_string();
        let expected = [
            "x.yaml:3:31: `network: kernel` is not possible here: the kernel has no dice",
            "    3 | cluster: { nodes: 3, network: kernel }",
            "      |                               ^^^^^^",
            "      = buy some",
        ]
        .join("\n");
        assert_eq!(refusal, expected);
    }

    #[test]
    fn a_machine_that_lacks_something_else_is_good_enough() {
        let machine =
            Machine { can: OnceCell::from(Ok(Capabilities::lacking([(Ability::Loss, missing())]))) };
        let lack = |fault: &str| machine.lack(&Plan::resolve(&file(", network: kernel", fault), 7));
        assert_eq!(lack("for: 2s, partition: { isolate: n1 }"), None);
        assert_eq!(lack("for: 2s, network: { from: n1, to: n2, rate: 1KiB/s }"), None);
        assert_eq!(lack("for: 2s, network: { from: n1, to: n2, loss: 2% }"), Some(missing()));
    }
}

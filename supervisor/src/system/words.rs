//! Words of a scenario that only the system knows: the bugs that can be planted in it, and the points of its code at which a
//! node can be told to end. A scenario is read without them; they are looked at before anything starts, by `validate` too,
//! and shown where they stand.

use super::System;
use crate::scenario::file::{Place, Placed, SaidVerb, ScenarioError, ScenarioErrors, ScenarioFile};
use crate::scenario::plan::Plan;
use crate::scenario::verb::Verb;

/// What is wrong with these words in `file`, if anything is.
#[must_use]
pub fn refusal(system: &dyn System, file: &ScenarioFile) -> Option<ScenarioErrors> {
    let points = system.faults().map(|faults| faults.crash_points()).unwrap_or_default();
    let of_verb = |verb: &SaidVerb| match verb {
        SaidVerb::Crash { at, .. } => unknown(at, "crash point", &points),
        _ => None,
    };
    let bug = file.cluster.inject_bug.as_ref().and_then(|bug| unknown(bug, "bug", &system.bugs()));
    let errors: Vec<ScenarioError> = bug.into_iter().chain(file.verbs().filter_map(of_verb)).collect();
    (!errors.is_empty()).then(|| file.refuse_all(errors))
}

/// The same of a plan: the path of the field, and what is wrong with it.
#[must_use]
pub fn broken(system: &dyn System, plan: &Plan) -> Option<(String, String)> {
    let points = system.faults().map(|faults| faults.crash_points()).unwrap_or_default();
    let wrong = |at: String, word: &str, what: &str, known: &[&str]| {
        let said = Placed { value: word.to_owned(), place: Place::START };
        unknown(&said, what, known).map(|ScenarioError { message, .. }| (at, message))
    };
    let of_verb = |(at, verb): (String, &Verb)| match verb {
        Verb::Crash(crash) => wrong(format!("{at}.crash.at"), &crash.at, "crash point", &points),
        _ => None,
    };
    let strikes = plan.strikes.iter().enumerate();
    let strikes = strikes.map(|(index, strike)| (format!("strikes.{index}.verb"), &strike.verb));
    let steps = plan.steps.iter().enumerate();
    let steps = steps
        .filter_map(|(index, step)| Some((format!("steps.{index}.do.strike.verb"), step.action.verb()?)));
    let bug = plan.cluster.inject_bug.as_ref();
    let bug = bug.and_then(|bug| wrong("cluster.inject-bug".to_owned(), bug, "bug", &system.bugs()));
    bug.or_else(|| strikes.chain(steps).find_map(of_verb))
}

/// A system that has none of these words at all says so by itself.
fn unknown(said: &Placed<String>, what: &str, known: &[&str]) -> Option<ScenarioError> {
    if known.is_empty() || known.contains(&said.value.as_str()) {
        return None;
    }
    Some(ScenarioError::unknown_word(said, what, known))
}

#[cfg(all(test, feature = "chat"))]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::system::built_in;

    #[test]
    fn a_word_that_the_system_does_not_know_is_shown_where_it_stands() {
        let text = "\
version: 1
name: x
cluster: { inject-bug: stale-reed }
workload: { kind: conversation }
run: { duration: 30s }
faults:
  - { at: 1s, for: 1s, crash: { target: leader, at: append-befor-sync } }
nemesis:
  interval: 1s
  duration: 1s
  kinds: { crash: 1 }
  options: { crash: { target: leader, at: nowhere } }
steps:
  - crash: { target: leader, at: append-after-sync }
checks: [linearizable]
";
        let file = ScenarioFile::parse(Path::new("x.yaml"), text, &[]);
        let file = file.unwrap_or_else(|errors| panic!("{errors}"));
        let system = built_in(64, 1).expect("this build has the chat");
        let refusal = refusal(&*system, &file).expect("three words are wrong").to_string();
        let bug = "x.yaml:3:24: unknown bug `stale-reed`; did you mean `stale-read`?\n";
        assert!(refusal.starts_with(bug), "{refusal}");
        let point =
            "x.yaml:7:53: unknown crash point `append-befor-sync`; did you mean `append-before-sync`?\n";
        assert!(refusal.contains(point), "{refusal}");
        assert!(refusal.contains("x.yaml:12:43: unknown crash point `nowhere`\n"), "{refusal}");
        assert!(refusal.contains(" = expected one of: "), "{refusal}");
    }
}

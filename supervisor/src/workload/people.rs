//! Who there is, and what they share: the names behind the keys of a workload.
//!
//! The key of a conversation is the names of its two people, in order, with a colon between them. So it says to whom a
//! message is told, which the check of subscriptions relies on.

use crate::scenario::plan::{Plan, WorkloadKind};

/// The conversations of a plan's workload.
pub(super) fn conversations(plan: &Plan) -> Vec<String> {
    let count = plan.workload.keys;
    match plan.workload.kind {
        WorkloadKind::Conversation => pairs(count),
        WorkloadKind::Delivery | WorkloadKind::Mixed => ring(count),
        WorkloadKind::Accounts | WorkloadKind::Register => Vec::new(),
    }
}

/// The registers of a plan's workload. Each is shared by two people who share nothing else.
pub(super) fn registers(plan: &Plan) -> Vec<String> {
    match plan.workload.kind {
        WorkloadKind::Register | WorkloadKind::Mixed => {
            (0..plan.workload.keys).map(|number| format!("xavier-{number:03}:yvonne-{number:03}")).collect()
        }
        WorkloadKind::Conversation | WorkloadKind::Accounts | WorkloadKind::Delivery => Vec::new(),
    }
}

/// Everybody who must be there before the load, each once.
#[must_use]
pub fn people(plan: &Plan) -> Vec<String> {
    let keys = [conversations(plan), registers(plan)].concat();
    of_keys(&keys)
}

/// The people of conversations, in order, each once.
pub(super) fn of_keys(keys: &[String]) -> Vec<String> {
    let mut people: Vec<String> = keys.iter().flat_map(|key| key.split(':')).map(str::to_owned).collect();
    people.sort_unstable();
    people.dedup();
    people
}

/// `count` conversations of two people each, who talk to nobody else: `alice:bob`, `carol:dave`, …
fn pairs(count: u32) -> Vec<String> {
    (0..count).map(|pair| format!("{}:{}", person(2 * pair), person(2 * pair + 1))).collect()
}

/// `count` conversations of people who talk to two others each, so that an inbox has several of them: `alice:bob`,
/// `bob:carol`, …, and the last with the first if there are three of them or more.
fn ring(count: u32) -> Vec<String> {
    let pair = |place: u32| match place + 1 {
        next if next == count && count > 2 => format!("{}:{}", person(0), person(place)),
        next => format!("{}:{}", person(place), person(next)),
    };
    (0..count).map(pair).collect()
}

/// The name of a person; names are in the order of their numbers.
fn person(number: u32) -> String {
    const NAMES: [&str; 20] = [
        "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim", "leo",
        "mallory", "niaj", "olivia", "peggy", "quinn", "rupert", "sybil", "trent",
    ];
    let name = usize::try_from(number).ok().and_then(|number| NAMES.get(number));
    name.map_or_else(|| format!("u{number:06}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_names_of_a_pair_are_in_order_and_no_person_is_in_two() {
        let keys = pairs(40);
        let mut seen = std::collections::BTreeSet::new();
        for key in &keys {
            let (one, other) = key.split_once(':').unwrap();
            assert!(one < other, "{key}");
            assert!(seen.insert(one.to_owned()) && seen.insert(other.to_owned()), "{key}");
        }
    }

    #[test]
    fn a_ring_has_each_pair_once_and_its_people_in_two_of_them() {
        for count in 1..40 {
            let keys = ring(count);
            let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
            assert_eq!((keys.len(), distinct.len()), (count as usize, count as usize), "{keys:?}");
            assert!(keys.iter().all(|key| key.split_once(':').is_some_and(|(one, other)| one < other)));
            let people = of_keys(&keys).len();
            assert_eq!(people, if count > 2 { count as usize } else { count as usize + 1 }, "{keys:?}");
        }
        assert_eq!(ring(3), ["alice:bob", "bob:carol", "alice:carol"]);
    }
}

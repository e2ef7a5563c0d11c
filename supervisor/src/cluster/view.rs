//! What the nodes say of themselves, taken together.

use std::collections::BTreeMap;

use crate::quorum::majority;
use crate::system::{NodeName, NodeView};

/// What every node says of itself; nothing, when it is not up or does not answer.
pub type Views = BTreeMap<NodeName, Option<NodeView>>;

/// The node that leads the highest term among those that say they lead.
pub(crate) fn leader(views: &Views) -> Option<(&NodeName, &NodeView)> {
    let known = views.iter().filter_map(|(name, view)| Some((name, view.as_ref()?)));
    known.filter(|(_, view)| view.leads()).max_by_key(|(_, view)| view.term)
}

/// That node, if a majority of all nodes follows it in its term.
pub(crate) fn followed_leader(views: &Views) -> Option<NodeName> {
    let (leader, NodeView { term, .. }) = leader(views)?;
    let follows = |view: &&NodeView| view.term == *term && view.leader.as_ref() == Some(leader);
    let followers = views.values().flatten().filter(follows).count();
    (followers >= majority(views.len())).then(|| leader.clone())
}

/// `n1 leader@7 applied 9, n2 follower@7 applied 8, n3 silent`, for messages about limits.
pub(crate) fn describe(views: &Views) -> String {
    let describe = |(name, view): (&NodeName, &Option<NodeView>)| match view {
        Some(view) => format!("{name} {}@{} applied {}", view.role, view.term, view.applied),
        None => format!("{name} silent"),
    };
    format!("nodes: {}", views.iter().map(describe).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(of: &[(&str, u64, &str)]) -> Views {
        let view = |(role, term, leader): &(&str, u64, &str)| NodeView {
            role: (*role).to_owned(),
            term: *term,
            leader: Some((*leader).to_owned()),
            applied: 9,
            last_log: 9,
            purged: 0,
            members: BTreeMap::new(),
            is_changing: false,
        };
        let named = of.iter().enumerate().map(|(index, of)| (format!("n{}", index + 1), Some(view(of))));
        named.collect()
    }

    #[test]
    fn a_leader_that_was_deposed_and_does_not_know_it_is_not_the_leader() {
        let mut seen = views(&[("leader", 2, "n1"), ("leader", 3, "n2"), ("follower", 3, "n2")]);
        assert_eq!(followed_leader(&seen).as_deref(), Some("n2"));
        seen.insert("n3".to_owned(), None);
        assert_eq!(leader(&seen).map(|(name, view)| (name.as_str(), view.term)), Some(("n2", 3)));
        assert_eq!(followed_leader(&seen), None, "one of three is no majority");
        assert_eq!(describe(&seen), "nodes: n1 leader@2 applied 9, n2 leader@3 applied 9, n3 silent");
    }
}

//! Which node to ask: a decision without a clock or a network of its own.
//!
//! The node that served last is asked again. One that failed hands its turn to the next one in the list, so that the
//! turn comes to each however long a try takes, and is avoided for a while that doubles with each failure in a row. When
//! all are avoided, the one that is free soonest is asked: there
//! is always somebody to ask.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::Instant;

/// How long a node is avoided after its first failure.
const AVOID_FIRST: Duration = Duration::from_millis(100);
/// No node is avoided for longer: a restart takes about as long.
const AVOID_MAX: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Preference {
    nodes: Vec<Node>,
    preferred: usize,
}

#[derive(Debug, Clone, Default)]
struct Node {
    name: Option<String>,
    failures: u32,
    avoid_until: Option<Instant>,
}

impl Node {
    fn is_avoided(&self, now: Instant) -> bool {
        self.avoid_until.is_some_and(|until| now < until)
    }
}

impl Preference {
    /// `count` nodes, at least one, of which nothing is known.
    pub(super) fn new(count: usize) -> Self {
        assert!(count > 0, "there is no node to prefer");
        Preference { nodes: vec![Node::default(); count], preferred: 0 }
    }

    /// The node to ask.
    pub(super) fn pick(&self, now: Instant) -> usize {
        let count = self.nodes.len();
        let in_turn = || (0..count).map(|step| (self.preferred + step) % count);
        in_turn()
            .find(|&place| !self.nodes[place].is_avoided(now))
            .or_else(|| in_turn().min_by_key(|&place| self.nodes[place].avoid_until))
            .expect("there is at least one node")
    }

    pub(super) fn succeeded(&mut self, place: usize) {
        self.preferred = place;
        self.nodes[place].failures = 0;
        self.nodes[place].avoid_until = None;
    }

    pub(super) fn failed(&mut self, place: usize, now: Instant) {
        let node = &mut self.nodes[place];
        let doublings = node.failures.min(31);
        node.failures = node.failures.saturating_add(1);
        node.avoid_until = Some(now + AVOID_FIRST.saturating_mul(1 << doublings).min(AVOID_MAX));
        if self.preferred == place {
            self.preferred = (place + 1) % self.nodes.len();
        }
    }

    pub(super) fn name(&mut self, place: usize, name: String) {
        self.nodes[place].name = Some(name);
    }

    pub(super) fn unname(&mut self, place: usize) {
        self.nodes[place].name = None;
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.place_of(name).is_some()
    }

    /// Prefers the node called `name`, unless it is unknown or has just failed itself.
    pub(super) fn follow(&mut self, name: &str, now: Instant) {
        if let Some(place) = self.place_of(name).filter(|&place| !self.nodes[place].is_avoided(now)) {
            self.preferred = place;
        }
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name.as_deref() == Some(name))
    }
}

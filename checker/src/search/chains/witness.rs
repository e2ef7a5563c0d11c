//! The few operations that show a flaw: those that make the theorem's condition false, and the writers without which
//! they could not be judged by themselves.

use std::collections::HashMap;

use super::clusters::{Cluster, Clusters, NONE, START};
use super::{Flaw, NEVER, Part, Role};

/// The parts that have no order by themselves, ascending.
pub(super) fn witness(parts: &[Part], clusters: &Clusters, flaw: Flaw) -> Vec<usize> {
    let mut witness = Witness { parts, clusters, found: Vec::new() };
    match flaw {
        Flaw::Phantom { value } => witness.below(value),
        Flaw::Fork { one, other } => {
            witness.above(one);
            witness.below(one);
            witness.above(other);
            witness.below(other);
        }
        Flaw::Cycle { value } => {
            witness.above(value);
            witness.below(value);
        }
        Flaw::Early { value, call } => {
            witness.above(value);
            witness.returned_at(clusters.of(value).first_return);
            witness.invoked_at(call);
        }
        Flaw::Clash { one, other } => {
            witness.bounds(one);
            witness.bounds(other);
        }
    }
    // Where nobody knows what was there at the start, this says it.
    clusters.start().into_iter().for_each(|start| witness.below(start));
    witness.found.sort_unstable();
    witness.found.dedup();
    witness.found
}

struct Witness<'a> {
    parts: &'a [Part],
    clusters: &'a Clusters,
    found: Vec<usize>,
}

impl Witness<'_> {
    fn writer(&mut self, cluster: &Cluster) {
        if cluster.writer < START {
            self.found.push(cluster.writer as usize);
        }
    }

    /// The writers of a value and of all that it came from, with a reader that proves them.
    fn above(&mut self, value: u32) {
        self.reader(value);
        let mut at = value;
        // Behind a fork the way up may lead into a cycle that it did not begin in.
        for _ in self.clusters.all() {
            let cluster = *self.clusters.of(at);
            self.writer(&cluster);
            at = cluster.from;
            if at == NONE || at == value {
                return;
            }
        }
    }

    /// An answer that proves that the value was there: of its writer, of a reader, or of what came from it.
    fn below(&mut self, value: u32) {
        let mut at = value;
        loop {
            let cluster = *self.clusters.of(at);
            self.writer(&cluster);
            if cluster.first_return != NEVER {
                self.returned_at(cluster.first_return);
                self.reader(at);
                return;
            }
            at = cluster.next;
            if at == NONE || at == value {
                return;
            }
        }
    }

    /// The reader of a value, or of the next one that came from it and has a reader, with the writers up to there. What replaces a value may by itself
    /// be possible anywhere: then it is the reader that says where it was.
    fn reader(&mut self, value: u32) {
        let below: HashMap<u32, usize> =
            self.clusters.chain(value).take(self.clusters.all().len()).zip(0..).collect();
        let depth = |part: &Part| match part.role {
            Role::Reads(value) => below.get(&value).copied(),
            _ => None,
        };
        let readers =
            self.parts.iter().enumerate().filter_map(|(position, part)| Some((depth(part)?, position)));
        let Some((depth, position)) = readers.min() else { return };
        self.found.push(position);
        for value in self.clusters.chain(value).take(depth + 1) {
            let cluster = *self.clusters.of(value);
            self.writer(&cluster);
        }
    }

    /// What begins and ends the zone of a chain.
    fn bounds(&mut self, root: u32) {
        let (mut first, mut last) = (root, root);
        for value in self.clusters.chain(root) {
            if self.clusters.of(value).first_return < self.clusters.of(first).first_return {
                first = value;
            }
            if self.clusters.of(value).last_call > self.clusters.of(last).last_call {
                last = value;
            }
        }
        for value in [first, last] {
            self.above(value);
            self.below(value);
        }
        self.invoked_at(self.clusters.of(last).last_call);
    }

    fn returned_at(&mut self, place: u32) {
        self.found.extend(self.parts.iter().position(|part| part.returned == place));
    }

    fn invoked_at(&mut self, place: u32) {
        self.found.extend(self.parts.iter().position(|part| part.invoked == place));
    }
}

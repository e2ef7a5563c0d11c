//! Whether the deletes of a conversation can be ordered at all.
//!
//! # Theorem
//! Let `T(n)` be the moment at which the conversation reached `n` messages, `D(p)` that at which message `p` was
//! deleted, and `r` the point of a page. What has to come before what is known of each pair: `T(n)` before `T(n + 1)`,
//! `T(p)` before `D(p)`, `T(n)` before a page with head `n` before `T(n + 1)`, and a page before or behind the `D` of
//! each message that it shows. Each of them has an interval. Points can be found exactly if the relation has no cycle
//! and no moment has a predecessor whose interval begins after its own has ended (any number of points fit between two
//! events).
//!
//! So the earliest moment of everything is computed in a topological order, and compared with the latest. Heads give
//! that order but for what happened at one and the same length of the conversation: that is sorted by itself (Kahn,
//! 1962), and a cycle can be nowhere else, for each `D` lies at a length that no page contradicts; [`super::deletes`]
//! has seen to that. A page that shows only tombstones, or none, of messages that were being deleted is no point of its
//! own: what it says is said of the `D`s themselves.
//!
//! The time is linear in the messages since the first delete and in what pages show of messages that are being deleted.

use std::collections::BTreeMap;

use super::deletes::{Deletes, Levels};
use crate::limits::{Budget, Exceeded};

/// Operations that no order explains, in no order: at most four of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contradiction {
    /// A message that they are about.
    pub(super) seq: u32,
    pub(super) operations: Vec<u32>,
}

/// The most operations that a contradiction names.
const OPERATIONS_MAX: usize = 4;

/// The earliest moment of something, and the last delete or page before it that makes it so late.
#[derive(Debug, Clone, Copy, Default)]
struct Earliest {
    event: u32,
    via: Option<usize>,
}

impl Earliest {
    fn later(self, other: Earliest) -> Earliest {
        if other.event > self.event { other } else { self }
    }
}

/// A delete that took effect, or a page between deletes.
struct Node {
    operation: u32,
    seq: u32,
    earliest: Earliest,
    latest: u32,
    /// At which length of the conversation it comes.
    level: u32,
    /// The length of the conversation at which it has to be over.
    until: Option<u32>,
    before: Vec<usize>,
    /// How many nodes of the same level have to come first.
    waits: u32,
}

/// What no order of a conversation's deletes explains; `length` is how many messages are proven.
pub(super) fn contradiction(
    deletes: &Deletes,
    length: u32,
    budget: &mut Budget<'_>,
) -> Result<Option<Contradiction>, Exceeded> {
    let before = budget.memory();
    let nodes = nodes(deletes, budget)?;
    let found = Order { nodes, levels: &deletes.levels, pending: BTreeMap::new() }.sweep(length, budget);
    budget.release(budget.memory().saturating_sub(before));
    found
}

/// The bytes of a node, of its number in a map and among the groups, and of what waits for it.
const NODE_BYTES: u64 = (size_of::<Node>() + 2 * size_of::<(u32, usize)>() + 4 * size_of::<usize>()) as u64;

fn nodes(deletes: &Deletes, budget: &mut Budget<'_>) -> Result<Vec<Node>, Exceeded> {
    let base = deletes.levels.base;
    let mut nodes = Vec::new();
    let mut numbers = BTreeMap::new();
    for (&seq, tomb) in &deletes.tombs {
        budget.tick()?;
        let (Some(dead), Some(first)) = (tomb.dead, tomb.tries.first()) else { continue };
        budget.allocate(NODE_BYTES)?;
        numbers.insert(seq, nodes.len());
        let alive = tomb.last_alive.map_or(0, |last| last.event);
        let long = tomb.long_alive.map_or(0, |long| long.head);
        nodes.push(Node {
            operation: first.operation,
            seq,
            earliest: Earliest { event: first.began.max(alive), via: None },
            latest: dead.event,
            level: long.max(seq).max(base),
            until: tomb.short.map(|short| short.head),
            before: Vec::new(),
            waits: 0,
        });
    }
    for page in &deletes.between {
        let shown = (page.dead.len() + page.alive.len()) as u64;
        budget.ticks(1 + shown)?;
        budget.allocate(NODE_BYTES + shown * size_of::<usize>() as u64)?;
        let number = nodes.len();
        let of = |seqs: &[u32]| -> Vec<usize> {
            seqs.iter().filter_map(|seq| numbers.get(seq).copied()).collect()
        };
        let (dead, alive) = (of(&page.dead), of(&page.alive));
        let same = |nodes: &[Node], other: usize| u32::from(nodes[other].level == page.head);
        let waits = dead.iter().map(|other| same(&nodes, *other)).sum();
        for other in dead {
            nodes[other].before.push(number);
        }
        for other in &alive {
            nodes[*other].waits += same(&nodes, *other);
        }
        nodes.push(Node {
            operation: page.operation,
            seq: page.dead.first().copied().unwrap_or(0),
            earliest: Earliest { event: page.began, via: None },
            latest: page.ended,
            level: page.head,
            until: Some(page.head),
            before: alive,
            waits,
        });
    }
    Ok(nodes)
}

struct Order<'a> {
    nodes: Vec<Node>,
    levels: &'a Levels,
    /// By length: the earliest moment at which it can be reached, because of what has to be over by then.
    pending: BTreeMap<u32, Earliest>,
}

impl Order<'_> {
    fn sweep(&mut self, length: u32, budget: &mut Budget<'_>) -> Result<Option<Contradiction>, Exceeded> {
        let mut by_level: Vec<usize> = (0..self.nodes.len()).collect();
        by_level.sort_by_key(|number| self.nodes[*number].level);
        let mut groups = by_level.chunk_by(|one, other| self.nodes[*one].level == self.nodes[*other].level);
        let groups: BTreeMap<u32, Vec<usize>> =
            groups.by_ref().map(|group| (self.nodes[group[0]].level, group.to_vec())).collect();
        let Levels { base, called, passed, read } = self.levels;
        let column = |column: &[u32], length: u32, unknown: u32| {
            length.checked_sub(*base).and_then(|place| column.get(place as usize)).copied().unwrap_or(unknown)
        };
        let mut reached = Earliest::default();
        for level in *base..=length {
            budget.tick()?;
            if level > *base {
                let direct = column(called, level, 0).max(column(read, level - 1, 0));
                reached = reached.later(Earliest { event: direct, via: None });
                if let Some(pending) = self.pending.remove(&level) {
                    reached = reached.later(pending);
                }
                if reached.event > column(passed, level, Levels::NEVER) {
                    return Ok(Some(self.path(reached, level, None)));
                }
            }
            if let Some(group) = groups.get(&level)
                && let Some(contradiction) = self.group(group, reached, budget)?
            {
                return Ok(Some(contradiction));
            }
        }
        Ok(None)
    }

    /// Puts what happens at one length into an order.
    fn group(
        &mut self,
        group: &[usize],
        reached: Earliest,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Contradiction>, Exceeded> {
        let mut ready: Vec<usize> =
            group.iter().copied().filter(|number| self.nodes[*number].waits == 0).collect();
        let mut done = 0;
        while let Some(number) = ready.pop() {
            done += 1;
            let node = &mut self.nodes[number];
            budget.ticks(1 + node.before.len() as u64)?;
            node.earliest = node.earliest.later(reached);
            let (level, earliest) = (node.level, node.earliest);
            if earliest.event > node.latest {
                let seq = node.seq;
                return Ok(Some(self.path(earliest, seq, Some(number))));
            }
            let here = Earliest { event: earliest.event, via: Some(number) };
            if let Some(over) = node.until {
                let pending = self.pending.entry(over + 1).or_default();
                *pending = pending.later(here);
            }
            for other in std::mem::take(&mut self.nodes[number].before) {
                let other_node = &mut self.nodes[other];
                other_node.earliest = other_node.earliest.later(here);
                if other_node.level == level {
                    other_node.waits -= 1;
                    if other_node.waits == 0 {
                        ready.push(other);
                    }
                }
            }
        }
        Ok((done < group.len()).then(|| self.cycle(group)))
    }

    /// The way by which something became later than it may be.
    fn path(&self, earliest: Earliest, seq: u32, last: Option<usize>) -> Contradiction {
        let mut operations: Vec<u32> = last.map(|last| self.nodes[last].operation).into_iter().collect();
        let mut via = earliest.via;
        while let Some(number) = via.filter(|_| operations.len() < OPERATIONS_MAX) {
            operations.push(self.nodes[number].operation);
            via = self.nodes[number].earliest.via;
        }
        Contradiction { seq, operations }
    }

    /// A cycle among the nodes of one level that wait for each other.
    fn cycle(&self, group: &[usize]) -> Contradiction {
        // Whoever waits does so for another one that waits, so going back comes round.
        let waiting = || group.iter().copied().filter(|number| self.nodes[*number].waits > 0);
        let waits_for: BTreeMap<usize, usize> = waiting()
            .flat_map(|number| self.nodes[number].before.iter().map(move |other| (*other, number)))
            .filter(|(other, _)| self.nodes[*other].level == self.nodes[group[0]].level)
            .collect();
        let mut seen = BTreeMap::new();
        let mut walk: Vec<usize> = waiting().take(1).collect();
        while let Some(next) = walk.last().and_then(|last| waits_for.get(last)) {
            if let Some(start) = seen.insert(*next, walk.len()) {
                walk.drain(..start);
                break;
            }
            walk.push(*next);
        }
        walk.truncate(OPERATIONS_MAX);
        let seq = walk.first().map_or(0, |number| self.nodes[*number].seq);
        Contradiction { seq, operations: walk.iter().map(|number| self.nodes[*number].operation).collect() }
    }
}

//! What can be wrong with an edge, and the rules of the packet filter that make it so.
//!
//! Every edge has a chain of its own, to which the base chain leads its packets. The last rule of the chain counts what
//! has passed; before it stands a rule for each kind of wrong, with a counter of what it dropped.

use std::net::Ipv4Addr;
use std::num::NonZeroU64;

use super::nftables::{Batch, Count, Step};
use crate::fabric::Edge;
use crate::scenario::unit::Chance;

/// How many bytes may come at once under a rate, besides those of one second: room for the longest packet, or under a low
/// rate none would ever pass.
const BURST_BYTES: u32 = 4 << 10;

/// Something that is wrong with the packets of an edge while it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Every packet is dropped.
    Cut,
    /// Each packet is dropped with this probability. The kernel draws; the seed of a run has no say in it.
    Loss(Chance),
    /// Packets are dropped that would exceed so many bytes a second, headers included. A second's worth of bytes may come
    /// at once, if there were none before.
    Rate(NonZeroU64),
}

/// All that is wrong with an edge at one time: of each kind, the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Conditions {
    is_cut: bool,
    loss: Option<Chance>,
    rate: Option<NonZeroU64>,
}

impl Conditions {
    /// What `imposed` come to.
    pub(super) fn of<'a>(imposed: impl IntoIterator<Item = &'a Condition>) -> Self {
        imposed.into_iter().fold(Self::default(), |all, condition| match condition {
            Condition::Cut => Self { is_cut: true, ..all },
            Condition::Loss(chance) => Self { loss: all.loss.max(Some(*chance)), ..all },
            Condition::Rate(rate) => Self { rate: all.rate.into_iter().chain([*rate]).min(), ..all },
        })
    }
}

/// What has happened to the packets of an edge. All of it only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// They arrived.
    pub passed: Count,
    /// Dropped by [`Condition::Cut`].
    pub cut: Count,
    /// Dropped by [`Condition::Loss`].
    pub lost: Count,
    /// Dropped by [`Condition::Rate`].
    pub limited: Count,
}

impl Traffic {
    /// What has happened since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        self.with(earlier, |now, then| now - then)
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.with(other, |one, other| one + other)
    }

    /// All that was dropped, for whatever reason.
    #[must_use]
    pub fn dropped(&self) -> Count {
        let all = [self.cut, self.lost, self.limited];
        all.into_iter().fold(Count::default(), |sum, one| Count {
            packets: sum.packets + one.packets,
            bytes: sum.bytes + one.bytes,
        })
    }

    fn with(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        let both = |one: Count, other: Count| Count {
            packets: combine(one.packets, other.packets),
            bytes: combine(one.bytes, other.bytes),
        };
        Self {
            passed: both(self.passed, other.passed),
            cut: both(self.cut, other.cut),
            lost: both(self.lost, other.lost),
            limited: both(self.limited, other.limited),
        }
    }
}

/// The kinds of counters of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    Passed,
    Cut,
    Lost,
    Limited,
}

impl Counter {
    const ALL: [Self; 4] = [Self::Passed, Self::Cut, Self::Lost, Self::Limited];

    /// Its name in the kernel.
    pub(super) fn name(self, edge: &Edge) -> String {
        let word = match self {
            Self::Passed => "passed",
            Self::Cut => "cut",
            Self::Lost => "lost",
            Self::Limited => "limited",
        };
        format!("{} {word}", chain_of(edge))
    }
}

/// The name of the chain of `edge`.
fn chain_of(edge: &Edge) -> String {
    format!("{}>{}", edge.from, edge.to)
}

/// Adds the chain of an edge with which nothing is wrong, and leads its packets there.
pub(super) fn add_edge(batch: Batch, edge: &Edge, from: Ipv4Addr, to: Ipv4Addr) -> Batch {
    let chain = chain_of(edge);
    let batch = Counter::ALL.into_iter().fold(batch, |batch, counter| batch.add_counter(&counter.name(edge)));
    let batch = batch.add_chain(&chain);
    let batch = set_edge(batch, edge, Conditions::default());
    batch.add_base_rule(&[Step::Between(from, to), Step::Goto(chain)])
}

/// Makes `conditions` stand on an edge, and no others.
pub(super) fn set_edge(batch: Batch, edge: &Edge, conditions: Conditions) -> Batch {
    batch.set_rules(&chain_of(edge), &rules_of(edge, conditions))
}

fn rules_of(edge: &Edge, conditions: Conditions) -> Vec<Vec<Step>> {
    let dropped = |counter: Counter| [Step::Count(counter.name(edge)), Step::Drop];
    let mut rules = Vec::new();
    if conditions.is_cut {
        rules.push(dropped(Counter::Cut).to_vec());
    }
    if let Some(chance) = conditions.loss {
        let chance = Step::Chance { below: chance.per_million(), of: Chance::ALWAYS.per_million() };
        rules.push([chance].into_iter().chain(dropped(Counter::Lost)).collect());
    }
    if let Some(rate) = conditions.rate {
        let over = Step::Over { rate: rate.get(), burst: BURST_BYTES };
        rules.push([over].into_iter().chain(dropped(Counter::Limited)).collect());
    }
    rules.push(vec![Step::Count(Counter::Passed.name(edge)), Step::Accept]);
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(bytes: u64) -> Condition {
        Condition::Rate(NonZeroU64::new(bytes).unwrap())
    }

    fn loss(percentage: &str) -> Condition {
        Condition::Loss(percentage.parse().unwrap())
    }

    #[test]
    fn of_each_kind_the_worst_stands_whatever_the_order() {
        let mut imposed = [rate(1000), loss("2%"), Condition::Cut, rate(10), loss("30%")];
        let expected = Conditions { is_cut: true, loss: "30%".parse().ok(), rate: NonZeroU64::new(10) };
        for _ in 0..imposed.len() {
            imposed.rotate_left(1);
            assert_eq!(Conditions::of(&imposed), expected);
        }
        assert_eq!(Conditions::of([]), Conditions::default());
    }

    #[test]
    fn each_wrong_has_a_rule_and_whatever_it_leaves_passes() {
        let edge = Edge::new("n1", "n2");
        let count = |word: &str| Step::Count(format!("n1>n2 {word}"));
        let passes = vec![count("passed"), Step::Accept];
        assert_eq!(rules_of(&edge, Conditions::default()), std::slice::from_ref(&passes));
        assert_eq!(
            rules_of(&edge, Conditions::of(&[rate(10), loss("2%"), Condition::Cut])),
            [
                vec![count("cut"), Step::Drop],
                vec![Step::Chance { below: 20_000, of: 1_000_000 }, count("lost"), Step::Drop],
                vec![Step::Over { rate: 10, burst: 4 << 10 }, count("limited"), Step::Drop],
                passes
            ]
        );
    }

    #[test]
    fn traffic_is_counted_from_a_point_on() {
        let count = |packets| Count { packets, bytes: packets * 100 };
        let then = Traffic { passed: count(3), cut: count(1), ..Traffic::default() };
        let now = Traffic { passed: count(5), cut: count(1), lost: count(2), limited: count(4) };
        let since = now.since(&then);
        assert_eq!(since.passed, count(2));
        assert_eq!(since.dropped(), count(6));
        assert_eq!(since.plus(&then), now);
    }
}

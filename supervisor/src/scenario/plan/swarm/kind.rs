//! What can be drawn: kinds of faults, and of each a list of templates.
//!
//! A template is written as the verb is in `faults:`, ranges included, and has a weight among those of its kind. What a
//! cluster cannot suffer, because it is too small or lacks a part, is left out for that cluster; what would take a
//! majority away is left out where the majority is kept. So a list names everything that is worth a try.
//!
//! A new verb needs its list here. The length of a fault is the scenario's, unless the template has its
//! own (`restart-after`).

use crate::scenario::verb::FaultKind;
use crate::scenario::word::Word as _;

/// Templates: a weight, and what stands behind the verb.
type Templates = &'static [(u32, &'static str)];

const KILL: Templates = &[
    (4, "{ target: leader }"),
    (2, "{ target: follower }"),
    (1, "{ target: one }"),
    (2, "{ target: minority }"),
    (1, "{ target: minority-third }"),
    (1, "{ target: 'random:2' }"),
    (1, "{ target: leader, signal: TERM }"),
    (1, "{ target: minority, signal: TERM }"),
    (2, "{ target: majority }"),
    (1, "{ target: followers }"),
    (2, "{ target: all }"),
    (1, "{ target: any }"),
];

const PAUSE: Templates = &[
    (4, "{ target: leader }"),
    (2, "{ target: follower }"),
    (1, "{ target: one }"),
    (2, "{ target: minority }"),
    (1, "{ target: minority-third }"),
    (2, "{ target: majority }"),
    (1, "{ target: followers }"),
    (1, "{ target: all }"),
    (1, "{ target: any }"),
];

const RESTART: Templates = &[
    (3, "{ target: leader }"),
    (2, "{ target: follower }"),
    (1, "{ target: minority }"),
    (1, "{ target: majority }"),
    (1, "{ target: all }"),
];

const PARTITION: Templates = &[
    (2, "{ shape: one }"),
    (3, "{ shape: halves }"),
    (1, "{ shape: halves, one-way: true }"),
    (2, "{ shape: majorities-ring }"),
    (2, "{ shape: bridge }"),
    (3, "{ shape: leader-in-minority }"),
    (1, "{ shape: leader-in-minority, one-way: true }"),
    (1, "{ shape: leader-in-majority }"),
    (2, "{ shape: one-way }"),
    (1, "{ shape: until-snapshot }"),
    (2, "{ isolate: leader }"),
    (2, "{ isolate: leader, one-way: true }"),
    (1, "{ isolate: follower }"),
    (1, "{ isolate: minority }"),
    (1, "{ isolate: any }"),
];

const NETWORK: Templates = &[
    // Slow.
    (2, "{ from: leader, to: followers, delay: 10ms..80ms, jitter: 5ms..40ms, distribution: pareto }"),
    (2, "{ from: all, to: all, delay: 5ms..40ms, jitter: 1ms..20ms }"),
    (1, "{ from: followers, to: leader, delay: 10ms..80ms, jitter: 5ms..40ms, distribution: normal }"),
    (1, "{ from: minority, to: all, delay: 50ms..300ms, jitter: 10ms..50ms, distribution: pareto }"),
    // Narrow.
    (1, "{ from: leader, to: followers, rate: 8KiB/s..64KiB/s }"),
    (1, "{ from: all, to: one, rate: 4KiB/s..32KiB/s }"),
    // Held: nothing is lost, and all of it comes at once, late.
    (2, "{ from: leader, to: followers, hold: true }"),
    (1, "{ from: follower, to: all, hold: true }"),
    (1, "{ from: all, to: one, hold: true }"),
    (1, "{ from: minority, to: all, hold: true }"),
    (1, "{ from: all, to: all, hold: true }"),
    // Lost.
    (1, "{ from: leader, to: followers, black-hole: true }"),
    (1, "{ from: all, to: follower, black-hole: true }"),
    (1, "{ from: leader, to: follower, black-hole: true }"),
    (1, "{ from: all, to: all, black-hole: true }"),
    // Lossy: only packets can be lost one by one.
    (2, "{ from: leader, to: followers, loss: 1%..20% }"),
    (1, "{ from: all, to: all, loss: 1%..5% }"),
    (1, "{ from: all, to: one, loss: 5%..50% }"),
    // Reset.
    (2, "{ from: all, to: all, reset: true }"),
    (1, "{ from: leader, to: followers, reset: true }"),
    // Between clients and nodes: what was done and not told is where clients are fooled.
    (1, "{ from: clients, to: all, delay: 5ms..60ms, jitter: 1ms..30ms }"),
    (1, "{ from: all, to: clients, delay: 5ms..60ms, jitter: 1ms..30ms, distribution: pareto }"),
    (1, "{ from: leader, to: clients, rate: 8KiB/s..64KiB/s }"),
    (2, "{ from: leader, to: clients, hold: true }"),
    (1, "{ from: clients, to: leader, hold: true }"),
    (1, "{ from: leader, to: clients, black-hole: true }"),
    (1, "{ from: clients, to: one, black-hole: true }"),
    (2, "{ from: clients, to: all, reset: true }"),
];

const CLOCK: Templates = &[
    (2, "{ target: leader, jump: 1s..1h }"),
    (1, "{ target: minority, jump: -60s..-1s }"),
    (1, "{ target: all, jump: -10s..10s }"),
    (2, "{ target: leader, timers: 1s..10s }"),
    (1, "{ target: minority, timers: 1s..10s }"),
    (2, "{ target: leader, drift: -80%..-20% }"),
    (1, "{ target: follower, drift: 50%..400% }"),
    (1, "{ target: any, drift: -20%..20% }"),
    (1, "{ target: all, strobe: 100ms..10s, strobe-every: 50ms..500ms }"),
    (1, "{ target: one, strobe: -10s..-100ms, strobe-every: 50ms..500ms }"),
];

/// Bits that flip at rest are drawn only of a cluster that has spares, and once: a node that refuses a damaged disk is
/// gone for good.
const DISK: Templates = &[
    (2, "{ target: leader, io-error: sync }"),
    (1, "{ target: follower, io-error: sync }"),
    (1, "{ target: one, io-error: write }"),
    (1, "{ target: minority, io-error: write }"),
    (1, "{ target: one, full: true }"),
    (1, "{ target: leader, full: true }"),
    (2, "{ target: leader, slow: 10ms..200ms }"),
    (1, "{ target: minority, slow: 50ms..500ms }"),
    (1, "{ target: all, slow: 5ms..50ms }"),
    (2, "{ target: leader, stuck: true }"),
    (1, "{ target: minority, stuck: true }"),
    (1, "{ target: majority, stuck: true }"),
    (2, "{ target: leader, power-loss: all }"),
    (1, "{ target: minority, power-loss: all }"),
    (1, "{ target: minority, power-loss: some }"),
    (1, "{ target: leader, torn-write: true }"),
    (1, "{ target: all, power-loss: all }"),
    (2, "{ target: all, power-loss: some }"),
    (1, "{ target: all, torn-write: true }"),
    (1, "{ target: one, bit-flip: 20 }"),
];

/// One node at a time: a change of several is several changes.
const MEMBERSHIP: Templates = &[
    (2, "{ add: spare }"),
    (2, "{ replace: follower }"),
    (2, "{ replace: leader }"),
    (1, "{ remove: follower }"),
    (2, "{ wipe: one }"),
];

const TRANSFER_LEADER: Templates = &[(3, "{ to: follower }"), (1, "{ to: one }")];

const SNAPSHOT: Templates = &[
    (2, "{ target: leader, purge: true }"),
    (1, "{ target: leader }"),
    (1, "{ target: all, purge: true }"),
    (1, "{ target: any }"),
];

impl FaultKind {
    /// As the format writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.word()
    }

    /// The templates of this kind.
    pub(super) fn templates(self) -> Templates {
        match self {
            Self::Kill => KILL,
            Self::Pause => PAUSE,
            Self::Restart => RESTART,
            Self::Partition => PARTITION,
            Self::Network => NETWORK,
            Self::Clock => CLOCK,
            Self::Disk => DISK,
            // What points of its code a node has is the system's: the scenario says which to draw.
            Self::Crash => &[],
            Self::Membership => MEMBERSHIP,
            Self::TransferLeader => TRANSFER_LEADER,
            Self::Snapshot => SNAPSHOT,
        }
    }
}

//! What stands within nodes, when several strikes overlap on one of them.
//!
//! A node is told all that is wrong with it at once, and forgets what it was told before. So each strike puts a layer on
//! the nodes that it meets, a node is told what its layers come to, and lifting one strike uncovers the others. A layer
//! belongs to one life of a node: a node that starts again knows nothing of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::guard::Struck;
use crate::system::faults::{ClockFault, DiskFault};

/// Faults of one kind, on all nodes. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Layers<F> {
    inner: Rc<Inner<F>>,
}

#[derive(Debug)]
struct Inner<F> {
    layers: RefCell<Vec<Layer<F>>>,
    next: Cell<u64>,
}

#[derive(Debug)]
struct Layer<F> {
    number: u64,
    on: Vec<Struck>,
    fault: F,
}

/// Faults that can stand on one node at one time.
pub(super) trait Overlap: Clone {
    /// This one, and a later one on top of it.
    fn under(self, later: Self) -> Self;
}

impl<F> Default for Layers<F> {
    fn default() -> Self {
        Self { inner: Rc::new(Inner { layers: RefCell::default(), next: Cell::new(0) }) }
    }
}

impl<F: Overlap> Layers<F> {
    /// `fault` stands on these nodes from now on. The number is for [`Layers::lift`].
    pub(super) fn put(&self, on: Vec<Struck>, fault: F) -> u64 {
        let number = self.inner.next.get();
        self.inner.next.set(number + 1);
        self.inner.layers.borrow_mut().push(Layer { number, on, fault });
        number
    }

    /// A fault stands no more.
    pub(super) fn lift(&self, number: u64) {
        self.inner.layers.borrow_mut().retain(|layer| layer.number != number);
    }

    /// What all that stands on a node comes to; `None`: nothing does.
    pub(super) fn on(&self, node: &Struck) -> Option<F> {
        let layers = self.inner.layers.borrow();
        let on_it = layers.iter().filter(|layer| layer.on.contains(node)).map(|layer| layer.fault.clone());
        on_it.reduce(Overlap::under)
    }
}

impl Overlap for ClockFault {
    /// Jumps and drifts add up; the later strobe stands. A jump of timers happens when it is told, so only the later one
    /// may be in it.
    fn under(self, later: Self) -> Self {
        Self {
            wall_jump_ms: self.wall_jump_ms.saturating_add(later.wall_jump_ms),
            timer_jump_ms: later.timer_jump_ms,
            drift_ppm: self.drift_ppm.saturating_add(later.drift_ppm).clamp(Self::DRIFT_MIN, Self::DRIFT_MAX),
            strobe: later.strobe.or(self.strobe),
        }
    }
}

impl Overlap for DiskFault {
    fn under(self, later: Self) -> Self {
        Self {
            fail_reads: self.fail_reads || later.fail_reads,
            fail_writes: self.fail_writes || later.fail_writes,
            fail_syncs: self.fail_syncs || later.fail_syncs,
            full: self.full || later.full,
            slow_sync: self.slow_sync.max(later.slow_sync),
            stuck_sync: self.stuck_sync || later.stuck_sync,
        }
    }
}

/// A point at which a node is to end, and how often it passes there before.
pub(super) type Armed = (String, u32);

impl Overlap for Armed {
    /// A node ends at one point only, the one that it was told last.
    fn under(self, later: Self) -> Self {
        later
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn life(node: &str, generation: u32) -> Struck {
        Struck { node: node.to_owned(), generation }
    }

    #[test]
    fn lifting_one_fault_uncovers_the_others() {
        let disks = Layers::default();
        let slow = DiskFault { slow_sync: Duration::from_millis(50), ..DiskFault::default() };
        let full = DiskFault { full: true, ..DiskFault::default() };
        let first = disks.put(vec![life("n1", 1), life("n2", 1)], slow);
        let second = disks.put(vec![life("n1", 1)], full);
        assert_eq!(disks.on(&life("n1", 1)), Some(DiskFault { full: true, ..slow }));
        assert_eq!(disks.on(&life("n2", 1)), Some(slow));
        assert_eq!(disks.on(&life("n1", 2)), None, "another life knows nothing of it");
        disks.lift(first);
        assert_eq!(disks.on(&life("n1", 1)), Some(full));
        assert_eq!(disks.on(&life("n2", 1)), None);
        disks.lift(second);
        assert_eq!(disks.on(&life("n1", 1)), None);
    }

    #[test]
    fn clocks_add_up_and_timers_jump_once() {
        let ahead = ClockFault { wall_jump_ms: 1_000, timer_jump_ms: 500, ..ClockFault::default() };
        let fast = ClockFault { wall_jump_ms: -300, drift_ppm: 200_000, ..ClockFault::default() };
        let both = ahead.under(fast);
        assert_eq!((both.wall_jump_ms, both.timer_jump_ms, both.drift_ppm), (700, 0, 200_000));
        assert_eq!(fast.under(ahead).timer_jump_ms, 500);
        let slow = ClockFault { drift_ppm: ClockFault::DRIFT_MIN, ..ClockFault::default() };
        assert_eq!(slow.under(slow).drift_ppm, ClockFault::DRIFT_MIN);
    }
}

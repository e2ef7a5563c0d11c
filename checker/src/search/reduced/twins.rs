//! Pending operations that ask the same: of these, the one that returns first is used first.
//!
//! Whoever uses another one before it may let the two change places. Each is pending where it comes to stand then: both
//! are now, and the one that is used later is used before the first of their returns. Only a covered one does not hold back
//! one that waits: the waiting one needs its place, and the covered one has no place to give for it.

use super::configuration::{Configuration, Slots};
use super::plan::Step;

/// Which pending operations ask the same.
#[derive(Debug)]
pub(super) struct Twins<const W: usize> {
    /// By slot: the others that ask the same and return earlier. What is no longer pending may be among them.
    earlier: Vec<Slots<W>>,
    /// By class of those that never return: the others that ask the same and do.
    returning: Vec<Slots<W>>,
    /// By slot: the class that its last operation stands in above.
    classes: Vec<Option<u32>>,
}

impl<const W: usize> Twins<W> {
    /// Nothing is pending.
    pub(super) fn new(slots: usize, classes: usize) -> Self {
        let (earlier, returning) = (vec![Slots::EMPTY; slots], vec![Slots::EMPTY; classes]);
        Twins { earlier, returning, classes: vec![None; slots] }
    }

    /// A step becomes pending, beside those that are.
    pub(super) fn enter<'s, A: Copy + Eq + 's>(
        &mut self,
        step: &Step<A>,
        pending: impl Iterator<Item = (u32, &'s Step<A>)>,
    ) {
        let slot = step.slot;
        self.earlier[slot as usize] = Slots::EMPTY;
        for (other, twin) in pending {
            // The slot may have been that of a twin of the other one.
            self.earlier[other as usize].remove(slot);
            if twin.action == step.action {
                let (later, earlier) =
                    if twin.returned < step.returned { (slot, other) } else { (other, slot) };
                self.earlier[later as usize].insert(earlier);
            }
        }
        if let Some(class) = std::mem::replace(&mut self.classes[slot as usize], step.class) {
            self.returning[class as usize].remove(slot);
        }
        if let Some(class) = step.class {
            self.returning[class as usize].insert(slot);
        }
    }

    /// Whether a twin of the operation in a slot, which is not used, is to be used before it.
    pub(super) fn hold_back(&self, slot: u32, pending: &Slots<W>, at: &Configuration<W>) -> bool {
        let others = if at.covered.has(slot) { &Slots::EMPTY } else { &at.covered };
        !self.earlier[slot as usize].and(pending).without([&at.used, others]).is_empty()
    }

    /// Whether a twin of a class of operations that never return is to be used before one of them.
    pub(super) fn hold_back_class(&self, class: u32, pending: &Slots<W>, at: &Configuration<W>) -> bool {
        !self.returning[class as usize].and(pending).without([&at.used, &Slots::EMPTY]).is_empty()
    }
}

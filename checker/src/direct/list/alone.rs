//! Lists that are wrong by themselves, whatever other lists show.
//!
//! Two lists that contradict each other need not both be wrong. If one of them cannot be, the other one is no part of the
//! proof.

use super::{Known, appended, returned};
use crate::anomaly::AnomalyKind;
use crate::direct::Violation;
use crate::history::Datum;

impl Known<'_, '_> {
    /// An operation of a violation that is wrong by itself: it has seen what was appended only later, or a part of what
    /// was appended at once.
    pub(super) fn wrong_by_itself(&self, violation: &Violation) -> Option<Violation> {
        if let [_] = violation.operations[..] {
            return None;
        }
        violation.operations.iter().find_map(|number| {
            let end = returned(&self.operations[*number]);
            let base = self.base(*number)?;
            let is_early = |value: &&Datum| {
                self.writers.get(*value).is_some_and(|writer| self.operations[*writer].invoked > end)
            };
            let Some(early) = base.iter().find(is_early) else {
                let alone = self.out_of_order(*number, base).or_else(|| self.in_pieces(*number, base));
                let alone = alone.or_else(|| self.misplaced(*number, base))?;
                return Some(match violation.kind {
                    // That another list has another order is easier to see, and stays what is told.
                    AnomalyKind::Conflict => {
                        let told = Violation { operations: alone.operations, ..violation.clone() };
                        violation.operations.iter().fold(told, |told, other| told.beside(*other))
                    }
                    _ => alone,
                });
            };
            let why = format!("shows {} before anybody began to append it", self.model.text(*early));
            let violation = Violation::alone(AnomalyKind::Phantom, *number, why).about(*early);
            Some(violation.beside(self.writers[early]))
        })
    }

    /// A list in which something stands in front of what had been appended before it.
    fn out_of_order(&self, number: usize, base: &[Datum]) -> Option<Violation> {
        let mut latest: Option<(Datum, usize)> = None;
        for value in base {
            let writer = *self.writers.get(value)?;
            if let Some((next, late)) = latest
                && returned(&self.operations[writer]) < self.operations[late].invoked
            {
                return Some(self.late_append(number, (writer, *value), (late, next)));
            }
            let is_later =
                |(_, late): (Datum, usize)| self.operations[late].invoked < self.operations[writer].invoked;
            if latest.is_none_or(is_later) {
                latest = Some((*value, writer));
            }
        }
        None
    }

    /// Who shows two values in the wrong order cannot be right, whatever is known of when they were appended.
    pub(super) fn late_append(
        &self,
        reader: usize,
        (early, missed): (usize, Datum),
        (late, next): (usize, Datum),
    ) -> Violation {
        let why = format!("but {} stands in front of {}", self.model.text(next), self.model.text(missed));
        let shown = Violation::alone(AnomalyKind::LateAppend, reader, why).beside(early).beside(late);
        Violation { blocked: late, after: Some(early), ..shown.about(missed) }
    }

    /// A list in which something stands behind other values than those that whoever appended it had seen.
    fn misplaced(&self, number: usize, base: &[Datum]) -> Option<Violation> {
        let mut places = base.iter().enumerate();
        places.find_map(|(place, value)| {
            let writer = *self.writers.get(value).filter(|writer| **writer != number)?;
            let before = appended(&self.operations[writer].input).take_while(|own| own != value).count();
            let seen = self.base(writer)?;
            let fits = place.checked_sub(before).is_some_and(|begin| base[..begin] == *seen);
            let text = self.model.text(*value);
            let why = format!("shows {text} behind other values than those behind which it was appended");
            let violation = || Violation::alone(AnomalyKind::Conflict, number, why).beside(writer);
            (!fits).then(violation)
        })
    }

    /// A list in which the values of one operation do not stand side by side.
    fn in_pieces(&self, number: usize, base: &[Datum]) -> Option<Violation> {
        let mut rest = base;
        while let Some(first) = rest.first() {
            let writer = *self.writers.get(first)?;
            let all: Vec<Datum> = appended(&self.operations[writer].input).collect();
            if let Some(behind) = rest.strip_prefix(&all[..]) {
                rest = behind;
            } else if all.starts_with(rest) {
                return Some(*self.intermediate(number, writer));
            } else {
                return Some(*self.torn(number, writer));
            }
        }
        None
    }
}

//! What a decider found, before it becomes the result of a check.

use crate::anomaly::Anomaly;
use crate::check::CheckName;
use crate::verdict::CheckResult;

/// The most messages that are named for one reason.
const NAMED_MAX: usize = 8;

/// The doubts about messages that were sent twice: a few of them by name, the others by number.
pub(crate) fn sent_twice<'m>(mut messages: impl Iterator<Item = &'m str>) -> Vec<String> {
    let named = messages.by_ref().take(NAMED_MAX);
    let mut doubts: Vec<String> =
        named.map(|message| format!("message `{message}` is sent twice: ids must be unique")).collect();
    match messages.count() {
        0 => {}
        others => doubts.push(format!("{others} more messages are sent twice")),
    }
    doubts
}

/// What one decider found out about its objects. Several of them together make one [`CheckResult`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// The contradictions; of many of a kind, a few suffice.
    pub anomalies: Vec<Anomaly>,
    /// How many contradictions there are.
    pub anomalies_total: u64,
    /// Why what is not contradictory is not proven right either.
    pub doubts: Vec<String>,
    /// How many operations were looked at.
    pub operations: u64,
    /// How many objects there are.
    pub keys: u64,
    /// The most memory that was accounted for beside the history, in bytes.
    pub peak_bytes: u64,
}

impl Findings {
    /// Nothing but a doubt.
    #[must_use]
    pub fn doubt(doubt: String) -> Findings {
        Findings { doubts: vec![doubt], ..Findings::default() }
    }

    /// What two deciders found about different objects, one after the other.
    #[must_use]
    pub fn and(mut self, other: Findings) -> Findings {
        self.anomalies.extend(other.anomalies);
        self.anomalies_total += other.anomalies_total;
        self.doubts.extend(other.doubts);
        self.operations += other.operations;
        self.keys += other.keys;
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
        self
    }

    /// The result of the check `name`: invalid if there is a contradiction, else unknown if there is a doubt or
    /// nothing to check, else valid.
    #[must_use]
    pub fn into_result(self, name: CheckName) -> CheckResult {
        let Findings { anomalies, anomalies_total, doubts, operations, keys, peak_bytes } = self;
        let result = if !anomalies.is_empty() {
            let total = anomalies_total.max(anomalies.len() as u64);
            CheckResult { anomalies_total: total, ..CheckResult::invalid(name, anomalies, operations, keys) }
        } else if !doubts.is_empty() {
            CheckResult::unknown(name, doubts.join("; "), operations, keys)
        } else if operations == 0 {
            CheckResult::unknown(name, "nothing to check", operations, keys)
        } else {
            CheckResult::valid(name, operations, keys)
        };
        CheckResult { peak_bytes: Some(peak_bytes), ..result }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_messages_a_few_are_named() {
        let names: Vec<String> = (0..NAMED_MAX + 3).map(|number| format!("m{number}")).collect();
        let doubts = |count: usize| sent_twice(names[..count].iter().map(String::as_str));
        assert_eq!(doubts(1), ["message `m0` is sent twice: ids must be unique"]);
        assert_eq!(doubts(NAMED_MAX).len(), NAMED_MAX);
        let many = doubts(NAMED_MAX + 3);
        assert_eq!((many.len(), many[NAMED_MAX].as_str()), (NAMED_MAX + 1, "3 more messages are sent twice"));
    }
}

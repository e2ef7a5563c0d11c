//! Delivery: does a subscription tell everything, once, and in order?
//!
//! | promise | etcd's name | broken by |
//! |---|---|---|
//! | cursors and numbers rise | ordered | `nonmonotonic-poll` |
//! | nothing is told twice | unique | `duplicate-delivery` |
//! | between two that were told none is left out | reliable | `poll-skip` |
//! | whoever goes on after a cursor is told the next one | resumable | `poll-skip`, `duplicate-delivery` |
//! | behind a cursor nothing comes that is in front of it | bookmarkable | `duplicate-delivery`, `poll-skip` |
//! | only what belongs to the inbox, was sent, and did not fail | filter | `wrong-conversation`, `phantom`, `aborted-read` |
//! | one message, one number, one cursor, for everybody | | `conflict`, `moved`, `inconsistent-cursor` |
//! | what was told can be read from then on | | `dirty-read` |
//! | whoever is followed to the end was told everything, its own messages too | | `lost-tail` |
//!
//! A subscription follows an inbox: all conversations of one person, in the order of the log. Each delivery carries a
//! cursor, the message's place in that log, which means the same to every subscriber and through every node; a
//! subscription that was broken goes on after the last cursor it was given. The terms are those of Jepsen's Kafka checker
//! and of etcd's watch tests:
//!
//! | count | meaning |
//! |---|---|
//! | `subscriptions`, `polls`, `delivered` | what there is to judge |
//! | `lost` | there, and not delivered by a subscription that was followed to its end |
//! | `skipped` | passed over: a later one of the same conversation was delivered, this one was not |
//! | `duplicated` | delivered again, or from in front of the cursor that the subscription went on after |
//! | `reordered` | delivered after something with a greater cursor or number |
//! | `disagreeing` | with another number, message or cursor than somebody else was told |
//! | `unexpected` | never sent, refused, sent to another conversation, or none of this inbox's |
//! | `early` | reads that did not show what had been delivered before they began |
//! | `undrained` | subscriptions of which nobody knows the end |
//! | `unseen` | acknowledged, and told to nobody although somebody follows the inbox |
//!
//! # How
//! First everything is gathered that is known of each message: who sent it, its number by acknowledgements and pages, its
//! cursor by the first delivery (`known`). Then each subscription is followed poll by poll (`subscription`). Messages
//! of a conversation are numbered without holes, so a subscription that is at number 4 must deliver number 5 next. The
//! final polls of a subscription drain it: what was proven to be there before the last of them began must have come.
//!
//! # Caveats
//! * How late a delivery may be is not judged, only measured: `delivery-latency`, and the series `unseen` (`timing`).
//! * Of a subscription that begins in the middle, a message that nobody was ever told of is missed only if it was sent
//!   after the cursor had been seen: else nobody knows on which side of it the message is.

mod early;
mod known;
mod subscription;
mod tell;
#[cfg(test)]
mod tests;
mod timing;

use std::collections::{BTreeMap, BTreeSet};

use known::Known;
use subscription::{Subscription, Wrong};
use timing::Timing;

use crate::check::CheckName;
use crate::findings::{Findings, sent_twice};
use crate::history::{History, Input, OperationId, Outcome, Output, Symbol};
use crate::limits::{Budget, Exceeded, Limits};
use crate::verdict::{ANOMALIES_MAX, CheckResult};

/// The counts, under their names in the result.
const COUNTS: [&str; 12] = [
    "subscriptions",
    "polls",
    "delivered",
    "lost",
    "skipped",
    "duplicated",
    "reordered",
    "disagreeing",
    "unexpected",
    "early",
    "undrained",
    "unseen",
];

/// Checks that every subscription delivers every message of its inbox, once and in order.
#[must_use]
pub fn check(history: &History, limits: &Limits<'_>) -> CheckResult {
    let mut tally = Tally {
        history,
        counts: BTreeMap::new(),
        told: BTreeMap::new(),
        timing: Timing::default(),
        findings: Findings::default(),
    };
    let mut budget = Budget::new(limits);
    if let Err(exceeded) = tally.take(&mut budget) {
        tally.findings.doubts.push(exceeded.to_string());
    }
    tally.findings.peak_bytes = budget.peak();
    let counts = COUNTS.map(|name| (name.to_owned(), tally.counts.get(name).copied().unwrap_or(0)));
    let result = tally.findings.into_result(CheckName::Delivery);
    let latencies = tally.timing.latency.map(|latency| ("delivery-latency".to_owned(), latency));
    let series = (!tally.timing.series.is_empty()).then(|| ("unseen".to_owned(), tally.timing.series));
    CheckResult {
        counts: counts.into(),
        latencies: latencies.into_iter().collect(),
        series: series.into_iter().collect(),
        ..result
    }
}

/// Who follows what: a subscriber, or else a process, and an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Who {
    Subscriber(Symbol),
    Process(u64),
}

/// The counts so far, and what is wrong.
struct Tally<'a> {
    history: &'a History,
    counts: BTreeMap<&'static str, u64>,
    /// How many anomalies of each count are told.
    told: BTreeMap<&'static str, usize>,
    timing: Timing,
    findings: Findings,
}

impl<'a> Tally<'a> {
    fn take(&mut self, budget: &mut Budget<'_>) -> Result<(), Exceeded> {
        let history = self.history;
        let known = Known::of(history, budget)?;
        let mut subscriptions: BTreeMap<(Who, Symbol), Subscription<'a>> = BTreeMap::new();
        let mut nameless = 0_u64;
        for id in history.ids() {
            let operation = history.operation(id);
            let Input::Poll { subscriber, .. } = operation.input else { continue };
            budget.step()?;
            self.add("polls", 1);
            let Some(inbox) = operation.key else {
                nameless += 1;
                continue;
            };
            let who = subscriber.map_or(Who::Process(operation.process), Who::Subscriber);
            let subscription =
                subscriptions.entry((who, inbox)).or_insert_with(|| Subscription::new(history, inbox));
            if let Some(Output::Polled { deliveries }) = operation.output() {
                self.add("delivered", deliveries.len() as u64);
                budget.spend(deliveries.len() as u64)?;
            }
            budget.allocate(subscription::bytes_of(operation))?;
            let wrongs = subscription.poll(id, &known, budget)?;
            self.report_all(&known, wrongs);
        }
        self.findings.operations = self.counts.get("polls").copied().unwrap_or(0);
        self.findings.keys =
            subscriptions.keys().map(|(_, inbox)| inbox).collect::<BTreeSet<_>>().len() as u64;
        self.add("subscriptions", subscriptions.len() as u64);
        for subscription in subscriptions.values() {
            match subscription.drain(&known, budget)? {
                Some(wrongs) => self.report_all(&known, wrongs),
                None => {
                    self.add("undrained", 1);
                    self.report_all(&known, subscription.passed_over(&known, budget)?);
                }
            }
        }
        if self.findings.operations > 0 {
            let early = early::check(history, budget)?;
            self.report_all(&known, early);
            self.timing = Timing::of(history, budget)?;
            self.add("unseen", self.timing.unseen);
        }
        self.doubts(&known, nameless);
        Ok(())
    }

    fn doubts(&mut self, known: &Known, nameless: u64) {
        let polls = self.history.operations().iter().filter(|o| matches!(o.input, Input::Poll { .. }));
        let answered = polls.filter(|operation| matches!(operation.outcome, Outcome::Ok(_))).count();
        let count = |name| self.counts.get(name).copied().unwrap_or(0);
        let (polls, subscriptions, undrained) = (count("polls"), count("subscriptions"), count("undrained"));
        let doubts = &mut self.findings.doubts;
        doubts.extend(sent_twice(known.repeated().map(|message| self.history.text(message))));
        if polls == 0 {
            return;
        }
        if nameless > 0 {
            doubts.push(format!("{nameless} polls do not say of which inbox"));
        }
        if answered == 0 {
            doubts.push("no poll succeeded, so nobody knows what would be delivered".to_owned());
        } else if !known.has_messages() {
            doubts.push("nothing to check: no message is known to be there".to_owned());
        } else if undrained > 0 {
            doubts.push(format!(
                "{undrained} of {subscriptions} subscriptions do not end with a final poll that succeeded, so nobody \
                 knows whether the rest would be delivered"
            ));
        }
    }

    fn add(&mut self, count: &'static str, by: u64) {
        *self.counts.entry(count).or_default() += by;
    }

    fn report_all(&mut self, known: &Known, wrongs: Vec<Wrong>) {
        for wrong in wrongs {
            let (count, messages) = wrong.count();
            self.add(count, messages);
            self.findings.anomalies_total += 1;
            let told = self.told.entry(count).or_default();
            if *told < ANOMALIES_MAX {
                *told += 1;
                self.findings.anomalies.push(tell::tell(self.history, known, &wrong));
            }
        }
    }
}

/// What a poll answered, if it did.
fn deliveries(history: &History, poll: OperationId) -> &[crate::history::Delivery] {
    match history.operation(poll).output() {
        Some(Output::Polled { deliveries }) => deliveries,
        _ => &[],
    }
}

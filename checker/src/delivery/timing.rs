//! How late deliveries are: from the acknowledgement of a message to the end of the poll that delivered it, and how many
//! messages nobody has been told of yet, over the time of the run.
//!
//! Both are measured, not judged: nothing promises when a message is delivered. The names are those of Jepsen's Kafka
//! checker (`unseen`) and of its `set-full` (the quantiles).

use std::collections::{BTreeSet, HashMap};

use super::known::belongs;
use super::{Who, deliveries};
use crate::history::{History, Input, OperationId, Output, Symbol};
use crate::limits::{Budget, Exceeded, sort_by_key};
use crate::verdict::Quantiles;

/// The most points of a series.
const POINTS_MAX: u64 = 60;

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Timing {
    /// From acknowledgement to delivery, for each message and each subscription that was told of it.
    pub(super) latency: Option<Quantiles>,
    /// Messages that were acknowledged, and that no subscription was ever told of although one follows their inbox.
    pub(super) unseen: u64,
    /// How many there were at some times, in ns since the start of the run.
    pub(super) series: Vec<[u64; 2]>,
}

impl Timing {
    pub(super) fn of(history: &History, budget: &mut Budget<'_>) -> Result<Self, Exceeded> {
        let mut clock = Clock::default();
        for id in history.ids() {
            budget.step()?;
            clock.acknowledged(history, id, budget)?;
        }
        for id in history.ids() {
            budget.spend(1 + deliveries(history, id).len() as u64)?;
            clock.delivered(history, id, budget)?;
        }
        clock.finish(history, budget)
    }
}

/// An acknowledged message.
#[derive(Debug, Clone, Copy)]
struct Message {
    acknowledged: u64,
    /// When the first poll ended that delivered it.
    told: Option<u64>,
}

#[derive(Debug, Default)]
struct Clock {
    /// By conversation and number.
    messages: HashMap<(Symbol, u64), Message>,
    /// The inboxes that somebody follows.
    followed: BTreeSet<Symbol>,
    /// By subscription and conversation: how far it was told, also before it began anew.
    reached: HashMap<(Who, Symbol, Symbol), u64>,
    latencies: Vec<u64>,
}

impl Clock {
    fn acknowledged(
        &mut self,
        history: &History,
        id: OperationId,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        let operation = history.operation(id);
        match (&operation.input, operation.output(), operation.key, operation.completed) {
            (Input::Send { .. }, Some(Output::Sent { seq }), Some(key), Some(completed)) => {
                budget.room_in_map(&mut self.messages)?;
                let message = Message { acknowledged: completed.time, told: None };
                self.messages.entry((key, *seq)).or_insert(message);
            }
            (Input::Poll { .. }, Some(_), Some(inbox), _) => {
                self.followed.insert(inbox);
            }
            _ => {}
        }
        Ok(())
    }

    fn delivered(
        &mut self,
        history: &History,
        id: OperationId,
        budget: &mut Budget<'_>,
    ) -> Result<(), Exceeded> {
        let operation = history.operation(id);
        let (Input::Poll { subscriber, .. }, Some(inbox), Some(completed)) =
            (&operation.input, operation.key, operation.completed)
        else {
            return Ok(());
        };
        let who = subscriber.map_or(Who::Process(operation.process), Who::Subscriber);
        for delivery in deliveries(history, id) {
            budget.room_in_map(&mut self.reached)?;
            let last = self.reached.entry((who, inbox, delivery.key)).or_default();
            // What it is told again, because it went back on purpose, is not late.
            if delivery.seq <= *last {
                continue;
            }
            *last = delivery.seq;
            if let Some(message) = self.messages.get_mut(&(delivery.key, delivery.seq)) {
                budget.allocate(size_of::<u64>() as u64)?;
                self.latencies.push(completed.time.saturating_sub(message.acknowledged));
                message.told = Some(message.told.map_or(completed.time, |told| told.min(completed.time)));
            }
        }
        Ok(())
    }

    fn finish(mut self, history: &History, budget: &mut Budget<'_>) -> Result<Timing, Exceeded> {
        let mut is_followed: HashMap<Symbol, bool> = HashMap::new();
        let mut changes: Vec<(u64, bool)> = Vec::new();
        let mut unseen = 0;
        #[expect(clippy::iter_over_hash_type, reason = "the changes are sorted, and the rest is a sum")]
        for ((key, _), message) in &self.messages {
            budget.tick()?;
            if !is_followed.contains_key(key) {
                budget.ticks(self.followed.len() as u64)?;
                budget.room_in_map(&mut is_followed)?;
            }
            let followed = || self.followed.iter().any(|inbox| belongs(history, *key, *inbox));
            if *is_followed.entry(*key).or_insert_with(followed) {
                budget.allocate(2 * size_of::<(u64, bool)>() as u64)?;
                changes.push((message.acknowledged, true));
                match message.told {
                    Some(told) => changes.push((told.max(message.acknowledged), false)),
                    None => unseen += 1,
                }
            }
        }
        // At one time, what is new comes before what is told: it may be the same message.
        sort_by_key(budget, &mut changes, |(time, more)| (*time, !*more))?;
        sort_by_key(budget, &mut self.latencies, |latency| *latency)?;
        Ok(Timing { latency: Quantiles::of(&mut self.latencies), unseen, series: series(&changes) })
    }
}

/// How many are unseen at some times at equal distances, the last of them the end. A change says whether one more is.
fn series(changes: &[(u64, bool)]) -> Vec<[u64; 2]> {
    let (Some((begin, _)), Some((end, _))) = (changes.first(), changes.last()) else { return Vec::new() };
    let (mut next, mut unseen) = (0, 0_u64);
    let point = |number: u64| {
        let at = begin
            + u64::try_from(u128::from(end - begin) * u128::from(number) / u128::from(POINTS_MAX))
                .unwrap_or(0);
        while let Some((_, more)) = changes.get(next).filter(|(time, _)| *time <= at) {
            unseen = if *more { unseen + 1 } else { unseen - 1 };
            next += 1;
        }
        [at, unseen]
    };
    (1..=POINTS_MAX).map(point).collect()
}

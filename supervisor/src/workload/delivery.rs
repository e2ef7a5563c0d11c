//! People talk, and some listen: every worker follows one person's inbox by a subscription.
//!
//! A poll takes what the subscription has delivered since the last one. It names its subscriber and the cursor after
//! which it goes on, so that whoever carries it out may open another stream, on another node, and lose nothing. Some
//! workers are slow and poll rarely; now and then one goes back to an earlier cursor on purpose and is told again what
//! came after it.
//!
//! Once the faults are over every subscription is drained: it is polled until it has been told all that any answer has
//! shown of its conversations, or until several polls in a row brought nothing.

use std::collections::BTreeMap;

use rand::RngExt;
use serde_json::json;

use super::conversation::STALE_READ;
use super::{Conversation, Mix, Workload, people};
use crate::rng::Rng;
use crate::scenario::plan::Plan;
use crate::system::{Invocation, Outcome};

/// Every so many workers, one is slow.
const SLOW_EVERY: usize = 4;

/// How many of the polls of a slow worker are left out, in a hundred.
const SLOW_PERCENT: u32 = 90;

/// How many in a hundred polls go back to an earlier cursor.
const REWIND_PERCENT: u32 = 2;

/// How many polls in a row may bring nothing before a drain gives up.
const IDLE_POLLS_MAX: u32 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Talk,
    Poll,
}

/// See the module.
#[derive(Debug)]
pub struct Delivery {
    talk: Conversation,
    mix: Mix<Verb>,
    listeners: Vec<Listener>,
    /// The greatest number of each conversation that was delivered to anybody, with its cursor.
    tails: BTreeMap<String, (u64, u64)>,
}

/// The subscription of one worker.
#[derive(Debug)]
struct Listener {
    rng: Rng,
    /// Whose inbox.
    person: String,
    /// The cursor of the last event that it was told.
    cursor: u64,
    /// How many polls in a row brought nothing.
    idle: u32,
}

impl Delivery {
    /// The workload of `plan`; each worker has a generator for what it says, and one for its subscription.
    #[must_use]
    pub fn new(plan: &Plan, talkers: Vec<Rng>, listeners: Vec<Rng>) -> Self {
        let weight = |verb: &str| plan.workload.mix.get(verb).copied().unwrap_or(0);
        let people = people::of_keys(&people::conversations(plan));
        let listener = |(number, rng): (usize, Rng)| {
            let person = people[number % people.len()].clone();
            Listener { rng, person, cursor: 0, idle: 0 }
        };
        Self {
            talk: Conversation::new(plan, talkers),
            mix: Mix::new([
                (Verb::Talk, weight("send") + weight("read") + weight(STALE_READ)),
                (Verb::Poll, weight("poll")),
            ]),
            listeners: listeners.into_iter().enumerate().map(listener).collect(),
            tails: BTreeMap::new(),
        }
    }

    /// Whether the subscription was told all that is known of its conversations.
    fn has_all(&self, listener: &Listener) -> bool {
        let theirs = |key: &String| key.split(':').any(|name| name == listener.person);
        self.talk.heads().filter(|(key, _)| theirs(key)).all(|(key, head)| {
            let (seq, cursor) = self.tails.get(key).copied().unwrap_or_default();
            head == 0 || (seq >= head && cursor <= listener.cursor)
        })
    }

    fn poll(&self, number: usize, is_final: bool) -> Invocation {
        let listener = &self.listeners[number];
        let mut value = json!({ "subscriber": format!("w{number}"), "after": listener.cursor });
        if is_final {
            value["final"] = true.into();
        }
        Invocation { f: "poll", key: Some(listener.person.clone()), value }
    }

    fn polled(&mut self, number: usize, outcome: &Outcome) {
        let Outcome::Ok(answer) = outcome else { return };
        let events = answer["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut furthest = self.listeners[number].cursor;
        for event in events {
            let (Some(key), Some(seq), Some(cursor)) =
                (event["key"].as_str(), event["seq"].as_u64(), event["cursor"].as_u64())
            else {
                continue;
            };
            self.talk.shown(key, seq);
            let tail = self.tails.entry(key.to_owned()).or_default();
            *tail = (*tail).max((seq, cursor));
            furthest = furthest.max(cursor);
        }
        let listener = &mut self.listeners[number];
        // A node that tells the same again and again brings nothing.
        listener.idle = if furthest > listener.cursor { 0 } else { listener.idle + 1 };
        listener.cursor = furthest;
    }
}

/// Whose subscription a poll belongs to.
fn subscriber(invocation: &Invocation) -> Option<usize> {
    invocation.value["subscriber"].as_str()?.strip_prefix('w')?.parse().ok()
}

impl Workload for Delivery {
    fn next(&mut self, worker: usize) -> Invocation {
        let Listener { rng, cursor, .. } = &mut self.listeners[worker];
        let is_left_out = worker % SLOW_EVERY == SLOW_EVERY - 1 && rng.random_range(0..100) < SLOW_PERCENT;
        if self.mix.draw(rng) == Verb::Talk || is_left_out {
            return self.talk.next(worker);
        }
        if rng.random_range(0..100) < REWIND_PERCENT {
            *cursor = rng.random_range(0..=*cursor);
        }
        self.poll(worker, false)
    }

    fn completed(&mut self, invocation: &Invocation, outcome: &Outcome) {
        match subscriber(invocation) {
            Some(number) => self.polled(number, outcome),
            None => self.talk.completed(invocation, outcome),
        }
    }

    /// The pages of the conversations, then the drains: each subscription by one reader, which is not the one that the
    /// worker itself would stay with.
    fn final_reads(&self, reader: usize, readers: usize) -> Vec<Invocation> {
        let mut reads = self.talk.final_reads(reader, readers);
        let theirs = (0..self.listeners.len()).filter(|number| (number + 1) % readers == reader);
        reads.extend(theirs.map(|number| self.poll(number, true)));
        reads
    }

    fn next_page(&self, invocation: &Invocation, outcome: &Outcome) -> Option<Invocation> {
        let Some(number) = subscriber(invocation) else { return self.talk.next_page(invocation, outcome) };
        let listener = &self.listeners[number];
        let goes_on = matches!(outcome, Outcome::Ok(_)) && listener.idle < IDLE_POLLS_MAX;
        (goes_on && !self.has_all(listener)).then(|| self.poll(number, true))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::scenario::file::ScenarioFile;

    fn delivery() -> Delivery {
        let text = "version: 1\nname: d\nworkload: { kind: delivery, clients: 8, keys: 3 }\n\
                    run: { duration: 1s }\nchecks: [delivery]\n";
        let file = ScenarioFile::parse(Path::new("d.yaml"), text, &[]);
        let plan = Plan::resolve(&file.unwrap_or_else(|errors| panic!("{errors}")), 1);
        let rngs = |name: &str| (0..8).map(|n| Rng::from_seed(1).fork(&format!("{name}-{n}"))).collect();
        Delivery::new(&plan, rngs("talk"), rngs("listen"))
    }

    fn told(events: &[(u64, &str, u64)]) -> Outcome {
        let event = |(cursor, key, seq): &(u64, &str, u64)| json!({ "cursor": cursor, "key": key, "seq": seq, "id": "x" });
        Outcome::Ok(json!({ "events": events.iter().map(event).collect::<Vec<Value>>() }))
    }

    #[test]
    fn a_poll_goes_on_after_what_was_told() {
        let mut delivery = delivery();
        let first = delivery.poll(0, false);
        assert_eq!(
            (first.key.as_deref(), &first.value),
            (Some("alice"), &json!({ "subscriber": "w0", "after": 0 }))
        );
        delivery.completed(&first, &told(&[(5, "alice:bob", 1), (9, "alice:carol", 1)]));
        assert_eq!(delivery.poll(0, false).value["after"], 9);
        delivery.completed(&first, &Outcome::Fail("deadline: no answer".to_owned()));
        assert_eq!(delivery.poll(0, false).value["after"], 9, "what failed told nothing");
        assert_eq!(delivery.poll(1, false).value["after"], 0, "each subscription has a cursor of its own");
    }

    #[test]
    fn a_drain_goes_on_until_all_is_told_that_is_known() {
        let mut delivery = delivery();
        let send = Invocation { f: "send", key: Some("alice:bob".to_owned()), value: json!({ "id": "a" }) };
        delivery.completed(&send, &Outcome::Ok(json!({ "id": "a", "seq": 2 })));
        let drain = delivery.poll(0, true);
        for (events, goes_on) in
            [(&[(5, "alice:bob", 1)][..], true), (&[], true), (&[(8, "alice:bob", 2)], false)]
        {
            delivery.completed(&drain, &told(events));
            assert_eq!(delivery.next_page(&drain, &told(events)).is_some(), goes_on, "{events:?}");
        }
        // Another one is not there yet, although what it lacks was told to somebody.
        let other = delivery.poll(3, true);
        assert_eq!(other.key.as_deref(), Some("alice"));
        assert!(delivery.next_page(&other, &told(&[])).is_some());
        // One that is told nothing, or the same again and again, comes to an end.
        let same = told(&[]);
        for _ in 0..IDLE_POLLS_MAX {
            assert!(delivery.next_page(&other, &same).is_some());
            delivery.completed(&other, &same);
        }
        assert!(delivery.next_page(&other, &same).is_none());
        assert!(delivery.next_page(&drain, &Outcome::Fail("deadline".to_owned())).is_none());
    }

    #[test]
    fn every_subscription_is_drained_once_and_every_conversation_read_by_each() {
        let delivery = delivery();
        let reads: Vec<Invocation> = (0..5).flat_map(|reader| delivery.final_reads(reader, 5)).collect();
        let count = |f: &str| reads.iter().filter(|invocation| invocation.f == f).count();
        assert_eq!((count("read"), count("poll")), (5 * 3, 8));
        let mut drained: Vec<_> = reads.iter().filter_map(subscriber).collect();
        drained.sort_unstable();
        assert_eq!(drained, (0..8).collect::<Vec<_>>());
    }

    #[test]
    fn a_slow_worker_polls_rarely_and_all_polls_are_possible() {
        let mut delivery = delivery();
        let mut polls_of = |worker: usize| (0..400).filter(|_| delivery.next(worker).f == "poll").count();
        let (quick, slow) = (polls_of(0), polls_of(SLOW_EVERY - 1));
        assert!(quick > 120 && slow > 0 && slow < quick / 4, "{quick} and {slow} polls");
    }
}

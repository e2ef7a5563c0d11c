//! People send messages to each other and read what was said.
//!
//! Every conversation is one of two people. A message has an id of its own (`c3-17`: the 17th message of worker
//! 3), so that the checker can tell any two apart. Reads are of three kinds, because they show different lies: the
//! newest page, a page from somewhere in the middle, and a page backwards from somewhere. A mix may also have `stale-read`:
//! the same pages as the very node has them that is asked.

use std::collections::BTreeMap;

use rand::RngExt;
use serde_json::{Value, json};

use super::{Mix, Workload, people};
use crate::rng::Rng;
use crate::scenario::plan::Plan;
use crate::system::{Invocation, Outcome};

/// The most messages that a read of the load asks for.
const PAGE_LIMIT: u64 = 50;

/// The most messages that a final read asks for.
const FINAL_PAGE_LIMIT: u64 = 500;

/// How far behind the newest message a page near the end may begin.
const TAIL: u64 = 20;

/// What a mix calls a read that may be late; in the history it is a `read` with `"stale": true`.
pub(super) const STALE_READ: &str = "stale-read";

#[derive(Debug, Clone, Copy)]
enum Verb {
    Send,
    Read,
    StaleRead,
}

/// See the module.
#[derive(Debug)]
pub struct Conversation {
    keys: Vec<String>,
    mix: Mix<Verb>,
    workers: Vec<Worker>,
    /// The highest number that any answer showed of each conversation.
    heads: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Worker {
    rng: Rng,
    sent: u64,
}

impl Conversation {
    /// The workload of `plan`, each worker with a generator of its own.
    #[must_use]
    pub fn new(plan: &Plan, workers: Vec<Rng>) -> Self {
        let weight = |verb: &str| plan.workload.mix.get(verb).copied().unwrap_or(0);
        Self {
            keys: people::conversations(plan),
            mix: Mix::new([
                (Verb::Send, weight("send")),
                (Verb::Read, weight("read")),
                (Verb::StaleRead, weight(STALE_READ)),
            ]),
            workers: workers.into_iter().map(|rng| Worker { rng, sent: 0 }).collect(),
            heads: BTreeMap::new(),
        }
    }

    /// The highest number that any answer showed of each conversation, 0 for those of which nothing was shown.
    pub(super) fn heads(&self) -> impl Iterator<Item = (&String, u64)> {
        self.keys.iter().map(|key| (key, self.heads.get(key).copied().unwrap_or(0)))
    }

    /// Learns that the conversation has this number.
    pub(super) fn shown(&mut self, key: &str, seq: u64) {
        let head = self.heads.entry(key.to_owned()).or_default();
        *head = (*head).max(seq);
    }
}

impl Workload for Conversation {
    fn next(&mut self, worker: usize) -> Invocation {
        let Worker { rng, sent } = &mut self.workers[worker];
        let key = self.keys[rng.random_range(0..self.keys.len())].clone();
        let head = self.heads.get(&key).copied().unwrap_or(0);
        let (f, value) = match self.mix.draw(rng) {
            Verb::Send => {
                *sent += 1;
                ("send", json!({ "id": format!("c{worker}-{sent}") }))
            }
            Verb::Read => ("read", draw_page(rng, head)),
            Verb::StaleRead => {
                let mut page = draw_page(rng, head);
                page["stale"] = true.into();
                ("read", page)
            }
        };
        Invocation { f, key: Some(key), value }
    }

    fn completed(&mut self, invocation: &Invocation, outcome: &Outcome) {
        let (Outcome::Ok(value), Some(key)) = (outcome, &invocation.key) else { return };
        let shown = [&value["seq"], &value["head"]].into_iter().filter_map(Value::as_u64).max();
        if let Some(shown) = shown {
            self.shown(key, shown);
        }
    }

    fn final_reads(&self, _reader: usize, _readers: usize) -> Vec<Invocation> {
        self.keys.iter().map(|key| final_read(key, 0)).collect()
    }

    fn next_page(&self, invocation: &Invocation, outcome: &Outcome) -> Option<Invocation> {
        let Outcome::Ok(value) = outcome else { return None };
        let after = invocation.value["after"].as_u64()?;
        let last = value["messages"].as_array()?.last()?["seq"].as_u64()?;
        let head = value["head"].as_u64()?;
        let key = invocation.key.as_ref()?;
        // A page that is short of its limit is not the last one: answers are bounded in bytes. One that does not go
        // on is a lie, which the checker sees; following it would not end.
        (after < last && last < head).then(|| final_read(key, last))
    }
}

fn final_read(key: &str, after: u64) -> Invocation {
    let value = json!({ "after": after, "limit": FINAL_PAGE_LIMIT, "final": true });
    Invocation { f: "read", key: Some(key.to_owned()), value }
}

fn draw_page(rng: &mut Rng, head: u64) -> Value {
    match rng.random_range(0..10_u32) {
        0..6 => json!({ "after": head.saturating_sub(rng.random_range(0..TAIL)), "limit": PAGE_LIMIT }),
        6..8 => json!({ "after": rng.random_range(0..=head), "limit": PAGE_LIMIT }),
        _ => json!({ "before": rng.random_range(1..=head + 1), "limit": PAGE_LIMIT }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_on_until_the_head_and_not_in_circles() {
        let workload = Conversation {
            keys: vec!["alice:bob".to_owned()],
            mix: Mix::new([(Verb::Read, 1)]),
            workers: Vec::new(),
            heads: BTreeMap::new(),
        };
        let (first, second) = (final_read("alice:bob", 0), final_read("alice:bob", 500));
        let page = |last: u64, head: u64| {
            Outcome::Ok(json!({ "messages": [{ "seq": last, "id": "x" }], "head": head }))
        };
        assert_eq!(workload.next_page(&first, &page(500, 700)), Some(final_read("alice:bob", 500)));
        assert_eq!(
            workload.next_page(&first, &page(3, 700)),
            Some(final_read("alice:bob", 3)),
            "short, not last"
        );
        assert_eq!(workload.next_page(&second, &page(700, 700)), None);
        assert_eq!(workload.next_page(&second, &page(500, 700)), None, "it shows again what was shown");
        assert_eq!(workload.next_page(&first, &Outcome::Info("deadline".to_owned())), None);
        assert_eq!(workload.next_page(&first, &Outcome::Ok(json!({ "messages": [], "head": 0 }))), None);
    }
}

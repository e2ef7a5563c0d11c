//! Operations and trace events in words.

use std::collections::BTreeSet;

use crate::evidence::trace::{LogPlace, TraceEvent};
use crate::history::{Datum, Delivery, Entry, History, Input, Operation, Outcome, Output, PageRange, Symbol};

/// The most messages of a page that are listed one by one.
const ENTRIES_MAX: usize = 4;

/// The most messages of a long page that are listed for what they matter.
const FOCUS_MAX: usize = 4;

/// The most names of a list that are given.
const NAMES_MAX: usize = 6;

/// Names in a sentence: `n1, n2 and n3`.
#[must_use]
pub fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Who did it, and where: `client 5 on n2`.
#[must_use]
pub fn client(history: &History, operation: &Operation) -> String {
    match operation.node {
        Some(node) => format!("client {} on {}", operation.process, history.text(node)),
        None => format!("client {}", operation.process),
    }
}

/// A read as a sentence names it: `the final read by client 5 on n2`.
#[must_use]
pub fn the_read(history: &History, operation: &Operation) -> String {
    let read = match operation.input {
        Input::StaleRead { .. } => "stale read",
        _ if operation.is_final() => "final read",
        _ => "read",
    };
    format!("the {read} by {}", client(history, operation))
}

/// A poll as a sentence names it: `the final poll by client 5 on n2`.
#[must_use]
pub fn the_poll(history: &History, operation: &Operation) -> String {
    let poll = if matches!(operation.input, Input::Poll { last: true, .. }) { "final poll" } else { "poll" };
    format!("the {poll} by {}", client(history, operation))
}

/// The operation and its outcome: `send c3-17: ok, number 17`. Of a long list of accounts, what it says of `name`.
#[must_use]
pub fn operation_about(history: &History, operation: &Operation, name: Option<Symbol>) -> String {
    focused(history, operation, &Focus { name, ..Focus::default() })
}

/// What matters in long answers, so that it is not abridged away.
#[derive(Debug, Clone, Default)]
pub(super) struct Focus {
    pub(super) messages: Vec<Symbol>,
    pub(super) numbers: Vec<u64>,
    /// An account.
    pub(super) name: Option<Symbol>,
}

/// The operation and its outcome, of which no part in the focus is left out.
pub(super) fn focused(history: &History, operation: &Operation, focus: &Focus) -> String {
    format!("{}: {}", input(history, operation), outcome(history, &operation.outcome, focus))
}

fn input(history: &History, operation: &Operation) -> String {
    let text = |symbol: Symbol| history.text(symbol);
    // Behind the name of the operation.
    let key = operation.key.map(|key| format!(" {}", text(key))).unwrap_or_default();
    match &operation.input {
        Input::Send { id } => format!("send {}", text(*id)),
        Input::Read { range, last } => page_read(if *last { "final read" } else { "read" }, *range),
        Input::StaleRead { range } => page_read("stale read", *range),
        Input::Delete { seq } => format!("delete number {seq}"),
        Input::Poll { after, last, .. } => {
            let poll = if *last { "final poll" } else { "poll" };
            let after = after.map(|after| format!(" after {after}")).unwrap_or_default();
            format!("{poll}{key}{after}")
        }
        Input::CreateAccount => format!("create{key}"),
        Input::DeleteAccount => format!("delete{key}"),
        Input::Login => format!("log in{key}"),
        Input::ListAccounts { pattern, after, limit, last } => {
            let mut words = if *last { "final list of accounts" } else { "list accounts" }.to_owned();
            if let Some(pattern) = pattern {
                words.push_str(&format!(" like {}", text(*pattern)));
            }
            if let Some(after) = after {
                words.push_str(&format!(" after {}", text(*after)));
            }
            if let Some(limit) = limit {
                words.push_str(&format!(" limit {limit}"));
            }
            words
        }
        Input::Get => format!("read{key}"),
        Input::Cas { from, to } => {
            format!("cas{key} {} to {}", from.told(&history.symbols), to.told(&history.symbols))
        }
        general => match (history.f(operation), general.argument()) {
            (f, Datum::Nil) if !matches!(general, Input::Write { .. } | Input::Put { .. }) => {
                format!("{f}{key}")
            }
            (f, argument) => format!("{f}{key} {}", argument.told(&history.symbols)),
        },
    }
}

fn page_read(read: &str, range: PageRange) -> String {
    match range {
        PageRange::After { seq, limit } => format!("{read} after {seq} limit {limit}"),
        PageRange::Before { seq, limit } => format!("{read} before {seq} limit {limit}"),
    }
}

fn outcome(history: &History, outcome: &Outcome, focus: &Focus) -> String {
    let because =
        |error: &Option<Symbol>| error.map_or(String::new(), |error| format!(", {}", history.text(error)));
    match outcome {
        Outcome::Ok(answer) => output(history, answer, focus),
        Outcome::Fail(error) => format!("failed{}", because(error)),
        Outcome::Info(error) => format!("nobody knows{}", because(error)),
    }
}

fn output(history: &History, output: &Output, focus: &Focus) -> String {
    match output {
        Output::Sent { seq } => format!("ok, number {seq}"),
        Output::Page { entries, head } => format!("head {head}, {}", page(history, entries, focus)),
        Output::Polled { deliveries } => delivered(history, deliveries, focus),
        Output::Names { names } => list_of_names(history, names, focus),
        Output::Value { value } => value.told(&history.symbols),
        Output::Done => "ok".to_owned(),
    }
}

/// What was delivered, as `cursor:number id`; of many, the ends and what is in the focus.
fn delivered(history: &History, deliveries: &[Delivery], focus: &Focus) -> String {
    if deliveries.is_empty() {
        return "nothing".to_owned();
    }
    let last = deliveries.len() - 1;
    let mut shown: BTreeSet<usize> = match deliveries.len() {
        count if count <= ENTRIES_MAX => (0..count).collect(),
        _ => {
            let in_focus = |at: &usize| focus.messages.contains(&deliveries[*at].id);
            (0..deliveries.len()).filter(in_focus).take(FOCUS_MAX).collect()
        }
    };
    shown.extend([0, last]);
    let mut words = Vec::new();
    let mut next = 0;
    for at in shown {
        if at > next {
            words.push("…".to_owned());
        }
        let Delivery { cursor, seq, id, .. } = deliveries[at];
        words.push(format!("@{cursor} {seq}:{}", history.text(id)));
        next = at + 1;
    }
    let count =
        if deliveries.len() > ENTRIES_MAX { format!(" ({})", deliveries.len()) } else { String::new() };
    format!("{}{count}", words.join(" "))
}

fn list_of_names(history: &History, names: &[Symbol], focus: &Focus) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_MAX).map(|name| history.text(*name)).collect();
    match focus.name {
        _ if names.len() <= NAMES_MAX => format!("[{}]", shown.join(" ")),
        Some(name) => {
            let with = if names.contains(&name) { "with" } else { "without" };
            format!("{} names, {with} {}", names.len(), history.text(name))
        }
        None => format!("[{} …] ({})", shown.join(" "), names.len()),
    }
}

fn page(history: &History, entries: &[Entry], focus: &Focus) -> String {
    let entry = |entry: &Entry| {
        let deleted = if entry.deleted { "†" } else { "" };
        format!("{}:{}{deleted}", entry.seq, history.text(entry.id))
    };
    if entries.is_empty() {
        return "nothing".to_owned();
    }
    let shown = abridged(entries, focus);
    let mut words = Vec::new();
    let mut next = 0;
    for &at in &shown {
        if at > next {
            words.push("…".to_owned());
        }
        words.push(entry(&entries[at]));
        next = at + 1;
    }
    let count = if shown.len() < entries.len() { format!(" ({})", entries.len()) } else { String::new() };
    format!("{}{count}", words.join(" "))
}

/// The positions of the entries that are told: all of a few, else the ends and what is in the focus. Of a number that
/// is missing, these are its neighbours.
fn abridged(entries: &[Entry], focus: &Focus) -> BTreeSet<usize> {
    if entries.len() <= ENTRIES_MAX {
        return (0..entries.len()).collect();
    }
    let last = entries.len() - 1;
    let in_focus = |entry: &Entry| focus.messages.contains(&entry.id) || focus.numbers.contains(&entry.seq);
    let told = entries.iter().enumerate().filter(|(_, entry)| in_focus(entry)).map(|(at, _)| at);
    let missing = focus.numbers.iter().filter(|number| entries.iter().all(|entry| entry.seq != **number));
    let around = missing.flat_map(|number| {
        let behind = entries.partition_point(|entry| entry.seq < *number);
        [behind.saturating_sub(1), behind.min(last)]
    });
    let kept: Vec<usize> = told.chain(around).take(FOCUS_MAX).collect();
    kept.into_iter().chain([0, last]).collect()
}

/// What a node wrote down, without when and who.
pub(super) fn trace_event(event: &TraceEvent) -> String {
    match event {
        TraceEvent::Start { .. } => "started".to_owned(),
        TraceEvent::Recovered { term, r#for, last, snapshot, .. } => {
            let vote = if *term == 0 {
                "no vote".to_owned()
            } else {
                format!("a vote for {} in term {term}", r#for)
            };
            let up_to = |place: &Option<LogPlace>| {
                place.map_or("nothing".to_owned(), |place| {
                    format!("index {} of term {}", place.index, place.term)
                })
            };
            format!(
                "found on its disk {vote}, a log up to {}, a snapshot up to {}",
                up_to(last),
                up_to(snapshot)
            )
        }
        TraceEvent::Following { term, leader, .. } => format!("knows that {leader} leads term {term}"),
        TraceEvent::Appended { index, term, hashes, .. } => match hashes.0.as_slice() {
            [only] => format!("appended index {index} of term {term}: entry {only:016x}"),
            several => {
                format!("appended indexes {index} to {} of term {term}", index + several.len() as u64 - 1)
            }
        },
        TraceEvent::Flushed { index, term, .. } => {
            format!("made its log durable up to index {index} of term {term}")
        }
        TraceEvent::Truncated { from, .. } => format!("removed the end of its log from index {from} on"),
        TraceEvent::Purged { index, term, .. } => {
            format!("removed the front of its log up to index {index} of term {term}")
        }
        TraceEvent::MembersAppended { index, voters, learners, .. } => {
            format!("appended index {index}, by which {}", members(voters, learners))
        }
        TraceEvent::Vote { term, r#for, .. } => format!("voted for {} in term {term}", r#for),
        TraceEvent::Leader { term, .. } => format!("became leader of term {term}"),
        TraceEvent::Commit { index, term, .. } => format!("committed up to index {index} of term {term}"),
        TraceEvent::Applied { index, term, state, .. } => {
            format!("applied index {index} of term {term}: state {state}")
        }
        TraceEvent::Members { index, voters, learners, .. } => {
            format!("from index {index} on {}", members(voters, learners))
        }
        TraceEvent::SnapshotMade { index, term, .. } => {
            format!("made a snapshot up to index {index} of term {term}")
        }
        TraceEvent::SnapshotInstalled { index, term, .. } => {
            format!("installed a snapshot up to index {index} of term {term}")
        }
    }
}

/// `the voters are n1 and n2, without a vote n4`
fn members(voters: &[Vec<String>], learners: &[String]) -> String {
    let names = |names: &[String]| list(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let sets: Vec<String> = voters.iter().map(|set| names(set)).collect();
    let learners =
        if learners.is_empty() { String::new() } else { format!(", without a vote {}", names(learners)) };
    format!("the voters are {}{learners}", sets.join(", and then "))
}

/// Sentences as one: `a read here must return 1 or 2` if only their last words differ.
pub(crate) fn alternatives(sentences: &[String]) -> String {
    let split: Option<Vec<(&str, &str)>> =
        sentences.iter().map(|sentence| sentence.rsplit_once(' ')).collect();
    match split.as_deref() {
        Some(parts @ [(begin, _), ..]) if parts.iter().all(|(other, _)| other == begin) => {
            let ends: Vec<&str> = parts.iter().map(|(_, end)| *end).collect();
            format!("{begin} {}", ends.join(" or "))
        }
        _ => sentences.join(", or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_repeat_only_what_differs() {
        let said = |sentences: &[&str]| {
            alternatives(&sentences.iter().map(|sentence| (*sentence).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(said(&["it must be 1", "it must be 2", "it must be 3"]), "it must be 1 or 2 or 3");
        assert_eq!(said(&["it is 1, not 2", "it is 3, not 2"]), "it is 1, not 2, or it is 3, not 2");
        assert_eq!((said(&["it is so"]), said(&[])), ("it is so".to_owned(), String::new()));
    }
}

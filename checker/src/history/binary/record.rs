//! One record: a name, or an event.
//!
//! | tag | record | fields behind time, process |
//! |---|---|---|
//! | 0 | name | only its text |
//! | 1 | invocation of a send | key, node, the id |
//! | 2, 3 | of a read after or before a number; 4, 5 a final one | key, node, the number, the limit |
//! | 6 | of a delete | key, node, the number |
//! | 7 | of anything else | key, node, its `f`, its value |
//! | 8 | a send succeeded | the number |
//! | 9 | a page without tombstones, numbers without gaps | head, count, first number, ids |
//! | 10 | any other page | head, count, ids; for each the distance of its number from the one before, less 1, and whether it is a tombstone |
//! | 11 | success without an answer | |
//! | 12 | any other success | the value |
//! | 13, 14 | `fail`, `info` | the error |
//! | 15 | the nemesis, without a process | its `f`, key, the number of nodes, the nodes, the value |
//!
//! A key, node or error that may be missing is one more than its name's number, or 0.

use super::varint::{fold, put};
use crate::history::PageRange;

/// One event. Names are numbers, in the order of [`Reader::names`](super::Reader::names).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Nanoseconds since the start of the run.
    pub time: u64,
    /// Who; 0 if it is the nemesis.
    pub process: u64,
    /// What happens.
    pub what: What<'a>,
}

/// What happens in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What<'a> {
    /// An operation is invoked.
    Invoked {
        /// The object.
        key: Option<u32>,
        /// The node that is asked.
        node: Option<u32>,
        /// What is asked.
        asked: Asked<'a>,
    },
    /// An operation completes.
    Completed(Learned<'a>),
    /// The nemesis does something.
    Fault {
        /// What.
        f: u32,
        /// The name of the strike.
        key: Option<u32>,
        /// The nodes that it means.
        nodes: &'a [u32],
        /// The value, as JSON text.
        value: &'a str,
    },
}

/// What an operation asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// To append a message.
    Send {
        /// Its id.
        id: u32,
    },
    /// A page.
    Read {
        /// Which messages.
        range: PageRange,
        /// Whether it is a final read.
        last: bool,
    },
    /// To delete a message.
    Delete {
        /// Its number.
        seq: u64,
    },
    /// Something else.
    Other {
        /// The operation's name.
        f: &'a str,
        /// Its argument, as JSON text.
        value: &'a str,
    },
}

/// How an operation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned<'a> {
    /// The message has this number.
    Sent {
        /// Its number.
        seq: u64,
    },
    /// A page.
    Page(Page<'a>),
    /// It is done.
    Done,
    /// It succeeded with another answer, as JSON text.
    Other {
        /// The answer.
        value: &'a str,
    },
    /// It certainly did not happen.
    Failed {
        /// Why.
        error: Option<u32>,
    },
    /// Nobody knows.
    Unknown {
        /// Why.
        error: Option<u32>,
    },
}

/// A page, in columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// The number of the conversation's last message.
    pub head: u64,
    /// The ids of the messages.
    pub ids: &'a [u32],
    /// The number of the first message.
    pub first: u64,
    /// The numbers of the messages; none if they ascend from the first one without gaps.
    pub seqs: &'a [u64],
    /// The positions of the tombstones, ascending.
    pub tombstones: &'a [u32],
}

/// What one event says about the next.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// How many names there are.
    pub(super) names: u32,
    /// The time of the last event.
    pub(super) time: u64,
    /// The id of the last message that was sent.
    pub(super) id: u32,
}

/// The tag of a name.
pub(super) const NAME: u8 = 0;

/// Appends a name.
pub(super) fn put_name(output: &mut Vec<u8>, text: &str) {
    output.push(NAME);
    put_text(output, text);
}

fn put_text(output: &mut Vec<u8>, text: &str) {
    put(output, text.len() as u64);
    output.extend_from_slice(text.as_bytes());
}

fn put_option(output: &mut Vec<u8>, name: Option<u32>) {
    put(output, name.map_or(0, |name| u64::from(name) + 1));
}

/// Appends an event. Its time is not before that of the context, and its names are there.
pub(super) fn put_event(output: &mut Vec<u8>, context: &mut Context, event: &Event<'_>) {
    output.push(tag(&event.what));
    put(output, event.time - context.time);
    context.time = event.time;
    if !matches!(event.what, What::Fault { .. }) {
        put(output, event.process);
    }
    match event.what {
        What::Invoked { key, node, asked } => {
            put_option(output, key);
            put_option(output, node);
            put_asked(output, context, asked);
        }
        What::Completed(learned) => put_learned(output, context, learned),
        What::Fault { f, key, nodes, value } => {
            put(output, f.into());
            put_option(output, key);
            put(output, nodes.len() as u64);
            nodes.iter().for_each(|node| put(output, (*node).into()));
            put_text(output, value);
        }
    }
}

fn tag(what: &What<'_>) -> u8 {
    match what {
        What::Invoked { asked, .. } => match asked {
            Asked::Send { .. } => 1,
            Asked::Read { range: PageRange::After { .. }, last: false } => 2,
            Asked::Read { range: PageRange::Before { .. }, last: false } => 3,
            Asked::Read { range: PageRange::After { .. }, last: true } => 4,
            Asked::Read { range: PageRange::Before { .. }, last: true } => 5,
            Asked::Delete { .. } => 6,
            Asked::Other { .. } => 7,
        },
        What::Completed(learned) => match learned {
            Learned::Sent { .. } => 8,
            Learned::Page(page) if page.seqs.is_empty() && page.tombstones.is_empty() => 9,
            Learned::Page(_) => 10,
            Learned::Done => 11,
            Learned::Other { .. } => 12,
            Learned::Failed { .. } => 13,
            Learned::Unknown { .. } => 14,
        },
        What::Fault { .. } => 15,
    }
}

fn put_asked(output: &mut Vec<u8>, context: &mut Context, asked: Asked<'_>) {
    match asked {
        Asked::Send { id } => {
            put(output, distance(id, context.id));
            context.id = id;
        }
        Asked::Read { range: PageRange::After { seq, limit } | PageRange::Before { seq, limit }, .. } => {
            put(output, seq);
            put(output, limit.into());
        }
        Asked::Delete { seq } => put(output, seq),
        Asked::Other { f, value } => {
            put_text(output, f);
            put_text(output, value);
        }
    }
}

fn put_learned(output: &mut Vec<u8>, context: &Context, learned: Learned<'_>) {
    match learned {
        Learned::Sent { seq } => put(output, seq),
        Learned::Page(page) => put_page(output, context, &page),
        Learned::Done => {}
        Learned::Other { value } => put_text(output, value),
        Learned::Failed { error } | Learned::Unknown { error } => put_option(output, error),
    }
}

fn put_page(output: &mut Vec<u8>, context: &Context, page: &Page<'_>) {
    put(output, page.head);
    put(output, page.ids.len() as u64);
    let regular = page.seqs.is_empty() && page.tombstones.is_empty();
    if regular {
        put(output, page.first);
    }
    let mut before = context.id;
    for id in page.ids {
        put(output, distance(*id, before));
        before = *id;
    }
    if regular {
        return;
    }
    let mut tombstones = page.tombstones.iter().copied().peekable();
    let mut expected = 0;
    for place in 0..page.ids.len() {
        let seq = page.seqs.get(place).copied().unwrap_or(page.first.wrapping_add(place as u64));
        put(output, fold(seq.wrapping_sub(expected).cast_signed()));
        output.push(u8::from(tombstones.next_if(|next| *next as usize == place).is_some()));
        expected = seq.wrapping_add(1);
    }
}

fn distance(name: u32, from: u32) -> u64 {
    fold(i64::from(name) - i64::from(from))
}

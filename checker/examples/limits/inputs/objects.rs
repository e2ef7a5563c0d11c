//! Objects of a few values, and what is asked of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Recorder;

/// How many values there are.
const VALUES: u64 = 4;

/// What is asked, as a history has it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) f: &'static str,
    pub(super) value: String,
    /// The values that it names.
    named: Vec<u64>,
}

impl Asked {
    fn new(f: &'static str, named: &[u64]) -> Self {
        let value = match named {
            [] => "null".to_owned(),
            [value] => value.to_string(),
            values => format!("{values:?}"),
        };
        Asked { f, value, named: named.to_vec() }
    }
}

/// An object that takes effect and answers.
pub(super) trait Object {
    /// Something that is asked of it.
    fn ask(&self, recorder: &mut Recorder<'_>) -> Asked;

    /// Takes effect; the kind of the answer, and its value.
    fn happen(&mut self, asked: &Asked) -> (&'static str, String);
}

/// A register with compare-and-set.
#[derive(Default)]
pub(super) struct Register(Option<u64>);

impl Object for Register {
    fn ask(&self, recorder: &mut Recorder<'_>) -> Asked {
        let values = [recorder.random(VALUES), recorder.random(VALUES)];
        match recorder.random(4) {
            0 => Asked::new("read", &[]),
            1 | 2 => Asked::new("write", &values[..1]),
            _ => Asked::new("cas", &values),
        }
    }

    fn happen(&mut self, asked: &Asked) -> (&'static str, String) {
        match asked.named[..] {
            [value] => self.0 = Some(value),
            [from, to] if Some(from) == self.0 => self.0 = Some(to),
            [_, _] => return ("fail", "null".to_owned()),
            _ => return ("ok", self.0.map_or("null".to_owned(), |value| value.to_string())),
        }
        ("ok", asked.value.clone())
    }
}

/// A queue.
#[derive(Default)]
pub(super) struct Queue(VecDeque<u64>);

impl Object for Queue {
    fn ask(&self, recorder: &mut Recorder<'_>) -> Asked {
        let value = recorder.random(VALUES);
        if recorder.random(2) == 0 { Asked::new("enqueue", &[value]) } else { Asked::new("dequeue", &[]) }
    }

    fn happen(&mut self, asked: &Asked) -> (&'static str, String) {
        match asked.named[..] {
            [value] => self.0.push_back(value),
            _ => return ("ok", self.0.pop_front().map_or("null".to_owned(), |value| value.to_string())),
        }
        ("ok", asked.value.clone())
    }
}

/// A text.
#[derive(Default)]
pub(super) struct Text(String);

impl Object for Text {
    fn ask(&self, recorder: &mut Recorder<'_>) -> Asked {
        let value = recorder.random(VALUES);
        let f = ["get", "put", "append", "append"][recorder.random(4) as usize];
        let asked = Asked::new(f, if f == "get" { &[] } else { std::slice::from_ref(&value) });
        if f == "get" { asked } else { Asked { value: format!("\"{value}\""), ..asked } }
    }

    fn happen(&mut self, asked: &Asked) -> (&'static str, String) {
        match (asked.f, &asked.named[..]) {
            ("put", [value]) => self.0 = value.to_string(),
            (_, [value]) => self.0 += &value.to_string(),
            _ => return ("ok", format!("\"{}\"", self.0)),
        }
        ("ok", asked.value.clone())
    }
}

/// A counter whose additions differ.
pub(super) struct Counter(pub(super) u64);

impl Object for Counter {
    fn ask(&self, recorder: &mut Recorder<'_>) -> Asked {
        let amount = 1 + recorder.random(VALUES);
        if recorder.random(2) == 0 { Asked::new("add", &[amount]) } else { Asked::new("read", &[]) }
    }

    fn happen(&mut self, asked: &Asked) -> (&'static str, String) {
        match asked.named[..] {
            [amount] => self.0 += amount,
            _ => return ("ok", self.0.to_string()),
        }
        ("ok", asked.value.clone())
    }
}

/// A lock; who is refused fails.
pub(super) struct Lock(pub(super) bool);

impl Object for Lock {
    fn ask(&self, recorder: &mut Recorder<'_>) -> Asked {
        Asked::new(["acquire", "release"][recorder.random(2) as usize], &[])
    }

    fn happen(&mut self, asked: &Asked) -> (&'static str, String) {
        let held = asked.f == "acquire";
        let kind = if self.0 == held { "fail" } else { "ok" };
        self.0 = held;
        (kind, "null".to_owned())
    }
}

/// A set with removals.
#[derive(Default)]
pub(super) struct Set(BTreeSet<u64>);

impl Object for Set {
    fn ask(&self, recorder: &mut Recorder<'_>) -> Asked {
        let value = recorder.random(VALUES);
        match recorder.random(4) {
            0 => Asked::new("read", &[]),
            1 => Asked::new("remove", &[value]),
            _ => Asked::new("add", &[value]),
        }
    }

    fn happen(&mut self, asked: &Asked) -> (&'static str, String) {
        match (asked.f, &asked.named[..]) {
            ("remove", [value]) => drop(self.0.remove(value)),
            (_, [value]) => drop(self.0.insert(*value)),
            _ => return ("ok", format!("{:?}", self.0.iter().collect::<Vec<_>>())),
        }
        ("ok", asked.value.clone())
    }
}

/// Several registers, of which a transaction reads one and writes another.
#[derive(Default)]
pub(super) struct Registers(BTreeMap<u64, u64>);

impl Object for Registers {
    fn ask(&self, recorder: &mut Recorder<'_>) -> Asked {
        let [read, written, value] = [0; 3].map(|_| recorder.random(VALUES));
        let value_text = format!("[[\"r\",{read},null],[\"w\",{written},{value}]]");
        Asked { value: value_text, ..Asked::new("txn", &[read, written, value]) }
    }

    fn happen(&mut self, asked: &Asked) -> (&'static str, String) {
        let &[read, written, value] = &asked.named[..] else { return ("fail", "null".to_owned()) };
        let seen = self.0.get(&read).map_or("null".to_owned(), u64::to_string);
        self.0.insert(written, value);
        ("ok", format!("[[\"r\",{read},{seen}],[\"w\",{written},{value}]]"))
    }
}

//! Histories as pictures: what the tests are made of, and how a small history is shown.
//!
//! ```text
//! p0@n1:   |-send a=1-|     |-send b-?
//! p1@n2:        |-read [a]-|            |-final-read [a b]-|
//! nemesis:             |-kill n1--------------------->
//! ```
//!
//! A line is one process, or one fault of the nemesis; a column, counted from the line's first letter, is a
//! millisecond. An operation begins at its `|`
//! and is completed at the last character: `-|` ok, `-!` fail, `-?` info, `->` never (only the history's end
//! completes it). Where one operation ends in the column in which another begins, the two overlap. Empty lines and
//! lines that begin with `#` are passed over.
//!
//! | drawn | meaning |
//! |---|---|
//! | `send a=1`, `send a` | message `a`, acknowledged as number 1; not acknowledged |
//! | `read [a b]` | a page after 0, at most 100 messages: `a` is number 1, `b` number 2, head 2 |
//! | `read 5+2 [f g]/9` | at most 2 messages after number 5, head 9 |
//! | `read <9+2 [g h]/12` | at most 2 messages before number 9 |
//! | `read [a 3:c d†]` | the numbers 1, 3 and 4; a tombstone |
//! | `final-read …`, `stale-read …` | the same, as a final read; as one that may be late |
//! | `delete #3` | a tombstone for number 3 |
//! | `poll [7/k/1/a]` | delivered with cursor 7: number 1 of `k`, `a` |
//! | `final-poll by w1 after 7 []` | subscriber `w1` reads on after cursor 7, and nothing more is to come |
//! | `create al`, `delete-account al`, `login al` | accounts |
//! | `list [al bo]`, `list like a* after al limit 9 [am]`, `final-list …` | accounts, listed |
//! | `get 3`, `write 3`, `cas 1 2` | a register with JSON values |
//! | `put 3`, `append 3`, `add 3`, `remove 3`, `enqueue 3`, `acquire "me"`, `increment 2` … | general objects |
//! | `dequeue = 3`, `drain = [3,4]`, `increment 2 = 7`, `txn [["r",1,null]] = [["r",1,3]]` | the same, with an answer |
//! | `call f {"a":1}`, `call f {"a":1} = 3` | an operation this version does not know |
//! | `… @k`, `… (timeout)` | the key, if not `k` (conversations, inboxes) or `x` (registers, general objects); the error, at the end |
//!
//! Names are without spaces and brackets, and values without spaces.

mod notation;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod typed;

use notation::Drawn;
use thiserror::Error;

use super::{
    Datum, Event, Fault, FaultLine, History, Input, Moment, Operation, OperationId, Outcome, Symbol, Symbols,
};

/// One column.
const COLUMN_NS: u64 = 1_000_000;

/// Why a picture cannot be read. Lines and columns count from 1, columns from the line's first letter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TimelineError {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads a picture.
///
/// # Errors
/// [`TimelineError`] for what cannot be read, or what cannot be a history.
pub fn parse(text: &str) -> Result<History, TimelineError> {
    let mut symbols = Symbols::default();
    let mut events = Vec::new();
    for (row, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if !line.is_empty() && !line.starts_with('#') {
            Lane::parse(row, line, &mut symbols)?.events(&mut symbols, &mut events)?;
        }
    }
    // A stable sort: in one column, beginnings come before ends, and upper lines before lower ones.
    events.sort_by_key(|event| (event.column, event.ends));
    let mut history = History::new();
    history.symbols = symbols;
    for event in events {
        let (line, column) = (event.row + 1, event.column + 1);
        let at = Moment { index: history.next_index(), time: event.column as u64 * COLUMN_NS };
        match event.what {
            What::Fault(fault) => history.nemesis(at, fault),
            What::Invoked { process, node, key, input } => {
                history.invoke(at, process, node, key, input).map(|_| ())
            }
            What::Completed { process, f, outcome } => history.complete(at, process, &f, outcome).map(|_| ()),
        }
        .map_err(|error| TimelineError { line, column, message: error.to_string() })?;
    }
    Ok(history)
}

struct PlacedEvent {
    row: usize,
    column: usize,
    ends: bool,
    what: What,
}

enum What {
    Invoked { process: u64, node: Option<Symbol>, key: Option<Symbol>, input: Input },
    Completed { process: u64, f: String, outcome: Outcome },
    Fault(FaultLine),
}

/// One line of a picture.
struct Lane {
    row: usize,
    who: Who,
    text: Vec<char>,
    /// Where the operations begin.
    start: usize,
}

#[derive(Clone, Copy)]
enum Who {
    Client { process: u64, node: Option<Symbol> },
    Nemesis,
}

/// How a bar ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Ok,
    Fail,
    Info,
    Never,
}

impl End {
    fn of(mark: char) -> Option<End> {
        match mark {
            '|' => Some(End::Ok),
            '!' => Some(End::Fail),
            '?' => Some(End::Info),
            '>' => Some(End::Never),
            _ => None,
        }
    }

    fn mark(self) -> &'static str {
        match self {
            End::Ok => "-|",
            End::Fail => "-!",
            End::Info => "-?",
            End::Never => "->",
        }
    }
}

impl Lane {
    fn parse(row: usize, line: &str, symbols: &mut Symbols) -> Result<Self, TimelineError> {
        let error = |message: &str| TimelineError { line: row + 1, column: 1, message: message.to_owned() };
        let (label, _) =
            line.split_once(':').ok_or_else(|| error("a line begins with `p0:` or `nemesis:`"))?;
        let start = label.chars().count() + 1;
        let who = match label.trim() {
            "nemesis" => Who::Nemesis,
            label => {
                let (process, node) = label.split_once('@').map_or((label, None), |(p, n)| (p, Some(n)));
                let number = process.strip_prefix('p').and_then(|number| number.parse().ok());
                let process = number.ok_or_else(|| error("a process is written `p0` or `p0@n1`"))?;
                Who::Client { process, node: node.map(|node| symbols.intern(node)) }
            }
        };
        Ok(Lane { row, who, text: line.chars().collect(), start })
    }

    fn events(&self, symbols: &mut Symbols, events: &mut Vec<PlacedEvent>) -> Result<(), TimelineError> {
        let mut cursor = self.start;
        while let Some(begin) = self.find_begin(cursor)? {
            let error = |message: String| TimelineError { line: self.row + 1, column: begin + 1, message };
            let end = self
                .find_end(begin + 2)
                .ok_or_else(|| error("an operation ends with `-|`, `-!`, `-?` or `->`".to_owned()))?;
            let how = End::of(self.text[end]).expect("an end has a mark");
            let text: String = self.text[begin + 2..end].iter().collect();
            let text = text.trim_matches(['-', ' ']);
            let (invoked, completed) = self.what(text, how, symbols).map_err(error)?;
            let row = self.row;
            events.push(PlacedEvent { row, column: begin, ends: false, what: invoked });
            if let Some(what) = completed {
                events.push(PlacedEvent { row, column: end, ends: true, what });
            }
            cursor = end + 1;
        }
        Ok(())
    }

    /// The beginning of the next operation; between operations there are only spaces.
    fn find_begin(&self, from: usize) -> Result<Option<usize>, TimelineError> {
        let Some(at) = (from..self.text.len()).find(|at| self.text[*at] != ' ') else { return Ok(None) };
        if self.text[at..].starts_with(&['|', '-']) {
            return Ok(Some(at));
        }
        let message = "an operation begins with `|-`".to_owned();
        Err(TimelineError { line: self.row + 1, column: at + 1, message })
    }

    fn find_end(&self, from: usize) -> Option<usize> {
        (from..self.text.len()).find(|at| self.text[*at - 1] == '-' && End::of(self.text[*at]).is_some())
    }

    fn what(&self, text: &str, how: End, symbols: &mut Symbols) -> Result<(What, Option<What>), String> {
        match self.who {
            Who::Nemesis => {
                let fault = fault(text, symbols)?;
                let ended = match how {
                    End::Ok => Some(What::Fault(fault.clone())),
                    End::Never => None,
                    End::Fail | End::Info => return Err("a fault ends with `-|` or `->`".to_owned()),
                };
                Ok((What::Fault(fault), ended))
            }
            Who::Client { process, node } => {
                let Drawn { key, input, output, error } = Drawn::parse(text, symbols)?;
                let outcome = match how {
                    End::Ok => Some(Outcome::Ok(output.ok_or("an operation that is ok has an answer")?)),
                    End::Fail => Some(Outcome::Fail(error)),
                    End::Info => Some(Outcome::Info(error)),
                    End::Never => None,
                };
                let f = input.f(symbols).to_owned();
                let completed = outcome.map(|outcome| What::Completed { process, f, outcome });
                Ok((What::Invoked { process, node, key, input }, completed))
            }
        }
    }
}

/// `kill n1 n2 @name`
fn fault(text: &str, symbols: &mut Symbols) -> Result<FaultLine, String> {
    let (text, key) = notation::split_key(text);
    let mut words = text.split_whitespace();
    let f = words.next().ok_or("a fault has a name")?;
    Ok(FaultLine {
        f: symbols.intern(f),
        key: key.map(|key| symbols.intern(key)),
        nodes: words.map(|node| symbols.intern(node)).collect(),
        value: Datum::Nil,
    })
}

/// Draws a history: its order, not its times. What [`parse`] reads from the picture is the same history, each
/// event at the time of its column.
#[must_use]
pub fn draw(history: &History) -> String {
    let mut lanes = Lanes::default();
    for event in &history.events {
        match *event {
            Event::Invoked(id) => {
                lanes.begin(&client_label(history, history.operation(id)), &text(history, id))
            }
            Event::Completed(id) => {
                let operation = history.operation(id);
                let how = match operation.outcome {
                    Outcome::Ok(_) => End::Ok,
                    Outcome::Fail(_) => End::Fail,
                    Outcome::Info(_) => End::Info,
                };
                lanes.end(&client_label(history, operation), how);
            }
            Event::FaultBegan(number) => {
                lanes.begin(&fault_label(number), &fault_text(history, &history.faults[number as usize]));
            }
            Event::FaultEnded(number) => lanes.end(&fault_label(number), End::Ok),
        }
    }
    lanes.finish()
}

fn client_label(history: &History, operation: &Operation) -> String {
    let node = operation.node.map_or(String::new(), |node| format!("@{}", history.text(node)));
    format!("p{}{node}", operation.process)
}

/// Each fault has a lane of its own, told apart by a number that is not drawn.
fn fault_label(number: u32) -> String {
    format!("nemesis#{number}")
}

fn text(history: &History, id: OperationId) -> String {
    Drawn::of(history.operation(id)).to_text(&history.symbols)
}

fn fault_text(history: &History, fault: &Fault) -> String {
    let nodes = fault.nodes.iter().map(|node| format!(" {}", history.text(*node)));
    let key = fault.key.map(|key| format!(" @{}", history.text(key)));
    std::iter::once(history.text(fault.f).to_owned()).chain(nodes).chain(key).collect()
}

/// The lines of a picture that is being drawn, from left to right.
#[derive(Default)]
struct Lanes {
    labels: Vec<String>,
    texts: Vec<LaneText>,
    /// Where the next event may stand.
    width: usize,
}

#[derive(Default)]
struct LaneText {
    text: String,
    columns: usize,
    open: bool,
}

impl LaneText {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.columns += text.chars().count();
    }

    fn fill(&mut self, to: usize) {
        let with = if self.open { "-" } else { " " };
        self.push(&with.repeat(to.saturating_sub(self.columns)));
    }
}

impl Lanes {
    fn begin(&mut self, label: &str, text: &str) {
        let number = self.labels.iter().position(|known| known == label).unwrap_or_else(|| {
            self.labels.push(label.to_owned());
            self.texts.push(LaneText::default());
            self.labels.len() - 1
        });
        let lane = &mut self.texts[number];
        lane.fill(self.width);
        self.width = self.width.max(lane.columns) + 1;
        lane.fill(self.width - 1);
        lane.push(&format!("|-{text}"));
        lane.open = true;
    }

    fn end(&mut self, label: &str, how: End) {
        let number = self.labels.iter().position(|known| known == label).expect("what ends has begun");
        let lane = &mut self.texts[number];
        // The mark itself stands in the event's column, the dash before it.
        lane.fill(self.width.saturating_sub(1));
        lane.push(how.mark());
        lane.open = false;
        self.width = lane.columns;
    }

    fn finish(mut self) -> String {
        let end = self.texts.iter().map(|lane| lane.columns).max().unwrap_or(0);
        let shown = |label: &String| label.split('#').next().unwrap_or_default().to_owned();
        let labels: Vec<String> = self.labels.iter().map(shown).collect();
        let gutter = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0) + 2;
        let mut picture = String::new();
        for (label, lane) in labels.iter().zip(&mut self.texts) {
            if lane.open {
                lane.fill(end);
                lane.push(End::Never.mark());
            }
            picture.push_str(&format!("{:gutter$}{}\n", format!("{label}:"), lane.text));
        }
        picture
    }
}

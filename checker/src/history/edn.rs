//! Jepsen's `history.edn`, Porcupine's key-value text, and everything else that is operation maps in EDN.
//!
//! ```text
//! {:index 0, :time 3291485317, :type :invoke, :process 0, :f :read, :value nil}
//! {:index 1, :time 3296209422, :type :ok, :process 0, :f :read, :value 3}
//! ```
//!
//! The maps stand bare or in one vector or list, on any number of lines, with keys in any order, as maps or as
//! tagged records (`#jepsen.history.Op{…}`). Understood are `:process`, `:type`, `:f` (these three are required), `:value`,
//! `:index`, `:time`, `:error`, and, where others than Jepsen say them, `:key` and `:node`; what else there is is passed over.
//! How a history of others becomes ours is said in [`format`](mod@super::format). A value becomes a [`Datum`]:
//!
//! | EDN | datum |
//! |---|---|
//! | `nil`, `true`, `12`, `"a"` | nil, a boolean, a whole number, a name |
//! | `[1 2]`, `(1 2)` | a list |
//! | `#{2 1}` | the sorted list of the elements |
//! | `{:a 1}`, `#:n{:a 1}` | a map, sorted by key |
//! | `#tag [1 2]`, `#record{:a 1}` | as without the tag |
//! | `:a`, `a`, `\a`, `1/2`, `2.5`, `1e400M`, `0x1F` beyond 64 bits, `#inst "…"` | another thing, by its text |
//!
//! The text is read in blocks and never held whole. Of a text that ends within an operation, as a killed writer leaves
//! it, the rest is reported as [`Torn`].
//!
//! A comment `; {"format":"hearsay-history",…}` in the first line, as [`write`](fn@write) makes it, is the header of `history.jsonl`.

mod cursor;
mod event;
mod order;
#[cfg(test)]
mod tests;
mod value;
mod write;

use std::io::Read;

pub(super) use cursor::{Cursor, Stop, is_delimiter};
pub(super) use event::{argument, error, name, r#type};
use order::Order;
pub(super) use value::Values;
pub use write::write;

use super::blocks::Blocks;
use super::foreign::Foreign;
use super::format::ReadError;
use super::jsonl::{Header, Torn};
use super::{Datum, History};

/// How the first line begins if it is a header.
const HEADER: &[u8] = b"; {\"format\":\"hearsay-history\"";

/// Reads a history.
///
/// # Errors
/// [`ReadError`] for the first form that cannot be used, an unfinished last one excepted.
pub fn read(input: impl Read) -> Result<(History, Option<Torn>), ReadError> {
    read_into(History::new(), input)
}

pub(super) fn read_into(history: History, input: impl Read) -> Result<(History, Option<Torn>), ReadError> {
    read_blocks(history, Blocks::new(input))
}

fn read_blocks<R: Read>(
    history: History,
    mut blocks: Blocks<R>,
) -> Result<(History, Option<Torn>), ReadError> {
    let mut reader = Reader { foreign: Foreign::of(history), ..Reader::default() };
    loop {
        let mut cursor = Cursor { text: blocks.text(), at: 0, whole: blocks.is_whole() };
        match reader.forms(&mut cursor) {
            Stop::Wrong { at, message } => return Err(ReadError::at(blocks.place(at), message)),
            Stop::End if !blocks.is_whole() => {
                blocks.consume(std::mem::take(&mut reader.used));
                blocks.more().map_err(|error| ReadError::unreadable(blocks.place(0), &error))?;
            }
            Stop::End => {
                let unfinished =
                    reader.used < blocks.text().len() || matches!(reader.level, Level::Inside(_));
                let torn =
                    unfinished.then(|| Torn { line: blocks.place(rest(blocks.text(), reader.used)).0 });
                return Ok((reader.foreign.history, torn));
            }
        }
    }
}

/// Where what comes behind the used text begins.
fn rest(text: &[u8], used: usize) -> usize {
    text.len() - text[used..].trim_ascii_start().len()
}

/// Where the reader is among the brackets around the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Level {
    #[default]
    Outside,
    /// Before this bracket.
    Inside(u8),
    After,
}

#[derive(Debug, Default)]
struct Reader {
    foreign: Foreign,
    stack: Vec<Datum>,
    order: Order,
    level: Level,
    /// How much of the text needs not be read again.
    used: usize,
    begun: bool,
}

impl Reader {
    /// Reads operations until the text ends, or one is wrong.
    fn forms(&mut self, cursor: &mut Cursor<'_>) -> Stop {
        loop {
            if let Err(stop) = self.form(cursor) {
                return stop;
            }
        }
    }

    fn form(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        if !self.begun {
            self.header(cursor)?;
        }
        let passed = cursor.trivia(0);
        // What lies between the forms is done with, so that the text is torn at the same place however it is read.
        self.used = cursor.at;
        passed?;
        if cursor.at == cursor.text.len() {
            return Err(Stop::End);
        }
        let at = cursor.at;
        if cursor.peek()? == b'#' {
            // A record's name, or a tag of the whole history.
            let tag = cursor.token();
            cursor.trivia(0)?;
            if tag.len() < 2 || !matches!(cursor.peek()?, b'{' | b'[' | b'(') {
                return cursor.wrong_at(at, "an operation is a map or a record");
            }
        }
        match (cursor.peek()?, self.level) {
            (_, Level::After) => {
                return cursor.wrong_at(at, "the history has ended before; a file holds one");
            }
            (b'{', _) => {
                self.stack.clear();
                let symbols = &mut self.foreign.history.symbols;
                let mut values = Values { symbols, stack: &mut self.stack };
                // A word at the very end is no whole one: the map is still open.
                let whole = std::mem::take(&mut cursor.whole);
                let told = event::map(cursor, &mut values, &mut self.order)?;
                cursor.whole = whole;
                if let Err(message) = self.foreign.event(&told) {
                    return cursor.wrong_at(at, message);
                }
            }
            (open @ (b'[' | b'('), Level::Outside) if self.foreign.history.next_index() == 0 => {
                cursor.at += 1;
                self.level = Level::Inside(cursor::closer(open));
            }
            (close, Level::Inside(expected)) if close == expected => {
                cursor.at += 1;
                self.level = Level::After;
            }
            _ => {
                let example = "{:process 0, :type :invoke, :f :read, :value nil}";
                return cursor.wrong(format!("an operation is a map such as {example}"));
            }
        }
        self.used = cursor.at;
        Ok(())
    }

    /// Takes what the first line says, if it is the header of our own.
    fn header(&mut self, cursor: &Cursor<'_>) -> Result<(), Stop> {
        let known = cursor.text.len().min(HEADER.len());
        if cursor.text[..known] == HEADER[..known] {
            let end = memchr::memchr(b'\n', cursor.text);
            let Some(end) = end.or(cursor.whole.then_some(cursor.text.len())) else { return Err(Stop::End) };
            let json = cursor.text[..end].strip_prefix(b"; ").unwrap_or_default();
            // Another comment may begin alike; then it says nothing to us.
            if let Ok(header) = serde_json::from_slice::<Header>(json) {
                header.describe(&mut self.foreign.history);
            }
        }
        self.begun = true;
        Ok(())
    }
}

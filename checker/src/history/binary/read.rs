//! Events back, one after the other.

use std::io::Read;

use super::MAGIC;
use super::block::{self, Found};
use super::decode::{self, Columns};
use super::error::{BinaryError, Problem, Torn};
use super::record::{Context, Event, NAME};
use super::varint::Bytes;
use crate::history::jsonl::{FORMAT, Header, VERSION};

/// Reads a file event by event. What it needs is one block and the columns of one page, however long the file is.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    header: Header,
    payload: Vec<u8>,
    /// How far the payload is read.
    position: usize,
    /// Where the block begins, in the file.
    begin: u64,
    /// Where the last event begins.
    event: u64,
    /// Where the next block begins.
    end: u64,
    context: Context,
    columns: Columns,
    torn: Option<Torn>,
}

impl<R: Read> Reader<R> {
    /// Begins to read a file.
    ///
    /// # Errors
    /// [`BinaryError`] if it is no binary history, or does not even have a whole header.
    pub fn new(mut input: R) -> Result<Self, BinaryError> {
        let mut magic = Vec::new();
        input
            .by_ref()
            .take(MAGIC.len() as u64)
            .read_to_end(&mut magic)
            .map_err(|error| Problem::Read(error).at(0))?;
        if magic != MAGIC {
            return Err(Problem::NotAHistory.at(0));
        }
        let (mut payload, begin) = (Vec::new(), MAGIC.len() as u64);
        match block::read(&mut input, &mut payload).map_err(|problem| problem.at(begin))? {
            Found::Block => {}
            Found::End | Found::Torn => return Err(Problem::NoHeader.at(begin)),
        }
        let header = header(&payload).map_err(|message| Problem::Header(message).at(begin))?;
        let end = begin + (block::HEAD + payload.len()) as u64;
        let position = payload.len();
        let (context, columns) = (Context::default(), Columns::default());
        Ok(Reader {
            input,
            header,
            payload,
            position,
            begin,
            event: begin,
            end,
            context,
            columns,
            torn: None,
        })
    }

    /// Where the bytes come from. Bytes that are added there behind its end are read on.
    pub(super) fn input_mut(&mut self) -> &mut R {
        &mut self.input
    }

    /// The first block.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many names were given so far. All names of an event are below.
    #[must_use]
    pub fn names(&self) -> u32 {
        self.context.names
    }

    /// What was left of an unfinished block, once there are no more events.
    #[must_use]
    pub fn torn(&self) -> Option<Torn> {
        self.torn
    }

    /// Where the last event that was returned ends in the file, in bytes from 0.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.begin + (block::HEAD + self.position) as u64
    }

    /// Where the last event that was returned begins in the file, in bytes from 0.
    #[must_use]
    pub fn event_offset(&self) -> u64 {
        self.event
    }

    /// The next event. The names that are given before it go to `name`, the first of all with number 0.
    ///
    /// # Errors
    /// [`BinaryError`] for what no writer writes.
    pub fn next(&mut self, mut name: impl FnMut(&str)) -> Result<Option<Event<'_>>, BinaryError> {
        loop {
            if self.position == self.payload.len() {
                if !self.next_block()? {
                    return Ok(None);
                }
            } else if self.payload[self.position] == NAME {
                let (bytes, offset) = (Bytes { left: &self.payload[self.position + 1..] }, self.offset());
                let (text, left) =
                    Self::name(bytes).map_err(|problem| Problem::Record(problem).at(offset))?;
                let names = self.context.names.checked_add(1);
                self.context.names = names.ok_or(Problem::Record("more than 2^32 - 1 names").at(offset))?;
                name(text);
                self.position = self.payload.len() - left;
            } else {
                break;
            }
        }
        let offset = self.offset();
        self.event = offset;
        let mut bytes = Bytes { left: &self.payload[self.position..] };
        let event = decode::event(&mut bytes, &mut self.context, &mut self.columns);
        self.position = self.payload.len() - bytes.left.len();
        event.map(Some).map_err(|problem| Problem::Record(problem).at(offset))
    }

    /// How many bytes of memory the block at hand has.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.payload.capacity()
    }

    fn name(mut bytes: Bytes<'_>) -> Result<(&str, usize), &'static str> {
        let text = bytes.text()?;
        Ok((text, bytes.left.len()))
    }

    /// Reads a block; false at the end.
    fn next_block(&mut self) -> Result<bool, BinaryError> {
        self.position = 0;
        let found =
            block::read(&mut self.input, &mut self.payload).map_err(|problem| problem.at(self.end))?;
        if found != Found::Block {
            self.payload.clear();
            self.torn = (found == Found::Torn).then_some(Torn { offset: self.end });
            return Ok(false);
        }
        self.begin = self.end;
        self.end += (block::HEAD + self.payload.len()) as u64;
        Ok(true)
    }
}

fn header(json: &[u8]) -> Result<Header, String> {
    let header: Header = serde_json::from_slice(json).map_err(|error| crate::json::message(&error))?;
    if (header.format.as_str(), header.version) != (FORMAT, VERSION) {
        return Err(format!("its format is `{}`, version {}", header.format, header.version));
    }
    Ok(header)
}

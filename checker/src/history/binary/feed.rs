//! A history from bytes that come in pieces, for whoever follows a file while it is written.

use std::collections::VecDeque;

use super::error::{BinaryError, Problem};
use super::read::Reader;
use super::{MAGIC, block, build, is_binary};
use crate::history::{History, Symbol};

/// Takes the bytes of a file in pieces of any size, and gives its events to a history as soon as their block is whole.
#[derive(Debug, Default)]
pub struct Feed {
    /// What came behind the last whole block.
    pending: Vec<u8>,
    /// It has whole blocks only; there is none before that of the header came.
    reader: Option<Reader<VecDeque<u8>>>,
    /// The names of the file.
    names: Vec<Symbol>,
    pub(crate) history: History,
}

impl Feed {
    /// Takes the next bytes. [`Feed::take`] gives what has come with them to the history.
    ///
    /// # Errors
    /// [`BinaryError`] if they are the beginning of no binary history.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), BinaryError> {
        self.pending.extend_from_slice(bytes);
        let begin = if self.reader.is_some() { 0 } else { MAGIC.len() };
        if self.pending.len() < begin {
            return Ok(());
        }
        if begin > 0 && !is_binary(&self.pending) {
            return Err(Problem::NotAHistory.at(0));
        }
        let mut end = begin;
        while let Some(length) = block::whole(&self.pending[end..]) {
            end += length;
        }
        if end == begin {
            return Ok(());
        }
        let whole = self.pending.drain(..end);
        match &mut self.reader {
            Some(reader) => reader.input_mut().extend(whole),
            None => {
                let reader = Reader::new(whole.collect::<VecDeque<u8>>())?;
                reader.header().describe(&mut self.history);
                self.reader = Some(reader);
            }
        }
        Ok(())
    }

    /// Gives the next event to the history. False if it has not come yet.
    ///
    /// # Errors
    /// [`BinaryError`] for what no writer writes, and for an event that the history refuses.
    pub fn take(&mut self) -> Result<bool, BinaryError> {
        let Feed { reader, names, history, .. } = self;
        let Some(reader) = reader else { return Ok(false) };
        let event = match reader.next(|name| names.push(history.symbols.intern(name)))? {
            Some(event) => build::add(history, names, &event),
            None => return Ok(false),
        };
        event.map_err(|problem| problem.at(reader.event_offset()))?;
        Ok(true)
    }

    /// What came so far.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }
}

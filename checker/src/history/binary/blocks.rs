//! Names and events, as they stand in the file.

use std::io::{self, Write};

use super::record::{Context, Event, put_event, put_name};
use super::{MAGIC, block};
use crate::history::jsonl::Header;

/// A block is written when it has so many bytes.
const BLOCK: usize = 1 << 16;

/// Writes events whose names are numbers already, for whoever hands out the numbers.
#[derive(Debug)]
pub struct Blocks<W> {
    output: W,
    payload: Vec<u8>,
    scratch: Vec<u8>,
    context: Context,
}

impl<W: Write> Blocks<W> {
    /// Begins a history.
    ///
    /// # Errors
    /// Those of the output.
    pub fn new(mut output: W, header: &Header) -> io::Result<Self> {
        let mut scratch = MAGIC.to_vec();
        output.write_all(&scratch)?;
        block::write(&mut output, &mut scratch, &serde_json::to_vec(header)?)?;
        Ok(Blocks { output, payload: Vec::new(), scratch, context: Context::default() })
    }

    /// Appends a name, and returns its number. The first has the number 0.
    pub fn name(&mut self, text: &str) -> u32 {
        let number = self.context.names;
        self.context.names += 1;
        put_name(&mut self.payload, text);
        number
    }

    /// Appends an event.
    ///
    /// # Errors
    /// Those of the output, and for a time that goes back.
    pub fn put(&mut self, event: &Event<'_>) -> io::Result<()> {
        if event.time < self.context.time {
            let message = format!("time {} ns is before {} ns", event.time, self.context.time);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        put_event(&mut self.payload, &mut self.context, event);
        if self.payload.len() < BLOCK { Ok(()) } else { self.end_block() }
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.payload.is_empty() {
            return Ok(());
        }
        block::write(&mut self.output, &mut self.scratch, &self.payload)?;
        self.payload.clear();
        Ok(())
    }

    /// Ends the block, so that everything so far is in the output.
    ///
    /// # Errors
    /// Those of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.end_block()?;
        self.output.flush()
    }
}

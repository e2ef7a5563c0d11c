//! Text that is read block by block: what a parser has used is forgotten, what it has not is kept together.

use std::io::{self, Read};

/// How much is read at once.
const BLOCK_BYTES: usize = 256 << 10;

/// The most that is kept together: no operation is longer, in whatever format.
pub(super) const OPERATION_BYTES_MAX: usize = 1 << 28;

/// A text of any length, of which only a part is in memory.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    input: R,
    buffer: Vec<u8>,
    /// What is not used yet lies between these.
    begin: usize,
    end: usize,
    at_end: bool,
    /// How many line ends were forgotten, and how many bytes of the line in which the buffer begins.
    lines: u64,
    column: usize,
    block_bytes: usize,
    text_bytes_max: usize,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R) -> Self {
        Self::of(input, BLOCK_BYTES)
    }

    /// The same with blocks of another length.
    pub(super) fn of(input: R, block_bytes: usize) -> Self {
        Blocks {
            input,
            buffer: Vec::new(),
            begin: 0,
            end: 0,
            at_end: false,
            lines: 0,
            column: 0,
            block_bytes,
            text_bytes_max: OPERATION_BYTES_MAX,
        }
    }

    /// What was read and not used.
    pub(super) fn text(&self) -> &[u8] {
        &self.buffer[self.begin..self.end]
    }

    /// Whether nothing comes behind [`Blocks::text`].
    pub(super) fn is_whole(&self) -> bool {
        self.at_end
    }

    /// The first bytes are used.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.begin += bytes;
        assert!(self.begin <= self.end, "only what was read is used");
    }

    /// Reads on, at least as much as there is: who looks again at what he has seen does it in linear time.
    ///
    /// # Errors
    /// Those of the input, and one for a text that nobody uses.
    pub(super) fn more(&mut self) -> io::Result<()> {
        let used = &self.buffer[..self.begin];
        self.column = match used.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => used.len() - last - 1,
            None => self.column + used.len(),
        };
        self.lines += line_ends(used);
        self.buffer.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        if self.end > self.text_bytes_max {
            let message = format!("an operation is longer than {} bytes", self.text_bytes_max);
            return Err(io::Error::other(message));
        }
        let length = self.block_bytes.max((2 * self.end).min(self.text_bytes_max + 1));
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        while self.end < self.buffer.len() {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(());
                }
                Ok(bytes) => self.end += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The line and the column of a byte of [`Blocks::text`], from 1. A column is a byte.
    pub(super) fn place(&self, at: usize) -> (u64, usize) {
        let before = &self.buffer[..(self.begin + at).min(self.end)];
        let column = match before.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => before.len() - last,
            None => self.column + before.len() + 1,
        };
        (self.lines + line_ends(before) + 1, column)
    }
}

fn line_ends(text: &[u8]) -> u64 {
    // So many that their number fits a byte: then the compiler counts many at once.
    let count = |chunk: &[u8]| chunk.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    text.chunks(255).map(|chunk| u64::from(count(chunk))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_that_text_is_forgotten() {
        let line = "0123456789\n";
        let text = line.repeat(3 * BLOCK_BYTES / line.len());
        let mut blocks = Blocks::new(text.as_bytes());
        let mut used = 0;
        while !blocks.is_whole() {
            blocks.more().unwrap();
            let step = blocks.text().len() - blocks.text().len() / 3;
            for at in [0, 1, 57, step] {
                let all = used + at;
                assert_eq!(blocks.place(at), ((all / line.len()) as u64 + 1, all % line.len() + 1));
            }
            blocks.consume(step);
            used += step;
        }
        assert_eq!(used + blocks.text().len(), text.len());
    }

    #[test]
    fn a_text_that_nobody_uses_is_refused() {
        let mut blocks = Blocks { text_bytes_max: 1 << 20, ..Blocks::new(io::repeat(b'[')) };
        let error = loop {
            if let Err(error) = blocks.more() {
                break error;
            }
        };
        assert!(error.to_string().starts_with("an operation is longer than"), "{error}");
    }
}

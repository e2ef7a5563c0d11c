//! Reading that can be interrupted.

use std::io::{self, BufRead, Read};

use super::Limits;

/// How many bytes pass between two questions.
const BYTES_PER_QUESTION: usize = 16 << 10;

/// An input that fails with [`Exceeded`](super::Exceeded) once a limit is hit. Whatever is read line by line, in whatever
/// format, is read through it, and asks as it goes along.
#[derive(Debug)]
pub struct Limited<'l, R> {
    input: R,
    limits: Limits<'l>,
    unasked: usize,
}

impl<'l, R> Limited<'l, R> {
    /// Reads from `input` within the limits.
    pub fn new(input: R, limits: &Limits<'l>) -> Self {
        Limited { input, limits: *limits, unasked: BYTES_PER_QUESTION }
    }

    fn ask(&mut self) -> io::Result<()> {
        if self.unasked >= BYTES_PER_QUESTION {
            self.unasked = 0;
            self.limits.ask().map_err(io::Error::other)?;
        }
        Ok(())
    }
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ask()?;
        let length = self.input.read(buffer)?;
        self.unasked += length;
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Limited<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.ask()?;
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.unasked += amount;
        self.input.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_long_line_is_not_read_to_its_end() {
        let asked = AtomicUsize::new(0);
        let expired = || asked.fetch_add(1, Ordering::Relaxed) == 4;
        let endless = io::BufReader::new(io::repeat(b'x'));
        let mut input = Limited::new(endless, &Limits { expired: &expired, ..Limits::none() });
        let mut line = Vec::new();
        let error = input.read_until(b'\n', &mut line).unwrap_err();
        assert_eq!(error.to_string(), "the time limit was reached");
        assert_eq!(line.len(), 4 * BYTES_PER_QUESTION);
    }

    #[test]
    fn what_is_read_is_what_is_there() {
        let mut input = Limited::new(&b"one\ntwo"[..], &Limits::none());
        let (mut line, mut rest) = (String::new(), String::new());
        input.read_line(&mut line).unwrap();
        input.read_to_string(&mut rest).unwrap();
        assert_eq!((line.as_str(), rest.as_str()), ("one\n", "two"));
    }
}

//! A history that comes in pieces of bytes, in one of our own forms: lines, or blocks. Its first byte says which.

use crate::history::History;
use crate::history::binary::{Feed, MAGIC};
use crate::history::format::ReadError;
use crate::history::jsonl::Reader;

/// Where the events come from.
#[derive(Debug)]
pub(super) enum Source {
    Lines(Box<Lines>),
    Blocks(Box<Feed>),
}

/// A text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Lines {
    reader: Reader,
    /// The beginning of a line of which the end has not come yet.
    unfinished: Vec<u8>,
    /// Whether something has come. Before that, these may be no lines.
    begun: bool,
}

impl Default for Source {
    fn default() -> Self {
        Source::Lines(Box::default())
    }
}

impl Source {
    /// Takes the next bytes, and calls `step` after each event of them.
    pub(super) fn feed(&mut self, bytes: &[u8], mut step: impl FnMut(&History)) -> Result<(), ReadError> {
        if let (Source::Lines(lines), Some(first)) = (&*self, bytes.first())
            && !lines.begun
            && *first == MAGIC[0]
        {
            *self = Source::Blocks(Box::default());
        }
        match self {
            Source::Lines(lines) => {
                let Lines { reader, unfinished, begun } = &mut **lines;
                *begun |= !bytes.is_empty();
                for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                    unfinished.extend_from_slice(piece);
                    if piece.ends_with(b"\n") {
                        reader.line(unfinished)?;
                        unfinished.clear();
                        step(reader.history());
                    }
                }
            }
            Source::Blocks(feed) => {
                feed.push(bytes)?;
                while feed.take()? {
                    step(feed.history());
                }
            }
        }
        Ok(())
    }

    pub(super) fn history(&self) -> &History {
        match self {
            Source::Lines(lines) => lines.reader.history(),
            Source::Blocks(feed) => feed.history(),
        }
    }

    pub(super) fn history_mut(&mut self) -> &mut History {
        match self {
            Source::Lines(lines) => &mut lines.reader.history,
            Source::Blocks(feed) => &mut feed.history,
        }
    }
}
